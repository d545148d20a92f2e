"""Names of channel-layer groups, and the events that travel on them between processes."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec


class _Published(msgspec.Struct):
    seq: int
    event: str
    at: datetime
    late: bool
    student: UUID | None
    data: dict[str, Any]


_decoder = msgspec.json.Decoder(list[_Published])


def session(session_id: UUID) -> str:
    """Everybody who looks at a session."""
    return f"session.{session_id.hex}"


def published(raw: bytes) -> list[dict[str, Any]]:
    """Events as `broadcast` passes them on."""
    return [msgspec.structs.asdict(event) for event in _decoder.decode(raw)]
