"""The newest state in Postgres of what is mirrored: a few queries for any number of entities, and never a name.

Each loader takes ids and returns the items of those that are to be mirrored now. An id that it leaves out has none:
the row is gone, belongs to the other table, or is simulated (only the sample school's simulated data is mirrored).
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum

from analytics_app.mirror import items
from sessions_app.models import (
    Assessment,
    AssessmentForm,
    Consent,
    ConsentState,
    Intervention,
    LiveSession,
    LocationVerification,
    QualityFlag,
    Student,
    StudentSession,
)

Items = Mapping[UUID, Sequence[items.Built]]

_REAL = Q(is_simulated=False) | Q(school__is_sample=True)
_SOCRATIC = Q(session__activity=LiveSession.Activity.SOCRATIC)

_SESSION_COLUMNS = {
    "activity": F("session__activity"),
    "room": F("session__room"),
    "site": F("location_verification__site_name"),
    "outcome": F("location_verification__outcome"),
    "prior_score": F("prior_knowledge__score"),
    "content_ended_at": F("content_delivery__ended_at"),
    "content_seconds": F("content_delivery__play_seconds"),
    "survey": F("survey_response"),
    "class_started_at": F("session__started_at"),
    "class_ended_at": F("session__ended_at"),
    "end_reason": F("session__end_reason"),
    "class_updated_at": F("session__updated_at"),
    "age": F("student__age"),
    "grade": F("student__grade"),
    "richmond_resident": F("student__richmond_resident"),
    "code": F("condition__code"),
    "location": F("condition__location"),
    "interval_minutes": F("condition__interval_minutes"),
    "intervention_type": F("condition__intervention_type"),
    "retention_days": F("school__retention_days"),
    "words": F("summary__words"),
    "wpm": F("summary__wpm"),
    "confidence": F("summary__confidence"),
}


def profile_ids() -> QuerySet[Student]:
    return Student.objects.filter(_REAL)


def session_ids() -> QuerySet[StudentSession]:
    return StudentSession.objects.filter(_REAL & _SOCRATIC)


def reading_session_ids() -> QuerySet[StudentSession]:
    return StudentSession.objects.filter(_REAL & ~_SOCRATIC)


def sessions(ids: Collection[UUID]) -> Items:
    """The items of students' sessions of studies."""
    return {facts.id: [items.session(facts)] for facts in _session_facts(session_ids().filter(pk__in=ids))}


def reading_sessions(ids: Collection[UUID]) -> Items:
    """The items of students' speaking sessions."""
    found = _session_facts(reading_session_ids().filter(pk__in=ids))
    return {facts.id: [items.reading_session(facts)] for facts in found}


def profiles(ids: Collection[UUID]) -> Items:
    """The items of students."""
    consents = _consents(ids)
    taken = defaultdict[UUID, list[items.SessionFacts]](list)
    for facts in _session_facts(session_ids().filter(student__in=ids)):
        assert facts.student is not None
        taken[facts.student.id].append(facts)
    columns = (
        "id", "age", "grade", "richmond_resident", "depth_preference", "learning_style", "prior_knowledge_topics",
        "created_at", "updated_at",
    )  # fmt: skip
    return {
        pk: [
            items.student_profile(
                items.ProfileFacts(
                    school=school,
                    parent_consent=consents[pk].guardian,
                    student_assent=consents[pk].student,
                    irb_consent_date=consents[pk].irb_date,
                    data_sharing_consent=consents[pk].data_sharing,
                    sessions=taken[pk],
                    **dict(zip(columns, (pk, *row), strict=True)),
                )
            )
        ]
        for school, pk, *row in profile_ids().filter(pk__in=ids).values_list("school__name", *columns)
    }


@dataclass(slots=True)
class _Consents:
    """What is decided for one student: by whom about taking part, under which approval, and about sharing."""

    guardian: bool | None = None
    student: bool | None = None
    irb_date: date | None = None
    data_sharing: bool | None = None


