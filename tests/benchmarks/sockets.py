"""A lean WebSocket client for load: hand-made frames, no masking work, no JSON where a search will do.

The server is what is measured, on a machine that it shares with its clients.
"""

import asyncio
import base64
import os
import struct
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime


class Connection(asyncio.Protocol):
    """One socket. `on_text` is called with each text frame's payload."""

    def __init__(self, host: str, path: str, cookie: str, on_text: Callable[[bytes], None]) -> None:
        self._request = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nOrigin: http://{host}\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n"
            f"Cookie: {cookie}\r\n\r\n"
        ).encode()
        self._on_text = on_text
        self._buffer = bytearray()
        self._open = False
        self.opened = asyncio.get_running_loop().create_future()
        self.close_code: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        transport.write(self._request)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("closed before it was open"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._open:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._buffer[:end])
            del self._buffer[: end + 4]
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                self.opened.set_exception(ConnectionError(head.decode(errors="replace")))
                return
            self._open = True
            self.opened.set_result(None)
        self._frames()

    def _frames(self) -> None:
        buffer, at, size = self._buffer, 0, len(self._buffer)
        while size - at >= 2:
            opcode, length, begin = buffer[at] & 15, buffer[at + 1] & 127, at + 2
            if length == 126:
                if size - at < 4:
                    break
                length, begin = struct.unpack_from(">H", buffer, begin)[0], begin + 2
            elif length == 127:
                if size - at < 10:
                    break
                length, begin = struct.unpack_from(">Q", buffer, begin)[0], begin + 8
            if size - begin < length:
                break
            payload = bytes(buffer[begin : begin + length])
            at = begin + length
            if opcode == 1:
                self._on_text(payload)
            elif opcode == 9:
                self._write(0x8A, payload)
            elif opcode == 8:
                self.close_code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005
        if at:
            del self._buffer[:at]

    def send(self, text: bytes) -> None:
        self._write(0x81, text)

    def send_bytes(self, data: bytes) -> None:
        self._write(0x82, data)

    def _write(self, first: int, payload: bytes) -> None:
        """A client must mask; a mask of zeros leaves the payload as it is."""
        size = len(payload)
        head = struct.pack(">BB", first, 0x80 | size) if size < 126 else struct.pack(">BBH", first, 0x80 | 126, size)
        self._transport.write(head + b"\0\0\0\0" + payload)

    def close(self) -> None:
        self._transport.close()


def event(rtt: int) -> tuple[bytes, bytes]:
    """A frame with one event, and its key."""
    key = str(uuid.uuid4()).encode()
    at = datetime.now(UTC).isoformat().encode()
    return (
        b'{"type":"events","events":[{"key":"%s","event":"latency","at":"%s","data":{"rtt_ms":%d}}]}' % (key, at, rtt),
        key,
    )


class Student:
    """A simulated page that sends one event, waits for its acknowledgement, and keeps the times that it waited."""

    def __init__(self, path: str, cookie: str) -> None:
        self.path, self.cookie = path, cookie
        self.sent = self.acked = self.errors = 0
        self.waits: list[float] = []
        self.closed_loop = False
        self._waiting: dict[bytes, float] = {}
        self._shown = asyncio.Event()

    async def connect(self, host: str) -> None:
        name, port = host.split(":")
        loop = asyncio.get_running_loop()
        _, self.connection = await loop.create_connection(
            lambda: Connection(host, self.path, self.cookie, self._text), name, int(port)
        )
        await self.connection.opened
        async with asyncio.timeout(60):
            await self._shown.wait()

    def send(self) -> None:
        frame, key = event(self.sent % 100)
        self._waiting[key] = time.perf_counter()
        self.sent += 1
        self.connection.send(frame)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def _text(self, payload: bytes) -> None:
        if payload.startswith(b'{"type":"ack"'):
            now = time.perf_counter()
            for part in payload.split(b'"key":"')[1:]:
                sent_at = self._waiting.pop(part[:36], None)
                if sent_at is not None:
                    self.acked += 1
                    self.waits.append(now - sent_at)
                    if self.closed_loop:
                        self.send()
        elif payload.startswith(b'{"type":"state"'):
            self._shown.set()
        elif payload.startswith(b'{"type":"error"'):
            self.errors += 1
