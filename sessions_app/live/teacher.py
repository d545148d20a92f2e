"""The teacher's socket: `/ws/sessions/<live session>/teacher/`."""

import asyncio
from typing import Any
from uuid import UUID

from sessions_app import access, roster, wire
from sessions_app.live import protocol
from sessions_app.live.broadcast import Watch
from sessions_app.live.ingest import Busy
from sessions_app.live.protocol import Close
from sessions_app.live.socket import Socket
from sessions_app.models import LiveSession, User
from sessions_app.wire import Encoder, Malformed, PingFrame, ResumeFrame

CHECK_EVERY = 60.0
"""Seconds between two looks at whether the teacher may still see the session."""


class TeacherSocket(Socket):
    """Shows the board and the timeline as it happens; goes on from the position that the page names."""

    def __init__(self) -> None:
        super().__init__()
        self.position = 0
        self.live = False
        self._watch: Watch | None = None
        self._checks: asyncio.Task[None] | None = None

    async def opened(self) -> None:
        session_id: UUID = self.scope["url_route"]["kwargs"]["session"]
        user = self.scope["user"]
        if not user.is_authenticated:
            return self.end(Close.NOT_SIGNED_IN)
        try:
            board = await self.services.in_thread(_board, user.pk, session_id)
            watch = await self.services.hub.open(session_id)
        except access.Hidden:
            return self.end(Close.NO_SUCH_SESSION)
        except access.Forbidden:
            return self.end(Close.NOT_ALLOWED)
        except (Busy, *protocol.DATABASE_AWAY, *protocol.LOST):
            return self.end(Close.BUSY)
        if watch is None:
            return self.end(Close.NO_SUCH_SESSION)
        self._watch = watch
        self._checks = asyncio.create_task(self._check(user.pk, session_id))
        self.push(Encoder.text(board))
        return None

    def text(self, raw: str) -> None:
        if self._watch is None:
            return
        try:
            frame = wire.decode_frame(raw)
        except Malformed as error:
            self.push(protocol.malformed(error))
            return
        if isinstance(frame, PingFrame):
            self.push(protocol.pong(frame.t))
        elif isinstance(frame, ResumeFrame):
            self._watch.resume(self, epoch=frame.epoch, after=frame.after)
        else:
            self.push(protocol.error("not_allowed", "Only a student's page sends events."))

    def closed(self, code: int) -> None:
        if self._checks is not None:
            self._checks.cancel()
        if self._watch is not None:
            self.services.hub.remove(self._watch, self)
            self._watch = None

    async def _check(self, user: Any, session_id: UUID) -> None:
        while True:
            await asyncio.sleep(CHECK_EVERY)
            try:
                if not await self.services.in_thread(_may_see, user, session_id):
                    self.end(Close.NOT_ALLOWED)
            except (Busy, *protocol.DATABASE_AWAY):
                continue


def _board(user_id: Any, session_id: UUID) -> dict[str, Any]:
    user = access.require_role(User.objects.get(pk=user_id), User.Role.TEACHER, User.Role.ADMINISTRATOR)
    return roster.board_state(access.live_session(user, session_id, action="live board"))


def _may_see(user_id: Any, session_id: UUID) -> bool:
    user = User.objects.filter(pk=user_id, is_active=True).first()
    visible = access.live_sessions(user) if user else LiveSession.objects.none()
    return visible.filter(pk=session_id).exists()
