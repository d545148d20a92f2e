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


def _any(signs: str) -> re.Pattern[str]:
    """Any of the signs, which stand with semicolons between, as whole words."""
    each = "|".join(" ".join(sign.split()) for sign in signs.split(";"))
    return re.compile(rf"\b(?:{each})\b", re.IGNORECASE)


SIGNS: Final[dict[str, dict[Kind, re.Pattern[str]]]] = {
    "en": {
        Kind.OBSTACLE: _any(r"""
            can ?not; can['’]t; could(?: not|n['’]t); unable; without; not dare; did not know; difficult\w*; hard;
            problems?; no (?:one|way|help|teacher|time|remedy|ladder|idea|chance|getting); prevent\w*; forbid\w*;
            forbade; danger\w*; too (?:late|much|many|little|few|loud|fast|far|young|hard); stuck; struggl\w+;
            confus\w+; perplex\w+; oppos\w+; suspected; watched; not allowed; ceas(?:ed|ing) to;
            shut\w* (?:me|us|out|up); lost; noisy?; afraid; nobody
        """),
        Kind.MEANS: _any(r"""
            by \w+ing; (?:help|aid)(?:s|ed)? (?:me|us|him|her|them|of);
            with (?:the|their|his|her|my) (?:\w+ )?(?:help|aid); kindly aid; enabl\w+; in this way; succeed\w*;
            success\w*; so that; found (?:time|a way); easier; worked; works? (?:well|best); thanks to;
            (?:was|were|am|are|is) able to; plan; converted into; in return; made it (?:clear|possible);
            learn(?:ed|t) (?:by|from|mainly|the|to|how); practis\w+; practic\w+
        """),
        Kind.WISH: _any(r"""
            want(?:s|ed)?; wish(?:es|ed)?; need(?:s|ed)?; hop(?:e|ed|ing); eager; long(?:ed|ing) (?:for|to);
            anxious to; would (?:like|love|rather|help); should have; ought to; looked forward; resolved to;
            right to; instead of
        """),
        Kind.CHANGE: _any(r"""
            became; becomes?; becoming; no longer; no more; at first; soon; finally; now; began to; used to;
            turned; grew; chang\w+; from (?:this|that) time; first step; downward; gave way; more and more;
            the more; anymore; by degrees; since then
        """),
        Kind.FEELING: _any(r"""
            lov(?:e|ed|es|ing); hat(?:e|ed|es); happy; happi\w+; sad\w*; sorrow\w*; joy\w*; proud; pride;
            sham(?:e|ed); angry; anger; fury; torment\w*; anguish; agony; fear\w*; gratitude; grateful;
            affection\w*; sympathy; pity; glad; enjoy\w*; bor(?:ed|ing); excit\w+; lonely; wretched\w*; miser\w+;
            loath\w+; abhor; detest; soul; heart; curse; blessing; nervous; worr(?:y|ied); scared
        """),
    },
    "es": {
        Kind.OBSTACLE: _any(r"""
            no (?:puedo|puede|podía|pude|pudo|podemos|podíamos|había|hay|tengo|tenía|sé|sabía|entiendo|entendía);
            sin; nunca; nadie; difícil\w*; problemas?; imposible; demasiad\w+; miedo; peligro\w*; prohib\w+;
            impid\w+; falta(?:ba|n)?; perdid\w+; ruido\w*; cuesta; costaba
        """),
        Kind.MEANS: _any(r"""
            ayud\w+; gracias a; así; de esta manera; logr\w+; consegu\w+; porque; para que; aprend\w+; sirv\w+;
            funcion\w+; practic\w+
        """),
        Kind.WISH: _any(r"""
            quier\w+; quer(?:ía|er|emos|íamos); dese\w+; necesit\w+; ojalá; esper(?:o|aba|anza|amos); gustaría;
            debería\w*; hace falta; en lugar de
        """),
        Kind.CHANGE: _any(r"""
            al principio; ahora; ya no; antes; después; desde entonces; cambi\w+;
            se (?:volvió|hizo|puso|convirtió); empe\w+; poco a poco; cada vez más; por fin
        """),
        Kind.FEELING: _any(r"""
            feli\w+; trist\w+; alegr\w+; orgull\w+; vergüenza; enoj\w+; rabia; odi\w+; am(?:or|o|aba);
            gust(?:a|aba|ó|an); pena; dolor; aburrid\w+; emoci\w+; nervios\w*; solo; sola; encant\w+; content[oa];
            asust\w+
        """),
    },
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
