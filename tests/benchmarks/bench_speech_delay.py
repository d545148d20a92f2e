"""Where the seconds go between a spoken word and the page: `speech.live` again, in the time of the audio.

The engine is the real one; the clock is not. Chunks arrive when a recorder would have sent them, on each of two cores
one process hears half of the readers, and what it does takes the processor time that it took here: a busy machine blurs
nothing. A server has two processes for a core, which take turns.
"""

import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from django.conf import settings

from sessions_app.speech.alignment import align
from sessions_app.speech.audio import WebmDecoder
from sessions_app.speech.engine_messages import Open, Words
from sessions_app.speech.engine_process import Listener
from sessions_app.speech.language_models import LanguageModels
from sessions_app.speech.passage import passage_read
from sessions_app.speech.pipeline import Followed, Reading
from sessions_app.speech.recogniser import warm_up
from sessions_app.speech.transcriber import Heard, HeardWord
from tests.benchmarks.aloud import STAGGER
from tests.benchmarks.bench_speech import has_voice, recorded
from tests.benchmarks.bench_speech_live import READERS, TEXT, quantile
from tests.benchmarks.runner import Result, benchmark, bounded, told
from tests.voices import CHUNK_SECONDS, SECOND, spoken, with_noise

PROCESSES = 2
WORST = 12
PASSAGE = passage_read(TEXT)


@dataclass(frozen=True, slots=True)
class Delay:
    """Seconds from the end of a word until it is shown: `chunk` until the recorder has sent it, `heard` until as much
    more has been said as the recogniser needs to make it out, `queue` until that was listened to."""

    word: str
    at: float
    chunk: float
    heard: float
    queue: float
    final: bool

    @property
    def total(self) -> float:
        return self.chunk + self.heard + self.queue


@dataclass(frozen=True, slots=True)
class Shown:
    """The place in the passage at a time; it took the audio up to `upto`."""

    reached: int
    time: float
    upto: float
    final: bool


@dataclass
class Reader:
    """`chunks` are arrival times, seconds of audio that are then complete, and the samples."""

    began: float
    chunks: list[tuple[float, float, bytes]]
    listener: Listener
    reading: Reading = field(default_factory=lambda: Reading(PASSAGE))
    shown: list[Shown] = field(default_factory=list)
    arrived: int = 0

    @property
    def next_at(self) -> float:
        return self.chunks[self.arrived][0] if self.arrived < len(self.chunks) else float("inf")

    def take(self, now: float) -> None:
        """The chunks that have arrived by now."""
        while self.next_at <= now:
            self.listener.waiting += self.chunks[self.arrived][2]
            self.arrived += 1
            self.listener.finishing = self.arrived == len(self.chunks)

    def listen(self, now: float) -> float:
        """To the next piece; the time at which that is done."""
        began = time.process_time()
        for report in self.listener.listen():
            done = now + time.process_time() - began
            if isinstance(report, Words):
                words = tuple(HeardWord(*word) for word in report.words)
                heard = Heard(report.utterance, words, report.final, report.upto)
                for happened in self.reading.take_words(heard):
                    if isinstance(happened, Followed):
                        self.shown.append(Shown(happened.reached, done, report.upto, report.final))
        if not self.listener.waiting:
            self.listener.finishing = False
        return now + time.process_time() - began

    def delays(self) -> Iterator[Delay]:
        furthest = 0
        steps = [one for one in self.shown if one.reached > furthest and (furthest := one.reached)]
        places = [one.reached for one in steps]
        for mark in align(PASSAGE, self.reading.words).marks:
            if mark.heard is None:
                continue
            shown = steps[bisect_left(places, mark.index + 1)]
            sent = self._arrival(mark.heard.end)
            needed = max(sent, self._arrival(shown.upto))
            end = self.began + mark.heard.end
            yield Delay(mark.heard.word, mark.heard.end, sent - end, needed - sent, shown.time - needed, shown.final)

    def _arrival(self, second: float) -> float:
        complete = [upto for _, upto, _ in self.chunks]
        return self.chunks[min(bisect_left(complete, second - 1e-6), len(complete) - 1)][0]


@benchmark("speech.delay")
def delay() -> Iterator[Result]:
    """How long words take to the page, in parts: deciles and the slowest words."""
    if not has_voice():
        return
    folder = LanguageModels(settings.LYCEUM_HOME / "language-models").build(PASSAGE)
    warm_up()
    sound = spoken(TEXT)
    readers = [_reader(number, with_noise(sound, 10.0 * number), folder) for number in range(READERS)]
    for process in range(PROCESSES):
        _run(readers[process::PROCESSES])
    found = [one for reader in readers for one in reader.delays()]
    for name in ("total", "chunk", "heard", "queue"):
        values = sorted(getattr(one, name) for one in found)
        print(f"{name:<8}" + " ".join(f"{quantile(values, tenth / 10):5.2f}" for tenth in range(1, 10)))
    for one in sorted(found, key=lambda one: -one.total)[:WORST]:
        parts = f"{one.total:.2f} s = {one.chunk:.2f} chunk + {one.heard:.2f} heard + {one.queue:.2f} queue"
        print(f"{parts}  {one.word!r} at {one.at:.1f}{', by the final words' if one.final else ''}")
    yield bounded("speech.delay.words_p95", _p95(found, "total"), "s", most=1.5)
    yield told("speech.delay.words_mean", fmean(one.total for one in found), "s")
    yield told("speech.delay.heard_p95", _p95(found, "heard"), "s")
    yield told("speech.delay.queue_p95", _p95(found, "queue"), "s")


def _reader(number: int, pcm: bytes, folder: Path) -> Reader:
    decoder = WebmDecoder()
    began, complete = number * STAGGER, 0
    chunks = []
    for place, chunk in enumerate(recorded(pcm), 1):
        samples = decoder.decode(chunk).pcm
        complete += len(samples)
        chunks.append((began + place * CHUNK_SECONDS, complete / SECOND, samples))
    return Reader(began, chunks, Listener(Open(number, str(folder), 0.0, 0, "", [])))


def _run(readers: Sequence[Reader]) -> None:
    """One engine process: in turn a piece of each reader's sound, as in `Engine.run`."""
    now = 0.0
    while True:
        for reader in readers:
            reader.take(now)
        busy = [reader for reader in readers if reader.listener.busy]
        if busy:
            for reader in busy:
                now = reader.listen(now)
        elif (now := min(reader.next_at for reader in readers)) == float("inf"):
            return


def _p95(found: Sequence[Delay], part: str) -> float:
    return quantile(sorted(getattr(one, part) for one in found), 0.95)
