"""How far a study is: analysed sessions of each cell against the target, who dropped out, and what to run next."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.utils import timezone

from analytics_app.reports.daily import DayCounts, daily_counts, students_by_condition
from analytics_app.reports.definitions import told
from analytics_app.reports.rows import students_told
from analytics_app.reports.runs import Scope
from sessions_app.models import StudyCondition

NEXT: Final = 3
DEFINED: Final = ("coverage", "analysed", "sessions", "dropped", "students")


@dataclass(frozen=True, slots=True)
class CoverageCell:
    """One condition of a study. `n` are its analysed sessions, `started` all that were begun; `next` is its place in
    what to run next, from 1. `students` is None where there are some and fewer than the threshold."""

    code: str
    location: str
    interval: str
    intervention: str
    n: int
    started: int
    completed: int
    students: int | None
    target: int
    next: int | None = None

    @property
    def dropped(self) -> int:
        return self.started - self.n

    @property
    def percent(self) -> int:
        """Of the target, at most 100."""
        return min(100, round(100 * self.n / self.target)) if self.target else 0

    @property
    def is_full(self) -> bool:
        return self.n >= self.target > 0


@dataclass(frozen=True, slots=True)
class Coverage:
    """A study's cells in the order of their codes. `students` are distinct over the whole study, or None: too few."""

    scope: Scope
    as_of: datetime
    cells: tuple[CoverageCell, ...]
    students: int | None

    @property
    def analysed(self) -> int:
        return sum(cell.n for cell in self.cells)

    @property
    def target(self) -> int:
        return sum(cell.target for cell in self.cells)

    @property
    def full(self) -> int:
        return sum(cell.is_full for cell in self.cells)

    @property
    def to_go(self) -> int:
        return sum(max(0, cell.target - cell.n) for cell in self.cells)

    @property
    def next_cells(self) -> list[CoverageCell]:
        return sorted((cell for cell in self.cells if cell.next), key=lambda cell: cell.next or 0)

    def as_json(self) -> dict[str, Any]:
        return {
            "study": self.scope.study.name if self.scope.study else None,
            "cells": [{**asdict(cell), "dropped": cell.dropped} for cell in self.cells],
            "analysed": self.analysed,
            "target": self.target,
            "students": self.students,
            "sample": self.scope.as_json(),
            "as_of": self.as_of.isoformat(),
            "definitions": told(DEFINED),
        }


def coverage_report(
    scope: Scope, *, counts: Sequence[DayCounts] | None = None, now: datetime | None = None
) -> Coverage:
    """The coverage of a study; `counts` where its days are counted already. Two queries, and one for the counts."""
    assert scope.study is not None
    by_code: dict[str, Counter[str]] = {}
    for each in daily_counts(scope) if counts is None else counts:
        totals = by_code.setdefault(each.code, Counter())
        totals.update(n=each.analysed, started=each.started, completed=each.completed)
    students = students_by_condition(scope)
    found = StudyCondition.objects.filter(study=scope.study).select_related("condition").order_by("condition__code")
    cells = [
        CoverageCell(
            code=each.condition.code,
            location=each.condition.location,
            interval=each.condition.interval_key,
            intervention=each.condition.intervention_type,
            target=each.target,
            students=students_told(students.get(each.condition.code, 0), scope.threshold),
            **{name: by_code.get(each.condition.code, Counter())[name] for name in ("n", "started", "completed")},
        )
        for each in found
    ]
    return Coverage(
        scope=scope,
        as_of=now or timezone.now(),
        cells=tuple(with_next(cells)),
        students=students_told(students.get(None, 0), scope.threshold),
    )


def with_next(cells: list[CoverageCell]) -> Iterable[CoverageCell]:
    """Number the three cells to run next: the emptiest against their target first; where they are alike, the arm that
    is behind in its place, then by code."""
    arms: dict[tuple[str, str], int] = {}
    for cell in cells:
        arms[cell.location, cell.intervention] = arms.get((cell.location, cell.intervention), 0) + cell.n
    wanting = [cell for cell in cells if cell.n < cell.target]
    first = sorted(wanting, key=lambda c: (c.n / c.target, arms[c.location, c.intervention], c.code))[:NEXT]
    order = {cell.code: number for number, cell in enumerate(first, 1)}
    return (replace(cell, next=order.get(cell.code)) for cell in cells)
