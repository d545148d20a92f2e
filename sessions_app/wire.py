"""The one strict decoder of what clients send, over sockets and over HTTP.

What jsonb, Python or a browser would trip over is refused here with a sentence: NUL, lone surrogates, NaN and infinity,
deep nesting, long integers, unknown fields, wrong types.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec

from sessions_app.events import KINDS, Event, Sent

MAX_BYTES = 256 * 1024
MAX_DEPTH = 16
MAX_INTEGER = 2**63
MAX_EVENTS = 64

_KEY = re.compile(rb'"key"\s*:\s*"([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"')

Aware = Annotated[datetime, msgspec.Meta(tz=True)]


class Malformed(ValueError):
    """What cannot be taken of a client. `code` for machines, the text for people, `key` where it was readable."""

    def __init__(self, code: str, message: str, key: UUID | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.key = key

    @property
    def message(self) -> str:
        return str(self)


class EventsFrame(msgspec.Struct, tag_field="type", tag="events", frozen=True):
    """Several events; each is decoded by itself, so that a bad one does not take the others with it."""

    events: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=MAX_EVENTS)]


class ResumeFrame(msgspec.Struct, tag_field="type", tag="resume", frozen=True):
    after: Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
    epoch: UUID | None = None


class PingFrame(msgspec.Struct, tag_field="type", tag="ping", frozen=True):
    t: Annotated[float, msgspec.Meta(ge=0, le=1e15)]


Frame = EventsFrame | ResumeFrame | PingFrame


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: UUID
    event: Annotated[str, msgspec.Meta(max_length=32)]
    at: Aware
    data: msgspec.Raw = msgspec.Raw(b"{}")


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    events: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=MAX_EVENTS)]


class ClientEvent(msgspec.Struct, frozen=True):
    """An event as a client sent it, decoded and checked. `at` is the client's clock, in UTC."""

    key: UUID
    event: Event
    at: datetime


_frames: msgspec.json.Decoder[Frame] = msgspec.json.Decoder(Frame)
_envelopes = msgspec.json.Decoder(_Envelope)
_bodies = msgspec.json.Decoder(_Body)
_values = msgspec.json.Decoder()
_kinds = {name: msgspec.json.Decoder(kind) for name, kind in KINDS.items() if kind.SENT is not Sent.SERVER}


class Encoder:
    """Frames as the server sends them."""

    _json: ClassVar = msgspec.json.Encoder(uuid_format="canonical")

    @classmethod
    def text(cls, frame: Any) -> str:
        encoded: bytes = cls._json.encode(frame)
        return encoded.decode()


def decode_frame(raw: str | bytes) -> Frame:
    """A text frame of a socket, or `Malformed`."""
    _check_size(raw)
    try:
        return _frames.decode(raw)
    except RecursionError:
        raise Malformed("too_deep", "The message is nested too deeply.") from None
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeError) as error:
        raise _explained(error, _key_of(raw)) from None


def decode_events(raw: bytes) -> Sequence[msgspec.Raw]:
    """The body `{"events": […]}` of a request, or `Malformed`."""
    _check_size(raw)
    try:
        return _bodies.decode(raw).events
    except RecursionError:
        raise Malformed("too_deep", "The message is nested too deeply.") from None
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeError) as error:
        raise _explained(error, _key_of(raw)) from None


def decode_event(raw: msgspec.Raw) -> ClientEvent:
    """One event of a frame, or `Malformed` with its key where that could be read."""
    try:
        envelope = _envelopes.decode(raw)
        kind = _kinds.get(envelope.event)
        if kind is None:
            known = envelope.event in KINDS
            raise Malformed(
                "not_allowed" if known else "unknown_event",
                f"Events of the kind {envelope.event!r} are made by the server."
                if known
                else f"There is no event of the kind {envelope.event!r}.",
                envelope.key,
            )
        at = envelope.at.astimezone(UTC)
        event = kind.decode(envelope.data)
        if b"\\u0000" in bytes(envelope.data):
            check_value(_values.decode(envelope.data))
    except RecursionError:
        raise Malformed("too_deep", "The event is nested too deeply.", _key_of(raw)) from None
    except OverflowError:
        raise Malformed("bad_value", "The time lies outside of the calendar.", _key_of(raw)) from None
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeError) as error:
        raise _explained(error, _key_of(raw)) from None
    except Malformed as error:
        raise Malformed(error.code, error.message, _key_of(raw)) from None
    return ClientEvent(envelope.key, event, at)


def decode_value(raw: bytes) -> Any:
    """Any JSON value that Postgres can store, or `Malformed`."""
    _check_size(raw)
    try:
        value = _values.decode(raw)
        check_value(value)
    except RecursionError:
        raise Malformed("too_deep", "The message is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise _explained(error) from None
    return value


def check_value(value: Any, depth: int = 0) -> None:
    """Refuse what is nested too deeply, an integer of more than 64 bits, and text with NUL or a lone surrogate."""
    if depth > MAX_DEPTH:
        raise Malformed("too_deep", f"Values may be nested {MAX_DEPTH} deep at most.")
    if isinstance(value, str):
        if "\x00" in value:
            raise Malformed("bad_text", "Text may not hold the NUL character.")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise Malformed("bad_text", "Text may not hold half of a surrogate pair.")
    elif isinstance(value, dict):
        for name, inner in value.items():
            check_value(name, depth + 1)
            check_value(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            check_value(inner, depth + 1)
    elif isinstance(value, int) and not -MAX_INTEGER <= value < MAX_INTEGER:
        raise Malformed("bad_number", "Whole numbers may have 64 bits at most.")
    elif isinstance(value, float) and not -1.7e308 < value < 1.7e308:
        raise Malformed("bad_number", "Numbers must be finite.")


def _check_size(raw: str | bytes) -> None:
    if len(raw) > MAX_BYTES:
        raise Malformed("too_large", f"A message may have {MAX_BYTES // 1024} KiB at most.")


def _key_of(raw: str | bytes | msgspec.Raw) -> UUID | None:
    """The key of what could not be decoded, so that its sender learns which event it was; None where it is not one."""
    found = _KEY.findall(raw.encode("utf-8", "replace") if isinstance(raw, str) else bytes(raw))
    return UUID(found[0].decode()) if len(found) == 1 else None


def _explained(error: Exception, key: UUID | None = None) -> Malformed:
    if isinstance(error, msgspec.ValidationError):
        return Malformed("bad_value", f"{error}.", key)
    return Malformed("not_json", "The message is not valid JSON.", key)
