"""What pages show of a student's way through a study: the step (`journey`), and what was recorded on the way.

Before the first step of the journey stands `agree`: the student decides about each purpose, whatever others decided.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TypeVar
from uuid import UUID

from django.db.models import Count, Model, Prefetch, QuerySet

from sessions_app.models import (
    Assessment,
    Assignment,
    Consent,
    ConsentState,
    ContentDelivery,
    Exchange,
    Intervention,
    LiveSession,
    LocationVerification,
    MovedOn,
    PriorKnowledge,
    Segment,
    StudentSession,
    SurveyResponse,
)
from sessions_app.models.content import QUESTIONS_PER_INTERVENTION
from sessions_app.study import journey
from sessions_app.study.pauses import Pause, pauses, stretches

R = TypeVar("R", bound=Model)

AGREE = "agree"
NOT_YET = {AGREE, journey.Step.CONSENT.value}
"""The steps that come before the class begins."""
PURPOSES = (
    Consent.Purpose.PARTICIPATION,
    Consent.Purpose.LOCATION,
    Consent.Purpose.SURVEY,
    Consent.Purpose.RESEARCH,
    Consent.Purpose.DATA_SHARING,
)
"""What a student of a study decides about, in this order; taking part comes first, and without it there is no rest."""

SHARE = {
    "prior_knowledge": (2, 6), "place": (6, 10), "baseline": (10, 25), "content": (25, 80), "intervention": (25, 80),
    "final": (80, 94), "survey": (94, 100), "done": (100, 100),
}  # fmt: skip
"""From which to which per cent of the way a step reaches: about the minutes that it takes."""
NEAR = 0.5
"""Seconds by which a player's word on where it stopped may be off."""


def is_of_study(session: LiveSession) -> bool:
    """Whether the session's students go through a study, rather than work as their teacher tells them."""
    study = session.study
    return session.activity == LiveSession.Activity.SOCRATIC and study is not None and study.content_id is not None


