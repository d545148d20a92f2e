"""How far a study is: sessions and distinct students in each of its cells against the target, and what to run next."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from sessions_app.models import LiveSession, StudentSession, Study, StudyCondition

NEXT = 3
SMALL_CELL = 10
"""The threshold of a study without a school."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One condition of a study: students' sessions in it, how many of them ended, and distinct students.

    `students` is None where there are some and fewer than the threshold: small groups are not told.
    """

    code: str
    location: str
    interval: str
    intervention: str
    sessions: int
    completed: int
    students: int | None
    target: int
    next: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """What happened in a stretch of time: students' sessions begun, of which completed, distinct students (or None)."""

    since: datetime
    sessions: int
    completed: int
    students: int | None

    @property
    def completion(self) -> float | None:
        """Completed / begun, in %; None where nothing was begun."""
        return 100 * self.completed / self.sessions if self.sessions else None


@dataclass(frozen=True, slots=True)
class Coverage:
    """A study's cells in the order of their codes, and its days."""

    study: Study
    as_of: datetime
    cells: tuple[Cell, ...]
    today: Span
    week: Span
    simulated: bool

    @property
    def total(self) -> int:
        return sum(cell.sessions for cell in self.cells)

    @property
    def next_cells(self) -> list[Cell]:
        return sorted((cell for cell in self.cells if cell.next), key=lambda cell: cell.next or 0)

    def as_json(self) -> dict[str, Any]:
        return {
            "study": self.study.name,
            "as_of": self.as_of.isoformat(),
            "simulated": self.simulated,
            "total": self.total,
            "cells": [asdict(cell) for cell in self.cells],
            "today": {**asdict(self.today), "completion": self.today.completion},
            "week": {**asdict(self.week), "completion": self.week.completion},
        }


def coverage(study: Study, *, simulated: bool | None = None, now: datetime | None = None) -> Coverage:
    """The coverage of a study. Simulated sessions count where the study is simulated, or where asked for."""
    moment = now or timezone.now()
    with_simulated = study.is_simulated if simulated is None else simulated
    found = StudentSession.objects.filter(session__study=study, removed_at=None, session__started_at__isnull=False)
    if not with_simulated:
        found = found.filter(Q(is_simulated=False) | Q(school__is_sample=True))
    counted = {row["condition"]: row for row in found.values("condition").annotate(**_counts()).order_by()}
    nothing = {"sessions": 0, "completed": 0, "students": 0}
    threshold = study.schools.aggregate(most=Max("small_cell_threshold"))["most"] or SMALL_CELL
    cells = [
        _cell(cell, counted.get(cell.condition_id) or nothing, threshold)
        for cell in StudyCondition.objects.filter(study=study).select_related("condition").order_by("condition__code")
    ]
    midnight = timezone.localtime(moment).replace(hour=0, minute=0, second=0, microsecond=0)
    monday = midnight - timedelta(days=midnight.weekday())
    return Coverage(
        study=study,
        as_of=moment,
        cells=tuple(_with_next(cells)),
        today=_span(found, midnight, threshold),
        week=_span(found, monday, threshold),
        simulated=with_simulated,
    )


def _counts() -> dict[str, Count]:
    return {
        "sessions": Count("pk"),
        "completed": Count("pk", filter=Q(session__status=LiveSession.Status.ENDED, left_at=None)),
        "students": Count("student", distinct=True),
    }


def _span(found: QuerySet[StudentSession], since: datetime, threshold: int) -> Span:
    row = found.filter(session__started_at__gte=since).aggregate(**_counts())
    return Span(since, row["sessions"], row["completed"], _told(row["students"], threshold))


def _told(students: int, threshold: int) -> int | None:
    return students if students == 0 or students >= threshold else None


def _cell(cell: StudyCondition, row: Mapping[str, Any], threshold: int) -> Cell:
    condition = cell.condition
    return Cell(
        code=condition.code,
        location=condition.location,
        interval=condition.interval_key,
        intervention=condition.intervention_type,
        sessions=row["sessions"],
        completed=row["completed"],
        students=_told(row["students"], threshold),
        target=cell.target,
    )


def _with_next(cells: list[Cell]) -> Iterable[Cell]:
    """Number the three cells to run next: the emptiest against their target, in the order of codes where alike."""
    wanting = [cell for cell in cells if cell.sessions < cell.target]
    first = sorted(wanting, key=lambda cell: (cell.sessions / cell.target, cell.code))[:NEXT]
    order = {cell.code: number for number, cell in enumerate(first, 1)}
    return (Cell(**{**asdict(cell), "next": order.get(cell.code)}) for cell in cells)
