"""A voice that reads: espeak's sound as a recorder would send it. Synthetic; only this voice is understood well."""

import functools
import io
import shutil
import subprocess
import tempfile
import wave
from pathlib import Path

import av
import numpy as np
import pytest

RATE = 16_000
CHUNK_SECONDS = 0.3

needs_voice = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


@functools.cache
def spoken(text: str, *, pause_before: float = 0.4, pause_after: float = 1.2) -> bytes:
    """`text` read aloud: 16 kHz mono s16 samples, with silence around it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "voice.wav"
        subprocess.run(["espeak-ng", "-v", "en-us+f2", "-s", "120", "-w", str(path), text], check=True)
        with wave.open(str(path)) as file:
            rate = file.getframerate()
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)
    at = np.arange(0, len(samples), rate / RATE)
    resampled = np.interp(at, np.arange(len(samples)), samples).astype(np.int16)
    silence = [np.zeros(int(RATE * seconds), dtype=np.int16) for seconds in (pause_before, pause_after)]
    return np.concatenate([silence[0], resampled, silence[1]]).tobytes()


def webm(pcm: bytes) -> bytes:
    """The samples as WebM/Opus, written as it is recorded."""
    made = io.BytesIO()
    with av.open(made, "w", format="webm", options={"live": "1", "cluster_time_limit": "1000"}) as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono")
        stream.bit_rate = 32_000
        resampler = av.AudioResampler("s16", "mono", 48_000)
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
    size = max(200, int(len(data) * CHUNK_SECONDS * RATE * 2 / len(pcm)))
    return tuple(data[at : at + size] for at in range(0, len(data), size))


def wav(pcm: bytes) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm)
    return made.getvalue()
