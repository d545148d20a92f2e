"""The teacher's socket, over the wire."""

import asyncio
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from pytest_django.plugin import DjangoDbBlocker
from websockets.exceptions import InvalidStatus

from sessions_app import attention, enrolment, lifecycle, timeline
from sessions_app.models import LiveSession, SchoolClass, SessionCounter, StudentSession, User
from tests.sessions_app.live.clients import Page, in_thread, page, sign_in_cookie, student_page, teacher_page
from tests.sessions_app.live.conftest import Server, serve, without_traceback

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("brisk")]  # one server, one worker


@pytest.fixture(scope="module")
def brisk_process(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server that looks ten times a second at what it otherwise looks at now and then."""
    with django_db_blocker.unblock():
        log = tmp_path_factory.mktemp("brisk") / "server.log"
        running = serve(log, "brisk", program="tests.sessions_app.live.altered_server")
    yield running
    assert running.stop() == 0


@pytest.fixture
def brisk_server(transactional_db: None, brisk_process: Server) -> Iterator[Server]:
    with without_traceback(brisk_process):
        yield brisk_process


async def timeline_of(teacher: Page, *, up_to: int) -> list[int]:
    """The positions of the events that the page was given, as soon as it has that of `up_to`."""
    while not (places := seen(teacher)) or places[-1] < up_to:
        await teacher.next()
    return places


def seen(teacher: Page) -> list[int]:
    return [event["seq"] for frame in teacher.received if frame["type"] == "events" for event in frame["events"]]


async def resume(teacher: Page, *, after: int = 0, epoch: str | None = None) -> None:
    await teacher.say({"type": "resume", "epoch": epoch, "after": after})


def test_a_page_goes_on_from_its_position(server: Server, sam_in: StudentSession, started: LiveSession, alice: User):
    cookie, here = sign_in_cookie(alice), timeline.position(started.pk)

    async def scene() -> None:
        async with teacher_page(server, started, cookie) as teacher:
            await resume(teacher, epoch=str(here.epoch), after=1)
            assert await timeline_of(teacher, up_to=here.seq) == list(range(2, here.seq + 1))

    asyncio.run(scene())


def test_a_page_that_knows_another_epoch_is_given_everything(
    server: Server, sam_in: StudentSession, started: LiveSession, alice: User
):
    cookie, here = sign_in_cookie(alice), timeline.position(started.pk)

    async def scene() -> None:
        async with teacher_page(server, started, cookie) as teacher:
            await resume(teacher, epoch=str(uuid.uuid4()), after=here.seq)
            assert await timeline_of(teacher, up_to=here.seq) == list(range(1, here.seq + 1))

    asyncio.run(scene())


def test_what_another_process_appends_reaches_the_page(
    server: Server, sam_in: StudentSession, started: LiveSession, alice: User
):
    cookie, here = sign_in_cookie(alice), timeline.position(started.pk)

    async def scene() -> None:
        async with teacher_page(server, started, cookie) as teacher:
            await resume(teacher, epoch=str(here.epoch), after=here.seq)
            await in_thread(attention.attention_ask, started, text="Are you there?", by=alice)
            frame = await teacher.until("events")
            assert [(e["seq"], e["event"]) for e in frame["events"]] == [(here.seq + 1, "attention_check")]
            assert frame["epoch"] == str(here.epoch)

    asyncio.run(scene())


def test_many_events_while_a_page_catches_up_come_once_and_in_order(
    server: Server, sam_in: StudentSession, started: LiveSession, alice: User
):
    cookie = sign_in_cookie(alice)

    async def scene() -> None:
        async with student_page(server, sam_in) as sam, teacher_page(server, started, cookie) as teacher:
            for number in range(60):
                key = await sam.send_event("latency", {"rtt_ms": number})
                if number == 20:
                    await resume(teacher)
                last = await sam.ack_of(key)
            assert await timeline_of(teacher, up_to=last) == list(range(1, last + 1))

    asyncio.run(scene())


def test_the_board_follows(server: Server, started: LiveSession, sam_in: StudentSession, alice: User):
    cookie = sign_in_cookie(alice)

    async def scene() -> None:
        async with teacher_page(server, started, cookie) as teacher:
            await resume(teacher)
            async with student_page(server, sam_in) as sam:
                await sam.ack_of(await sam.send_event("ready"))
                await teacher.until("state", lambda f: f["students"][0]["ready"])

    asyncio.run(scene())


def test_a_page_is_still_told_after_the_last_student_left(
    server: Server, started: LiveSession, sam_in: StudentSession, alice: User
):
    cookie = sign_in_cookie(alice)

    async def scene() -> None:
        async with teacher_page(server, started, cookie) as teacher:
            await teacher.until("state")
            async with student_page(server, sam_in) as sam:
                await sam.until("state")
            await resume(teacher)
            await teacher.until("events", lambda f: f["events"][-1]["event"] == "socket_closed")
            await in_thread(lifecycle.session_end, started, by=alice)
            await teacher.until("events", lambda f: f["events"][-1]["event"] == "ended")

    asyncio.run(scene())


def test_only_who_may_see_the_session_is_let_in(
    server: Server, started: LiveSession, alice: User, charlie: User, rosa: User
):
    async def closed_with(path: str, cookie: str) -> int:
        async with page(server, path, cookie) as somebody:
            return await somebody.close_code()

    here = f"/ws/sessions/{started.pk}/teacher/"
    nowhere = f"/ws/sessions/{uuid.uuid4()}/teacher/"
    cookies = {user.username: sign_in_cookie(user) for user in (alice, charlie, rosa)}
    assert asyncio.run(closed_with(here, "")) == 4401
    assert asyncio.run(closed_with(here, "sessionid=forged")) == 4401
    assert asyncio.run(closed_with(here, cookies["rosa"])) == 4403
    assert asyncio.run(closed_with(here, cookies["charlie"])) == 4404
    assert asyncio.run(closed_with(nowhere, cookies["alice"])) == 4404


@pytest.mark.parametrize("origin", ["https://elsewhere.example", None])
def test_another_origin_is_refused_before_anything_else(
    server: Server, started: LiveSession, alice: User, origin: str | None
):
    cookie = sign_in_cookie(alice)

    async def scene() -> int:
        try:
            async with page(server, f"/ws/sessions/{started.pk}/teacher/", cookie, origin=origin):
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code

    assert asyncio.run(scene()) == 403


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("no json", "not_json"),
        (b"\x00", "no_audio"),
        ('{"type":"resume","after":-1}', "bad_value"),
        ('{"type":"events","events":[]}', "not_allowed"),
        ("[" * 5000, "bad_value"),
    ],
)
def test_a_frame_that_cannot_be_taken_gets_an_error(
    server: Server, started: LiveSession, alice: User, frame: Any, code: str
):
    cookie = sign_in_cookie(alice)

    async def scene() -> None:
        async with teacher_page(server, started, cookie) as teacher:
            await teacher.until("state")
            await teacher.say(frame)
            assert (await teacher.until("error"))["code"] == code
            await teacher.say({"type": "ping", "t": 5})
            assert (await teacher.until("pong"))["t"] == 5

    asyncio.run(scene())


def test_a_flood_of_frames_is_closed_as_busy(server: Server, started: LiveSession, alice: User):
    cookie = sign_in_cookie(alice)

    async def scene() -> None:
        async with teacher_page(server, started, cookie) as teacher:
            for number in range(1000):
                await teacher.say({"type": "ping", "t": number})
            assert await teacher.close_code() == 4429

    asyncio.run(scene())


def test_the_page_is_told_the_position_without_having_asked(
    brisk_server: Server, sam_in: StudentSession, started: LiveSession, alice: User
):
    cookie, here = sign_in_cookie(alice), timeline.position(started.pk)

    async def scene() -> None:
        async with teacher_page(brisk_server, started, cookie) as teacher:
            await resume(teacher, epoch=str(here.epoch), after=here.seq)
            frame = await teacher.until("position")
            assert (frame["epoch"], frame["seq"]) == (str(here.epoch), here.seq)

    asyncio.run(scene())


def test_a_restored_timeline_is_told_by_another_epoch(brisk_server: Server, started: LiveSession, alice: User):
    cookie, here, other = sign_in_cookie(alice), timeline.position(started.pk), uuid.uuid4()

    async def scene() -> None:
        async with teacher_page(brisk_server, started, cookie) as teacher:
            await resume(teacher, epoch=str(here.epoch), after=here.seq)
            await teacher.until("position")
            await in_thread(SessionCounter.objects.filter(session=started).update, epoch=other)
            await teacher.until("position", lambda f: f["epoch"] == str(other))
            await resume(teacher, epoch=str(here.epoch), after=here.seq)
            assert (await teacher.until("events"))["events"][0]["seq"] == 1

    asyncio.run(scene())


def test_a_teacher_whose_access_is_withdrawn_is_closed(
    brisk_server: Server, started: LiveSession, grade_four: SchoolClass, bob: User
):
    grade_four.teachers.add(bob)
    cookie = sign_in_cookie(bob)

    async def scene() -> int:
        async with teacher_page(brisk_server, started, cookie) as teacher:
            await teacher.until("state")
            await in_thread(grade_four.teachers.remove, bob)
            return await teacher.close_code()

    assert asyncio.run(scene()) == 4403


def test_a_teacher_who_signed_out_elsewhere_is_closed(brisk_server: Server, started: LiveSession, alice: User):
    cookie = sign_in_cookie(alice)

    async def scene() -> int:
        async with teacher_page(brisk_server, started, cookie) as teacher:
            await teacher.until("state")
            await in_thread(Session.objects.all().delete)
            return await teacher.close_code()

    assert asyncio.run(scene()) == 4401


def test_a_student_who_is_taken_out_is_told_and_closed(
    server: Server, started: LiveSession, sam_in: StudentSession, alice: User
):
    async def scene() -> int:
        async with student_page(server, sam_in) as sam:
            await sam.until("state")
            await in_thread(enrolment.member_remove, started, student_session=sam_in.pk, by=alice)
            code = await sam.close_code()
            assert "removed" in [frame.get("code") for frame in sam.received]
            return code

    assert asyncio.run(scene()) == 4403
