"""Short answers scored against a rubric by rules: does the answer name the concept, in any of the ways to say it?

A way to say it is found when its telling words stand near each other in one sentence, by their stems, or as they are
written with room for a slip of the pen. Of a phrase, half of the words or more without the rest earn half of the
concept's credit. Where the sentence denies it just before, nothing is earned. The credits add up, to at most the points
of the item. So an answer never loses points by a further sentence that names a concept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

from django.utils.translation import gettext as _

from sessions_app.study import words

VERSION: Final = "rubric-1"
NEAR: Final = 6
"""Words between which a phrase may be spread."""
DENIED_WITHIN: Final = 3
HALF: Final = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Concept:
    """Something that a full answer names. `terms` are ways to say it."""

    key: str
    description: str
    terms: tuple[str, ...]
    credit: Decimal


@dataclass(frozen=True, slots=True)
class Scored:
    """An answer's points, the credit per concept, what to tell the student, and who scored it."""

    points: Decimal
    breakdown: Mapping[str, Decimal]
    feedback: str
    scorer: str
    version: str
    fell_back: str = ""


class RubricRules:
    """The rules of this module, version `VERSION`."""

    def score(self, *, question: str, answer: str, concepts: Sequence[Concept], points: Decimal) -> Scored:
        return _scored(answer, tuple(concepts), points)


@lru_cache(maxsize=16_384)
def _scored(answer: str, concepts: tuple[Concept, ...], points: Decimal) -> Scored:
    said = [words.tokens(sentence) for sentence in words.sentences(answer)]
    breakdown = {concept.key: concept.credit * _found(concept, said) for concept in concepts}
    return Scored(
        points=min(points, sum(breakdown.values(), Decimal())),
        breakdown=breakdown,
        feedback=feedback(concepts, breakdown),
        scorer="rules",
        version=VERSION,
    )


def feedback(concepts: Sequence[Concept], breakdown: Mapping[str, Decimal]) -> str:
    """What was named and what was not, in a sentence or two."""
    named = [c.description for c in concepts if breakdown[c.key] >= c.credit]
    partly = [c.description for c in concepts if 0 < breakdown[c.key] < c.credit]
    missing = [c.description for c in concepts if not breakdown[c.key]]
    parts = [
        (_("Named: %s."), named),
        (_("In part: %s."), partly),
        (_("Not named: %s."), missing),
    ]
    return " ".join(text % "; ".join(which) for text, which in parts if which)[:1000]


def _found(concept: Concept, said: Sequence[Sequence[str]]) -> Decimal:
    """0, ½ or 1: the best that any way to say it comes to in any sentence."""
    return max((_in_sentence(term, sentence) for term in concept.terms for sentence in said), default=Decimal())


def _in_sentence(term: str, sentence: Sequence[str]) -> Decimal:
    wanted = _wanted(term)
    if not wanted:
        return Decimal()
    stems = [words.stem(word) for word in sentence]
    places = [
        [p for p in {*words.places_of(stem, stems), *words.places_of(word, sentence)} if not _denied(sentence, p)]
        for word, stem in wanted
    ]
    present = [found for found in places if found]
    if len(present) == len(wanted) and _are_near(places):
        return Decimal(1)
    return HALF if len(wanted) > 1 and 2 * len(present) >= len(wanted) else Decimal()


@lru_cache(maxsize=4096)
def _wanted(term: str) -> tuple[tuple[str, str], ...]:
    """The telling words of a way to say it, each with its stem."""
    tokens = words.tokens(term)
    return tuple((word, words.stem(word)) for word in dict.fromkeys(words.telling(tokens) or tokens))


def _are_near(places: Sequence[Sequence[int]]) -> bool:
    """Whether one place of each can be chosen so that all lie within `NEAR` words."""
    return any(
        all(any(start <= place <= start + NEAR for place in found) for found in places)
        for start in {place for found in places for place in found}
    )


def _denied(sentence: Sequence[str], place: int) -> bool:
    return any(word in words.NEGATIONS for word in sentence[max(0, place - DENIED_WITHIN) : place])
