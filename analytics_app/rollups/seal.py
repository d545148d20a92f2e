"""Seal hours: their rows stay as they are when what was counted in them is removed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from analytics_app.models import RolledPosition
from analytics_app.rollups.fill import fill
from analytics_app.rollups.hours import Cell

CELLS = """
SELECT s.school_id, h.hour
FROM sessions_app_livesession s,
    generate_series(date_trunc('hour', s.started_at, 'UTC'), s.ended_at, interval '1 hour') AS h (hour)
WHERE s.id = ANY(%(sessions)s)
UNION
SELECT school_id, date_trunc('hour', event_time, 'UTC') FROM session_events WHERE session_id = ANY(%(sessions)s)
"""
HOLD = """
SELECT pg_advisory_xact_lock(hashtextextended(c.school_id::text || extract(epoch FROM c.hour)::text, 3))
FROM (SELECT * FROM unnest(%(schools)s::uuid[], %(hours)s::timestamptz[]) AS c (school_id, hour) ORDER BY 1, 2) c
"""
SEAL = """
UPDATE dashboard_metrics_hourly d SET sealed = true
FROM unnest(%(schools)s::uuid[], %(hours)s::timestamptz[]) AS c (school_id, hour)
WHERE d.school_id = c.school_id AND d.metric_hour = c.hour AND NOT d.sealed
"""


def seal_hours_of(sessions: Sequence[UUID], *, now: datetime) -> int:
    """Count the hours that ended sessions meet once more, and seal them; how many were sealed by this.

    In the caller's transaction, which removes the sessions: no other runner counts these hours until it ends.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("hours are sealed in the transaction that removes their sessions")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CELLS, {"sessions": list(sessions)})
        cells = sorted(Cell(hour, school) for school, hour in cursor.fetchall())
        names: dict[str, Any] = {"schools": [cell.school_id for cell in cells], "hours": [cell.hour for cell in cells]}
        cursor.execute(HOLD, names)
        fill(cells, now=now)
        cursor.execute(SEAL, names)
        sealed = int(cursor.rowcount)
    RolledPosition.objects.filter(session_id__in=sessions).delete()
    return sealed
