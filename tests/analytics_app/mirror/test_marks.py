"""Which change marks which item: whatever way it is made."""

import pytest
from django.db import connection, transaction
from django.utils import timezone

from analytics_app.models import OutboxItem
from sessions_app import enrolment, lifecycle
from sessions_app.models import Condition, LiveSession, School, Student, StudentSession, User
from tests.cast import consent, join, make_session

pytestmark = pytest.mark.django_db


def clean() -> None:
    OutboxItem.objects.all().delete()


def marked() -> set[tuple[str, str]]:
    return {(item.kind, item.entity_id) for item in OutboxItem.objects.all()}


def test_a_new_student_is_marked(sam: Student):
    assert ("student_profile", sam.pk) in marked()


def test_who_joins_is_marked_as_a_session_and_as_a_profile(session: LiveSession, sam: Student):
    clean()
    sam_in = join(session, sam)
    assert marked() == {("session", sam_in.pk), ("student_profile", sam.pk)}


def test_a_second_change_raises_the_version_of_the_one_row(sam: Student):
    clean()
    for age in (10, 11):
        Student.objects.filter(pk=sam.pk).update(age=age + 1)
    [item] = OutboxItem.objects.all()
    assert (item.kind, item.version) == ("student_profile", 2)


def test_a_change_that_no_item_shows_marks_nothing(sam: Student, sam_in: StudentSession):
    clean()
    Student.objects.filter(pk=sam.pk).update(label="Sammy", name="Samuel")
    StudentSession.objects.filter(pk=sam_in.pk).update(help_asked_at=timezone.now(), attention_confirmed=3)
    assert marked() == set()


def test_an_update_that_changes_nothing_marks_nothing(sam: Student):
    clean()
    Student.objects.filter(pk=sam.pk).update(age=sam.age)
    assert marked() == set()


def test_a_bulk_update_marks_everybody(sam: Student, tia: Student):
    clean()
    Student.objects.update(grade=5)
    assert marked() == {("student_profile", sam.pk), ("student_profile", tia.pk)}


def test_plain_sql_is_seen(sam: Student):
    clean()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sessions_app_student SET age = 12 WHERE id = %s", [sam.pk])
    assert marked() == {("student_profile", sam.pk)}


def test_a_students_age_stands_in_the_sessions_of_studies(sam: Student, sam_in: StudentSession):
    clean()
    Student.objects.filter(pk=sam.pk).update(age=12)
    assert marked() == {("student_profile", sam.pk), ("session", sam_in.pk)}


def test_start_and_end_of_a_class_mark_each_of_its_students(
    session: LiveSession, alice: User, sam_in: StudentSession, tia_in: StudentSession
):
    clean()
    lifecycle.session_start(session, by=alice)
    assert marked() == {("session", sam_in.pk), ("session", tia_in.pk)}
    clean()
    lifecycle.session_end(session, by=alice)
    assert marked() == {("session", sam_in.pk), ("session", tia_in.pk)}


def test_who_is_taken_out_is_marked(session: LiveSession, alice: User, sam_in: StudentSession):
    clean()
    enrolment.member_remove(session, student_session=sam_in.pk, by=alice)
    assert ("session", sam_in.pk) in marked()


def test_a_speaking_session_is_marked_for_the_other_table(alice: User, grade_four, sam: Student):
    clean()
    sam_in = join(make_session(alice, grade_four, activity="reading"), sam)
    assert ("reading_session", sam_in.pk) in marked()
    assert ("session", sam_in.pk) not in marked()


def test_another_activity_marks_both_tables(session: LiveSession, sam_in: StudentSession):
    clean()
    LiveSession.objects.filter(pk=session.pk).update(activity="reading")
    assert marked() == {
        ("session", sam_in.pk), ("reading_session", sam_in.pk), ("student_profile", sam_in.student_id)
    }  # fmt: skip


def test_a_deleted_session_is_marked(sam: Student, sam_in: StudentSession):
    clean()
    pk = sam_in.pk
    sam_in.delete()
    assert marked() == {("session", pk), ("student_profile", sam.pk)}


def test_a_deleted_student_is_marked_with_the_sessions_that_stay(sam: Student, sam_in: StudentSession):
    clean()
    pk = sam.pk
    sam.delete()
    assert marked() == {("session", sam_in.pk), ("student_profile", pk)}


def test_a_class_and_its_students_deleted_by_plain_sql_are_marked(session: LiveSession, sam_in: StudentSession):
    clean()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("DELETE FROM sessions_app_livesession WHERE id = %s", [session.pk])
        cursor.execute("DELETE FROM sessions_app_studentsession WHERE id = %s", [sam_in.pk])
        assert {("session", sam_in.pk), ("reading_session", sam_in.pk)} <= marked()
        for table in ("sessions_app_sessioncounter", "sessions_app_group"):
            cursor.execute(f"DELETE FROM {table} WHERE session_id = %s", [session.pk])


def test_a_consent_marks_the_profile(sam: Student):
    clean()
    consent(sam, purpose="data_sharing", given_by="student")
    assert marked() == {("student_profile", sam.pk)}


def test_a_condition_that_is_renamed_marks_its_sessions(sam_in: StudentSession):
    condition = Condition.objects.get(code="L1-I1-D")
    StudentSession.objects.filter(pk=sam_in.pk).update(condition=condition)
    clean()
    Condition.objects.filter(pk=condition.pk).update(interval_minutes="3.5")
    assert marked() == {("session", sam_in.pk)}


def test_a_schools_name_marks_its_profiles_and_its_retention_its_sessions(
    school: School, sam_in: StudentSession, tia: Student, umi: Student
):
    clean()
    School.objects.filter(pk=school.pk).update(name="Another name")
    assert marked() == {("student_profile", sam_in.student_id), ("student_profile", tia.pk)}
    clean()
    School.objects.filter(pk=school.pk).update(retention_days=90)
    assert marked() == {("session", sam_in.pk)}


def test_a_change_that_is_rolled_back_leaves_no_mark(sam: Student):
    clean()
    with transaction.atomic():
        Student.objects.update(age=3)
        assert marked() == {("student_profile", sam.pk)}
        transaction.set_rollback(True)
    assert marked() == set()
