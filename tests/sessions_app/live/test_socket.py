"""A page that does not read what it is sent is closed, whichever way the server sends."""

import asyncio
from typing import Any
from unittest.mock import patch

from sessions_app.live import socket
from sessions_app.live.protocol import Close
from sessions_app.live.socket import MOST_FRAMES_WAITING, Socket


class Silent(Socket):
    async def opened(self) -> None:
        """Nothing happens by itself."""

    def closed(self, code: int) -> None:
        """Nothing is kept."""


class Wire:
    """What a server does for one connection: `sent` has what arrived, and nothing arrives while `blocked`."""

    def __init__(self, **extensions: Any) -> None:
        self.sent: list[dict[str, Any]] = []
        self.free = asyncio.Event()
        self.free.set()
        self.coming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.coming.put_nowait({"type": "websocket.connect"})
        self.scope = {"type": "websocket", "headers": [], "extensions": extensions}

    async def send(self, message: dict[str, Any]) -> None:
        await self.free.wait()
        self.sent.append(message)

    async def opens(self) -> tuple[Socket, asyncio.Task[None]]:
        page = Silent()
        with patch.object(socket, "services"):
            task = asyncio.create_task(page(self.scope, self.coming.get, self.send))
            page_services = socket.services()
            page_services.stopping = False
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert self.sent == [{"type": "websocket.accept"}]
        return page, task

    async def goes(self, task: asyncio.Task[None]) -> None:
        self.coming.put_nowait({"type": "websocket.disconnect", "code": 1006})
        await task


async def test_frames_arrive_in_order() -> None:
    wire = Wire()
    page, task = await wire.opens()
    page.push("one")
    page.push("two")
    await asyncio.sleep(0)
    assert [message["text"] for message in wire.sent[1:]] == ["one", "two"]
    await wire.goes(task)


async def test_a_page_behind_a_server_that_waits_for_it_is_closed_at_the_bound() -> None:
    wire = Wire()
    page, task = await wire.opens()
    wire.free.clear()
    for number in range(MOST_FRAMES_WAITING + 1):
        page.push(str(number))
    page.push("after the end")
    wire.free.set()
    await asyncio.sleep(0.01)
    assert wire.sent[1:] == [{"type": "websocket.close", "code": Close.BUSY}]
    await wire.goes(task)


async def test_a_page_behind_our_own_server_is_closed_when_that_says_so() -> None:
    class Full:
        def receive_by(self, take: Any) -> None: ...

        def send_text(self, text: str) -> bool:
            return text != "too much"

    wire = Wire(**{"lyceum.direct": Full()})
    page, task = await wire.opens()
    page.push("fine")
    page.push("too much")
    await asyncio.sleep(0)
    assert wire.sent[1:] == [{"type": "websocket.close", "code": Close.BUSY}]
    await wire.goes(task)


async def test_a_page_that_went_away_while_it_was_written_to_is_no_error() -> None:
    wire = Wire()
    page, task = await wire.opens()

    async def broken(message: dict[str, Any]) -> None:
        raise BrokenPipeError

    page._send = broken
    page.push("anybody?")
    await asyncio.sleep(0)
    await wire.goes(task)
    assert task.exception() is None
