"""What the teacher's board says of students who read: who cannot be heard, who is stuck, who waits for a listener."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

STUCK_FOR = timedelta(seconds=25)
"""How long a struggle is shown, unless words came after it."""

SIGNS = """
SELECT student_session_id,
    (array_agg(payload->>'state' ORDER BY seq DESC) FILTER (WHERE event_type = 'microphone'))[1],
    (array_agg(payload->>'state' ORDER BY seq DESC) FILTER (WHERE event_type = 'listening'))[1],
    max(event_time) FILTER (WHERE event_type = 'words'),
    max(event_time) FILTER (WHERE event_type IN ('struggle', 'stuck')),
    (array_agg(payload->>'word' ORDER BY seq DESC) FILTER (WHERE event_type = 'struggle'))[1],
    bool_or(event_type IN ('reading_finished', 'reading_ended'))
FROM session_events
WHERE session_id = %s AND student_session_id IS NOT NULL AND event_type = ANY(%s)
GROUP BY student_session_id
"""
KINDS = ["microphone", "listening", "words", "struggle", "stuck", "reading_finished", "reading_ended"]


@dataclass(frozen=True, slots=True)
class ReadingSign:
    """What was last heard of a student's reading."""

    microphone: str | None
    listening: str | None
    words_at: datetime | None
    stuck_at: datetime | None
    word: str | None
    finished: bool


def signs(session_id: UUID) -> dict[UUID, ReadingSign]:
    """The last signs of each student who reads, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(SIGNS, (session_id, KINDS))
        return {student: ReadingSign(*row) for student, *row in cursor.fetchall()}


def needs(sign: ReadingSign, *, now: datetime) -> list[dict[str, str]]:
    """Why a reader needs a look, the most pressing first.

    The rule that pages print: stuck at a word in the last 25 seconds with no word since (act); a microphone that cannot
    be used (act); nothing but quiet, or all listeners busy (watch). Whoever has finished needs none.
    """
    if sign.finished:
        return []
    found = []
    if sign.microphone in TROUBLE:
        found.append({"kind": "act", "text": _("no microphone")})
    stuck = sign.stuck_at is not None and now - sign.stuck_at < STUCK_FOR
    if stuck and sign.stuck_at is not None and (sign.words_at is None or sign.words_at <= sign.stuck_at):
        text = _("stuck at “%(word)s”") % {"word": sign.word} if sign.word else _("is stuck")
        found.append({"kind": "act", "text": text})
    if sign.microphone == "silent":
        found.append({"kind": "watch", "text": _("nothing is heard")})
    if sign.listening == "waiting":
        found.append({"kind": "watch", "text": _("waits for a listener")})
    return found


TROUBLE = {"refused", "missing", "busy", "unsupported", "lost"}
