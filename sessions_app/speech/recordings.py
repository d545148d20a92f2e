"""Recorded files as a microphone would have sent them: WebM through the live decoder, everything else through FFmpeg.

WAV, FLAC, OGG and what else the installed FFmpeg reads; at most `LONGEST` seconds, in slices of `SLICE` seconds.
"""

from collections.abc import Iterator
from pathlib import Path

import av
from av.audio.resampler import AudioResampler

from sessions_app.speech.audio import Decoded, WebmDecoder
from sessions_app.speech.transcriber import RATE, SAMPLE_BYTES
from sessions_app.speech.webm import NotAudio

LONGEST = 3600.0  # seconds
SLICE = 0.3  # seconds
_WEBM = b"\x1a\x45\xdf\xa3"
_WEBM_CHUNK = 4096  # bytes, as a recorder's


def recording_decode(path: Path) -> Iterator[Decoded]:
    """The audio of a file in its order. Raises `OSError`, and `NotAudio` (also `no_sound` and `too_long`)."""
    with path.open("rb") as file:
        start = file.read(len(_WEBM))
    seconds = 0.0
    for decoded in _webm(path) if start == _WEBM else _other(path):
        seconds += decoded.seconds
        if seconds > LONGEST:
            raise NotAudio("too_long")
        yield decoded
    if not seconds:
        raise NotAudio("no_sound")


def _webm(path: Path) -> Iterator[Decoded]:
    decoder = WebmDecoder()
    with path.open("rb") as file:
        while chunk := file.read(_WEBM_CHUNK):
            yield decoder.decode(chunk)
    yield decoder.finish()


def _other(path: Path) -> Iterator[Decoded]:
    resampler = AudioResampler("s16", "mono", RATE)
    size = int(SLICE * RATE) * SAMPLE_BYTES
    held = bytearray()
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise NotAudio("no_sound")
            for frame in container.decode(audio=0):
                frame.pts = None
                for found in resampler.resample(frame):
                    held += bytes(found.planes[0])[: found.samples * SAMPLE_BYTES]
                while len(held) >= size:
                    yield Decoded(bytes(held[:size]))
                    del held[:size]
    except av.FFmpegError as error:
        if isinstance(error, OSError):
            raise
        raise NotAudio("damaged") from None
    for found in resampler.resample(None):
        held += bytes(found.planes[0])[: found.samples * SAMPLE_BYTES]
    yield Decoded(bytes(held))
