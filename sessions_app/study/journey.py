"""A student's way through a study: which step comes, computed from what is recorded, and from nothing else.

consent → prior knowledge → place → baseline → content, with an intervention at each pause → final → survey → done.
So the way goes on at the right step on any device, after any break. A step is past when its record is whole or the
teacher moved the student on. The place is a step only where the study has a site with a position for the location;
the survey is none for a student who does not agree to it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Max, TextChoices
from django.utils.translation import gettext_lazy as _

from sessions_app.models import (
    Assessment,
    AssessmentAnswer,
    Assignment,
    Consent,
    ContentDelivery,
    Exchange,
    Intervention,
    LocationVerification,
    MovedOn,
    PriorKnowledge,
    SegmentDelivery,
    StudentSession,
    SurveyResponse,
    User,
)
from sessions_app.models.content import QUESTIONS_PER_INTERVENTION
from sessions_app.refusals import Refused
from sessions_app.study import assignment, interventions, location, quality


class Step(TextChoices):
    """A step of the way, in order."""

    CONSENT = "consent", _("agreement")
    PRIOR_KNOWLEDGE = "prior_knowledge", _("what you know already")
    PLACE = "place", _("your place")
    BASELINE = "baseline", _("first questions")
    CONTENT = "content", _("content")
    INTERVENTION = "intervention", _("questions along the way")
    FINAL = "final", _("last questions")
    SURVEY = "survey", _("survey")
    DONE = "done", _("done")


_ORDER: Final = tuple(Step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a student is. `past` are the steps behind, in order; `moved_on` those the teacher let them leave.

    In the content: `segments_done`. In an intervention: its `number`, how many questions are `answered`, and the
    `exchange` that waits for an answer (None while its question is being made). `consents` are the purposes that
    somebody decided about, and whether they are live; `decided` is what was decided last, by giver and purpose;
    `assigned` is whether the run has its condition.
    """

    step: Step
    decided: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    consents: Mapping[str, bool] = field(default_factory=dict)
    assigned: bool = False
    past: tuple[Step, ...] = ()
    moved_on: tuple[Step, ...] = ()
    segments_done: int = 0
    number: int = 0
    answered: int = 0
    exchange: UUID | None = None

    @property
    def place_in_order(self) -> int:
        """0 for the first step; of two students, the slower one has the smaller."""
        return _ORDER.index(self.step)


@dataclass(slots=True)
class Facts:
    """What the records say about one run."""

    consents: dict[str, bool]
    decided: dict[str, dict[str, str]]
    assigned: bool = False
    prior_knowledge: bool = False
    place_settled: bool = False
    submitted: frozenset[str] = frozenset()
    content_ended: bool = False
    segments_done: int = 0
    open_number: int = 0
    answered: int = 0
    waiting: UUID | None = None
    survey: bool = False
    moved_on: frozenset[str] = frozenset()


def position(student_session: StudentSession) -> Position:
    """Where one student is."""
    return positions([student_session])[student_session.pk]


def positions(student_sessions: Collection[StudentSession]) -> dict[UUID, Position]:
    """Where each of some students is, in a fixed number of queries."""
    return {pk: position_of(facts) for pk, facts in _facts(student_sessions).items()}


def run_begin(
    student_session: StudentSession, *, at: datetime, fixed_by: User | None = None
) -> tuple[Assignment, bool]:
    """Give a run its condition and material, where it has none yet, and whether it was now.

    Where the location has no site with a position the place is kept as not asked. Called with the session held.
    """
    made, fresh = assignment.condition_assign(student_session, at=at, fixed_by=fixed_by)
    if fresh and not any(site.has_position for site in location.sites_of(made)):
        location.place_verify(student_session, report=location.Report(found="skipped"), at=at)
    return made, fresh


def require(student_session: StudentSession, *steps: Step) -> Position:
    """Where the student is, if that is one of `steps`; else refused. Without the consent to take part, refused."""
    return required(position(student_session), *steps)