@dataclass(frozen=True, kw_only=True)
class Run:
    """What the records say about one student's run. `agreed` is what the student decided, `family` what a guardian."""

    member: StudentSession
    position: journey.Position
    assignment: Assignment | None = None
    segments: Sequence[Segment] = ()
    agreed: dict[str, str] = field(default_factory=dict)
    family: dict[str, str] = field(default_factory=dict)
    prior: PriorKnowledge | None = None
    place: LocationVerification | None = None
    delivery: ContentDelivery | None = None
    assessments: dict[str, Assessment] = field(default_factory=dict)
    interventions: Sequence[Intervention] = ()
    moves: Sequence[MovedOn] = ()

    @property
    def step(self) -> str:
        """`agree`, or a step of the journey; `consent` for who takes no part."""
        if self.agreed.get(Consent.Purpose.PARTICIPATION.value, "granted") != "granted":
            return self.position.step.value
        if any(purpose.value not in self.agreed for purpose in PURPOSES):
            return AGREE
        return self.position.step.value

    @property
    def open_intervention(self) -> Intervention | None:
        return next((i for i in self.interventions if i.status == Intervention.Status.OPEN), None)

    @property
    def waits_for_question(self) -> bool:
        """Whether the next question of a pause is still to be put."""
        return self.step == journey.Step.INTERVENTION and self.position.exchange is None

    @cached_property
    def pauses(self) -> list[Pause]:
        if self.assignment is None:
            return []
        return pauses(self.segments, interval_minutes=float(self.assignment.condition.interval_minutes))

    @property
    def next_pause(self) -> Pause | None:
        """The pause that the content stops at next."""
        return next((p for p in self.pauses if p.number > len(self.interventions)), None)

    @cached_property
    def total(self) -> float:
        """Seconds of the whole content at normal speed."""
        return float(sum(segment.duration_seconds for segment in self.segments))

    @cached_property
    def reached(self) -> float:
        """The second of the content up to which the student has come, by what was handed in: ends and pauses."""
        covered = self.delivery.completion / 100 * self.total if self.delivery else 0.0
        paused = max((p.position for p in self.pauses if p.number <= len(self.interventions)), default=0.0)
        return max(covered, paused)

    @property
    def number(self) -> int:
        """Of the pause that is open, or of the segment that is played; else 0."""
        if self.step == journey.Step.INTERVENTION:
            return self.position.number
        if self.step == journey.Step.CONTENT and self.segments:
            parts = stretches(self.segments)
            return next((part.number for part in parts if self.reached < part.ends - NEAR), parts[-1].number)
        return 0

    @property
    def question(self) -> int:
        """The question that a student is at, from 1: of the pause, or of the form; else 0."""
        if self.step == journey.Step.INTERVENTION:
            return min(self.position.answered + 1, QUESTIONS_PER_INTERVENTION)
        if self.step in self.assessments:
            return min(self.given_to(self.step) + 1, max(1, self.assessments[self.step].total_questions))
        return 0

    def given_to(self, kind: str) -> int:
        """How many questions of a form have an answer."""
        given: int = getattr(self.assessments[kind], "given", 0) if kind in self.assessments else 0
        return given

    @cached_property
    def since(self) -> datetime:
        """When the student came to this step: the newest of what was done before it."""
        session = self.member.session
        done: list[datetime | None] = [session.started_at, self.member.joined_at]
        done += [self.prior.answered_at] if self.prior else []
        done += [self.place.settled_at] if self.place else []
        done += [assessment.submitted_at for assessment in self.assessments.values()]
        done += [intervention.closed_at for intervention in self.interventions]
        done += [move.at for move in self.moves]
        if self.open_intervention is not None:
            done += [self.open_intervention.opened_at]
        return max(at for at in done if at is not None)

    @property
    def was_moved(self) -> bool:
        """Whether the student came to this step because the teacher moved them on."""
        return any(move.at == self.since for move in self.moves)

    @property
    def percent(self) -> float:
        """How much of the whole way lies behind the student, 0 to 100."""
        begin, end = SHARE.get(self.step, (0, 0))
        within = 0.0
        if self.step in {journey.Step.CONTENT, journey.Step.INTERVENTION} and self.total:
            within = self.reached / self.total
            if self.step == journey.Step.INTERVENTION:
                within -= (QUESTIONS_PER_INTERVENTION - self.position.answered) * 0.01
        elif self.step in self.assessments:
            within = min(1.0, self.given_to(self.step) / max(1, self.assessments[self.step].total_questions))
        return round(begin + max(0.0, within) * (end - begin), 1)


