"""Three questions, each asked after the answer before it is safe; what is left is abandoned."""

import uuid
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from sessions_app.models import Exchange, ExchangeScore, Intervention, LiveSession, QualityFlag, Student, StudentSession
from sessions_app.refusals import Refused
from sessions_app.study import interventions, journey
from sessions_app.study.interventions import Answered
from sessions_app.study.pauses import Pause
from sessions_app.study.questioner import Question
from sessions_app.study.rules import Rules
from sessions_app.study.validation import Invalid
from tests.study_cast import assign, take_part

NOW = timezone.now()
RIVER = "The river, because it drove the wheels."


def opened(member: StudentSession, number: int = 1, at: datetime = NOW) -> Intervention:
    return interventions.intervention_open(
        member, assignment=member.assignment, pause=Pause(number, number, 150.0 * number), at=at
    )


def ask(member: StudentSession, at: datetime = NOW, **more: object) -> Exchange:
    wanted = interventions.question_wanted(member.pk)
    assert wanted is not None
    question = Rules().ask(wanted.context) if wanted.context else interventions.predefined_question(wanted.predefined)
    put = interventions.question_put(member, wanted=wanted, question=question, at=at)
    assert put is not None
    return put


def reply(
    member: StudentSession, exchange: Exchange, text: str = RIVER, *, after: float = 30, seconds: float = 0
) -> Answered:
    at = exchange.asked_at + timedelta(seconds=after)
    return interventions.answer_give(member, exchange_id=exchange.pk, text=text, happened_at=at, at=at, seconds=seconds)


@pytest.fixture
def static_run(lesson_of_study: LiveSession, tia: Student) -> StudentSession:
    member = take_part(lesson_of_study, tia)
    assign(member, "L3-I1-S")
    return member


@pytest.fixture
def on_site(lesson_of_study: LiveSession, tia: Student) -> StudentSession:
    member = take_part(lesson_of_study, tia)
    assign(member, "L1-I1-D")
    return member


def test_a_dynamic_intervention_of_three_answers_is_valid(sam_assigned: StudentSession):
    opened(sam_assigned)
    first = ask(sam_assigned)
    assert not reply(sam_assigned, first).closed
    second = ask(sam_assigned, NOW + timedelta(seconds=40))
    assert second.builds_on_previous
    reply(sam_assigned, second, "Coal came down the canal.")
    third = ask(sam_assigned, NOW + timedelta(seconds=80))
    assert third.synthesis
    done = reply(sam_assigned, third, "They worked together, since coal and water were both there, and also cheap.")
    closed = Intervention.objects.get()
    assert (done.closed, closed.status, closed.questions_asked) == (True, "validated", 3)
    assert closed.duration_seconds == pytest.approx(110)
    assert closed.average_response_seconds == pytest.approx(30)
    depths = [float(score.answer_depth) for score in ExchangeScore.objects.all()]
    assert closed.average_answer_depth == pytest.approx(sum(depths) / 3)
    assert (closed.scorer, closed.progression_quality is not None) == ("rules", True)
    assert interventions.question_wanted(sam_assigned.pk) is None


def test_a_static_intervention_asks_the_set(static_run: StudentSession):
    opened(static_run)
    texts = []
    for _ in range(3):
        exchange = ask(static_run)
        texts.append(exchange.question)
        assert (exchange.author, exchange.author_version) == ("set", "iron-questions_v1")
        reply(static_run, exchange)
    assert texts == ["Question 1.1?", "Question 1.2?", "Question 1.3?"]
    assert Intervention.objects.get().progression_quality is None


def test_a_second_pause_in_a_segment_asks_what_was_not_asked(static_run: StudentSession):
    opened(static_run)
    for _ in range(3):
        reply(static_run, ask(static_run))
    interventions.intervention_open(
        static_run, assignment=static_run.assignment, pause=Pause(2, 1, 150), at=NOW + timedelta(minutes=9)
    )
    assert ask(static_run, NOW + timedelta(minutes=9)).question == "Question 2.1?"
    interventions.intervention_open(
        static_run, assignment=static_run.assignment, pause=Pause(3, 2, 150), at=NOW + timedelta(minutes=12)
    )
    assert ask(static_run, NOW + timedelta(minutes=12)).question.startswith("Question ")


def test_a_question_that_waits_is_not_asked_twice(sam_assigned: StudentSession):
    opened(sam_assigned)
    wanted = interventions.question_wanted(sam_assigned.pk)
    assert wanted is not None
    question = Question(text="Why was the river good?", author="rules", version="1")
    assert interventions.question_put(sam_assigned, wanted=wanted, question=question, at=NOW) is not None
    assert interventions.question_put(sam_assigned, wanted=wanted, question=question, at=NOW) is None
    assert interventions.question_wanted(sam_assigned.pk) is None


def test_a_question_for_an_intervention_that_closed_meanwhile_is_let_go(sam_assigned: StudentSession):
    opened(sam_assigned)
    wanted = interventions.question_wanted(sam_assigned.pk)
    assert wanted is not None
    interventions.interventions_abandon([sam_assigned.pk], at=NOW)
    question = Question(text="Why was the river good?", author="rules", version="1")
    assert interventions.question_put(sam_assigned, wanted=wanted, question=question, at=NOW) is None


