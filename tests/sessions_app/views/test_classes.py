"""A teacher's classes: the list, one class, one student in it, and importing a list."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sessions_app import enrolment, lifecycle
from sessions_app.models import (
    AccessLog,
    ClassMembership,
    ConsentState,
    LiveSession,
    SchoolClass,
    Student,
    StudentSession,
    User,
)
from tests.cast import make_student

pytestmark = pytest.mark.django_db

LIST = "label,name,grade\nUma,Uma Ruiz,4\nVic,,13\n"


@pytest.fixture
def desk(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def at(name: str, *keys: object) -> str:
    return reverse(name, args=[getattr(key, "pk", key) for key in keys])


def place(student: Student) -> ClassMembership:
    return student.memberships.get()


def labels(school_class: SchoolClass) -> list[str]:
    return list(school_class.memberships.values_list("label", flat=True))


def test_a_teacher_sees_their_own_classes(
    desk: Client, grade_four: SchoolClass, class_elsewhere: SchoolClass, bob: User
):
    SchoolClass.objects.create(school=bob.school, name="Grade 5 A").teachers.add(bob)
    assert [c["school_class"] for c in desk.get(at("teach_classes")).context["classes"]] == [grade_four]


def test_the_list_of_classes_counts_students_and_names_the_last_session(
    desk: Client, started: LiveSession, sam: Student, django_assert_num_queries
):
    lifecycle.session_end(started, by=started.teacher)
    with django_assert_num_queries(5):
        [item] = desk.get(at("teach_classes")).context["classes"]
    assert (item["students"], item["last_session"]) == (2, started)


def test_a_class_is_made_and_opened(desk: Client, alice: User):
    page = desk.post(at("teach_classes"), {"name": "Grade 5 A", "room": ""})
    made = SchoolClass.objects.get(name="Grade 5 A")
    assert page.headers["Location"] == at("teach_class", made)
    assert list(made.teachers.all()) == [alice]


def test_a_class_name_that_the_school_has_is_said_at_the_field(desk: Client, grade_four: SchoolClass):
    page = desk.post(at("teach_classes"), {"name": "Grade 4 B", "room": ""})
    assert page.status_code == 400
    assert page.context["form"].errors["name"] == ["There is a class of that name already."]


def test_an_administrator_reads_the_classes_of_the_school_and_makes_none_here(
    client: Client, ada: User, grade_four: SchoolClass
):
    client.force_login(ada)
    assert len(client.get(at("teach_classes")).context["classes"]) == 1
    assert client.post(at("teach_classes"), {"name": "Grade 5 A"}).status_code == 403


def test_a_class_shows_who_took_part(
    desk: Client, grade_four: SchoolClass, session: LiveSession, sam_in: StudentSession, django_assert_num_queries
):
    with django_assert_num_queries(7):
        page = desk.get(at("teach_class", grade_four))
    assert [(m["student"].label, m["sessions"], m["last_seen"]) for m in page.context["memberships"]] == [
        ("Sam", 1, sam_in.joined_at), ("Tia", 0, None),
    ]  # fmt: skip
    assert list(page.context["sessions"]) == [session]


def test_one_student_is_added(desk: Client, grade_four: SchoolClass):
    page = desk.post(at("teach_class", grade_four), {"label": "Uma", "name": "Uma Ruiz", "grade": "4"}, follow=True)
    assert labels(grade_four) == ["Uma"]
    assert "Uma is in the class." in page.content.decode()


@pytest.mark.parametrize("sent", [{"label": ""}, {"label": "sam"}, {"label": "Uma", "grade": "13"}])
def test_a_student_who_cannot_be_added_is_said_at_the_field(
    sent: dict, desk: Client, grade_four: SchoolClass, sam: Student
):
    page = desk.post(at("teach_class", grade_four), sent)
    assert (page.status_code, labels(grade_four)) == (400, ["Sam"])
    assert page.context["form"].errors


def send(desk: Client, school_class: SchoolClass, content: bytes | str, **more: str):
    file = SimpleUploadedFile("list.csv", content.encode() if isinstance(content, str) else content)
    return desk.post(at("teach_class_import", school_class), {"file": file} | more)


def test_a_list_is_shown_first_and_then_written(desk: Client, grade_four: SchoolClass):
    shown = send(desk, grade_four, LIST)
    assert (shown.context["preview"].new, shown.context["preview"].wrong, labels(grade_four)) == (1, 1, [])
    done = desk.post(at("teach_class_import", grade_four), {"confirm": shown.context["token"]}, follow=True)
    assert done.redirect_chain == [(at("teach_class", grade_four), 302)]
    assert labels(grade_four) == ["Uma"]
    assert "1 student was added or changed." in done.content.decode()


def test_rows_may_be_pasted(desk: Client, grade_four: SchoolClass):
    shown = desk.post(at("teach_class_import", grade_four), {"text": "label\tgrade\r\nUma\t4\r\n"})
    assert [row.label for row in shown.context["preview"].rows] == ["Uma"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name\nUma\n", "one of them must be called “label”"),
        (b"PK\x03\x04", "This is a workbook"),
        (b"x" * 1_000_001, "larger than 1 MB"),
    ],
)
def test_a_file_that_is_no_list_says_why(content: bytes, said: str, desk: Client, grade_four: SchoolClass):
    page = send(desk, grade_four, content)
    assert page.status_code == 400
    assert said in page.context["form"].errors["file"][0]


def test_neither_a_file_nor_rows_is_said_at_the_field(desk: Client, grade_four: SchoolClass):
    assert desk.post(at("teach_class_import", grade_four)).context["form"].errors["file"]


def test_a_preview_of_another_class_or_user_is_worth_nothing(
    desk: Client, grade_four: SchoolClass, alice: User, bob: User
):
    other = SchoolClass.objects.create(school=alice.school, name="Grade 5 A")
    for teacher in (alice, bob):
        other.teachers.add(teacher)
    token = send(desk, grade_four, LIST).context["token"]
    desk.post(at("teach_class_import", other), {"confirm": token})
    their = send(desk, other, LIST).context["token"]
    desk.force_login(bob)
    page = desk.post(at("teach_class_import", other), {"confirm": their}, follow=True)
    assert "That preview is too old." in page.content.decode()
    assert labels(grade_four) == labels(other) == []


def test_a_class_that_changed_meanwhile_is_shown_again(desk: Client, grade_four: SchoolClass):
    token = send(desk, grade_four, LIST).context["token"]
    make_student(grade_four, "Uma")
    page = desk.post(at("teach_class_import", grade_four), {"confirm": token})
    assert (page.status_code, page.context["preview"].changed) == (409, 1)
    assert "Nothing was written; look again." in page.content.decode()


def test_a_student_is_renamed_from_their_page(desk: Client, grade_four: SchoolClass, sam: Student):
    desk.post(at("teach_class_student_rename", grade_four, place(sam)), {"label": "Sammy"})
    assert labels(grade_four) == ["Sammy"]
    page = desk.post(at("teach_class_student_rename", grade_four, place(sam)), {"label": " "}, follow=True)
    assert "A student needs a label" in page.content.decode()


def test_a_student_is_moved_only_to_a_class_that_the_teacher_sees(
    desk: Client, grade_four: SchoolClass, sam: Student, alice: User, class_elsewhere: SchoolClass
):
    five = SchoolClass.objects.create(school=alice.school, name="Grade 5 A")
    member, where = place(sam), at("teach_class_student_move", grade_four, place(sam))
    assert desk.post(where, {"to": class_elsewhere.pk}).status_code == 400
    assert desk.post(where, {"to": five.pk}).status_code == 400
    five.teachers.add(alice)
    assert desk.post(where, {"to": five.pk}).headers["Location"] == at("teach_class_student", five, member)
    assert labels(five) == ["Sam"]


def test_a_student_is_taken_out_archived_and_restored(
    desk: Client, grade_four: SchoolClass, session: LiveSession, sam: Student, tia: Student
):
    desk.post(at("teach_class_student_take_out", grade_four, place(tia)))
    assert labels(grade_four) == ["Sam"]
    desk.post(at("teach_class_student_archive", grade_four, place(sam)), {"archived": "yes"})
    assert enrolment.seats(session) == []
    assert "archived" in desk.get(at("teach_class", grade_four)).content.decode()
    desk.post(at("teach_class_student_archive", grade_four, place(sam)), {"archived": "no"})
    assert [seat.label for seat in enrolment.seats(session)] == ["Sam"]


def test_a_withdrawal_is_recorded_with_who_recorded_it(
    desk: Client, grade_four: SchoolClass, sam: Student, alice: User
):
    said = {"purpose": "participation", "decision": "withdrawn", "given_by": "guardian", "how_obtained": "paper"}
    where = at("teach_class_student_consent", grade_four, place(sam))
    assert desk.post(where, said | {"given_on": "2199-01-01"}).status_code == 400
    today = str(timezone.localdate(timezone=sam.school.zone))
    desk.post(where, said | {"given_on": today})
    assert not ConsentState.objects.get(student=sam, purpose="participation").granted
    assert sam.consents.first().recorded_by == alice
    page = desk.get(at("teach_class_student", grade_four, place(sam)))
    assert [state.live for state in page.context["states"] if state.latest] == [False]


@pytest.mark.parametrize("name", ["teach_class", "teach_class_import"])
def test_a_class_of_somebody_else_is_not_there(name: str, desk: Client, class_elsewhere: SchoolClass, bob: User):
    their = SchoolClass.objects.create(school=bob.school, name="Grade 5 A")
    assert desk.get(at(name, class_elsewhere)).status_code == 404
    assert desk.post(at(name, their)).status_code == 404


def test_a_student_is_not_reached_through_another_class(
    desk: Client, grade_four: SchoolClass, umi: Student, class_elsewhere
):
    assert desk.get(at("teach_class_student", grade_four, place(umi))).status_code == 404
    assert desk.post(at("teach_class_student_take_out", class_elsewhere, place(umi))).status_code == 404
    assert umi.memberships.exists()


@pytest.mark.parametrize("name", ["teach_class", "teach_class_import"])
def test_reading_a_class_leaves_one_entry_in_the_access_log(
    name: str, desk: Client, grade_four: SchoolClass, alice: User
):
    desk.get(at(name, grade_four))
    [entry] = AccessLog.objects.all()
    assert (entry.user, entry.school, entry.object_id) == (alice, alice.school, grade_four.pk)


def test_reading_a_student_leaves_one_entry_in_the_access_log(desk: Client, grade_four: SchoolClass, sam: Student):
    desk.get(at("teach_class_student", grade_four, place(sam)))
    [entry] = AccessLog.objects.all()
    assert (entry.action, entry.object_type, entry.object_id) == ("class_student", "student", sam.pk)
