"""pocketsphinx as a `Transcriber`: engine processes, how many readers each hears, and what happens when one dies.

Processes start when they are needed: one less than there are cores, and two where there are two. Each stream keeps the
audio that is not settled yet; when a process ends unasked, another one is started and hears that audio again, so that
nobody's words are lost.
A stream at which processes die again and again is given up; the others go on.
"""

import asyncio
import contextlib
import itertools
import logging
import mmap
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from importlib.metadata import version
from pathlib import Path

from sessions_app.speech.engine_messages import (
    Abandon,
    Audio,
    Done,
    Failed,
    Finish,
    Frames,
    Open,
    Order,
    Report,
    Took,
    Words,
    framed,
)
from sessions_app.speech.engine_process import MARKER_BYTES
from sessions_app.speech.language_models import LanguageModels
from sessions_app.speech.transcriber import (
    BYTES_A_SECOND,
    Anything,
    Expected,
    Heard,
    HeardWord,
    TranscriberAway,
    TranscriberBusy,
    TranscriberError,
    TranscriberUnfit,
)

READERS = 4  # of one process: they take a third of a core, the rest is for the moment when all pause at once
MOST_AHEAD = 5.0  # seconds of audio that a stream takes before it was listened to
MOST_KEPT = 60.0  # seconds of audio that is not settled
MOST_STRIKES = 3
MOST_RESTARTS = 5  # of processes that were no use at all
STOP_WITHIN = 2.0  # seconds
PROGRAM = "sessions_app.speech.engine_process"

logger = logging.getLogger(__name__)


class EngineStream:
    """`TranscriptStream` of one reader."""

    def __init__(self, number: int, folder: Path, process: "_Process", *, before: Sequence[HeardWord] = ()) -> None:
        self.number = number
        self.strikes = 0
        self._folder = folder
        self._process = process
        self._kept = bytearray()
        self._kept_from = 0.0  # second
        self._ahead = 0  # bytes that the process has not listened to
        self._utterance = 0
        self._voice = ""
        self._before = [word.word for word in before]
        self._finishing = False
        self._over = False
        self._room = asyncio.Event()
        self._heard: asyncio.Queue[Heard | TranscriberError | None] = asyncio.Queue()
        self._open()

    async def feed(self, pcm: bytes) -> None:
        if self._over:
            raise TranscriberError("the stream is over")
        if len(self._kept) > MOST_KEPT * BYTES_A_SECOND:
            self.fail(TranscriberError("the engine is too far behind"))
            return
        self._kept += pcm
        self._send(pcm)
        while self._ahead > MOST_AHEAD * BYTES_A_SECOND and not self._over:
            self._room.clear()
            await self._room.wait()
        await self._process.drain()

    async def finish(self) -> None:
        if not self._finishing and not self._over:
            self._finishing = True
            self._process.send(Finish(self.number))

    async def abandon(self) -> None:
        if not self._over:
            self._process.send(Abandon(self.number))
            self._end(None)

    async def __aiter__(self) -> AsyncIterator[Heard]:
        while (heard := await self._heard.get()) is not None:
            if isinstance(heard, TranscriberError):
                raise heard
            yield heard

    def take(self, report: Report) -> None:
        """What the process reports of this stream."""
        if isinstance(report, Took):
            self._ahead = max(0, self._ahead - report.size)
            self._voice = report.voice
            self._settle(report.settled)
            self._room.set()
        elif isinstance(report, Words):
            if report.final:
                self._utterance = report.utterance + 1
                self.strikes = 0
                self._before += [word for word, *_ in report.words]
                self._settle(report.upto)
            words = tuple(HeardWord(*word) for word in report.words)
            self._heard.put_nowait(Heard(report.utterance, words, report.final, report.upto))
        elif isinstance(report, Done):
            self._end(None)
        elif isinstance(report, Failed):
            self.fail(TranscriberError(report.why))

    def move(self, process: "_Process", *, guilty: bool) -> None:
        """Go on in another process, because the one before has died; `guilty` if it did while it listened to this."""
        if guilty:
            self.strikes += 1
            if self.strikes >= MOST_STRIKES:
                self.fail(TranscriberError("engines die of this audio"))
                return
            if self.strikes > 1:  # hearing the same again would end the same way
                self._settle(self._kept_from + len(self._kept) / BYTES_A_SECOND)
        self._process = process
        self._open()

    def fail(self, error: TranscriberError) -> None:
        self._end(error)

    def _open(self) -> None:
        self._process.streams[self.number] = self
        self._process.send(
            Open(self.number, str(self._folder), self._kept_from, self._utterance, self._voice, self._before)
        )
        self._ahead = 0
        self._send(bytes(self._kept))
        if self._finishing:
            self._process.send(Finish(self.number))

    def _send(self, pcm: bytes) -> None:
        self._ahead += len(pcm)
        for at in range(0, len(pcm), BYTES_A_SECOND):
            self._process.send(Audio(self.number, pcm[at : at + BYTES_A_SECOND]))

    def _settle(self, upto: float) -> None:
        size = int((upto - self._kept_from) * BYTES_A_SECOND) // 2 * 2
        if size > 0:
            del self._kept[:size]
            self._kept_from += size / BYTES_A_SECOND

    def _end(self, error: TranscriberError | None) -> None:
        if not self._over:
            self._over = True
            self._process.streams.pop(self.number, None)
            self._kept.clear()
            self._room.set()
            self._heard.put_nowait(error)


