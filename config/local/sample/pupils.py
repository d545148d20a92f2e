"""Simulated students of a study: what they know, how they work, what they answer. Nobody here is anybody.

Each knows an answer with a chance of their own; afterwards it is higher by `Effects`, in which static and dynamic
questions, the place and the interval differ by known amounts. What they write is put together from the rubrics and the
sentences of the content, asked by the product's own questioner and scored by its own scorers.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import UUID

from sessions_app.models import AssessmentItem, Condition, Exchange, PredefinedQuestion, Segment
from sessions_app.study import exchange_scores, words
from sessions_app.study.questioner import Context, Question, Said
from sessions_app.study.rules import Rules

Tier = Literal["brief", "plain", "deep"]

DEPTHS: Final[dict[Tier, tuple[int, ...]]] = {"brief": (1, 2, 2), "plain": (2, 3, 3), "deep": (3, 4, 5)}
DIALOGUES: Final = 10
"""How many dialogues there are of a kind, from which students are dealt theirs."""


@dataclass(frozen=True, slots=True)
class Effects:
    """By how much the chance of a right answer is higher at the end: for everybody, and for what a condition adds."""

    everybody: float = 0.16
    dynamic: float = 0.06
    on_site: float = 0.04
    interval: dict[str, float] = field(default_factory=lambda: {"2.5": 0.03, "5": 0.015, "10": 0.0})
    deeper: float = 0.25
    """How much likelier a dynamic dialogue is to be one tier deeper."""

    def of(self, condition: Condition) -> float:
        found = self.everybody + self.interval.get(condition.interval_key, 0.0)
        if condition.intervention_type == Condition.InterventionType.DYNAMIC:
            found += self.dynamic
        return found + (self.on_site if condition.location == Condition.Location.ON_SITE else 0.0)


@dataclass(frozen=True, slots=True)
class Pupil:
    """`knows`: the chance of a right answer before. `diligence` 0 to 1, `pace` a factor on all times."""

    knows: float
    diligence: float
    pace: float


def pupil(rng: random.Random) -> Pupil:
    return Pupil(
        knows=min(0.85, max(0.12, rng.gauss(0.46, 0.14))),
        diligence=rng.betavariate(6, 2),
        pace=rng.lognormvariate(0.0, 0.22),
    )


def chance_after(who: Pupil, condition: Condition, effects: Effects, rng: random.Random) -> float:
    """The chance of a right answer at the end; the gain differs between students."""
    return min(0.97, max(0.05, who.knows + effects.of(condition) + rng.gauss(0, 0.06)))


def tier(who: Pupil, condition: Condition, effects: Effects, rng: random.Random) -> Tier:
    """How much a student has to say."""
    drawn = 0.5 * who.knows + 0.5 * who.diligence + rng.gauss(0, 0.15)
    if condition.intervention_type == Condition.InterventionType.DYNAMIC:
        drawn += effects.deeper
    return "brief" if drawn < 0.5 else "plain" if drawn < 0.8 else "deep"


def choice(item: AssessmentItem, chance: float, rng: random.Random) -> int:
    """An option of a multiple choice, the right one by `chance`."""
    assert item.correct_option is not None
    if rng.random() < chance:
        return item.correct_option
    return rng.choice([option for option in range(len(item.options)) if option != item.correct_option])


_SAYING: Final = ("It had {0}.", "{0} mattered.", "Because of {0}.", "There was {0}.", "I think {0}.")


def short_answer(concepts: Sequence[Any], chance: float, rng: random.Random) -> str:
    """A short answer that names each concept of a rubric by `chance`."""
    named = [concept for concept in concepts if rng.random() < chance]
    if not named:
        return rng.choice(("I am not sure.", "It was important for the city.", "I do not remember."))
    return " ".join(rng.choice(_SAYING[:3]).format(rng.choice(concept.terms[:3])) for concept in named).capitalize()


_LEANING: Final = frozenset(("but", "so", "and", "yet", "or", "it", "they", "some", "others", "put", "think", "what"))
"""First words of sentences that lean on the one before, and cannot be said alone."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One question with its answer, and what the scorer made of it."""

    question: Question
    predefined: PredefinedQuestion | None
    answer: str
    scores: dict[str, Decimal | None]


