"""How deep an answer goes, from 1 to 5, by rules that see the question, the answer and the part it is about.

1 restates the question or is off topic, 2 names one fact, 3 gives a reason, 4 a reason with evidence, 5 joins two or
more reasons. The scorer is blind to the arm: it is told neither the condition nor who wrote the question. How well it
agrees with answers scored by hand is printed by `score_agreement`.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from sessions_app.study import words

VERSION: Final = "depth-1"

_LOST: Final = re.compile(r"\b(?:i ?(?:don'?t|do not) know|idk|dunno|no idea|not sure|no clue)\b", re.IGNORECASE)
_LINK: Final = re.compile(
    r"\b(?:because|since|so that|so|therefore|thus|due to|thanks to|as a result|that is why|that's why|in order to|"
    r"which (?:meant|made|let|gave|allowed|is why)|led to|leads to|caused|causes|made it|makes it|meant that|"
    r"means that|allowed|allows|allowing|enabled|depended on|depends on|without|if)\b",
    re.IGNORECASE,
)
_EVIDENCE: Final = re.compile(
    r"\b(?:for example|for instance|such as|it said|the (?:text|part|piece|story|captions?) \w+|according to|evidence|"
    r"(?:i|you|we) (?:can |could )?(?:still )?(?:see|saw|heard|read|learned)|1[5-9]\d\d|half of|hundreds of|"
    r"thousands? of|\d[\d,.]* (?:\w+ )?(?:men|people|workers|cannons?|guns|miles|feet|tons|percent|years))\b",
    re.IGNORECASE,
)
_JOINS: Final = re.compile(
    r"\b(?:and also|as well as|both|not only|but also|together|at the same time|on top of that|another reason|"
    r"second(?:ly)?|besides|in addition|combined|plus|also)\b",
    re.IGNORECASE,
)


def depth(*, question: str, answer: str, part: str) -> int:
    """The depth of an answer to a question about `part` (a segment's text and summary)."""
    return _depth(question, answer, words.vocabulary(part))


@lru_cache(maxsize=16_384)
def _depth(question: str, answer: str, known: frozenset[str]) -> int:
    asked = words.vocabulary(question)
    telling = words.telling(words.tokens(answer))
    stems = [words.stem(word) for word in telling]
    new = [stem for stem in stems if stem not in asked]
    lost = _LOST.search(answer) is not None
    if not new or (lost and len(new) < 4):
        return 1
    on_topic = known.intersection(stems)
    reasons = _reasons(answer)
    if not on_topic - asked and (len(new) < 4 or not reasons):
        return 1
    if reasons >= 2 or (reasons == 1 and _joined(answer)):
        return 5
    if reasons == 1:
        return 4 if _EVIDENCE.search(answer) else 3
    return 2


def _reasons(answer: str) -> int:
    """How many reasons an answer gives: links after which something telling follows."""
    return sum(
        _follows(sentence, found.end()) for sentence in words.sentences(answer) for found in _LINK.finditer(sentence)
    )


def _follows(sentence: str, end: int) -> bool:
    rest = sentence[end:]
    next_link = _LINK.search(rest)
    return len(words.telling(words.tokens(rest[: next_link.start()] if next_link else rest))) >= 2


def _joined(answer: str) -> bool:
    """Whether the one link carries two things that are joined."""
    for sentence in words.sentences(answer):
        found = _LINK.search(sentence)
        if found and _JOINS.search(sentence):
            return len(words.telling(words.tokens(sentence[found.end() :]))) >= 4
    return False


def quadratic_weighted_kappa(ours: Sequence[int], theirs: Sequence[int], *, categories: Sequence[int]) -> float | None:
    """Cohen's kappa with quadratic weights (1968); None where both only ever use one category.

    κ = 1 − Σ w·observed / Σ w·expected with w = (i − j)² over the categories' places.
    """
    if len(ours) != len(theirs) or not ours:
        raise ValueError("two ratings for each of at least one answer")
    place = {category: number for number, category in enumerate(categories)}
    n = len(ours)
    observed = sum((place[a] - place[b]) ** 2 for a, b in zip(ours, theirs, strict=True)) / n
    expected = sum((place[a] - place[b]) ** 2 for a in ours for b in theirs) / n**2
    return 1 - observed / expected if expected else None
