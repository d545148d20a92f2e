"""Whether a reader said what was expected after all: a second look at each place where the engine heard otherwise.

A decoder picks the likeliest of the words that it knows, and how sure it is of *that* word says little about whether
the expected one was said: a name or a mumble is none of its words. So the sound of each deviating stretch is fitted to
the expected words and to the words that were heard, and the two are compared (a likelihood ratio, as in the goodness of
pronunciation of S. Witt and S. Young 2000). Where the expected words fit about as well, they were said.

A fit is the sum of the decadic logarithms of the acoustic scores, relative to the best sound of each frame.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from sessions_app.speech.alignment import State, align
from sessions_app.speech.passage import Passage
from sessions_app.speech.transcriber import HeardWord

LONGEST = 6.0  # seconds; of longer deviations nothing is said
# By how much what was heard must fit better; found on synthetic readings with planted miscues. A word too few is a
# short thing.
_STRANGE = {"substitution": 60.0, "insertion": 40.0, "omission": -80.0}
_SLOPE = 15.0
_MORE_AT_THE_END = 2  # words that the last of an utterance may stand for beside their own


class Listener(Protocol):
    """Fits words to a stretch of the utterance's sound."""

    def fit(self, words: Sequence[str], start: float, end: float) -> tuple[float, tuple[HeardWord, ...]] | None:
        """The fit of these words, and where each of them lies; None where they do not fit at all."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Deviating words between two that were read: passage words `[expected, upto)`, heard words `[heard, until)`."""

    expected: int
    upto: int
    heard: int
    until: int
    open_end: bool = False  # the utterance ends here, and nobody knows at which word of the passage

    @property
    def kind(self) -> str:
        if self.expected == self.upto:
            return "insertion"
        return "omission" if self.heard == self.until else "substitution"


def look_again(
    passage: Passage, before: Sequence[HeardWord], words: Sequence[HeardWord], listener: Listener
) -> tuple[HeardWord, ...]:
    """The words of an utterance, `before` being all words before it, with each deviation confirmed or taken back.

    The words of a confirmed deviation have a confidence of at least .5: that something else was said. What was taken
    back has the expected words instead.
    """
    found: list[HeardWord] = []
    place = 0
    for stretch in _stretches(passage, before, words):
        found += words[place : stretch.heard]
        found += _judged(passage, words, stretch, listener)
        place = stretch.until
    return (*found, *words[place:])


def _stretches(passage: Passage, before: Sequence[HeardWord], words: Sequence[HeardWord]) -> list[_Stretch]:
    """Those that lie within the utterance, with heard words counted from its first."""
    every = [*before, *words]
    places = {id(word): place for place, word in enumerate(every)}
    alignment = align(passage, every)
    read = [(m.index, places[id(m.heard)]) for m in alignment.marks if m.heard is not None and m.state is State.READ]
    first = len(before)
    found = []
    left = (-1, -1)
    for right in [*read, (alignment.reached, len(every))]:
        inside = right[1] > first and left[1] + 1 >= first
        apart = right[0] > left[0] + 1 or right[1] > left[1] + 1
        if inside and apart and (left[1] >= first or right[1] < len(every)):
            open_end = right[1] == len(every)
            found.append(_Stretch(left[0] + 1, right[0], left[1] + 1 - first, right[1] - first, open_end))
        left = right
    return [stretch for stretch in found if all(passage.scored[stretch.expected : stretch.upto])]


def _judged(passage: Passage, words: Sequence[HeardWord], stretch: _Stretch, listener: Listener) -> Sequence[HeardWord]:
    heard = words[stretch.heard : stretch.until]
    # With a word that was read on either side: at the edges of a stretch sounds run into each other.
    left, right = words[max(0, stretch.heard - 1) : stretch.heard], words[stretch.until : stretch.until + 1]
    around = [*left, *heard, *right]
    if not around or around[-1].end - around[0].start > LONGEST:
        return heard
    start, end = around[0].start, around[-1].end
    best: tuple[float, Sequence[HeardWord]] | None = None
    kind = "substitution" if stretch.open_end and stretch.expected < len(passage.words) else stretch.kind
    for upto in _ends(passage, stretch):
        expected = [
            *(word.word for word in left), *passage.spoken[stretch.expected : upto], *(word.word for word in right)
        ]  # fmt: skip
        fitted = listener.fit(expected, start, end) if expected else None
        if fitted is not None and (best is None or fitted[0] > best[0]):
            best = fitted[0], fitted[1][len(left) : len(expected) - len(right)]
    if best is None:
        return [_with_confidence(word, 1.0) for word in heard]
    as_heard = listener.fit([word.word for word in around], start, end)
    strange = (as_heard[0] - best[0] if as_heard else 0.0) - _STRANGE[kind]
    doubt = 1 / (1 + math.exp(max(-50.0, min(50.0, strange / _SLOPE))))  # that it was said as expected
    if doubt <= 0.5:
        return [_with_confidence(word, 1 - doubt) for word in heard]
    return [_with_confidence(word, doubt) for word in best[1]]


def _ends(passage: Passage, stretch: _Stretch) -> Iterator[int]:
    """Where the passage's part of a stretch may end: at the end of an utterance no later word tells."""
    if not stretch.open_end or stretch.expected == len(passage.words):
        yield stretch.upto
        return
    most = stretch.expected + stretch.until - stretch.heard + _MORE_AT_THE_END
    for upto in range(stretch.expected + 1, min(most, len(passage.words)) + 1):
        if not passage.scored[upto - 1]:
            break
        yield upto


def _with_confidence(word: HeardWord, confidence: float) -> HeardWord:
    return HeardWord(word.word, word.start, word.end, round(confidence, 4))
