"""What a teacher's and a student's socket have in common: a plain receive loop, frames out, one close.

These are Channels consumers by routing and by interface, but they receive by themselves: the dispatch of an ordinary
consumer makes a task per message, which costs more than everything else that happens to an event. Where the server
offers it (`lyceum.direct`), not even a queue and a task stand between the connection and the page.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from http.cookies import CookieError, SimpleCookie
from typing import Any, Protocol
from uuid import UUID

from channels.consumer import AsyncConsumer

from sessions_app.live import protocol
from sessions_app.live.protocol import Close
from sessions_app.live.services import Services, services
from sessions_app.models.identity import uuid7

log = logging.getLogger(__name__)

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]

MOST_FRAMES_WAITING = 200
FRAMES_AT_ONCE = 500
FRAMES_PER_SECOND = 100.0
"""What one page may send: far more than a page of ours does, and too little to slow the others down."""


class Direct(Protocol):
    """What our own server offers beside ASGI, under `lyceum.direct` in the scope's extensions."""

    def receive_by(self, take: Callable[[str | bytes], None]) -> None:
        """Call `take` with each message from now on; `receive` still tells of the end."""

    def send_text(self, text: str) -> bool:
        """Send at once. False where the page does not read what it is sent."""


def cookie(scope: dict[str, Any], name: str) -> str:
    """A cookie among the headers of the handshake, or nothing."""
    for header, value in scope["headers"]:
        if header == b"cookie":
            with contextlib.suppress(CookieError):
                morsel = SimpleCookie(value.decode("latin-1")).get(name)
                return morsel.value if morsel else ""
    return ""


class Socket(AsyncConsumer):
    """One connection. Subclasses say what opens it (`opened`), and what a text or binary frame means."""

    services: Services

    def __init__(self) -> None:
        super().__init__()
        self.connection: UUID = uuid7()
        self._direct: Direct | None = None
        self._outgoing: list[str] = []
        self._sender: asyncio.Task[None] | None = None
        self._closing = False
        self._close_code: int | None = None
        self._allowance = float(FRAMES_AT_ONCE)
        self._counted_at = time.monotonic()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        self.scope = scope
        self._send = send
        code = Close.NO_SUCH_SESSION.value
        if (await receive())["type"] != "websocket.connect":
            return
        await send({"type": "websocket.accept"})
        self._direct = scope.get("extensions", {}).get("lyceum.direct")
        self.services = services()
        try:
            if self.services.stopping:
                self.end(Close.RESTARTING)
            else:
                await self.opened()
            if self._direct is not None:
                self._direct.receive_by(self._take)
            while True:
                message = await receive()
                if message["type"] == "websocket.disconnect":
                    code = message.get("code") or 1006
                    return
                text = message.get("text")
                self._take(text if text is not None else message.get("bytes") or b"")
        finally:
            self._closing = True
            self.closed(code)

    def _take(self, message: str | bytes) -> None:
        if self._closing:
            return
        if self._too_many():
            self.end(Close.BUSY)
        elif isinstance(message, str):
            self.text(message)
        else:
            self.binary(message)

    def _too_many(self) -> bool:
        """Whether this frame is one more than the page may send by now."""
        now = time.monotonic()
        earned = (now - self._counted_at) * FRAMES_PER_SECOND
        self._counted_at = now
        self._allowance = min(FRAMES_AT_ONCE, self._allowance + earned) - 1
        return self._allowance < 0

    async def opened(self) -> None:
        raise NotImplementedError

    def text(self, raw: str) -> None:
        raise NotImplementedError

    def binary(self, raw: bytes) -> None:
        self.push(protocol.error("no_audio", "This session takes no audio."))

    def closed(self, code: int) -> None:
        """The connection is gone, for whatever reason. Called once or twice."""

    def leave(self, code: Close) -> None:
        """Close from our side at once, without waiting for the client's last word."""
        self.end(code)
        self.closed(code)

    def push(self, frame: str) -> None:
        """Send a frame soon. A page that does not read is closed, and comes back for what it missed."""
        if self._closing:
            return
        if self._direct is not None:
            if not self._direct.send_text(frame):
                self.end(Close.BUSY)
            return
        self._outgoing.append(frame)
        if len(self._outgoing) > MOST_FRAMES_WAITING:
            self._outgoing.clear()
            self.end(Close.BUSY)
        elif self._sender is None:
            self._sender = asyncio.create_task(self._send_all())

    def end(self, code: Close) -> None:
        """Send what is waiting, then close. The socket is told only once."""
        if self._closing:
            return
        self._closing = True
        self._close_code = code.value
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_all())

    async def _send_all(self) -> None:
        try:
            while self._outgoing:
                frames, self._outgoing = self._outgoing, []
                for frame in frames:
                    await self._send({"type": "websocket.send", "text": frame})
            if self._close_code is not None:
                await self._send({"type": "websocket.close", "code": self._close_code})
        except OSError:
            log.debug("a page went away while it was written to")
        finally:
            self._sender = None
