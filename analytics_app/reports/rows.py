"""A group of runs as reports tell it: its numbers with their intervals, or suppressed where the group is small."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from analytics_app.reports import statistics
from analytics_app.reports.statistics import Estimate, Reason, Sample, missing
from analytics_app.reports.summaries import Key, Outcomes, Summary
from analytics_app.reports.suppression import suppressed


@dataclass(frozen=True, slots=True)
class Row:
    """One group. Sessions are told always; distinct students and every result only where there are enough of them.

    `students` and `analysed_students` are None where there are some and too few. Scores and gains are of analysed runs;
    `gain_of_both` is of all runs with both assessments, as requirement 002's examples compute it.
    """

    key: Key
    sessions: int
    students: int | None
    completed: int
    completion: Estimate
    analysed: int
    analysed_students: int | None
    hidden: bool
    baseline: Estimate
    baseline_sd: Estimate
    final: Estimate
    final_sd: Estimate
    gain: Estimate
    gain_sd: Estimate
    hake_of_averages: Estimate
    hake_averaged: Estimate
    at_maximum: int
    g_av: Estimate
    d_av: Estimate
    d_z: Estimate
    with_both: int
    gain_of_both: Estimate
    location_rating: Estimate

    def as_json(self) -> dict[str, Any]:
        estimates = (
            "completion", "baseline", "baseline_sd", "final", "final_sd", "gain", "gain_sd", "hake_of_averages",
            "hake_averaged", "g_av", "d_av", "d_z", "gain_of_both", "location_rating",
        )  # fmt: skip
        return {
            "sessions": self.sessions,
            "students": self.students,
            "completed": self.completed,
            "analysed": self.analysed,
            "analysed_students": self.analysed_students,
            "at_maximum": self.at_maximum,
            "with_both": self.with_both,
            "suppressed": self.hidden,
            **{name: getattr(self, name).as_json() for name in estimates},
        }


def students_told(students: int, threshold: int) -> int | None:
    return students if students == 0 or students >= threshold else None


def weight(summary: Summary) -> int:
    """The distinct students on whom the results of a group rest."""
    return summary.analysed.students or summary.both.students or summary.students


def hidden_keys(
    found: Mapping[Key, Summary], *, threshold: int, totals: Iterable[Collection[Key]] = ()
) -> frozenset[Key]:
    """The groups that are suppressed, given the groups of groups whose totals are told too."""
    return suppressed({key: weight(summary) for key, summary in found.items()}, threshold=threshold, totals=totals)


def said(hidden: bool, compute: Callable[[], Estimate]) -> Estimate:
    return missing(Reason.SUPPRESSED) if hidden else compute()


def row(summary: Summary, *, hidden: bool, threshold: int) -> Row:
    """A group's numbers; `hidden` is whether it is suppressed (`hidden_keys`)."""
    scores, both = summary.analysed.scores, summary.both.scores
    return Row(
        key=summary.key,
        sessions=summary.sessions,
        students=students_told(summary.students, threshold),
        completed=summary.completed,
        completion=statistics.share(summary.completed, summary.sessions),
        analysed=summary.flow.analysed,
        analysed_students=None if hidden else students_told(summary.analysed.students, threshold),
        hidden=hidden,
        baseline=said(hidden, lambda: statistics.mean_estimate(scores.before)),
        baseline_sd=said(hidden, lambda: scores.before.sd),
        final=said(hidden, lambda: statistics.mean_estimate(scores.after)),
        final_sd=said(hidden, lambda: scores.after.sd),
        gain=said(hidden, lambda: statistics.mean_estimate(scores.change)),
        gain_sd=said(hidden, lambda: scores.change.sd),
        hake_of_averages=said(hidden, lambda: statistics.gain_of_averages(scores)),
        hake_averaged=said(hidden, lambda: averaged(summary.analysed)),
        at_maximum=0 if hidden else summary.analysed.at_maximum,
        g_av=said(hidden, lambda: statistics.g_av(scores)),
        d_av=said(hidden, lambda: statistics.d_av(scores)),
        d_z=said(hidden, lambda: statistics.d_z(scores)),
        with_both=both.n,
        gain_of_both=said(hidden, lambda: statistics.mean_estimate(both.change)),
        location_rating=said(hidden, lambda: mean_rating(summary.ratings.location)),
    )


def averaged(outcomes: Outcomes) -> Estimate:
    """The average of the runs' own normalized gains."""
    return statistics.average_of_gains(outcomes.normalized, left_out=outcomes.at_maximum)


def mean_rating(sample: Sample) -> Estimate:
    """The mean of a question of the survey, which not everybody answers."""
    return statistics.mean_estimate(sample) if sample.n else missing(Reason.NOT_MEASURED)
