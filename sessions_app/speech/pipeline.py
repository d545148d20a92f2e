"""One reading, from words to what teacher and student see: used live and by `score_reading`, so that both agree.

`Reading` is plain computation. It is told how much audio has come and what was heard, and answers with what changed.
`LiveReading` joins decoder, transcriber and `Reading`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from sessions_app.speech.alignment import Alignment, State, align
from sessions_app.speech.audio import Decoded
from sessions_app.speech.passage import Passage
from sessions_app.speech.struggle import Struggle, StruggleWatch
from sessions_app.speech.transcriber import Heard, HeardWord, Transcriber, TranscriberError, TranscriptStream
from sessions_app.speech.windows import WINDOW, MiscueCounts, Window, counts_of, windows_of

PARTIAL_LAG = 1.0  # seconds by which partial words come behind the audio
STEADY = 1.0  # seconds for which a place stands that partial words have reached, and then have not: they waver


@dataclass(frozen=True, slots=True)
class Followed:
    """The voice is at the passage's word `reached` - 1; sent with every partial or final result that moved it."""

    reached: int
    at: float


@dataclass(frozen=True, slots=True)
class UtteranceHeard:
    """An utterance is final: its words, and how the whole reading stands with it."""

    utterance: int
    words: tuple[HeardWord, ...]
    alignment: Alignment
    progress: "Progress"

    @property
    def right(self) -> tuple[bool, ...]:
        """Of each of its words, whether it was read where the passage has it."""
        read = {id(mark.heard) for mark in self.alignment.marks if mark.state is State.READ}
        return tuple(id(word) in read for word in self.words)


@dataclass(frozen=True, slots=True)
class Progress:
    """A reading so far, for a teacher's board: rates over the audio so far, None before there is any."""

    seconds: float
    words: int
    reached: int
    of: int
    correct: int
    counts: MiscueCounts
    wpm: float | None
    wcpm: float | None

    @property
    def is_through(self) -> bool:
        """Whether the last word is reached, and not by hearing words of the passage in something else."""
        return bool(self.of) and self.reached >= self.of and self.correct * 2 >= self.of


@dataclass(frozen=True, slots=True)
class WindowClosed:
    """60 seconds of audio are complete, with every word in them final. The last, shorter one comes with the end."""

    window: Window


@dataclass(frozen=True, slots=True)
class Stuck:
    """The reader struggles: the moment to help."""

    struggle: Struggle


ReadingEvent = Followed | UtteranceHeard | WindowClosed | Stuck


@dataclass(frozen=True, slots=True)
class ReadingResult:
    """A whole reading: every word heard, the alignment, the windows that were not yet reported, and all windows."""

    utterances: tuple[tuple[HeardWord, ...], ...]
    alignment: Alignment
    windows: tuple[Window, ...]
    last: tuple[Window, ...]
    seconds: float

    @property
    def words(self) -> tuple[HeardWord, ...]:
        return tuple(word for words in self.utterances for word in words)


