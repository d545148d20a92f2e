"""What was appended reaches the pages that look at it.

One `Watch` per session that has a page open in this process. It is told of appended events by this process's own
commits (with the events), by NOTIFY (with their positions), and, where Redis is set, by other processes (with the
events). It passes them on in order and without a gap: what it was not given, it reads from the table. Frames are
coalesced to a tenth of a second and encoded once for all pages.
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from typing import Any
from uuid import UUID

from sessions_app import timeline
from sessions_app.events import KINDS, Event, MemberRemoved, SocketOpened, TakeoverGranted
from sessions_app.live import connections, protocol
from sessions_app.live.states import COALESCE, InThread, States, StudentPage, TeacherPage
from sessions_app.timeline import Appended, NewEvent, Position, StoredEvent

log = logging.getLogger(__name__)

POSITION_EVERY = 5.0
READ_AT_ONCE = 1000

Published = list[dict[str, Any]]


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
        self._states = States(session_id, self.teachers, self.students, in_thread)
        self._wake = asyncio.Event()
        self._tasks = {
            asyncio.create_task(work(), name=f"watch {work.__name__}")
            for work in (self._pump, self._positions, self._states.boards, self._states.students)
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
        self._states.board_changed()
        if page not in self._catching_up:
            self._catching_up.add(page)
            self._spawn(self._catch_up(page))

    def student_changed(self, student: UUID) -> None:
        """Give one student's pages their state soon."""
        self._states.student_changed(student)

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
            self._states.board_changed()
        if kind.PUSHES_STATE:
            self._states.everybody_changed()
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
