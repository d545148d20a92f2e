"""What free speech comes to: conversation, pronunciation, role play.

Fluency is half the rate and half the share of time that is spoken: 50 · min(1, words a minute / 130) + 50 · speaking
time / time from the first word to the last, both usual measures of fluent speech (J. Kormos and M. Dénes 2004); a gap
of half a second or more between two words is a pause. Pronunciation is the mean confidence of the words, in %: how
clearly the engine made them out. Of fewer than ten words neither is computed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sessions_app.speech.transcriber import HeardWord
from sessions_app.speech.windows import WINDOW, MiscueCounts, Window, mean_confidence

LEAST_WORDS = 10
FLUENT_WPM = 130.0
PAUSE = 0.5  # seconds


@dataclass(frozen=True, slots=True)
class Spoken:
    """The result of a stretch of free speech. A score from 0 to 100, or None with a reason."""

    words: int
    seconds: float
    speaking_seconds: float
    pauses: int
    wpm: float | None
    fluency: float | None
    fluency_reason: str
    pronunciation: float | None
    pronunciation_reason: str


def result_of(words: Sequence[HeardWord], *, seconds: float) -> Spoken:
    """`seconds` is the length of the sound, in which `words` were heard."""
    gaps = [after.start - before.end for before, after in pairwise(words)]
    pauses = [gap for gap in gaps if gap >= PAUSE]
    span = words[-1].end - words[0].start if words else 0.0
    speaking = max(0.0, span - sum(pauses))
    wpm = len(words) * 60 / seconds if seconds > 0 else None
    enough = len(words) >= LEAST_WORDS and span > 0 and wpm is not None
    clear = mean_confidence(words)
    return Spoken(
        words=len(words),
        seconds=seconds,
        speaking_seconds=speaking,
        pauses=len(pauses),
        wpm=wpm,
        fluency=50 * min(1.0, (wpm or 0) / FLUENT_WPM) + 50 * speaking / span if enough else None,
        fluency_reason="" if enough else "too_few_words",
        pronunciation=clear * 100 if enough and clear is not None else None,
        pronunciation_reason="" if enough and clear is not None else _why_unclear(enough=enough),
    )


def windows_of(utterances: Sequence[Sequence[HeardWord]], *, seconds: float) -> tuple[Window, ...]:
    """The minutes of free speech: words and how clear they were; with no passage nothing is right or wrong."""
    found = []
    for number in range(math.ceil(seconds / WINDOW)):
        start, end = number * WINDOW, min((number + 1) * WINDOW, seconds)
        last = end == seconds
        inside = [[w for w in words if start <= w.start < end or (last and w.start >= end)] for words in utterances]
        spoken = [word for words in inside for word in words]
        found.append(
            Window(
                number=number,
                start=start,
                end=end,
                words=len(spoken),
                attempted=0,
                correct=0,
                counts=MiscueCounts(),
                confidence=mean_confidence(spoken),
                transcripts=tuple(" ".join(w.word for w in words) for words in inside if words),
            )
        )
    return tuple(found)


def _why_unclear(*, enough: bool) -> str:
    return "no_confidence" if enough else "too_few_words"
