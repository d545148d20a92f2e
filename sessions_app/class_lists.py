"""A school's list of a class, read from a CSV file: first a preview that writes nothing, then all of it at once.

A row is a student. It is met by the school's own number (`external_id`) wherever in the school the student is, else by
the label in this class. An empty cell leaves what is known as it is. A student of another class joins this one, and
their record stays as it is: whoever imports a list may not be allowed to see it, let alone to change it.
A consent in a list is the guardian's, on paper, of the date in the list; a later decision of the guardian stands.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from sessions_app import class_columns, csv_files, history
from sessions_app.class_columns import Cells, Problem
from sessions_app.consents import VERSION_ON_PAPER
from sessions_app.models import ClassMembership, Consent, SchoolClass, Student, User
from sessions_app.models.people import pseudonym_for
from sessions_app.refusals import Refused

MAX_ROWS = 500


@dataclass(frozen=True, slots=True)
class Row:
    """What a line of the file would do: `change` is `new`, `changed`, `same` or `wrong` (it is left out)."""

    line: int
    label: str
    name: str
    grade: int | None
    external_id: str
    change: str
    problems: tuple[Problem, ...] = ()
    student: UUID | None = None
    membership: UUID | None = None
    values: dict[str, Any] = field(default_factory=dict)
    consents: dict[str, bool] = field(default_factory=dict)
    given_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file would do to a class. `ignored` names its columns that mean nothing here."""

    rows: tuple[Row, ...]
    ignored: tuple[str, ...]

    def _count(self, change: str) -> int:
        return sum(row.change == change for row in self.rows)

    @property
    def new(self) -> int:
        return self._count("new")

    @property
    def changed(self) -> int:
        return self._count("changed")

    @property
    def same(self) -> int:
        return self._count("same")

    @property
    def wrong(self) -> int:
        return self._count("wrong")

    @property
    def digest(self) -> str:
        """Equal for two previews that would write the same to the same rows."""
        return hashlib.sha256(repr(self.rows).encode()).hexdigest()


def preview(content: bytes, school_class: SchoolClass) -> Preview:
    """What the file would do. Writes nothing. Raises `csv_files.Unreadable` where it is no class list at all."""
    table = csv_files.read(content, most_rows=MAX_ROWS)
    header = class_columns.recognise(table.header)
    read = [class_columns.cells(line, header, zone=school_class.school.zone) for line in table.lines]
    known = _Known.of(school_class, read)
    return Preview(tuple(known.row(cells) for cells in read), header.ignored)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the school knows of the students in a file, and what the file says twice."""

    by_label: dict[str, ClassMembership]
    by_student: dict[UUID, ClassMembership]
    by_external_id: dict[str, Student]
    guardians: dict[tuple[UUID, str], Consent]
    labels: Counter[str]
    external_ids: Counter[str]
    students: Counter[UUID]

    @classmethod
    def of(cls, school_class: SchoolClass, read: list[Cells]) -> "_Known":
        members = list(school_class.memberships.select_related("student"))
        external_ids = Counter(cells.external_id for cells in read if cells.external_id)
        numbered = Student.objects.filter(school_id=school_class.school_id, external_id__in=list(external_ids))
        known = cls(
            by_label={m.label.lower(): m for m in members},
            by_student={m.student_id: m for m in members},
            by_external_id={student.external_id: student for student in numbered},
            guardians={},
            labels=Counter(cells.label.lower() for cells in read if cells.label),
            external_ids=external_ids,
            students=Counter(),
        )
        known.students.update(student.pk for cells in read if (student := known.student(cells)))
        latest = (
            Consent.objects.filter(student__in=list(known.students), given_by=Consent.Giver.GUARDIAN)
            .order_by("student_id", "purpose", "-given_at", "-id")
            .distinct("student_id", "purpose")
        )
        known.guardians.update({(c.student_id, c.purpose): c for c in latest})
        return known

    def student(self, cells: Cells) -> Student | None:
        """The student whom a row is about, if the school knows them."""
        numbered = self.by_external_id.get(cells.external_id)
        namesake = self.by_label.get(cells.label.lower())
        return numbered or (namesake.student if namesake else None)

    def row(self, cells: Cells) -> Row:
        student = self.student(cells)
        membership = self.by_student.get(student.pk) if student else None
        problems = [*cells.problems, *self._conflicts(cells, student, membership)]
        values = self._values(cells, student, membership)
        consents = self._consents(cells, student)
        shown = student if membership else None
        return Row(
            line=cells.line,
            label=cells.label,
            name=cells.values.get("name") or (shown.name if shown else ""),
            grade=cells.values.get("grade", shown.grade if shown else None),
            external_id=cells.external_id or (shown.external_id if shown else ""),
            change="wrong" if problems else _change(membership, cells, values, consents),
            problems=tuple(problems),
            student=student.pk if student else None,
            membership=membership.pk if membership else None,
            values=values,
            consents=consents,
            given_at=cells.given_at,
        )

    def _conflicts(self, cells: Cells, student: Student | None, membership: ClassMembership | None) -> list[Problem]:
        label, number = cells.titles["label"], cells.titles["external_id"]
        found = []
        if self.labels[cells.label.lower()] > 1:
            found.append(Problem(label, _("“%s” stands in the file more than once.") % cells.label))
        elif self.external_ids[cells.external_id] > 1:
            found.append(Problem(number, _("“%s” stands in the file more than once.") % cells.external_id))
        elif student is not None and self.students[student.pk] > 1:
            found.append(Problem(label, _("Two rows of the file are about this student.")))
        namesake = self.by_label.get(cells.label.lower())
        if namesake is not None and namesake != membership:
            found.append(Problem(label, _("“%s” is the label of somebody else in this class.") % cells.label))
        elif membership and student and student.external_id and cells.external_id not in {"", student.external_id}:
            found.append(Problem(number, _("“%s” is in this class already, with another number.") % cells.label))
        return found

    @staticmethod
    def _values(cells: Cells, student: Student | None, membership: ClassMembership | None) -> dict[str, Any]:
        """The fields of the student's record that the row would write."""
        if student is None:
            return {"label": cells.label, **cells.values}
        restored = {"archived_at": None} if student.archived_at else {}
        if membership is None:
            return restored
        wanted = {"label": cells.label, **cells.values}
        return restored | {name: value for name, value in wanted.items() if getattr(student, name) != value}

    def _consents(self, cells: Cells, student: Student | None) -> dict[str, bool]:
        """The decisions that are news: another one than the guardian's latest, and given after it."""
        news = {}
        for purpose, granted in cells.consents.items():
            before = self.guardians.get((student.pk, purpose)) if student else None
            if before is None or (
                (before.decision == Consent.Decision.GRANTED) != granted
                and cells.given_at is not None
                and cells.given_at > before.given_at
            ):
                news[purpose] = granted
        return news


