"""The conditions of a study side by side: sessions, students, completion, scores and gains of each; and one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.utils import timezone

from analytics_app.reports.condition_statistics import Cell, statistics_told
from analytics_app.reports.definitions import told
from analytics_app.reports.rows import Row, hidden_keys, row, students_told
from analytics_app.reports.runs import Scope
from analytics_app.reports.summaries import EVERYTHING, Key, Part, Summary, nothing, summaries
from sessions_app.models import Condition, StudyCondition

DEFINED: Final = (
    "sessions", "students", "completion", "analysed", "baseline", "final", "gain", "gain_of_both", "hake_of_averages",
    "hake_averaged", "g_av", "d_av", "d_z", "suppression",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """A condition with its target and its numbers; `found` is what they are made of, None where there was no run."""

    cell: Cell
    target: int
    row: Row
    found: Summary | None


@dataclass(frozen=True, slots=True)
class Conditions:
    """All conditions of a study, in the order of their codes."""

    scope: Scope
    as_of: datetime
    rows: tuple[ConditionRow, ...]
    whole: Summary | None
    """All runs together."""

    @property
    def sample(self) -> dict[str, Any]:
        whole = self.whole
        return {
            **self.scope.as_json(),
            "sessions": whole.sessions if whole else 0,
            "students": students_told(whole.students, self.scope.threshold) if whole else 0,
            "completed": whole.completed if whole else 0,
            "analysed": whole.flow.analysed if whole else 0,
            "left_out": left_out(whole),
        }

    def as_json(self) -> dict[str, Any]:
        start, end = span(self.scope, self.whole)
        return {
            "conditions": [
                statistics_told(
                    each.cell,
                    each.found,
                    start=start,
                    end=end,
                    as_of=self.as_of,
                    hidden=each.row.hidden,
                    threshold=self.scope.threshold,
                )
                for each in self.rows
            ],
            "sample": self.sample,
            "as_of": self.as_of.isoformat(),
            "definitions": told(DEFINED),
        }


def conditions_report(scope: Scope, *, whole: bool = False, now: datetime | None = None) -> Conditions:
    """The report; `whole` with everything that its JSON tells, else what its page shows. Two queries, or three."""
    parts = EVERYTHING if whole else (Part.ANALYSED, Part.BOTH)
    by_code, together = summaries(scope, ("code",), (), parts=parts)
    return Conditions(
        scope=scope,
        as_of=now or timezone.now(),
        rows=tuple(condition_rows(scope, by_code)),
        whole=together.get(()),
    )


def condition_rows(scope: Scope, by_code: Mapping[Key, Summary]) -> list[ConditionRow]:
    """A row for each condition that the scope leaves, with small ones suppressed so that no margin reveals them."""
    cells = cells_of(scope)
    margins = margins_of([cell for cell, _ in cells])
    hidden = hidden_keys(by_code, threshold=scope.threshold, totals=margins)
    rows = []
    for cell, target in cells:
        found = by_code.get((cell.code,))
        summary = found or nothing((cell.code,))
        rows.append(
            ConditionRow(cell, target, row(summary, hidden=(cell.code,) in hidden, threshold=scope.threshold), found)
        )
    return rows


def cells_of(scope: Scope) -> list[tuple[Cell, int]]:
    """The conditions that the scope leaves, with their targets, in the order of their codes."""
    if scope.study is None:
        found = [(condition, 0) for condition in Condition.objects.order_by("code")]
    else:
        of_study = StudyCondition.objects.filter(study=scope.study).select_related("condition")
        found = [(each.condition, each.target) for each in of_study.order_by("condition__code")]
    cells = [(Cell(c.code, c.location, c.interval_minutes, c.intervention_type), target) for c, target in found]
    return [
        (cell, target)
        for cell, target in cells
        if (not scope.location or cell.location == scope.location)
        and (not scope.arm or cell.arm == scope.arm)
        and (not scope.interval or cell.interval == Decimal(scope.interval))
    ]


def margins_of(cells: Sequence[Cell]) -> list[list[Key]]:
    """The groups of conditions whose totals pages tell: each place, arm and interval, each place by arm, and all."""
    groups: dict[Any, list[Key]] = {}
    for cell in cells:
        for margin in (cell.location, cell.arm, cell.interval, (cell.location, cell.arm), None):
            groups.setdefault(margin, []).append((cell.code,))
    return list(groups.values())


@dataclass(frozen=True, slots=True)
class OneCondition:
    """One condition with everything that is known of it. `found` None: there was no run."""

    scope: Scope
    as_of: datetime
    condition: Condition
    target: int
    row: Row
    found: Summary | None

    @property
    def own_scope(self) -> Scope:
        """The runs of this condition alone."""
        return _own(self.scope, self.condition)

    @property
    def left_out(self) -> dict[str, int]:
        return left_out(self.found)

    def as_json(self) -> dict[str, Any]:
        start, end = span(self.scope, self.found)
        cell = Cell(
            self.condition.code, self.condition.location, self.condition.interval_minutes,
            self.condition.intervention_type,
        )  # fmt: skip
        return {
            "condition": statistics_told(
                cell, self.found, start=start, end=end, as_of=self.as_of, hidden=self.row.hidden,
                threshold=self.scope.threshold,
            ),
            "flow": asdict(self.found.flow) if self.found else None,
            "row": self.row.as_json(),
            "as_of": self.as_of.isoformat(),
            "definitions": told(DEFINED),
        }  # fmt: skip


def condition_report(scope: Scope, condition: Condition, *, now: datetime | None = None) -> OneCondition:
    """One condition. Whether it is suppressed depends on the others, so they are counted too. Four queries."""
    [by_code] = summaries(scope, ("code",), parts=(Part.STUDENTS,))
    key = (condition.code,)
    [mine] = [each for each in condition_rows(scope, by_code) if each.cell.code == condition.code]
    own = _own(scope, condition)
    [found] = summaries(own, ("code",), parts=EVERYTHING)
    summary = found.get(key)
    return OneCondition(
        scope=scope,
        as_of=now or timezone.now(),
        condition=condition,
        target=mine.target,
        row=row(summary or nothing(key), hidden=mine.row.hidden, threshold=scope.threshold),
        found=summary,
    )


def _own(scope: Scope, condition: Condition) -> Scope:
    return replace(scope, location=condition.location, interval=condition.interval_key, arm=condition.intervention_type)


def span(scope: Scope, found: Summary | None) -> tuple[date | None, date | None]:
    """The first and the last day: those asked for, else those of the runs."""
    first = found.first.astimezone(scope.zone).date() if found and found.first else None
    last = found.last.astimezone(scope.zone).date() if found and found.last else None
    return scope.since or first, scope.until or last


def left_out(found: Summary | None) -> dict[str, int]:
    """Assigned runs that are not analysed, by the first reason that applies."""
    if found is None:
        return {}
    flow = found.flow
    begun = found.sessions
    return {
        "not_started": flow.assigned - flow.taken_out - flow.withdrawn - begun,
        "taken_out": flow.taken_out,
        "withdrawn": flow.withdrawn,
        "without_baseline": begun - flow.baseline,
        "without_content": flow.baseline - flow.content,
        "without_final": flow.content - flow.final,
        "place_not_verified": flow.place_unmet,
    }
