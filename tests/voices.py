"""A voice that reads: espeak-ng's sound as samples, as a file, or as a browser's recorder would send it.

espeak is a poor stand-in for people. The voice `en-us+f2` at 120 words a minute is the one that the engine understands;
what is asserted of it is tolerant.
"""

import functools
import io
import shutil
import subprocess
import wave

import av
import numpy as np
import pytest
from av.audio.resampler import AudioResampler

RATE = 16_000
SECOND = RATE * 2  # bytes
CHUNK_SECONDS = 0.3
NOISE = 20.0  # of a quiet room: its standard deviation, of 32767

needs_voice = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")

BOAT = (
    "The river had been low all summer, and the boys knew every stone in it. One morning in August they found an old"
    " boat half buried in the mud below the bridge. Nobody could say who had left it there. Tom pulled at the rope"
    " while his brother pushed from behind, and after an hour of hard work the boat slid free."
)
LIGHTHOUSE = "A lighthouse is a tower with a bright lamp at the top. It warns sailors that rocks are near."


@functools.lru_cache(maxsize=64)
def spoken(
    text: str,
    *,
    pause_before: float = 0.4,
    pause_after: float = 1.2,
    noise: float = NOISE,
    voice: str = "en-us+f2",
    gap: float = 0.0,
) -> bytes:
    """`text` read aloud: 16 kHz mono s16 samples, with quiet around it and a little noise over all of it.

    `gap` is how many seconds of quiet there are between two words, beside what the voice itself has.
    """
    made = subprocess.run(
        ["espeak-ng", "-v", voice, "-s", "120", "-g", str(round(gap * 100)), "--stdin", "--stdout"],
        input=text.encode(), capture_output=True, check=True,
    ).stdout  # fmt: skip
    return with_noise(quiet(pause_before) + _samples(made) + quiet(pause_after), noise)


def quiet(seconds: float) -> bytes:
    return bytes(int(seconds * RATE) * 2)


def music(seconds: float) -> bytes:
    """Four chords, one a second, with a beat."""
    made = []
    time = np.arange(RATE) / RATE
    for bar in range(int(seconds)):
        root = (220, 196, 175, 165)[bar % 4]
        tones = [
            np.sin(2 * np.pi * root * third * part * time) / part for third in (1, 1.26, 1.5) for part in (1, 2, 3)
        ]
        beat = np.random.default_rng(bar).normal(0, 1, RATE) * np.exp(-60 * (time % 0.5))
        made.append((sum(tones) + beat) * np.exp(-1.5 * time))
    sound = np.concatenate(made)
    return (sound / np.abs(sound).max() * 9000).astype(np.int16).tobytes()


def with_noise(pcm: bytes, level: float) -> bytes:
    """White noise of `level` over samples, the same each time."""
    samples = np.frombuffer(pcm, dtype=np.int16)
    noise = np.random.default_rng(1).normal(0, level, len(samples))
    return np.clip(samples + noise, -32768, 32767).astype(np.int16).tobytes()


def webm(pcm: bytes) -> bytes:
    """What a `MediaRecorder` makes of samples: WebM with Opus, of unknown length, in short Clusters."""
    made = io.BytesIO()
    with av.open(made, "w", format="webm", options={"live": "1", "cluster_time_limit": "1000"}) as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono")
        stream.bit_rate = 32_000
        resampler = AudioResampler("s16", "mono", 48_000)
        frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, dtype=np.int16).reshape(1, -1), "s16", "mono")
        frame.sample_rate = RATE
        frame.pts = 0
        for found in (*resampler.resample(frame), *resampler.resample(None)):
            for packet in stream.encode(found):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return made.getvalue()


@functools.cache
def chunks(text: str) -> tuple[bytes, ...]:
    """`text` read aloud, as the chunks of a recorder."""
    pcm = spoken(text)
    data = webm(pcm)
    return tuple(cut(data, max(200, int(len(data) * CHUNK_SECONDS * SECOND / len(pcm)))))


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def wav(pcm: bytes) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm)
    return made.getvalue()


def _samples(wav_: bytes) -> bytes:
    resampler = AudioResampler("s16", "mono", RATE)
    found = bytearray()
    with av.open(io.BytesIO(wav_)) as file:
        for frame in (*file.decode(audio=0), None):
            for resampled in resampler.resample(frame):
                found += bytes(resampled.planes[0])[: resampled.samples * 2]
    return bytes(found)
