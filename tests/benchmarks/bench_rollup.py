"""The rollup over five million events: one hour of all schools, and a week of one school from table and source."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db import connection

from analytics_app.models import ChangedHour, DashboardMetricsHourly
from analytics_app.rollups import router, source
from analytics_app.rollups.fill import AT_ONCE, cells_with_source, fill
from analytics_app.rollups.hours import HOUR, Cell, hours_between
from tests.benchmarks.place import fastest_of, own_database
from tests.benchmarks.runner import Result, at_most, benchmark, durable, told

HERE = Path(__file__).parent
EVENTS = 5_000_000
ROUNDS = 7
NOW = datetime(2026, 9, 30, tzinfo=UTC)
WEEK = timedelta(days=7)
QUICKLY = "SET session_replication_role = replica; SET work_mem = '256MB'; SET maintenance_work_mem = '256MB'"
BUSIEST = """
SELECT date_trunc('hour', event_time, 'UTC') FROM session_events WHERE event_time < '2026-07-08Z'
GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1
"""
DEFINITIONS = """
SELECT 'ALTER TABLE session_events DROP CONSTRAINT ' || conname,
    'ALTER TABLE session_events ADD CONSTRAINT ' || conname || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint WHERE conrelid = 'session_events'::regclass AND contype IN ('p', 'u')
UNION ALL
SELECT 'DROP INDEX ' || indexrelid::regclass, pg_get_indexdef(indexrelid)
FROM pg_index WHERE indrelid = 'session_events'::regclass
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""


@benchmark("rollup.")
def rollup() -> Iterator[Result]:
    """Fill the busiest hour of an early week, then read a week of one school both ways."""
    with own_database("rollup"):
        durable()
        yield told("rollup.events", _write_timelines(), "events")
        yield _hour()
        yield from _window()


def _write_timelines() -> int:
    """Write the data; its indexes are made afterwards, which is several times as fast."""
    with connection.cursor() as cursor:
        cursor.execute(QUICKLY)
        cursor.execute(DEFINITIONS)
        definitions = cursor.fetchall()
        for drop, _make in definitions:
            cursor.execute(drop)
        cursor.execute((HERE / "timelines.sql").read_text())
        for _drop, make in definitions:
            cursor.execute(make)
        cursor.execute("RESET session_replication_role; RESET work_mem; RESET maintenance_work_mem")
        cursor.execute("SELECT count(*) FROM session_events")
        [written] = cursor.fetchone()
    assert written == EVENTS, written
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return int(written)


def _hour() -> Result:
    """The whole fill of an hour, with locks, marks and commit, against a plain SELECT of the same numbers."""
    plain = (HERE / "limits" / "rollup_hour.sql").read_text()
    with connection.cursor() as cursor:
        cursor.execute(BUSIEST)
        [hour] = cursor.fetchone()
    cells = cells_with_source(hour, hour + HOUR, now=NOW)
    found: list[tuple[object, ...]] = []

    def limit() -> None:
        with connection.cursor() as cursor:
            cursor.execute(plain, {"hour": hour})
            found[:] = cursor.fetchall()

    def ours() -> None:
        assert fill(cells, now=NOW).hours == len(cells)

    ours_s, limit_s = fastest_of(ROUNDS, ours, limit)
    _same_numbers(hour, found)
    return at_most("rollup.hour", ours_s * 1000, "ms", limit=limit_s * 1000, ratio=1.5)


def _same_numbers(hour: datetime, found: list[tuple[object, ...]]) -> None:
    """The limit computes what the fill computes: it would be no limit else."""
    columns = (
        "school_id", "sessions_active", "sessions_completed", "sessions_started", "teachers_active", "students_active",
        "total_groups", "ready_groups", "total_errors", "total_alerts", "websocket_connections", "avg_latency_ms",
        "error_rate", "total_storage_gb", "avg_participation_rate", "avg_engagement_score", "avg_collaboration_score",
        "avg_connection_stability", "avg_session_quality", "events_total",
    )  # fmt: skip
    stored = DashboardMetricsHourly.objects.filter(metric_hour=hour).order_by("school_id").values_list(*columns)
    assert len(stored) == len(found) > 0
    for ours, plain in zip(stored, found, strict=True):
        assert ours[0] == plain[0]
        for column, kept, counted in zip(columns[1:], ours[1:], plain[1:], strict=True):
            assert math.isclose(kept or 0, float(counted or 0), rel_tol=1e-9), (column, kept, counted)  # type: ignore[arg-type]


def _window() -> Iterator[Result]:
    """What the teacher's home asks for, over seven days: from the table, and from the source alone.

    `rollup.window.routed` is the first with all that the router does around it: it asks which hours have changed.
    """
    end = NOW - timedelta(days=5)
    cells = cells_with_source(end - WEEK, end, now=NOW)
    for first in range(0, len(cells), AT_ONCE):
        fill(cells[first : first + AT_ONCE], now=NOW)
    ChangedHour.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE dashboard_metrics_hourly, hourly_people, analytics_app_changedhour")
    school = cells[0].school_id
    hours = list(hours_between(end - WEEK, end))

    def table() -> None:
        router.read_table(school, hours, [])

    def plain() -> None:
        source.measure([Cell(hour, school) for hour in hours])

    def routed() -> router.WindowMetrics:
        return router.metrics_between(school, end - WEEK, end, now=NOW)

    assert routed().served == "table"
    assert routed().totals["events_total"]
    ours, limit, whole = (seconds * 1000 for seconds in fastest_of(ROUNDS, table, plain, routed))
    ratio = limit / ours
    yield Result("rollup.window", ours, "ms", limit, ratio, "limit ≥ 50 × value", ratio >= 50)
    yield told("rollup.window.routed", whole, "ms")
