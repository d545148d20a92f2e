"""Which hours have to be counted again.

A timeline's positions are gapless and in commit order, so what is new in it is what lies behind the position up to
which it was looked through. That costs whoever appends nothing. What is no event is marked by triggers
(`models.rolled`).

An event changes the hour in which it happened. It also tells that the student was still there since their event before
it, and the last one that the session was still alive; so it changes the hours from those on, and for a moment longer.
What begins or ends a connection or a membership changes the hours that follow, up to the session's end.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from analytics_app.rollups.hours import HOUR, Cell, hour_of
from sessions_app.models.session import LATE_EVENTS_FOR
from sessions_app.roster import SILENT_AFTER

LASTING = (
    "configured", "groups_made", "leader_ready", "leader_chosen", "member_join", "member_leave", "member_moved",
    "member_removed", "socket_opened", "socket_closed",
)  # fmt: skip

CHANGED = """
ahead AS MATERIALIZED (
    SELECT s.id AS session_id, s.school_id, s.started_at, least(s.ended_at, %(now)s) AS ended_at, c.epoch, c.last_seq,
        CASE WHEN p.epoch = c.epoch THEN p.seq ELSE 0 END AS seq
    FROM sessions_app_livesession s
    JOIN sessions_app_sessioncounter c ON c.session_id = s.id
    LEFT JOIN analytics_app_rolledposition p ON p.session_id = s.id
    WHERE (p.session_id IS NULL OR p.seq < c.last_seq OR p.epoch <> c.epoch) {scope}
),
walked AS (
    SELECT a.session_id, a.school_id, a.ended_at, e.seq > a.seq AS is_new, e.student_session_id,
        e.event_type, e.event_time,
        lag(e.event_time) OVER (PARTITION BY e.session_id, e.student_session_id ORDER BY e.event_time, e.seq) AS before,
        max(e.event_time) FILTER (WHERE e.seq <= a.seq) OVER (PARTITION BY e.session_id) AS seen_last,
        max(e.event_time) OVER (PARTITION BY e.session_id) AS last_time
    FROM ahead a JOIN session_events e ON e.session_id = a.session_id AND e.seq <= a.last_seq
),
stretches AS (
    SELECT DISTINCT school_id,
        date_trunc('hour', least(
            event_time,
            CASE WHEN student_session_id IS NOT NULL THEN before END,
            CASE WHEN event_time > seen_last THEN seen_last END
        ), 'UTC') AS first,
        date_trunc('hour', CASE
            WHEN event_type = ANY(%(lasting)s) THEN greatest(last_time, coalesce(ended_at, %(now)s))
            ELSE event_time + %(silent)s END, 'UTC') AS last
    FROM walked WHERE is_new
),
changed AS (
    SELECT school_id, generate_series(first, last, interval '1 hour') AS hour FROM stretches
    UNION
    -- A session counts in each hour of its span, also in one without an event.
    SELECT s.school_id, h.hour
    FROM sessions_app_livesession s, generate_series(
        date_trunc('hour', s.started_at, 'UTC'), coalesce(s.ended_at, %(now)s), interval '1 hour') AS h (hour)
    WHERE s.started_at IS NOT NULL AND (s.ended_at IS NULL OR s.id IN (SELECT session_id FROM ahead)) {scope}
        AND NOT EXISTS (
            SELECT FROM dashboard_metrics_hourly d WHERE d.school_id = s.school_id AND d.metric_hour = h.hour)
)"""

COLLECT = f"""
WITH {CHANGED.format(scope="")},
marked AS (INSERT INTO analytics_app_changedhour (school_id, hour) SELECT school_id, hour FROM changed)
INSERT INTO analytics_app_rolledposition AS p (session_id, epoch, seq)
SELECT session_id, epoch, last_seq FROM ahead ORDER BY session_id
ON CONFLICT (session_id) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq
WHERE p.epoch <> excluded.epoch OR p.seq < excluded.seq
"""

PENDING = f"""
WITH {CHANGED}
SELECT school_id, hour FROM changed WHERE hour >= %(start)s AND hour < %(end)s {{school}}
UNION
SELECT school_id, hour FROM analytics_app_changedhour WHERE hour >= %(start)s AND hour < %(end)s {{school}}
"""
_SCOPE = "AND (s.ended_at IS NULL OR s.ended_at >= %(reach)s) AND s.configured_at < %(end)s"
_ONE_SCHOOL = "AND school_id = %(school)s"
PENDING_ANYWHERE = PENDING.format(scope=_SCOPE, school="")
PENDING_IN_SCHOOL = PENDING.format(scope=f"{_SCOPE} AND s.{_ONE_SCHOOL.removeprefix('AND ')}", school=_ONE_SCHOOL)


def collect(*, now: datetime) -> int:
    """Mark the hours that events have changed since the last time, in one transaction; how many timelines had new ones.

    Two at the same time mark the same hours twice, which does no harm.
    """
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"now": now, "lasting": list(LASTING), "silent": SILENT_AFTER}
        cursor.execute(COLLECT, values)
        return int(cursor.rowcount)


def marked(*, now: datetime) -> list[Cell]:
    """The marked hours that are over, in time order. The hour that is running keeps its marks until then."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT hour, school_id FROM analytics_app_changedhour WHERE hour < %s ORDER BY hour, school_id",
            (hour_of(now),),
        )
        return [Cell(hour, school) for hour, school in cursor.fetchall()]


def pending(*, start: datetime, end: datetime, now: datetime, school_id: UUID | None = None) -> set[Cell]:
    """The hours in [start, end) whose rows are out of date, marked or not: of one school, or of all. Reads only."""
    values: dict[str, Any] = {
        "start": start,
        "end": end,
        "now": now,
        "lasting": list(LASTING),
        "silent": SILENT_AFTER,
        "reach": start - LATE_EVENTS_FOR - HOUR,
        "school": school_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(PENDING_IN_SCHOOL if school_id else PENDING_ANYWHERE, values)
        return {Cell(hour, school) for school, hour in cursor.fetchall()}