@dataclass(slots=True)
class Dialogues:
    """Dialogues about each segment, made by the product's own questioner and scorer when they are first wanted."""

    topic: str
    seed: int
    _made: dict[tuple[UUID, str, str, Tier, str], list[tuple[Turn, ...]]] = field(default_factory=dict)
    _facts: dict[UUID, list[str]] = field(default_factory=dict)

    def deal(
        self,
        segment: Segment,
        *,
        place: str,
        predefined: Sequence[PredefinedQuestion],
        said: Tier,
        rng: random.Random,
    ) -> tuple[Turn, ...]:
        """One of the dialogues about a segment: with `predefined` questions, or with those of the rules."""
        key = (segment.pk, place, str(predefined[0].pk) if predefined else "", said, segment.title)
        if key not in self._made:
            own = random.Random(f"{self.seed}:{segment.number}:{place}:{bool(predefined)}:{said}")  # noqa: S311
            self._made[key] = [self._dialogue(segment, place, predefined, said, own) for _ in range(DIALOGUES)]
        return rng.choice(self._made[key])

    def _dialogue(
        self, segment: Segment, place: str, predefined: Sequence[PredefinedQuestion], said: Tier, rng: random.Random
    ) -> tuple[Turn, ...]:
        part = f"{segment.title} {segment.text} {segment.summary}"
        known = words.vocabulary(part)
        before: list[Said] = []
        turns = []
        for number, wanted in enumerate(DEPTHS[said], 1):
            given = predefined[number - 1] if predefined else None
            question = self._question(segment, place, given, number, before)
            answer = self._answer(segment, wanted, rng)
            exchange = Exchange(question=question.text, answer=answer, synthesis=question.synthesis,
                                uses_place=question.uses_place)  # fmt: skip
            scored = exchange_scores.exchange_score(exchange, part=part, before=before, known=known)
            turns.append(Turn(question, given, answer, {name: getattr(scored, name) for name in SCORES}))
            before.append(Said(question.text, answer))
        return tuple(turns)

    def _question(
        self, segment: Segment, place: str, given: PredefinedQuestion | None, number: int, before: Sequence[Said]
    ) -> Question:
        if given is not None:
            questions = given.question_set
            return Question(text=given.text, author="set", version=f"{questions.slug}_v{questions.version}")
        return Rules().ask(
            Context(
                number=number,
                topic=self.topic,
                segment_title=segment.title,
                segment_text=segment.text,
                segment_summary=segment.summary,
                place=place,
                before=tuple(before),
            )
        )

    def _answer(self, segment: Segment, depth: int, rng: random.Random) -> str:
        if segment.pk not in self._facts:
            told = [
                sentence
                for sentence in words.sentences(segment.text)
                if 4 <= words.count(sentence) <= 16 and sentence.split()[0].lower() not in _LEANING
            ]
            self._facts[segment.pk] = told or [segment.summary]
        first, second, third = (rng.choice(self._facts[segment.pk]).rstrip(".") for _ in range(3))
        return {
            1: rng.choice(("I don't know.", "Not sure about that.", "No idea.")),
            2: f"{first}.",
            3: f"{first} because {second[0].lower()}{second[1:]}.",
            4: f"{first} because {second[0].lower()}{second[1:]}. For example, {third[0].lower()}{third[1:]}.",
            5: f"{first} because {second[0].lower()}{second[1:]}, and also since {third[0].lower()}{third[1:]}.",
        }[depth]


SCORES: Final = (
    "question_clarity", "question_relevance", "answer_depth", "answer_accuracy", "engagement_level",
    "builds_on_previous", "synthesis_quality", "location_integration",
)  # fmt: skip
