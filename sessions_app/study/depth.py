"""How deep an answer goes, from 1 to 5, by rules that see the question, the answer and the part it is about.

1 restates the question or is off topic, 2 names one fact, 3 gives a reason, 4 a reason with evidence, 5 joins two or
more reasons. The scorer is blind to the arm: it is told neither the condition nor who wrote the question. How well it
agrees with answers scored by hand is printed by `score_agreement`.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Final

from sessions_app.models import Segment
from sessions_app.study import words

VERSION: Final = "depth-1"
LEVELS: Final = (1, 2, 3, 4, 5)

_LOST: Final = re.compile(r"\b(?:i ?(?:don'?t|do not) know|idk|dunno|no idea|not sure|no clue)\b", re.IGNORECASE)
_LINK: Final = re.compile(
    r"\b(?:because|since|so that|so|therefore|thus|due to|thanks to|as a result|that is why|that's why|in order to|"
    r"which (?:meant|made|let|gave|allowed|is why)|led to|leads to|caused|causes|made it|makes it|meant that|"
    r"means that|allowed|allows|allowing|enabled|depended on|depends on|without|if)\b",
    re.IGNORECASE,
)
_EVIDENCE: Final = re.compile(
    r"\b(?:for example|for instance|such as|it sa(?:id|ys)|the (?:text|part|piece|story|captions?) \w+|according to|"
    r"evidence|(?:i|you|we) (?:can |could )?(?:still )?(?:see|saw|heard|read|learned)|1[5-9]\d\d|half of|hundreds of|"
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
    reasons = _reasons(answer, known - asked)
    if not on_topic - asked and (len(new) < 4 or not reasons):
        return 1
    if reasons >= 2 or (reasons == 1 and _joined(answer)):
        return 5
    if reasons == 1:
        return 4 if _EVIDENCE.search(answer) or _supported(answer, known) else 3
    return 2


def _reasons(answer: str, known: frozenset[str]) -> int:
    """How many reasons an answer gives: links after which something telling follows, as far as the next link."""
    return sum(
        _tells(sentence[found.end() : after], known)
        for sentence in words.sentences(answer)
        for found, after in _links(sentence)
    )


def _links(sentence: str) -> list[tuple[re.Match[str], int]]:
    """The links of a sentence, each with where the next begins."""
    found = list(_LINK.finditer(sentence))
    ends = [*(link.start() for link in found), len(sentence)][1:]
    return list(zip(found, ends, strict=True))


def _tells(clause: str, known: frozenset[str]) -> bool:
    """Whether a clause says something: two telling words, or one of the part that the question did not bring."""
    telling = words.telling(words.tokens(clause))
    return len(telling) >= 2 or any(words.stem(word) in known for word in telling)


def _supported(answer: str, known: frozenset[str]) -> bool:
    """Whether a sentence without a link of its own puts something of the part beside the reason."""
    apart = [sentence for sentence in words.sentences(answer) if not _LINK.search(sentence)]
    return any(len(words.vocabulary(sentence) & known) >= 3 for sentence in apart)


def _joined(answer: str) -> bool:
    """Whether the one link carries two things that are joined."""
    for sentence in words.sentences(answer):
        found = _LINK.search(sentence)
        if found and _JOINS.search(sentence):
            return len(words.telling(words.tokens(sentence[found.end() :]))) >= 4
    return False


@dataclass(frozen=True, slots=True)
class Agreement:
    """The scorer against a hand: shares in %, and `table` the counts by level of the hand and of the scorer."""

    n: int
    exact: float
    adjacent: float
    kappa: float | None
    table: tuple[tuple[int, ...], ...]

    def as_json(self) -> dict[str, Any]:
        return {"scorer": VERSION, **asdict(self)}


def agreement(rows: Sequence[tuple[str, str, str, int]]) -> Agreement:
    """How the scorer agrees with answers scored by hand: (question, answer, part, depth by hand)."""
    ours = [depth(question=question, answer=answer, part=part) for question, answer, part, _by_hand in rows]
    theirs = [by_hand for *_said, by_hand in rows]
    pairs = Counter(zip(theirs, ours, strict=True))
    return Agreement(
        n=len(rows),
        exact=100 * sum(a == b for a, b in zip(ours, theirs, strict=True)) / len(rows),
        adjacent=100 * sum(abs(a - b) <= 1 for a, b in zip(ours, theirs, strict=True)) / len(rows),
        kappa=quadratic_weighted_kappa(ours, theirs, categories=LEVELS),
        table=tuple(tuple(pairs[hand, scored] for scored in LEVELS) for hand in LEVELS),
    )


def part_of(segment: Segment) -> str:
    """What an answer about a segment is scored against."""
    return f"{segment.title} {segment.text} {segment.summary}"


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
