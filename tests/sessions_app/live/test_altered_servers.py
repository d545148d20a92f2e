"""What holds as well where the server is another, is slow, or fails."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sessions_app import enrolment, lifecycle
from sessions_app.live import socket
from sessions_app.live.protocol import Close
from sessions_app.models import LiveSession, SessionEvent, StudentSession, User
from tests.sessions_app.live.clients import in_thread, sign_in_cookie, student_page, teacher_page
from tests.sessions_app.live.conftest import Server, serve, without_traceback

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def altered(how: str, log: Path) -> Iterator[Server]:
    running = serve(log, how, program="tests.sessions_app.live.altered_server")
    try:
        yield running
    finally:
        assert running.stop() == 0


def test_a_server_that_only_asks_through_asgi_serves_as_well(
    started: LiveSession, sam_in: StudentSession, alice: User, tmp_path: Path
):
    cookie = sign_in_cookie(alice)

    async def scene(server: Server) -> None:
        async with teacher_page(server, started, cookie) as teacher, student_page(server, sam_in) as sam:
            await teacher.say({"type": "resume", "after": 0})
            for number in range(5):
                key = await sam.send_event("latency", {"rtt_ms": number})
                seq = await sam.ack_of(key)
            await teacher.until("events", lambda f: f["events"][-1]["seq"] >= seq)
            await sam.say(b"eight bytes and sound")
            assert (await sam.until("error"))["code"] == "no_reading"
            for _ in range(socket.FRAMES_AT_ONCE + 200):
                await sam.say({"type": "ping", "t": 1})
            assert await sam.close_code() == Close.BUSY

    with altered("plain", tmp_path / "server.log") as server, without_traceback(server):
        asyncio.run(scene(server))
    assert SessionEvent.objects.filter(event_type="latency").count() == 5


def test_what_happens_while_a_page_opens_is_not_missed(
    started: LiveSession, sam_in: StudentSession, tia_in: StudentSession, alice: User, tmp_path: Path
):
    """Of the end the page is told; whoever was taken out meanwhile is closed."""

    async def scene(server: Server) -> None:
        async with student_page(server, sam_in) as sam, student_page(server, tia_in) as tia:
            await asyncio.sleep(0.5)
            await in_thread(enrolment.member_remove, started, student_session=tia_in.pk, by=alice)
            await in_thread(lifecycle.session_end, started, by=alice)
            assert (await sam.until("state", lambda f: f["me"]["step"] == "ended"))["session"]["status"] == "ended"
            assert await tia.close_code() == Close.NOT_ALLOWED

    with altered("slow-to-watch", tmp_path / "server.log") as server, without_traceback(server):
        asyncio.run(scene(server))


def test_a_page_that_fails_is_closed_logged_and_recorded(started: LiveSession, sam_in: StudentSession, tmp_path: Path):
    async def scene(server: Server) -> None:
        async with student_page(server, sam_in) as sam:
            await sam.until("state")
            await sam.say({"type": "ping", "t": 1})
            assert await sam.close_code() == 1011

    log = tmp_path / "server.log"
    with altered("failing", log) as server:
        asyncio.run(scene(server))
    assert "ZeroDivisionError" in log.read_text()
    assert SessionEvent.objects.get(event_type="socket_closed").payload["code"] == 1011
