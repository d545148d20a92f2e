"""A condition's statistics with the attributes of entity 8 of requirement 002: of reports, and of the mirror. Pure.

Scores and gains are of all runs with both assessments; `analysed`, beside them, is of those that count as analysed.
`effect_size_cohens_d` is d_av. What is undefined or suppressed is null, and `undefined` says why, by path.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from analytics_app.reports import statistics
from analytics_app.reports.rows import averaged, students_told
from analytics_app.reports.statistics import Estimate, Reason, Sample, missing
from analytics_app.reports.summaries import Outcomes, Spread, Summary, plain

VERSION: Final = "v1.0"
PLACES: Final = 4


@dataclass(frozen=True, slots=True)
class Cell:
    """A condition of the design."""

    code: str
    location: str
    interval: Decimal
    arm: str


def statistics_told(
    cell: Cell,
    found: Summary | None,
    *,
    start: date | None,
    end: date | None,
    as_of: datetime,
    hidden: bool = False,
    threshold: int = 1,
) -> dict[str, Any]:
    """Entity 8 without its keys. `found` None: there was no run."""
    figures = figures_told(cell, found, start=start, end=end, hidden=hidden, threshold=threshold)
    return {**figures, "metadata": metadata_told(as_of)}


def metadata_told(as_of: datetime) -> dict[str, Any]:
    return {
        "last_updated": as_of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aggregation_version": VERSION,
        "auto_generated": True,
    }


def figures_told(
    cell: Cell,
    found: Summary | None,
    *,
    start: date | None,
    end: date | None,
    hidden: bool = False,
    threshold: int = 1,
) -> dict[str, Any]:
    """All of it but the metadata. Numbers are rounded to four digits after the point."""
    reasons: dict[str, str] = {}
    body = _body(found, threshold) if found else dict.fromkeys(_BLOCKS)
    told = {
        "condition": {
            "location": cell.location,
            "interval": _number(cell.interval),
            "intervention": cell.arm,
            "condition_code": cell.code,
        },
        "date_range": {
            "start_date": start.isoformat() if start else None,
            "end_date": end.isoformat() if end else None,
            "days_elapsed": (end - start).days if start and end else None,
        },
        "sample_statistics": _sample_statistics(found, threshold, reasons),
        **{name: _plain(part, name, reasons, hidden=hidden) for name, part in body.items()},
    }
    return {**told, "undefined": reasons}


def _sample_statistics(found: Summary | None, threshold: int, reasons: dict[str, str]) -> dict[str, Any]:
    students = students_told(found.students, threshold) if found else 0
    if students is None:
        reasons["sample_statistics.unique_students"] = Reason.SUPPRESSED
    return {
        "total_sessions": found.sessions if found else 0,
        "completed_sessions": found.completed if found else 0,
        "completion_rate": _rounded(found.completion) if found else None,
        "unique_students": students,
        "avg_session_duration_seconds": _rounded(found.seconds) if found else None,
    }


def _body(found: Summary, threshold: int) -> dict[str, Any]:
    both, of = found.both, found.interventions
    return {
        "learning_outcomes": {
            "baseline_assessment": _scores(both.scores.before, both.before),
            "final_assessment": _scores(both.scores.after, both.after),
            "learning_gain": {
                "mean_absolute_gain": both.scores.change.average,
                "median_absolute_gain": plain(both.gain.median),
                "mean_normalized_gain": averaged(both),
                "normalized_gain_of_averages": statistics.gain_of_averages(both.scores),
                "effect_size_cohens_d": statistics.d_av(both.scores),
                "effect_size_hedges_g_av": statistics.g_av(both.scores),
                "effect_size_d_z": statistics.d_z(both.scores),
                "students_with_gains": both.gained,
                "students_with_no_change": both.same,
                "students_with_losses": both.lost,
                "baseline_at_maximum": both.at_maximum,
            },
        },
        "analysed": _analysed(found.analysed, threshold),
        "intervention_metrics": {
            "avg_interventions_per_session": plain(of.mean_per_run),
            "avg_intervention_duration_seconds": plain(of.mean_seconds),
            "avg_questions_per_intervention": plain(of.mean_questions),
            "avg_response_time_seconds": plain(of.mean_response),
            "avg_question_quality_score": plain(of.mean_quality),
            "avg_answer_depth_score": plain(of.mean_depth),
            "avg_progression_quality": plain(of.mean_progression),
        },
        "engagement_metrics": {
            "avg_content_completion_rate": plain(found.engagement.completion),
            "avg_pause_count": plain(found.engagement.pauses),
            "avg_rewind_count": plain(found.engagement.rewinds),
            "avg_engagement_score": plain(found.engagement.score),
        },
        "survey_results": {
            "avg_location_impact": _mean(found.ratings.location),
            "avg_intervention_helpful": _mean(found.ratings.interventions),
            "avg_overall_experience": _mean(found.ratings.overall),
            "would_recommend_pct": plain(found.ratings.recommend_percentage),
        },
    }


_BLOCKS: Final = ("learning_outcomes", "analysed", "intervention_metrics", "engagement_metrics", "survey_results")


def _scores(sample: Sample, spread: Spread) -> dict[str, Any]:
    return {
        "mean_score": sample.average,
        "median_score": plain(spread.median),
        "std_dev": sample.sd,
        "min_score": plain(spread.least),
        "max_score": plain(spread.largest),
        "n": sample.n,
    }


def _analysed(outcomes: Outcomes, threshold: int) -> dict[str, Any]:
    gain = statistics.mean_estimate(outcomes.scores.change)
    g_av = statistics.g_av(outcomes.scores)
    return {
        "sessions": outcomes.sessions,
        "students": plain(_count(students_told(outcomes.students, threshold))),
        "mean_baseline": outcomes.scores.before.average,
        "mean_final": outcomes.scores.after.average,
        "mean_absolute_gain": gain,
        "mean_absolute_gain_ci": gain.interval,
        "normalized_gain_of_averages": statistics.gain_of_averages(outcomes.scores),
        "mean_normalized_gain": averaged(outcomes),
        "effect_size_hedges_g_av": g_av,
        "effect_size_hedges_g_av_ci": g_av.interval,
    }


def _count(value: int | None) -> float | None:
    return None if value is None else float(value)


def _mean(sample: Sample) -> Estimate:
    return Estimate(sample.mean) if sample.n else missing(Reason.NOT_MEASURED)


_COUNTS: Final = ("n", "sessions")
"""What is told of a suppressed group: how many sessions, never their results."""


def _plain(part: Any, path: str, reasons: dict[str, str], *, hidden: bool) -> Any:
    """Estimates as numbers; why there is none is noted down under its path."""
    if isinstance(part, Mapping):
        return {
            name: _plain(value, f"{path}.{name}", reasons, hidden=hidden and name not in _COUNTS)
            for name, value in part.items()
        }
    if part is None and not path.endswith("_ci"):
        reasons[path] = Reason.NO_STUDENTS
        return None
    if hidden:
        reasons[path] = Reason.SUPPRESSED
        return None
    if isinstance(part, Estimate):
        if part.value is None:
            reasons[path] = part.reason or Reason.NOT_MEASURED
        return _rounded(part.value)
    if isinstance(part, tuple):
        return [_rounded(bound) for bound in part]
    return part


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, PLACES)


def _number(value: Decimal) -> float | int:
    return int(value) if value == value.to_integral_value() else float(value)
