"""What a browser's recorder sends, to 16 kHz mono s16 audio, as it arrives.

The bytes are hostile until they are decoded: sizes are capped (`webm`), and bytes that promise more audio than they
can hold are refused. A damaged stretch costs the audio in it and is filled with silence, so that seconds of audio stay
seconds of the reading.
"""

import array
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import av
from av.audio.resampler import AudioResampler

from sessions_app.speech import webm
from sessions_app.speech.transcriber import BYTES_A_SECOND, RATE, SAMPLE_BYTES
from sessions_app.speech.webm import NotAudio

LONGEST_GAP = 30.0  # seconds that are filled with silence
ROUNDING = 0.1  # seconds by which a timestamp may be off: it is rounded, and the resampler holds a little back
LEAST_BYTES_A_SECOND = 250  # of any real Opus; a bomb claims more audio than that
DENSE_SLACK = 10.0  # seconds
MOST_BAD_PACKETS = 100  # one after the other
OPUS_RATE = 48_000
FULL_SCALE = 32768
SILENCE_DB = -96.0
_LEVEL_SAMPLES = 2000  # of a chunk, for its level


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a chunk gave: audio, of which `lost` seconds are silence in place of what is missing."""

    pcm: bytes
    lost: float = 0.0

    @property
    def seconds(self) -> float:
        return len(self.pcm) / BYTES_A_SECOND

    @property
    def level(self) -> float | None:
        """The root mean square in dB of full scale; None without audio."""
        return level_of(self.pcm)


class Decoder(Protocol):
    """One recorder's bytes, chunk by chunk. A new recorder needs a new decoder."""

    def decode(self, chunk: bytes) -> Decoded:
        """The audio that is complete with this chunk. Raises `NotAudio`."""

    def skip(self) -> None:
        """Say that chunks are missing before the next one."""

    def finish(self) -> Decoded:
        """What is still held when the recorder has stopped."""


def decoder_for(mime_type: str) -> Decoder:
    """The decoder of what a recorder says it writes. Raises `NotAudio` with `mp4` or `not_webm` for what none can."""
    kind = mime_type.partition(";")[0].strip().lower()
    if kind in {"audio/webm", "video/webm"}:
        return WebmDecoder()
    if kind in {"audio/pcm", "audio/l16"}:
        return PcmDecoder()
    raise NotAudio("mp4" if kind.endswith("/mp4") else "not_webm")


