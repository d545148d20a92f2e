"""The teacher moves a student on, and takes it back; who is behind, and who needs a look."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sessions_app import enrolment, lifecycle, roster, timeline
from sessions_app.models import (
    Exchange,
    Intervention,
    LiveSession,
    MovedOn,
    QualityFlag,
    Student,
    StudentSession,
    User,
)
from sessions_app.refusals import Refused
from sessions_app.study import asking, moving, progress, way
from tests.cast import make_session, story
from tests.sessions_app.study.deeds import answer, decide, hand_in, know, refused, step
from tests.study_cast import take_part

pytestmark = pytest.mark.django_db


def move_on(member: StudentSession, at: str, number: int = 0) -> None:
    moving.student_move_on(member.session, student_session=member.pk, step=at, number=number, by=member.session.teacher)


def move_back(member: StudentSession) -> None:
    moving.student_move_back(member.session, student_session=member.pk, by=member.session.teacher)


def run_of(member: StudentSession) -> way.Run:
    fresh = StudentSession.objects.select_related("session__study").get(pk=member.pk)
    return way.runs([fresh])[fresh.pk]


def row(session: LiveSession, member: StudentSession) -> dict:
    fresh = LiveSession.objects.select_related("study").get(pk=session.pk)
    return next(r for r in roster.board_state(fresh)["students"] if r["id"] == member.pk)


def test_a_student_is_moved_on_and_back(dynamic: StudentSession):
    decide(dynamic)
    move_on(dynamic, "prior_knowledge")
    assert (step(dynamic), run_of(dynamic).was_moved) == ("baseline", True)
    assert QualityFlag.objects.get(code="moved_on").about == "prior_knowledge"
    move_back(dynamic)
    assert (step(dynamic), MovedOn.objects.exists()) == ("prior_knowledge", False)
    said = timeline.read(dynamic.session_id)[-2:]
    assert [(e.event, e.data["step"], e.student) for e in said] == [
        ("moved_on", "prior_knowledge", dynamic.pk), ("moved_back", "prior_knowledge", dynamic.pk),
    ]  # fmt: skip


def test_who_was_moved_past_the_first_step_has_a_condition(dynamic: StudentSession, monkeypatch):
    decide(dynamic)
    dynamic.assignment.delete()
    move_on(dynamic, "prior_knowledge")
    assert run_of(dynamic).assignment is not None
    assert story(dynamic.session)[-2:] == ["condition_assigned", "moved_on"]


def fix(member: StudentSession, code: str) -> None:
    moving.student_condition_fix(member.session, student_session=member.pk, code=code, by=member.session.teacher)


def condition_of(member: StudentSession) -> tuple[str | None, bool]:
    told = row(member.session, member)["condition"]
    return told["code"], told["drawn"]


def test_a_condition_is_fixed_by_hand_before_and_after_it_was_drawn(lesson_of_study: LiveSession, sam: Student):
    member = take_part(lesson_of_study, sam)
    assert condition_of(member) == (None, False)
    fix(member, "L3-I2-D")
    assert condition_of(member) == ("L3-I2-D", False)
    decide(member)
    made = run_of(member).assignment
    assert made is not None
    assert (made.condition.code, made.randomised, made.fixed_by) == ("L3-I2-D", False, lesson_of_study.teacher)
    fix(member, "L3-I3-S")
    again = run_of(member).assignment
    assert again is not None
    assert (again.condition.code, again.randomised, again.fixed_by) == ("L3-I3-S", False, lesson_of_study.teacher)
    fix(member, "")
    drawn = run_of(member).assignment
    assert drawn is not None
    assert (drawn.randomised, drawn.block, condition_of(member)) == (True, 0, (drawn.condition.code, True))
    assert [kind for kind in story(lesson_of_study) if kind.startswith("condition")] == [
        "condition_fixed", "condition_assigned", "condition_fixed", "condition_assigned", "condition_fixed",
        "condition_assigned",
    ]  # fmt: skip


def test_a_condition_is_settled_with_the_first_thing_that_the_student_gave(lesson_of_study: LiveSession, sam: Student):
    member = take_part(lesson_of_study, sam)
    decide(member)
    know(member)
    before = condition_of(member)
    with refused("condition_settled"):
        fix(member, "L3-I2-D")
    assert condition_of(member) == before


@pytest.mark.parametrize("code", ["L1-I1-D", "L9-I9-X"])
def test_only_a_condition_of_the_study_and_the_place_can_be_fixed(
    lesson_of_study: LiveSession, sam: Student, code: str
):
    member = take_part(lesson_of_study, sam)
    with refused("no_such_condition"):
        fix(member, code)


def test_a_pause_that_is_left_is_abandoned_and_opened_again(asked: StudentSession):
    answer(asked, "The river.")
    move_on(asked, "intervention", 1)
    assert Intervention.objects.get().status == "abandoned"
    assert step(asked) == "content"
    move_back(asked)
    assert Intervention.objects.get().status == "open"
    assert asking.question_next(asked.pk)


def test_a_student_who_has_gone_on_is_left_alone(asked: StudentSession):
    for at, number in (("baseline", 0), ("intervention", 2)):
        with refused("went_on"):
            move_on(asked, at, number)
    assert not MovedOn.objects.exists()


def test_what_was_done_since_is_not_taken_back(dynamic: StudentSession):
    decide(dynamic)
    move_on(dynamic, "prior_knowledge")
    hand_in(dynamic, "baseline")
    with refused("not_possible_now"):
        move_back(dynamic)


def test_nobody_is_moved_past_their_own_decision(dynamic: StudentSession):
    with refused("cannot_move_on"):
        move_on(dynamic, "agree")


def test_only_students_of_a_running_study_are_moved(
    dynamic: StudentSession, alice: User, grade_four, session: LiveSession, sam_in: StudentSession
):
    with refused("not_started"):
        move_on(sam_in, "content")
    lifecycle.session_start(session, by=alice)
    sam_in.refresh_from_db()
    with refused("no_study"):
        move_on(sam_in, "content")
    with pytest.raises(Refused, match="no_such_student"):
        moving.student_move_on(dynamic.session, student_session=sam_in.pk, step="content", number=0, by=alice)


def test_who_was_taken_out_is_not_moved(dynamic: StudentSession, alice: User):
    enrolment.member_remove(dynamic.session, student_session=dynamic.pk, by=alice)
    with refused("no_such_student"):
        move_on(dynamic, "prior_knowledge")


def test_the_slowest_is_the_furthest_behind_of_those_present(asked: StudentSession, tia: Student):
    tia_in = take_part(asked.session, tia)
    decide(tia_in)
    both = [run_of(asked), run_of(tia_in)]
    assert progress.slowest(both, present={asked.pk, tia_in.pk}) == tia_in.pk
    assert progress.slowest(both, present={asked.pk}) == asked.pk
    assert progress.slowest(both, present=set()) is None


def test_a_row_says_which_question_and_how_it_was_answered(asked: StudentSession):
    answer(asked, "The river drove the wheels, and the canal brought the coal, and all of it went out again by rail.")
    found = row(asked.session, asked)
    assert (found["step"], found["way"]["number"], found["way"]["of"], found["way"]["question"]) == (
        "intervention", 1, 2, 2,
    )  # fmt: skip
    assert found["way"]["asks"] == [[20, -1, -1], [-1, -1, -1]]
    assert found["way"]["said"].endswith(" …")
    assert 25 < found["way"]["percent"] < 80


def test_who_is_long_at_one_question_needs_a_look(asked: StudentSession):
    assert progress.needs(run_of(asked), now=timezone.now()) == []
    later = timezone.now() + timedelta(minutes=4)
    assert [n["text"] for n in progress.needs(run_of(asked), now=later)] == ["4 minutes at one question"]


def test_answers_of_one_word_need_a_look(asked: StudentSession):
    for text in ("River.", "Coal."):
        answer(asked, text)
        asking.question_next(asked.pk)
    assert [n["text"] for n in progress.needs(run_of(asked), now=timezone.now())] == ["very short answers"]


def test_the_questions_of_the_state_do_not_tell_the_answers(dynamic: StudentSession):
    decide(dynamic)
    know(dynamic)
    state = roster.student_states(roster.students_of(dynamic.session_id, [dynamic.pk]))[dynamic.pk]
    material = state["way"]["material"]
    assert [page["title"] for page in material["pages"]][3] == "Why here?"
    assert "correct" not in str(material) and "mentions" not in str(material)


def test_a_class_costs_as_many_queries_as_one_student(
    asked: StudentSession,
    tia: Student,
    django_assert_num_queries,
):
    def states() -> None:
        ids = list(StudentSession.objects.filter(session=asked.session).values_list("pk", flat=True))
        roster.student_states(roster.students_of(asked.session_id, ids))

    states()  # what is put together once is put together
    with django_assert_num_queries(7):
        states()
    decide(take_part(asked.session, tia))
    with django_assert_num_queries(7):
        states()


def test_the_model_is_not_asked_for_who_waited_too_long(asked: StudentSession, settings, monkeypatch):
    settings.QUESTIONER = "bedrock"
    answer(asked, "The river.")
    assert asking.question_next(asked.pk, waited=asking.LONGEST_QUEUE + 1)
    put = Exchange.objects.order_by("number").last()
    assert (put.author, put.fell_back) == ("rules", "busy")
    assert QualityFlag.objects.filter(code="questioner_fell_back").exists()


def test_no_question_is_put_when_the_class_is_over(asked: StudentSession, alice: User):
    answer(asked, "The river.")
    Intervention.objects.filter(status="open").update(updated_at=timezone.now())
    LiveSession.objects.filter(pk=asked.session_id).update(status="ended", ended_at=timezone.now())
    assert not asking.question_next(asked.pk)


def test_a_session_without_material_is_no_study(alice: User, grade_four, study, sam: Student):
    assert not way.is_of_study(make_session(alice, grade_four, study=study))
