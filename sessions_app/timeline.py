"""Append to a session's timeline, and read it from a position: the only writer of `SessionEvent`.

An append locks the session's counter row, gives out the next sequence numbers under that lock, and inserts, all in the
caller's transaction. So `seq` is gapless and in commit order: whoever has seen n has missed nothing below it. The same
statement serves the group commit of a web process (`append_batch`) and a domain function in a transaction of its own
(`append`), which must call it last: counter rows come last in the lock order.

Every append says so by NOTIFY on `CHANNEL` in its transaction: `<session> <first seq> <last seq>`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from django.db import connection

from sessions_app.events import Event
from sessions_app.models import LiveSession, SessionCounter, StudentSession, User
from sessions_app.models.identity import uuid7
from sessions_app.models.session import LATE_EVENTS_FOR

CHANNEL = "lyceum_timeline"

LOCK = "SELECT session_id FROM sessions_app_sessioncounter WHERE session_id = ANY(%s) ORDER BY session_id FOR UPDATE"

APPEND = """
WITH incoming AS MATERIALIZED (
    SELECT * FROM ROWS FROM (
        json_to_recordset(%s::json) AS (
            id uuid, session_id uuid, sender uuid, key uuid, happened_at timestamptz, client_time timestamptz,
            received_at timestamptz, event jsonb, student_session_id uuid
        ),
        unnest(%s::text[]), unnest(%s::text[])
    ) WITH ORDINALITY AS t(
        id, session_id, sender, key, happened_at, client_time, received_at, payload, student_session_id, event_type,
        purpose, ord
    )
), judged AS MATERIALIZED (
    SELECT i.*, c.last_seq, c.school_id, c.teacher_id, c.opened_at, c.ended_at, e.seq AS stored_seq,
        e.event_time AS stored_time, e.event_type AS stored_type,
        CASE
            WHEN c.session_id IS NULL THEN 'no_such_session'
            WHEN e.seq IS NOT NULL AND (e.event_type = 'action_refused' OR e.event_type = i.event_type
                AND e.payload IS NOT DISTINCT FROM i.payload) THEN 'stored'
            WHEN e.seq IS NOT NULL THEN 'key_reused'
            WHEN i.key IS NOT NULL AND i.received_at > c.ended_at + %s::interval
                THEN 'session_over'
            WHEN i.purpose IS NOT NULL AND NOT EXISTS (
                SELECT FROM sessions_app_studentsession s
                JOIN sessions_app_consentstate a USING (student_id)
                WHERE s.id = i.student_session_id AND a.purpose = i.purpose AND a.granted
            ) THEN 'consent_missing'
            ELSE 'new'
        END AS verdict
    FROM incoming i
    LEFT JOIN sessions_app_sessioncounter c USING (session_id)
    LEFT JOIN session_events e ON e.session_id = i.session_id AND e.sender = i.sender AND e.key = i.key
), numbered AS MATERIALIZED (
    SELECT *, last_seq + row_number() OVER (PARTITION BY session_id ORDER BY ord) AS seq,
        greatest(least(happened_at, received_at), least(opened_at, received_at)) AS event_time,
        coalesce(received_at > ended_at AND event_type <> 'ended', false) AS late
    FROM judged WHERE verdict = 'new'
), inserted AS (
    INSERT INTO session_events (id, session_id, school_id, teacher_id, student_session_id, seq, event_type, event_time,
        client_time, payload, late, sender, key, created_at)
    SELECT id, session_id, school_id, teacher_id, student_session_id, seq, event_type, event_time,
        client_time, payload, late, sender, key, received_at
    FROM numbered
), advanced AS (
    UPDATE sessions_app_sessioncounter c SET last_seq = n.last
    FROM (SELECT session_id, max(seq) AS last FROM numbered GROUP BY session_id) n
    WHERE c.session_id = n.session_id
)
SELECT j.verdict, coalesce(n.seq, j.stored_seq), coalesce(n.event_time, j.stored_time), coalesce(n.late, false),
    j.stored_type
FROM judged j LEFT JOIN numbered n USING (ord) CROSS JOIN (
    SELECT count(pg_notify(%s, concat_ws(' ', r.session_id, r.first, r.last)))
    FROM (SELECT session_id, min(seq) AS first, max(seq) AS last FROM numbered GROUP BY session_id) r
) told
ORDER BY j.ord
"""

READ = """
SELECT seq, event_type, event_time, late, student_session_id, payload
FROM session_events WHERE session_id = %s AND seq > %s ORDER BY seq LIMIT %s
"""


class NewEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event on its way into the timeline. Times are aware; `happened_at` is the client's clock, corrected."""

    session_id: UUID
    event: Event
    received_at: datetime
    happened_at: datetime
    client_time: datetime | None = None
    sender: UUID | None = None
    key: UUID | None = None
    student_session_id: UUID | None = None
    id: UUID = msgspec.field(default_factory=uuid7)


