"""The states of a session's pages: the board of its teachers, and each student's own, read when they changed."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol
from uuid import UUID

from sessions_app import roster
from sessions_app.events import Event
from sessions_app.live import protocol
from sessions_app.live.ingest import Busy
from sessions_app.models import LiveSession
from sessions_app.wire import Encoder

log = logging.getLogger(__name__)

COALESCE = 0.1  # seconds between frames to a page
BOARD_EVERY = 1.0  # seconds between two states of the board
BOARD_AT_LEAST_EVERY = 15.0  # so that a student who fell silent is seen to have

NOT_NOW = (Busy, *protocol.DATABASE_AWAY)

InThread = Callable[..., Coroutine[Any, Any, Any]]


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


class States:
    """Those of one session with pages open in this process; `teachers` and `students` are its watch's own."""

    def __init__(
        self,
        session_id: UUID,
        teachers: set[TeacherPage],
        students: dict[UUID, set[StudentPage]],
        in_thread: InThread,
    ) -> None:
        self._session_id = session_id
        self._teachers = teachers
        self._students = students
        self._in_thread = in_thread
        self._board_due = asyncio.Event()
        self._students_due = asyncio.Event()
        self._due: set[UUID] = set()
        self._all_due = False

    def board_changed(self) -> None:
        self._board_due.set()

    def everybody_changed(self) -> None:
        """Each student's page may look different."""
        self._all_due = True
        self._students_due.set()

    def student_changed(self, student: UUID) -> None:
        self._due.add(student)
        self._students_due.set()

    async def boards(self) -> None:
        """Give teachers' pages the state of the board when it changed, and now and then anyway."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._board_due.wait(), BOARD_AT_LEAST_EVERY)
            self._board_due.clear()
            if self._teachers:
                try:
                    frame = await self._in_thread(_board_frame, self._session_id)
                except LiveSession.DoesNotExist:
                    continue
                except NOT_NOW:
                    log.warning("the state of session %s cannot be read at the moment", self._session_id)
                    self._board_due.set()
                else:
                    for page in self._teachers:
                        page.push(frame)
            await asyncio.sleep(BOARD_EVERY)

    async def students(self) -> None:
        """Give students' pages their state when something of it changed."""
        while True:
            await self._students_due.wait()
            await asyncio.sleep(COALESCE)
            self._students_due.clear()
            everybody, self._all_due = self._all_due, False
            due, self._due = self._due, set()
            wanted = list(self._students) if everybody else [student for student in due if student in self._students]
            if not wanted:
                continue
            try:
                states = await self._in_thread(_student_states, self._session_id, wanted)
            except NOT_NOW:
                log.warning("the states of students in session %s cannot be read at the moment", self._session_id)
                await asyncio.sleep(BOARD_EVERY)
                self._all_due |= everybody
                self._due |= due
                self._students_due.set()
                continue
            for student, state in states.items():
                for page in list(self._students.get(student, ())):
                    page.push_state(state)


def _board_frame(session_id: UUID) -> str:
    return Encoder.text(roster.board_state(LiveSession.objects.select_related("study").get(pk=session_id)))


def _student_states(session_id: UUID, ids: list[UUID]) -> dict[UUID, dict[str, Any]]:
    return roster.student_states(roster.students_of(session_id, ids))
