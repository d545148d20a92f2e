"""Static against dynamic questions: gains, answers and questions, and the checks without which they say little.

The comparison of gains comes first with the baseline held equal (`ancova`), then as it is (Welch). Sessions are taken
as independent: how many are a student's second is told with the checks.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from django.utils import timezone

from analytics_app.reports import statistics
from analytics_app.reports.ancova import Ancova, ancova
from analytics_app.reports.conditions import left_out
from analytics_app.reports.definitions import told
from analytics_app.reports.rows import Row, hidden_keys, row, said, students_told
from analytics_app.reports.runs import ARMS, PLACES, Scope, Scorer, scorer_of
from analytics_app.reports.statistics import Estimate, Omnibus, Reason, Sample, Welch, missing
from analytics_app.reports.summaries import Interventions, Key, Part, nothing, plain, summaries

DEFINED: Final = (
    "sessions", "students", "analysed", "baseline", "final", "gain", "hake_of_averages", "hake_averaged", "g_av",
    "adjusted", "difference", "hedges_g", "answer_depth", "question_quality", "response_time", "depth_effect",
    "cohens_d_interventions", "suppression",
)  # fmt: skip
BALANCED: Final = 0.05
"""Baselines whose g is at most this are alike."""
ADJUSTABLE: Final = 0.25
"""Up to this an adjustment serves; beyond it does not."""


@dataclass(frozen=True, slots=True)
class Questions:
    """What the interventions of one arm were like; means over validated interventions."""

    interventions: int
    sessions: int
    answer_depth: Estimate
    question_quality: Estimate
    response_seconds: Estimate

    def as_json(self) -> dict[str, Any]:
        return {
            "n": self.interventions,
            "sessions": self.sessions,
            "avg_answer_depth": self.answer_depth.value,
            "avg_question_quality": self.question_quality.value,
            "avg_response_time": self.response_seconds.value,
            "reason": self.answer_depth.reason,
        }


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """Both arms at one place, and dynamic − static in mean gain."""

    place: str
    static: Row
    dynamic: Row
    difference: Welch


@dataclass(frozen=True, slots=True)
class Checks:
    """What the comparison rests on. `balance` is g of the baselines, dynamic − static."""

    balance: Estimate
    parallel_p: float | None
    repeated: int
    randomised: int
    sessions: int
    without_final: dict[str, int]
    assignment: Omnibus
    scorer: Scorer


@dataclass(frozen=True, slots=True)
class Comparison:
    """Dynamic − static. What is suppressed in one arm is in every difference."""

    scope: Scope
    as_of: datetime
    arms: dict[str, Row]
    questions: dict[str, Questions]
    adjusted: Ancova
    difference: Welch
    hedges_g: Estimate
    depth: Welch
    depth_g: Estimate
    quality: Welch
    response: Welch
    cohens_d: Estimate
    places: tuple[PlaceRow, ...]
    checks: Checks
    sessions: int
    students: int | None
    left_out: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        checks = asdict(self.checks)
        return {
            "arms": {arm: {**self.arms[arm].as_json(), "questions": self.questions[arm].as_json()} for arm in ARMS},
            "gain": {
                "adjusted": {**self.adjusted.difference.as_json(), "p": self.adjusted.p, "slope": self.adjusted.slope},
                "unadjusted": _welch(self.difference),
                "hedges_g": self.hedges_g.as_json(),
            },
            "answer_depth": {**_welch(self.depth), "hedges_g": self.depth_g.as_json()},
            "question_quality": _welch(self.quality),
            "response_time": _welch(self.response),
            "effect_size_cohens_d": self.cohens_d.value,
            "by_location": {
                each.place: {
                    "static": each.static.as_json(),
                    "dynamic": each.dynamic.as_json(),
                    "difference": _welch(each.difference),
                }
                for each in self.places
            },
            "checks": checks | {"balance": self.checks.balance.as_json()},
            "sample": {
                **self.scope.as_json(), "sessions": self.sessions, "students": self.students, "left_out": self.left_out
            },
            "as_of": self.as_of.isoformat(),
            "definitions": told(DEFINED),
        }  # fmt: skip


def _welch(found: Welch) -> dict[str, Any]:
    return {**found.difference.as_json(), "t": found.t, "df": found.df, "p": found.p}


def comparison_report(scope: Scope, *, now: datetime | None = None) -> Comparison:
    """The report. Two queries."""
    scorer = scorer_of(scope)
    by_both, by_arm, together = summaries(
        scope, ("location", "arm"), ("arm",), (), parts=(Part.ANALYSED, Part.INTERVENTIONS), scorer=scorer
    )
    arm_keys: list[Key] = [(arm,) for arm in ARMS]
    hidden = hidden_keys(by_arm, threshold=scope.threshold, totals=[arm_keys])
    cells: list[Key] = [(place, arm) for place in PLACES for arm in ARMS]
    margins = [[key for key in cells if part in key] for part in (*PLACES, *ARMS)]
    hidden_cells = hidden_keys(by_both, threshold=scope.threshold, totals=[*margins, cells])
    static, dynamic = (by_arm.get((arm,)) or nothing((arm,)) for arm in ARMS)
    suppressed = bool(hidden)
    changes = dynamic.analysed.scores.change, static.analysed.scores.change
    of = dynamic.interventions, static.interventions
    adjusted = ancova(dynamic.analysed.scores, static.analysed.scores)
    whole = together.get(())
    return Comparison(
        scope=scope,
        as_of=now or timezone.now(),
        arms={
            arm: row(found, hidden=(arm,) in hidden, threshold=scope.threshold)
            for arm, found in zip(ARMS, (static, dynamic), strict=True)
        },
        questions={
            arm: _questions(found.interventions, hidden=(arm,) in hidden)
            for arm, found in zip(ARMS, (static, dynamic), strict=True)
        },
        adjusted=Ancova(missing(Reason.SUPPRESSED)) if suppressed else adjusted,
        difference=_compared(*changes, suppressed=suppressed),
        hedges_g=said(suppressed, lambda: statistics.hedges_g(*changes)),
        depth=_compared(of[0].depth, of[1].depth, suppressed=suppressed),
        depth_g=said(suppressed, lambda: statistics.hedges_g(of[0].depth, of[1].depth)),
        quality=_compared(of[0].quality, of[1].quality, suppressed=suppressed),
        response=_compared(of[0].response, of[1].response, suppressed=suppressed),
        cohens_d=said(suppressed, lambda: cohens_d(of[0].depth_each, of[1].depth_each)),
        places=tuple(
            _place(place, by_both, hidden_cells, threshold=scope.threshold)
            for place in PLACES
            if any((place, arm) in by_both for arm in ARMS)
        ),
        checks=Checks(
            balance=said(
                suppressed,
                lambda: statistics.hedges_g(dynamic.analysed.scores.before, static.analysed.scores.before),
            ),
            parallel_p=None if suppressed else adjusted.parallel_p,
            repeated=whole.repeated if whole else 0,
            randomised=whole.randomised if whole else 0,
            sessions=whole.sessions if whole else 0,
            without_final={
                arm: found.sessions - found.flow.final for arm, found in zip(ARMS, (static, dynamic), strict=True)
            },
            assignment=statistics.even_spread([static.flow.assigned, dynamic.flow.assigned], [1, 1]),
            scorer=scorer,
        ),
        sessions=whole.flow.analysed if whole else 0,
        students=students_told(whole.analysed.students, scope.threshold) if whole else 0,
        left_out=left_out(whole),
    )


def _questions(found: Interventions, *, hidden: bool) -> Questions:
    return Questions(
        interventions=found.count,
        sessions=found.runs,
        answer_depth=said(hidden, lambda: plain(found.mean_depth)),
        question_quality=said(hidden, lambda: plain(found.mean_quality)),
        response_seconds=said(hidden, lambda: plain(found.mean_response)),
    )


def _compared(first: Sample, second: Sample, *, suppressed: bool) -> Welch:
    return Welch(missing(Reason.SUPPRESSED)) if suppressed else statistics.welch(first, second)


def _place(place: str, found: Any, hidden: frozenset[Key], *, threshold: int) -> PlaceRow:
    static, dynamic = (found.get((place, arm)) or nothing((place, arm)) for arm in ARMS)
    suppressed = any((place, arm) in hidden for arm in ARMS)
    return PlaceRow(
        place=place,
        static=row(static, hidden=(place, "static") in hidden, threshold=threshold),
        dynamic=row(dynamic, hidden=(place, "dynamic") in hidden, threshold=threshold),
        difference=_compared(dynamic.analysed.scores.change, static.analysed.scores.change, suppressed=suppressed),
    )


def cohens_d(first: Sample, second: Sample) -> Estimate:
    """(first − second) / pooled standard deviation, without correction and without interval."""
    if min(first.n, second.n) < 2:
        return missing(Reason.TOO_FEW_STUDENTS if min(first.n, second.n) else Reason.NO_STUDENTS)
    spread = ((first.ss + second.ss) / (first.n + second.n - 2)) ** 0.5
    return Estimate((first.mean - second.mean) / spread) if spread > 0 else missing(Reason.ZERO_VARIANCE)
