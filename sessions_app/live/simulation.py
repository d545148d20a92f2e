"""A simulated class: students who join and take part through the real WebSockets of a running server.

What a simulated teacher does goes through the same domain functions as the buttons of the board. A simulated student
is a page without a browser: it keeps what was not acknowledged, sends it again after it lost the connection, and its
ledger says in the end whether anything was lost.
"""

import asyncio
import json
import logging
import random
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from sessions_app import enrolment
from sessions_app.live.simulated_way import Knowledge, Walk
from sessions_app.models import StudentSession

log = logging.getLogger(__name__)

MOST_UNACKNOWLEDGED = 32
LAST_TRIES = 5
"""Connections that a student makes after the end to get the last answers."""
FINAL_CODES = {4401, 4403, 4404, 4409, 4410}
STEPS = ("reading", "talking", "writing")


@dataclass
class Ledger:
    """What simulated students sent and what came back."""

    attempted: int = 0
    acknowledged: int = 0
    refused: int = 0
    connections: int = 0
    waits: list[float] = field(default_factory=list)

    @property
    def open(self) -> int:
        """Sent and not answered."""
        return self.attempted - self.acknowledged - self.refused


@dataclass(frozen=True)
class Temper:
    """How a student behaves, drawn once: seconds between signs of life, chances per sign of what may happen."""

    every: float
    drops_out: float
    looks_away: float
    asks_for_help: float
    latency_ms: float

    @classmethod
    def drawn(cls, rng: random.Random) -> "Temper":
        return cls(
            every=rng.uniform(4, 9),
            drops_out=rng.choice([0.0, 0.0, 0.004, 0.012]),
            looks_away=rng.choice([0.0, 0.01, 0.04]),
            asks_for_help=rng.choice([0.0, 0.002, 0.006]),
            latency_ms=rng.lognormvariate(3.6, 0.4),
        )


