"""Events over HTTP, for where no socket gets through: the same decoder, the same rules, the same acknowledgement."""

import http.client
import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from sessions_app import lifecycle, timeline
from sessions_app.models import LiveSession, SessionEvent, StudentSession, User
from tests.cast import story
from tests.sessions_app.live.clients import join_cookie
from tests.sessions_app.live.conftest import Server

pytestmark = pytest.mark.django_db(transaction=True)


def event(kind: str = "latency", data: dict[str, Any] | None = None, **more: object) -> dict[str, Any]:
    data = {"rtt_ms": 12} if data is None else data
    return {"key": str(uuid.uuid4()), "event": kind, "at": datetime.now(UTC).isoformat(), "data": data} | more


def post(
    server: Server, member: StudentSession, *events: dict[str, Any], body: bytes | None = None, **headers: str | None
) -> tuple[int, dict[str, Any]]:
    """Status and JSON of a post, as a page of ours sends it; a header that is None is left out."""
    said = {"Origin": server.origin, "Cookie": join_cookie(member)} | headers
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        sent = json.dumps({"events": events}).encode() if body is None else body
        named = {name.replace("_", "-"): value for name, value in said.items() if value is not None}
        connection.request("POST", f"/s/{member.pk}/events", sent, named)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def test_what_is_acknowledged_is_on_the_timeline(server: Server, session: LiveSession, sam_in: StudentSession):
    fact, action = event(), event("ready", {})
    status, answer = post(server, sam_in, fact, action)
    assert (status, answer["errors"]) == (200, [])
    acknowledged = {ack["key"]: ack["seq"] for ack in answer["acks"]}
    stored = SessionEvent.objects.filter(key__isnull=False).values_list("key", "seq")
    assert acknowledged == {str(key): seq for key, seq in stored}
    assert set(acknowledged) == {fact["key"], action["key"]}
    sam_in.refresh_from_db()
    assert sam_in.ready_at is not None


def test_a_repeated_post_gets_the_same_positions(server: Server, session: LiveSession, sam_in: StudentSession):
    sent = [event(), event("ready", {})]
    first, again = (post(server, sam_in, *sent)[1]["acks"] for _ in range(2))
    assert sorted(a["seq"] for a in first) == sorted(a["seq"] for a in again)
    assert sorted(story(session, after=2)) == ["latency", "ready"]


def test_a_bad_event_does_not_take_the_others_with_it(server: Server, session: LiveSession, sam_in: StudentSession):
    good, unknown, wrong = event(), event("juggle", {}), event(data={"rtt_ms": "fast"})
    forged, nul = event("started", {}), event("client_error", {"where": "a\x00", "message": "b"})
    status, answer = post(server, sam_in, unknown, good, wrong, forged, nul)
    assert status == 200
    assert [ack["key"] for ack in answer["acks"]] == [good["key"]]
    assert {e["key"]: (e["code"], e["retry"]) for e in answer["errors"]} == {
        unknown["key"]: ("unknown_event", False),
        wrong["key"]: ("bad_value", False),
        forged["key"]: ("not_allowed", False),
        nul["key"]: ("bad_text", False),
    }
    assert story(session, after=2) == ["latency"]


def test_an_action_that_is_refused_says_why_and_is_kept(server: Server, session: LiveSession, sam_in: StudentSession):
    asked = event("help_request", {})
    _status, answer = post(server, sam_in, asked)
    [error] = answer["errors"]
    assert (error["key"], error["code"], error["message"]) == (
        asked["key"], "not_started", "The session has not started yet."
    )  # fmt: skip
    assert story(session, after=2) == ["action_refused"]


def test_after_the_end_facts_are_late_and_actions_are_refused(
    server: Server, started: LiveSession, alice: User, sam_in: StudentSession
):
    lifecycle.session_end(started, by=alice)
    status, answer = post(server, sam_in, event(), event("ready", {}))
    assert (status, len(answer["acks"]), answer["errors"][0]["code"]) == (200, 1, "session_over")
    assert all(e.late for e in timeline.read(started.pk) if e.event in {"latency", "action_refused"})


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "not_json"),
        (b"{", 400, "not_json"),
        (b"[]", 400, "bad_value"),
        (b'{"events": 7}', 400, "bad_value"),
        (b'{"events": [], "more": 1}', 400, "bad_value"),
        (b'{"events": [' + b"{}," * 64 + b"{}]}", 400, "bad_value"),
        (b'{"events": ' + b"[" * 100_000, 400, "too_deep"),
        (b" " * 300_000, 413, "too_large"),
    ],
    ids=["empty", "half", "list", "number", "more", "many", "deep", "large"],
)
def test_what_is_no_list_of_events_is_refused_whole(
    server: Server, sam_in: StudentSession, body: bytes, status: int, code: str
):
    answered, answer = post(server, sam_in, body=body)
    assert (answered, answer["error"]["code"]) == (status, code)


def test_an_event_that_is_no_text_has_an_error_without_a_key(server: Server, sam_in: StudentSession):
    status, answer = post(server, sam_in, body=b'{"events": ["\xff"]}')
    assert (status, answer["acks"], answer["errors"][0]["key"]) == (200, [], None)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": None},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_a_post_from_elsewhere_is_not_taken(server: Server, session: LiveSession, sam_in: StudentSession, headers):
    status, answer = post(server, sam_in, event(), **headers)
    assert (status, answer["error"]["code"]) == (403, "not_allowed")
    assert story(session) == ["configured", "member_join"]


def test_without_the_students_own_ticket_nothing_is_taken(
    server: Server, session: LiveSession, sam_in: StudentSession, tia_in: StudentSession
):
    assert post(server, sam_in, event(), Cookie=None)[0] == 404
    assert post(server, sam_in, event(), Cookie=join_cookie(tia_in))[0] == 404
    StudentSession.objects.filter(pk=sam_in.pk).update(cookie_version=2)
    status, answer = post(server, sam_in, event())
    assert (status, answer["error"]["code"]) == (409, "other_device")
    assert story(session) == ["configured", "member_join", "member_join"]


def test_events_are_posted(client, sam_in: StudentSession):
    assert client.get(f"/s/{sam_in.pk}/events").status_code == 405
