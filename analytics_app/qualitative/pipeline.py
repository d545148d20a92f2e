"""Carry out a run: five steps, each kept when it is done, so that a run goes on where it stopped.

One worker holds a run at a time, by a lease (`progress`). Whoever finds that the lease is no longer theirs, or that the
run was cancelled, stops at once. Between steps everything lies in the storage, so that nothing but the step itself is
lost when a worker dies.
"""

import logging
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from analytics_app.mirror.objects import ObjectError
from analytics_app.models import Analysis, AnalysisStep
from analytics_app.qualitative import results
from analytics_app.qualitative.alerts import alert_owner
from analytics_app.qualitative.engines import Analyst, LanguageModel, Spent, WordStatistics
from analytics_app.qualitative.findings import Cost, Findings, NothingFound, Source, Step
from analytics_app.qualitative.progress import LEASE, Heard, Progress, Stopped, keep_lease
from analytics_app.qualitative.text import WORD
from sessions_app.bedrock import ModelFailed
from sessions_app.models import Corpus, School

log = logging.getLogger(__name__)

OUR_ERROR: Final = "An error of ours: it is in the log of the worker."
Status = Analysis.Status


def run(analysis_id: uuid.UUID, *, heard: Heard = lambda *_: None) -> Analysis | None:
    """Carry out what is left of a run; None where another worker holds it, or it is over. `heard` gets the progress."""
    holder = uuid.uuid4()
    if not _claim(analysis_id, holder):
        return None
    analysis = Analysis.objects.select_related("corpus__study", "corpus__owner").get(pk=analysis_id)
    sources = sources_of(analysis.corpus)
    try:
        _Run(analysis, holder, heard, sources, _analyst(analysis, sources)).carry_out()
    except Stopped:
        log.info("%s has stopped", analysis.request_id)
    return Analysis.objects.select_related("corpus").filter(pk=analysis_id).first()


def sources_of(corpus: Corpus) -> list[Source]:
    """The texts of a corpus as sources: `s1` is the first."""
    texts = corpus.texts.order_by("number").values_list("number", "name", "text")
    return [Source(f"s{number}", name, text, len(WORD.findall(text))) for number, name, text in texts]


def _claim(analysis_id: uuid.UUID, holder: uuid.UUID) -> bool:
    now = timezone.now()
    free = Analysis.objects.filter(
        Q(held_until=None) | Q(held_until__lt=now),
        pk=analysis_id,
        overall_status__in=(Status.PENDING, Status.PROCESSING),
    )
    return bool(
        free.update(
            overall_status=Status.PROCESSING,
            held_by=holder,
            held_until=now + LEASE,
            started_at=Coalesce("started_at", now),
            updated_at=now,
        )
    )


def _analyst(analysis: Analysis, sources: Sequence[Source]) -> Analyst:
    words = WordStatistics(sources, seed=analysis.seed)
    if analysis.engine == Analysis.Engine.OFFLINE:
        return words
    study = analysis.corpus.study
    schools = list(School.objects.filter(studies=study).values_list("pk", flat=True)[:2]) if study else []
    return LanguageModel(
        words,
        settings.BEDROCK_MODEL_ID,
        school_id=schools[0] if len(schools) == 1 else None,
        inferred=results.load_partial(analysis.request_id),
    )


