"""Chunks of sound as they arrive: put in order, asked for again where they are missing, given up after a while. Pure.

A frame is 4 bytes stream number, 4 bytes chunk number (big-endian, from 0), then the recorder's bytes.
"""

import struct
from dataclasses import dataclass, field

HEADER = struct.Struct(">II")
LARGEST = 256 * 1024
"""Bytes of one chunk; a recorder that is asked every quarter of a second sends one or two thousand."""
MOST_AHEAD = 256
"""Chunks that may wait for one before them; a client sends at most 32 that are not received."""
ASK_AFTER, ASK_AGAIN, LOST_AFTER = 0.3, 2.0, 8.0
"""Seconds after which a missing chunk is asked for, asked for again, and taken as lost, with its device connected."""
_MOST = 2**31


class BadChunk(ValueError):
    """A frame that is no chunk. `code` is for machines, the text for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Frame:
    """A chunk as it came over the socket."""

    stream: int
    number: int
    data: bytes


def frame_read(raw: bytes) -> Frame:
    """The chunk of a binary frame, or `BadChunk`."""
    if len(raw) <= HEADER.size:
        raise BadChunk("bad_audio", "A chunk of sound has eight bytes of numbers, and then the sound.")
    if len(raw) > HEADER.size + LARGEST:
        raise BadChunk("too_large", f"A chunk of sound may have {LARGEST // 1024} KiB at most.")
    stream, number = HEADER.unpack_from(raw)
    if stream >= _MOST or number >= _MOST:
        raise BadChunk("bad_audio", "There are not so many streams and chunks.")
    return Frame(stream, number, raw[HEADER.size :])


@dataclass(slots=True)
class StreamOrder:
    """One recorder's chunks: those in order are passed on at once, others wait for what is missing before them.

    All chunks below `next` have been passed on. `total` is how many there are, once the recorder has said so.
    """

    next: int = 0
    total: int | None = None
    _waiting: dict[int, bytes] = field(default_factory=dict)
    _missed_for: float = 0.0
    _asked_for: float = 0.0

    @property
    def complete(self) -> bool:
        return self.total is not None and self.next >= self.total

    def take(self, number: int, data: bytes) -> list[tuple[int, bytes]]:
        """The chunks that are next now, in order. One that came before is left out, as is one too far ahead."""
        if number < self.next or number >= self.next + MOST_AHEAD:
            return []
        self._waiting.setdefault(number, data)
        return self.ready()

    def ready(self) -> list[tuple[int, bytes]]:
        """Those that wait for nothing any more."""
        ready = []
        while self.next in self._waiting:
            ready.append((self.next, self._waiting.pop(self.next)))
            self.next += 1
        if ready:
            self._missed_for = self._asked_for = 0.0
        return ready

    @property
    def missing(self) -> list[int]:
        """What has to come before those that wait, or before the end."""
        until = min(self._waiting, default=self.total if self.total is not None else self.next)
        return list(range(self.next, min(until, self.next + MOST_AHEAD)))

    def wait(self, seconds: float) -> list[int]:
        """`seconds` more have passed with the device connected; the chunks that are to be asked for now."""
        missing = self.missing
        if not missing:
            self._missed_for = self._asked_for = 0.0
            return []
        before, self._missed_for = self._missed_for, self._missed_for + seconds
        self._asked_for += seconds
        if before < ASK_AFTER <= self._missed_for or self._asked_for >= ASK_AGAIN:
            self._asked_for = 0.0
            return missing
        return []

    def give_up(self) -> list[int]:
        """The chunks that were waited for long enough: they are passed over."""
        if self._missed_for < LOST_AFTER:
            return []
        lost = self.missing
        self.next += len(lost)
        self._missed_for = self._asked_for = 0.0
        return lost
