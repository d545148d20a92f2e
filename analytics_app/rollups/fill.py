"""Fill `dashboard_metrics_hourly`: exactly the hours that changed, one runner per school and hour.

An hour is filled in one transaction, which removes the marks that it sees before it counts. So a run that is killed
leaves the marks, and a change that is made while an hour is counted leaves a new one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from analytics_app.models import RollupRun
from analytics_app.rollups import changes, source
from analytics_app.rollups.hours import HOUR, Cell, hour_of
from analytics_app.rollups.metrics import METHOD

AT_ONCE = 64
"""Hours that are filled in one transaction: they share one statement, and are lost together when a run is killed."""

_CHOSEN = "unnest(%(schools)s::uuid[], %(hours)s::timestamptz[]) AS c (school_id, hour)"

LOCK = f"""
SELECT c.school_id, c.hour, coalesce(d.sealed, false)
FROM {_CHOSEN} LEFT JOIN dashboard_metrics_hourly d ON d.school_id = c.school_id AND d.metric_hour = c.hour
WHERE pg_try_advisory_xact_lock(hashtextextended(c.school_id::text || extract(epoch FROM c.hour)::text, 3))
"""
UNMARK = f"""
DELETE FROM analytics_app_changedhour m USING {_CHOSEN}
WHERE m.school_id = c.school_id AND m.hour = c.hour AND m.hour < %(running)s
"""
MARK_RUNNING = f"""
INSERT INTO analytics_app_changedhour (school_id, hour)
SELECT c.school_id, c.hour FROM {_CHOSEN} WHERE c.hour >= %(running)s
"""
FORGET_PEOPLE = f"DELETE FROM hourly_people p USING {_CHOSEN} WHERE p.school_id = c.school_id AND p.hour = c.hour"
FORGET_EMPTY = f"""
DELETE FROM dashboard_metrics_hourly d USING {_CHOSEN}
WHERE d.school_id = c.school_id AND d.metric_hour = c.hour AND d.data_sources_count = 0
"""
WITH_SOURCE = """
SELECT DISTINCT school_id, date_trunc('hour', event_time, 'UTC') AS hour FROM session_events
WHERE event_time >= %(start)s AND event_time < %(end)s
UNION
SELECT s.school_id, h.hour
FROM sessions_app_livesession s, generate_series(
    greatest(date_trunc('hour', s.started_at, 'UTC'), %(start)s), coalesce(s.ended_at, %(now)s), interval '1 hour'
) AS h (hour)
WHERE s.started_at < %(end)s AND (s.ended_at IS NULL OR s.ended_at >= %(start)s) AND h.hour < %(end)s
UNION
SELECT school_id, date_trunc('hour', at, 'UTC') FROM sessions_app_modelcall
WHERE at >= %(start)s AND at < %(end)s AND school_id IS NOT NULL
UNION
SELECT school_id, metric_hour FROM dashboard_metrics_hourly WHERE metric_hour >= %(start)s AND metric_hour < %(end)s
"""
BEGINNING = """
SELECT least((SELECT min(event_time) FROM session_events), (SELECT min(metric_hour) FROM dashboard_metrics_hourly),
    (SELECT min(started_at) FROM sessions_app_livesession),
    (SELECT min(at) FROM sessions_app_modelcall WHERE school_id IS NOT NULL))
"""


@dataclass(frozen=True, slots=True)
class Filled:
    """What a fill did: hours counted, hours left to a runner that was at them, and hours that are sealed."""

    hours: int = 0
    skipped: int = 0
    sealed: int = 0

    def __add__(self, other: "Filled") -> "Filled":
        return Filled(self.hours + other.hours, self.skipped + other.skipped, self.sealed + other.sealed)


def fill(cells: Sequence[Cell], *, now: datetime) -> Filled:
    """Count cells and write their rows, in one transaction.

    A cell that another runner is at is left to it: what changed since it began is marked for the next run. The hour
    that is running is written as far as it goes and stays marked. An hour with nothing in it loses its row.
    """
    if not cells:
        return Filled()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK, _names(cells))
        locked = {Cell(hour, school): sealed for school, hour, sealed in cursor.fetchall()}
        ours = [cell for cell, sealed in locked.items() if not sealed]
        cursor.execute(UNMARK, _names(list(locked)) | {"running": hour_of(now)})
        if ours:
            cursor.execute(MARK_RUNNING, _names(ours) | {"running": hour_of(now)})
            cursor.execute(FORGET_PEOPLE, _names(ours))
            cursor.execute(source.FILL, source.parameters(ours) | {"method": METHOD, "now": now})
            cursor.execute(FORGET_EMPTY, _names(ours))
    return Filled(len(ours), len(cells) - len(locked), len(locked) - len(ours))


def fill_changed(*, now: datetime | None = None, progress: Callable[[int, int], None] | None = None) -> Filled:
    """Fill every hour that is over and has changed since it was filled. What the worker does at five past the hour."""
    moment = now or timezone.now()

    def cells() -> list[Cell]:
        changes.collect(now=moment)
        return changes.marked(now=moment)

    return _run(RollupRun.Scope.CHANGED, cells, now=moment, progress=progress)


def fill_between(
    start: datetime | None,
    end: datetime | None,
    *,
    now: datetime | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Filled:
    """Fill the hours in [start, end) in which there is something, changed or not; without bounds, all that are over."""
    moment = now or timezone.now()
    scope = RollupRun.Scope.ALL if start is None and end is None else RollupRun.Scope.CHOSEN

    def cells() -> list[Cell]:
        changes.collect(now=moment)
        return cells_with_source(start, end, now=moment)

    return _run(scope, cells, now=moment, progress=progress)


def cells_with_source(start: datetime | None, end: datetime | None, *, now: datetime) -> list[Cell]:
    """The cells in [start, end) that have something to count, or a row; in time order."""
    with connection.cursor() as cursor:
        if start is None:
            cursor.execute(BEGINNING)
            start = cursor.fetchone()[0] or now
        bounds = {"start": hour_of(start), "end": min(end or hour_of(now), hour_of(now) + HOUR), "now": now}
        cursor.execute(WITH_SOURCE, bounds)
        return sorted(Cell(hour, school) for school, hour in cursor.fetchall())


def _run(
    scope: RollupRun.Scope,
    find: Callable[[], list[Cell]],
    *,
    now: datetime,
    progress: Callable[[int, int], None] | None,
) -> Filled:
    """Fill what `find` finds, batch by batch, and keep a record of the run, also of one that fails."""
    run = RollupRun.objects.create(scope=scope, started_at=timezone.now())
    done = Filled()
    try:
        cells = find()
        for first in range(0, len(cells), AT_ONCE):
            done += fill(cells[first : first + AT_ONCE], now=now)
            if progress:
                progress(min(first + AT_ONCE, len(cells)), len(cells))
    except DatabaseError as error:
        _close(run, done, error=f"{type(error).__name__}: {error}")
        raise
    _close(run, done)
    return done


def _close(run: RollupRun, done: Filled, *, error: str = "") -> None:
    run.finished_at = timezone.now()
    run.hours, run.skipped = done.hours, done.skipped
    run.error = error[:300]
    run.save(update_fields=["finished_at", "hours", "skipped", "error"])


def _names(cells: Sequence[Cell]) -> dict[str, Any]:
    return {"schools": [cell.school_id for cell in cells], "hours": [cell.hour for cell in cells]}
