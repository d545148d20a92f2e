"""Who changed what."""

import pytest

from sessions_app import history
from sessions_app.models import School, Student, StudentVersion, User, UserVersion
from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db


def test_a_change_names_the_field_what_it_was_and_who_changed_it(sam: Student, ada: User):
    with history.acting(ada):
        Student.objects.filter(pk=sam.pk).update(grade=5)
    changed, made = history.changes(sam)
    assert (changed.by, changed.made, [(e.field, e.before, e.after) for e in changed.edits]) == (
        ada, False, [("grade", 4, 5)],
    )  # fmt: skip
    assert (made.made, made.by, made.edits) == (True, None, ())


def test_saving_without_a_change_is_no_change(sam: Student):
    sam.save()
    assert len(history.changes(sam)) == 1


def test_a_password_is_in_no_version(alice: User):
    alice.set_password(f"{PASSWORD}, and another")
    alice.save()
    assert len(history.changes(alice)) == 1
    assert not {"password", "last_login"} & {field.name for field in UserVersion._meta.get_fields()}


def test_a_students_versions_go_with_the_student(sam: Student):
    key = sam.pk
    sam.delete()
    assert not StudentVersion.objects.filter(pgh_obj=key).exists()


def test_rows_without_versions_have_no_changes(school: School, sam: Student):
    assert history.changes(sam.memberships.get()) == []
    assert len(history.changes(school)) == 1
