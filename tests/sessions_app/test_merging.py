"""Two records of one student."""

import pytest

from sessions_app import data_requests, history, learners, merging
from sessions_app.models import (
    AccessLog,
    ConsentState,
    LearnerCode,
    LiveSession,
    SchoolClass,
    Student,
    StudentSession,
    StudentVersion,
    User,
)
from sessions_app.refusals import Refused
from tests.cast import consent, join, make_session, make_student

pytestmark = pytest.mark.django_db


@pytest.fixture
def samuel(school, alice: User) -> Student:
    """Sam again, on the list of another class."""
    reading = SchoolClass.objects.create(school=school, name="Reading club")
    return make_student(reading, "Samuel", consented=False, external_id="20417", learning_style="by ear")


def test_everything_of_the_duplicate_goes_to_the_record_that_is_kept(
    sam: Student, samuel: Student, alice: User, ada: User
):
    run = join(make_session(alice, samuel.classes.get()), samuel)
    key = samuel.pk
    kept = merging.student_merge(sam, samuel, by=ada)
    assert not Student.objects.filter(pk=key).exists()
    assert StudentSession.objects.get(pk=run.pk).student == kept
    assert sorted(kept.classes.values_list("name", flat=True)) == ["Grade 4 B", "Reading club"]
    assert (kept.label, kept.external_id, kept.learning_style, kept.grade) == ("Sam", "20417", "by ear", 4)
    assert history.changes(kept)[0].by == ada
    assert AccessLog.objects.filter(user=ada, action="student_merge").count() == 2


def test_whoever_withdrew_under_either_record_has_withdrawn(sam: Student, samuel: Student, ada: User):
    consent(samuel, given_by="student", decision="withdrawn")
    consent(samuel, purpose="audio")
    merging.student_merge(sam, samuel, by=ada)
    assert dict(ConsentState.objects.filter(student=sam).values_list("purpose", "granted")) == {
        "participation": False, "audio": True,
    }  # fmt: skip
    assert sam.consents.count() == 3


def test_a_class_that_both_are_in_keeps_one_place(sam: Student, grade_four: SchoolClass, ada: User):
    merging.student_merge(sam, make_student(grade_four, "Sammy"), by=ada)
    assert list(grade_four.memberships.values_list("label", flat=True)) == ["Sam"]


def test_two_who_met_in_a_session_are_two_students(session: LiveSession, sam: Student, tia: Student, ada: User):
    join(session, sam)
    join(session, tia)
    with pytest.raises(Refused, match="met_in_session"):
        merging.student_merge(sam, tia, by=ada)
    assert Student.objects.count() == 2


def test_records_of_two_schools_are_not_joined(sam: Student, umi: Student, ada: User):
    with pytest.raises(Refused, match="other_school"):
        merging.student_merge(sam, umi, by=ada)


def test_a_record_is_not_joined_with_itself(sam: Student, ada: User):
    with pytest.raises(Refused, match="no_such_student"):
        merging.student_merge(sam, sam, by=ada)


def test_every_relation_to_a_student_is_moved():
    fields = Student._meta.get_fields(include_hidden=True)
    related = {f.related_model for f in fields if f.auto_created and (f.one_to_many or f.one_to_one)}
    ours = {model for model in related if model._meta.app_label == "sessions_app"}
    assert ours == {*merging.MOVED, LearnerCode, StudentVersion}


def test_accounts_move_to_the_record_that_stays(sam: Student, grade_four: SchoolClass, ada: User):
    again = make_student(grade_four, "Sammy")
    account = learners.learner_of(again)
    merging.student_merge(sam, again, by=ada)
    account.refresh_from_db()
    assert account.student == sam
    assert learners.learner_of(sam) == account


def test_a_student_whose_data_is_asked_for_is_not_merged(sam: Student, tia: Student, ada: User):
    data_requests.request_make(kind="deletion", asked_by="guardian", student=tia)
    with pytest.raises(Refused, match="data_requested"):
        merging.student_merge(sam, tia, by=ada)
