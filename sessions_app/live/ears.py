"""A transcriber at work on one reading: opened when one is free, fed, followed by another where it gives up.

A new one goes on from the last settled word: what came after it is decoded again from what is kept, and heard again.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from sessions_app.live import protocol
from sessions_app.live.audio_intake import AudioIntake
from sessions_app.live.following import Follower
from sessions_app.speech.pipeline import ReadingEvent, shifted
from sessions_app.speech.transcriber import (
    BYTES_A_SECOND,
    Expected,
    Heard,
    Transcriber,
    TranscriberAway,
    TranscriberBusy,
    TranscriberError,
    TranscriberUnfit,
    TranscriptStream,
)

log = logging.getLogger(__name__)

RETRY = 1.5  # seconds until a free engine is looked for again
LONGEST_RETRY = 30.0
MOST_BEHIND = 90.0  # seconds of sound that wait for the transcriber
MOST_FAILURES = 3  # at the same place, before what is there is passed over

Happened = Callable[[ReadingEvent], None]
SaysState = Callable[[str], Coroutine[Any, Any, None]]


class Ears:
    """The listening of one reading. `upto` is the second up to which everything is settled.

    `happened` is told what changed, `word_heard` the second at which the last word ended, `settled` up to where nothing
    changes any more, and `says` how it goes: `on`, `waiting` for a transcriber, or `unfit` where there is none for what
    is expected.
    """

    def __init__(
        self,
        expected: Expected,
        *,
        upto: float,
        transcriber: Transcriber,
        follower: Follower,
        happened: Happened,
        word_heard: Callable[[float], None],
        settled: Callable[[float], None],
        says: SaysState,
    ) -> None:
        self.upto = upto
        self._word_heard = word_heard
        self._expected = expected
        self._transcriber = transcriber
        self._follower = follower
        self._happened = happened
        self._settled = settled
        self._says = says
        self._finishing = False
        self._behind = 0
        self._pcm: asyncio.Queue[bytes | None] | None = None
        self._sound: AudioIntake | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def engine(self) -> str:
        return self._transcriber.name

    def begin(self, sound: AudioIntake) -> None:
        self._sound = sound
        self._task = asyncio.create_task(self._listen(sound), name="ears")

    def take(self, pcm: bytes) -> None:
        """Sound in its order; without a transcriber it waits where it is kept."""
        if self._pcm is None:
            return
        if self._behind > MOST_BEHIND * BYTES_A_SECOND:
            log.warning("a transcriber is too far behind; the reading goes on with another one")
            self._end_stream()
            return
        self._behind += len(pcm)
        self._pcm.put_nowait(pcm)

    async def finish(self, *, within: float | None = None) -> None:
        """Nothing more comes: hear the last words, but no longer than `within` seconds."""
        assert self._task is not None and self._sound is not None
        self._finishing = True
        if self._pcm is not None:
            self._end_stream()
        elif self._all_heard(self._sound):
            self._task.cancel()
        await asyncio.wait({self._task}, timeout=within)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def settle(self, upto: float) -> None:
        """Everything up to here is through."""
        if upto > self.upto:
            self.upto = upto
            self._settled(upto)

    def _end_stream(self) -> None:
        assert self._pcm is not None
        self._pcm.put_nowait(None)
        self._pcm = None

    def _all_heard(self, sound: AudioIntake) -> bool:
        return self.upto >= sound.seconds - 0.1

    async def _listen(self, sound: AudioIntake) -> None:
        failures = away = 0
        while not (self._finishing and self._all_heard(sound)):
            before = self.upto
            try:
                await self._listen_once(sound)
                failures = away = 0
            except TranscriberBusy:
                await self._says("waiting")
                await asyncio.sleep(RETRY)
            except protocol.DATABASE_AWAY as error:
                log.warning("the sound so far cannot be read at the moment: %s", type(error).__name__)
                await asyncio.sleep(RETRY)
            except TranscriberAway as error:
                log.warning("a transcriber is away: %s", error)
                away = 0 if self.upto > before else away + 1
                await self._says("waiting")
                await asyncio.sleep(min(LONGEST_RETRY, RETRY * 2**away))
            except TranscriberUnfit:
                await self._says("unfit")
                return
            except (TranscriberError, OSError) as error:
                log.warning("a transcriber gave up: %s", error)
                failures = 0 if self.upto > before else failures + 1
                if failures >= MOST_FAILURES and sound.seconds > self.upto:
                    self.settle(sound.seconds)
                    failures = 0
                await self._says("waiting")
                await asyncio.sleep(min(LONGEST_RETRY, RETRY * 2 ** max(0, failures - 1)))

    async def _listen_once(self, sound: AudioIntake) -> None:
        """Hear with one stream until it ends. Raises what `Transcriber.open` and the stream raise."""
        stream = await self._transcriber.open(self._expected, before=self._follower.words)
        offset = self.upto
        feeding: asyncio.Task[None] | None = None
        try:
            feeding = asyncio.create_task(self._feed(stream, await self._queue(sound, offset)))
            await self._says("on")
            async for heard in stream:
                self._take_words(shifted(heard, offset))
            if self._finishing:
                self.settle(sound.seconds)
        finally:
            self._pcm = None
            if feeding is not None:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)
            await stream.abandon()

    async def _queue(self, sound: AudioIntake, offset: float) -> "asyncio.Queue[bytes | None]":
        """The sound from `offset` on: what is kept of it, and then what comes in."""
        pcm: asyncio.Queue[bytes | None] = asyncio.Queue()
        async with sound.replayed(after=offset) as unheard:
            self._follower.go_on(seconds=offset)
            self._behind = len(unheard)
            if unheard:
                pcm.put_nowait(unheard)
            self._pcm = pcm
            if self._finishing:
                self._end_stream()
        return pcm

    async def _feed(self, stream: TranscriptStream, pcm: "asyncio.Queue[bytes | None]") -> None:
        with suppress(TranscriberError):  # the iteration says why
            while (piece := await pcm.get()) is not None:
                for at in range(0, len(piece), BYTES_A_SECOND):
                    part = piece[at : at + BYTES_A_SECOND]
                    self._behind -= len(part)
                    seconds, told = len(part) / BYTES_A_SECOND, self._transcriber.tells_of_silence
                    for happened in self._follower.take_audio(seconds, silence_is_told=told):
                        self._happened(happened)
                    await stream.feed(part)
            await (stream.finish() if self._finishing else stream.abandon())

    def _take_words(self, heard: Heard) -> None:
        if heard.words:
            self._word_heard(heard.words[-1].end)
            if heard.final:
                self.upto = max(self.upto, heard.words[-1].end)
        for happened in self._follower.take_words(heard):
            self._happened(happened)
        if heard.final:
            self.settle(heard.upto)
