"""Whose data a row is: who a person is by their ids, and the way from every kind of row to a person.

A person is a school's student with their runs of sessions and their accounts, or a learner of no school. Rows that hang
on one of these by a chain of foreign keys that delete with it (`CASCADE`) are found by the models alone, so that a new
kind of record is copied and deleted without a line here. What hangs on a person in any other way is in the declared
stores (`sessions_app.erasure`, `analytics_app.personal_data`); a personal field in neither fails the suite.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import CASCADE, BinaryField, Field, FileField, ForeignKey, Model, QuerySet

from sessions_app.learners import account_hash
from sessions_app.models import Learner, Student, StudentSession, User
from sessions_app.refusals import Refused


@dataclass(frozen=True, slots=True)
class Person:
    """One person by ids. `runs` are their students' sessions, `sessions` the live sessions of those; `accounts` are
    hashes (`learners.account_hash`)."""

    students: tuple[UUID, ...] = ()
    runs: tuple[UUID, ...] = ()
    sessions: tuple[UUID, ...] = ()
    learners: tuple[UUID, ...] = ()
    accounts: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[UUID, ...]:
        """Every id by which another row may name the person."""
        return tuple({*self.students, *self.runs, *self.learners})

    def as_json(self) -> dict[str, list[str]]:
        return {field.name: [str(value) for value in getattr(self, field.name)] for field in fields(self)}

    @classmethod
    def from_json(cls, said: dict[str, list[str]]) -> "Person":
        accounts = tuple(said["accounts"])
        ids = {name: tuple(map(UUID, values)) for name, values in said.items() if name != "accounts"}
        return cls(**ids, accounts=accounts)


def person_of(*, student: Student | None = None, learner: Learner | None = None) -> Person:
    """The person that a student or a learner is. A learner who is a student is that student with everything."""
    if student is None and learner is not None:
        student = learner.student
    if student is None:
        if learner is None:
            raise Refused("no_such_student")
        return Person(learners=(learner.pk,), accounts=(account_hash(learner.issuer, learner.subject),))
    runs = StudentSession.objects.filter(student=student).values_list("pk", "session_id")
    accounts = list(Learner.objects.filter(student=student))
    return Person(
        students=(student.pk,),
        runs=tuple(run for run, _session in runs),
        sessions=tuple(session for _run, session in runs),
        learners=tuple(each.pk for each in accounts),
        accounts=tuple(account_hash(each.issuer, each.subject) for each in accounts),
    )


ROOTS: dict[type[Model], str] = {Student: "students", StudentSession: "runs", Learner: "learners"}
"""The kinds of rows that are a person, and where `Person` has their ids."""

OURS = ("sessions_app", "analytics_app")


@dataclass(frozen=True, slots=True)
class Way:
    """How a kind of row hangs on a person: a look-up such as `intervention__student_session`, and at which root."""

    lookup: str
    root: type[Model]


@cache
def ways() -> dict[type[Model], Way]:
    """Every kind of row that is deleted with a person, and the shortest way from it to that person."""
    found = {root: Way("pk", root) for root in ROOTS}
    models = [model for app in OURS for model in apps.get_app_config(app).get_models() if not model._meta.proxy]
    while True:
        nearer = {
            model: Way(field.name if way.lookup == "pk" else f"{field.name}__{way.lookup}", way.root)
            for model in models
            if model not in found
            for field in model._meta.concrete_fields
            if deletes_with(field) and (way := found.get(field.related_model)) is not None  # type: ignore[arg-type]
        }
        if not nearer:
            return found
        found |= nearer


def deletes_with(field: "Field[Any, Any]") -> bool:
    """Whether a row goes with the one that this field points to."""
    return isinstance(field, ForeignKey) and field.remote_field.on_delete is CASCADE


def rows(person: Person) -> Iterator[tuple[type[Model], QuerySet[Any]]]:
    """The person's rows of every kind that hangs on them, the person first."""
    for model, way in ways().items():
        ids = getattr(person, ROOTS[way.root])
        if ids:
            yield model, model._default_manager.filter(**{f"{way.lookup}__in": ids})


def files(person: Person) -> Iterator[tuple["FileField", Any]]:
    """Each kept file of the person's rows: its field, and the row that has it."""
    for model, mine in rows(person):
        for field in model._meta.concrete_fields:
            if isinstance(field, FileField):
                for row in mine.exclude(**{field.name: ""}):
                    yield field, row


def told(row: Model) -> dict[str, Any]:
    """A row as a copy tells it: JSON values by the names of its fields. Left out are staff, and bytes."""
    shown = [
        field
        for field in row._meta.concrete_fields
        if field.related_model is not User and not isinstance(field, BinaryField)
    ]
    values = {
        field.name: getattr(row, field.attname).name if isinstance(field, FileField) else getattr(row, field.attname)
        for field in shown
    }
    plain: dict[str, Any] = json.loads(json.dumps(values, cls=DjangoJSONEncoder))
    return plain
