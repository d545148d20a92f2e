"""Several web processes on one database, and the end of one."""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sessions_app.models import LiveSession, SessionEvent, StudentSession, User
from tests.sessions_app.live.clients import eventually, sign_in_cookie, student_page, teacher_page
from tests.sessions_app.live.conftest import Server, serve

pytestmark = pytest.mark.django_db(transaction=True)

EVENTS = 40


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts web processes with an environment; they end in order, and no log has a traceback."""
    running: list[Server] = []

    def started(**environment: str) -> Server:
        running.append(serve(tmp_path / f"server{len(running)}.log", **environment))
        return running[-1]

    yield started
    statuses = [server.stop() for server in running]
    said = "".join(server.log.read_text() for server in running)
    assert set(statuses) == {0}
    assert "Traceback" not in said, said


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A Redis of the test's own; `REDIS_URL` names another."""
    if given := os.environ.get("REDIS_URL"):
        yield given
        return
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no program redis-server, and REDIS_URL is not set")
    path = tmp_path / "redis.sock"
    running = subprocess.Popen(
        [program, "--port", "0", "--unixsocket", path, "--save", "", "--dir", tmp_path], stdout=subprocess.DEVNULL
    )
    end = time.monotonic() + 10
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.01)
    yield f"unix://{path}"
    running.terminate()
    running.wait(10)


async def seen_by_the_teacher(
    teachers: Server, students: Server, session: LiveSession, cookie: str, member: StudentSession
) -> None:
    """A student on one process, the teacher on another: the teacher sees every event once, in order, and the board."""
    async with teacher_page(teachers, session, cookie) as teacher, student_page(students, member) as sam:
        await teacher.say({"type": "resume", "epoch": None, "after": 0})
        for number in range(EVENTS):
            key = await sam.send_event("latency", {"rtt_ms": number})
            last = await sam.ack_of(key)
        await sam.ack_of(await sam.send_event("help_request"))
        await teacher.until("events", lambda f: f["events"][-1]["seq"] > last)
        await teacher.until("state", lambda f: "act" in [need["kind"] for need in f["students"][0]["needs"]])
        seen = [e for f in teacher.received if f["type"] == "events" for e in f["events"]]
        assert [e["seq"] for e in seen] == list(range(1, last + 2))
        assert [e["data"]["rtt_ms"] for e in seen if e["event"] == "latency"] == list(range(EVENTS))


def test_a_teacher_on_another_process_sees_everything(
    server: Server, start: Callable[..., Server], started: LiveSession, sam_in: StudentSession, alice: User
):
    cookie = sign_in_cookie(alice)
    asyncio.run(seen_by_the_teacher(start(), server, started, cookie, sam_in))


def test_with_redis_a_teacher_on_another_process_sees_everything(
    redis_url: str, start: Callable[..., Server], started: LiveSession, sam_in: StudentSession, alice: User
):
    cookie = sign_in_cookie(alice)
    one, two = start(REDIS_URL=redis_url), start(REDIS_URL=redis_url)
    asyncio.run(seen_by_the_teacher(one, two, started, cookie, sam_in))


def test_a_server_that_is_stopped_tells_its_pages_and_keeps_what_it_acknowledged(
    start: Callable[..., Server], started: LiveSession, sam_in: StudentSession, alice: User
):
    cookie = sign_in_cookie(alice)
    server = start()

    async def scene() -> tuple[int, int, set[str]]:
        async with teacher_page(server, started, cookie) as teacher, student_page(server, sam_in) as sam:
            await teacher.until("state")
            await sam.until("state")
            for number in range(30):
                await sam.send_event("latency", {"rtt_ms": number})
            server.process.terminate()
            codes = await sam.close_code(), await teacher.close_code()
            return *codes, {ack["key"] for f in sam.received if f["type"] == "ack" for ack in f["acks"]}

    *codes, acknowledged = asyncio.run(scene())
    assert codes == [4412, 4412]
    eventually(lambda: server.process.poll() is not None)
    kept = SessionEvent.objects.filter(event_type="latency").values_list("key", flat=True)
    assert acknowledged <= {str(key) for key in kept}
    assert SessionEvent.objects.filter(event_type="socket_closed").count() == 1
