"""Students who keep a ledger: what they attempted, and what was acknowledged at which place."""

import asyncio
import itertools
import json
import random
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from sessions_app.models import StudentSession
from tests.sessions_app.live.clients import join_cookie

AT_ONCE = 8  # unacknowledged events of one student
COME_BACK = {1006, 4412, 4429}


@dataclass
class Diary:
    """One student's events in the order in which they happened, and the places that were acknowledged."""

    member: str
    path: str
    cookie: str
    keys: list[str] = field(default_factory=list)
    acknowledged: dict[str, int] = field(default_factory=dict)

    @property
    def open(self) -> list[str]:
        return [key for key in self.keys if key not in self.acknowledged]


class Students:
    """All pages of a class. Each reconnects for as long as it takes, and sends what was not acknowledged again."""

    def __init__(self, members: list[StudentSession], port: int, *, events: int) -> None:
        self.diaries = [Diary(str(m.pk), f"/ws/sessions/{m.pk}/student/", join_cookie(m)) for m in members]
        self.last_acknowledged_at = time.monotonic()
        self._port = port
        self.events = events

    @property
    def attempted(self) -> int:
        return sum(len(diary.keys) for diary in self.diaries)

    @property
    def acknowledged(self) -> int:
        return sum(len(diary.acknowledged) for diary in self.diaries)

    async def run(self) -> None:
        """Until each has sent its events and has had an answer to all of them."""
        await asyncio.gather(*(self._live(diary) for diary in self.diaries))

    async def _live(self, diary: Diary) -> None:
        headers = {"Cookie": diary.cookie, "Origin": f"http://127.0.0.1:{self._port}"}
        while len(diary.keys) < self.events or diary.open:
            try:
                address = f"ws://127.0.0.1:{self._port}{diary.path}"
                async with connect(address, additional_headers=headers, compression=None) as socket:
                    await self._talk(socket, diary)
            except (OSError, ConnectionClosed, InvalidHandshake) as error:
                code = error.rcvd.code if isinstance(error, ConnectionClosed) and error.rcvd else 1006
                assert code in COME_BACK, f"a page would have given up at {code}"
                await asyncio.sleep(random.uniform(0.05, 0.3))

    async def _talk(self, socket: ClientConnection, diary: Diary) -> None:
        for key in diary.open:
            await self._send(socket, diary, key)
        await self._send_more(socket, diary)
        async for raw in socket:
            frame = json.loads(raw)
            if frame["type"] == "ack":
                diary.acknowledged |= {ack["key"]: ack["seq"] for ack in frame["acks"]}
                self.last_acknowledged_at = time.monotonic()
                await self._send_more(socket, diary)
            assert frame["type"] != "error", frame
            if len(diary.keys) == self.events and not diary.open:
                return

    async def _send_more(self, socket: ClientConnection, diary: Diary) -> None:
        while len(diary.keys) < self.events and len(diary.open) < AT_ONCE:
            diary.keys.append(str(uuid.uuid4()))
            await self._send(socket, diary, diary.keys[-1])

    async def _send(self, socket: ClientConnection, diary: Diary, key: str) -> None:
        event = {
            "key": key, "event": "latency", "at": datetime.now(UTC).isoformat(),
            "data": {"rtt_ms": diary.keys.index(key)},
        }  # fmt: skip
        await socket.send(json.dumps({"type": "events", "events": [event]}))


@dataclass(frozen=True)
class Account:
    """What the ledgers say against what the table has."""

    attempted: int
    acknowledged: int
    lost: int
    duplicated: int
    misordered: int
    gaps: int


def settle(database: str, students: Students) -> Account:
    """Compare every diary with the timeline."""
    with psycopg.connect(database) as db:
        rows = db.execute(
            "SELECT sender, key, seq, payload FROM session_events WHERE event_type = 'latency' ORDER BY seq"
        )
        stored = [(str(sender), str(key), seq, payload["rtt_ms"]) for sender, key, seq, payload in rows]
        counted = db.execute(
            "SELECT count(*), max(e.seq), max(c.last_seq) FROM session_events e"
            " JOIN sessions_app_sessioncounter c USING (session_id) GROUP BY session_id"
        ).fetchall()
    places = {key: seq for _, key, seq, _ in stored}
    told_by = Counter(key for _, key, _, _ in stored)
    misordered = 0
    for diary in students.diaries:
        order = [number for sender, _, _, number in stored if sender == diary.member]
        misordered += sum(later <= earlier for earlier, later in itertools.pairwise(order))
        misordered += sum(places.get(key, seq) != seq for key, seq in diary.acknowledged.items())
    return Account(
        attempted=students.attempted,
        acknowledged=students.acknowledged,
        lost=sum(key not in places for diary in students.diaries for key in diary.acknowledged),
        duplicated=sum(times - 1 for times in told_by.values()),
        misordered=misordered,
        gaps=sum(abs(count - last) + abs(last - counter) for count, last, counter in counted),
    )
