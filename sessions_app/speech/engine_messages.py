"""What a web process and an engine process say to each other: msgpack structures, each behind its length."""

from collections.abc import Iterator

import msgspec

_LENGTH = 4  # bytes
LONGEST_MESSAGE = 1 << 24


class Open(msgspec.Struct, tag="open", array_like=True):
    """Hear a new stream with the language model in `folder`; the rest as in `Recogniser`."""

    stream: int
    folder: str
    start: float
    utterance: int
    voice: str
    before: list[str]


class Audio(msgspec.Struct, tag="audio", array_like=True):
    stream: int
    pcm: bytes


class Finish(msgspec.Struct, tag="finish", array_like=True):
    """No more audio comes: answer with what is left, then `Done`."""

    stream: int


class Abandon(msgspec.Struct, tag="abandon", array_like=True):
    stream: int


class Words(msgspec.Struct, tag="words", array_like=True):
    """`Heard`, with (word, start, end, confidence) for each word."""

    stream: int
    utterance: int
    words: list[tuple[str, float, float, float | None]]
    final: bool
    upto: float


class Took(msgspec.Struct, tag="took", array_like=True):
    """So many bytes of audio were listened to; `settled` and `voice` as in `Recogniser`."""

    stream: int
    size: int
    settled: float
    voice: str


class Done(msgspec.Struct, tag="done", array_like=True):
    stream: int


class Failed(msgspec.Struct, tag="failed", array_like=True):
    """The stream cannot be heard."""

    stream: int
    why: str


Order = Open | Audio | Finish | Abandon
Report = Words | Took | Done | Failed

_encoder = msgspec.msgpack.Encoder()
_orders = msgspec.msgpack.Decoder(Order)
_reports = msgspec.msgpack.Decoder(Report)


def framed(message: Order | Report) -> bytes:
    data = _encoder.encode(message)
    return len(data).to_bytes(_LENGTH, "big") + data


class Frames:
    """Cuts what comes from a pipe into messages."""

    def __init__(self) -> None:
        self._held = bytearray()

    def orders(self, data: bytes) -> Iterator[Order]:
        for frame in self._frames(data):
            yield _orders.decode(frame)

    def reports(self, data: bytes) -> Iterator[Report]:
        for frame in self._frames(data):
            yield _reports.decode(frame)

    def _frames(self, data: bytes) -> Iterator[bytes]:
        self._held += data
        while len(self._held) >= _LENGTH:
            end = _LENGTH + int.from_bytes(self._held[:_LENGTH], "big")
            if len(self._held) < end:
                return
            frame = bytes(self._held[_LENGTH:end])
            del self._held[:end]
            yield frame
