"""Questions by rules: they depend on the answers, use the place where there is one, and end in a synthesis."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.study.asking import question_make
from sessions_app.study.questioner import LONGEST_QUESTION, Context, Question, Said
from sessions_app.study.rules import VERSION, Rules

PART = Context(
    number=1,
    topic="Iron",
    segment_title="Why here",
    segment_text="The canal brought coal from the mines. Water turned the wheels. Railroads took the iron away.",
    segment_summary="The canal brought coal, and water turned the wheels of the works",
)


def after(*answers: str, place: str = "", question: str = "What matters?") -> Question:
    before = tuple(Said(question, answer) for answer in answers)
    return Rules().ask(replace(PART, number=len(answers) + 1, before=before, place=place))


def test_the_first_question_opens_the_part():
    asked = after()
    assert "Why here" in asked.text
    assert (asked.builds_on_previous, asked.uses_place, asked.author, asked.version) == (False, False, "rules", VERSION)


def test_on_site_the_first_question_looks_around():
    asked = after(place="Tredegar")
    assert (("Look around you at Tredegar" in asked.text), asked.uses_place) == (True, True)


def test_later_in_a_run_it_comes_back_to_what_was_said_before():
    earlier = (Said("What matters?", "The railroads, I guess."),)
    asked = Rules().ask(replace(PART, earlier=earlier))
    assert ("“railroads”" in asked.text, asked.builds_on_previous) == (True, True)
    there = Rules().ask(replace(PART, earlier=earlier, place="Tredegar"))
    assert ("“railroads”" in there.text, "Tredegar" in there.text) == (True, True)


def test_the_second_question_takes_up_what_the_answer_named():
    assert "“coal”" in after("There was coal.").text
    assert "“canal”" in after("There was a canal.").text
    assert after("There was coal.").text != after("There was a canal.").text


@pytest.mark.parametrize(
    ("answer", "asks"),
    [
        ("The coal.", ("Why did it matter?", "what depended on it?")),
        ("The coal, because the furnaces needed heat.", ("supports that?", "check whether that is so?")),
        ("The coal, because furnaces need heat. For example in 1840.", ("without it?", "who paid for it?")),
        ("idk", ("That is all right.",)),
        ("How many people worked there?", ("You ask:",)),
        ("It makes me feel rather strange somehow", ("How does that go together with",)),
    ],
)
def test_it_probes_for_what_is_missing(answer: str, asks: tuple[str, ...]):
    asked = after(answer).text
    assert any(ask in asked for ask in asks), asked


def test_the_reason_is_given_back_in_the_students_words():
    assert "the furnaces needed heat" in after("The coal, because the furnaces needed heat.").text


def test_the_last_question_joins_what_was_named():
    asked = after("The coal.", "It came by the canal.")
    assert ("“coal”" in asked.text, "“canal”" in asked.text, asked.synthesis) == (True, True, True)
    assert after("The coal.", "It came by the canal.", place="Tredegar").text.startswith("Standing at Tredegar: ")


def test_the_last_question_has_a_foothold_for_who_named_little():
    one = after("The coal.", "idk")
    assert ("“coal”" in one.text, one.builds_on_previous) == (True, True)
    none = after("idk", "no idea")
    assert (none.builds_on_previous, "Which two reasons" in none.text) == (False, True)


def test_what_the_question_brought_itself_is_not_taken_up_again():
    assert "“coal”" not in after("Coal.", question="What was the coal for?").text


def test_the_same_answers_give_the_same_questions():
    assert after("The coal.").text == after("The coal.").text


@given(st.lists(st.text(max_size=200), max_size=2), st.booleans())
def test_whatever_was_answered_there_is_one_question(answers: list[str], on_site: bool):
    asked = after(*answers, place="Tredegar" if on_site else "")
    assert 10 < len(asked.text) <= LONGEST_QUESTION


def test_the_rules_ask_where_nothing_else_is_set_up():
    assert question_make(PART).author == "rules"
