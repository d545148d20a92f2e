"""Runs summed up by Postgres: by condition, by place, by arm, or as a whole, in one statement.

What comes back are counts, moments and medians; `statistics` makes estimates of them. Nothing is hidden here: reports
hide small cells before they tell.
"""

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from analytics_app.reports.runs import INTERVENED, RUNS, Scope, Scorer, scorer_of
from analytics_app.reports.statistics import Estimate, Paired, Reason, Sample, missing

Key = tuple[str, ...]
COLUMNS: Final = {
    "code": "r.code",
    "location": "r.location",
    "interval": "trim_scale(r.interval)::text",
    "arm": "r.arm",
    "month": "to_char(coalesce(r.began_at, r.joined_at) AT TIME ZONE 'UTC', 'YYYY-MM')",
}
"""What runs can be grouped by."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, least and largest of a sample; None where it is empty."""

    median: float | None
    least: float | None
    largest: float | None


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Scores before and after, of one sample of runs. `at_maximum` runs had nothing left to gain."""

    sessions: int
    students: int
    scores: Paired
    before: Spread
    after: Spread
    gain: Spread
    normalized: Sample
    at_maximum: int
    gained: int
    same: int
    lost: int


@dataclass(frozen=True, slots=True)
class Flow:
    """How far runs came, each step of those before it. What `left_out` counts never gets as far as a step."""

    assigned: int
    started: int
    baseline: int
    content: int
    final: int
    analysed: int
    taken_out: int
    withdrawn: int
    place_unmet: int


@dataclass(frozen=True, slots=True)
class Interventions:
    """Validated interventions: means over interventions (`mean_…`) and samples of the runs' own means."""

    count: int
    runs: int
    mean_per_run: float | None
    mean_seconds: float | None
    mean_questions: float | None
    mean_response: float | None
    mean_depth: float | None
    mean_quality: float | None
    mean_progression: float | None
    depth_each: Sample
    depth: Sample
    quality: Sample
    response: Sample


@dataclass(frozen=True, slots=True)
class Engagement:
    """How the content was met, as means over runs; engagement from 0 to 1."""

    completion: float | None
    pauses: float | None
    rewinds: float | None
    score: float | None


@dataclass(frozen=True, slots=True)
class Ratings:
    """What surveys said: means from 1 to 5, and the share in % that would recommend it."""

    surveys: int
    location: Sample
    interventions: Sample
    overall: Sample
    recommend: int
    asked_to_recommend: int

    @property
    def recommend_percentage(self) -> float | None:
        return 100 * self.recommend / self.asked_to_recommend if self.asked_to_recommend else None


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything of one group of runs. `sessions` are those that were started, `students` the different ones in it."""

    key: Key
    sessions: int
    students: int
    completed: int
    randomised: int
    repeated: int
    seconds: float | None
    first: datetime | None
    last: datetime | None
    flow: Flow
    analysed: Outcomes
    both: Outcomes
    interventions: Interventions
    engagement: Engagement
    ratings: Ratings

    @property
    def completion(self) -> float | None:
        """Completed / started, in %."""
        return 100 * self.completed / self.sessions if self.sessions else None


def _scores(name: str, sample: str) -> str:
    """The columns of the `Outcomes` of one sample. The six of `regr_…` share one pass."""
    only = f"FILTER (WHERE {sample})"
    return f"""
        count(DISTINCT r.student_id) {only} AS {name}_students,
        regr_count(final, baseline) {only} AS {name}_n, regr_avgx(final, baseline) {only} AS {name}_before_mean,
        regr_avgy(final, baseline) {only} AS {name}_after_mean, regr_sxx(final, baseline) {only} AS {name}_before_ss,
        regr_syy(final, baseline) {only} AS {name}_after_ss, regr_sxy(final, baseline) {only} AS {name}_sp,
        {_sample(f"{name}_normalized", "normalized", sample)},
        count(*) FILTER (WHERE {sample} AND normalized IS NULL) AS {name}_at_maximum,
        count(*) FILTER (WHERE {sample} AND gain > 0) AS {name}_gained,
        count(*) FILTER (WHERE {sample} AND gain = 0) AS {name}_same,
        count(*) FILTER (WHERE {sample} AND gain < 0) AS {name}_lost
    """


def _spreads(name: str, sample: str) -> str:
    """The columns of the `Spread`s of one sample's `Outcomes`."""
    only = f"FILTER (WHERE {sample})"
    return ", ".join(
        f"percentile_cont(0.5) WITHIN GROUP (ORDER BY {column}) {only} AS {name}_{column}_median, "
        f"min({column}) {only} AS {name}_{column}_least, max({column}) {only} AS {name}_{column}_largest"
        for column in ("baseline", "final", "gain")
    )