class Reading:
    """The state of one reading. `utterances` and `seconds` are of the part before, where a reading goes on."""

    def __init__(
        self, passage: Passage, *, utterances: Sequence[Sequence[HeardWord]] = (), seconds: float = 0.0
    ) -> None:
        self.passage = passage
        self.seconds = seconds
        self._utterances = [tuple(words) for words in utterances]
        self._final = [word for words in self._utterances for word in words]
        self._partial: tuple[HeardWord, ...] = ()
        self._final_upto = seconds
        self._upto = seconds
        self._reached = 0
        self._wavering: list[tuple[float, int]] = []
        self._closed = int(seconds // WINDOW)
        self._watch = StruggleWatch()
        self._aligned: Alignment | None = None
        self._reached = self.alignment.reached

    @property
    def alignment(self) -> Alignment:
        """Of the final words."""
        if self._aligned is None:
            self._aligned = align(self.passage, self._final)
        return self._aligned

    @property
    def finished(self) -> bool:
        """Whether the last word of the passage has been reached."""
        return self._reached >= len(self.passage.words)

    @property
    def words(self) -> Sequence[HeardWord]:
        """The final words."""
        return tuple(self._final)

    def progress(self) -> Progress:
        minutes = self.seconds / 60
        found = self.alignment
        return Progress(
            seconds=self.seconds,
            words=len(self._final),
            reached=max(self._reached, found.reached),
            of=len(self.passage.words),
            correct=found.correct,
            counts=counts_of(found.counts),
            wpm=len(self._final) / minutes if minutes else None,
            wcpm=found.correct / minutes if minutes else None,
        )

    def take_audio(self, seconds: float, *, silence_is_told: bool) -> list[ReadingEvent]:
        """`seconds` more of audio have been given to the transcriber.

        Where it says how far it has listened (`silence_is_told`), a silence is one only as far as that: an engine may
        be behind. Else no word in `PARTIAL_LAG` seconds is none.
        """
        self.seconds += seconds
        words = self._partial or self._final
        if not words:
            return []
        stuck = self._watch.silence(
            now=self._upto if silence_is_told else max(self._upto, self.seconds - PARTIAL_LAG),
            last_word_at=words[-1].end,
            reached=self._reached,
            words=len(self.passage.words),
        )
        return [Stuck(stuck)] if stuck else []

    def take_words(self, heard: Heard) -> list[ReadingEvent]:
        """What the transcriber heard."""
        self._upto = max(self._upto, heard.upto)
        if not heard.final:
            self._partial = heard.words
            return self._followed(self._reached_with(heard)) if heard.words else []
        self._partial = ()
        self._wavering.clear()
        self._final_upto = max(self._final_upto, heard.upto)
        events: list[ReadingEvent] = []
        if heard.words:
            self._utterances.append(heard.words)
            self._final += heard.words
            self._aligned = None
            events += self._followed(self.alignment.reached)
            events.append(UtteranceHeard(heard.utterance, heard.words, self.alignment, self.progress()))
            events += [Stuck(struggle) for struggle in self._watch.words(self.alignment, heard.words)]
        complete = int(self._final_upto // WINDOW)
        if complete > self._closed:
            windows = windows_of(self.alignment, self._utterances, max(self.seconds, self._final_upto))
            events += [WindowClosed(window) for window in windows[self._closed : complete]]
            self._closed = complete
        return events

    def result(self) -> ReadingResult:
        """The reading as it is when nothing more comes."""
        windows = windows_of(self.alignment, self._utterances, self.seconds)
        return ReadingResult(tuple(self._utterances), self.alignment, windows, windows[self._closed :], self.seconds)

    def _reached_with(self, partial: Heard) -> int:
        """The furthest place of the partial words of the last `STEADY` seconds."""
        reached = align(self.passage, [*self._final, *partial.words]).reached
        self._wavering = [(upto, place) for upto, place in self._wavering if upto > partial.upto - STEADY]
        self._wavering.append((partial.upto, reached))
        return max(place for _, place in self._wavering)

    def _followed(self, reached: int) -> list[ReadingEvent]:
        if reached == self._reached:
            return []
        self._reached = reached
        return [Followed(reached, self._upto)]


class LiveReading:
    """A reading as it happens: recorder's bytes in, events out.

    One task calls `take`, another iterates `events`. Where the audio or the transcriber gives up, `trouble` says why
    (a `NotAudio` or `TranscriberError` code) and what was heard up to there stays in `reading`.
    """

    def __init__(self, reading: Reading, stream: TranscriptStream, *, silence_is_told: bool) -> None:
        self.reading = reading
        self._silence_is_told = silence_is_told
        self.trouble: str | None = None
        self._stream = stream
        self._events: asyncio.Queue[ReadingEvent | None] = asyncio.Queue()
        self._offset = reading.seconds  # the stream's clock begins at 0
        self._listening = asyncio.create_task(self._listen(), name="reading")

    @classmethod
    async def begin(cls, reading: Reading, transcriber: Transcriber) -> "LiveReading":
        """Raises `TranscriberBusy` or `TranscriberUnfit`."""
        stream = await transcriber.open(reading.passage, before=reading.words)
        return cls(reading, stream, silence_is_told=transcriber.tells_of_silence)

    async def take(self, decoded: Decoded) -> None:
        """Audio in the order of the recording. Waits where the transcriber is behind."""
        if not decoded.pcm or self.trouble:
            return
        for event in self.reading.take_audio(decoded.seconds, silence_is_told=self._silence_is_told):
            self._events.put_nowait(event)
        try:
            await self._stream.feed(decoded.pcm)
        except TranscriberError as error:
            self.trouble = self.trouble or error.code

    async def events(self) -> AsyncIterator[ReadingEvent]:
        """What happens, until the reading has ended."""
        while (event := await self._events.get()) is not None:
            yield event

    async def end(self, *, within: float = 10.0) -> ReadingResult:
        """No more audio comes: wait for the last words, but no longer than `within` seconds, and sum up."""
        with contextlib.suppress(TranscriberError):
            await self._stream.finish()
        await asyncio.wait({self._listening}, timeout=within)
        if not self._listening.done():
            self.trouble = self.trouble or "transcriber_late"
        await self.abandon()
        return self.reading.result()

    async def abandon(self) -> None:
        """Stop without waiting for words."""
        await self._stream.abandon()
        if not self._listening.done():
            self._listening.cancel()
        await asyncio.wait({self._listening})

    async def _listen(self) -> None:
        try:
            async for heard in self._stream:
                for event in self.reading.take_words(shifted(heard, self._offset)):
                    self._events.put_nowait(event)
        except TranscriberError as error:
            self.trouble = error.code
        finally:
            self._events.put_nowait(None)


def shifted(heard: Heard, seconds: float) -> Heard:
    """The same, `seconds` later: a stream's clock begins at 0 also where a reading goes on."""
    if not seconds:
        return heard
    words = tuple(replace(word, start=word.start + seconds, end=word.end + seconds) for word in heard.words)
    return Heard(heard.utterance, words, heard.final, heard.upto + seconds)
