"""Short answers against a rubric: stems, phrases, slips of the pen, denials; and that saying more costs nothing."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.study.rubric import Concept, RubricRules, Scored

CONCEPTS = (
    Concept("river", "the river", ("James River", "the James"), Decimal(1)),
    Concept("power", "water power", ("water power", "water turned the wheels", "hydropower"), Decimal(1)),
    Concept("transport", "transport", ("transportation", "shipping", "carry goods", "canal"), Decimal(1)),
    Concept("ore", "iron ore", ("ore", "mines nearby"), Decimal("0.5")),
)


def score(answer: str, points: str = "3") -> Scored:
    return RubricRules().score(question="Why here?", answer=answer, concepts=CONCEPTS, points=Decimal(points))


@pytest.mark.parametrize(
    ("answer", "credits"),
    [
        ("", {}),
        ("Because it was nice.", {}),
        ("There was a canal.", {"transport": 1}),
        ("Canals carried it.", {"transport": 1}),
        ("They could transport things.", {"transport": 1}),
        ("The water was used for power.", {"power": 1}),
        ("Lots of water!", {"power": 0.5}),
        ("The wheels were turned by water.", {"power": 1}),
        ("There was watter power", {"power": 1}),
        ("It had transportaton.", {"transport": 1}),
        ("There was no canal.", {}),
        ("It was not about water power. It was the canal.", {"transport": 1}),
        ("The james river had mines nearby", {"river": 1, "ore": 0.5}),
        ("coat", {}),
    ],
)
def test_what_an_answer_earns(answer: str, credits: dict[str, float]):
    found = score(answer)
    assert {key: float(credit) for key, credit in found.breakdown.items() if credit} == credits
    assert found.points == min(Decimal(3), sum(found.breakdown.values(), Decimal()))


def test_credits_add_up_to_the_points_at_most():
    assert score("James River, water power, canal, ore.").points == 3
    assert score("James River, water power, canal, ore.", points="2").points == 2


def test_the_feedback_says_what_was_named_and_what_was_not():
    said = score("The canal, and some power.").feedback
    assert "Named: transport." in said
    assert "Not named: the river; iron ore." in said


def test_who_scored_is_said():
    assert (score("canal").scorer, score("canal").version) == ("rules", "rubric-1")


sentences = st.lists(st.sampled_from([
    "There was a canal", "Water power", "The James River", "no water power", "ore", "It was nice", "not the canal",
    "mines nearby", "they did not carry goods", "transportaton",
]), max_size=6)  # fmt: skip


@given(sentences, st.sampled_from([term for concept in CONCEPTS for term in concept.terms]))
def test_a_further_sentence_that_names_a_concept_never_costs(said: list[str], term: str):
    before = ". ".join(said)
    assert score(f"{before}. {term}.").points >= score(before).points


@given(st.text(max_size=400))
def test_whatever_is_written_stays_within_the_points(answer: str):
    found = score(answer)
    assert 0 <= found.points <= 3
    assert all(
        0 <= credit <= concept.credit for concept, credit in zip(CONCEPTS, found.breakdown.values(), strict=True)
    )
