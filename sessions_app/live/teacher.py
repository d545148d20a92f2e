"""The teacher's socket: `/ws/sessions/<live session>/teacher/`."""

import asyncio
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import auth
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest

from sessions_app import access, roster, wire
from sessions_app.live import protocol
from sessions_app.live.broadcast import Watch
from sessions_app.live.ingest import Busy
from sessions_app.live.protocol import Close
from sessions_app.live.socket import Socket, cookie
from sessions_app.models import User
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
        session_key = cookie(self.scope, settings.SESSION_COOKIE_NAME)
        if not session_key:
            return self.end(Close.NOT_SIGNED_IN)
        try:
            board = await self.services.in_thread(_board, session_key, session_id)
            watch = await self.services.hub.open(session_id)
        except (access.Hidden, access.Forbidden, _SignedOut) as error:
            return self.end(_CLOSE_FOR[type(error)])
        except (Busy, *protocol.DATABASE_AWAY, *protocol.LOST):
            return self.end(Close.BUSY)
        if watch is None:
            return self.end(Close.NO_SUCH_SESSION)
        self._watch = watch
        self.services.hub.add_teacher(watch, self)
        self._checks = asyncio.create_task(self._check(session_key, session_id))
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
            self.services.hub.remove_teacher(self._watch, self)
            self._watch = None

    async def _check(self, session_key: str, session_id: UUID) -> None:
        while True:
            await asyncio.sleep(CHECK_EVERY)
            try:
                await self.services.in_thread(_visible, session_key, session_id)
            except (access.Hidden, access.Forbidden):
                self.end(Close.NOT_ALLOWED)
            except _SignedOut:
                self.end(Close.NOT_SIGNED_IN)
            except (Busy, *protocol.DATABASE_AWAY):
                continue


class _SignedOut(Exception):
    """The cookie belongs to nobody who is signed in (any more)."""


_CLOSE_FOR: dict[type[Exception], Close] = {
    access.Hidden: Close.NO_SUCH_SESSION,
    access.Forbidden: Close.NOT_ALLOWED,
    _SignedOut: Close.NOT_SIGNED_IN,
}


def _user(session_key: str) -> User:
    """Whoever is signed in with a session cookie, by the rules by which pages know them."""
    request = HttpRequest()
    request.session = SessionStore(session_key)
    user = auth.get_user(request)
    if not isinstance(user, User):
        raise _SignedOut
    return user


def _board(session_key: str, session_id: UUID) -> dict[str, Any]:
    user = access.require_role(_user(session_key), User.Role.TEACHER, User.Role.ADMINISTRATOR)
    return roster.board_state(access.live_session(user, session_id, action="live board"))


def _visible(session_key: str, session_id: UUID) -> None:
    """Raises what `_board` raises, and leaves no note of a look that nobody took."""
    user = access.require_role(_user(session_key), User.Role.TEACHER, User.Role.ADMINISTRATOR)
    if not access.live_sessions(user).filter(pk=session_id).exists():
        raise access.Hidden
