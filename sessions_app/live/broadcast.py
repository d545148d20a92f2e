"""What was appended reaches the pages that look at it.

One `Watch` per session that has a page open in this process. It is told of appended events by this process's own
commits (with the events), by NOTIFY (with their positions), and, where Redis is set, by other processes (with the
events). It passes them on in order and without a gap: what it was not given, it reads from the table. Frames are
coalesced to a tenth of a second and encoded once for all pages.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol
from uuid import UUID

from sessions_app import roster, timeline
from sessions_app.events import KINDS, Event, MemberRemoved, SocketOpened, TakeoverGranted
from sessions_app.live import connections, protocol
from sessions_app.live.ingest import Busy
from sessions_app.models import LiveSession
from sessions_app.timeline import Appended, NewEvent, Position, StoredEvent
from sessions_app.wire import Encoder

log = logging.getLogger(__name__)

COALESCE = 0.1  # seconds between frames to a page
BOARD_EVERY = 1.0  # seconds between two states of the board
BOARD_AT_LEAST_EVERY = 15.0  # so that a student who fell silent is seen to have
POSITION_EVERY = 5.0
READ_AT_ONCE = 1000

NOT_NOW = (Busy, *protocol.DATABASE_AWAY)

Published = list[dict[str, Any]]
InThread = Callable[..., Coroutine[Any, Any, Any]]


def as_published(found: StoredEvent) -> dict[str, Any]:
    """An event as frames carry it: `{seq, event, at, late, student, data}`."""
    return {
        "seq": found.seq, "event": found.event, "at": found.at, "late": found.late, "student": found.student,
        "data": found.data,
    }  # fmt: skip


def from_commit(event: NewEvent, result: Appended) -> dict[str, Any]:
    """The same, of an event that this process has just written."""
    return {
        "seq": result.seq, "event": event.event.KIND, "at": result.event_time, "late": result.late,
        "student": event.student_session_id, "data": event.event,
    }  # fmt: skip


class TeacherPage(Protocol):
    """A teacher's socket, as a watch sees it. `position` is the last event that it was sent."""

    position: int
    live: bool

    def push(self, frame: str) -> None: ...
    def end(self, code: protocol.Close) -> None: ...
    def leave(self, code: protocol.Close) -> None: ...


class StudentPage(Protocol):
    """A student's socket, as a watch sees it."""

    student_session: UUID
    connection: UUID

    def push_state(self, state: dict[str, Any]) -> None: ...
    def recheck(self) -> None: ...
    def noticed(self, kind: type[Event], data: Event | dict[str, Any]) -> None: ...
    def end(self, code: protocol.Close) -> None: ...
    def leave(self, code: protocol.Close) -> None: ...