def _mean(name: str) -> str:
    """The mean over interventions of what runs have added up."""
    return f"sum({name}_sum) FILTER (WHERE kept) / nullif(sum({name}_n) FILTER (WHERE kept), 0) AS mean_{name}"


def _sample(name: str, column: str, sample: str = "kept") -> str:
    """The columns of a `Sample`."""
    only = f"FILTER (WHERE {sample})"
    pair = f"{column}::float8, {column}::float8"
    return (
        f"regr_count({pair}) {only} AS {name}_n, regr_avgx({pair}) {only} AS {name}_mean, "
        f"regr_sxx({pair}) {only} AS {name}_ss"
    )


class Part(enum.Enum):
    """What a report asks for of its groups; what it leaves out is not computed, and is empty.

    `STUDENTS` are the distinct ones of both samples, which `ANALYSED` and `BOTH` have too.
    """

    STUDENTS = "students"
    ANALYSED = "analysed"
    BOTH = "both"
    SPREADS = "spreads"
    INTERVENTIONS = "interventions"
    ENGAGEMENT = "engagement"
    RATINGS = "ratings"


EVERYTHING: Final = tuple(part for part in Part if part is not Part.STUDENTS)
_ALWAYS: Final = """
    count(*) AS assigned,
    count(*) FILTER (WHERE started) AS started_all,
    count(*) FILTER (WHERE started AND kept) AS sessions,
    count(DISTINCT r.student_id) FILTER (WHERE started AND kept) AS students,
    count(*) FILTER (WHERE completed) AS completed,
    count(*) FILTER (WHERE started AND kept AND randomised) AS randomised,
    count(r.student_id) FILTER (WHERE analysed) - count(DISTINCT r.student_id) FILTER (WHERE analysed) AS repeated,
    avg(seconds) FILTER (WHERE started AND kept AND seconds > 0) AS seconds,
    min(coalesce(began_at, joined_at)) AS first, max(coalesce(began_at, joined_at)) AS last,
    count(*) FILTER (WHERE taken_out) AS taken_out,
    count(*) FILTER (WHERE withdrawn AND NOT taken_out) AS withdrawn,
    count(*) FILTER (WHERE kept AND started AND has_baseline) AS flow_baseline,
    count(*) FILTER (WHERE kept AND started AND has_baseline AND has_content) AS flow_content,
    count(*) FILTER (WHERE analysed) AS analysed,
    count(*) FILTER (WHERE completed AND NOT analysed) AS place_unmet
"""
_PARTS: Final = {
    Part.STUDENTS: """
        count(DISTINCT r.student_id) FILTER (WHERE analysed) AS a_students,
        count(DISTINCT r.student_id) FILTER (WHERE has_both) AS b_students
    """,
    Part.ANALYSED: _scores("a", "analysed"),
    Part.BOTH: _scores("b", "has_both"),
    Part.SPREADS: f"{_spreads('a', 'analysed')}, {_spreads('b', 'has_both')}",
    Part.INTERVENTIONS: f"""
        sum(interventions) FILTER (WHERE kept) AS interventions, count(interventions) FILTER (WHERE kept) AS intervened,
        {_mean("seconds")}, {_mean("response")}, {_mean("quality")}, {_mean("progression")},
        sum(questions) FILTER (WHERE kept) / nullif(sum(interventions) FILTER (WHERE kept), 0) AS mean_questions,
        sum(depth_sum) FILTER (WHERE kept) AS depth_sum, sum(depth_squares) FILTER (WHERE kept) AS depth_squares,
        sum(depth_n) FILTER (WHERE kept) AS depth_each_n,
        {_sample("depth", "(depth_sum / nullif(depth_n, 0))")},
        {_sample("quality", "(quality_sum / nullif(quality_n, 0))")},
        {_sample("response", "(response_sum / nullif(response_n, 0))")}
    """,
    Part.ENGAGEMENT: """
        avg(completion) FILTER (WHERE kept) AS completion, avg(pause_count) FILTER (WHERE kept) AS pauses,
        avg(rewind_count) FILTER (WHERE kept) AS rewinds, avg(engagement) FILTER (WHERE kept) AS engagement
    """,
    Part.RATINGS: f"""
        count(y.id) FILTER (WHERE kept) AS surveys,
        {_sample("rated_location", "location_impact_rating")},
        {_sample("rated_interventions", "intervention_helpful_rating")},
        {_sample("rated_overall", "overall_experience_rating")},
        count(*) FILTER (WHERE kept AND would_recommend_experience) AS recommend,
        count(would_recommend_experience) FILTER (WHERE kept) AS asked_to_recommend
    """,
}
_JOINS: Final = {
    Part.INTERVENTIONS: "LEFT JOIN intervened USING (id)",
    Part.RATINGS: "LEFT JOIN sessions_app_surveyresponse y ON y.student_session_id = r.id",
}


