"""A class list changed by hand."""

import pytest

from sessions_app import class_members, enrolment
from sessions_app.models import ClassMembership, LiveSession, SchoolClass, Student, StudentVersion, User
from sessions_app.refusals import Refused
from tests.cast import make_student

pytestmark = pytest.mark.django_db


@pytest.fixture
def grade_five(school, alice: User) -> SchoolClass:
    return class_members.class_make(teacher=alice, name="Grade 5 A", room="12")


def place(student: Student) -> ClassMembership:
    return ClassMembership.objects.select_related("school_class", "student").get(student=student)


def test_a_teacher_makes_a_class_that_they_teach(grade_five: SchoolClass, alice: User):
    assert (grade_five.school, list(grade_five.teachers.all())) == (alice.school, [alice])


def test_a_school_has_a_class_name_once_and_another_school_may_have_it_too(
    grade_five: SchoolClass, bob: User, charlie: User
):
    with pytest.raises(Refused, match="class_name_in_use"):
        class_members.class_make(teacher=bob, name="Grade 5 A")
    assert class_members.class_make(teacher=charlie, name="Grade 5 A").school == charlie.school


def test_a_student_is_added_under_a_tidy_label_with_who_did_it(grade_five: SchoolClass, alice: User):
    added = class_members.student_add(grade_five, label="  Uma   R. ", name="Uma Ruiz", grade=5, by=alice)
    assert (added.label, added.student.label, added.student.school) == ("Uma R.", "Uma R.", alice.school)
    assert StudentVersion.objects.get(pgh_obj=added.student).pgh_context == {"user": str(alice.pk)}


@pytest.mark.parametrize(("label", "code"), [("  ", "label_missing"), ("SAM", "label_in_use")])
def test_a_label_is_needed_and_is_somebodys_alone(
    label: str, code: str, grade_four: SchoolClass, sam: Student, alice: User
):
    with pytest.raises(Refused, match=code):
        class_members.student_add(grade_four, label=label, by=alice)
    assert Student.objects.count() == 1


def test_a_student_is_renamed_in_the_class_and_on_their_record(sam: Student, alice: User):
    class_members.student_rename(place(sam), label="Sammy", by=alice)
    sam.refresh_from_db()
    assert (sam.label, place(sam).label) == ("Sammy", "Sammy")


def test_a_student_is_not_given_the_label_of_another(sam: Student, tia: Student, alice: User):
    with pytest.raises(Refused, match="label_in_use"):
        class_members.student_rename(place(sam), label="tia", by=alice)
    assert place(sam).label == "Sam"


def test_a_student_moves_to_another_class(sam: Student, grade_five: SchoolClass):
    class_members.student_move(place(sam), to=grade_five)
    assert list(sam.classes.all()) == [grade_five]


def test_a_student_does_not_move_to_where_their_label_is_taken_or_to_another_school(
    sam: Student, grade_five: SchoolClass, class_elsewhere: SchoolClass
):
    make_student(grade_five, "Sam")
    for to, code in ((grade_five, "label_in_use"), (class_elsewhere, "no_such_class")):
        with pytest.raises(Refused, match=code):
            class_members.student_move(place(sam), to=to)


def test_whoever_is_taken_out_of_a_class_keeps_their_record(sam: Student):
    class_members.student_take_out(place(sam))
    assert not sam.memberships.exists()
    assert Student.objects.filter(pk=sam.pk).exists()


def test_an_archived_student_is_not_offered_until_they_are_restored(session: LiveSession, sam: Student, alice: User):
    class_members.student_archive(sam, by=alice)
    assert [seat.label for seat in enrolment.seats(session)] == ["Tia"]
    class_members.student_restore(sam, by=alice)
    assert [seat.label for seat in enrolment.seats(session)] == ["Sam", "Tia"]
