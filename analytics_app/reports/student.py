"""One student over time: each session attended, with the time spent in it and what was done."""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from analytics_app.reports.session import DID, presence
from sessions_app.models import LiveSession, Student, StudentSession
from sessions_app.timeline import StoredEvent

MOST_SESSIONS = 60

EVENTS = """
SELECT session_id, seq, event_type, event_time, late, student_session_id, payload
FROM session_events WHERE session_id = ANY(%s) AND student_session_id = ANY(%s) AND event_type = ANY(%s)
ORDER BY session_id, seq
"""
READ = [*sorted(DID), "help_request", "socket_opened", "socket_closed", "presence", "latency", "member_join"]


@dataclass(frozen=True, slots=True)
class Attended:
    """One session that a student joined. `share` is the percentage of its time with the page connected."""

    member: StudentSession
    session: LiveSession
    minutes: float
    share: float | None
    contributions: int
    drops: int
    help: int


@dataclass(frozen=True, slots=True)
class StudentReport:
    """Sessions, newest first; at most sixty."""

    student: Student
    sessions: tuple[Attended, ...]


def student_report(student: Student, visible: QuerySet[LiveSession]) -> StudentReport:
    """A student over the sessions that the reader may see. Two queries."""
    members = list(
        StudentSession.objects.filter(student=student, session__in=visible, session__started_at__isnull=False)
        .select_related("session", "session__school_class", "group")
        .order_by("-session__started_at")[:MOST_SESSIONS]
    )
    found: dict[UUID, list[StoredEvent]] = {member.session_id: [] for member in members}
    with connection.cursor() as cursor:
        cursor.execute(EVENTS, (list(found), [member.pk for member in members], READ))
        for session_id, seq, kind, at, late, who, data in cursor.fetchall():
            found[session_id].append(StoredEvent.from_row((seq, kind, at, late, who, data)))
    return StudentReport(student, tuple(_attended(member, found[member.session_id]) for member in members))


def _attended(member: StudentSession, events: list[StoredEvent]) -> Attended:
    session = member.session
    assert session.started_at is not None
    until = session.ended_at or (events[-1].at if events else session.started_at)
    inside = [
        (min(span.end, until) - max(span.start, session.started_at)).total_seconds()
        for span in presence(events, until=until)
    ]
    seconds = sum(max(0.0, each) for each in inside)
    length = (until - session.started_at).total_seconds()
    return Attended(
        member=member,
        session=session,
        minutes=seconds / 60,
        share=min(100.0, 100 * seconds / length) if length > 0 and events else None,
        contributions=sum(event.event in DID for event in events),
        drops=sum(e.event == "socket_closed" and e.data.get("code") not in {1000, 1001, 4409, 4412} for e in events),
        help=sum(event.event == "help_request" for event in events),
    )
