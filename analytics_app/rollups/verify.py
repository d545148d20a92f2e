"""Count every filled hour again and compare: does `dashboard_metrics_hourly` agree with its source?"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from analytics_app.rollups import changes, source
from analytics_app.rollups.fill import AT_ONCE, cells_with_source
from analytics_app.rollups.hours import HOUR, Cell, hour_of
from analytics_app.rollups.metrics import COLUMNS

STORED = f"""
SELECT d.school_id, d.metric_hour, d.sealed, {", ".join(f"d.{column}" for column in COLUMNS)}
FROM unnest(%(schools)s::uuid[], %(hours)s::timestamptz[]) AS c (school_id, hour)
JOIN dashboard_metrics_hourly d ON d.school_id = c.school_id AND d.metric_hour = c.hour
"""
PEOPLE = """
SELECT p.school_id, p.hour, p.role, array_agg(p.person)
FROM unnest(%(schools)s::uuid[], %(hours)s::timestamptz[]) AS c (school_id, hour)
JOIN hourly_people p ON p.school_id = c.school_id AND p.hour = c.hour
GROUP BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """A stored value that is not what its source gives. A row that is missing, or should be, differs in `row`."""

    cell: Cell
    column: str
    stored: object
    counted: object


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many hours were compared, where they differ, and how many were left out, waiting to be filled or sealed."""

    compared: int
    differences: tuple[Difference, ...]
    waiting: int
    sealed: int


def verify(
    start: datetime | None = None,
    end: datetime | None = None,
    *,
    now: datetime | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Verdict:
    """Compare the hours in [start, end) that are over, or all. Hours that are known to have changed are left out."""
    moment = now or timezone.now()
    last = min(end or hour_of(moment), hour_of(moment))
    cells = [cell for cell in cells_with_source(start, last, now=moment) if cell.hour + HOUR <= moment]
    first = min((cell.hour for cell in cells), default=last)
    waiting = changes.pending(start=first, end=last, now=moment)
    compared = [cell for cell in cells if cell not in waiting]
    differences: list[Difference] = []
    sealed = 0
    for begin in range(0, len(compared), AT_ONCE):
        batch = compared[begin : begin + AT_ONCE]
        found, kept = _compare(batch)
        differences += found
        sealed += kept
        if progress:
            progress(begin + len(batch), len(compared))
    return Verdict(len(compared) - sealed, tuple(differences), len(waiting), sealed)


def _compare(cells: Sequence[Cell]) -> tuple[list[Difference], int]:
    names: dict[str, Any] = {"schools": [cell.school_id for cell in cells], "hours": [cell.hour for cell in cells]}
    with connection.cursor() as cursor:
        cursor.execute(STORED, names)
        rows = {Cell(hour, school): (sealed, values) for school, hour, sealed, *values in cursor.fetchall()}
        cursor.execute(PEOPLE, names)
        people = {(Cell(hour, school), role): frozenset(who) for school, hour, role, who in cursor.fetchall()}
    differences: list[Difference] = []
    for measured in source.measure(cells):
        cell = measured.cell
        sealed, stored = rows.get(cell, (False, None))
        if sealed:
            continue
        something = bool(measured.values["data_sources_count"])
        if (stored is not None) != something:
            differences.append(Difference(cell, "row", stored is not None, something))
        if stored is not None and something:
            values = dict(zip(COLUMNS, stored, strict=True))
            differences += [
                Difference(cell, column, values[column], counted)
                for column, counted in measured.values.items()
                if not _same(values[column], counted)
            ]
        differences += [
            Difference(cell, f"hourly_people {role}", len(people.get((cell, role), ())), len(counted))
            for role, counted in measured.people.items()
            if people.get((cell, role), frozenset()) != counted
        ]
    return differences, sum(sealed for sealed, _ in rows.values())


def _same(stored: Any, counted: Any) -> bool:
    """Equal, but for the order in which a database may add up fractions."""
    if stored is None or counted is None:
        return stored is counted
    return math.isclose(stored, counted, rel_tol=1e-9, abs_tol=1e-12)
