"""The items that track qualitative analyses, attribute for attribute as requirement 004 gives them.

`updated_at` is the newest of the run's own times and its steps', so that an item changes only where it says something
else. A run over simulated texts is tracked like any other: its monitor is real.
"""

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from analytics_app.mirror import keys
from analytics_app.mirror.items import Built
from analytics_app.mirror.source import Items
from analytics_app.models.analysis import REQUEST_PREFIX, Analysis, AnalysisStep

ANALYSIS: Final = keys.Request(keys.TRACKING, REQUEST_PREFIX)


def analysis_ids() -> QuerySet[Analysis]:
    return Analysis.objects.all()


def analyses(ids: Collection[UUID]) -> Items:
    """The items of runs."""
    found = Analysis.objects.filter(pk__in=ids).select_related("corpus").prefetch_related("steps")
    return {analysis.pk: [analysis_item(analysis)] for analysis in found}


def analysis_item(analysis: Analysis) -> Built:
    """What a monitor sees of a run; the API answers the same. `steps` should be prefetched."""
    steps = sorted(analysis.steps.all(), key=lambda step: step.number)
    moments = [analysis.created_at, analysis.started_at, analysis.completed_at]
    moments += [moment for step in steps for moment in (step.started_at, step.completed_at)]
    return {
        "request_id": analysis.request_id,
        "research_data": analysis.corpus.location,
        "analysis_result": {
            "result_data": analysis.result_location,
            "steps_status": {step.name: _step(step) for step in steps},
        },
        "created_at": keys.timestamp(analysis.created_at),
        "updated_at": keys.timestamp(max(moment for moment in moments if moment)),
        "overall_status": analysis.overall_status,
    }


def _step(step: AnalysisStep) -> dict[str, Any]:
    return {
        "status": step.status,
        "message": step.message,
        "started_at": keys.timestamp(step.started_at) if step.started_at else None,
        "completed_at": keys.timestamp(step.completed_at) if step.completed_at else None,
    }
