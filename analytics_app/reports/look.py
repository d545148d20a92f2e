"""Students of a teacher's sessions of the last 24 hours who need a look."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from sessions_app.events import CONTRIBUTIONS
from sessions_app.models import LiveSession

SINCE = timedelta(hours=24)
LITTLE = 0.5
MOST = 12

FOUND = """
SELECT m.id, m.student_id, m.label, m.session_id, count(*) FILTER (WHERE e.event_type = 'help_request'),
    count(*) FILTER (WHERE e.event_type = ANY(%(contributions)s)),
    extract(epoch FROM max(e.event_time) FILTER (WHERE NOT e.late) - min(e.event_time))
FROM sessions_app_studentsession m
JOIN session_events e ON e.session_id = m.session_id AND e.student_session_id = m.id
WHERE m.session_id = ANY(%(sessions)s) AND m.removed_at IS NULL AND m.student_id IS NOT NULL
GROUP BY m.id, m.student_id, m.label, m.session_id
"""


def rule() -> str:
    """The rule in words, as the page prints it."""
    return _(
        "Of your sessions that ended in the last 24 hours: who asked for help twice or more (act); who contributed "
        "nothing, or was there for less than half of the session (watch)."
    )


@dataclass(frozen=True, slots=True)
class Look:
    """Why one student of one session needs a look; `kind` is `act` or `watch`."""

    student: UUID
    label: str
    kind: str
    because: str
    session: LiveSession
    at: datetime


def students_to_look_at(sessions: list[LiveSession]) -> list[Look]:
    """Those of ended sessions, the most pressing first, at most twelve. One query."""
    ended = {s.pk: s for s in sessions if s.started_at and s.ended_at}
    if not ended:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            FOUND,
            {"sessions": list(ended), "contributions": list(CONTRIBUTIONS)},
        )
        rows = cursor.fetchall()
    found = []
    for _member, student, label, session_id, helps, contributions, seconds in rows:
        session = ended[session_id]
        assert session.started_at is not None
        assert session.ended_at is not None
        length = (session.ended_at - session.started_at).total_seconds()
        if helps >= 2:
            because = _("asked for help %(times)s times") % {"times": helps}
            found.append(Look(student, label, "act", because, session, session.ended_at))
        elif not contributions:
            found.append(Look(student, label, "watch", _("contributed nothing"), session, session.ended_at))
        elif length and float(seconds or 0) < LITTLE * length:
            minutes = {"minutes": round(float(seconds or 0) / 60)}
            because = _("was there for %(minutes)s minutes only") % minutes
            found.append(Look(student, label, "watch", because, session, session.ended_at))
    return sorted(found, key=lambda look: (look.kind, -look.at.timestamp(), look.label))[:MOST]
