"""The readings that this process listens to, found by the student's session."""

import asyncio
import logging
from uuid import UUID

from django.utils import timezone

from sessions_app import speech_choice
from sessions_app.live.audio_intake import InThread
from sessions_app.live.helping import SchoolWording
from sessions_app.live.listening import Listener
from sessions_app.live.recorder import Recorder
from sessions_app.models.identity import uuid7
from sessions_app.reading import course

log = logging.getLogger(__name__)

STOP_WITHIN = 5.0


class Readers:
    """One per event loop; nothing starts before the first reading. `wording` words the help for who is stuck."""

    def __init__(self, in_thread: InThread, *, wording: SchoolWording) -> None:
        self.holder = uuid7()
        self._in_thread = in_thread
        self._wording = wording
        self._recorder: Recorder | None = None
        self._listeners: dict[UUID, Listener] = {}
        self._taking: dict[UUID, asyncio.Lock] = {}
        self._watching: set[asyncio.Task[None]] = set()

    @property
    def listening(self) -> int:
        return len(self._listeners)

    def of(self, student_session: UUID) -> Listener | None:
        """Who listens to this student here, if anybody does."""
        return self._listeners.get(student_session)

    async def take(self, student_session: UUID) -> Listener | None:
        """The listener of a student's reading, which is taken up where it is not yet; None where there is none."""
        async with self._taking.setdefault(student_session, asyncio.Lock()):
            found = self._listeners.get(student_session)
            if found is not None and not found.gone.is_set():
                return found
            taken = await self._in_thread(course.reading_take, student_session, holder=self.holder, now=timezone.now())
            if taken is None:
                return None
            if self._recorder is None:
                self._recorder = Recorder(self._in_thread, holder=self.holder)
            made = Listener(
                taken,
                holder=self.holder,
                recorder=self._recorder,
                in_thread=self._in_thread,
                transcriber=speech_choice.transcriber(),
                wording=self._wording,
            )
            self._listeners[student_session] = made
            task = asyncio.create_task(self._forget(student_session, made))
            self._watching.add(task)
            task.add_done_callback(self._watching.discard)
            return made

    async def stop(self) -> None:
        """Let go of every reading, and write what was submitted."""
        await asyncio.gather(*(listener.stop() for listener in list(self._listeners.values())))
        if self._recorder is not None:
            await self._recorder.stop(within=STOP_WITHIN)
        await speech_choice.transcriber_stop()

    async def _forget(self, student_session: UUID, listener: Listener) -> None:
        await listener.gone.wait()
        if self._listeners.get(student_session) is listener:
            del self._listeners[student_session]
            self._taking.pop(student_session, None)