def level_of(pcm: bytes) -> float | None:
    """The root mean square in dB of full scale; None of nothing, `SILENCE_DB` of digital silence."""
    samples = array.array("h", pcm[: len(pcm) // SAMPLE_BYTES * SAMPLE_BYTES])
    some = samples[:: max(1, len(samples) // _LEVEL_SAMPLES)]
    if not some:
        return None
    power = sum(sample * sample for sample in some) / len(some)
    return max(SILENCE_DB, 10 * math.log10(power / FULL_SCALE**2)) if power else SILENCE_DB


class PcmDecoder:
    """Raw 16 kHz mono s16 little-endian samples from an AudioWorklet, where the browser has no WebM.

    A chunk may end between the two bytes of a sample. What is missing is lost without silence: its length is unknown.
    """

    def __init__(self) -> None:
        self._half = b""

    def skip(self) -> None:
        self._half = b""

    def decode(self, chunk: bytes) -> Decoded:
        data = self._half + chunk
        whole = len(data) // SAMPLE_BYTES * SAMPLE_BYTES
        self._half = data[whole:]
        return Decoded(data[:whole])

    def finish(self) -> Decoded:
        return Decoded(b"")


class WebmDecoder:
    """WebM with one track of Opus, as `MediaRecorder` writes it."""

    def __init__(self) -> None:
        self._reader = webm.WebmReader()
        self._head: bytes | None = None
        self._codec: av.AudioCodecContext | None = None
        self._resampler = AudioResampler("s16", "mono", RATE)
        self._scale = 1_000_000  # ns a tick
        self._cluster = 0  # ticks
        self._origin: float | None = None  # timestamp of the first sample, in seconds
        self._samples = 0  # given out
        self._received = 0  # bytes
        self._bad = 0

    def skip(self) -> None:
        self._reader.skip()

    def decode(self, chunk: bytes) -> Decoded:
        self._received += len(chunk)
        pcm: list[bytes] = []
        lost = 0
        for name, data in self._reader.read(chunk):
            if name in {webm.SIMPLE_BLOCK, webm.BLOCK}:
                silence, audio = self._block(data)
                lost += len(silence)
                pcm += (silence, *audio)
            else:
                self._learn(name, data)
        return Decoded(b"".join(pcm), lost / BYTES_A_SECOND)

    def finish(self) -> Decoded:
        if self._codec is None:
            return Decoded(b"")
        pcm = self._resample(self._codec.decode(None))
        pcm += map(_samples_of, self._resampler.resample(None))
        self._codec = None
        return Decoded(b"".join(pcm))

    def _learn(self, name: int, data: bytes) -> None:
        if name == webm.CODEC_ID and data.rstrip(b"\0") != b"A_OPUS":
            raise NotAudio("not_opus")
        if name == webm.CODEC_PRIVATE:
            if len(data) < 19 or not data.startswith(b"OpusHead"):
                raise NotAudio("not_opus")
            self._head = data
        elif name == webm.TIMESTAMP_SCALE:
            self._scale = min(max(int.from_bytes(data[:8], "big"), 1), 1_000_000_000)
        elif name == webm.TIMESTAMP:
            self._cluster = int.from_bytes(data[:8], "big")

    def _block(self, data: bytes) -> tuple[bytes, list[bytes]]:
        """Silence for what is missing before a block, and the audio of the block."""
        found = webm.block_of(data)
        silence, audio = b"", None
        if found is not None:
            ticks, packet = found
            silence = self._missing_before((self._cluster + ticks) * self._scale / 1e9)
            audio = self._decoded(packet)
        if audio is None:
            self._bad += 1
            if self._bad > MOST_BAD_PACKETS:
                raise NotAudio("damaged")
            return silence, []
        self._bad = 0
        return silence, audio

    def _missing_before(self, timestamp: float) -> bytes:
        if self._origin is None:
            self._origin = timestamp
            return b""
        missing = timestamp - self._origin - self._samples / RATE
        if not -ROUNDING <= missing <= LONGEST_GAP:  # the recorder's clock jumped
            self._origin = timestamp - self._samples / RATE
            return b""
        if missing < ROUNDING:
            return b""
        samples = int(missing * RATE)
        self._count(samples)
        return bytes(samples * SAMPLE_BYTES)

    def _decoded(self, packet: bytes) -> list[bytes] | None:
        """The audio of a packet; None where it is damaged."""
        try:
            return self._resample(self._decoder().decode(av.Packet(packet)))
        except (av.FFmpegError, ValueError) as error:
            if isinstance(error, NotAudio):
                raise
            return None

    def _decoder(self) -> av.AudioCodecContext:
        if self._codec is None:
            if self._head is None:
                raise NotAudio("damaged")
            self._codec = av.AudioCodecContext.create("opus", "r")
            self._codec.extradata = self._head
            self._codec.sample_rate = OPUS_RATE
            self._codec.layout = "mono" if self._head[9] == 1 else "stereo"
        return self._codec

    def _resample(self, frames: Sequence[av.AudioFrame]) -> list[bytes]:
        pcm: list[bytes] = []
        for frame in frames:
            frame.pts = None
            pcm += map(_samples_of, self._resampler.resample(frame))
        self._count(sum(map(len, pcm)) // SAMPLE_BYTES)
        return pcm

    def _count(self, samples: int) -> None:
        self._samples += samples
        if self._samples / RATE > DENSE_SLACK + LONGEST_GAP + self._received / LEAST_BYTES_A_SECOND:
            raise NotAudio("too_dense")


def _samples_of(frame: av.AudioFrame) -> bytes:
    return bytes(frame.planes[0])[: frame.samples * SAMPLE_BYTES]
