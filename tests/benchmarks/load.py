"""One client process of the ingest benchmarks: reads what to do from its standard input, keeps what it saw in a file.

Run as `python -m tests.benchmarks.load`. It imports nothing of Django.
"""

import asyncio
import json
import random
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from tests.benchmarks.sockets import Connection, Student

CONNECTING_AT_ONCE = 40
SETTLE = 20.0


class _Event(msgspec.Struct):
    seq: int
    event: str
    at: datetime


class _Events(msgspec.Struct):
    type: str
    events: list[_Event] = []


class TeacherPage:
    """Counts the events of one session, and whether one was missed or came twice."""

    def __init__(self, path: str, cookie: str) -> None:
        self.path, self.cookie = path, cookie
        self.last = self.misordered = 0
        self.delays: list[float] = []
        self._decoder = msgspec.json.Decoder(_Events)

    async def connect(self, host: str) -> None:
        name, port = host.split(":")
        _, self.connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(host, self.path, self.cookie, self._text), name, int(port)
        )
        await self.connection.opened
        self.connection.send(b'{"type":"resume","epoch":null,"after":0}')

    def _text(self, payload: bytes) -> None:
        if not payload.startswith(b'{"type":"events"'):
            return
        now = time.time()
        for event in self._decoder.decode(payload).events:
            if event.seq != self.last + 1:
                self.misordered += 1
            self.last = event.seq
            if event.event == "latency":
                self.delays.append(now - event.at.timestamp())


async def run(plan: dict[str, Any]) -> dict[str, Any]:
    students = [Student(path, cookie) for path, cookie in plan["students"]]
    teachers = [TeacherPage(path, cookie) for path, cookie in plan["teachers"]]
    gate = asyncio.Semaphore(CONNECTING_AT_ONCE)

    async def connect(page: Any) -> None:
        async with gate:
            await page.connect(plan["host"])

    await asyncio.gather(*(connect(page) for page in [*teachers, *students]))
    await asyncio.sleep(1)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    began, used = time.perf_counter(), time.process_time()
    if plan["rate"]:
        await offer(students, plan["rate"], plan["seconds"])
    else:
        for student in students:
            student.closed_loop = True
            student.send()
        await asyncio.sleep(plan["seconds"])
        for student in students:
            student.closed_loop = False
    seconds, used = time.perf_counter() - began, time.process_time() - used
    acked = sum(student.acked for student in students)
    end = time.perf_counter() + SETTLE
    while any(student.waiting for student in students) and time.perf_counter() < end:
        await asyncio.sleep(0.05)
    await asyncio.sleep(1.5)
    for page in [*students, *teachers]:
        page.connection.close()
    return {
        "seconds": seconds,
        "cpu_seconds": used,
        "acked_in_time": acked,
        "sent": sum(s.sent for s in students),
        "acked": sum(s.acked for s in students),
        "errors": sum(s.errors for s in students),
        "closed": [s.connection.close_code for s in students if s.connection.close_code],
        "waits": [wait for s in students for wait in s.waits],
        "teachers": [{"last": t.last, "misordered": t.misordered} for t in teachers],
        "delays": [delay for t in teachers for delay in t.delays],
    }


async def offer(students: list[Student], rate: float, seconds: float) -> None:
    """Send `rate` events a second, by students in turn, on a clock of its own: a late server does not slow it."""
    order = random.sample(students, len(students))
    began, sent = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - began) < seconds:
        while sent < elapsed * rate:
            order[sent % len(order)].send()
            sent += 1
        await asyncio.sleep(0.002)


if __name__ == "__main__":
    wanted = json.loads(sys.stdin.readline())
    Path(wanted["seen"]).write_text(json.dumps(uvloop.run(run(wanted))))
