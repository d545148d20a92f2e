"""The items themselves, attribute for attribute as requirements 000 and 002 give them. Pure.

What is not known is null, never left to be guessed. Numbers are `Decimal`. Ids stand for people: no fact below
carries a name, so none can get into an item.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from analytics_app.mirror import keys

Built = dict[str, Any]

FORM_VERSION: Final = 1
"""The `version` in the metadata of an item: raised when the attributes of a kind change their meaning."""

STUDENT_PROFILE = keys.Pattern(keys.SOCRATIC, "STUDENT#", "PROFILE")
SESSION = keys.Pattern(keys.SOCRATIC, "SESSION#", "METADATA")
READING_SESSION = keys.Pattern(keys.READING, "SESSION#", "METADATA")


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentFacts:
    """What a student's session says of the student. None: not known."""

    id: UUID
    age: int | None
    grade: int | None
    richmond_resident: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionFacts:
    """A cell of the design."""

    code: str
    location: str
    interval_minutes: Decimal
    intervention_type: str

    @property
    def index(self) -> str:
        return keys.condition(
            location=self.location, minutes=self.interval_minutes, intervention_type=self.intervention_type
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """One student's run in a live session.

    `class_started_at` and `class_ended_at` are the live session's; `gone_at` is when the student left or was taken out.
    The steps of a study are those of which there is a record: none until they are taken.
    """

    id: UUID
    activity: str
    student: StudentFacts | None
    condition: ConditionFacts | None
    condition_randomised: bool
    place: str
    device: str
    joined_at: datetime
    class_started_at: datetime | None
    class_ended_at: datetime | None
    gone_at: datetime | None
    taken_out: bool
    end_reason: str
    simulated: bool
    retention: timedelta
    created_at: datetime
    updated_at: datetime
    location_verified: bool = False
    baseline_completed: bool = False
    content_completed: bool = False
    interventions_completed: int = 0
    final_assessment_completed: bool = False
    post_survey_completed: bool = False
    words: int | None = None
    wpm: float | None = None
    confidence: float | None = None
    content_seconds: float | None = None
    intervention_seconds: float | None = None
    assessment_seconds: float | None = None
    prior_knowledge: float | None = None
    flags: Sequence[str] = ()
    """What was noticed during the run (`QualityFlag`)."""

    @property
    def ended_at(self) -> datetime | None:
        """When the run was over: the class ended, or the student went before that."""
        return min((moment for moment in (self.gone_at, self.class_ended_at) if moment), default=None)

    @property
    def started_at(self) -> datetime | None:
        """When the run began: the class had started and the student was there. None where that never was so."""
        if self.class_started_at is None:
            return None
        began = max(self.joined_at, self.class_started_at)
        return None if self.ended_at is not None and self.ended_at < began else began

    @property
    def moment(self) -> datetime:
        """The time under which indexes list the session: its start, or, while there is none, the joining."""
        return self.started_at or self.joined_at

    @property
    def duration(self) -> timedelta | None:
        return self.ended_at - self.started_at if self.ended_at and self.started_at else None

    @property
    def completed(self) -> bool:
        """Baseline, content and final assessment are done (requirement 002, completion status)."""
        return self.baseline_completed and self.content_completed and self.final_assessment_completed

    @property
    def quality_flags(self) -> list[str]:
        """What a researcher should know before using the session, in words of our own."""
        left_early = self.gone_at is not None and (self.class_ended_at is None or self.gone_at < self.class_ended_at)
        flags = {
            "simulated": self.simulated,
            "condition_missing": self.condition is None,
            "condition_not_randomised": self.condition is not None and not self.condition_randomised,
            "taken_out": self.taken_out,
            "left_early": left_early and not self.taken_out,
            "ended_idle": self.end_reason == "idle",
        }
        return [*(flag for flag, holds in flags.items() if holds), *self.flags]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileFacts:
    """A student, without anything that names them. Consents are None where nobody was asked."""

    id: UUID
    age: int | None
    grade: int | None
    richmond_resident: bool | None
    school: str
    depth_preference: str
    learning_style: str
    prior_knowledge_topics: Sequence[str]
    parent_consent: bool | None
    student_assent: bool | None
    irb_consent_date: date | None
    data_sharing_consent: bool | None
    sessions: Sequence[SessionFacts]
    """The student's sessions of studies."""
    created_at: datetime
    updated_at: datetime


def student_profile(facts: ProfileFacts) -> Built:
    """Entity 1 of requirement 002."""
    key = STUDENT_PROFILE.key(facts.id)
    conditions = {s.condition.code for s in facts.sessions if s.completed and s.condition}
    return {
        "PK": key.pk,
        "SK": key.sk,
        "GSI2PK": keys.student(facts.id),
        "GSI2SK": key.sk,
        "entity_type": "student_profile",
        "student_id": str(facts.id),
        "demographics": {
            "age": _number(facts.age),
            "grade_level": _number(facts.grade),
            "school": facts.school,
            "richmond_resident": facts.richmond_resident,
        },
        "learning_profile": {
            "depth_preference": facts.depth_preference or None,
            "learning_style": facts.learning_style or None,
            "prior_knowledge_topics": list(facts.prior_knowledge_topics),
        },
        "consent_data": {
            "parent_consent": facts.parent_consent,
            "student_assent": facts.student_assent,
            "irb_consent_date": _midnight(facts.irb_consent_date),
            "data_sharing_consent": facts.data_sharing_consent,
        },
        "metadata": {
            "created_at": keys.timestamp(facts.created_at),
            "updated_at": keys.timestamp(facts.updated_at),
            "total_sessions": Decimal(len(facts.sessions)),
            "conditions_completed": sorted(conditions),
        },
    }


def session(facts: SessionFacts) -> Built:
    """Entity 2 of requirement 002. Without a condition there are no keys in the indexes of conditions."""
    key = SESSION.key(facts.id)
    moment = keys.timestamp(facts.moment)
    indexes = {"GSI5PK": keys.date(facts.moment), "GSI5SK": moment}
    if facts.student:
        indexes |= {"GSI2PK": keys.student(facts.student.id), "GSI2SK": f"SESSION#{moment}"}
    if facts.condition:
        indexes |= {"GSI1PK": facts.condition.index, "GSI1SK": moment}
        indexes |= {"GSI3PK": keys.location(facts.condition.location), "GSI3SK": moment}
        indexes |= {"GSI4PK": keys.intervention(facts.condition.intervention_type), "GSI4SK": moment}
    return {
        "PK": key.pk,
        "SK": key.sk,
        **indexes,
        "entity_type": "session",
        "session_id": str(facts.id),
        "student_id": str(facts.student.id) if facts.student else None,
        "experimental_condition": {
            "location": facts.condition.location if facts.condition else None,
            "location_name": facts.place or None,
            "interval_minutes": (Decimal(keys.interval(facts.condition.interval_minutes)) if facts.condition else None),
            "intervention_type": facts.condition.intervention_type if facts.condition else None,
            "condition_code": facts.condition.code if facts.condition else None,
        },
        "timeline": {
            "session_start": moment_or_null(facts.started_at),
            "session_end": moment_or_null(facts.ended_at),
            "total_duration_seconds": _seconds(facts.duration),
            "content_duration_seconds": measure(facts.content_seconds),
            "intervention_duration_seconds": measure(facts.intervention_seconds),
            "assessment_duration_seconds": measure(facts.assessment_seconds),
        },
        "completion_status": {
            "completed": facts.completed,
            "location_verified": facts.location_verified,
            "baseline_completed": facts.baseline_completed,
            "content_completed": facts.content_completed,
            "interventions_completed": Decimal(facts.interventions_completed),
            "final_assessment_completed": facts.final_assessment_completed,
            "post_survey_completed": facts.post_survey_completed,
        },
        "student_metadata": {
            "age": _number(facts.student.age if facts.student else None),
            "grade": _number(facts.student.grade if facts.student else None),
            "richmond_resident": facts.student.richmond_resident if facts.student else None,
            "prior_knowledge_score": measure(facts.prior_knowledge),
        },
        "metadata": {
            "created_at": keys.timestamp(facts.created_at),
            "updated_at": keys.timestamp(facts.updated_at),
            "version": Decimal(FORM_VERSION),
            "data_quality_flags": facts.quality_flags,
        },
    }


def reading_session(facts: SessionFacts) -> Built:
    """The session metadata of requirement 000, for every speaking activity.

    `ClientId` is the device as the session knows it, never a network address. `TTL` (seconds since 1970) is when the
    school's retention ends.
    """
    key = READING_SESSION.key(facts.id)
    who = keys.student(facts.student.id) if facts.student else keys.client(_device(facts))
    sort = keys.date_and_moment(facts.moment)
    return {
        "PK": key.pk,
        "SK": key.sk,
        "GSI1PK": "SESSION",
        "GSI1SK": sort,
        "GSI2PK": who,
        "GSI2SK": sort,
        "Type": "SESSION",
        "Activity": facts.activity,
        "ClientId": _device(facts),
        "StudentId": str(facts.student.id) if facts.student else None,
        "StartTime": keys.fraction(facts.moment),
        "EndTime": keys.fraction(facts.ended_at) if facts.ended_at else None,
        "Metrics": {
            "TotalWords": _number(facts.words),
            "ReadingSpeedWpm": measure(facts.wpm),
            "AverageConfidence": measure(facts.confidence, 4),
        },
        "TTL": Decimal(int((facts.ended_at or facts.moment).timestamp() + facts.retention.total_seconds())),
    }


def _device(facts: SessionFacts) -> str:
    """A device's own id where it has told one; else the session stands for it, since a key holds no free text."""
    try:
        return str(UUID(facts.device))
    except ValueError:
        return str(facts.id)


def measure(value: float | Decimal | None, places: int = 2) -> Decimal | None:
    """A measured number as DynamoDB holds it; what is undefined stays null.

    >>> measure(41.666666666666664), measure(600.0), measure(Decimal("4.50"), 1), measure(None)
    (Decimal('41.67'), Decimal('600'), Decimal('4.5'), None)
    """
    if value is None:
        return None
    rounded = round(Decimal(value), places)
    whole = rounded.to_integral_value()
    return whole if rounded == whole else rounded.normalize()


def _number(value: int | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _seconds(span: timedelta | None) -> Decimal | None:
    return None if span is None else Decimal(round(span.total_seconds()))


def moment_or_null(moment: datetime | None) -> str | None:
    return None if moment is None else keys.timestamp(moment)


def _midnight(day: date | None) -> str | None:
    return None if day is None else keys.timestamp(datetime(day.year, day.month, day.day, tzinfo=UTC))
