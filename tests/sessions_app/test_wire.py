"""The strict decoder: whatever comes, it is a value that jsonb can store, or `Malformed` with a sentence."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.db import connection
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sessions_app import wire
from sessions_app.events import KINDS, Sent, payload
from sessions_app.wire import EventsFrame, Malformed, PingFrame, ResumeFrame

KEY = "0190d6a0-0000-7000-8000-000000000001"


def event(**changes: Any) -> dict[str, Any]:
    usual = {"key": KEY, "event": "latency", "at": "2026-10-20T14:00:00Z", "data": {"rtt_ms": 12}}
    return {name: value for name, value in (usual | changes).items() if value is not ...}


def decode(body: Any) -> wire.ClientEvent:
    return wire.decode_event(msgspec.Raw(body if isinstance(body, bytes) else json.dumps(body).encode()))


def refused(body: Any) -> Malformed:
    with pytest.raises(Malformed) as caught:
        decode(body)
    return caught.value


def test_an_event_is_decoded_with_its_key_and_time():
    found = decode(event())
    assert str(found.key) == KEY
    assert found.at == datetime(2026, 10, 20, 14, tzinfo=UTC)
    assert payload(found.event) == {"rtt_ms": 12.0}


def test_a_time_in_another_zone_is_kept_in_utc():
    found = decode(event(at="2026-10-20T10:00:00-04:00"))
    assert found.at.utcoffset() == timedelta(0)
    assert found.at == datetime(2026, 10, 20, 14, tzinfo=UTC)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_no_calendar_of_ours_has_is_refused(at: str):
    assert refused(event(at=at)).code == "bad_value"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"key": "no-uuid"}, "bad_value"),
        ({"key": None}, "bad_value"),
        ({"key": ...}, "bad_value"),
        ({"event": 5}, "bad_value"),
        ({"event": "x" * 33}, "bad_value"),
        ({"event": "dance"}, "unknown_event"),
        ({"event": "ended"}, "not_allowed"),
        ({"at": "2026-10-20T14:00:00"}, "bad_value"),
        ({"at": "yesterday"}, "bad_value"),
        ({"at": 1_792_000_000}, "bad_value"),
        ({"data": None}, "bad_value"),
        ({"data": []}, "bad_value"),
        ({"data": {"rtt_ms": True}}, "bad_value"),
        ({"data": {"rtt_ms": -1}}, "bad_value"),
        ({"data": {"rtt_ms": 10**400}}, "bad_value"),
        ({"data": {"rtt_ms": 1, "more": 1}}, "bad_value"),
        ({"seq": 7}, "bad_value"),
        ({"event": "client_error", "data": {"where": "x", "message": "nul \0"}}, "bad_text"),
        ({"event": "client_error", "data": {"where": "x" * 65, "message": ""}}, "bad_value"),
        ({"event": "consent", "data": {"purpose": "all", "decision": "granted", "version": "1"}}, "bad_value"),
    ],
)
def test_a_hostile_event_is_refused_with_a_code_and_a_sentence(changes: dict[str, Any], code: str):
    error = refused(event(**changes))
    assert error.code == code
    assert error.message.endswith((".", "!"))


def test_a_refusal_names_the_key_where_it_can_be_read():
    assert str(refused(event(data={"rtt_ms": "fast"})).key) == KEY
    assert refused(event(key="no-uuid")).key is None


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "not_json"),
        (b"no json", "not_json"),
        (b'{"type":"ping","t":NaN}', "not_json"),
        (b'{"type":"ping","t":Infinity}', "not_json"),
        (b'{"type":"ping","t":1e999}', "bad_value"),
        (b'{"type":"ping","t":-1}', "bad_value"),
        (b'{"type":"ping","t":' + b"9" * 5000 + b"}", "bad_value"),
        (b'{"type":"ping"} {"type":"ping"}', "bad_value"),
        (b'{"type":"resume","after":-1}', "bad_value"),
        (b'{"type":"resume","after":1.5}', "bad_value"),
        (b'{"type":"events","events":{}}', "bad_value"),
        (b'{"type":"events","events":[' + b"1," * 64 + b"1]}", "bad_value"),
        (b"[" * 100_000, "bad_value"),
        (b'{"type":"events","events":' + b"[" * 100_000, "too_deep"),
        (b'{"x":' * 20_000 + b"1" + b"}" * 20_000, "too_deep"),
        (b"\xff\xfe", "not_json"),
        (b'{"type":"ping\xff","t":1}', "not_json"),
        (b" " * (wire.MAX_BYTES + 1), "too_large"),
    ],
)
def test_a_hostile_frame_is_refused_with_a_code_and_a_sentence(raw: bytes, code: str):
    with pytest.raises(Malformed) as caught:
        wire.decode_frame(raw)
    assert caught.value.code == code
    assert caught.value.message.endswith(".")


def test_each_frame_of_a_client_is_told_apart():
    assert isinstance(wire.decode_frame('{"type":"ping","t":5}'), PingFrame)
    assert wire.decode_frame('{"type":"resume","epoch":null,"after":3}') == ResumeFrame(after=3)
    frame = wire.decode_frame(json.dumps({"type": "events", "events": [event(), event()]}))
    assert isinstance(frame, EventsFrame)
    assert len(frame.events) == 2


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'"\\u0000"', "bad_text"),
        (b'{"\\u0000":1}', "bad_text"),
        (b'"\\ud800"', "not_json"),
        (b"[" * 17 + b"1" + b"]" * 17, "too_deep"),
        (b"[" * 50_000 + b"]" * 50_000, "too_deep"),
        (b"9223372036854775808", "bad_number"),
        (b"9" * 5000, "bad_value"),
        (b"1e400", "bad_value"),
        (b"NaN", "not_json"),
        (b'{"a":1,}', "not_json"),
    ],
)
def test_a_value_that_jsonb_cannot_store_is_refused(raw: bytes, code: str):
    with pytest.raises(Malformed) as caught:
        wire.decode_value(raw)
    assert caught.value.code == code


def comparable(value: Any) -> Any:
    """Numbers as floats: jsonb writes them as decimals, so that 1e18 comes back as a whole number."""
    if isinstance(value, dict):
        return {name: comparable(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [comparable(inner) for inner in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def as_stored(value: Any) -> Any:
    """A value after its way through jsonb."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb::text", (msgspec.json.encode(value).decode(),))
        return comparable(json.loads(cursor.fetchone()[0]))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.binary(max_size=300) | anything.map(lambda value: json.dumps(value).encode()))
