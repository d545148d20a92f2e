"""Runs of the analysis: asking for one, stopping it, trying it again, and who may see it. The work is the worker's."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from analytics_app.models import Analysis, AnalysisStep
from analytics_app.qualitative import results
from analytics_app.qualitative.findings import Step
from sessions_app import access, bedrock
from sessions_app.models import Corpus, User
from sessions_app.refusals import Refused

TASK: Final = "run_analysis"
CANCELLED: Final = "Cancelled."
FORGOTTEN_AFTER: Final = timedelta(minutes=1)

WAITING: Final = {
    Step.CHUNKING: "Waiting to start",
    Step.INFERRING: "Waiting for chunking to complete",
    Step.RELATING: "Waiting for inference to complete",
    Step.EXPLAINING: "Waiting for pattern analysis to complete",
    Step.ACTIVATING: "Waiting for explanation to complete",
}

Status = Analysis.Status


def analyses(user: access.AnyUser) -> QuerySet[Analysis]:
    """The runs that a researcher may see: their own, and those of the studies that they were granted."""
    return Analysis.objects.filter(corpus__in=access.corpora(user))


def analysis_of(user: User, analysis_id: UUID, *, action: str = "") -> Analysis:
    """One run with its corpus and steps, or `Hidden`; the reading of its words is logged as `action`."""
    found = analyses(user).select_related("corpus__owner", "corpus__study").prefetch_related("steps")
    analysis = found.filter(pk=analysis_id).first()
    if analysis is None:
        raise access.Hidden
    if action:
        access.log_reading(user, action=action, about=analysis)
    return analysis


def analysis_create(
    corpus: Corpus, *, engine: str = Analysis.Engine.OFFLINE, seed: int = 1, defer: bool = True
) -> Analysis:
    """Ask for a run over a corpus; without `defer` whoever asks carries it out.

    Refuses `no_model` where the language model is wanted and there is none.
    """
    if engine == Analysis.Engine.BEDROCK and not bedrock.is_configured():
        raise Refused("no_model")
    with transaction.atomic():
        analysis = Analysis.objects.create(corpus=corpus, engine=engine, seed=seed)
        AnalysisStep.objects.bulk_create(
            AnalysisStep(analysis=analysis, number=number, name=step.value, message=WAITING[step])
            for number, step in enumerate(Step, 1)
        )
        if defer:
            analysis_defer(analysis.pk)
    return analysis


def analysis_defer(analysis_id: UUID) -> None:
    """Put a run into the worker's queue; once is enough.

    Without a lock of the queue's, which a worker that was killed would hold for ever: the run's lease keeps others
    away.
    """
    job = app.configure_task(TASK, queueing_lock=f"{TASK}:{analysis_id}")
    try:
        with transaction.atomic():
            job.defer(analysis_id=str(analysis_id))
    except AlreadyEnqueued:
        return


def analysis_cancel(analysis: Analysis) -> None:
    """Stop a run. Its status is then `failed`, with that reason, so that whoever monitors it comes to an end."""
    with transaction.atomic():
        now = timezone.now()
        stopped = Analysis.objects.filter(pk=analysis.pk, overall_status__in=(Status.PENDING, Status.PROCESSING))
        if not stopped.update(
            overall_status=Status.FAILED,
            failure=CANCELLED,
            cancelled_at=now,
            failure_seen_at=now,
            completed_at=now,
            updated_at=now,
            held_by=None,
            held_until=None,
        ):
            raise Refused("analysis_over")
        steps = AnalysisStep.objects.filter(analysis=analysis).exclude(status=Status.COMPLETED)
        at = steps.order_by("number").values("pk")[:1]
        AnalysisStep.objects.filter(pk__in=at).update(status=Status.FAILED, message=CANCELLED)


def analysis_retry(analysis: Analysis) -> None:
    """Go on with a run that failed or was cancelled, at the step at which it did."""
    with transaction.atomic():
        failed = Analysis.objects.filter(pk=analysis.pk, overall_status=Status.FAILED)
        if not failed.update(
            overall_status=Status.PENDING,
            failure="",
            cancelled_at=None,
            failure_seen_at=None,
            completed_at=None,
            updated_at=timezone.now(),
        ):
            raise Refused("analysis_not_failed")
        reset_steps(AnalysisStep.objects.filter(analysis=analysis).exclude(status=Status.COMPLETED))
        analysis_defer(analysis.pk)


def analysis_again(analysis: Analysis) -> None:
    """Throw the result away and make it again of the texts that are left: one of them was deleted."""
    results.delete_results(analysis.pk)
    with transaction.atomic():
        Analysis.objects.filter(pk=analysis.pk).update(
            overall_status=Status.PENDING,
            failure="",
            cancelled_at=None,
            outdated_at=None,
            result_location="",
            completed_at=None,
            held_by=None,
            held_until=None,
            updated_at=timezone.now(),
        )
        reset_steps(AnalysisStep.objects.filter(analysis=analysis))
        analysis_defer(analysis.pk)


def analysis_delete(analysis: Analysis) -> None:
    """Delete a run with its result; the texts go with the last run over them, unless somebody coded them."""
    results.delete_results(analysis.pk)
    with transaction.atomic():
        corpus = analysis.corpus
        Analysis.objects.filter(pk=analysis.pk).delete()
        if not corpus.analyses.exists() and not corpus.codes.exists():
            corpus.delete()


def failure_seen(analysis: Analysis) -> None:
    """The owner has looked at the failure."""
    Analysis.objects.filter(pk=analysis.pk, overall_status=Status.FAILED, failure_seen_at=None).update(
        failure_seen_at=timezone.now()
    )


def unseen_failures(user: User) -> QuerySet[Analysis]:
    """A user's own runs that failed and that they have not looked at since."""
    return analyses(user).filter(corpus__owner=user, overall_status=Status.FAILED, failure_seen_at=None)


def resume_forgotten() -> int:
    """Put runs into the queue again whose worker is gone, and make those again of which a text was deleted."""
    now = timezone.now()
    forgotten = Analysis.objects.filter(overall_status__in=(Status.PENDING, Status.PROCESSING)).filter(
        Q(held_until__lt=now) | Q(held_until=None, updated_at__lt=now - FORGOTTEN_AFTER)
    )
    count = 0
    for pk in forgotten.values_list("pk", flat=True):
        analysis_defer(pk)
        count += 1
    return count + make_outdated_again()


def make_outdated_again() -> int:
    """Make every result again in which a text stands that was deleted; how many those are."""
    outdated = list(Analysis.objects.filter(outdated_at__isnull=False))
    for analysis in outdated:
        analysis_again(analysis)
    return len(outdated)


def reset_steps(steps: QuerySet[AnalysisStep]) -> None:
    for step in steps:
        AnalysisStep.objects.filter(pk=step.pk).update(
            status=Status.PENDING,
            message=WAITING[Step(step.name)],
            started_at=None,
            completed_at=None,
            done=0,
            parts=0,
            attempts=F("attempts"),
        )