class _Process:
    """One engine process."""

    def __init__(self, process: asyncio.subprocess.Process, marker: mmap.mmap) -> None:
        self.process = process
        self.streams: dict[int, EngineStream] = {}
        self.useful = False
        self._marker = marker

    @property
    def listening_to(self) -> int:
        """The number of the stream that it listened to when it was last seen, 0 for none."""
        return int.from_bytes(self._marker[:MARKER_BYTES], "big")

    def send(self, order: Order) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(ConnectionError, RuntimeError):  # it has died, which its reader finds out
            self.process.stdin.write(framed(order))

    async def drain(self) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(ConnectionError):
            await self.process.stdin.drain()


class Engines:
    """`Transcriber` of this machine. One per event loop; nothing runs until the first stream is opened."""

    def __init__(self, models: LanguageModels, *, processes: int | None = None, readers: int = READERS) -> None:
        self._models = models
        self._most = processes or _processes_for(os.cpu_count() or 2)
        self._readers = readers
        self._numbers = itertools.count(1)
        self._processes: list[_Process] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._opening = asyncio.Lock()
        self._useless = 0
        self._stopping = False

    @property
    def name(self) -> str:
        return f"pocketsphinx {version('pocketsphinx')}"

    @property
    def tells_of_silence(self) -> bool:
        return True

    @property
    def readers(self) -> int:
        """How many streams are open."""
        return sum(len(process.streams) for process in self._processes)

    @property
    def capacity(self) -> int:
        return self._most * self._readers

    async def open(self, expected: Expected, *, before: Sequence[HeardWord] = ()) -> EngineStream:
        if isinstance(expected, Anything):
            raise TranscriberUnfit("only expected words can be heard on this machine")
        folder = await self._models.build_beside(expected)
        async with self._opening:
            if self._stopping or self.readers >= self.capacity:
                raise TranscriberBusy(f"{self.readers} of {self.capacity} readers are heard")
            free = min(self._processes, key=lambda process: len(process.streams), default=None)
            if free is None or (free.streams and len(self._processes) < self._most):
                free = await self._start()
            return EngineStream(next(self._numbers), folder, free, before=before)

    async def stop(self) -> None:
        self._stopping = True
        for process in self._processes:
            if process.process.stdin is not None:
                process.process.stdin.close()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_WITHIN)
            for process in self._processes:
                if late and process.process.returncode is None:
                    process.process.kill()
            if late:
                await asyncio.wait(late)

    async def _start(self) -> _Process:
        with tempfile.TemporaryFile() as file:
            file.truncate(MARKER_BYTES)
            marker = mmap.mmap(file.fileno(), MARKER_BYTES)
            started = await asyncio.create_subprocess_exec(
                sys.executable, "-m", PROGRAM, f"/proc/self/fd/{file.fileno()}",
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[file.fileno()],
            )  # fmt: skip
        process = _Process(started, marker)
        self._processes.append(process)
        task = asyncio.create_task(self._watch(process), name="engine process")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return process

    async def _watch(self, process: _Process) -> None:
        """Pass on what a process reports; replace it when it has ended."""
        assert process.process.stdout is not None
        frames = Frames()
        while data := await process.process.stdout.read(1 << 16):
            for report in frames.reports(data):
                process.useful = True
                if (stream := process.streams.get(report.stream)) is not None:
                    stream.take(report)
        code = await process.process.wait()
        self._processes.remove(process)
        if self._stopping:
            for stream in list(process.streams.values()):
                stream.fail(TranscriberError("the server stops"))
            return
        logger.warning("an engine process has ended (%s) with %d readers", code, len(process.streams))
        await self._replace(process)

    async def _replace(self, dead: _Process) -> None:
        streams = list(dead.streams.values())
        if not streams:
            return
        self._useless = 0 if dead.useful else self._useless + 1
        if self._useless >= MOST_RESTARTS:
            for stream in streams:
                stream.fail(TranscriberAway("engine processes do not start"))
            self._useless = 0
            return
        async with self._opening:
            process = await self._start()
        guilty = dead.listening_to
        for stream in streams:
            if stream.number in dead.streams:
                stream.move(process, guilty=stream.number == guilty)


def _processes_for(cores: int) -> int:
    """Two for each core but one, and on two cores for both: who comes to the end of a sentence, which takes a third of
    a second, holds up few others. What is niced waits for the web process."""
    return 2 * max(min(2, cores), cores - 1)
