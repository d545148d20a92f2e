"""How words are followed: along a passage, or freely where there is none. Both say what changed in the same terms."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from sessions_app import events
from sessions_app.reading import speaking
from sessions_app.reading.course import Taken
from sessions_app.speech import pipeline
from sessions_app.speech.alignment import Alignment
from sessions_app.speech.passage import Passage
from sessions_app.speech.pipeline import Progress, ReadingEvent, UtteranceHeard, WindowClosed
from sessions_app.speech.transcriber import Heard, HeardWord
from sessions_app.speech.windows import WINDOW, MiscueCounts

MOST_TOLD = 40
"""Miscues in one event; the record has all of them."""


class Follower(Protocol):
    """A reading, or free speech, as it goes on. `of` is the number of the passage's words, None without one."""

    @property
    def reached(self) -> int: ...
    @property
    def of(self) -> int | None: ...
    @property
    def seconds(self) -> float:
        """How much sound the transcriber was given: what is heard by now was heard in it."""

    @property
    def words(self) -> Sequence[HeardWord]:
        """What is settled: a transcriber that goes on is told of it."""

    def go_on(self, *, seconds: float) -> None:
        """Another transcriber goes on from this second: what was not settled is heard again."""

    def take_audio(self, seconds: float, *, silence_is_told: bool) -> list[ReadingEvent]: ...
    def take_words(self, heard: Heard) -> list[ReadingEvent]: ...
    def written(self, index: int) -> str:
        """A word of the passage as it is written."""

    def sentence(self, index: int) -> str:
        """The sentence that it stands in."""

    def event_of(self, heard: UtteranceHeard, reading_id: UUID, *, told: set[tuple[str, int]]) -> events.WordsHeard:
        """What the timeline says of settled words. `told` are the miscues that it has told before."""


def follower_of(taken: Taken) -> Follower:
    if isinstance(taken.expected, Passage):
        return Along(taken.expected, taken.utterances, taken.heard_seconds)
    return Freely(taken.utterances, taken.heard_seconds)


class Along:
    """`Follower` along a passage."""

    def __init__(self, passage: Passage, utterances: Sequence[Sequence[HeardWord]], seconds: float) -> None:
        self.passage = passage
        self._settled = [tuple(words) for words in utterances]
        self._reading = pipeline.Reading(passage, utterances=utterances, seconds=seconds)

    @property
    def reached(self) -> int:
        return max(self._reading.progress().reached, 0)

    @property
    def of(self) -> int | None:
        return len(self.passage.words)

    @property
    def seconds(self) -> float:
        return self._reading.seconds

    @property
    def words(self) -> Sequence[HeardWord]:
        return [word for words in self._settled for word in words]

    def go_on(self, *, seconds: float) -> None:
        if self._reading.seconds != seconds:
            self._reading = pipeline.Reading(self.passage, utterances=self._settled, seconds=seconds)

    def take_audio(self, seconds: float, *, silence_is_told: bool) -> list[ReadingEvent]:
        return self._reading.take_audio(seconds, silence_is_told=silence_is_told)

    def take_words(self, heard: Heard) -> list[ReadingEvent]:
        if heard.final and heard.words:
            self._settled.append(heard.words)
        return self._reading.take_words(heard)

    def written(self, index: int) -> str:
        return self.passage.written(index) if index < len(self.passage.words) else ""

    def sentence(self, index: int) -> str:
        return self.passage.sentence_at(index) if index < len(self.passage.words) else ""

    def event_of(self, heard: UtteranceHeard, reading_id: UUID, *, told: set[tuple[str, int]]) -> events.WordsHeard:
        now = heard.progress
        fresh = [
            events.MiscueHeard(kind=miscue.kind.value, index=miscue.index, counted=miscue.counted)
            for miscue in heard.alignment.miscues
            if (miscue.kind.value, miscue.index) not in told
        ]
        return events.WordsHeard(
            reading=reading_id,
            seconds=round(now.seconds, 1),
            reached=now.reached,
            of=now.of,
            final=True,
            words=now.words,
            correct=now.correct,
            errors=now.counts.total,
            miscues=fresh[-MOST_TOLD:],
        )


class Freely:
    """`Follower` of free speech: words, and the minutes that are complete."""

    def __init__(self, utterances: Sequence[Sequence[HeardWord]], seconds: float) -> None:
        self._utterances = [tuple(words) for words in utterances]
        self._seconds = seconds
        self._closed = int(seconds // WINDOW)

    @property
    def reached(self) -> int:
        return sum(len(words) for words in self._utterances)

    @property
    def of(self) -> int | None:
        return None

    @property
    def seconds(self) -> float:
        return self._seconds

    @property
    def words(self) -> Sequence[HeardWord]:
        return [word for words in self._utterances for word in words]

    def go_on(self, *, seconds: float) -> None:
        self._seconds = seconds

    def take_audio(self, seconds: float, *, silence_is_told: bool) -> list[ReadingEvent]:
        self._seconds += seconds
        return []

    def take_words(self, heard: Heard) -> list[ReadingEvent]:
        if not heard.final:
            return []
        happened: list[ReadingEvent] = []
        if heard.words:
            self._utterances.append(heard.words)
            happened.append(UtteranceHeard(heard.utterance, heard.words, Alignment((), ()), self._progress()))
        complete = int(heard.upto // WINDOW)
        if complete > self._closed:
            windows = speaking.windows_of(self._utterances, seconds=max(self._seconds, heard.upto))
            happened += [WindowClosed(window) for window in windows[self._closed : complete]]
            self._closed = complete
        return happened

    def written(self, index: int) -> str:
        return ""

    def sentence(self, index: int) -> str:
        return ""

    def event_of(self, heard: UtteranceHeard, reading_id: UUID, *, told: set[tuple[str, int]]) -> events.WordsHeard:
        return events.WordsHeard(
            reading=reading_id,
            seconds=round(self._seconds, 1),
            reached=self.reached,
            final=True,
            words=self.reached,
        )

    def _progress(self) -> Progress:
        minutes = self._seconds / 60
        words = self.reached
        rate = words / minutes if minutes else None
        return Progress(self._seconds, words, words, words, 0, MiscueCounts(), rate, None)