def required(found: Position, *steps: Step) -> Position:
    """`require`, of a position that is known."""
    if found.step is Step.CONSENT and Step.CONSENT not in steps:
        raise Refused("consent_missing")
    if found.step not in steps:
        raise Refused("other_step")
    return found


def run_finish(student_session: StudentSession, *, at: datetime) -> None:
    """A run is over, with its last step or with the session: look at its quality."""
    quality.run_check(student_session, at=at)


@dataclass(frozen=True, slots=True)
class Moved:
    """A step that a student was moved on from, or back to. `number` is that of the intervention, else 0."""

    step: Step
    number: int


def move_on(student_session: StudentSession, *, by: User, at: datetime) -> Moved:
    """The teacher lets a student leave the present step unfinished. Called with the student's session held.

    What was answered stays. A form that is left is not handed in; an intervention that is left is abandoned. Nobody is
    moved past the agreement, and nobody who is done.
    """
    here = position(student_session)
    if here.step in {Step.CONSENT, Step.DONE}:
        raise Refused("not_possible_now")
    number = here.number if here.step is Step.INTERVENTION else 0
    if here.step is Step.INTERVENTION:
        interventions.interventions_abandon([student_session.pk], at=at)
    MovedOn.objects.create(student_session=student_session, step=here.step, number=number, by=by, at=at)
    quality.flag_raise(
        student_session, quality.Code.MOVED_ON, at=at, about=f"{here.step} {number}" if number else here.step
    )
    return Moved(here.step, number)


def move_back(student_session: StudentSession, *, at: datetime) -> Moved:
    """Take the last `move_on` back, as long as the student has done nothing since. Called with the session held."""
    last = MovedOn.objects.filter(student_session=student_session).order_by("-at").first()
    if last is None or _last_deed(student_session) > last.at:
        raise Refused("not_possible_now")
    if last.step == Step.INTERVENTION:
        Intervention.objects.filter(
            student_session=student_session, number=last.number, status=Intervention.Status.ABANDONED
        ).update(status=Intervention.Status.OPEN, closed_at=None, updated_at=at)
    last.delete()
    return Moved(Step(last.step), last.number)


def _last_deed(student_session: StudentSession) -> datetime:
    """When the student last gave something, or joined."""
    of_student = {"student_session": student_session}
    moments = [
        PriorKnowledge.objects.filter(**of_student).aggregate(last=Max("answered_at"))["last"],
        LocationVerification.objects.filter(**of_student).aggregate(last=Max("verified_at"))["last"],
        AssessmentAnswer.objects.filter(assessment__student_session=student_session).aggregate(last=Max("answered_at"))["last"],
        Assessment.objects.filter(**of_student).aggregate(last=Max("submitted_at"))["last"],
        SegmentDelivery.objects.filter(delivery__student_session=student_session).aggregate(last=Max("ended_at"))["last"],
        ContentDelivery.objects.filter(**of_student).aggregate(last=Max("started_at"))["last"],
        Exchange.objects.filter(intervention__student_session=student_session).aggregate(last=Max("answered_at"))["last"],
        SurveyResponse.objects.filter(**of_student).aggregate(last=Max("submitted_at"))["last"],
    ]  # fmt: skip
    return max((moment for moment in moments if moment is not None), default=student_session.joined_at)


def position_of(facts: Facts) -> Position:
    moved = facts.moved_on
    participates = facts.consents.get(Consent.Purpose.PARTICIPATION, False)
    behind = {
        Step.CONSENT: participates,
        Step.PRIOR_KNOWLEDGE: facts.prior_knowledge,
        Step.PLACE: facts.place_settled,
        Step.BASELINE: "baseline" in facts.submitted,
        Step.CONTENT: facts.content_ended,
        Step.INTERVENTION: facts.open_number == 0,
        Step.FINAL: "final" in facts.submitted,
        Step.SURVEY: facts.survey or facts.consents.get(Consent.Purpose.SURVEY) is False,
    }
    past = []
    step = Step.DONE
    for candidate in _ORDER[:-1]:
        if candidate is Step.CONTENT and not behind[Step.INTERVENTION]:
            step = Step.INTERVENTION
            break
        if behind[candidate] or (candidate in moved and candidate is not Step.INTERVENTION):
            past.append(candidate)
            continue
        step = candidate
        break
    return Position(
        step=step,
        decided=facts.decided,
        consents=facts.consents,
        assigned=facts.assigned,
        past=tuple(past),
        moved_on=tuple(s for s in _ORDER if s in moved),
        segments_done=facts.segments_done,
        number=facts.open_number,
        answered=facts.answered,
        exchange=facts.waiting,
    )