class Appended(msgspec.Struct, frozen=True):
    """What became of one event.

    `verdict` is `new`, `stored` (the key came before with the same content: `seq` is its place; `stored_type` tells an
    action that was refused then), or why it was not written: `key_reused`, `consent_missing`, `session_over`,
    `no_such_session`.
    """

    verdict: str
    seq: int | None
    event_time: datetime | None
    late: bool
    stored_type: str | None

    @property
    def written(self) -> bool:
        return self.verdict in {"new", "stored"}


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A row of the timeline as pages and sockets read it."""

    seq: int
    event: str
    at: datetime
    late: bool
    student: UUID | None
    data: dict[str, Any]

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> "StoredEvent":
        """Of (seq, event_type, event_time, late, student_session_id, payload); jsonb comes as text or decoded."""
        seq, kind, at, late, student, data = row
        if isinstance(data, (str, bytes)):
            data = msgspec.json.decode(data)
        return cls(seq, kind, at, late, student, data or {})


def _parameters(events: Sequence[NewEvent]) -> tuple[Any, ...]:
    """The batch as one JSON text, which is made and read at a fraction of the cost of an array per column."""
    return (
        msgspec.json.encode(events).decode(),
        _names(e.event.KIND for e in events),
        _names(e.event.PURPOSE for e in events),
        LATE_EVENTS_FOR,
        CHANNEL,
    )


def _names(values: Iterable[str | None]) -> str:
    """An array literal of our own names, which need no quoting."""
    return "{" + ",".join([value or "NULL" for value in values]) + "}"


def open_timeline(session: LiveSession, *, opened_at: datetime) -> None:
    """Give a session its counter row; its first event becomes seq 1."""
    SessionCounter.objects.create(
        session=session, school_id=session.school_id, teacher_id=session.teacher_id, opened_at=opened_at
    )


def close_timeline(session: LiveSession, *, ended_at: datetime) -> None:
    """Let what arrives from now on be late. Locks the counter row, so call it after all other writes."""
    SessionCounter.objects.filter(session=session).update(ended_at=ended_at)


def append(events: Sequence[NewEvent]) -> list[Appended]:
    """Append in the caller's transaction, as its last write; one result per event, in order."""
    if not connection.in_atomic_block:
        raise RuntimeError("timeline.append must be called in a transaction")
    with connection.cursor() as cursor:
        cursor.execute(LOCK, (sorted({e.session_id for e in events}),))
        cursor.execute(APPEND, _parameters(events))
        return [Appended(*row) for row in cursor.fetchall()]


def record(
    session: LiveSession, *happened: Event, at: datetime, about: StudentSession | None = None, by: User | None = None
) -> list[Appended]:
    """Append what Lyceum itself has to say about a session, as the last write of the caller's transaction."""
    return append(
        [
            NewEvent(
                session_id=session.pk,
                event=event,
                received_at=at,
                happened_at=at,
                sender=by.pk if by else None,
                student_session_id=about.pk if about else None,
            )
            for event in happened
        ]
    )


async def append_batch(db: psycopg.AsyncConnection[Any], events: Sequence[NewEvent]) -> list[Appended]:
    """Append in one transaction and one round trip on a connection of the caller's; committed when it returns."""
    async with db.pipeline(), db.transaction():
        await db.execute(LOCK, (sorted({e.session_id for e in events}),))
        cursor = await db.execute(APPEND, _parameters(events))
        rows = await cursor.fetchall()
    return [Appended(*row) for row in rows]


def read(session_id: UUID, *, after: int = 0, limit: int = 5000) -> list[StoredEvent]:
    """Events with seq > `after`, in order, at most `limit`."""
    with connection.cursor() as cursor:
        cursor.execute(READ, (session_id, after, limit))
        return [StoredEvent.from_row(row) for row in cursor.fetchall()]


async def read_batch(
    db: psycopg.AsyncConnection[Any], session_id: UUID, *, after: int, limit: int = 5000
) -> list[StoredEvent]:
    """`read`, on a connection of the caller's."""
    cursor = await db.execute(READ, (session_id, after, limit))
    return [StoredEvent.from_row(row) for row in await cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Position:
    """Where a timeline stands. Another `epoch` than before means that it was restored: read again from 1."""

    epoch: UUID
    seq: int


def position(session_id: UUID) -> Position | None:
    """The last committed place of a session's timeline, or None while it is a draft."""
    row = SessionCounter.objects.filter(session_id=session_id).values_list("epoch", "last_seq").first()
    return Position(*row) if row else None


def position_of_student(student_session_id: UUID) -> int:
    """The last committed place of the timeline that a student session belongs to; 0 where there is none."""
    seq = SessionCounter.objects.filter(session__student_sessions=student_session_id).values_list("last_seq", flat=True)
    return seq.first() or 0


async def position_batch(db: psycopg.AsyncConnection[Any], session_id: UUID) -> Position | None:
    """`position`, on a connection of the caller's."""
    cursor = await db.execute(
        "SELECT epoch, last_seq FROM sessions_app_sessioncounter WHERE session_id = %s", (session_id,)
    )
    row = await cursor.fetchone()
    return Position(*row) if row else None


def stored(session_id: UUID, *, sender: UUID, key: UUID) -> tuple[int, str, dict[str, Any]] | None:
    """What a key of a sender was used for: (seq, event kind, data), or None."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq, event_type, payload FROM session_events WHERE session_id = %s AND sender = %s AND key = %s",
            (session_id, sender, key),
        )
        row = cursor.fetchone()
    if row is None:
        return None
    seq, kind, data = row
    return seq, kind, msgspec.json.decode(data) if isinstance(data, (str, bytes)) else (data or {})
