"""The sample flow: how far each run of a study came. The one definition that reports, pages and the mirror count by.

assigned ≥ started ≥ baseline done ≥ …: `analysed` is a run with baseline, content and final done whose place rule is
met: on site the place must be verified. A drop-out was assigned and is not analysed, in a session that is over or that
the student left.
"""

from django.db.models import BooleanField, Case, Exists, ExpressionWrapper, OuterRef, Q, QuerySet, Value, When

from sessions_app.models import (
    Assessment,
    ContentDelivery,
    Intervention,
    LocationVerification,
    PriorKnowledge,
    StudentSession,
    SurveyResponse,
)

STAGES = (
    "assigned", "begun", "baseline_done", "content_done", "final_done", "survey_done", "place_met", "analysed", "over",
    "dropped_out",
)  # fmt: skip


def with_flow(runs: QuerySet[StudentSession]) -> QuerySet[StudentSession]:
    """The runs, each with the stages of `STAGES` as true or false."""
    handed_in = Assessment.objects.filter(student_session=OuterRef("pk"), submitted_at__isnull=False)
    verified = LocationVerification.objects.filter(
        student_session=OuterRef("pk"), outcome=LocationVerification.Outcome.VERIFIED
    )
    staged = runs.annotate(
        assigned=_is(Q(assignment__isnull=False)),
        begun=Exists(PriorKnowledge.objects.filter(student_session=OuterRef("pk"))),
        baseline_done=Exists(handed_in.filter(kind="baseline")),
        content_done=Exists(ContentDelivery.objects.filter(student_session=OuterRef("pk"), ended_at__isnull=False)),
        final_done=Exists(handed_in.filter(kind="final")),
        survey_done=Exists(SurveyResponse.objects.filter(student_session=OuterRef("pk"))),
        place_met=Case(
            When(assignment__location="on-site", then=Exists(verified)),
            default=Value(value=True),
            output_field=BooleanField(),
        ),
        over=_is(Q(session__status="ended") | Q(left_at__isnull=False) | Q(removed_at__isnull=False)),
    )
    return staged.annotate(
        analysed=_is(Q(assigned=True, baseline_done=True, content_done=True, final_done=True, place_met=True)),
    ).annotate(dropped_out=_is(Q(assigned=True, analysed=False, over=True)))


def interventions_done(runs: QuerySet[StudentSession]) -> QuerySet[Intervention]:
    """The validated interventions of some runs: those that are mirrored and counted."""
    return Intervention.objects.filter(student_session__in=runs, status=Intervention.Status.VALIDATED)


def _is(condition: Q) -> "ExpressionWrapper[Q]":
    return ExpressionWrapper(condition, output_field=BooleanField())
