"""The watches of a web process, and the three ways in which they hear of appended events."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings

from sessions_app import timeline
from sessions_app.live import connections
from sessions_app.live.broadcast import Published, Watch, from_commit
from sessions_app.live.relay import Relay
from sessions_app.live.states import InThread, StudentPage, TeacherPage
from sessions_app.timeline import Appended, NewEvent

log = logging.getLogger(__name__)


class Hub:
    """Knows which sessions have a page open here. One per web process."""

    def __init__(self, in_thread: InThread) -> None:
        self._watches: dict[UUID, Watch] = {}
        self._in_thread = in_thread
        self._opening = asyncio.Lock()
        self._reader = connections.Lasting("reader")
        self._listener = asyncio.create_task(self._listen(), name="listen")
        self._relay = Relay(self._heard) if settings.REDIS_URL else None

    async def stop(self) -> None:
        self._listener.cancel()
        await asyncio.gather(self._listener, return_exceptions=True)
        if self._relay is not None:
            await self._relay.stop()
        for watch in self._watches.values():
            watch.stop()
        self._watches.clear()
        await self._reader.close()

    def pages(self) -> Iterable[TeacherPage | StudentPage]:
        for watch in self._watches.values():
            yield from watch.pages()

    async def open(self, session_id: UUID) -> Watch | None:
        """The watch of a session, or None where the session has no timeline.

        It ends when its last page is removed, so add the page before awaiting anything else.
        """
        async with self._opening:
            found = self._watches.get(session_id)
            if found is None:
                start = await self._reader.run(lambda db: timeline.position_batch(db, session_id))
                if start is None:
                    return None
                found = self._watches[session_id] = Watch(session_id, start, self._reader, self._in_thread)
                if self._relay is not None:
                    self._relay.join(session_id)
            return found

    def add_teacher(self, watch: Watch, page: TeacherPage) -> None:
        watch.teachers.add(page)

    def add_student(self, watch: Watch, page: StudentPage) -> None:
        watch.students.setdefault(page.student_session, set()).add(page)

    def remove_teacher(self, watch: Watch, page: TeacherPage) -> None:
        watch.teachers.discard(page)
        self._close_idle(watch)

    def remove_student(self, watch: Watch, page: StudentPage) -> None:
        of_student = watch.students.get(page.student_session, set())
        of_student.discard(page)
        if not of_student:
            watch.students.pop(page.student_session, None)
        self._close_idle(watch)

    def _close_idle(self, watch: Watch) -> None:
        """A session without pages is not watched any more."""
        if watch.idle and self._watches.get(watch.session_id) is watch:
            del self._watches[watch.session_id]
            watch.stop()
            if self._relay is not None:
                self._relay.leave(watch.session_id)

    def committed(self, written: list[tuple[NewEvent, Appended]]) -> None:
        """This process has written these events, in this order."""
        by_session: dict[UUID, Published] = {}
        for event, result in written:
            if event.session_id in self._watches or self._relay is not None:
                by_session.setdefault(event.session_id, []).append(from_commit(event, result))
        for session_id, events in by_session.items():
            self._heard(session_id, events)
            if self._relay is not None:
                self._relay.send(session_id, events)

    def _heard(self, session_id: UUID, events: list[dict[str, Any]]) -> None:
        watch = self._watches.get(session_id)
        if watch is not None:
            watch.publish(events)

    async def _listen(self) -> None:
        """NOTIFY from everything that appends, in this process and in others."""
        attempts = connections.pauses()
        while True:
            try:
                db = await connections.connect("listener")
                async with db:
                    await db.execute(f"LISTEN {timeline.CHANNEL}")
                    attempts = connections.pauses()
                    async for notice in db.notifies():
                        session_id, _first, last = notice.payload.split(" ")
                        watch = self._watches.get(UUID(session_id))
                        if watch is not None:
                            watch.nudge(int(last))
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                log.warning("the listener is not connected at the moment: %s", type(error).__name__)
            await anext(attempts)
