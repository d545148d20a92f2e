"""What kind of thing a sentence tells: small words by which a reader knows a wish, an obstacle, a way, a change. Pure.

The lists are short on purpose: each word is a sign that hardly ever means something else, in English and in Spanish.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from typing import Final


class Kind(StrEnum):
    """What a sentence tells of. `THREAD` is none of the others."""

    OBSTACLE = "obstacle"
    MEANS = "means"
    WISH = "wish"
    CHANGE = "change"
    FEELING = "feeling"
    THREAD = "thread"


_SIGNS: Final[dict[str, dict[Kind, str]]] = {
    "en": {
        Kind.OBSTACLE: (
            r"can ?not|can['’]t|could(?: not|n['’]t)|unable|without|not dare|did not know|no (?:one|way|help|teacher|time"
            r"|remedy|ladder|idea|chance|getting)|difficult\w*|hard|problems?|prevent\w*|forbid\w*|forbade|danger\w*"
            r"|too (?:late|much|many|little|few|loud|fast|far|young|hard)|stuck|struggl\w+|confus\w+|perplex\w+|oppos\w+"
            r"|suspected|watched|not allowed|ceas(?:ed|ing) to|shut\w* (?:me|us|out|up)|lost|noisy?|afraid|nobody"
        ),
        Kind.MEANS: (
            r"by \w+ing|(?:help|aid)(?:s|ed)? (?:me|us|him|her|them|of)|with (?:the|their|his|her|my) (?:\w+ )?(?:help|aid)"
            r"|kindly aid|enabl\w+|in this way|succeed\w*|success\w*|so that|found (?:time|a way)|easier|works? (?:well|best)"
            r"|worked|thanks to|(?:was|were|am|are|is) able to|plan|converted into|in return|made it (?:clear|possible)"
            r"|learn(?:ed|t) (?:by|from|mainly|the|to|how)|practis\w+|practic\w+"
        ),
        Kind.WISH: (
            r"want(?:s|ed)?|wish(?:es|ed)?|need(?:s|ed)?|hop(?:e|ed|ing)|eager|long(?:ed|ing) (?:for|to)|anxious to"
            r"|would (?:like|love|rather|help)|should have|ought to|looked forward|resolved to|right to|instead of"
        ),
        Kind.CHANGE: (
            r"became|becomes?|becoming|no longer|no more|at first|soon|finally|now|began to|used to|turned|grew|chang\w+"
            r"|from (?:this|that) time|first step|downward|gave way|more and more|the more|anymore|by degrees|since then"
        ),
        Kind.FEELING: (
            r"lov(?:e|ed|es|ing)|hat(?:e|ed|es)|happy|happi\w+|sad\w*|sorrow\w*|joy\w*|proud|pride|sham(?:e|ed)|angry|anger"
            r"|fury|torment\w*|anguish|agony|fear\w*|gratitude|grateful|affection\w*|sympathy|pity|glad|enjoy\w*|bor(?:ed|ing)"
            r"|excit\w+|lonely|wretched\w*|miser\w+|loath\w+|abhor|detest|soul|heart|curse|blessing|nervous|worr(?:y|ied)|scared"
        ),
    },
    "es": {
        Kind.OBSTACLE: (
            r"no (?:puedo|puede|podía|pude|pudo|podemos|podíamos|había|hay|tengo|tenía|sé|sabía|entiendo|entendía)|sin|nunca"
            r"|nadie|difícil\w*|problemas?|imposible|demasiad\w+|miedo|peligro\w*|prohib\w+|impid\w+|falta(?:ba|n)?|perdid\w+"
            r"|ruido\w*|cuesta|costaba"
        ),
        Kind.MEANS: (
            r"ayud\w+|gracias a|así|de esta manera|logr\w+|consegu\w+|porque|para que|aprend\w+|sirv\w+|funcion\w+|con la ayuda"
            r"|practic\w+"
        ),
        Kind.WISH: (
            r"quier\w+|quer(?:ía|er|emos|íamos)|dese\w+|necesit\w+|ojalá|esper(?:o|aba|anza|amos)|gustaría|debería\w*"
            r"|hace falta|en lugar de"
        ),
        Kind.CHANGE: (
            r"al principio|ahora|ya no|antes|después|desde entonces|cambi\w+|se (?:volvió|hizo|puso|convirtió)|empe\w+|poco a poco"
            r"|cada vez más|por fin"
        ),
        Kind.FEELING: (
            r"feli\w+|trist\w+|alegr\w+|orgull\w+|vergüenza|enoj\w+|rabia|odi\w+|am(?:or|o|aba)|gust(?:a|aba|ó|an)|pena|dolor"
            r"|aburrid\w+|emoci\w+|nervios\w*|solo|sola|encant\w+|contento|contenta|asust\w+"
        ),
    },
}
SIGNS: Final = {
    language: {kind: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for kind, words in signs.items()}
    for language, signs in _SIGNS.items()
}


def kinds_of(sentence: str, language: str) -> frozenset[Kind]:
    """
    >>> sorted(kinds_of("I wished to learn, but there was no one to ask.", "en"))
    [<Kind.OBSTACLE: 'obstacle'>, <Kind.WISH: 'wish'>]
    """
    return frozenset(kind for kind, sign in SIGNS[language].items() if sign.search(sentence))


def strength(sentence: str, kind: Kind, language: str) -> float:
    """How plainly a sentence tells of a kind: 1 for one sign, a third more for each further one; 1 for a thread."""
    if kind is Kind.THREAD:
        return 1.0
    signs = len(SIGNS[language][kind].findall(sentence))
    return 1 + max(0, signs - 1) / 3


@dataclass(frozen=True, slots=True)
class Leaning:
    """What the sentences of a pattern tell of more than others do; `z` says how much more."""

    kind: Kind
    z: float


def leanings(inside: Sequence[frozenset[Kind]], everything: Sequence[frozenset[Kind]]) -> list[Leaning]:
    """The kinds that are met at least twice, and no less than elsewhere; the most telling first.

    z is that of the difference between a share and the share in all (normal approximation, with one imagined sentence).
    """
    found = []
    for kind in Kind:
        here = sum(kind in kinds for kinds in inside)
        share = (sum(kind in kinds for kinds in everything) + 0.5) / (len(everything) + 1)
        z = (here / len(inside) - share) / sqrt(share * (1 - share) / len(inside)) if inside else 0.0
        if here >= 2 and z > -0.5:
            found.append(Leaning(kind, z))
    return sorted(found, key=lambda leaning: -leaning.z)


def share_with(kind: Kind, chunks: Iterable[Sequence[frozenset[Kind]]]) -> int:
    """How many chunks hold a sentence of a kind."""
    return sum(any(kind in kinds for kinds in chunk) for chunk in chunks)
