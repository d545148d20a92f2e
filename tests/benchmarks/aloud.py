"""Readers for the benchmark of live readings, each sending a recording as a microphone would, and their teacher.

Run as `python -m tests.benchmarks.aloud`. It reads what to do from its standard input and imports nothing of Django.
"""

import asyncio
import json
import struct
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from tests.benchmarks.sockets import Connection

PATIENCE = 60.0  # seconds for the last words
STAGGER = 0.37  # seconds between two readers' beginnings


class Reader:
    """A student's page. `moved` holds the seconds since the recording began, and how many words were reached then."""

    def __init__(self, path: str, cookie: str, chunks: list[bytes], chunk_seconds: float) -> None:
        self.path, self.cookie, self.chunks, self.chunk_seconds = path, cookie, chunks, chunk_seconds
        self.moved: list[tuple[float, int]] = []
        self.errors: list[str] = []
        self.received = 0
        self.began = 0.0
        self._shown, self._through = asyncio.Event(), asyncio.Event()

    async def connect(self, host: str) -> None:
        name, port = host.split(":")
        _, self.connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(host, self.path, self.cookie, self._text), name, int(port)
        )
        await self.connection.opened
        await self._shown.wait()
        self._send("reading_started", {})

    async def read(self) -> None:
        """Chunk n is sent when its last sample has been recorded."""
        self.began = time.perf_counter()
        for number, chunk in enumerate(self.chunks):
            await asyncio.sleep(self.began + (number + 1) * self.chunk_seconds - time.perf_counter())
            self.connection.send_bytes(struct.pack(">II", 0, number) + chunk)
        self._send("recording_stopped", {"stream": 0, "chunks": len(self.chunks)})
        self._send("reading_finished", {})
        async with asyncio.timeout(PATIENCE):
            await self._through.wait()

    def _send(self, kind: str, data: dict[str, Any]) -> None:
        event = {"key": str(uuid.uuid4()), "event": kind, "at": datetime.now(UTC).isoformat(), "data": data}
        self.connection.send(json.dumps({"type": "events", "events": [event]}).encode())

    def _text(self, payload: bytes) -> None:
        frame = msgspec.json.decode(payload)
        if frame["type"] == "state":
            self._shown.set()
        elif frame["type"] == "reading":
            if self.began:
                self.moved.append((time.perf_counter() - self.began, frame["reached"]))
            if frame["state"] == "through":
                self._through.set()
        elif frame["type"] == "audio":
            self.received = frame["received"]
        elif frame["type"] == "error":
            self.errors.append(frame["code"])


class Board:
    """The teacher's page: when it was told how far each student is."""

    def __init__(self, path: str, cookie: str) -> None:
        self.path, self.cookie = path, cookie
        self.told: dict[str, list[tuple[float, int]]] = {}

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
        now = time.perf_counter()
        for event in msgspec.json.decode(payload)["events"]:
            if event["event"] == "words":
                self.told.setdefault(event["student"], []).append((now, event["data"]["reached"]))

    def of(self, reader: Reader) -> list[tuple[float, int]]:
        """What it was told of a reader, in seconds since the recording began."""
        told = next((told for student, told in self.told.items() if student in reader.path), [])
        return [(at - reader.began, reached) for at, reached in told]


def recording(file: str) -> list[bytes]:
    return msgspec.msgpack.decode(Path(file).read_bytes(), type=list[bytes])


async def run(plan: dict[str, Any]) -> dict[str, Any]:
    readers = [
        Reader(path, cookie, recording(file), plan["chunk_seconds"])
        for (path, cookie), file in zip(plan["readers"], plan["recordings"], strict=True)
    ]
    board = Board(*plan["board"])
    await asyncio.gather(*(page.connect(plan["host"]) for page in (board, *readers)))
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)

    async def begin(number: int, reader: Reader) -> None:
        await asyncio.sleep(number * STAGGER)
        await reader.read()

    await asyncio.gather(*(begin(number, reader) for number, reader in enumerate(readers)))
    return {
        "readers": [
            {"moved": r.moved, "errors": r.errors, "received": r.received, "board": board.of(r)} for r in readers
        ]
    }


if __name__ == "__main__":
    wanted = json.loads(sys.stdin.readline())
    Path(wanted["seen"]).write_text(json.dumps(asyncio.run(run(wanted))))
