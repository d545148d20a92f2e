"""What both kinds of socket say: close codes and frames, as the contract names them."""

import enum
import logging
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from django.db import InterfaceError, OperationalError
from psycopg_pool import PoolTimeout

from sessions_app.refusals import Refused
from sessions_app.wire import Encoder, Malformed

log = logging.getLogger("sessions_app.live")

DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout)
"""What the ORM raises while the database is away."""
LOST = (psycopg.OperationalError, psycopg.InterfaceError)
"""What a direct connection raises then."""


class Close(enum.IntEnum):
    """Why the server closes a socket. It accepts first: a refusal before that reaches a browser as 1006."""

    NOT_SIGNED_IN = 4401
    NOT_ALLOWED = 4403
    NO_SUCH_SESSION = 4404
    OTHER_DEVICE = 4409
    SESSION_OVER = 4410
    RESTARTING = 4412
    BUSY = 4429


CLOSE_FOR: dict[str, Close] = {
    "removed": Close.NOT_ALLOWED,
    "other_device": Close.OTHER_DEVICE,
    "session_over": Close.SESSION_OVER,
    "no_such_session": Close.NO_SUCH_SESSION,
}


class Ack(msgspec.Struct, frozen=True):
    """The event with this key is committed, at this place."""

    key: UUID
    seq: int


class AckFrame(msgspec.Struct, frozen=True, tag_field="type", tag="ack"):
    acks: list[Ack]


def ack(acks: list[Ack]) -> str:
    return Encoder.text(AckFrame(acks))


def error_body(code: str, message: str, key: UUID | None = None, *, retry: bool = False) -> dict[str, Any]:
    return {"code": code, "message": message, "key": key, "retry": retry}


def error(code: str, message: str, key: UUID | None = None, *, retry: bool = False) -> str:
    return Encoder.text({"type": "error", **error_body(code, message, key, retry=retry)})


def refused(reason: Refused, key: UUID | None = None) -> str:
    return error(reason.code, reason.message, key)


def malformed(reason: Malformed) -> str:
    return error(reason.code, reason.message, reason.key)


def pong(t: float) -> str:
    return Encoder.text({"type": "pong", "t": int(t) if t == int(t) else t})


def events(epoch: UUID, found: list[dict[str, Any]]) -> str:
    return Encoder.text({"type": "events", "epoch": epoch, "events": found})


def position(epoch: UUID, seq: int) -> str:
    return Encoder.text({"type": "position", "epoch": epoch, "seq": seq})
