"""What pages show of a student's way through a study: the step (`journey`), and what was recorded on the way.

Before the first step of the journey stands `agree`: the student decides about each purpose, whatever others decided.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TypeVar
from uuid import UUID

from django.db.models import Count, Model, QuerySet

from sessions_app.models import (
    Assessment,
    Assignment,
    Consent,
    ContentDelivery,
    Exchange,
    Intervention,
    LiveSession,
    LocationVerification,
    MovedOn,
    PriorKnowledge,
    Segment,
    StudentSession,
)
from sessions_app.models.content import QUESTIONS_PER_INTERVENTION
from sessions_app.study import journey, material
from sessions_app.study.pauses import Pause, stretches

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


class Records:
    """What was recorded of some members of a session. Each table is read for all of them at once, when it is first
    asked for: a page that shows little reads little.
    """

    def __init__(self, members: Sequence[StudentSession]) -> None:
        self._ids = [member.pk for member in members]

    @cached_property
    def assignments(self) -> dict[UUID, Assignment]:
        return {a.student_session_id: a for a in self._of(Assignment).select_related("condition")}

    @cached_property
    def prior(self) -> dict[UUID, PriorKnowledge]:
        return {prior.student_session_id: prior for prior in self._of(PriorKnowledge)}

    @cached_property
    def places(self) -> dict[UUID, LocationVerification]:
        return {place.student_session_id: place for place in self._of(LocationVerification)}

    @cached_property
    def deliveries(self) -> dict[UUID, ContentDelivery]:
        return {delivery.student_session_id: delivery for delivery in self._of(ContentDelivery)}

    @cached_property
    def assessments(self) -> dict[UUID, dict[str, Assessment]]:
        """By member and kind; `given` is how many answers each has."""
        found: dict[UUID, dict[str, Assessment]] = {}
        for assessment in self._of(Assessment).annotate(given=Count("answers")):
            found.setdefault(assessment.student_session_id, {})[assessment.kind] = assessment
        return found

    @cached_property
    def interventions(self) -> dict[UUID, list[Intervention]]:
        found: dict[UUID, list[Intervention]] = {}
        for intervention in self._of(Intervention).order_by("number"):
            found.setdefault(intervention.student_session_id, []).append(intervention)
        return found

    @cached_property
    def exchanges(self) -> dict[UUID, list[Exchange]]:
        """By intervention."""
        found: dict[UUID, list[Exchange]] = {}
        for exchange in Exchange.objects.filter(intervention__student_session__in=self._ids).order_by("number"):
            found.setdefault(exchange.intervention_id, []).append(exchange)
        return found

    @cached_property
    def moves(self) -> dict[UUID, list[MovedOn]]:
        found: dict[UUID, list[MovedOn]] = {}
        for move in self._of(MovedOn):
            found.setdefault(move.student_session_id, []).append(move)
        return found

    def _of(self, model: type[R]) -> QuerySet[R]:
        return model._default_manager.filter(student_session__in=self._ids)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What the records say about one student's run."""

    member: StudentSession
    position: journey.Position
    records: Records

    @property
    def agreed(self) -> Mapping[str, str]:
        """What the student decided, by purpose."""
        return self.position.decided.get(Consent.Giver.STUDENT, {})

    @property
    def family(self) -> Mapping[str, str]:
        """What a guardian decided, by purpose."""
        return self.position.decided.get(Consent.Giver.GUARDIAN, {})

    @property
    def assignment(self) -> Assignment | None:
        return self.records.assignments.get(self.member.pk)

    @property
    def segments(self) -> Sequence[Segment]:
        content = self.assignment.content_id if self.assignment else None
        return material.segments(content) if content else ()

    @property
    def place(self) -> LocationVerification | None:
        return self.records.places.get(self.member.pk)

    @property
    def delivery(self) -> ContentDelivery | None:
        return self.records.deliveries.get(self.member.pk)

    @property
    def assessments(self) -> dict[str, Assessment]:
        return self.records.assessments.get(self.member.pk, {})

    @property
    def interventions(self) -> Sequence[Intervention]:
        return self.records.interventions.get(self.member.pk, ())

    def exchanges(self, intervention: Intervention) -> Sequence[Exchange]:
        """The questions of one of the run's interventions that were put, in order."""
        return self.records.exchanges.get(intervention.pk, ())

    @property
    def step(self) -> str:
        """`agree`, or a step of the journey; `consent` for who takes no part."""
        return self.position.step.value if has_decided(self.position) else AGREE

    @property
    def open_intervention(self) -> Intervention | None:
        return next((i for i in self.interventions if i.status == Intervention.Status.OPEN), None)

    @property
    def waits_for_question(self) -> bool:
        """Whether the next question of a pause is still to be put."""
        return self.step == journey.Step.INTERVENTION and self.position.exchange is None

    @property
    def pauses(self) -> Sequence[Pause]:
        if self.assignment is None or self.assignment.content_id is None:
            return ()
        return material.pauses_of(self.assignment.content_id, float(self.assignment.condition.interval_minutes))

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
        prior = self.records.prior.get(self.member.pk)
        done += [prior.answered_at] if prior else []
        done += [self.place.settled_at] if self.place else []
        done += [assessment.submitted_at for assessment in self.assessments.values()]
        done += [intervention.closed_at for intervention in self.interventions]
        done += [move.at for move in self._moves]
        if self.open_intervention is not None:
            done += [self.open_intervention.opened_at]
        return max(at for at in done if at is not None)

    @property
    def was_moved(self) -> bool:
        """Whether the student came to this step because the teacher moved them on."""
        return any(move.at == self.since for move in self._moves)

    @property
    def _moves(self) -> Sequence[MovedOn]:
        return self.records.moves.get(self.member.pk, ()) if self.position.moved_on else ()

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


def runs(members: Sequence[StudentSession]) -> dict[UUID, Run]:
    """The runs of members of one session, by member; what they read does not grow with their number."""
    records = Records(members)
    positions = journey.positions(members)
    return {
        member.pk: Run(member=member, position=positions[member.pk], records=records)
        for member in members
        if member.pk in positions
    }


def has_decided(position: journey.Position) -> bool:
    """Whether a student has decided about each purpose, or that they take no part."""
    agreed = position.decided.get(Consent.Giver.STUDENT, {})
    refused = agreed.get(Consent.Purpose.PARTICIPATION.value, "granted") != "granted"
    return refused or all(purpose.value in agreed for purpose in PURPOSES)
