"""Appended events from web process to web process through Redis, where there is one.

It only makes them arrive sooner: NOTIFY tells of every event too, and a page reads from the table what it was not
given. So nothing here waits for Redis, and nothing is kept for it while it is away.
"""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import msgspec
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from sessions_app.live import connections, groups

log = logging.getLogger(__name__)

MOST_WAITING = 1000
REDIS_AWAY = (RedisError, OSError)

Heard = Callable[[UUID, list[dict[str, Any]]], None]


class Relay:
    """One per web process. `heard(session, events)` is called with what other processes wrote."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._layer = get_channel_layer()
        self._process = f"{os.getpid()}-{uuid4().hex[:8]}"
        self._joined: set[UUID] = set()
        self._wanted: set[UUID] = set()
        self._outgoing: deque[tuple[UUID, bytes]] = deque(maxlen=MOST_WAITING)
        self._due = asyncio.Event()
        self._tasks = [asyncio.create_task(self._run(), name="relay")]

    def join(self, session_id: UUID) -> None:
        """Hear of a session from now on (or soon)."""
        self._wanted.add(session_id)
        self._due.set()

    def leave(self, session_id: UUID) -> None:
        self._wanted.discard(session_id)
        self._due.set()

    def send(self, session_id: UUID, events: list[dict[str, Any]]) -> None:
        """Pass events on soon, in order. The oldest are forgotten where too many wait."""
        self._outgoing.append((session_id, msgspec.json.encode(events)))
        self._due.set()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self) -> None:
        channel: str = await self._patiently(self._layer.new_channel, "lyceum")
        self._tasks.append(asyncio.create_task(self._receive(channel), name="relay receive"))
        while True:
            await self._due.wait()
            self._due.clear()
            for session_id in self._wanted - self._joined:
                await self._patiently(self._layer.group_add, groups.session(session_id), channel)
                self._joined.add(session_id)
            for session_id in self._joined - self._wanted:
                await self._patiently(self._layer.group_discard, groups.session(session_id), channel)
                self._joined.discard(session_id)
            while self._outgoing:
                session_id, events = self._outgoing.popleft()
                await self._send(session_id, events)

    async def _send(self, session_id: UUID, events: bytes) -> None:
        message = {
            "type": "timeline.appended", "process": self._process, "session": str(session_id), "events": events,
        }  # fmt: skip
        try:
            await self._layer.group_send(groups.session(session_id), message)
        except REDIS_AWAY as error:
            log.warning("events were not passed on: %s", type(error).__name__)
            self._outgoing.clear()

    async def _patiently(self, work: Callable[..., Awaitable[Any]], *arguments: str) -> Any:
        attempts = connections.pauses()
        while True:
            try:
                return await work(*arguments)
            except REDIS_AWAY as error:
                log.warning("Redis cannot be reached at the moment: %s", type(error).__name__)
                await anext(attempts)

    async def _receive(self, channel: str) -> None:
        while True:
            message = await self._layer.receive(channel)
            if message["process"] != self._process:
                self._heard(UUID(message["session"]), groups.published(message["events"]))