def runs(members: Sequence[StudentSession], *, live: dict[UUID, dict[str, bool]] | None = None) -> dict[UUID, Run]:
    """The runs of members of one session, by member, in a number of queries that does not grow with them.

    `live` says which purposes are live for each student, where the caller has read it.
    """
    ids = [member.pk for member in members]
    live = _live(members) if live is None else live
    surveyed = set(_of(SurveyResponse, ids).values_list("student_session", flat=True))
    assignments = {a.student_session_id: a for a in _of(Assignment, ids).select_related("condition", "content")}
    contents = {a.content_id for a in assignments.values() if a.content_id}
    segments: dict[UUID, list[Segment]] = {}
    for segment in Segment.objects.filter(content__in=contents).order_by("number"):
        segments.setdefault(segment.content_id, []).append(segment)
    prior = {p.student_session_id: p for p in _of(PriorKnowledge, ids)}
    places = {p.student_session_id: p for p in _of(LocationVerification, ids)}
    deliveries = {d.student_session_id: d for d in _of(ContentDelivery, ids)}
    assessments: dict[UUID, dict[str, Assessment]] = {}
    for assessment in _of(Assessment, ids).annotate(given=Count("answers")):
        assessments.setdefault(assessment.student_session_id, {})[assessment.kind] = assessment
    interventions: dict[UUID, list[Intervention]] = {}
    exchanges = Prefetch("exchanges", Exchange.objects.order_by("number"))
    for intervention in _of(Intervention, ids).prefetch_related(exchanges).order_by("number"):
        interventions.setdefault(intervention.student_session_id, []).append(intervention)
    moves: dict[UUID, list[MovedOn]] = {}
    for move in _of(MovedOn, ids):
        moves.setdefault(move.student_session_id, []).append(move)
    decided = decisions([m.student_id for m in members if m.student_id])
    found = {}
    for member in members:
        assignment = assignments.get(member.pk)
        place, delivery = places.get(member.pk), deliveries.get(member.pk)
        opened = [i for i in interventions.get(member.pk, ()) if i.status == Intervention.Status.OPEN]
        asked = [exchange for intervention in opened for exchange in intervention.exchanges.all()]
        handed_in = assessments.get(member.pk, {}).values()
        facts = journey.Facts(
            consents=live.get(member.student_id, {}) if member.student_id else {},
            assigned=assignment is not None,
            prior_knowledge=member.pk in prior,
            place_settled=place is not None and place.settled_at is not None,
            submitted=frozenset(a.kind for a in handed_in if a.submitted_at is not None),
            content_ended=delivery is not None and delivery.ended_at is not None,
            segments_done=delivery.segments_completed if delivery else 0,
            open_number=opened[0].number if opened else 0,
            answered=sum(exchange.answered_at is not None for exchange in asked),
            waiting=next((exchange.pk for exchange in asked if exchange.answered_at is None), None),
            survey=member.pk in surveyed,
            moved_on=frozenset(move.step for move in moves.get(member.pk, ())),
        )
        found[member.pk] = Run(
            member=member,
            position=journey.position_of(facts),
            assignment=assignment,
            segments=segments.get(assignment.content_id, ()) if assignment and assignment.content_id else (),
            agreed=decided.get((member.student_id, Consent.Giver.STUDENT), {}),
            family=decided.get((member.student_id, Consent.Giver.GUARDIAN), {}),
            prior=prior.get(member.pk),
            place=place,
            delivery=delivery,
            assessments=assessments.get(member.pk, {}),
            interventions=interventions.get(member.pk, ()),
            moves=moves.get(member.pk, ()),
        )
    return found


def _live(members: Sequence[StudentSession]) -> dict[UUID, dict[str, bool]]:
    found: dict[UUID, dict[str, bool]] = {}
    states = ConsentState.objects.filter(student__in=[m.student_id for m in members if m.student_id])
    for student, purpose, granted in states.values_list("student_id", "purpose", "granted"):
        found.setdefault(student, {})[purpose] = granted
    return found


def decisions(students: Sequence[UUID]) -> dict[tuple[UUID | None, str], dict[str, str]]:
    """What was decided last about each purpose, by (student, giver)."""
    found: dict[tuple[UUID | None, str], dict[str, str]] = {}
    rows = (
        Consent.objects.filter(student__in=students)
        .order_by("student_id", "purpose", "given_by", "-given_at", "-id")
        .distinct("student_id", "purpose", "given_by")
    )
    for student, giver, purpose, decision in rows.values_list("student_id", "given_by", "purpose", "decision"):
        found.setdefault((student, giver), {})[purpose] = decision
    return found


def has_decided(student: UUID | None) -> bool:
    """Whether a student has decided about each purpose, or that they take no part."""
    agreed = decisions([student] if student else []).get((student, Consent.Giver.STUDENT), {})
    refused = agreed.get(Consent.Purpose.PARTICIPATION.value, "granted") != "granted"
    return refused or all(purpose.value in agreed for purpose in PURPOSES)


def _of(model: type[R], ids: Sequence[UUID]) -> QuerySet[R]:
    return model._default_manager.filter(student_session__in=ids)