_FACTS: Final = """
    SELECT s.id,
        ARRAY(SELECT c.purpose FROM sessions_app_consentstate c
            WHERE c.student_id = s.student_id AND c.granted) AS agreed,
        ARRAY(SELECT c.purpose FROM sessions_app_consentstate c
            WHERE c.student_id = s.student_id AND NOT c.granted) AS refused,
        ARRAY(SELECT DISTINCT ON (c.given_by, c.purpose) ARRAY[c.given_by, c.purpose, c.decision]
            FROM sessions_app_consent c WHERE c.student_id = s.student_id
            ORDER BY c.given_by, c.purpose, c.given_at DESC, c.id DESC) AS decided,
        EXISTS (SELECT FROM sessions_app_assignment a WHERE a.student_session_id = s.id) AS assigned,
        EXISTS (SELECT FROM sessions_app_priorknowledge k WHERE k.student_session_id = s.id) AS prior_knowledge,
        EXISTS (SELECT FROM sessions_app_locationverification v
            WHERE v.student_session_id = s.id AND v.settled_at IS NOT NULL) AS place_settled,
        ARRAY(SELECT f.kind FROM sessions_app_assessment f
            WHERE f.student_session_id = s.id AND f.submitted_at IS NOT NULL) AS submitted,
        d.ended_at IS NOT NULL AS content_ended, coalesce(d.segments_completed, 0) AS segments_done,
        coalesce(i.number, 0) AS open_number, least(e.answered, %(questions)s) AS answered, e.waiting,
        EXISTS (SELECT FROM sessions_app_surveyresponse y WHERE y.student_session_id = s.id) AS survey,
        ARRAY(SELECT m.step FROM sessions_app_movedon m WHERE m.student_session_id = s.id) AS moved_on
    FROM sessions_app_studentsession s
    LEFT JOIN sessions_app_contentdelivery d ON d.student_session_id = s.id
    LEFT JOIN sessions_app_intervention i ON i.student_session_id = s.id AND i.status = 'open'
    LEFT JOIN LATERAL (
        SELECT count(x.answered_at) AS answered, (array_agg(x.id) FILTER (WHERE x.answered_at IS NULL))[1] AS waiting
        FROM sessions_app_exchange x WHERE x.intervention_id = i.id
    ) e ON true
    WHERE s.id = ANY(%(ids)s)
"""


def _facts(student_sessions: Collection[StudentSession]) -> dict[UUID, Facts]:
    """In one statement, since every step of every student asks."""
    asked: dict[str, Any] = {
        "ids": [member.pk for member in student_sessions], "questions": QUESTIONS_PER_INTERVENTION
    }  # fmt: skip
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(_FACTS, asked)
        names = [column.name for column in cursor.description]
        for row in cursor.fetchall():
            told = dict(zip(names, row, strict=True))
            pk, agreed, refused = told.pop("id"), told.pop("agreed"), told.pop("refused")
            submitted, moved_on = told.pop("submitted"), told.pop("moved_on")
            decided: dict[str, dict[str, str]] = {}
            for giver, purpose, decision in told.pop("decided"):
                decided.setdefault(giver, {})[purpose] = decision
            found[pk] = Facts(
                decided=decided,
                consents=dict.fromkeys(agreed, True) | dict.fromkeys(refused, False),
                submitted=frozenset(submitted),
                moved_on=frozenset(moved_on),
                **told,
            )
    return found
