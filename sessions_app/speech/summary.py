"""The summary of a whole reading: totals over its windows, accuracy, grade level, and what to say about it.

Rates over several windows or passages are ratios of sums, never means of rates. Accuracy = (words attempted − errors)
/ words attempted, in %: from 95 independent, from 90 instructional, under 90 frustration. Miscue rate = miscues /
words spoken.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from sessions_app.speech.norms import GradeLevel, Season, grade_level
from sessions_app.speech.windows import MiscueCounts, Window


class ReadingLevel(enum.StrEnum):
    INDEPENDENT = "independent"
    INSTRUCTIONAL = "instructional"
    FRUSTRATION = "frustration"


@dataclass(frozen=True, slots=True)
class Insights:
    """What stands out, in the terms of requirement 000; None where it cannot be said, with the reason in `why`."""

    reading_speed: GradeLevel | None
    total_miscues: int
    miscue_rate: float | None
    why: str | None


@dataclass(frozen=True, slots=True)
class ReadingSummary:
    """Totals of a reading; a figure with nothing under it is None.

    `confidence` is weighted by the words of each window. `transcript` is everything that was heard.
    """

    seconds: float
    words: int
    attempted: int
    correct: int
    counts: MiscueCounts
    wpm: float | None
    wcpm: float | None
    accuracy: float | None
    level: ReadingLevel | None
    confidence: float | None
    transcript: str
    insights: Insights


def accuracy_of(attempted: int, errors: int) -> float | None:
    """In %, at least 0: more insertions than words read are possible."""
    return max(0.0, (attempted - errors) * 100 / attempted) if attempted else None


def level_of(accuracy: float | None) -> ReadingLevel | None:
    if accuracy is None:
        return None
    if accuracy >= 95:
        return ReadingLevel.INDEPENDENT
    return ReadingLevel.INSTRUCTIONAL if accuracy >= 90 else ReadingLevel.FRUSTRATION


def summarise(windows: Sequence[Window], *, grade: int | None = None, season: Season | None = None) -> ReadingSummary:
    """The summary of one or several readings' windows. `grade` is the student's, `season` the reading's."""
    seconds = sum(window.seconds for window in windows)
    words = sum(window.words for window in windows)
    attempted = sum(window.attempted for window in windows)
    correct = sum(window.correct for window in windows)
    counts = sum((window.counts for window in windows), MiscueCounts())
    accuracy = accuracy_of(attempted, counts.total)
    sure = [(window.confidence, window.words) for window in windows if window.confidence is not None]
    weight = sum(number for _, number in sure)
    wcpm = correct * 60 / seconds if seconds else None
    speed, why = grade_level(wcpm, windows=len(windows), grade=grade, season=season)
    return ReadingSummary(
        seconds=seconds,
        words=words,
        attempted=attempted,
        correct=correct,
        counts=counts,
        wpm=words * 60 / seconds if seconds else None,
        wcpm=wcpm,
        accuracy=accuracy,
        level=level_of(accuracy),
        confidence=sum(confidence * number for confidence, number in sure) / weight if weight else None,
        transcript=" ".join(text for window in windows for text in window.transcripts),
        insights=Insights(speed, counts.total, counts.total / words if words else None, why),
    )