def test_a_question_that_the_rules_made_instead_is_marked(sam_assigned: StudentSession):
    opened(sam_assigned)
    wanted = interventions.question_wanted(sam_assigned.pk)
    assert wanted is not None
    question = Question(text="Why was the river good?", author="rules", version="1", fell_back="timeout")
    put = interventions.question_put(sam_assigned, wanted=wanted, question=question, at=NOW)
    assert put is not None
    assert put.fell_back == "timeout"
    assert QualityFlag.objects.get().code == "questioner_fell_back"


def test_the_answer_is_kept_with_its_measures(sam_assigned: StudentSession):
    opened(sam_assigned)
    exchange = ask(sam_assigned)
    reply(sam_assigned, exchange, f"  {RIVER}\n", after=45)
    exchange.refresh_from_db()
    assert (exchange.answer, exchange.word_count, exchange.character_count) == (RIVER, 7, len(RIVER))
    assert exchange.response_seconds == pytest.approx(45)


@pytest.mark.parametrize(("seconds", "counted"), [(0, 45), (20, 20), (3600, 45)])
def test_the_time_in_front_counts_where_it_is_shorter(sam_assigned: StudentSession, seconds: float, counted: float):
    opened(sam_assigned)
    exchange = ask(sam_assigned)
    reply(sam_assigned, exchange, after=45, seconds=seconds)
    exchange.refresh_from_db()
    assert exchange.response_seconds == pytest.approx(counted)


@pytest.mark.parametrize(("seconds", "counted"), [(0, 40), (30, 30)])
def test_an_answer_by_a_clock_that_is_a_day_behind_took_until_it_came(
    sam_assigned: StudentSession, seconds: float, counted: float
):
    opened(sam_assigned)
    exchange = ask(sam_assigned)
    came, said = exchange.asked_at + timedelta(seconds=40), exchange.asked_at - timedelta(days=1)
    interventions.answer_give(
        sam_assigned, exchange_id=exchange.pk, text=RIVER, happened_at=said, at=came, seconds=seconds
    )
    exchange.refresh_from_db()
    assert (exchange.response_seconds, exchange.answered_at) == (counted, came)


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 10_001])
def test_an_answer_that_cannot_be_kept_says_so(sam_assigned: StudentSession, text: str):
    opened(sam_assigned)
    exchange = ask(sam_assigned)
    with pytest.raises(Invalid) as refused:
        reply(sam_assigned, exchange, text)
    assert refused.value.field == "answer"
    exchange.refresh_from_db()
    assert exchange.answer is None


def test_ten_thousand_characters_are_an_answer(sam_assigned: StudentSession):
    opened(sam_assigned)
    reply(sam_assigned, ask(sam_assigned), "w " * 4_999 + "ww")
    assert Exchange.objects.get().character_count == 10_000


def test_nobody_answers_another_students_question(sam_assigned: StudentSession, on_site: StudentSession):
    opened(sam_assigned)
    exchange = ask(sam_assigned)
    with pytest.raises(Refused, match="no_such_question"):
        reply(on_site, exchange)
    with pytest.raises(Refused, match="no_such_question"):
        interventions.answer_give(on_site, exchange_id=uuid.uuid4(), text="x", happened_at=NOW, at=NOW)


def test_a_question_is_answered_once(sam_assigned: StudentSession):
    opened(sam_assigned)
    exchange = ask(sam_assigned)
    reply(sam_assigned, exchange)
    with pytest.raises(Refused, match="answered_already"):
        reply(sam_assigned, exchange, "Another.")
    assert Exchange.objects.get().answer == RIVER


def test_what_was_left_is_abandoned_and_takes_no_answer(sam_assigned: StudentSession):
    opened(sam_assigned)
    exchange = ask(sam_assigned)
    assert interventions.session_interventions_abandon(sam_assigned.session, at=NOW + timedelta(minutes=1)) == 1
    with pytest.raises(Refused, match="other_step"):
        reply(sam_assigned, exchange)
    left = Intervention.objects.get()
    assert (left.status, left.average_answer_depth, left.closed_at) == ("abandoned", None, NOW + timedelta(minutes=1))


def test_opening_the_next_leaves_the_one_before(sam_assigned: StudentSession):
    opened(sam_assigned)
    opened(sam_assigned, 2, NOW + timedelta(minutes=3))
    assert list(Intervention.objects.values_list("number", "status")) == [(1, "abandoned"), (2, "open")]


def test_on_site_questions_know_the_place(on_site: StudentSession):
    journey.run_begin(on_site, at=NOW)
    on_site.session.site = None
    intervention = opened(on_site)
    assert intervention.location_aware
    wanted = interventions.question_wanted(on_site.pk)
    assert wanted is not None
    assert wanted.context is not None
    assert wanted.context.place == intervention.location_name


def test_the_context_has_what_was_said_before_and_nobody_in_it(sam_assigned: StudentSession):
    opened(sam_assigned)
    for _ in range(3):
        reply(sam_assigned, ask(sam_assigned))
    opened(sam_assigned, 2, NOW + timedelta(minutes=5))
    wanted = interventions.question_wanted(sam_assigned.pk)
    assert wanted is not None
    context = wanted.context
    assert context is not None
    assert [said.answer for said in context.earlier] == [RIVER] * 3
    assert (context.before, context.number, context.segment_title, context.place) == ((), 1, "Part 2", "")
    assert "Sam" not in repr(context)
