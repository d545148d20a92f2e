"""Static against dynamic interventions, as requirement 002's second example compares them, on items of DynamoDB. Pure.

The example adds Decimals to floats and meets sessions among the interventions of an index; here numbers are floats,
sessions are passed over, a score that was not given counts nowhere, and what is undefined is None.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import sqrt
from statistics import fmean
from typing import Any, Final

INTERVENTION: Final = "intervention"
_AVERAGED: Final[Mapping[str, str]] = {
    "avg_question_quality": "avg_question_quality",
    "avg_answer_depth": "avg_answer_depth",
    "avg_response_time": "avg_response_time_seconds",
}
"""What is told, and the attribute of an intervention's summary of which it is the mean."""


def intervention_quality(items_of: Callable[[str], Iterable[Mapping[str, Any]]]) -> dict[str, Any]:
    """The comparison; `items_of` gives the items of `static` and of `dynamic` interventions.

    `n` counts interventions with a depth; `effect_size_cohens_d` is (dynamic − static) / pooled standard deviation of
    the interventions' depths.
    """
    found = {kind: _summaries(items_of(kind)) for kind in ("dynamic", "static")}
    depths = {kind: _values(summaries, "avg_answer_depth") for kind, summaries in found.items()}
    told: dict[str, Any] = {
        kind: {
            **{name: _mean(_values(summaries, of)) for name, of in _AVERAGED.items() if _is_told(kind, name)},
            "n": len(depths[kind]),
        }
        for kind, summaries in found.items()
    }
    return {**told, "effect_size_cohens_d": _cohens_d(depths["dynamic"], depths["static"])}


def _is_told(kind: str, name: str) -> bool:
    """The questions of a set are everybody's, so their quality is not compared."""
    return kind == "dynamic" or name != "avg_question_quality"


def _summaries(items: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [item["intervention_summary"] for item in items if item["entity_type"] == INTERVENTION]


def _values(summaries: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    return [float(each[name]) for each in summaries if each.get(name) is not None]


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _cohens_d(first: Sequence[float], second: Sequence[float]) -> float | None:
    if min(len(first), len(second)) < 1 or len(first) + len(second) < 3:
        return None
    means = fmean(first), fmean(second)
    squares = sum((x - mean) ** 2 for values, mean in zip((first, second), means, strict=True) for x in values)
    spread = sqrt(squares / (len(first) + len(second) - 2))
    return (means[0] - means[1]) / spread if spread else None
