"""Qualitative analyses: what was asked for, how far each step is, and where the result lies.

The result itself is JSON in `STORAGES["analyses"]`. Each run is mirrored to the table `design-analysis-tracking`
(requirement 004) by the triggers below.
"""

from typing import Final
from uuid import UUID

import pgtrigger
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from analytics_app.models.marks import mark_when_changed
from analytics_app.models.mirror import ItemKind
from sessions_app.models import Corpus, CorpusText
from sessions_app.models.identity import TimeOrderedModel

REQUEST_PREFIX: Final = "analysis_"


class Analysis(TimeOrderedModel):
    """One run over a corpus. `cancelled_at` tells a run that was stopped by a person from one that failed.

    `held_by` is the worker that runs it, until `held_until`: a run whose worker is gone is taken up again by another.
    The costs are those of the language model over all attempts; USD is null where no price is known.
    `outdated_at` is set where a text was deleted after the run: its result is thrown away, and made again without it.
    `failure_seen_at` is when the owner looked at the failure.
    """

    PERSONAL = ("failure",)
    NOT_PERSONAL = (
        "corpus", "engine", "model", "seed", "overall_status", "cancelled_at", "outdated_at", "failure_seen_at",
        "result_location", "model_requests", "prompt_tokens", "completion_tokens", "cost_usd", "held_by", "held_until",
        "created_at", "updated_at", "started_at", "completed_at",
    )  # fmt: skip

    class Status(models.TextChoices):
        PENDING = "pending", _("waiting")
        PROCESSING = "processing", _("running")
        COMPLETED = "completed", _("completed")
        FAILED = "failed", _("failed")

    class Engine(models.TextChoices):
        OFFLINE = "offline", _("word statistics")
        BEDROCK = "bedrock", _("language model")

    corpus = models.ForeignKey(Corpus, verbose_name=_("texts"), on_delete=models.CASCADE, related_name="analyses")
    engine = models.CharField(_("engine"), max_length=8, choices=Engine.choices, default=Engine.OFFLINE)
    model = models.CharField(_("model"), max_length=200, blank=True)
    seed = models.PositiveIntegerField(_("seed"), default=1, validators=[MaxValueValidator(2**31 - 1)])
    overall_status = models.CharField(_("state"), max_length=10, choices=Status.choices, default=Status.PENDING)
    failure = models.CharField(_("reason of the failure"), max_length=500, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True)
    outdated_at = models.DateTimeField(_("out of date since"), null=True)
    failure_seen_at = models.DateTimeField(_("failure seen"), null=True)
    result_location = models.CharField(_("result"), max_length=1200, blank=True)
    model_requests = models.PositiveIntegerField(_("answers of the model"), default=0)
    prompt_tokens = models.PositiveIntegerField(_("tokens sent"), default=0)
    completion_tokens = models.PositiveIntegerField(_("tokens answered"), default=0)
    cost_usd = models.DecimalField(_("cost in USD"), max_digits=12, decimal_places=6, null=True)
    held_by = models.UUIDField(null=True, editable=False)
    held_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), default=timezone.now)
    started_at = models.DateTimeField(_("started"), null=True)
    completed_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("qualitative analysis")
        verbose_name_plural = _("qualitative analyses")
        indexes = [models.Index(fields=["overall_status", "held_until"], name="analysis_to_be_run")]
        constraints = [
            models.CheckConstraint(
                name="analysis_failed_has_reason",
                condition=Q(overall_status="failed") & ~Q(failure="") | ~Q(overall_status="failed") & Q(failure=""),
            ),
            models.CheckConstraint(
                name="analysis_cancelled_is_failed", condition=Q(cancelled_at=None) | Q(overall_status="failed")
            ),
            models.CheckConstraint(
                name="analysis_completed_has_result",
                condition=~Q(overall_status="completed") | (~Q(result_location="") & Q(completed_at__isnull=False)),
            ),
        ]
        triggers = mark_when_changed(
            "analysis",
            f"SELECT '{ItemKind.ANALYSIS.value}', changed.id",
            columns=("overall_status", "result_location", "created_at", "started_at", "completed_at"),
        )

    def __str__(self) -> str:
        return self.request_id

    @property
    def request_id(self) -> str:
        """The name of the run for monitors."""
        return f"{REQUEST_PREFIX}{self.pk.hex}"

    @property
    def is_over(self) -> bool:
        return self.overall_status in {self.Status.COMPLETED, self.Status.FAILED}


def id_of_request(request_id: str) -> UUID | None:
    """The key of the analysis that monitors know by `request_id`; None where it is not spelled so."""
    try:
        found = UUID(request_id.removeprefix(REQUEST_PREFIX))
    except ValueError:
        return None
    return found if request_id == f"{REQUEST_PREFIX}{found.hex}" else None


class AnalysedText(CorpusText):
    """A text without which a result is out of date: where one is deleted, the runs over its corpus are marked."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = [
            pgtrigger.Trigger(
                name="analysis_outdated",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Delete,
                referencing=pgtrigger.Referencing(old="old_rows"),
                func="""
                    UPDATE analytics_app_analysis SET outdated_at = now()
                    WHERE corpus_id IN (SELECT corpus_id FROM old_rows) AND outdated_at IS NULL;
                    RETURN NULL;
                """,
            )
        ]


class AnalysisStep(TimeOrderedModel):
    """One of the five steps of a run: its state as monitors see it, and how many of its parts are done."""

    NOT_PERSONAL = (
        "analysis", "number", "name", "status", "message", "started_at", "completed_at", "done", "parts", "attempts",
    )  # fmt: skip

    class Name(models.TextChoices):
        CHUNKING = "chunking", _("Chunking")
        INFERRING = "inferring", _("Inferring")
        RELATING = "relating", _("Relating")
        EXPLAINING = "explaining", _("Explaining")
        ACTIVATING = "activating", _("Activating")

    analysis = models.ForeignKey(Analysis, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveSmallIntegerField(_("number"))
    name = models.CharField(_("step"), max_length=10, choices=Name.choices)
    status = models.CharField(
        _("state"), max_length=10, choices=Analysis.Status.choices, default=Analysis.Status.PENDING
    )
    message = models.CharField(_("message"), max_length=500)
    started_at = models.DateTimeField(_("started"), null=True)
    completed_at = models.DateTimeField(_("completed"), null=True)
    done = models.PositiveIntegerField(_("parts done"), default=0)
    parts = models.PositiveIntegerField(_("parts"), default=0)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)

    class Meta:
        ordering = ("analysis", "number")
        verbose_name = _("step of an analysis")
        verbose_name_plural = _("steps of analyses")
        constraints = [
            models.UniqueConstraint(fields=["analysis", "name"], name="analysis_step_once"),
            models.UniqueConstraint(fields=["analysis", "number"], name="analysis_step_number"),
            models.CheckConstraint(
                name="analysis_step_times",
                condition=Q(status="pending", started_at=None, completed_at=None)
                | Q(status="processing", started_at__isnull=False, completed_at=None)
                | Q(status="completed", started_at__isnull=False, completed_at__gte=F("started_at"))
                | Q(status="failed", completed_at=None),
            ),
            models.CheckConstraint(name="analysis_step_progress", condition=Q(done__lte=F("parts"))),
        ]
        triggers = mark_when_changed(
            "analysis",
            f"SELECT '{ItemKind.ANALYSIS.value}', changed.analysis_id",
            columns=("analysis_id", "status", "message", "started_at", "completed_at"),
        )

    def __str__(self) -> str:
        return f"{self.name}: {self.status}"
