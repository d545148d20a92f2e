"""Coming in, going, changing the device, being taken out; and the ticket that proves it."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core import signing
from django.db import connections
from django.utils import timezone

from sessions_app import enrolment, grouping, lifecycle, timeline
from sessions_app.enrolment import Ticket
from sessions_app.models import (
    ClassMembership,
    Condition,
    Group,
    LiveSession,
    SchoolClass,
    Student,
    StudentSession,
    TakeoverRequest,
    User,
)
from sessions_app.refusals import Refused
from tests.cast import join, make_session, make_student, story

pytestmark = pytest.mark.django_db


def seat_of(student: Student) -> uuid.UUID:
    return ClassMembership.objects.get(student=student).pk


def ticket(member: StudentSession) -> Ticket:
    found = enrolment.ticket_read(enrolment.ticket_sign(member))
    assert found is not None
    return found


def leave(member: StudentSession) -> None:
    grouping.step_down(member)
    StudentSession.objects.filter(pk=member.pk).update(left_at=timezone.now())


def test_joining_takes_a_place_under_the_label_of_the_class(session: LiveSession, sam: Student):
    member = join(session, sam)
    assert (member.label, member.student, member.school) == ("Sam", sam, session.school)
    joined = timeline.read(session.pk)[-1]
    assert (joined.event, joined.student, joined.at) == ("member_join", member.pk, member.joined_at)
    assert joined.data == {"group": str(member.group_id), "again": False}


def test_who_joins_goes_to_the_smallest_group_and_the_first_one_leads(
    session: LiveSession, grade_four: SchoolClass, sam: Student, tia: Student
):
    members = [join(session, s) for s in (sam, tia, make_student(grade_four, "Uma"))]
    assert [m.group.number for m in members] == [1, 2, 1]
    assert [g.leader for g in session.groups.all()] == members[:2]


def test_a_session_without_groups_is_joined_without_one(alice: User, grade_four: SchoolClass, sam: Student):
    assert join(make_session(alice, grade_four, groups=0), sam).group is None


def test_a_condition_fixed_for_the_class_is_every_students(session: LiveSession, sam: Student):
    session.condition = Condition.objects.get(code="L3-I2-S")
    session.save(update_fields=["condition"])
    member = join(session, sam)
    assert (member.condition, member.condition_randomised) == (session.condition, False)


def test_a_label_that_is_taken_is_refused(session: LiveSession, sam: Student, sam_in: StudentSession):
    with pytest.raises(Refused, match="label_taken"):
        join(session, sam)
    assert story(session) == ["configured", "member_join"]


def test_a_device_that_asks_twice_gets_the_same_place(session: LiveSession, sam: Student):
    first = enrolment.member_join(session, membership=seat_of(sam), device="4f1c")
    again = enrolment.member_join(session, membership=seat_of(sam), device="4f1c")
    assert (again, again.cookie_version) == (first, 1)
    assert story(session) == ["configured", "member_join"]


def test_a_student_of_another_class_does_not_join(session: LiveSession, umi: Student):
    with pytest.raises(Refused, match="not_in_class"):
        enrolment.member_join(session, membership=seat_of(umi))


def test_an_archived_student_does_not_join(session: LiveSession, sam: Student):
    Student.objects.filter(pk=sam.pk).update(archived_at=timezone.now())
    with pytest.raises(Refused, match="not_in_class"):
        join(session, sam)
    assert [seat.label for seat in enrolment.seats(session)] == ["Tia"]


def test_a_full_session_is_refused(alice: User, grade_four: SchoolClass, sam: Student, tia: Student):
    small = make_session(alice, grade_four, capacity=1)
    leave(join(small, sam))
    with pytest.raises(Refused, match="session_full"):
        join(small, tia)
    assert join(small, sam).left_at is None


def test_a_session_that_ended_is_not_joined(started: LiveSession, sam: Student):
    lifecycle.session_end(started, by=started.teacher)
    with pytest.raises(Refused, match="session_over"):
        join(started, sam)


@pytest.mark.django_db(transaction=True)
def test_a_whole_class_joins_at_once_and_the_groups_are_even(session: LiveSession, grade_four: SchoolClass):
    students = [make_student(grade_four, f"Student {n}") for n in range(12)]

    def come_in(student: Student) -> None:
        try:
            join(session, student)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(come_in, students))
    assert [group.members.count() for group in session.groups.all()] == [6, 6]
    assert all(group.leader in group.members.all() for group in session.groups.all())
    assert timeline.position(session.pk).seq == 13


@pytest.mark.django_db(transaction=True)
def test_of_two_devices_that_take_the_same_label_at_once_one_wins(session: LiveSession, sam: Student):
    def come_in(device: str) -> str:
        try:
            enrolment.member_join(session, membership=seat_of(sam), device=device)
        except Refused as refused:
            return refused.code
        finally:
            connections.close_all()
        return "joined"

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(come_in, ["one", "two"])) == ["joined", "label_taken"]


@pytest.mark.django_db(transaction=True)
def test_the_last_place_is_given_once(alice: User, grade_four: SchoolClass, sam: Student, tia: Student):
    small = make_session(alice, grade_four, capacity=1)

    def come_in(student: Student) -> str:
        try:
            join(small, student)
        except Refused as refused:
            return refused.code
        finally:
            connections.close_all()
        return "joined"

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(come_in, [sam, tia])) == ["joined", "session_full"]


def test_labels_say_which_are_taken(session: LiveSession, sam_in: StudentSession):
    assert [(seat.label, seat.taken) for seat in enrolment.seats(session)] == [("Sam", True), ("Tia", False)]


def test_labels_are_two_queries_however_many(session: LiveSession, sam_in, tia_in, django_assert_num_queries):
    with django_assert_num_queries(2):
        enrolment.seats(session)


def test_a_label_that_was_left_is_free_again(session: LiveSession, sam_in: StudentSession):
    leave(sam_in)
    assert not any(seat.taken for seat in enrolment.seats(session))


def test_who_comes_back_has_the_same_place_and_the_older_ticket_is_worth_nothing(
    session: LiveSession, sam: Student, sam_in: StudentSession
):
    older = ticket(sam_in)
    leave(sam_in)
    back = join(session, sam)
    assert (back, back.left_at, back.group) == (sam_in, None, sam_in.group)
    assert timeline.read(session.pk)[-1].data["again"] is True
    with pytest.raises(Refused, match="other_device"):
        enrolment.member_by_ticket(older)


def test_who_comes_back_leads_a_group_that_nobody_leads(session: LiveSession, sam: Student, sam_in: StudentSession):
    leave(sam_in)
    assert Group.objects.get(pk=sam_in.group_id).leader is None
    join(session, sam)
    assert Group.objects.get(pk=sam_in.group_id).leader == sam_in


def test_who_comes_back_after_new_groups_were_made_has_one(
    session: LiveSession, alice: User, sam: Student, sam_in: StudentSession
):
    leave(sam_in)
    grouping.groups_make(session, count=3, by=alice)
    assert join(session, sam).group.number == 1


def test_a_ticket_opens_the_place_that_it_was_signed_for(sam_in: StudentSession, django_assert_num_queries):
    with django_assert_num_queries(1):
        member = enrolment.member_by_ticket(ticket(sam_in))
        assert (member, member.session.school.pk, member.session.study) == (sam_in, sam_in.school_id, None)


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", signing.dumps([uuid.uuid4().hex, 1]), signing.dumps(["x", 1], salt=enrolment._SALT)],
    ids=["nothing", "nonsense", "of another purpose", "of no session"],
)
def test_what_was_not_signed_here_as_a_ticket_is_none(text: str):
    assert enrolment.ticket_read(text) is None


def test_a_ticket_of_a_session_that_is_gone_opens_nothing():
    with pytest.raises(Refused, match="no_such_session"):
        enrolment.member_by_ticket(Ticket(uuid.uuid4(), 1))


def test_a_ticket_is_good_for_a_day_after_the_end(started: LiveSession, sam_in: StudentSession):
    lifecycle.session_end(started, by=started.teacher)
    assert enrolment.member_by_ticket(ticket(sam_in)) == sam_in
    before = started.ended_at - timedelta(hours=25)
    LiveSession.objects.filter(pk=started.pk).update(configured_at=before, started_at=before, ended_at=before)
    with pytest.raises(Refused, match="session_over"):
        enrolment.member_by_ticket(ticket(sam_in))


def test_a_device_knows_who_it_is_by_its_tickets(session: LiveSession, sam_in: StudentSession, tia_in: StudentSession):
    assert enrolment.member_among(session, [ticket(sam_in)]) == sam_in
    assert enrolment.member_among(session, []) is None
    assert enrolment.member_among(session, [Ticket(sam_in.pk, 7)]) is None
    leave(tia_in)
    assert enrolment.member_among(session, [ticket(tia_in)]) is None


def test_who_is_taken_out_loses_ticket_group_and_label(
    session: LiveSession, alice: User, sam: Student, sam_in: StudentSession
):
    enrolment.member_remove(session, student_session=sam_in.pk, by=alice)
    with pytest.raises(Refused, match="removed"):
        enrolment.member_by_ticket(ticket(sam_in))
    with pytest.raises(Refused, match="removed"):
        join(session, sam)
    assert [seat.label for seat in enrolment.seats(session)] == ["Tia"]
    assert Group.objects.get(pk=sam_in.group_id).leader is None
    assert story(session) == ["configured", "member_join", "member_removed"]


def test_nobody_is_taken_out_twice(session: LiveSession, alice: User, sam_in: StudentSession):
    enrolment.member_remove(session, student_session=sam_in.pk, by=alice)
    with pytest.raises(Refused, match="no_such_student"):
        enrolment.member_remove(session, student_session=sam_in.pk, by=alice)
    assert story(session).count("member_removed") == 1


def test_a_student_of_another_session_is_not_taken_out(
    alice: User, grade_four: SchoolClass, session: LiveSession, sam_in: StudentSession
):
    with pytest.raises(Refused, match="no_such_student"):
        enrolment.member_remove(make_session(alice, grade_four), student_session=sam_in.pk, by=alice)


def test_who_is_let_back_in_takes_the_place_again_with_a_new_ticket(
    session: LiveSession, alice: User, sam: Student, sam_in: StudentSession
):
    older = ticket(sam_in)
    removed = enrolment.member_remove(session, student_session=sam_in.pk, by=alice)
    back = enrolment.member_let_back(session, student_session=sam_in.pk, by=alice)
    assert (back.removed_at, back.left_at) == (None, removed.removed_at)
    with pytest.raises(Refused, match="other_device"):
        enrolment.member_by_ticket(older)
    assert [(seat.label, seat.taken) for seat in enrolment.seats(session)] == [("Sam", False), ("Tia", False)]
    again = join(session, sam)
    assert again == sam_in
    assert (again.left_at, again.group is None) == (None, False)
    assert enrolment.member_by_ticket(ticket(again)) == sam_in
    assert story(session) == ["configured", "member_join", "member_removed", "member_let_back", "member_join"]


def test_only_who_was_taken_out_is_let_back_in_and_only_while_the_session_is_open(
    started: LiveSession, alice: User, sam_in: StudentSession, tia_in: StudentSession
):
    with pytest.raises(Refused, match="no_such_student"):
        enrolment.member_let_back(started, student_session=sam_in.pk, by=alice)
    enrolment.member_remove(started, student_session=tia_in.pk, by=alice)
    lifecycle.session_end(started, by=alice)
    with pytest.raises(Refused, match="session_over"):
        enrolment.member_let_back(started, student_session=tia_in.pk, by=alice)
    assert story(started)[-1] == "ended"


def test_taking_out_refuses_what_was_asked_about_the_place(session: LiveSession, alice: User, sam, sam_in):
    asked = enrolment.takeover_request(session, membership=seat_of(sam))
    enrolment.member_remove(session, student_session=sam_in.pk, by=alice)
    asked.refresh_from_db()
    assert (asked.decision, asked.decided_by) == ("refused", alice)


def test_a_new_device_takes_over_when_the_teacher_says_yes(session: LiveSession, alice: User, sam, sam_in):
    older = ticket(sam_in)
    asked = enrolment.takeover_request(session, membership=seat_of(sam), device="new")
    assert enrolment.takeover_claim(asked.pk).decision == "pending"
    enrolment.takeover_decide(session, request=asked.pk, granted=True, by=alice)
    claimed = enrolment.takeover_claim(asked.pk)
    assert (claimed.decision, claimed.student_session.device) == ("granted", "new")
    assert enrolment.member_by_ticket(ticket(claimed.student_session)) == sam_in
    with pytest.raises(Refused, match="other_device"):
        enrolment.member_by_ticket(older)
    assert story(session, after=2) == ["takeover_requested", "takeover_granted"]


def test_the_device_stays_when_the_teacher_says_no(session: LiveSession, alice: User, sam, sam_in):
    asked = enrolment.takeover_request(session, membership=seat_of(sam))
    enrolment.takeover_decide(session, request=asked.pk, granted=False, by=alice)
    assert enrolment.takeover_claim(asked.pk).decision == "refused"
    assert enrolment.member_by_ticket(ticket(sam_in)) == sam_in
    assert story(session, after=2) == ["takeover_requested", "takeover_refused"]


def test_a_request_is_decided_once(session: LiveSession, alice: User, sam, sam_in):
    asked = enrolment.takeover_request(session, membership=seat_of(sam))
    enrolment.takeover_decide(session, request=asked.pk, granted=False, by=alice)
    with pytest.raises(Refused, match="no_such_request"):
        enrolment.takeover_decide(session, request=asked.pk, granted=True, by=alice)
    assert enrolment.takeover_claim(asked.pk).decision == "refused"


def test_a_request_of_another_session_is_not_decided(session: LiveSession, alice: User, grade_four, sam, sam_in):
    asked = enrolment.takeover_request(session, membership=seat_of(sam))
    with pytest.raises(Refused, match="no_such_request"):
        enrolment.takeover_decide(make_session(alice, grade_four), request=asked.pk, granted=True, by=alice)
    assert TakeoverRequest.objects.get().decision == "pending"


def test_a_granted_request_is_worth_nothing_once_another_device_took_over(
    session: LiveSession, alice: User, sam, sam_in
):
    first, second = (enrolment.takeover_request(session, membership=seat_of(sam), device=d) for d in ("one", "two"))
    for request in (first, second):
        enrolment.takeover_decide(session, request=request.pk, granted=True, by=alice)
    with pytest.raises(Refused, match="other_device"):
        enrolment.takeover_claim(first.pk)
    assert enrolment.takeover_claim(second.pk).decision == "granted"


def test_a_device_asks_once_and_three_devices_at_most_wait(session: LiveSession, sam, sam_in):
    requests = {enrolment.takeover_request(session, membership=seat_of(sam), device=d).pk for d in "aabbc"}
    assert len(requests) == 3
    with pytest.raises(Refused, match="asked_already"):
        enrolment.takeover_request(session, membership=seat_of(sam), device="d")


def test_nobody_asks_for_a_place_that_nobody_has(session: LiveSession, sam: Student, umi: Student):
    for student in (sam, umi):
        with pytest.raises(Refused, match="no_such_student"):
            enrolment.takeover_request(session, membership=seat_of(student))


def test_a_request_dies_with_the_session(started: LiveSession, alice: User, sam, sam_in):
    asked = enrolment.takeover_request(started, membership=seat_of(sam))
    lifecycle.session_end(started, by=alice)
    with pytest.raises(Refused, match="session_over"):
        enrolment.takeover_claim(asked.pk)
    with pytest.raises(Refused, match="session_over"):
        enrolment.takeover_decide(started, request=asked.pk, granted=True, by=alice)
