"""The minutes of a reading: each 60 seconds of audio with its words, rates and miscues.

WPM = words spoken / minutes; WCPM = passage words read correctly / minutes, in minutes of audio. Every word and every
miscue lies in exactly one window (by the second at which it begins), so the windows' sums are the reading's totals.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sessions_app.speech.alignment import CORRECT, ERRORS, Alignment, Kind, State
from sessions_app.speech.transcriber import HeardWord

WINDOW = 60.0


@dataclass(frozen=True, slots=True)
class MiscueCounts:
    """Errors by kind, and the two kinds of deviation that are none."""

    omissions: int = 0
    insertions: int = 0
    substitutions: int = 0
    repetitions: int = 0
    self_corrections: int = 0

    @property
    def total(self) -> int:
        """The errors."""
        return self.omissions + self.insertions + self.substitutions

    def __add__(self, other: "MiscueCounts") -> "MiscueCounts":
        return MiscueCounts(
            self.omissions + other.omissions,
            self.insertions + other.insertions,
            self.substitutions + other.substitutions,
            self.repetitions + other.repetitions,
            self.self_corrections + other.self_corrections,
        )


@dataclass(frozen=True, slots=True)
class Window:
    """`[start, end)` in seconds of audio; the last window of a reading may be shorter than 60 s.

    `words` were spoken, `correct` were read correctly, `attempted` are the scored words of the passage that it reached.
    `confidence` is the mean over its words, None without any. `transcripts` has one text per utterance.
    """

    number: int
    start: float
    end: float
    words: int
    attempted: int
    correct: int
    counts: MiscueCounts
    confidence: float | None
    transcripts: tuple[str, ...]

    @property
    def seconds(self) -> float:
        return self.end - self.start

    @property
    def wpm(self) -> float | None:
        """None where no time has passed."""
        return self.words * 60 / self.seconds if self.seconds else None

    @property
    def wcpm(self) -> float | None:
        return self.correct * 60 / self.seconds if self.seconds else None


def counts_of(kinds: Counter[Kind]) -> MiscueCounts:
    return MiscueCounts(
        kinds[Kind.OMISSION],
        kinds[Kind.INSERTION],
        kinds[Kind.SUBSTITUTION],
        kinds[Kind.REPETITION],
        kinds[Kind.SELF_CORRECTION],
    )


def windows_of(alignment: Alignment, utterances: Sequence[Sequence[HeardWord]], seconds: float) -> tuple[Window, ...]:
    """The windows of `seconds` of audio. `utterances` are the heard words that `alignment` was made of."""
    number = max(1, math.ceil(seconds / WINDOW)) if seconds > 0 else 0
    spoken: list[list[HeardWord]] = [[] for _ in range(number)]
    transcripts: list[list[str]] = [[] for _ in range(number)]
    kinds: list[Counter[Kind]] = [Counter() for _ in range(number)]
    attempted, correct = [0] * number, [0] * number

    def window_at(second: float) -> int:
        return min(int(second // WINDOW), number - 1)

    if not number:
        return ()
    for words in utterances:
        for which in range(number):
            inside = [word for word in words if window_at(word.start) == which]
            if inside:
                spoken[which] += inside
                transcripts[which].append(" ".join(word.word for word in inside))
    for miscue in alignment.miscues:
        if miscue.counted or miscue.kind not in ERRORS:
            kinds[window_at(miscue.at)][miscue.kind] += 1
    for mark in alignment.marks:
        attempted[window_at(mark.at)] += mark.state is not State.UNSCORED
        correct[window_at(mark.at)] += mark.state in CORRECT
    return tuple(
        Window(
            number=which,
            start=which * WINDOW,
            end=min((which + 1) * WINDOW, seconds),
            words=len(spoken[which]),
            attempted=attempted[which],
            correct=correct[which],
            counts=counts_of(kinds[which]),
            confidence=mean_confidence(spoken[which]),
            transcripts=tuple(transcripts[which]),
        )
        for which in range(number)
    )


def mean_confidence(words: Sequence[HeardWord]) -> float | None:
    """The mean over the words that have one, 0 to 1; None where none has."""
    known = [word.confidence for word in words if word.confidence is not None]
    return sum(known) / len(known) if known else None
