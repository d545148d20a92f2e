"""Groups: even, led by one of their own, and only of this session."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions_app import enrolment, grouping, lifecycle, timeline
from sessions_app.models import Group, LiveSession, SchoolClass, Student, StudentSession, User
from sessions_app.refusals import Refused
from tests.cast import join, make_session, make_student, story

pytestmark = pytest.mark.django_db


def leave(member: StudentSession) -> None:
    with transaction.atomic():
        held = StudentSession.objects.select_for_update(no_key=True).get(pk=member.pk)
        grouping.step_down(held)
        StudentSession.objects.filter(pk=held.pk).update(left_at=timezone.now())


def groups_of(session: LiveSession) -> dict[int, list[str]]:
    return {g.number: sorted(m.label for m in g.members.all()) for g in session.groups.prefetch_related("members")}


def assert_sound(session: LiveSession) -> None:
    """A group with somebody present in it is led by somebody present in it; any other is led by nobody."""
    for group in session.groups.select_related("leader"):
        present = set(group.members.filter(removed_at=None, left_at=None))
        assert (group.leader in present) if present else (group.leader is None)


@pytest.fixture
def class_of_seven(session: LiveSession, grade_four: SchoolClass, sam: Student, tia: Student) -> list[StudentSession]:
    others = [make_student(grade_four, label) for label in ("Uma", "Vic", "Wes", "Xia", "Yan")]
    return [join(session, student) for student in (sam, tia, *others)]


def test_everybody_is_spread_evenly_and_leaders_are_chosen_anew(session: LiveSession, alice: User, class_of_seven):
    Group.objects.update(ready_at=timezone.now())
    grouping.groups_make(session, count=3, by=alice)
    assert groups_of(session) == {1: ["Sam", "Vic", "Yan"], 2: ["Tia", "Wes"], 3: ["Uma", "Xia"]}
    assert [g.leader.label for g in session.groups.all()] == ["Sam", "Tia", "Uma"]
    assert not session.groups.exclude(ready_at=None).exists()
    made = timeline.read(session.pk)[-1]
    assert (made.event, made.data) == ("groups_made", {"groups": 3})


def test_there_may_be_more_groups_than_students(session: LiveSession, alice: User, sam_in: StudentSession):
    grouping.groups_make(session, count=20, by=alice)
    assert groups_of(session)[1] == ["Sam"]
    assert session.groups.exclude(leader=None).count() == 1


@pytest.mark.parametrize("count", [0, 21, -3])
def test_between_one_and_twenty_groups_are_made(session: LiveSession, alice: User, count: int):
    with pytest.raises(Refused, match="group_count"):
        grouping.groups_make(session, count=count, by=alice)
    assert session.groups.count() == 2


def test_who_left_is_in_no_new_group(session: LiveSession, alice: User, sam_in: StudentSession, tia_in):
    leave(sam_in)
    grouping.groups_make(session, count=2, by=alice)
    assert groups_of(session) == {1: ["Tia"], 2: []}


def test_groups_are_neither_made_in_a_draft_nor_after_the_end(session: LiveSession, alice: User, school):
    draft = LiveSession.objects.create(school=school, teacher=alice, title="Tides", activity="reading")
    with pytest.raises(Refused, match="not_possible_now"):
        grouping.groups_make(draft, count=2, by=alice)
    lifecycle.session_end(session, by=alice)
    with pytest.raises(Refused, match="session_over"):
        grouping.groups_make(session, count=3, by=alice)
    assert session.groups.count() == 2


def test_a_student_is_moved(session: LiveSession, alice: User, sam_in: StudentSession, tia_in: StudentSession):
    second = session.groups.get(number=2)
    grouping.member_move(session, student_session=sam_in.pk, group=second.pk, by=alice)
    assert groups_of(session) == {1: [], 2: ["Sam", "Tia"]}
    moved = timeline.read(session.pk)[-1]
    assert (moved.event, moved.student, moved.data) == (
        "member_moved", sam_in.pk, {"group": str(second.pk), "number": 2}
    )  # fmt: skip
    assert_sound(session)


def test_a_group_that_loses_its_leader_gets_the_next_one_and_is_not_ready(session: LiveSession, alice, class_of_seven):
    first, second = session.groups.all()
    Group.objects.filter(pk=first.pk).update(ready_at=timezone.now())
    grouping.member_move(session, student_session=class_of_seven[0].pk, group=second.pk, by=alice)
    first.refresh_from_db()
    assert (first.leader.label, first.ready_at) == ("Uma", None)


def test_an_empty_group_is_led_by_who_is_moved_into_it(session: LiveSession, alice: User, sam_in: StudentSession):
    grouping.member_move(session, student_session=sam_in.pk, group=session.groups.get(number=2).pk, by=alice)
    assert [g.leader for g in session.groups.all()] == [None, sam_in]


def test_a_student_is_moved_out_of_all_groups(session: LiveSession, alice: User, sam_in: StudentSession):
    grouping.member_move(session, student_session=sam_in.pk, group=None, by=alice)
    sam_in.refresh_from_db()
    assert sam_in.group is None
    assert timeline.read(session.pk)[-1].data == {"group": None, "number": None}


def test_a_move_to_where_one_is_changes_nothing(session: LiveSession, alice: User, class_of_seven):
    sam, group = class_of_seven[0], session.groups.get(number=1)
    Group.objects.filter(pk=group.pk).update(ready_at=timezone.now())
    grouping.member_move(session, student_session=sam.pk, group=group.pk, by=alice)
    group.refresh_from_db()
    assert (group.leader, group.ready_at is None) == (sam, False)
    assert "member_moved" not in story(session)


def test_a_group_or_a_student_of_another_session_is_refused(
    session: LiveSession, alice: User, grade_four: SchoolClass, sam: Student, sam_in: StudentSession
):
    other = make_session(alice, grade_four)
    with pytest.raises(Refused, match="no_such_group"):
        grouping.member_move(session, student_session=sam_in.pk, group=other.groups.first().pk, by=alice)
    with pytest.raises(Refused, match="no_such_student"):
        grouping.member_move(session, student_session=join(other, sam).pk, group=None, by=alice)
    with pytest.raises(Refused, match="no_such_student"):
        grouping.member_move(session, student_session=uuid.uuid4(), group=None, by=alice)
    assert_sound(session)


def test_a_leader_is_chosen_and_the_group_is_not_ready_any_more(session: LiveSession, alice: User, class_of_seven):
    Group.objects.update(ready_at=timezone.now())
    uma = class_of_seven[2]
    group = grouping.leader_choose(session, student_session=uma.pk, by=alice)
    assert (group.leader, group.ready_at) == (uma, None)
    chosen = timeline.read(session.pk)[-1]
    assert (chosen.event, chosen.data) == ("leader_chosen", {"group": str(group.pk), "number": 1})


def test_nobody_leads_without_a_group(session: LiveSession, alice: User, sam_in: StudentSession):
    grouping.member_move(session, student_session=sam_in.pk, group=None, by=alice)
    with pytest.raises(Refused, match="no_group"):
        grouping.leader_choose(session, student_session=sam_in.pk, by=alice)


def test_who_left_is_neither_moved_nor_made_a_leader(session: LiveSession, alice: User, sam_in: StudentSession):
    leave(sam_in)
    with pytest.raises(Refused, match="no_such_student"):
        grouping.leader_choose(session, student_session=sam_in.pk, by=alice)
    with pytest.raises(Refused, match="no_such_student"):
        grouping.member_move(session, student_session=sam_in.pk, group=None, by=alice)


def test_making_groups_takes_as_many_queries_for_seven_as_for_one(
    session: LiveSession, alice: User, class_of_seven, django_assert_max_num_queries
):
    with django_assert_max_num_queries(16):
        grouping.groups_make(session, count=3, by=alice)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.integers(0, 9),
    changes=st.lists(
        st.one_of(
            st.tuples(st.just("make"), st.integers(1, 6)),
            st.tuples(st.sampled_from(["move", "lead", "leave", "remove", "back"]), st.integers(0, 60)),
        ),
        max_size=8,
    ),
)
def test_groups_stay_even_and_led_whatever_happens(
    alice: User, grade_four: SchoolClass, size: int, changes: list[tuple[str, int]]
):
    with transaction.atomic():
        session = make_session_of(alice, grade_four, size)
        members = list(StudentSession.objects.filter(session=session).order_by("joined_at"))
        sizes = sorted(len(labels) for labels in groups_of(session).values())
        assert sizes[-1] - sizes[0] <= 1
        for change, number in changes:
            happen(change, number, session, members, alice)
            assert_sound(session)
        transaction.set_rollback(True)


def make_session_of(alice: User, grade_four: SchoolClass, size: int) -> LiveSession:
    students = [make_student(grade_four, f"Student {n}") for n in range(max(size, 1))]
    session = make_session(alice, grade_four, groups=3)
    for student in students[:size]:
        join(session, student)
    return session


def happen(change: str, number: int, session: LiveSession, members: list[StudentSession], alice: User) -> None:
    if change == "make":
        grouping.groups_make(session, count=number, by=alice)
        sizes = [g.members.filter(left_at=None).count() for g in session.groups.all()]
        assert max(sizes) - min(sizes) <= 1
        return
    if not members:
        return
    member = members[number % len(members)]
    groups = [*session.groups.all(), None]
    group = groups[number % len(groups)]
    try:
        if change == "move":
            grouping.member_move(session, student_session=member.pk, group=group.pk if group else None, by=alice)
        elif change == "lead":
            grouping.leader_choose(session, student_session=member.pk, by=alice)
        elif change == "leave":
            leave(member)
        elif change == "remove":
            enrolment.member_remove(session, student_session=member.pk, by=alice)
        else:
            join(session, member.student)
    except Refused as refused:
        if refused.code not in {"no_such_student", "no_group", "label_taken", "removed"}:
            raise


@pytest.mark.django_db(transaction=True)
def test_leaders_who_leave_while_groups_are_made_and_moved_leave_no_group_without_one(
    session: LiveSession, alice: User, class_of_seven: list[StudentSession]
):
    def change(nth: int) -> None:
        try:
            if nth % 3 == 0:
                grouping.groups_make(session, count=3, by=alice)
            elif nth % 3 == 1:
                leave(class_of_seven[nth % 7])
            else:
                first = session.groups.first()
                grouping.member_move(session, student_session=class_of_seven[nth % 7].pk, group=first.pk, by=alice)
        except Refused as refused:
            if refused.code not in {"no_such_student", "no_such_group"}:
                raise
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(change, range(18), timeout=timedelta(minutes=1).total_seconds()))
    assert_sound(session)
    assert [e.seq for e in timeline.read(session.pk)] == list(range(1, timeline.position(session.pk).seq + 1))
