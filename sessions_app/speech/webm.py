"""WebM as it arrives: bytes in, the few elements that matter to sound out (EBML: RFC 8794, Matroska: RFC 9559).

Nothing is held beyond one element of at most `LONGEST_ELEMENT` bytes. Where the bytes make no sense, reading goes on
at the next Cluster.
"""

from collections.abc import Iterator
from typing import NamedTuple

LONGEST_ELEMENT = 1 << 13  # bytes; a block of Opus has some hundred
LONGEST_SEARCH = 1 << 20  # bytes without a Cluster, after which it is no WebM

CODEC_ID = 0x86
CODEC_PRIVATE = 0x63A2
TIMESTAMP_SCALE = 0x2AD7B1
TIMESTAMP = 0xE7
SIMPLE_BLOCK = 0xA3
BLOCK = 0xA1

_WANTED = {CODEC_ID, CODEC_PRIVATE, TIMESTAMP_SCALE, TIMESTAMP, SIMPLE_BLOCK, BLOCK}
_EBML, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
_INFO, _TRACKS, _TRACK_ENTRY, _BLOCK_GROUP = 0x1549A966, 0x1654AE6B, 0xAE, 0xA0
_ENTERED = {_SEGMENT, _CLUSTER, _INFO, _TRACKS, _TRACK_ENTRY, _BLOCK_GROUP}
_OF_UNKNOWN_SIZE = {_SEGMENT, _CLUSTER}
_CLUSTER_BYTES = _CLUSTER.to_bytes(4, "big")


class NotAudio(ValueError):
    """These bytes are no audio that can be heard. `code`: `not_webm`, `mp4`, `not_opus`, `too_dense`, `damaged`.

    The recorder's stream is given up; what was decoded of it stays.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Element(NamedTuple):
    """An element's name and its data."""

    name: int
    data: bytes


class _Damaged(Exception):
    """The bytes at this place are no element; `skip` of them are left out before the search for a Cluster."""

    def __init__(self, skip: int) -> None:
        self.skip = skip


class _Incomplete(Exception):
    """More bytes are needed."""


class WebmReader:
    """One recorder's bytes."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._started = False
        self._seeking = False
        self._searched = 0
        self._leave_out = 0
        self._in_clusters = False

    def skip(self) -> None:
        """Say that bytes are missing before the next ones."""
        self._held.clear()
        self._leave_out = 0
        self._seek()

    def read(self, chunk: bytes) -> Iterator[Element]:
        """The elements that are complete with these bytes. Raises `NotAudio`."""
        self._held += chunk
        while True:
            try:
                if not self._started:
                    self._begin()
                if self._seeking:
                    self._find_cluster()
                element = self._next()
            except _Incomplete:
                return
            except _Damaged as damaged:
                del self._held[: damaged.skip]
                self._seek()
                continue
            if element is not None:
                yield element

    def _begin(self) -> None:
        if len(self._held) < 12:
            raise _Incomplete
        if self._held[4:8] == b"ftyp":
            raise NotAudio("mp4")
        if int.from_bytes(self._held[:4], "big") != _EBML:
            raise NotAudio("not_webm")
        self._started = True

    def _seek(self) -> None:
        self._seeking, self._searched = True, 0

    def _find_cluster(self) -> None:
        at = self._held.find(_CLUSTER_BYTES)
        dropped = at if at >= 0 else max(0, len(self._held) - 3)
        del self._held[:dropped]
        self._searched += dropped
        if self._searched > LONGEST_SEARCH:
            raise NotAudio("damaged")
        if at < 0:
            raise _Incomplete
        self._seeking = False

    def _next(self) -> Element | None:
        """The element at the start, None where it was entered or left out."""
        if self._leave_out:
            self._leave()
        name, size, body = _header(self._held)
        if name in _ENTERED:
            if size < 0 and name not in _OF_UNKNOWN_SIZE:
                raise _Damaged(body)
            self._in_clusters |= name == _CLUSTER
            del self._held[:body]
            return None
        if size < 0 or size > (LONGEST_ELEMENT if name in _WANTED else LONGEST_SEARCH):
            raise _Damaged(body)
        if self._in_clusters and self._held.find(_CLUSTER_BYTES, body, body + size) >= 0:
            raise _Damaged(body)  # no element holds a Cluster: bytes of this one are missing
        if name not in _WANTED:
            del self._held[:body]
            self._leave_out = size
            return None
        if len(self._held) < body + size:
            raise _Incomplete
        data = bytes(self._held[body : body + size])
        del self._held[: body + size]
        return Element(name, data)

    def _leave(self) -> None:
        """Past the data of an element that does not matter; not past a Cluster, which can be in none."""
        at = self._held.find(_CLUSTER_BYTES) if self._in_clusters else -1
        if 0 <= at < self._leave_out:
            del self._held[:at]
            self._leave_out = 0
            return
        gone = min(self._leave_out, max(0, len(self._held) - len(_CLUSTER_BYTES) + 1))
        del self._held[:gone]
        self._leave_out -= gone
        if self._leave_out:
            raise _Incomplete


def _header(held: bytearray) -> tuple[int, int, int]:
    """Name, size (-1: unknown) and length of the header of the element at the start."""
    name, after = read_number(held, 0, marked=True)
    if after > 4:
        raise _Damaged(1)
    return name, *read_number(held, after, marked=False)


def read_number(data: bytes | bytearray, at: int, *, marked: bool) -> tuple[int, int]:
    """An EBML variable-length number and the place after it; -1 where all its bits are set, which means unknown.

    `marked` keeps the length marker, as names do.
    """
    if at >= len(data):
        raise _Incomplete
    first = data[at]
    if not first:
        raise _Damaged(1)
    length = 9 - first.bit_length()
    if at + length > len(data):
        raise _Incomplete
    value = int.from_bytes(data[at : at + length], "big")
    if not marked:
        most = (1 << (7 * length)) - 1
        value &= most
        if value == most:
            value = -1
    return value, at + length


def block_of(data: bytes) -> tuple[int, bytes] | None:
    """Ticks relative to the Cluster, and the packet, of a block; None where it is laced, which no recorder does."""
    try:
        _track, at = read_number(data, 0, marked=False)
    except (_Incomplete, _Damaged):
        return None
    if len(data) < at + 4 or data[at + 2] & 0x06:
        return None
    return int.from_bytes(data[at : at + 2], "big", signed=True), data[at + 3 :]
