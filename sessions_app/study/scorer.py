"""Who scores short answers: a Protocol with two implementations.

`rules` (`rubric`) scores at once, in the transaction of the submission, so that an assessment is never without a score.
`bedrock` asks a language model with the rubric; that takes seconds and a network, so it comes after the submission
(`assessments.answers_rescore`), and where the model gives nothing usable the rules' score stands, with the reason.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from sessions_app.models import AssessmentItem
from sessions_app.study.rubric import Concept, Scored


class NoScore(Exception):
    """A scorer has none to give. `reason` is a short word for the record, such as `timeout`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Scorer(Protocol):
    """Scores one short answer against a rubric, or raises `NoScore`. It is not told whose answer it is."""

    def score(self, *, question: str, answer: str, concepts: Sequence[Concept], points: Decimal) -> Scored: ...


def concepts_of(item: AssessmentItem) -> tuple[Concept, ...]:
    """The rubric of an item, whose concepts are prefetched or read."""
    return tuple(
        Concept(concept.key, concept.description, tuple(concept.terms), concept.credit)
        for concept in item.concepts.all()
    )
