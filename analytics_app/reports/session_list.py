"""The runs of a study as a list: narrowed, sorted, and a page at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection

from analytics_app.reports.runs import RUNS, Scope

SORTS: Final[Mapping[str, str]] = {
    "time": "at", "condition": "code", "student": "pseudonym", "baseline": "baseline", "final": "final",
    "gain": "gain", "flags": "flags",
}  # fmt: skip
STATES: Final[Mapping[str, str]] = {
    "": "true", "analysed": "analysed", "completed": "completed", "unfinished": "NOT completed",
    "left-out": "NOT analysed", "flagged": "flags > 0",
}  # fmt: skip

_LISTED: Final = f"""
WITH {RUNS}, listed AS (
    SELECT r.id, coalesce(r.began_at, r.joined_at) AS at, r.code, r.location, r.arm, r.student_id, p.pseudonym,
        started, completed, analysed, taken_out, r.is_simulated, baseline, final, gain,
        (SELECT count(*) FROM sessions_app_qualityflag q WHERE q.student_session_id = r.id) AS flags
    FROM runs r LEFT JOIN sessions_app_student p ON p.id = r.student_id
    WHERE NOT withdrawn
)
"""


@dataclass(frozen=True, slots=True)
class Listed:
    """One run in the list. `student` is None where the person was erased."""

    id: UUID
    at: datetime
    code: str
    location: str
    arm: str
    student: UUID | None
    pseudonym: str | None
    started: bool
    completed: bool
    analysed: bool
    taken_out: bool
    simulated: bool
    baseline: float | None
    final: float | None
    gain: float | None
    flags: int


@dataclass(frozen=True, slots=True)
class SessionList:
    """A sequence that a paginator cuts into pages: one query for its length, one for a slice."""

    scope: Scope
    state: str = ""
    sort: str = "time"
    descending: bool = True

    def __len__(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"{_LISTED} SELECT count(*) FROM listed WHERE {STATES[self.state]}", self.scope.parameters())
            return int(cursor.fetchone()[0])

    def __getitem__(self, part: slice) -> list[Listed]:
        direction = "DESC" if self.descending else "ASC"
        sql = f"""
            {_LISTED} SELECT * FROM listed WHERE {STATES[self.state]}
            ORDER BY {SORTS[self.sort]} {direction} NULLS LAST, id {direction} LIMIT %(most)s OFFSET %(first)s
        """
        first, last = part.start or 0, part.stop
        with connection.cursor() as cursor:
            cursor.execute(sql, self.scope.parameters() | {"first": first, "most": last - first})
            return [Listed(*row) for row in cursor.fetchall()]
