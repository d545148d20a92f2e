"""Reading aloud: decoding, alignment, and what is found of planted miscues.

The readings are synthetic: espeak-ng reads texts of our own. What the engine makes of people is told elsewhere.
"""

import asyncio
import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO

import av
from av.audio.resampler import AudioResampler
from django.conf import settings
from rapidfuzz.distance import Levenshtein

from sessions_app.speech.alignment import align
from sessions_app.speech.audio import WebmDecoder
from sessions_app.speech.engines import Engines
from sessions_app.speech.language_models import LanguageModels
from sessions_app.speech.passage import passage_read
from sessions_app.speech.pipeline import LiveReading, Reading
from sessions_app.speech.transcriber import HeardWord
from tests.benchmarks import readings
from tests.benchmarks.readings import TEXTS, Found, Planted
from tests.benchmarks.runner import Result, at_least, at_most, benchmark, bounded
from tests.voices import CHUNK_SECONDS, SECOND, cut, spoken, webm

SEEDS = (1, 2)
WEBM_CHUNK = 1200  # bytes


def recorded(pcm: bytes) -> list[bytes]:
    """Samples as the chunks of a recorder, each of about `CHUNK_SECONDS`."""
    data = webm(pcm)
    return cut(data, max(200, int(len(data) * CHUNK_SECONDS * SECOND / len(pcm))))


@benchmark("speech.decode")
def decode() -> Iterator[Result]:
    """CPU time of decoding as the sound arrives, and beside it FFmpeg's on the whole file."""
    pcm = b"".join(spoken(text) for text in TEXTS[:3])
    chunks = recorded(pcm)

    def ours() -> None:
        decoder = WebmDecoder()
        found = sum(len(decoder.decode(chunk).pcm) for chunk in chunks) + len(decoder.finish().pcm)
        assert abs(found - len(pcm)) < SECOND

    def whole_file() -> None:
        resampler = AudioResampler("s16", "mono", 16_000)
        with av.open(BytesIO(b"".join(chunks))) as container:
            for frame in (*container.decode(audio=0), None):
                for made in resampler.resample(frame):
                    bytes(made.planes[0])

    seconds = len(pcm) / SECOND
    ours_ms, limit_ms = (cpu * 1000 / seconds for cpu in least_cpu(5, ours, whole_file))
    yield bounded("speech.decode", ours_ms, "ms/s", most=5)
    yield at_most("speech.decode.beside_ffmpeg", ours_ms, "ms/s", limit=limit_ms, ratio=2)


@benchmark("speech.align")
def alignment() -> Iterator[Result]:
    """2,000 words with a miscue in every twentieth, and beside it the bare edit distance."""
    chance = random.Random(4)
    text = [word.strip(".,") for word in " ".join(TEXTS).split()]
    long = passage_read(" ".join(chance.choice(text) for _ in range(2000)))
    said = [word if chance.random() > 0.05 else chance.choice(["umbrella", "monkey"]) for word in long.spoken]
    heard = [HeardWord(word, n * 0.5, n * 0.5 + 0.4, 0.9) for n, word in enumerate(said)]
    align(long, heard)
    ours, limit = least_cpu(
        20, lambda: align(long, heard), lambda: Levenshtein.editops(list(long.spoken), [word.word for word in heard])
    )
    yield bounded("speech.align", ours * 1000, "ms", most=5)
    yield at_most("speech.align.beside_rapidfuzz", ours * 1000, "ms", limit=limit * 1000, ratio=20)


@benchmark("speech.miscues")
def miscues() -> Iterator[Result]:
    """What is found of planted miscues, and what is found where there are none, from the recorder's bytes on."""
    if not has_voice():
        return
    misread = [reading for seed in SEEDS for reading in readings.misread(seed)]
    clean = list(readings.clean())
    places = asyncio.run(_counted([*misread, *clean]))
    found = sum(map(readings.compared, misread, places), Found())
    alarms = sum(map(readings.compared, clean, places[len(misread) :]), Found())
    yield at_least("speech.miscues.recall", found.recalled / found.planted, "", limit=1.0, ratio=0.75)
    yield at_least("speech.miscues.precision", found.right / max(1, found.counted), "", limit=1.0, ratio=0.75)
    yield bounded("speech.miscues.false_alarms", alarms.counted * 25 / alarms.words, "in 25 words", most=1)


async def _counted(wanted: Sequence[Planted]) -> list[list[int]]:
    """Where a miscue was counted in each reading, two readings at a time."""
    engines = Engines(LanguageModels(settings.LYCEUM_HOME / "language-models"), processes=2, readers=1)
    free = asyncio.Semaphore(2)

    async def heard(reading: Planted) -> list[int]:
        async with free:
            live = await LiveReading.begin(Reading(reading.passage), engines)
            decoder = WebmDecoder()
            for chunk in cut(webm(spoken(reading.said)), WEBM_CHUNK):
                await live.take(decoder.decode(chunk))
            await live.take(decoder.finish())
            result = await live.end(within=120)
            assert live.trouble is None
            return [miscue.index for miscue in result.alignment.miscues if miscue.counted]

    try:
        return await asyncio.gather(*map(heard, wanted))
    finally:
        await engines.stop()


def least_cpu(rounds: int, *works: Callable[[], object]) -> list[float]:
    """The least CPU seconds that each of `works` took, taken in turn."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, seconds in zip(works, taken, strict=True):
            began = time.process_time()
            work()
            seconds.append(time.process_time() - began)
    return [min(seconds) for seconds in taken]


def has_voice() -> bool:
    if shutil.which("espeak-ng") is None:
        print("espeak-ng is not installed: this benchmark has no voice, and is left out.")
        return False
    return True
