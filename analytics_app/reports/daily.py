"""What a study's days came to, condition by condition: the counts of which coverage, day and pace are made."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db import connection

from analytics_app.reports.runs import RUNS, Scope

_COUNTS: Final = f"""
WITH {RUNS}
SELECT r.code, r.location, (coalesce(r.began_at, r.joined_at) AT TIME ZONE %(zone)s)::date AS day,
    count(*), count(*) FILTER (WHERE started AND kept), count(*) FILTER (WHERE completed),
    count(*) FILTER (WHERE analysed), count(*) FILTER (WHERE kept AND verified),
    count(*) FILTER (WHERE kept AND outcome <> 'not_asked')
FROM runs r GROUP BY 1, 2, 3 ORDER BY 3, 1
"""
_STUDENTS: Final = f"""
WITH {RUNS}
SELECT r.code, count(DISTINCT r.student_id) FROM runs r WHERE started AND kept GROUP BY GROUPING SETS ((r.code), ())
"""


@dataclass(frozen=True, slots=True)
class DayCounts:
    """One condition on one day of the study's zone: students' sessions; those begun, completed, analysed; places
    verified, of those that were asked for."""

    code: str
    location: str
    day: date
    sessions: int
    started: int
    completed: int
    analysed: int
    verified: int
    asked: int


def daily_counts(scope: Scope) -> tuple[DayCounts, ...]:
    """In the order of days. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, scope.parameters() | {"zone": scope.zone.key})
        return tuple(DayCounts(*row) for row in cursor.fetchall())


def students_by_condition(scope: Scope) -> dict[str | None, int]:
    """Distinct students of each condition, and under None of all. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_STUDENTS, scope.parameters())
        return dict(cursor.fetchall())
