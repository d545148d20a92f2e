"""Step 5: what to do about it. Offline: each insight becomes a principle of its kind, in the words that support it.

A way that is told of becomes something to build on; a wish, something to make possible; an obstacle, something to take
away. Where the words name the deed (*by making friends …*, *wished to learn …*), the principle does.
"""

import re
from collections.abc import Sequence
from typing import Final

from analytics_app.qualitative.cues import Kind
from analytics_app.qualitative.findings import Insight, Pattern, Principle, Quote, Tell
from analytics_app.qualitative.phrases import impersonal, principle_sentence, rationale
from analytics_app.qualitative.text import condensed

_DEED: Final = {
    ("en", Kind.MEANS): re.compile(
        r"\b(?:by|of) ((?:\w+ly )?(?!(?:some|any|every|no)thing)\w{2,}ing\b[^.;:!?—\"”]{6,90})"
    ),
    ("en", Kind.WISH): re.compile(
        r"\b(?:want|wish|need|eager|anxious|resolv|hop|long|lik|lov)\w* to ((?!have\b|be\b)\w+\b[^.,;:!?—\"”]{3,80})"
    ),
    ("es", Kind.MEANS): re.compile(r"\b(?:al|por|de) (\w+(?:ar|er|ir)\b[^.;:!?—\"”]{6,90})"),
    ("es", Kind.WISH): re.compile(
        r"\b(?:quier|quer|dese|necesit|esper|gustar)\w* (\w+(?:ar|er|ir)\b[^.,;:!?—\"”]{3,80})"
    ),
}

_WHOLE: Final = 3
"""Words from which a way that is told of can be understood by itself."""
_SUBJECT: Final = {
    "en": re.compile(r",? \b(?:I|we|you|he|she|they)\b (?!met\b|know\b|knew\b|had\b|have\b)"),
    "es": re.compile(r", (?=yo\b|nosotros\b|él\b|ella\b)"),
}
"""Where another clause begins: the deed ends there."""


def activate_insights(
    insights: Sequence[Insight], patterns: Sequence[Pattern], *, language: str, tell: Tell
) -> list[Principle]:
    """A principle for each insight, in their order."""
    by_id = {pattern.id: pattern for pattern in patterns}
    found = []
    for number, insight in enumerate(insights, 1):
        about = [by_id[pattern] for pattern in insight.patterns]
        deed, quote = _deed(insight, language)
        found.append(
            Principle(
                id=f"d{number}",
                statement=principle_sentence(
                    insight.kind,
                    language,
                    terms=[pattern.terms[:2] for pattern in about],
                    deed=deed,
                ),
                rationale=rationale(
                    language,
                    words=condensed(quote.text, most_words=40),
                    passages=len(insight.meanings),
                ),
                insights=[insight.id],
            )
        )
        tell(number, len(insights), f"Drew {number} of {len(insights)} principles")
    return found


def _deed(insight: Insight, language: str) -> tuple[str | None, Quote]:
    """What the quotes say was done or is to be done, of nobody in particular, and the quote that says so."""
    if insight.kind in {Kind.MEANS, Kind.WISH}:
        sign = _DEED[language, Kind(insight.kind)]
        for quote in insight.quotes:
            if match := sign.search(" ".join(quote.text.split())):
                deed = _SUBJECT[language].split(match[1])[0].strip(" ,")
                if insight.kind == Kind.WISH or len(deed.split()) >= _WHOLE:
                    return impersonal(deed, language), quote
    return None, insight.quotes[0]
