"""What an analysis finds, step by step: the form in which it is kept and exported. Pure.

Everything leads back to words: a principle to insights, an insight to patterns, a pattern to meanings, a meaning to its
chunk and to a quote, and a quote to a place in a source. Places are counted in characters from 0.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

import msgspec

Tell = Callable[[int, int, str], None]
"""How far a step is: parts done, parts in all, and a sentence. It may raise to end the step."""


class Step(StrEnum):
    """The five steps, in their order."""

    CHUNKING = "chunking"
    INFERRING = "inferring"
    RELATING = "relating"
    EXPLAINING = "explaining"
    ACTIVATING = "activating"


class Source(msgspec.Struct, frozen=True):
    """A text that is analysed: an interview, a chapter, one answer. `words` is how many it has."""

    id: str
    name: str
    text: str
    words: int


class Quote(msgspec.Struct, frozen=True):
    """Words as they stand in a source."""

    source: str
    start: int
    end: int
    text: str


class Chunk(msgspec.Struct, frozen=True):
    """A passage that holds together: some sentences, at its place in a source."""

    id: str
    source: str
    start: int
    end: int
    text: str
    words: int


class Meaning(msgspec.Struct, frozen=True):
    """What a chunk says, its key terms, and the words that say it best."""

    id: str
    chunk: str
    statement: str
    terms: list[str]
    quote: Quote


class Pattern(msgspec.Struct, frozen=True):
    """Meanings that belong together; the first of `meanings` are the most typical.

    `sources` counts the sources in which it is met; `cohesion` is the mean cosine of its meanings with their centre.
    """

    id: str
    label: str
    summary: str
    terms: list[str]
    meanings: list[str]
    sources: int
    cohesion: float


class Insight(msgspec.Struct, frozen=True):
    """What patterns tell, with the meanings and the words that support it. `kind` is of `cues.Kind`, or `link`."""

    id: str
    statement: str
    kind: str
    patterns: list[str]
    meanings: list[str]
    quotes: list[Quote]


class Principle(msgspec.Struct, frozen=True):
    """What to do about it, and why."""

    id: str
    statement: str
    rationale: str
    insights: list[str]


class Choice(msgspec.Struct, frozen=True):
    """How the number of patterns was chosen: the mean silhouette for each number that was tried."""

    patterns: int
    silhouettes: dict[str, float]


class Relations(msgspec.Struct, frozen=True):
    patterns: list[Pattern]
    choice: Choice | None = None


class Engine(msgspec.Struct, frozen=True):
    """What made a result: name and version, language model where there was one, seed, and language of the sources."""

    name: str
    version: str
    model: str | None
    seed: int
    language: str


class Cost(msgspec.Struct, frozen=True):
    """What the language model took; USD is null where no price is set."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float | None = None


class Findings(msgspec.Struct, frozen=True):
    """A whole result. The texts of the sources stand in it once, so that every place can be looked up."""

    request_id: str
    name: str
    engine: Engine
    made_at: str
    sources: list[Source]
    chunks: list[Chunk]
    meanings: list[Meaning]
    patterns: list[Pattern]
    insights: list[Insight]
    principles: list[Principle]
    choice: Choice | None = None
    cost: Cost | None = None


STEP_TYPES: Final[dict[Step, Any]] = {
    Step.CHUNKING: list[Chunk],
    Step.INFERRING: list[Meaning],
    Step.RELATING: Relations,
    Step.EXPLAINING: list[Insight],
    Step.ACTIVATING: list[Principle],
}
"""What each step hands to the next."""


class NothingFound(Exception):
    """The sources do not hold enough to be analysed. The text says why."""