class Watch:
    """One session with at least one page open in this process.

    `seq` is the last event known, without a gap; `_sent` the last that was put into a frame, and what lies between them
    is pending. A live page has everything up to `_sent`, so that the next frame follows on; one that has not reads the
    table first (`catch_up`).
    """

    def __init__(self, session_id: UUID, start: Position, reader: connections.Lasting, in_thread: InThread) -> None:
        self.session_id = session_id
        self.epoch = start.epoch
        self.seq = start.seq
        self.teachers: set[TeacherPage] = set()
        self.students: dict[UUID, set[StudentPage]] = {}
        self._sent = start.seq
        self._told = start.seq
        self._pending: Published = []
        self._reading = False
        self._catching_up: set[TeacherPage] = set()
        self._reader = reader
        self._in_thread = in_thread
        self._wake = asyncio.Event()
        self._board_due = asyncio.Event()
        self._students_due = asyncio.Event()
        self._due: set[UUID] = set()
        self._all_due = False
        self._tasks = {
            asyncio.create_task(work(), name=f"watch {work.__name__}")
            for work in (self._pump, self._positions, self._boards, self._student_states)
        }

    @property
    def idle(self) -> bool:
        return not self.teachers and not self.students

    def pages(self) -> Iterable[TeacherPage | StudentPage]:
        yield from self.teachers
        for of_student in self.students.values():
            yield from of_student

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    def publish(self, events: Published) -> None:
        """Events in order, as they were appended. Those already known are dropped; a gap is read from the table."""
        fresh = [event for event in events if event["seq"] > self.seq]
        if not fresh:
            return
        if not self._reading and fresh[0]["seq"] == self.seq + 1:
            self._take(fresh)
        else:
            self._told = max(self._told, fresh[-1]["seq"])
        self._wake.set()

    def nudge(self, last: int) -> None:
        """Somebody appended up to `last`."""
        if last > self.seq:
            self._told = max(self._told, last)
            self._wake.set()

    def resume(self, page: TeacherPage, *, epoch: UUID | None, after: int) -> None:
        """Send a page everything behind `after` (from the beginning where its epoch is another), then go on live.

        A page that comes from another process may be ahead of what this one was told of.
        """
        page.live = False
        page.position = after if epoch == self.epoch else 0
        self._board_due.set()
        if page not in self._catching_up:
            self._catching_up.add(page)
            self._spawn(self._catch_up(page))

    def student_changed(self, student: UUID) -> None:
        """Give one student's pages their state soon."""
        self._due.add(student)
        self._students_due.set()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _take(self, events: Published) -> None:
        self.seq = events[-1]["seq"]
        self._told = max(self._told, self.seq)
        if self.teachers:
            self._pending += events
        else:
            self._pending = []
            self._sent = self.seq
        for event in events:
            self._notice(event, KINDS.get(event["event"]))

    def _notice(self, event: dict[str, Any], kind: type[Event] | None) -> None:
        """What an event means for the pages beyond its place in the timeline."""
        if kind is None:
            return
        if kind.CHANGES_BOARD:
            self._board_due.set()
        if kind.PUSHES_STATE:
            self._all_due = True
            self._students_due.set()
        elif kind.PUSHES_OWN_STATE:
            self.student_changed(event["student"])
        pages = list(self.students.get(event["student"], ()))
        if kind.CONCERNS_READING:
            for page in pages if event["student"] else [page for of in self.students.values() for page in of]:
                page.noticed(kind, event["data"])
        if kind in {MemberRemoved, TakeoverGranted}:
            # The device that took over may be connected before this is heard of: the tickets tell the two apart.
            for page in pages:
                page.recheck()
        elif kind is SocketOpened:
            data = event["data"]
            newest = data.connection if isinstance(data, SocketOpened) else UUID(data["connection"])
            for page in pages:
                if page.connection < newest:  # numbered by UUIDv7: the older one is smaller
                    page.end(protocol.Close.OTHER_DEVICE)

    async def _pump(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(COALESCE)
            self._wake.clear()
            await self._read_gap()
            pending, self._pending = self._pending, []
            if not pending:
                continue
            base, self._sent = self._sent, pending[-1]["seq"]
            frame = protocol.events(self.epoch, pending)
            for page in [page for page in self.teachers if page.live]:
                if page.position == base:
                    page.push(frame)
                elif page.position < self._sent:
                    rest = [event for event in pending if event["seq"] > page.position]
                    page.push(protocol.events(self.epoch, rest))
                page.position = max(page.position, self._sent)

    async def _read_gap(self) -> None:
        """Read what this process was told of but not given."""
        attempts = connections.pauses()
        while self._told > self.seq:
            self._reading = True
            try:
                found = await self._read(self.seq)
            except protocol.LOST:
                await anext(attempts)
                continue
            finally:
                self._reading = False
            if not found:
                self._told = self.seq
                return
            self._take([as_published(event) for event in found])

    async def _catch_up(self, page: TeacherPage) -> None:
        attempts = connections.pauses()
        while page in self.teachers and page.position < self._sent:
            epoch, after = self.epoch, page.position
            try:
                found = await self._read(after)
            except protocol.LOST:
                await anext(attempts)
                continue
            if page.position != after or self.epoch != epoch:
                continue  # it asked again, or the timeline was restored, while this was read
            found = [event for event in found if event.seq <= self._sent]
            if not found:
                page.position = self._sent
                continue
            page.position = found[-1].seq
            page.push(protocol.events(self.epoch, [as_published(event) for event in found]))
        page.live = True
        self._catching_up.discard(page)

    async def _read(self, after: int) -> list[StoredEvent]:
        return await self._reader.run(
            lambda db: timeline.read_batch(db, self.session_id, after=after, limit=READ_AT_ONCE)
        )

    async def _positions(self) -> None:
        """Tell pages every five seconds where the timeline stands; what no message told of is found here."""
        while True:
            await asyncio.sleep(POSITION_EVERY)
            if not self.teachers and not self.students:
                continue
            try:
                now = await self._reader.run(lambda db: timeline.position_batch(db, self.session_id))
            except protocol.LOST:
                continue
            if now is None:
                for gone in list(self.pages()):
                    gone.end(protocol.Close.NO_SUCH_SESSION)
                continue
            restored = now.epoch != self.epoch
            if restored:
                log.warning("the timeline of session %s was restored; its pages read it again", self.session_id)
                self.epoch = now.epoch
                self.seq = self._sent = self._told = now.seq
                self._pending = []
                for page in self.teachers:
                    page.live = False
            self.nudge(now.seq)
            frame = protocol.position(self.epoch, self._sent)
            for page in self.teachers:
                if page.live or restored:
                    page.push(frame)

    async def _boards(self) -> None:
        """Give teachers' pages the state of the board when it changed, and now and then anyway."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._board_due.wait(), BOARD_AT_LEAST_EVERY)
            self._board_due.clear()
            if self.teachers:
                try:
                    frame = await self._in_thread(_board_frame, self.session_id)
                except LiveSession.DoesNotExist:
                    continue
                except NOT_NOW:
                    log.warning("the state of session %s cannot be read at the moment", self.session_id)
                    self._board_due.set()
                else:
                    for page in self.teachers:
                        page.push(frame)
            await asyncio.sleep(BOARD_EVERY)

    async def _student_states(self) -> None:
        """Give students' pages their state when something of it changed."""
        while True:
            await self._students_due.wait()
            await asyncio.sleep(COALESCE)
            self._students_due.clear()
            everybody, self._all_due = self._all_due, False
            due, self._due = self._due, set()
            wanted = list(self.students) if everybody else [student for student in due if student in self.students]
            if not wanted:
                continue
            try:
                states = await self._in_thread(_student_states, self.session_id, wanted)
            except NOT_NOW:
                log.warning("the states of students in session %s cannot be read at the moment", self.session_id)
                await asyncio.sleep(BOARD_EVERY)
                self._all_due |= everybody
                self._due |= due
                self._students_due.set()
                continue
            for student, state in states.items():
                for page in list(self.students.get(student, ())):
                    page.push_state(state)


def _board_frame(session_id: UUID) -> str:
    return Encoder.text(roster.board_state(LiveSession.objects.select_related("study").get(pk=session_id)))


def _student_states(session_id: UUID, ids: list[UUID]) -> dict[UUID, dict[str, Any]]:
    return roster.student_states(roster.students_of(session_id, ids))
