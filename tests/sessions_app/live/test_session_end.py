"""How a student's page comes to its end: taken over, ended with the session, late, too late."""

import asyncio
from datetime import timedelta

import pytest

from sessions_app import enrolment, lifecycle
from sessions_app.models import ClassMembership, LiveSession, SessionCounter, SessionEvent, StudentSession, User
from sessions_app.models.session import LATE_EVENTS_FOR
from tests.sessions_app.live.clients import in_thread, student_page
from tests.sessions_app.live.conftest import Server

pytestmark = pytest.mark.django_db(transaction=True)


def move_the_end(session: LiveSession, by: timedelta) -> None:
    """As if the session had ended that much earlier."""
    ended_at = LiveSession.objects.get(pk=session.pk).ended_at - by
    LiveSession.objects.filter(pk=session.pk).update(
        ended_at=ended_at, started_at=ended_at - by, configured_at=ended_at - by
    )
    SessionCounter.objects.filter(session=session).update(ended_at=ended_at)


def test_the_older_device_is_closed_and_the_newer_stays(
    server: Server, started: LiveSession, sam_in: StudentSession, alice: User
):
    membership = ClassMembership.objects.get(student=sam_in.student).pk

    def hand_over() -> StudentSession:
        asked = enrolment.takeover_request(started, membership=membership, device="another")
        return enrolment.takeover_decide(started, request=asked.pk, granted=True, by=alice).student_session

    async def scene() -> None:
        async with student_page(server, sam_in) as older:
            await older.until("state")
            newer_sam = await in_thread(hand_over)
            async with student_page(server, newer_sam) as newer:
                assert await older.close_code() == 4409
                await newer.ack_of(await newer.send_event("latency", {"rtt_ms": 1}))
            async with student_page(server, sam_in) as again:
                assert await again.close_code() == 4409

    asyncio.run(scene())


def test_the_end_is_shown_and_what_comes_late_is_taken_and_marked(
    server: Server, started: LiveSession, sam_in: StudentSession, alice: User
):
    async def scene() -> None:
        async with student_page(server, sam_in) as sam:
            in_time = await sam.send_event("latency", {"rtt_ms": 1})
            await sam.ack_of(in_time)
            await in_thread(lifecycle.session_end, started, by=alice)
            await sam.until("state", lambda f: f["me"]["step"] == "ended")
            await sam.ack_of(await sam.send_event("latency", {"rtt_ms": 2}))

    asyncio.run(scene())
    late = SessionEvent.objects.filter(event_type="latency").order_by("seq").values_list("payload__rtt_ms", "late")
    assert list(late) == [(1, False), (2, True)]


def test_an_action_after_the_end_is_refused_and_the_attempt_is_kept(
    server: Server, started: LiveSession, sam_in: StudentSession, alice: User
):
    async def scene() -> None:
        async with student_page(server, sam_in) as sam:
            await in_thread(lifecycle.session_end, started, by=alice)
            key = await sam.send_event("help_request")
            assert (await sam.error_of(key))["code"] == "session_over"

    asyncio.run(scene())
    assert SessionEvent.objects.get(event_type="action_refused").payload == {
        "action": "help_request", "reason": "session_over",
    }  # fmt: skip


def test_a_day_after_the_end_nothing_is_taken_any_more(
    server: Server, started: LiveSession, sam_in: StudentSession, alice: User
):
    async def scene() -> None:
        async with student_page(server, sam_in) as sam:
            await sam.until("state")
            await in_thread(lifecycle.session_end, started, by=alice)
            await sam.until("state", lambda f: f["me"]["step"] == "ended")
            await in_thread(move_the_end, started, LATE_EVENTS_FOR + timedelta(minutes=1))
            key = await sam.send_event("latency", {"rtt_ms": 1})
            assert (await sam.error_of(key))["code"] == "session_over"
        async with student_page(server, sam_in) as sam:
            assert await sam.close_code() == 4410

    asyncio.run(scene())