@dataclass
class _Run:
    """A run that this worker holds."""

    analysis: Analysis
    holder: uuid.UUID
    heard: Heard
    sources: Sequence[Source]
    analyst: Analyst
    outputs: dict[Step, Any] = field(default_factory=dict)

    def carry_out(self) -> None:
        request_id = self.analysis.request_id
        for row in self.analysis.steps.order_by("number"):
            step = Step(row.name)
            if row.status == Status.COMPLETED:
                try:
                    self.outputs[step] = results.load_step(request_id, step)
                    continue
                except FileNotFoundError:
                    log.warning("what the step %s of %s left is gone: it is done again", step, request_id)
            with self._failing_well(row):
                with Progress(row, holder=self.holder, heard=self.heard) as tell:
                    self.outputs[step] = self._do(step, tell)
                results.save_step(request_id, step, self.outputs[step])
                self._book()
                if step is Step.ACTIVATING:
                    results.save_result(self._findings())
                self._complete(row)
        self._finish()

    def _do(self, step: Step, tell: Progress) -> Any:
        found = self.outputs
        match step:
            case Step.CHUNKING:
                if not self.sources:
                    raise NothingFound("No texts are left to be analysed.")
                return self.analyst.chunk(self.sources, tell=tell)
            case Step.INFERRING:
                return self.analyst.infer(found[Step.CHUNKING], tell=tell)
            case Step.RELATING:
                return self.analyst.relate(found[Step.CHUNKING], found[Step.INFERRING], tell=tell)
            case Step.EXPLAINING:
                patterns = found[Step.RELATING].patterns
                return self.analyst.explain(found[Step.CHUNKING], found[Step.INFERRING], patterns, tell=tell)
            case Step.ACTIVATING:
                return self.analyst.activate(found[Step.EXPLAINING], found[Step.RELATING].patterns, tell=tell)

    @contextmanager
    def _failing_well(self, row: AnalysisStep) -> Iterator[None]:
        """A step that fails says why, keeps what the model has answered, and lets the owner know."""
        try:
            yield
        except (NothingFound, ModelFailed, ObjectError) as error:
            self._fail(row, str(error))
            raise Stopped from None
        except Stopped:
            raise
        except Exception:
            self._fail(row, OUR_ERROR)
            raise

    def _complete(self, row: AnalysisStep) -> None:
        with transaction.atomic():
            keep_lease(self.analysis.pk, self.holder)
            step = Step(row.name)
            AnalysisStep.objects.filter(pk=row.pk).update(
                status=Status.COMPLETED,
                message=_said(step, self.outputs[step]),
                completed_at=timezone.now(),
                done=F("parts"),
            )

    def _finish(self) -> None:
        with transaction.atomic():
            keep_lease(self.analysis.pk, self.holder)
            self._end(
                overall_status=Status.COMPLETED,
                result_location=results.location_of(self.analysis.request_id),
                model=self.analyst.described.model or "",
            )

    def _fail(self, row: AnalysisStep, reason: str) -> None:
        if isinstance(self.analyst, LanguageModel) and self.analyst.inferred and row.name == Step.INFERRING:
            results.save_partial(self.analysis.request_id, self.analyst.inferred)
        self._book()
        with transaction.atomic():
            keep_lease(self.analysis.pk, self.holder)
            AnalysisStep.objects.filter(pk=row.pk).update(status=Status.FAILED, message=reason[:500], completed_at=None)
            self._end(overall_status=Status.FAILED, failure=f"{row.get_name_display()}: {reason}"[:500])
        self.analysis.refresh_from_db()
        alert_owner(self.analysis)

    def _end(self, **values: Any) -> None:
        now = timezone.now()
        Analysis.objects.filter(pk=self.analysis.pk).update(
            **values, completed_at=now, updated_at=now, held_by=None, held_until=None
        )

    def _book(self) -> None:
        """Add what the model has taken since the last time."""
        if not isinstance(self.analyst, LanguageModel):
            return
        spent, self.analyst.spent = self.analyst.spent, Spent()
        booked: dict[str, Any] = {
            "model_requests": F("model_requests") + spent.requests,
            "prompt_tokens": F("prompt_tokens") + spent.prompt_tokens,
            "completion_tokens": F("completion_tokens") + spent.completion_tokens,
        }
        if spent.usd is not None:
            money = Analysis._meta.get_field("cost_usd")
            booked["cost_usd"] = Coalesce("cost_usd", 0, output_field=money) + spent.usd
        Analysis.objects.filter(pk=self.analysis.pk).update(**booked)

    def _findings(self) -> Findings:
        cost = None
        if isinstance(self.analyst, LanguageModel):
            booked = Analysis.objects.get(pk=self.analysis.pk)
            cost = Cost(
                booked.model_requests,
                booked.prompt_tokens,
                booked.completion_tokens,
                None if booked.cost_usd is None else float(booked.cost_usd),
            )
        return Findings(
            request_id=self.analysis.request_id,
            name=self.analysis.corpus.name,
            engine=self.analyst.described,
            made_at=timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            sources=list(self.sources),
            chunks=self.outputs[Step.CHUNKING],
            meanings=self.outputs[Step.INFERRING],
            patterns=self.outputs[Step.RELATING].patterns,
            insights=self.outputs[Step.EXPLAINING],
            principles=self.outputs[Step.ACTIVATING],
            choice=self.outputs[Step.RELATING].choice,
            cost=cost,
        )


def _said(step: Step, output: Any) -> str:
    match step:
        case Step.CHUNKING:
            return f"Successfully created {len(output)} chunks"
        case Step.INFERRING:
            return f"Successfully inferred {len(output)} meanings"
        case Step.RELATING:
            return f"Successfully found {len(output.patterns)} patterns"
        case Step.EXPLAINING:
            return f"Successfully generated {len(output)} insights"
        case Step.ACTIVATING:
            return f"Successfully created {len(output)} design principles"
