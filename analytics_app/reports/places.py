"""The four locations compared: gains, ratings of the place, and whether they differ."""

from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Any, Final

from django.utils import timezone

from analytics_app.reports import statistics
from analytics_app.reports.conditions import left_out
from analytics_app.reports.definitions import told
from analytics_app.reports.rows import Row, hidden_keys, row, students_told
from analytics_app.reports.runs import PLACES, Scope
from analytics_app.reports.statistics import Omnibus, Reason, Welch
from analytics_app.reports.summaries import Part, Summary, nothing, summaries

DEFINED: Final = (
    "sessions", "students", "completion", "analysed", "baseline", "final", "gain", "gain_of_both", "hake_of_averages",
    "hake_averaged", "g_av", "location_rating", "omnibus", "pairwise", "suppression",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """Two places compared: first − second in mean gain. `p` is adjusted by Holm within all pairs that are tested."""

    first: str
    second: str
    welch: Welch
    p: float | None


@dataclass(frozen=True, slots=True)
class Places:
    """The places in the order of their codes; those without runs too."""

    scope: Scope
    as_of: datetime
    rows: tuple[tuple[str, Row], ...]
    whole: Summary | None
    omnibus: Omnibus
    pairs: tuple[Pair, ...]

    @property
    def widest(self) -> Pair | None:
        """The pair with the largest difference of those that are told."""
        told_pairs = [pair for pair in self.pairs if pair.welch.difference.value is not None]
        return max(told_pairs, key=lambda pair: abs(pair.welch.difference.value or 0), default=None)

    def as_json(self) -> dict[str, Any]:
        return {
            "locations": {place: each.as_json() for place, each in self.rows},
            "omnibus": {
                "test": "welch_anova", "f": self.omnibus.f, "df": self.omnibus.df, "p": self.omnibus.p,
                "reason": self.omnibus.reason,
            },
            "pairs": [
                {
                    "first": pair.first, "second": pair.second, "difference": pair.welch.difference.as_json(),
                    "t": pair.welch.t, "df": pair.welch.df, "p": pair.welch.p, "p_holm": pair.p,
                }
                for pair in self.pairs
            ],
            "sample": {
                **self.scope.as_json(),
                "sessions": self.whole.sessions if self.whole else 0,
                "students": students_told(self.whole.students, self.scope.threshold) if self.whole else 0,
                "analysed": self.whole.flow.analysed if self.whole else 0,
                "left_out": left_out(self.whole),
            },
            "as_of": self.as_of.isoformat(),
            "definitions": told(DEFINED),
        }  # fmt: skip


def places_report(scope: Scope, *, now: datetime | None = None) -> Places:
    """The report. One query."""
    parts = (Part.ANALYSED, Part.BOTH, Part.RATINGS)
    by_place, together = summaries(scope, ("location",), (), parts=parts)
    hidden = hidden_keys(by_place, threshold=scope.threshold, totals=[[(place,) for place in PLACES]])
    told_places = [place for place in PLACES if (place,) in by_place and (place,) not in hidden]
    changes = {place: by_place[place,].analysed.scores.change for place in told_places}
    tested = [place for place in told_places if changes[place].n > 1]
    return Places(
        scope=scope,
        as_of=now or timezone.now(),
        rows=tuple(
            (
                place,
                row(by_place.get((place,)) or nothing((place,)), hidden=(place,) in hidden, threshold=scope.threshold),
            )
            for place in PLACES
        ),
        whole=together.get(()),
        omnibus=(
            statistics.welch_anova([changes[place] for place in tested])
            if len(tested) > 1
            else Omnibus(reason=Reason.SUPPRESSED if hidden else Reason.NO_STUDENTS)
        ),
        pairs=tuple(_pairs(changes)),
    )


def _pairs(changes: dict[str, statistics.Sample]) -> list[Pair]:
    found = [
        (first, second, statistics.welch(changes[first], changes[second])) for first, second in combinations(changes, 2)
    ]
    tested = [(first, second) for first, second, welch in found if welch.p is not None]
    adjusted = dict(zip(tested, statistics.holm([w.p for _, _, w in found if w.p is not None]), strict=True))
    return [Pair(first, second, welch, adjusted.get((first, second))) for first, second, welch in found]
