"""The newest state in Postgres of the records of runs, for `records` to make items of. See `source`.

The entity is the student's session, whatever it has of a kind; only validated interventions and submitted assessments
are mirrored.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from analytics_app.mirror import items, records
from analytics_app.mirror.source import Items, session_ids
from analytics_app.models.mirror import ItemKind
from sessions_app.models import (
    Assessment,
    AssessmentForm,
    ContentDelivery,
    ExchangeScore,
    Intervention,
    LocationVerification,
    StudentSession,
    SurveyResponse,
)


def verified_ids() -> QuerySet[StudentSession]:
    return _sessions_with(LocationVerification.objects.all())


def delivered_ids() -> QuerySet[StudentSession]:
    return _sessions_with(ContentDelivery.objects.all())


def intervened_ids() -> QuerySet[StudentSession]:
    return _sessions_with(_validated())


def assessed_ids() -> QuerySet[StudentSession]:
    return _sessions_with(_submitted())


def surveyed_ids() -> QuerySet[StudentSession]:
    return _sessions_with(SurveyResponse.objects.all())


def verifications(ids: Collection[UUID]) -> Items:
    found = LocationVerification.objects.filter(student_session__in=_mirrored(ids)).select_related("student_session")
    return {record.student_session_id: [records.location_verification(record)] for record in found}


def beside_verifications(ids: Collection[UUID]) -> Mapping[UUID, Collection[tuple[ItemKind, UUID]]]:
    """What is written with a verification: its session, and the profile of its student."""
    found = _mirrored(ids).filter(location_verification__isnull=False).values_list("pk", "student")
    return {
        session: [(ItemKind.SESSION, session), *([(ItemKind.STUDENT_PROFILE, student)] if student else [])]
        for session, student in found
    }


def deliveries(ids: Collection[UUID]) -> Items:
    found = (
        ContentDelivery.objects.filter(student_session__in=_mirrored(ids))
        .select_related("student_session", "content")
        .prefetch_related("content__segments", "segments")
    )
    return {record.student_session_id: [records.content_delivery(record)] for record in found}


def interventions(ids: Collection[UUID]) -> Items:
    found = (
        _validated()
        .filter(student_session__in=_mirrored(ids))
        .select_related("student_session", "segment")
        .prefetch_related("exchanges", Prefetch("exchanges__scores", ExchangeScore.objects.order_by("id")))
        .order_by("student_session", "number")
    )
    return _by_session((record.student_session_id, records.intervention(record)) for record in found)


def assessments(ids: Collection[UUID]) -> Items:
    found = list(
        _submitted()
        .filter(student_session__in=_mirrored(ids))
        .select_related("student_session")
        .prefetch_related("answers", "form__items")
        .order_by("student_session", "kind")
    )
    baseline = AssessmentForm.Kind.BASELINE
    before = {record.student_session_id: record.score_percentage for record in found if record.kind == baseline}
    return _by_session(
        (
            record.student_session_id,
            records.assessment(
                record, baseline_score=before.get(record.student_session_id), items=list(record.form.items.all())
            ),
        )
        for record in found
    )


def surveys(ids: Collection[UUID]) -> Items:
    found = SurveyResponse.objects.filter(student_session__in=_mirrored(ids)).select_related(
        "student_session", "survey"
    )
    return {record.student_session_id: [records.post_survey(record)] for record in found}


def _validated() -> QuerySet[Intervention]:
    return Intervention.objects.filter(status=Intervention.Status.VALIDATED)


def _submitted() -> QuerySet[Assessment]:
    return Assessment.objects.filter(submitted_at__isnull=False)


def _sessions_with(rows: QuerySet[Any]) -> QuerySet[StudentSession]:
    return session_ids().filter(Exists(rows.filter(student_session=OuterRef("pk"))))


def _mirrored(ids: Collection[UUID]) -> QuerySet[StudentSession]:
    return session_ids().filter(pk__in=ids)


def _by_session(built: Iterable[tuple[UUID, items.Built]]) -> Items:
    found = defaultdict[UUID, list[items.Built]](list)
    for session, item in built:
        found[session].append(item)
    return found