def _consents(ids: Collection[UUID]) -> Mapping[UUID, _Consents]:
    """The latest decisions of guardian and student about taking part, and the latest date of an ethics approval."""
    found = defaultdict[UUID, _Consents](_Consents)
    decisions = Consent.objects.filter(student__in=ids, purpose=Consent.Purpose.PARTICIPATION).order_by("id")
    for student, given_by, decision, irb_date in decisions.values_list("student", "given_by", "decision", "irb_date"):
        granted = decision == Consent.Decision.GRANTED
        if given_by == Consent.Giver.GUARDIAN:
            found[student].guardian = granted
        elif given_by == Consent.Giver.STUDENT:
            found[student].student = granted
        found[student].irb_date = irb_date or found[student].irb_date
    sharing = ConsentState.objects.filter(student__in=ids, purpose=Consent.Purpose.DATA_SHARING)
    for student, granted in sharing.values_list("student", "granted"):
        found[student].data_sharing = granted
    return found


def _session_facts(sessions: QuerySet[StudentSession]) -> Iterator[items.SessionFacts]:
    rows: list[Any] = list(
        sessions.values(
            "id", "student_id", "condition_id", "condition_randomised", "device", "joined_at", "left_at", "removed_at",
            "is_simulated", "created_at", "updated_at", **_SESSION_COLUMNS,
        ).order_by("id")
    )  # fmt: skip
    steps = _steps([row["id"] for row in rows])
    return (_facts(row, steps[row["id"]]) for row in rows)


@dataclass(slots=True)
class _Steps:
    """What there is several of in a session: assessments by kind, interventions, flags."""

    assessed: set[str] = field(default_factory=set)
    assessment_seconds: float | None = None
    interventions: int = 0
    intervention_seconds: float | None = None
    flags: list[str] = field(default_factory=list)


def _steps(ids: Collection[UUID]) -> Mapping[UUID, _Steps]:
    found = defaultdict[UUID, _Steps](_Steps)
    submitted = Assessment.objects.filter(student_session__in=ids, submitted_at__isnull=False).order_by()
    for session, kind, seconds in submitted.values_list("student_session", "kind", "duration_seconds"):
        found[session].assessed.add(kind)
        found[session].assessment_seconds = (found[session].assessment_seconds or 0.0) + (seconds or 0.0)
    validated = Intervention.objects.filter(student_session__in=ids, status=Intervention.Status.VALIDATED).order_by()
    counted = validated.values("student_session").annotate(n=Count("pk"), seconds=Sum("duration_seconds"))
    for session, n, seconds in counted.values_list("student_session", "n", "seconds"):
        found[session].interventions, found[session].intervention_seconds = n, seconds
    flags = QualityFlag.objects.filter(student_session__in=ids).order_by("code").values_list("student_session", "code")
    for session, code in flags.distinct():
        found[session].flags.append(code)
    return found


def _facts(row: dict[str, Any], steps: _Steps) -> items.SessionFacts:
    return items.SessionFacts(
        id=row["id"],
        activity=row["activity"],
        student=row["student_id"]
        and items.StudentFacts(
            id=row["student_id"], age=row["age"], grade=row["grade"], richmond_resident=row["richmond_resident"]
        ),
        condition=row["condition_id"]
        and items.ConditionFacts(
            code=row["code"],
            location=row["location"],
            interval_minutes=row["interval_minutes"],
            intervention_type=row["intervention_type"],
        ),
        condition_randomised=row["condition_randomised"],
        place=row["site"] or row["room"],
        device=row["device"],
        joined_at=row["joined_at"],
        class_started_at=row["class_started_at"],
        class_ended_at=row["class_ended_at"],
        gone_at=min((at for at in (row["left_at"], row["removed_at"]) if at), default=None),
        taken_out=row["removed_at"] is not None,
        end_reason=row["end_reason"],
        simulated=row["is_simulated"],
        retention=timedelta(days=row["retention_days"]),
        words=row["words"],
        wpm=row["wpm"],
        confidence=row["confidence"],
        created_at=row["created_at"],
        updated_at=max(row["updated_at"], row["class_updated_at"]),
        location_verified=row["outcome"] == LocationVerification.Outcome.VERIFIED,
        baseline_completed=AssessmentForm.Kind.BASELINE in steps.assessed,
        content_completed=row["content_ended_at"] is not None,
        interventions_completed=steps.interventions,
        final_assessment_completed=AssessmentForm.Kind.FINAL in steps.assessed,
        post_survey_completed=row["survey"] is not None,
        content_seconds=row["content_seconds"],
        intervention_seconds=steps.intervention_seconds,
        assessment_seconds=steps.assessment_seconds,
        prior_knowledge=row["prior_score"],
        flags=steps.flags,
    )
