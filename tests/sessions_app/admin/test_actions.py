"""What can be done to chosen rows."""

import csv
import io

import pytest
from django.test import Client
from django.urls import reverse

from sessions_app import class_members
from sessions_app.models import AccessLog, LiveSession, SessionEvent, Student, StudentVersion, User
from tests.cast import join, make_student

pytestmark = pytest.mark.django_db

STUDENTS = reverse("admin:sessions_app_student_changelist")
SESSIONS = reverse("admin:sessions_app_livesession_changelist")
EXPORT = reverse("admin:sessions_app_student_export")


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def do(desk: Client, where: str, action: str, *rows: object, **more: object):
    chosen = [row.pk for row in rows]
    return desk.post(where, {"action": action, "_selected_action": chosen} | more, follow=True)


def said(page) -> list[str]:
    return [str(message) for message in page.context["messages"]]


def test_ending_a_session_is_on_its_timeline_with_who_did_it(desk: Client, started: LiveSession, ada: User):
    assert said(do(desk, SESSIONS, "end_session", started)) == ["1 session is ended."]
    started.refresh_from_db()
    assert (started.status, started.end_reason) == ("ended", "administrator")
    event = SessionEvent.objects.filter(session=started).last()
    assert (event.event_type, event.sender, event.payload) == ("ended", ada.pk, {"reason": "administrator"})


def test_a_session_that_is_over_is_not_ended_again(desk: Client, started: LiveSession):
    do(desk, SESSIONS, "end_session", started)
    assert said(do(desk, SESSIONS, "end_session", started)) == ["“The Ironworks” was not running."]
    assert SessionEvent.objects.filter(event_type="ended").count() == 1


def test_students_are_archived_and_restored_with_who_did_it(desk: Client, sam: Student, tia: Student, ada: User):
    assert said(do(desk, STUDENTS, "archive", sam, tia)) == ["2 students are archived."]
    assert Student.objects.filter(archived_at=None).count() == 0
    assert StudentVersion.objects.get(pgh_obj=sam, pgh_label="update").pgh_context == {"user": str(ada.pk)}
    do(desk, STUDENTS, "restore", sam)
    assert Student.objects.get(archived_at=None) == sam


def test_an_action_does_not_reach_another_school(desk: Client, umi: Student):
    do(desk, STUDENTS, "archive", umi)
    umi.refresh_from_db()
    assert umi.archived_at is None


def test_joining_two_records_asks_which_one_stays(desk: Client, sam: Student, tia: Student):
    page = do(desk, STUDENTS, "merge", sam, tia)
    assert {s.pk for s in page.context["pair"]} == {sam.pk, tia.pk}
    assert Student.objects.count() == 2
    page = do(desk, STUDENTS, "merge", sam, tia, keep=tia.pk)
    assert (said(page), Student.objects.get()) == (["The two records are one now: Tia."], tia)


@pytest.mark.parametrize("how_many", [1, 3])
def test_joining_takes_exactly_two_records(how_many: int, desk: Client, sam: Student, tia: Student, grade_four):
    rows = [sam, tia, make_student(grade_four, "Uma")][:how_many]
    assert said(do(desk, STUDENTS, "merge", *rows)) == ["Choose exactly two records."]
    assert Student.objects.count() == 3


def test_two_who_met_are_not_joined(desk: Client, session: LiveSession, sam: Student, tia: Student):
    join(session, sam)
    join(session, tia)
    assert "they are two students" in said(do(desk, STUDENTS, "merge", sam, tia, keep=tia.pk))[0]


def export(desk: Client, **filters: str) -> list[dict[str, str]]:
    page = desk.post(EXPORT, {"format": "0", "resource": ""}, query_params=filters)
    assert page.headers["Content-Type"] == "text/csv"
    return list(csv.DictReader(io.StringIO(page.content.decode())))


def test_an_export_has_the_students_of_the_school_and_is_in_the_access_log(
    desk: Client, sam: Student, umi: Student, ada: User
):
    assert desk.get(EXPORT).status_code == 200
    [row] = export(desk)
    assert (row["label"], row["grade"], row["classes"]) == ("Sam", "4", "Grade 4 B")
    entry = AccessLog.objects.latest("id")
    assert (entry.user, entry.school, entry.action) == (ada, ada.school, "admin_student_export")


def test_an_export_holds_no_formula(desk: Client, grade_four, alice: User):
    class_members.student_add(grade_four, label="=HYPERLINK(1)", name="@SUM(A1)", by=alice)
    [row] = export(desk)
    assert (row["label"], row["name"]) == ("'=HYPERLINK(1)", "'@SUM(A1)")


def test_a_class_list_is_imported_on_the_page_that_teachers_use(desk: Client, grade_four):
    page = desk.get(reverse("admin:sessions_app_schoolclass_import_list", args=[grade_four.pk]))
    assert page.headers["Location"] == reverse("teach_class_import", args=[grade_four.pk])


CLASS = {"name": "Grade 4 B", "room": "", "archived_at_0": "", "archived_at_1": ""}


def places(*students: object) -> dict[str, object]:
    rows = {
        f"memberships-{n}-{key}": value
        for n, s in enumerate(students)
        for key, value in (("student", s), ("label", "X"))
    }
    return CLASS | {"memberships-TOTAL_FORMS": len(students), "memberships-INITIAL_FORMS": 0} | rows


def test_a_student_of_another_school_is_not_put_into_a_class(client: Client, grade_four, umi: Student):
    client.force_login(User.objects.create_superuser("root"))
    where = reverse("admin:sessions_app_schoolclass_change", args=[grade_four.pk])
    page = client.post(where, places(umi.pk))
    assert "A student of another school cannot be in this class." in page.content.decode()
    assert client.post(where, places("")).status_code == 200
    assert not grade_four.memberships.exists()


def test_a_teacher_of_another_school_does_not_teach_a_class(client: Client, grade_four, charlie: User):
    client.force_login(User.objects.create_superuser("root"))
    where = reverse("admin:sessions_app_schoolclass_change", args=[grade_four.pk])
    page = client.post(where, places() | {"teachers": [charlie.pk]})
    assert "A teacher of another school cannot teach this class." in page.content.decode()
    assert charlie not in grade_four.teachers.all()
