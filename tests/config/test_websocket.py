"""The short way of our WebSocket: it takes what Autobahn would take, and sends what Autobahn would send."""

import asyncio
import struct
from types import SimpleNamespace
from typing import Any

import pytest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionLost
from twisted.internet.testing import StringTransport

from config.websocket import MOST_BYTES_WAITING, DirectWebSocket

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
HANDSHAKE = (
    b"GET /ws/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nOrigin: http://localhost\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Wire(StringTransport):
    """A transport that takes `room` octets at once and keeps the rest until it is asked to."""

    room: int | ConnectionLost = 1 << 30

    def __init__(self) -> None:
        super().__init__()
        self.connected, self.dataBuffer, self._tempDataLen, self.at_once = 1, b"", 0, b""

    def writeSomeData(self, data: bytes) -> int | ConnectionLost:
        if isinstance(self.room, ConnectionLost):
            return self.room
        self.at_once += data[: self.room]
        super().write(data[: self.room])
        return min(len(data), self.room)

    def unregisterProducer(self) -> None:
        """As a connection does it: also where there is none."""

    def abortConnection(self) -> None:
        self.loseConnection()


def connected(kind: type[WebSocketProtocol] = DirectWebSocket) -> Any:
    """An open connection of a kind, whose application has taken the opening."""
    server = SimpleNamespace(
        root_path="", proxy_forwarded_address_header=None, create_application=lambda *_: asyncio.Queue(),
        protocol_connected=lambda *_: None, protocol_disconnected=lambda *_: None, log_action=lambda *_: None,
    )  # fmt: skip
    factory = WebSocketFactory(server)
    factory.protocol = kind
    factory.setProtocolOptions(allowNullOrigin=True, maxFramePayloadSize=1 << 20, maxMessagePayloadSize=1 << 20)
    page = factory.buildProtocol(None)
    page._raw_query_string = b""
    page.makeConnection(Wire())
    page.dataReceived(HANDSHAKE)
    assert page.application_queue.get_nowait() == {"type": "websocket.connect"}
    page.handle_reply({"type": "websocket.accept"})
    assert page.transport.value().startswith(b"HTTP/1.1 101 ")
    page.transport.clear()
    return page


def frame(kind: int, payload: bytes, *, final: bool = True, mask: bytes | None = b"\x1f\x00\xa7\x80") -> bytes:
    """A frame as a browser sends it."""
    size, masked = len(payload), 0x80 if mask else 0
    first = kind | (0x80 if final else 0)
    if size < 126:
        head = bytes((first, masked | size))
    elif size < 1 << 16:
        head = struct.pack(">BBH", first, masked | 126, size)
    else:
        head = struct.pack(">BBQ", first, masked | 127, size)
    if mask is None:
        return head + payload
    return head + mask + bytes(octet ^ mask[i % 4] for i, octet in enumerate(payload))


def taken(page: Any) -> list[dict[str, Any]]:
    found = []
    while not page.application_queue.empty():
        found.append(page.application_queue.get_nowait())
    return found


def message(kind: int, payload: bytes) -> dict[str, Any]:
    return {"type": "websocket.receive", **({"text": payload.decode()} if kind == TEXT else {"bytes": payload})}


masks = st.binary(min_size=4, max_size=4)
texts = st.text(max_size=300).map(str.encode)
whole = st.tuples(st.just(TEXT), texts) | st.tuples(st.just(BINARY), st.binary(max_size=300))
frames = (
    st.builds(lambda m, mask: frame(*m, mask=mask), whole, masks)
    | st.builds(lambda p: frame(PING, p), st.binary(max_size=125))
    | st.builds(lambda a, b: frame(TEXT, a, final=False) + frame(0, b), texts, texts)
    | st.builds(lambda a, p, b: frame(BINARY, a, final=False) + frame(PING, p) + frame(0, b), texts, texts, texts)
    | st.sampled_from(
        [
            frame(TEXT, b"x" * 126), frame(TEXT, b"x" * 65535), frame(BINARY, b"x" * 65536), frame(PONG, b""),
            frame(TEXT, b"\xff"), frame(TEXT, "\ud800".encode("utf-8", "surrogatepass")), frame(TEXT, b"no", mask=None),
            frame(3, b"reserved"), frame(TEXT | 0x40, b"an extension"), frame(0, b"goes on from nothing"),
            b"\x81\xfe\x00\x05\0\0\0\0short", frame(CLOSE, struct.pack(">H", 1000)),
        ]
    )
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(st.lists(frames, max_size=6), st.lists(st.integers(min_value=0, max_value=4000), max_size=6))
def test_whatever_comes_in_whatever_pieces_is_taken_as_autobahn_takes_it(sent: list[bytes], cuts: list[int]) -> None:
    octets = b"".join(sent)
    ends = [*sorted(cut for cut in cuts if cut < len(octets)), len(octets)]
    ours, theirs = connected(), connected(WebSocketProtocol)
    for page in (ours, theirs):
        begin = 0
        for end in ends:
            page.dataReceived(octets[begin:end])
            begin = end
    assert taken(ours) == taken(theirs)
    assert ours.transport.value() == theirs.transport.value()
    assert ours.state == theirs.state


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
@pytest.mark.parametrize("kind", [TEXT, BINARY])
def test_a_message_is_sent_as_autobahn_sends_it_and_at_once(kind: int, size: int) -> None:
    ours, theirs = connected(), connected(WebSocketProtocol)
    content = "ä" * (size // 2) + "x" * (size % 2)
    for page in (ours, theirs):
        page.serverSend(content if kind == TEXT else content.encode(), kind == BINARY)
    assert ours.transport.value() == theirs.transport.value()
    assert ours.transport.at_once == ours.transport.value()


def test_what_the_socket_does_not_take_at_once_is_sent_later_and_in_order() -> None:
    page = connected()
    page.transport.room = 3
    page.send_text("first")
    assert page.transport.at_once == b"\x81\x05f"
    page.transport._tempDataLen = 4
    page.send_text("second")
    assert page.transport.at_once == b"\x81\x05f"
    assert page.transport.value() == b"\x81\x05first\x81\x06second"


def test_a_lost_connection_is_left_to_the_loop() -> None:
    page = connected()
    page.transport.room = ConnectionLost()
    assert page.send_text("anybody?")
    assert page.transport.value() == b"\x81\x08anybody?"


def test_a_message_to_a_page_that_is_closed_is_dropped() -> None:
    page = connected()
    page.serverClose(4410)
    page.transport.clear()
    assert page.send_text("too late")
    assert page.transport.value() == b""


def test_a_page_that_does_not_read_is_told_apart() -> None:
    page = connected()
    page.transport._tempDataLen = MOST_BYTES_WAITING
    assert page.send_text("")
    page.transport._tempDataLen += 1
    assert not page.send_text("")


def test_an_application_that_is_called_gets_first_what_was_queued() -> None:
    page, got = connected(), []
    page.dataReceived(frame(TEXT, b"one") + frame(BINARY, b"two"))
    page.receive_by(got.append)
    page.dataReceived(frame(TEXT, b"three") + frame(TEXT, b"fo", final=False) + frame(0, b"ur") + frame(TEXT, b"five"))
    assert got == ["one", b"two", "three", "four", "five"]
    assert taken(page) == []


def test_the_end_stays_in_the_queue_for_an_application_that_is_called() -> None:
    page, got = connected(), []
    page.dataReceived(frame(TEXT, b"bye") + frame(CLOSE, struct.pack(">H", 1001)))
    page.connectionLost(SimpleNamespace(value=ConnectionLost()))
    page.receive_by(got.append)
    assert got == ["bye"]
    assert [(m["type"], m["code"]) for m in taken(page)] == [("websocket.disconnect", 1001)]


def test_an_application_that_fails_is_logged_and_closed(caplog: pytest.LogCaptureFixture) -> None:
    page = connected()

    def fail(_: str | bytes) -> None:
        raise ZeroDivisionError

    page.receive_by(fail)
    page.dataReceived(frame(TEXT, b"divide"))
    assert "ZeroDivisionError" in caplog.text
    assert page.transport.value() == b"\x88\x02" + struct.pack(">H", 1011)


def test_a_message_is_a_sign_of_life() -> None:
    page = connected()
    page.last_ping = 0
    page.dataReceived(frame(TEXT, b"here"))
    assert page.last_ping > 0
