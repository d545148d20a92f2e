"""One session from its timeline: who was there when, and what each student did."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from sessions_app import timeline
from sessions_app.events import KINDS, Progress
from sessions_app.models import LiveSession, StudentSession
from sessions_app.timeline import StoredEvent

READ_AT_ONCE = 5000
SHOWN_AS_MARKS = ("ready", "leader_ready", "help_request", "attention_confirmed", "action_refused", "client_error")
DID = {kind for kind, event in KINDS.items() if event.CONTRIBUTION} | {Progress.KIND, "attention_confirmed"}
"""What the report counts as having done something: contributions, progress, and answers to attention checks."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time with the page connected; `hidden` where the student had left it."""

    start: datetime
    end: datetime
    hidden: bool = False

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()


@dataclass(slots=True)
class StudentRow:
    """One student in one session. `share` is the percentage of the session's time with the page connected."""

    member: StudentSession
    spans: list[Span] = field(default_factory=list)
    marks: list[tuple[datetime, str]] = field(default_factory=list)
    contributions: int = 0
    page_left: int = 0
    drops: int = 0
    help: int = 0
    late: int = 0
    minutes: float = 0.0
    share: float | None = None


@dataclass(frozen=True, slots=True)
class SessionReport:
    """A session as it went, or so far. Times are aware; `end` is now while the session runs."""

    session: LiveSession
    start: datetime
    end: datetime
    rows: tuple[StudentRow, ...]
    events: tuple[StoredEvent, ...]

    @property
    def minutes(self) -> float:
        return (self.end - self.start).total_seconds() / 60

    @property
    def mean_share(self) -> float | None:
        shares = [row.share for row in self.rows if row.share is not None]
        return sum(shares) / len(shares) if shares else None


def session_report(session: LiveSession, *, now: datetime | None = None) -> SessionReport:
    """The report of a session that has been started. One query for the students, one for each 5,000 events."""
    moment = now or timezone.now()
    start = session.started_at or session.configured_at or moment
    end = session.ended_at or moment
    members = list(StudentSession.objects.filter(session=session).select_related("group", "student").order_by("label"))
    events = tuple(_all_events(session.pk))
    by_student: dict[UUID, list[StoredEvent]] = defaultdict(list)
    for event in events:
        if event.student is not None:
            by_student[event.student].append(event)
    rows = tuple(_row(member, by_student[member.pk], start, end) for member in members)
    return SessionReport(session, start, end, rows, events)


def _all_events(session_id: UUID) -> Iterable[StoredEvent]:
    after = 0
    while found := timeline.read(session_id, after=after, limit=READ_AT_ONCE):
        yield from found
        after = found[-1].seq


def _row(member: StudentSession, events: Sequence[StoredEvent], start: datetime, end: datetime) -> StudentRow:
    row = StudentRow(member, spans=presence(events, until=end))
    for event in events:
        row.contributions += event.event in DID
        row.page_left += event.event == "presence" and event.data.get("visible") is False
        row.drops += event.event == "socket_closed" and event.data.get("code") not in {1000, 1001, 4409, 4412}
        row.help += event.event == "help_request"
        row.late += event.late
        if event.event in SHOWN_AS_MARKS:
            row.marks.append((event.at, event.event))
    inside = [(max(span.start, start), min(span.end, end)) for span in row.spans]
    seconds = sum(max(0.0, (until - since).total_seconds()) for since, until in inside)
    row.minutes = seconds / 60
    length = (end - start).total_seconds()
    row.share = min(100.0, 100 * seconds / length) if length > 0 and events else None
    return row


def presence(events: Sequence[StoredEvent], *, until: datetime) -> list[Span]:
    """When a student's page was connected, cut where it was hidden.

    The newest connection counts. One whose closing was never written lasts until the student's last event, or until
    `until` where that is no more than a minute ago.
    """
    spans: list[Span] = []
    since: datetime | None = None
    hidden, connection, last = False, None, None

    def close(at: datetime) -> None:
        nonlocal since
        if since is not None and at > since:
            spans.append(Span(since, at, hidden))
        since = None

    for event in sorted(events, key=lambda e: (e.at, e.seq)):
        if event.late or event.at > until:
            break
        if event.event == "socket_opened":
            close(event.at)
            since, hidden, connection = event.at, False, event.data.get("connection")
        elif event.event == "socket_closed" and event.data.get("connection") == connection:
            close(event.at)
        elif event.event == "presence" and since is not None and hidden == bool(event.data.get("visible")):
            close(event.at)
            since, hidden = event.at, not hidden
        last = event.at
    if last is not None:
        close(until if until - last < timedelta(minutes=1) else last)
    return spans