def summaries(
    scope: Scope, *groupings: Sequence[str], parts: Collection[Part], scorer: Scorer | None = None
) -> list[Mapping[Key, Summary]]:
    """For each grouping (names of `COLUMNS`; none: all runs together) its groups that have runs.

    One query, and another where interventions are asked for and their `scorer` is not given.
    """
    names = sorted({name for grouping in groupings for name in grouping})
    sets = ", ".join(f"({', '.join(COLUMNS[name] for name in grouping)})" for grouping in groupings)
    chosen = "".join(f"{COLUMNS[name]} AS key_{name}, grouping({COLUMNS[name]}) AS whole_{name}, " for name in names)
    parameters = scope.parameters()
    if Part.INTERVENTIONS in parts:
        scorer = scorer or scorer_of(scope)
        parameters |= {"scorer": scorer.name, "scorer_version": scorer.version}
    sql = f"""
        WITH {RUNS} {", " + INTERVENED if Part.INTERVENTIONS in parts else ""}
        SELECT {chosen} {", ".join([_ALWAYS, *(_PARTS[part] for part in parts)])}
        FROM runs r {" ".join(_JOINS[part] for part in parts if part in _JOINS)}
        GROUP BY GROUPING SETS ({sets})
    """
    found: list[dict[Key, Summary]] = [{} for _ in groupings]
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        columns = [column.name for column in cursor.description]
        for values in cursor.fetchall():
            row = dict(zip(columns, values, strict=True))
            inside = {name for name in names if not row[f"whole_{name}"]}
            for place, grouping in enumerate(groupings):
                if inside == set(grouping) and row["assigned"]:
                    key = tuple(row[f"key_{name}"] for name in grouping)
                    found[place][key] = _summary(key, row)
    return list(found)


