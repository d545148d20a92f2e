"""The watches of a web process, and the three ways in which they hear of appended events."""

import asyncio
import logging
import os
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg
from channels.layers import get_channel_layer
from django.conf import settings

from sessions_app import timeline
from sessions_app.live import connections, groups
from sessions_app.live.broadcast import InThread, StudentPage, TeacherPage, Watch, from_commit
from sessions_app.timeline import Appended, NewEvent

log = logging.getLogger(__name__)


class Hub:
    """Knows which sessions have a page open here. One per web process."""

    def __init__(self, in_thread: InThread) -> None:
        self._watches: dict[UUID, Watch] = {}
        self._in_thread = in_thread
        self._opening = asyncio.Lock()
        self._reader = connections.Lasting("reader")
        self._process = f"{os.getpid()}-{uuid4().hex[:8]}"
        self._tasks: set[asyncio.Task[None]] = {asyncio.create_task(self._listen(), name="listen")}
        self._layer = get_channel_layer() if settings.REDIS_URL else None
        self._channel = ""
        if self._layer is not None:
            self._tasks.add(asyncio.create_task(self._receive(), name="receive"))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for watch in self._watches.values():
            watch.stop()
        self._watches.clear()
        await self._reader.close()

    def watch(self, session_id: UUID) -> Watch | None:
        return self._watches.get(session_id)

    def pages(self) -> Iterable[TeacherPage | StudentPage]:
        for watch in self._watches.values():
            yield from watch.teachers
            for of_student in watch.students.values():
                yield from of_student

    async def open(self, session_id: UUID) -> Watch | None:
        """The watch of a session, or None where the session has no timeline."""
        async with self._opening:
            found = self._watches.get(session_id)
            if found is None:
                start = await self._reader.run(lambda db: timeline.position_batch(db, session_id))
                if start is None:
                    return None
                found = self._watches[session_id] = Watch(session_id, start, self._reader, self._in_thread)
                if self._layer is not None and self._channel:
                    await self._layer.group_add(groups.session(session_id), self._channel)
            return found

    def add_student(self, watch: Watch, page: StudentPage) -> None:
        watch.students.setdefault(page.student_session, set()).add(page)

    def remove(self, watch: Watch, page: Any) -> None:
        """A page was closed. A session without pages is not watched any more."""
        watch.teachers.discard(page)
        student = getattr(page, "student_session", None)
        if student in watch.students:
            watch.students[student].discard(page)
            if not watch.students[student]:
                del watch.students[student]
        if watch.idle and self._watches.get(watch.session_id) is watch:
            del self._watches[watch.session_id]
            watch.stop()
            if self._layer is not None:
                self._keep(self._layer.group_discard(groups.session(watch.session_id), self._channel))

    def committed(self, written: list[tuple[NewEvent, Appended]]) -> None:
        """This process has written these events, in this order."""
        by_session: dict[UUID, list[dict[str, Any]]] = {}
        for event, result in written:
            if event.session_id in self._watches or self._layer is not None:
                by_session.setdefault(event.session_id, []).append(from_commit(event, result))
        for session_id, events in by_session.items():
            watch = self._watches.get(session_id)
            if watch is not None:
                watch.publish(events)
            if self._layer is not None:
                message = {
                    "type": "timeline.appended",
                    "process": self._process,
                    "session": str(session_id),
                    "events": msgspec.json.encode(events),
                }
                self._keep(self._layer.group_send(groups.session(session_id), message))

    def _keep(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

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

    async def _receive(self) -> None:
        """Events that other processes wrote, where Redis carries them. What it loses, NOTIFY makes up for."""
        layer = self._layer
        assert layer is not None
        self._channel = await layer.new_channel("lyceum")
        for session_id in self._watches:
            await layer.group_add(groups.session(session_id), self._channel)
        while True:
            message = await layer.receive(self._channel)
            watch = self._watches.get(UUID(message["session"]))
            if watch is not None and message["process"] != self._process:
                watch.publish(groups.published(message["events"]))
