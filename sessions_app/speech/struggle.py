"""When a reader is stuck: silence inside the passage, another attempt at the same word, a run of low confidence."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field

from sessions_app.speech.alignment import Alignment, Kind
from sessions_app.speech.transcriber import HeardWord

SILENCE = 3.0  # seconds without a word
UNSURE = 0.5
RUN = 4  # words in a row under `UNSURE`


class Sign(enum.StrEnum):
    SILENCE = "silence"
    SECOND_ATTEMPT = "second_attempt"
    LOW_CONFIDENCE = "low_confidence"


@dataclass(frozen=True, slots=True)
class Struggle:
    """A moment of struggle at the passage's word `index`, `at` seconds of audio."""

    sign: Sign
    index: int
    at: float


@dataclass
class StruggleWatch:
    """Sees each struggle once: a word gets one for silence, one for attempts, and a run of words one in all."""

    _silent_at: set[int] = field(default_factory=set)
    _tried: set[int] = field(default_factory=set)
    _unsure_upto: float = 0.0

    def silence(self, *, now: float, last_word_at: float, reached: int, words: int) -> Struggle | None:
        """`now` is how far the audio has been listened to, `last_word_at` when the last word ended."""
        if 0 < reached < words and now - last_word_at >= SILENCE and reached not in self._silent_at:
            self._silent_at.add(reached)
            return Struggle(Sign.SILENCE, reached, now)
        return None

    def words(self, alignment: Alignment, final: Sequence[HeardWord]) -> list[Struggle]:
        """`final` are the words of the utterance that has just become final."""
        found = []
        for miscue in alignment.miscues:
            if miscue.kind is Kind.SELF_CORRECTION and miscue.index not in self._tried:
                self._tried.add(miscue.index)
                found.append(Struggle(Sign.SECOND_ATTEMPT, miscue.index, miscue.at))
        if run := _unsure_run([word for word in final if word.start >= self._unsure_upto]):
            self._unsure_upto = run[-1].end
            index = _nearest(alignment, run[0])
            if index is not None:
                found.append(Struggle(Sign.LOW_CONFIDENCE, index, run[-1].end))
        return found


def _unsure_run(words: Sequence[HeardWord]) -> list[HeardWord]:
    """The first run of at least `RUN` unsure words."""
    run: list[HeardWord] = []
    for word in words:
        if word.confidence is not None and word.confidence < UNSURE:
            run.append(word)
            continue
        if len(run) >= RUN:
            break
        run = []
    return run if len(run) >= RUN else []


def _nearest(alignment: Alignment, word: HeardWord) -> int | None:
    """The passage's word that was read when `word` was heard."""
    at = [mark.index for mark in alignment.marks if mark.at <= word.start]
    return at[-1] if at else None
