"""Where a window's numbers are read: hours that are rolled up from the table, the rest from the source.

The table answers for an hour that is over and has not changed since it was counted; an hour without a row had nothing
in it. The hour that is running, and those that changed, are counted from the source by the same statement that fills
the table. Where the table cannot serve, the whole window is counted from the source, and the answer says so.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from psycopg import errors

from analytics_app.models import HourlyPeople
from analytics_app.rollups import changes, source
from analytics_app.rollups.hours import HOUR, Cell, hour_of, hours_between
from analytics_app.rollups.metrics import BY_COLUMN, COLUMNS
from analytics_app.rollups.ways import Count, MeanOf, People, Spanning, State

log = logging.getLogger(__name__)

PATIENCE = "500ms"
"""How long a page waits for a lock on the table before it counts from the source."""

UNAVAILABLE: Mapping[type[BaseException], Promise] = {
    errors.UndefinedTable: _("The hourly table does not exist."),
    errors.UndefinedColumn: _("The hourly table is of another version."),
    errors.LockNotAvailable: _("The hourly table is locked."),
    errors.QueryCanceled: _("The hourly table did not answer in time."),
    errors.InsufficientPrivilege: _("The hourly table may not be read."),
    errors.DataCorrupted: _("The hourly table is damaged."),
    errors.IndexCorrupted: _("The hourly table is damaged."),
}

ROLES = tuple(HourlyPeople.Role.values)
FROM_TABLE = f"""
WITH people AS (
    SELECT role, person FROM hourly_people
    WHERE school_id = %(school)s AND hour >= %(start)s AND hour < %(end)s AND hour <> ALL(%(elsewhere)s::timestamptz[])
    UNION ALL
    SELECT * FROM unnest(%(roles)s::text[], %(persons)s::uuid[])
), distinct_people AS (
    SELECT {", ".join(f"count(DISTINCT person) FILTER (WHERE role = '{role}') AS {role}" for role in ROLES)} FROM people
)
SELECT {", ".join(f"p.{role}" for role in ROLES)}, d.metric_hour, d.calculated_at,
    {", ".join(f"d.{column}" for column in COLUMNS)}
FROM distinct_people p
LEFT JOIN dashboard_metrics_hourly d ON d.school_id = %(school)s AND d.metric_hour >= %(start)s
    AND d.metric_hour < %(end)s AND d.metric_hour <> ALL(%(elsewhere)s::timestamptz[])
"""

EMPTY_HOUR: Mapping[str, float | None] = {
    column: 0 if isinstance(BY_COLUMN[column].way, Count | People | Spanning | State) else None for column in COLUMNS
}


@dataclass(frozen=True, slots=True)
class HourMetrics:
    """One hour of a window: a value, or None, for each column; `served` is `table` or `source`."""

    hour: datetime
    values: Mapping[str, float | None]
    served: str


@dataclass(frozen=True, slots=True)
class WindowMetrics:
    """A school's numbers over the hours in [start, end), hour by hour and in total.

    `totals` has a value, or None, for each column: people are distinct over the window, averages are made of what the
    hours' averages are made of. `served` is `table`, `table and source`, or `source`; `reason` says why the table could
    not serve. `counted_at` is when the newest of the rows was counted, `until` the end of the last hour from the table.
    """

    school_id: UUID
    start: datetime
    end: datetime
    as_of: datetime
    hours: tuple[HourMetrics, ...]
    totals: Mapping[str, float | None]
    served: str
    reason: str
    counted_at: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Stored:
    """What the table had: people over the window, rows by hour, and when the newest of them was counted."""

    people: Mapping[str, int]
    rows: Mapping[datetime, Mapping[str, float | None]]
    counted_at: datetime | None


def metrics_between(school_id: UUID, start: datetime, end: datetime, *, now: datetime | None = None) -> WindowMetrics:
    """The metrics of the hours that meet [start, end), from wherever each hour is right."""
    moment = now or timezone.now()
    hours = list(hours_between(start, end))
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", (PATIENCE,))
            changed = changes.pending(start=hours[0], end=end, now=moment, school_id=school_id)
            counted = _count(school_id, [h for h in hours if h >= hour_of(moment) or Cell(h, school_id) in changed])
            stored = read_table(school_id, hours, counted)
    except DatabaseError as error:
        reason = next((text for kind, text in UNAVAILABLE.items() if isinstance(error.__cause__, kind)), None)
        if reason is None:
            raise
        log.warning("the hours of school %s are counted from the source: %s", school_id, error)
        return _window(school_id, hours, _count(school_id, hours), None, as_of=moment, reason=str(reason))
    return _window(school_id, hours, counted, stored, as_of=moment)


def _count(school_id: UUID, hours: Sequence[datetime]) -> list[source.Measured]:
    return source.measure([Cell(hour, school_id) for hour in hours]) if hours else []


def read_table(school_id: UUID, hours: Sequence[datetime], counted: Sequence[source.Measured]) -> Stored:
    """The rows of the hours that were not counted just now, and the distinct people of both."""
    present = [(role, person) for measured in counted for role, who in measured.people.items() for person in who]
    values: dict[str, Any] = {
        "school": school_id,
        "start": hours[0],
        "end": hours[-1] + HOUR,
        "elsewhere": [measured.cell.hour for measured in counted],
        "roles": [role for role, _person in present],
        "persons": [person for _role, person in present],
    }
    with connection.cursor() as cursor:
        cursor.execute(FROM_TABLE, values)
        found = cursor.fetchall()
    first = len(ROLES)
    rows = {row[first]: row for row in found if row[first] is not None}
    return Stored(
        people=dict(zip(ROLES, found[0], strict=False)),
        rows={hour: dict(zip(COLUMNS, row[first + 2 :], strict=True)) for hour, row in rows.items()},
        counted_at=max((row[first + 1] for row in rows.values()), default=None),
    )


def _window(
    school_id: UUID,
    hours: Sequence[datetime],
    counted: Sequence[source.Measured],
    stored: Stored | None,
    *,
    as_of: datetime,
    reason: str = "",
) -> WindowMetrics:
    fresh = {measured.cell.hour: measured.values for measured in counted}
    rows = stored.rows if stored else {}
    served = tuple(
        HourMetrics(hour, fresh.get(hour) or rows.get(hour) or EMPTY_HOUR, "source" if hour in fresh else "table")
        for hour in hours
    )
    from_table = [hour.hour for hour in served if hour.served == "table"]
    return WindowMetrics(
        school_id=school_id,
        start=hours[0],
        end=hours[-1] + HOUR,
        as_of=as_of,
        hours=served,
        totals=_totals([hour.values for hour in served], stored.people if stored else _distinct(counted)),
        served=" and ".join(dict.fromkeys(sorted((hour.served for hour in served), reverse=True))),
        reason=reason,
        counted_at=stored.counted_at if stored else None,
        until=from_table[-1] + HOUR if from_table else None,
    )


def _distinct(counted: Sequence[source.Measured]) -> dict[str, int]:
    return {role: len(frozenset().union(*(measured.people[role] for measured in counted))) for role in ROLES}


def _totals(rows: Sequence[Mapping[str, float | None]], people: Mapping[str, int]) -> dict[str, float | None]:
    """Each column over the window; a mean of columns comes after them, for it is made of their totals."""
    ways = {column: BY_COLUMN[column].way for column in COLUMNS}
    totals = {c: way.over(c, rows, people) for c, way in ways.items() if not isinstance(way, MeanOf)}
    return {c: way.of(totals) if isinstance(way, MeanOf) else totals[c] for c, way in ways.items()}