@example(b'{"type":"ping","t":1e308}')
@example(b'{"type":"events","events":[\xed\xa0\x80]}')
def test_any_bytes_are_a_frame_or_malformed(raw: bytes):
    try:
        frame = wire.decode_frame(raw)
    except Malformed:
        return
    assert isinstance(frame, EventsFrame | ResumeFrame | PingFrame)


@pytest.mark.django_db
@settings(deadline=None)
@given(st.binary(max_size=300) | anything.map(lambda value: json.dumps(value).encode()))
@example(b'"\\\\u0000"')
@example(b'"\xed\xa0\x80"')
@example(b'"\\udbff\\udfff"')
@example(b"-1.7976931348623157e308")
@example(b'{"a":1,"a":2}')
def test_any_value_that_passes_is_stored_as_it_was(raw: bytes):
    try:
        value = wire.decode_value(raw)
    except Malformed:
        return
    assert as_stored(value) == comparable(value)


@pytest.mark.django_db
@settings(deadline=None)
@given(
    kind=st.sampled_from(sorted(name for name, kind in KINDS.items() if kind.SENT is not Sent.SERVER)),
    data=st.data(),
    at=st.datetimes(timezones=st.timezones() | st.none()),
)
def test_any_event_that_passes_is_stored_as_it_was(kind: str, data: st.DataObject, at: datetime):
    names = msgspec.structs.fields(KINDS[kind])
    body = {field.name: data.draw(anything) for field in names if data.draw(st.booleans())}
    try:
        found = decode(event(event=kind, at=at.isoformat(), data=body))
    except Malformed:
        return
    sent = payload(found.event)
    assert as_stored(sent) == comparable(sent)
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", (found.at,))
        assert cursor.fetchone()[0] == found.at
