"""A student's and a teacher's page, as far as the server can tell."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from sessions_app import enrolment
from sessions_app.models import LiveSession, StudentSession, User
from tests.sessions_app.live.conftest import Server

PATIENCE = 30


class Page:
    """One socket. `received` keeps every frame; `until` waits for one."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.received: list[dict[str, Any]] = []

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            frame = json.loads(await self.socket.recv())
        self.received.append(frame)
        return frame

    async def until(self, kind: str, fits: Callable[[dict[str, Any]], bool] = lambda frame: True) -> dict[str, Any]:
        while True:
            frame = await self.next()
            if frame["type"] == kind and fits(frame):
                return frame

    async def say(self, frame: Any) -> None:
        await self.socket.send(frame if isinstance(frame, (str, bytes)) else json.dumps(frame))

    async def close_code(self) -> int:
        async with asyncio.timeout(PATIENCE):
            try:
                while True:
                    self.received.append(json.loads(await self.socket.recv()))
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 1006

    async def send_event(self, event: str, data: dict[str, Any] | None = None, key: str | None = None) -> str:
        """Send one event; its key is returned."""
        key = key or str(uuid.uuid4())
        body = {"key": key, "event": event, "at": datetime.now(UTC).isoformat(), "data": data or {}}
        await self.say({"type": "events", "events": [body]})
        return key

    async def ack_of(self, key: str) -> int:
        """The position at which the event with a key was acknowledged."""
        frame = await self.until("ack", lambda f: any(ack["key"] == key for ack in f["acks"]))
        return next(ack["seq"] for ack in frame["acks"] if ack["key"] == key)

    async def error_of(self, key: str) -> dict[str, Any]:
        return await self.until("error", lambda f: f["key"] == key)


async def in_thread(work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What somebody does in another process, in the middle of a scene."""

    def done() -> Any:
        try:
            return work(*args, **kwargs)
        finally:
            connections.close_all()

    return await asyncio.to_thread(done)


def eventually(holds: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait until something is true of the database."""
    end = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)


def join_cookie(member: StudentSession) -> str:
    return f"{enrolment.cookie_name(member.pk)}={enrolment.ticket_sign(member)}"


def sign_in_cookie(user: User) -> str:
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    return f"{settings.SESSION_COOKIE_NAME}={store.session_key}"


@asynccontextmanager
async def page(server: Server, path: str, cookie: str = "", origin: str | None = "") -> AsyncIterator[Page]:
    headers = {"Cookie": cookie} if cookie else {}
    if origin is not None:
        headers["Origin"] = origin or server.origin
    async with connect(server.url(path), additional_headers=headers, compression=None, max_size=None) as socket:
        yield Page(socket)


def student_page(server: Server, member: StudentSession, cookie: str | None = None) -> Any:
    return page(server, f"/ws/sessions/{member.pk}/student/", join_cookie(member) if cookie is None else cookie)


def teacher_page(server: Server, session: LiveSession, cookie: str) -> Any:
    return page(server, f"/ws/sessions/{session.pk}/teacher/", cookie)
