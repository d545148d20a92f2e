"""The student's socket, over the wire."""

import asyncio
import uuid

import pytest

from sessions_app.models import LiveSession, SessionEvent, StudentSession, User
from tests.sessions_app.live.clients import eventually, sign_in_cookie, student_page, teacher_page
from tests.sessions_app.live.conftest import Server

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_event_goes_from_the_student_to_the_teacher(
    server: Server, started: LiveSession, sam_in: StudentSession, alice: User
):
    cookie = sign_in_cookie(alice)

    async def scene() -> None:
        async with teacher_page(server, started, cookie) as teacher, student_page(server, sam_in) as sam:
            state = await teacher.until("state")
            assert [s["label"] for s in state["students"]] == ["Sam"]
            await teacher.say({"type": "resume", "epoch": state["epoch"], "after": 0})
            assert (await sam.until("state"))["me"]["step"] == "in_session"
            key = await sam.send_event("progress", {"step": "content", "percent": 10})
            seq = await sam.ack_of(key)
            frame = await teacher.until("events", lambda f: f["events"][-1]["seq"] >= seq)
            seen = [e for f in teacher.received if f["type"] == "events" for e in f["events"]]
            assert [e["seq"] for e in seen] == list(range(1, frame["events"][-1]["seq"] + 1))
            assert next(e for e in seen if e["seq"] == seq)["data"] == {"step": "content", "percent": 10.0}

    asyncio.run(scene())
    assert SessionEvent.objects.get(event_type="progress").student_session_id == sam_in.pk


def test_a_repeated_key_gets_the_same_position(server: Server, started: LiveSession, sam_in: StudentSession):
    async def scene() -> None:
        async with student_page(server, sam_in) as sam:
            key = await sam.send_event("latency", {"rtt_ms": 12})
            first = await sam.ack_of(key)
            await sam.send_event("latency", {"rtt_ms": 12}, key=key)
            assert await sam.ack_of(key) == first

    asyncio.run(scene())


def test_an_action_is_acknowledged_and_changes_the_state(server: Server, started: LiveSession, sam_in: StudentSession):
    async def scene() -> None:
        async with student_page(server, sam_in) as sam:
            assert (await sam.until("state"))["me"]["ready"] is False
            await sam.ack_of(await sam.send_event("ready"))
            assert (await sam.until("state", lambda f: f["me"]["ready"]))["me"]["ready"] is True

    asyncio.run(scene())


def test_a_closed_socket_is_on_the_timeline(server: Server, started: LiveSession, sam_in: StudentSession):
    async def scene() -> None:
        async with student_page(server, sam_in) as sam:
            await sam.until("state")

    asyncio.run(scene())

    eventually(SessionEvent.objects.filter(event_type="socket_closed").exists)
    opened = SessionEvent.objects.get(event_type="socket_opened")
    closed = SessionEvent.objects.get(event_type="socket_closed")
    assert opened.payload["connection"] == closed.payload["connection"]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("no json", "not_json"),
        (b"\x00\x01", "bad_audio"),
        ('{"type":"events"}', "bad_value"),
        ('{"type":"dance"}', "bad_value"),
        ("[" * 5000, "bad_value"),
        ('{"type":"events","events":' + "[" * 5000 + "]" * 5000 + "}", "too_deep"),
        ('{"type":"ping","t":NaN}', "not_json"),
        ('{"type":"resume","after":0}', "not_allowed"),
        ('{"type":"events","events":[' + "1," * 100 + "1]}", "bad_value"),
        (" " * 300_000, "too_large"),
        ('{"type":"ping","t":' + "9" * 4000 + "}", "bad_value"),
    ],
)
def test_a_frame_that_cannot_be_taken_gets_an_error_and_the_socket_stays_open(
    server: Server, started: LiveSession, sam_in: StudentSession, frame: str | bytes, code: str
):
    async def scene() -> None:
        async with student_page(server, sam_in) as sam:
            await sam.until("state")
            await sam.say(frame)
            error = await sam.until("error")
            assert error["code"] == code
            assert error["message"]
            await sam.ack_of(await sam.send_event("latency", {"rtt_ms": 1}))

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("event", "data", "code"),
    [
        ("no_such_kind", {}, "unknown_event"),
        ("started", {}, "not_allowed"),
        ("latency", {"rtt_ms": "fast"}, "bad_value"),
        ("latency", {}, "bad_value"),
        ("latency", {"rtt_ms": 1, "extra": 1}, "bad_value"),
        ("client_error", {"where": "x", "message": "nul \u0000"}, "bad_text"),
        ("client_error", {"where": "x", "message": "half \ud800"}, "not_json"),
        ("leader_ready", {"ready": True}, "not_leader"),
    ],
)
def test_a_bad_event_gets_an_error_with_its_key_and_the_others_are_taken(
    server: Server, sam_in: StudentSession, tia_in: StudentSession, event: str, data: dict, code: str
):
    async def scene() -> None:
        async with student_page(server, tia_in) as tia:
            await tia.until("state")
            key = await tia.send_event(event, data)
            error = await tia.error_of(key)
            assert error["code"] == code
            await tia.ack_of(await tia.send_event("latency", {"rtt_ms": 1}))

    if event == "leader_ready":
        sam_in.group.leader = None
        tia_in.group.leader = sam_in
        tia_in.group.save()
    asyncio.run(scene())


def test_somebody_without_the_join_cookie_is_not_let_in(server: Server, started: LiveSession, sam_in: StudentSession):
    async def scene(cookie: str) -> int:
        async with student_page(server, sam_in, cookie=cookie) as nobody:
            return await nobody.close_code()

    assert asyncio.run(scene("")) == 4401
    assert asyncio.run(scene(f"join_{sam_in.pk.hex}=forged")) == 4401


def test_a_newer_connection_closes_the_older_one(server: Server, started: LiveSession, sam_in: StudentSession):
    async def scene() -> None:
        async with student_page(server, sam_in) as older:
            await older.until("state")
            async with student_page(server, sam_in) as newer:
                await newer.until("state")
                assert await older.close_code() == 4409
                await newer.ack_of(await newer.send_event("latency", {"rtt_ms": 1}))

    asyncio.run(scene())


def test_a_flood_without_waiting_for_acknowledgements_is_closed_as_busy(
    server: Server, started: LiveSession, sam_in: StudentSession
):
    def body() -> dict:
        return {"key": str(uuid.uuid4()), "event": "latency", "at": "2026-10-20T14:00:00Z", "data": {"rtt_ms": 1}}

    async def scene() -> None:
        async with student_page(server, sam_in) as sam:
            await sam.until("state")
            for _ in range(8):
                await sam.say({"type": "events", "events": [body() for _ in range(60)]})
            assert await sam.close_code() == 4429

    asyncio.run(scene())


def test_a_frame_beyond_all_measure_closes_the_socket_and_harms_nobody_else(
    server: Server, started: LiveSession, sam_in: StudentSession, tia_in: StudentSession
):
    async def scene() -> None:
        async with student_page(server, tia_in) as tia, student_page(server, sam_in) as sam:
            await sam.until("state")
            await sam.say("x" * 2_000_000)
            assert await sam.close_code() in {1006, 1009}
            await tia.ack_of(await tia.send_event("latency", {"rtt_ms": 1}))

    asyncio.run(scene())