def _change(membership: ClassMembership | None, cells: Cells, values: dict[str, Any], consents: dict[str, bool]) -> str:
    if membership is None:
        return "new"
    return "changed" if values or consents or membership.label != cells.label else "same"


def apply(content: bytes, school_class: SchoolClass, *, by: User, digest: str) -> Preview:
    """Write every row that has no problem, in one transaction; what was written.

    `digest` is that of the preview that a person saw: refuses (`list_changed`) if the file would do something else now.
    """
    try:
        with history.acting(by), transaction.atomic():
            locked = (
                SchoolClass.objects.select_for_update(of=("self",)).select_related("school").get(pk=school_class.pk)
            )
            found = preview(content, locked)
            if found.digest != digest:
                raise Refused("list_changed")
            _write([row for row in found.rows if row.change in {"new", "changed"}], locked, by=by)
    except IntegrityError:
        raise Refused("list_changed") from None
    return found


def _write(rows: list[Row], school_class: SchoolClass, *, by: User) -> None:
    made = {row.line: Student(school_id=school_class.school_id, **row.values) for row in rows if row.student is None}
    for student in made.values():
        student.pseudonym = pseudonym_for(student.pk.hex)
    Student.objects.bulk_create(made.values())
    for row in rows:
        if row.student is not None and row.values:
            Student.objects.filter(pk=row.student).update(**row.values, updated_at=timezone.now())
        if row.membership is not None:
            ClassMembership.objects.filter(pk=row.membership).exclude(label=row.label).update(label=row.label)
    about = {row.line: row.student or made[row.line].pk for row in rows}
    ClassMembership.objects.bulk_create(
        ClassMembership(school_class=school_class, student_id=about[row.line], label=row.label)
        for row in rows
        if row.membership is None
    )
    Consent.objects.bulk_create(
        Consent(
            student_id=about[row.line],
            purpose=purpose,
            decision=Consent.Decision.GRANTED if granted else Consent.Decision.REFUSED,
            given_by=Consent.Giver.GUARDIAN,
            version=VERSION_ON_PAPER,
            how_obtained=Consent.Method.PAPER,
            recorded_by=by,
            given_at=row.given_at or timezone.now(),
        )
        for row in rows
        for purpose, granted in row.consents.items()
    )