class SimulatedStudent:
    """One student's page. `speed` divides every pause; `knowledge` is what a study's students may know."""

    def __init__(
        self, member: StudentSession, server: str, *, speed: float, seed: int, ledger: Ledger, knowledge: Knowledge
    ) -> None:
        host = urlsplit(server)
        self._address = f"{'wss' if host.scheme == 'https' else 'ws'}://{host.netloc}/ws/sessions/{member.pk}/student/"
        self._headers = {
            "Cookie": f"{enrolment.cookie_name(member.pk)}={enrolment.ticket_sign(member)}",
            "Origin": f"{host.scheme}://{host.netloc}",
        }
        self._speed = speed
        self._rng = random.Random(seed)  # noqa: S311
        self._temper = Temper.drawn(self._rng)
        self._ledger = ledger
        self._unsent: deque[str] = deque()
        self._frames: dict[str, dict[str, Any]] = {}
        self._sent_at: dict[str, float] = {}
        self._state: dict[str, Any] = {}
        self._away = False
        self._progress = 0.0
        self._walk = Walk(self._rng, knowledge, self._queue)
        self._walked_at = 0.0

    @property
    def step(self) -> str:
        return str(self._state.get("me", {}).get("step", ""))

    async def run(self, *, until: asyncio.Event) -> None:
        """Take part until the session is over for this student, or `until` is set; then wait for the last answers."""
        last_tries = LAST_TRIES
        while last_tries and not (until.is_set() and not self._frames):
            last_tries -= until.is_set()
            try:
                async with connect(
                    self._address, additional_headers=self._headers, compression=None, open_timeout=30
                ) as socket:
                    self._ledger.connections += 1
                    if await self._connected(socket, until):
                        return
            except ConnectionClosed as closed:
                if closed.rcvd is not None and closed.rcvd.code in FINAL_CODES:
                    return
            except (OSError, InvalidHandshake, TimeoutError) as error:
                log.debug("no connection: %s", error)
            await self._pause(self._rng.uniform(0.2, 2))

    async def _connected(self, socket: ClientConnection, until: asyncio.Event) -> bool:
        """Live on one connection. True when there is nothing more to do."""
        self._unsent = deque(self._frames)
        listening = asyncio.create_task(self._listen(socket))
        living = asyncio.create_task(self._live(socket, until))
        try:
            done, _ = await asyncio.wait([listening, living], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if living is task and not task.exception():
                    return bool(task.result())
                if (error := task.exception()) is not None:
                    raise error
            return False
        finally:
            for task in (listening, living):
                task.cancel()
            await asyncio.gather(listening, living, return_exceptions=True)

    async def _listen(self, socket: ClientConnection) -> None:
        async for raw in socket:
            frame = json.loads(raw)
            if frame["type"] == "ack":
                for ack in frame["acks"]:
                    if self._frames.pop(ack["key"], None) is not None:
                        self._ledger.acknowledged += 1
                        self._ledger.waits.append(asyncio.get_running_loop().time() - self._sent_at.pop(ack["key"]))
            elif frame["type"] == "error" and frame["key"] in self._frames:
                if frame["retry"]:
                    self._unsent.append(frame["key"])
                else:
                    del self._frames[frame["key"]]
                    self._ledger.refused += 1
            elif frame["type"] == "state":
                self._state = frame

    async def _live(self, socket: ClientConnection, until: asyncio.Event) -> bool:
        await socket.send(json.dumps({"type": "ping", "t": int(datetime.now(UTC).timestamp() * 1000)}))
        while not until.is_set():
            attention = self._state.get("attention")
            if self.step == "consent" and not self._state["way"]:
                self._queue("consent", {"purpose": "participation", "decision": "granted",
                                        "version": self._state["me"]["consent_version"]})  # fmt: skip
            elif self.step in {"ended", "left", "removed"}:
                if not self._frames:
                    return True
            elif self._state:
                self._act()
            if attention and self._rng.random() < 0.5:
                self._queue("attention_confirmed", {"check": attention["id"]})
            await self._flush(socket)
            if self._rng.random() < self._temper.drops_out:
                await self._drop(socket)
                return False
            await self._pause(self._rng.uniform(0.5, 1.5) * self._temper.every)
        for _ in range(300):
            if not self._frames:
                return True
            await self._flush(socket)
            await asyncio.sleep(0.05)
        return False

    def _act(self) -> None:
        """What a student does next, by where they are."""
        draw = self._rng.random()
        me = self._state["me"]
        self._queue("latency", {"rtt_ms": round(self._temper.latency_ms * self._rng.uniform(0.7, 1.8), 1)})
        if self._state["way"] and self.step not in {"waiting", "ready"}:
            self._go_on()
        if self.step == "agree":
            return
        if not me["ready"] and draw < 0.6:
            self._queue("ready", {})
        elif me["group"] and me["group"]["leader"] and not me["group"]["leader_ready"] and me["ready"] and draw < 0.7:
            self._queue("leader_ready", {"ready": True})
        elif self.step in {"waiting", "ready"}:
            return
        elif draw < self._temper.asks_for_help:
            self._queue("help_request", {})
        elif draw < self._temper.asks_for_help + self._temper.looks_away or self._away:
            self._away = not self._away
            self._queue("presence", {"visible": not self._away})
        elif self.step == "in_session":
            self._progress = min(100.0, self._progress + self._rng.uniform(0.3, 1.6))
            step = STEPS[min(len(STEPS) - 1, int(self._progress // 34))]
            self._queue("progress", {"step": step, "percent": round(self._progress, 1)})

    def _go_on(self) -> None:
        """Take the next step of the study, by the time that has passed since the last one."""
        now = asyncio.get_running_loop().time()
        passed = min(30.0, (now - self._walked_at) * self._speed) if self._walked_at else 1.0
        self._walked_at = now
        self._walk.live(self._state, passed)

    def _queue(self, event: str, data: dict[str, Any]) -> None:
        key = str(uuid.uuid4())
        self._frames[key] = {"key": key, "event": event, "at": datetime.now(UTC).isoformat(), "data": data}
        self._sent_at[key] = asyncio.get_running_loop().time()
        self._unsent.append(key)
        self._ledger.attempted += 1

    async def _flush(self, socket: ClientConnection) -> None:
        room = MOST_UNACKNOWLEDGED - (len(self._frames) - len(self._unsent))
        keys = [self._unsent.popleft() for _ in range(min(len(self._unsent), max(0, room)))]
        events = [self._frames[key] for key in keys if key in self._frames]
        if events:
            await socket.send(json.dumps({"type": "events", "events": events}))

    async def _drop(self, socket: ClientConnection) -> None:
        """The network is gone for a while."""
        socket.transport.abort()
        await self._pause(self._rng.uniform(5, 40))

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)


async def simulate_students(
    members: list[StudentSession],
    server: str,
    *,
    speed: float,
    seed: int,
    until: asyncio.Event,
    arrived: Callable[[], None] = lambda: None,
    ledger: Ledger | None = None,
    knowledge: Knowledge | None = None,
) -> Ledger:
    """Run the pages of `members` at once, arriving over half a minute of simulated time. The ledger is returned.

    `knowledge` is of the study that they are in, if any.
    """
    kept = ledger or Ledger()
    rng = random.Random(seed)  # noqa: S311

    async def come(index: int, member: StudentSession) -> None:
        await asyncio.sleep(rng.uniform(0, 30) / speed)
        arrived()
        student = SimulatedStudent(
            member, server, speed=speed, seed=seed + index, ledger=kept, knowledge=knowledge or Knowledge()
        )
        await student.run(until=until)

    await asyncio.gather(*(come(index, member) for index, member in enumerate(members)))
    return kept