def _summary(key: Key, row: Mapping[str, Any]) -> Summary:
    return Summary(
        key=key,
        sessions=row["sessions"],
        students=row["students"],
        completed=row["completed"],
        randomised=row["randomised"],
        repeated=row["repeated"],
        seconds=_float(row["seconds"]),
        first=row["first"],
        last=row["last"],
        flow=Flow(
            assigned=row["assigned"],
            started=row["started_all"],
            baseline=row["flow_baseline"],
            content=row["flow_content"],
            final=row["completed"],
            analysed=row["analysed"],
            taken_out=row["taken_out"],
            withdrawn=row["withdrawn"],
            place_unmet=row["place_unmet"],
        ),
        analysed=_of("a", row),
        both=_of("b", row),
        interventions=Interventions(
            count=int(row.get("interventions") or 0),
            runs=row.get("intervened") or 0,
            mean_per_run=_ratio(row.get("interventions"), row.get("intervened")),
            mean_seconds=_float(row.get("mean_seconds")),
            mean_questions=_float(row.get("mean_questions")),
            mean_response=_float(row.get("mean_response")),
            mean_depth=_ratio(row.get("depth_sum"), row.get("depth_each_n")),
            mean_quality=_float(row.get("mean_quality")),
            mean_progression=_float(row.get("mean_progression")),
            depth_each=_from_sums(row.get("depth_each_n"), row.get("depth_sum"), row.get("depth_squares")),
            depth=_sampled("depth", row),
            quality=_sampled("quality", row),
            response=_sampled("response", row),
        ),
        engagement=Engagement(
            *(_float(row.get(column)) for column in ("completion", "pauses", "rewinds", "engagement"))
        ),
        ratings=Ratings(
            surveys=row.get("surveys", 0),
            location=_sampled("rated_location", row),
            interventions=_sampled("rated_interventions", row),
            overall=_sampled("rated_overall", row),
            recommend=row.get("recommend", 0),
            asked_to_recommend=row.get("asked_to_recommend", 0),
        ),
    )


def nothing(key: Key) -> Summary:
    """The summary of a group without runs."""
    none = dict.fromkeys(
        ("assigned", "started_all", "sessions", "students", "completed", "randomised", "repeated", "taken_out",
         "withdrawn", "flow_baseline", "flow_content", "analysed", "place_unmet"), 0,
    )  # fmt: skip
    return _summary(key, {**none, "seconds": None, "first": None, "last": None})


def _of(name: str, row: Mapping[str, Any]) -> Outcomes:
    def spread(column: str) -> Spread:
        return Spread(*(_float(row.get(f"{name}_{column}_{part}")) for part in ("median", "least", "largest")))

    moments = ("before_mean", "after_mean", "before_ss", "after_ss", "sp")
    counts = ("students", "at_maximum", "gained", "same", "lost")
    students, at_maximum, gained, same, lost = (row.get(f"{name}_{part}", 0) for part in counts)
    return Outcomes(
        sessions=int(row.get(f"{name}_n") or 0),
        students=students,
        scores=Paired(int(row.get(f"{name}_n") or 0), *(float(row.get(f"{name}_{part}") or 0) for part in moments)),
        before=spread("baseline"),
        after=spread("final"),
        gain=spread("gain"),
        normalized=_sampled(f"{name}_normalized", row),
        at_maximum=at_maximum,
        gained=gained,
        same=same,
        lost=lost,
    )


def _sampled(name: str, row: Mapping[str, Any]) -> Sample:
    n, mean, ss = (row.get(f"{name}_{part}") or 0 for part in ("n", "mean", "ss"))
    return Sample(int(n), float(mean), float(ss))


def _from_sums(n: Any, total: Any, squares: Any) -> Sample:
    if not n:
        return Sample(0)
    mean = float(total) / float(n)
    return Sample(int(n), mean, max(0.0, float(squares) - float(n) * mean * mean))


def _ratio(part: Any, whole: Any) -> float | None:
    return float(part) / float(whole) if part is not None and whole else None


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def plain(value: float | None) -> Estimate:
    """A number of a summary as an estimate without an interval."""
    return missing(Reason.NOT_MEASURED) if value is None else Estimate(value)
