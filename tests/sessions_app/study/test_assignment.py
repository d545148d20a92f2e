"""Conditions are drawn in blocks that can be drawn again, also by two students at once; by hand is told apart."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.models import (
    Assignment,
    LiveSession,
    SchoolClass,
    Student,
    StudentSession,
    Study,
    StudyCondition,
    User,
)
from sessions_app.refusals import Refused
from sessions_app.study import assignment
from tests.cast import consent, join, make_student
from tests.study_cast import complete_study, study_session, take_part

CLASSROOM = ["L3-I1-D", "L3-I1-S", "L3-I2-D", "L3-I2-S", "L3-I3-D", "L3-I3-S"]


def draw(member: StudentSession) -> Assignment:
    with transaction.atomic():
        held = StudentSession.objects.select_for_update(no_key=True, of=("self",)).select_related("session")
        return assignment.condition_assign(held.get(pk=member.pk), at=timezone.now())[0]


def students(session: LiveSession, count: int) -> list[StudentSession]:
    return [join(session, make_student(session.school_class, f"Student {number:03}")) for number in range(count)]


CELLS = [f"L{place}-I{interval}-{kind}" for place in "1234" for interval in "123" for kind in "SD"]
cells = st.integers(1, 2 ** len(CELLS) - 1).map(lambda bits: [c for n, c in enumerate(CELLS) if bits >> n & 1])
"""Some of the 24 cells, at least one."""


@given(st.integers(0, 2**31), st.integers(0, 10_000), cells)
def test_a_block_holds_every_cell_once_in_an_order_that_can_be_drawn_again(seed: int, block: int, codes: list[str]):
    order = assignment.block_order(seed=seed, location="home", block=block, codes=codes)
    assert sorted(order) == sorted(codes)
    assert order == assignment.block_order(seed=seed, location="home", block=block, codes=codes[::-1])


def test_blocks_and_locations_have_orders_of_their_own():
    orders = {
        tuple(assignment.block_order(seed=7, location=location, block=block, codes=CLASSROOM))
        for location in ("classroom", "home")
        for block in range(10)
    }
    assert len(orders) > 15


def test_cells_fill_evenly(lesson_of_study: LiveSession):
    drawn = [draw(member) for member in students(lesson_of_study, 14)]
    assert Counter(a.condition.code for a in drawn[:12]) == dict.fromkeys(CLASSROOM, 2)
    assert [(a.block, a.position) for a in drawn[5:8]] == [(0, 5), (1, 0), (1, 1)]


def test_what_was_drawn_is_recorded_so_that_it_can_be_drawn_again(lesson_of_study: LiveSession):
    for member in students(lesson_of_study, 8):
        made = draw(member)
        again = assignment.block_order(
            seed=made.seed, location=made.location, block=made.block, codes=sorted(made.drawn_from)
        )
        assert (made.randomised, again, made.condition.code) == (True, made.drawn_from, again[made.position])
        member.refresh_from_db()
        assert (member.condition, member.condition_randomised) == (made.condition, True)


def test_a_student_is_drawn_for_once(lesson_of_study: LiveSession):
    [member] = students(lesson_of_study, 1)
    assert draw(member) == draw(member)


def test_only_cells_with_a_target_are_drawn(lesson_of_study: LiveSession, ironworks: Study):
    StudyCondition.objects.filter(study=ironworks).exclude(condition__code__in=CLASSROOM[:2]).update(target=0)
    assert {draw(member).condition.code for member in students(lesson_of_study, 4)} == set(CLASSROOM[:2])


def test_another_choice_of_cells_begins_a_new_block(lesson_of_study: LiveSession, ironworks: Study):
    first, second, third = students(lesson_of_study, 3)
    draw(first)
    StudyCondition.objects.filter(study=ironworks, condition__code="L3-I3-S").update(target=0)
    assert (draw(second).block, draw(third).position) == (1, 1)


def test_a_place_without_cells_draws_nothing(lesson_of_study: LiveSession, ironworks: Study):
    StudyCondition.objects.filter(study=ironworks, condition__location="classroom").update(target=0)
    [member] = students(lesson_of_study, 1)
    with pytest.raises(Refused, match="no_cell"):
        draw(member)


def test_a_study_without_its_material_takes_nobody(lesson_of_study: LiveSession, ironworks: Study):
    Study.objects.filter(pk=ironworks.pk).update(survey=None)
    [member] = students(lesson_of_study, 1)
    with pytest.raises(Refused, match="study_incomplete"):
        draw(member)


def test_a_session_of_no_study_takes_nobody(session: LiveSession, sam_in: StudentSession):
    with pytest.raises(Refused, match="study_incomplete"):
        draw(sam_in)


def test_material_is_in_use_from_the_first_assignment_on(lesson_of_study: LiveSession, ironworks: Study):
    [member] = students(lesson_of_study, 1)
    made = draw(member)
    for material in (made.content, made.baseline_form, made.final_form, made.question_set, made.survey):
        material.refresh_from_db()
        assert material.used_at == made.assigned_at


def test_a_condition_that_is_fixed_for_the_class_is_not_randomised(
    ironworks: Study, alice: User, grade_four: SchoolClass, sam: Student
):
    session = study_session(alice, grade_four, ironworks, condition="L4-I2-S")
    made = draw(take_part(session, sam))
    assert (made.condition.code, made.location, made.randomised, made.block, made.fixed_by) == (
        "L4-I2-S", "home", False, None, alice,
    )  # fmt: skip


def test_the_place_of_who_is_given_a_condition_by_hand_falls_to_the_next_where_it_was_the_newest(
    lesson_of_study: LiveSession,
):
    sam, tia, umi = students(lesson_of_study, 3)
    first, second = draw(sam), draw(tia)
    assert assignment.condition_wish(tia, first.condition, at=timezone.now())
    third = draw(umi)
    assert (third.condition, third.block, third.position) == (second.condition, second.block, second.position)
    assert not draw(tia).randomised


def test_conditions_to_choose_from_are_those_of_the_study_at_the_place_of_the_session(
    lesson_of_study: LiveSession, ironworks: Study
):
    offered = assignment.conditions_of(lesson_of_study)
    assert {each.location for each in offered} == {assignment.location_of(lesson_of_study)}
    ironworks.cells.filter(condition=offered[0]).update(target=0)
    assert offered[0] not in assignment.conditions_of(lesson_of_study)


def test_where_a_session_is_follows_from_what_was_set_up(lesson_of_study: LiveSession, ironworks: Study):
    site = ironworks.sites.get(location="on-site")
    assert assignment.location_of(LiveSession(study=ironworks, site=site)) == "on-site"
    assert assignment.location_of(LiveSession(study=ironworks, location="home")) == "home"
    assert assignment.location_of(LiveSession(study=ironworks)) == "classroom"
    StudyCondition.objects.exclude(condition__location="home").update(target=0)
    assert assignment.location_of(LiveSession(study=ironworks)) == "home"


@pytest.mark.django_db(transaction=True)
def test_students_who_come_at_once_get_places_of_their_own(
    study: Study, alice: User, grade_four: SchoolClass, sam: Student
):
    session = study_session(alice, grade_four, complete_study(study))
    members = students(session, 12)

    def at_once(member: StudentSession) -> tuple[int | None, int | None]:
        try:
            made = draw(member)
            return made.block, made.position
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        places = list(pool.map(at_once, members))
    assert sorted(places) == [(block, position) for block in (0, 1) for position in range(6)]
    consent(sam)
