"""Daphne's WebSocket with a short way for ordinary messages, in and out.

Autobahn takes a message through some thirty calls and Twisted writes it when the loop comes round, which together cost
more than everything else that happens to an event. What is whole, final, masked and in nobody's way is taken here in
one step, and a frame is written at once where nothing waits before it. Everything else (control frames, fragments,
large frames, whatever breaks the protocol) is Autobahn's, from the first octet that is not ordinary.

An application may also be called instead of asked: `scope["extensions"]["lyceum.direct"]` is the connection itself,
with `receive_by` and `send_text`. One that does not know of it is served through ASGI's `receive` and `send`.
"""

import logging
import time
from collections.abc import Callable

from daphne.ws_protocol import WebSocketProtocol

log = logging.getLogger(__name__)

EXTENSION = "lyceum.direct"
MOST_BYTES_WAITING = 8 * 1024 * 1024
"""What is kept for a page that does not read."""

Take = Callable[[str | bytes], None]

_TEXT, _BINARY = 0x81, 0x82  # final, no extension
_MASKED = 0x80
_KEY_BYTES = 4


class DirectWebSocket(WebSocketProtocol):
    """One connection."""

    def __init__(self) -> None:
        super().__init__()
        self._take: Take | None = None

    def receive_by(self, take: Take) -> None:
        """From now on call `take` with each message, instead of queueing it; first with those that are queued."""
        later = []
        while not self.application_queue.empty():
            queued = self.application_queue.get_nowait()
            if queued["type"] == "websocket.receive":
                take(queued["text"] if queued.get("text") is not None else queued["bytes"])
            else:
                later.append(queued)
        for event in later:
            self.application_queue.put_nowait(event)
        self._take = take

    def send_text(self, text: str) -> bool:
        """Send a message; one to a page that is gone is dropped. False where too much waits for the page to read."""
        if self.state not in {self.STATE_CLOSING, self.STATE_CLOSED}:
            self.serverSend(text)
        waiting: int = len(self.transport.dataBuffer) + self.transport._tempDataLen
        return waiting <= MOST_BYTES_WAITING

    def dataReceived(self, data: bytes) -> None:
        ordinary = (
            self.state == self.STATE_OPEN
            and not self.data
            and self.current_frame is None
            and not self.inside_message
            and self.autoPingTimeoutCall is None
            and not self.muted
        )
        if ordinary:
            data = self._whole_messages(data)
        if data or not ordinary:
            super().dataReceived(data)

    def _whole_messages(self, data: bytes) -> bytes:
        """Deliver the ordinary messages at the beginning of `data`; what follows them is returned."""
        at, size = 0, len(data)
        while size - at >= 2 + _KEY_BYTES and self.state == self.STATE_OPEN:
            kind, length, begin = data[at], data[at + 1] - _MASKED, at + 2
            if length == 126:
                length, begin = int.from_bytes(data[begin : begin + 2], "big"), begin + 2
                if length < 126:
                    break
            elif not 0 <= length < 126:
                break
            end = begin + _KEY_BYTES + length
            if kind not in {_TEXT, _BINARY} or size < end:
                break
            payload = _unmasked(data[begin : begin + _KEY_BYTES], data[begin + _KEY_BYTES : end])
            if kind == _BINARY:
                self.onMessage(payload, isBinary=True)
            else:
                try:
                    text = payload.decode()
                except UnicodeDecodeError:
                    break
                self._deliver(text)
            at = end
        return data[at:]

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if not self.muted:
            self._deliver(payload if isBinary else payload.decode())

    def _deliver(self, message: str | bytes) -> None:
        self.last_ping = time.time()
        if self._take is None:
            name = "text" if isinstance(message, str) else "bytes"
            self.application_queue.put_nowait({"type": "websocket.receive", name: message})
            return
        try:
            self._take(message)
        except Exception as error:  # the boundary: what Daphne does where an application that it asks fails
            log.exception("Exception inside application")
            self.handle_exception(error)

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:
        if self.state != self.STATE_OPEN or self.send_queue:
            super().serverSend(content, binary)
            return
        payload = content.encode() if isinstance(content, str) else content
        self._write(_frame(_BINARY if binary else _TEXT, payload))

    def _write(self, frame: bytes) -> None:
        transport = self.transport
        if transport.connected and not (transport.disconnecting or transport.dataBuffer or transport._tempDataLen):
            sent = transport.writeSomeData(frame)
            if isinstance(sent, int):  # otherwise the connection is lost, which the reactor finds out in its turn
                frame = frame[sent:]
        if frame:
            transport.write(frame)


def _unmasked(key: bytes, payload: bytes) -> bytes:
    """RFC 6455, 5.3: each octet XOR the octet of the key at its position modulo four; here in one step."""
    size = len(payload)
    mask = (key * (size // _KEY_BYTES + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(mask, "little")).to_bytes(size, "little")


def _frame(kind: int, payload: bytes) -> bytes:
    """A final frame from a server, which does not mask (RFC 6455, 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((kind, size)) + payload
    if size < 1 << 16:
        return bytes((kind, 126)) + size.to_bytes(2, "big") + payload
    return bytes((kind, 127)) + size.to_bytes(8, "big") + payload
