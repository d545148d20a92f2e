"""Who makes the questions of a dynamic intervention: a Protocol with two implementations, and what goes in and out.

`rules` works offline; `bedrock` asks a language model. `asking` chooses between them. A question takes up to some
seconds, so none is made inside a transaction.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol
from uuid import UUID

from sessions_app.models.content import QUESTIONS_PER_INTERVENTION

LONGEST_QUESTION: Final = 400
"""Characters; more is not a question but a lecture."""


@dataclass(frozen=True, slots=True)
class Said:
    """A question and the answer to it."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a question is made from. It says nothing of who the student is.

    `place` is the site's name where the student stands on it, else empty. `before` is what was said in this
    intervention, `earlier` in those before it, the oldest first. `number` is the question's, from 1 to 3.
    """

    number: int
    topic: str
    segment_title: str
    segment_text: str
    segment_summary: str
    place: str = ""
    before: tuple[Said, ...] = ()
    earlier: tuple[Said, ...] = ()
    school_id: UUID | None = None

    @property
    def is_last(self) -> bool:
        return self.number == QUESTIONS_PER_INTERVENTION


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question as it was made. `fell_back` is why the rules stood in for the configured author, else empty."""

    text: str
    author: str
    version: str
    builds_on_previous: bool = False
    synthesis: bool = False
    uses_place: bool = False
    fell_back: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: Decimal | None = None
    generation_ms: float | None = None
    temperature: float | None = None


class NoQuestion(Exception):
    """A questioner has none to give. `reason` is a short word for the record, such as `timeout`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Questioner(Protocol):
    """Makes the next question, or raises `NoQuestion`."""

    def ask(self, context: Context) -> Question: ...
