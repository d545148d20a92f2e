"""A class list changed by hand: make a class, add a student, rename, move to another class, take out, archive."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from sessions_app import history
from sessions_app.models import ClassMembership, SchoolClass, Student, User
from sessions_app.refusals import Refused


def class_make(*, teacher: User, name: str, room: str = "") -> SchoolClass:
    """A class of the teacher's school, taught by them. Refuses a name that the school has already."""
    assert teacher.school is not None
    try:
        with transaction.atomic():
            made = SchoolClass.objects.create(school=teacher.school, name=name, room=room)
            made.teachers.add(teacher)
    except IntegrityError:
        raise Refused("class_name_in_use") from None
    return made


def student_add(
    school_class: SchoolClass, *, label: str, by: User, name: str = "", grade: int | None = None
) -> ClassMembership:
    """A new student of the school, in this class. Refuses a label that the class has already."""
    label = _tidy(label)
    try:
        with history.acting(by), transaction.atomic():
            student = Student.objects.create(school_id=school_class.school_id, label=label, name=name, grade=grade)
            return ClassMembership.objects.create(school_class=school_class, student=student, label=label)
    except IntegrityError:
        raise Refused("label_in_use") from None


def student_rename(membership: ClassMembership, *, label: str, by: User) -> None:
    """Give a student another label, here and on their record. Sessions that were keep the label of their day."""
    label = _tidy(label)
    try:
        with history.acting(by), transaction.atomic():
            ClassMembership.objects.filter(pk=membership.pk).update(label=label)
            Student.objects.filter(pk=membership.student_id).update(label=label, updated_at=timezone.now())
    except IntegrityError:
        raise Refused("label_in_use") from None
    membership.label = membership.student.label = label


def student_move(membership: ClassMembership, *, to: SchoolClass) -> None:
    """Move a student to another class of the school. Refuses where they are there already, or their label is."""
    if to.school_id != membership.school_class.school_id:
        raise Refused("no_such_class")
    try:
        with transaction.atomic():
            ClassMembership.objects.filter(pk=membership.pk).update(school_class=to)
    except IntegrityError:
        raise Refused("label_in_use") from None
    membership.school_class = to


def student_take_out(membership: ClassMembership) -> None:
    """Take a student off a class list. Their record and their sessions stay."""
    membership.delete()


def student_archive(student: Student, *, by: User) -> None:
    """A student who has left the school: not offered in any session any more; what was recorded stays."""
    with history.acting(by):
        Student.objects.filter(pk=student.pk, archived_at=None).update(
            archived_at=timezone.now(), updated_at=timezone.now()
        )


def student_restore(student: Student, *, by: User) -> None:
    """Undo `student_archive`."""
    with history.acting(by):
        Student.objects.filter(pk=student.pk).update(archived_at=None, updated_at=timezone.now())


def _tidy(label: str) -> str:
    label = " ".join(label.split())
    if not label:
        raise Refused("label_missing")
    return label
