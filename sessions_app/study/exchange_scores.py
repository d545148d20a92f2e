"""What the rules make of one exchange: of the question, and of the answer to it; each from 1 to 5.

- clarity: from 5, less 1 for each further question mark, 1 for every 12 words beyond 12, 0.5 for a second thing that is
  asked in the same sentence (", and why"), and up to 1 for the share of words of more than nine letters.
- relevance: 1 + 4 × the share of the question's telling words that the part, or the answers before it, have.
- answer depth: `depth`.
- engagement: by the words of the answer: under 3, 8, 20, 40, and more.
- builds on previous (of questions after the first): 1, and 5 where the question takes up three or more telling words of
  the answers before; between them by their number.
- synthesis (of a last question that asks for one): 1, plus 2 for each of up to two earlier answers that the answer
  takes up, where it is no less deep than a reason; else at most 2.
- use of the place (where the question used it): 1 + the number of words of seeing and being there in the answer, to 5.
- answer accuracy is left undefined: rules cannot tell what is true.

The scorer is not told the arm. A question is scored the same whoever wrote it.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from sessions_app.models import Exchange, ExchangeScore
from sessions_app.study import depth, words
from sessions_app.study.questioner import Said

SCORER: Final = "rules"
VERSION: Final = f"exchange-1/{depth.VERSION}"

_DOUBLE: Final = re.compile(r",? and (?:why|how|what|who|where|when)\b", re.IGNORECASE)
_THERE: Final = re.compile(
    r"\b(?:here|see|saw|seen|look|looks|looking|stand|standing|around|hear|feel|wall|walls|building|buildings|"
    r"ruins?|brick|bricks|water|river|ground|hill|canal|stones?|this place)\b",
    re.IGNORECASE,
)


def exchange_score(
    exchange: Exchange, *, part: str, before: Sequence[Said], known: frozenset[str] | None = None
) -> ExchangeScore:
    """The rules' score of an answered exchange about `part`; `before` is what was said in the intervention so far.

    `known` is the vocabulary of the part, where the caller has it.
    """
    known = words.vocabulary(part) if known is None else known
    question, answer = exchange.question, exchange.answer or ""
    answer_depth = depth.depth(question=question, answer=answer, part=part)
    return ExchangeScore(
        exchange=exchange,
        scorer=SCORER,
        scorer_version=VERSION,
        question_clarity=_score(clarity(question)),
        question_relevance=_score(relevance(question, known, before)),
        answer_depth=_score(answer_depth),
        engagement_level=_score(engagement(words.count(answer))),
        builds_on_previous=_score(builds(question, before)) if before else None,
        synthesis_quality=_score(synthesis(answer, answer_depth, before)) if exchange.synthesis and before else None,
        location_integration=_score(min(5, 1 + len(_THERE.findall(answer)))) if exchange.uses_place else None,
        scored_at=exchange.answered_at or exchange.asked_at,
    )


def clarity(question: str) -> float:
    """How plainly a question asks one thing; what asks nothing at all has the least."""
    if "?" not in question:
        return 1.0
    asked = words.tokens(question)
    long = sum(len(word) > 9 for word in asked) / max(1, len(asked))
    beyond = max(0, len(asked) - 12) / 12
    double = 0.5 if _DOUBLE.search(question) else 0.0
    return max(1.0, 5.0 - (question.count("?") - 1) - beyond - double - min(1.0, 4 * long))


def relevance(question: str, known: frozenset[str], before: Sequence[Said]) -> float:
    """How much of a question is about the part, or about what was said."""
    asked = words.vocabulary(question)
    if not asked:
        return 1.0
    return 1 + 4 * len(asked & (known | words.vocabulary(*(said.answer for said in before)))) / len(asked)


def engagement(length: int) -> int:
    return 1 + sum(length >= bound for bound in (3, 8, 20, 40))


def builds(question: str, before: Sequence[Said]) -> float:
    """How much of the answers before a question takes up that the questions before had not brought themselves."""
    brought = words.vocabulary(*(said.question for said in before))
    taken = words.vocabulary(question) & (words.vocabulary(*(said.answer for said in before)) - brought)
    return min(5.0, 1 + 4 * len(taken) / 3)


def synthesis(answer: str, answer_depth: int, before: Sequence[Said]) -> int:
    said = words.vocabulary(answer)
    taken_up = sum(bool(said & words.vocabulary(exchange.answer)) for exchange in before[-2:])
    return 1 + 2 * taken_up if answer_depth >= 3 else min(2, 1 + taken_up)


def _score(value: float) -> Decimal:
    return Decimal(str(round(min(5.0, max(1.0, value)), 1)))
