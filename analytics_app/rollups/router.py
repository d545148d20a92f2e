"""Where a window's numbers are read: hours that are rolled up from the table, the rest from the source.

The table answers for an hour that is over and has not changed since it was counted; an hour without a row had nothing in
it. The hour that is running, and those that changed, are counted from the source by the same statement that fills the
table. Where the table cannot serve, the whole window is counted from the source, and the answer says so.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg import errors

from analytics_app.rollups import changes, source
from analytics_app.rollups.hours import HOUR, Cell, hour_of, hours_between
from analytics_app.rollups.metrics import BY_COLUMN, COLUMNS
from analytics_app.rollups.ways import MeanOf

log = logging.getLogger(__name__)

PATIENCE = "500ms"
"""How long a page waits for a lock on the table before it counts from the source."""

UNAVAILABLE: Mapping[type[Exception], str] = {
    errors.UndefinedTable: _("The hourly table does not exist."),
    errors.UndefinedColumn: _("The hourly table is of another version."),
    errors.LockNotAvailable: _("The hourly table is locked."),
    errors.QueryCanceled: _("The hourly table did not answer in time."),
    errors.InsufficientPrivilege: _("The hourly table may not be read."),
    errors.DataCorrupted: _("The hourly table is damaged."),
    errors.IndexCorrupted: _("The hourly table is damaged."),
}

FROM_TABLE = f"""
WITH people AS (
    SELECT role, person FROM hourly_people
    WHERE school_id = %(school)s AND hour >= %(start)s AND hour < %(end)s AND hour <> ALL(%(elsewhere)s::timestamptz[])
    UNION ALL
    SELECT * FROM unnest(%(roles)s::text[], %(persons)s::uuid[])
), distinct_people AS (
    SELECT coalesce(jsonb_object_agg(role, n), '{{}}') AS people
    FROM (SELECT role, count(DISTINCT person) AS n FROM people GROUP BY role) counted
)
SELECT p.people, d.metric_hour, d.calculated_at, {", ".join(f"d.{column}" for column in COLUMNS)}
FROM distinct_people p
LEFT JOIN dashboard_metrics_hourly d ON d.school_id = %(school)s AND d.metric_hour >= %(start)s
    AND d.metric_hour < %(end)s AND d.metric_hour <> ALL(%(elsewhere)s::timestamptz[])
"""

EMPTY_HOUR: Mapping[str, float | None] = {
    column: 0 if BY_COLUMN[column].way.starts_at_zero else None for column in COLUMNS
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


def metrics_between(
    school_id: UUID, start: datetime, end: datetime, *, now: datetime | None = None
) -> WindowMetrics:
    """The metrics of the hours that meet [start, end), from wherever each hour is right."""
    moment = now or timezone.now()
    start = hour_of(start)
    hours = list(hours_between(start, end))
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", (PATIENCE,))
            changed = changes.pending(start=start, end=end, now=moment, school_id=school_id)
            counted = _count(school_id, [h for h in hours if h >= hour_of(moment) or Cell(h, school_id) in changed])
            people, rows, counted_at = _from_table(school_id, start, end, counted)
    except DatabaseError as error:
        reason = UNAVAILABLE.get(type(error.__cause__)) if error.__cause__ else None
        if reason is None:
            raise
        log.warning("school %s is counted from the source: %s", school_id, error)
        return _window(school_id, hours, end, moment, _count(school_id, hours), {}, None, None, reason)
    return _window(school_id, hours, end, moment, counted, rows, people, counted_at, "")


def _count(school_id: UUID, hours: Sequence[datetime]) -> list[source.Measured]:
    return source.measure([Cell(hour, school_id) for hour in hours]) if hours else []


def _from_table(
    school_id: UUID, start: datetime, end: datetime, counted: Sequence[source.Measured]
) -> tuple[dict[str, int], dict[datetime, dict[str, float | None]], datetime | None]:
    """Distinct people over the window, with those of the hours that were counted elsewhere; and the other hours' rows."""
    present = [(role, person) for measured in counted for role, who in measured.people.items() for person in who]
    values: dict[str, Any] = {
        "school": school_id,
        "start": start,
        "end": end,
        "elsewhere": [measured.cell.hour for measured in counted],
        "roles": [role for role, _person in present],
        "persons": [person for _role, person in present],
    }
    with connection.cursor() as cursor:
        cursor.execute(FROM_TABLE, values)
        found = cursor.fetchall()
    rows = {row[1]: dict(zip(COLUMNS, row[3:], strict=True)) for row in found if row[1] is not None}
    return found[0][0], rows, max((row[2] for row in found if row[2] is not None), default=None)
