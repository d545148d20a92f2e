"""Requests about one's own data: made by a learner or recorded by the school, decided by an administrator.

A copy is made without asking anybody. A deletion of a student of a school is decided by an administrator: it cannot be
undone, and the school answers for its records. A learner of no school decides by themself. The worker answers
(`analytics_app.personal_data`), store by store.
"""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from sessions_app import personal_data
from sessions_app.csv_files import guarded
from sessions_app.models import DataRequest, DataRequestStep, Learner, Student, User
from sessions_app.personal_data import Person
from sessions_app.refusals import Refused

COPY_KEPT_FOR = timedelta(days=30)
Kind, Status = DataRequest.Kind, DataRequest.Status


def request_make(
    *,
    kind: str,
    asked_by: str,
    student: Student | None = None,
    learner: Learner | None = None,
    recorded_by: User | None = None,
    note: str = "",
) -> DataRequest:
    """Write down what is asked. Refuses a second request of the same kind while one is open (`requested_already`)."""
    if student is None and learner is not None:
        student = learner.student
    at_once = kind == Kind.COPY or student is None
    try:
        with transaction.atomic():
            return DataRequest.objects.create(
                school_id=student.school_id if student else None,
                student=student,
                learner=learner,
                kind=kind,
                asked_by=asked_by,
                status=Status.ACCEPTED if at_once else Status.WAITING,
                recorded_by=recorded_by,
                note=note,
            )
    except IntegrityError:
        raise Refused("requested_already") from None


def request_accept(request: DataRequest, *, by: User) -> None:
    """Let a request that waits be answered."""
    _decide(request, Status.ACCEPTED, by=by)


def request_refuse(request: DataRequest, *, by: User) -> None:
    """End a request that waits without an answer; nothing of it is done."""
    _decide(request, Status.REFUSED, by=by, finished_at=timezone.now())


def _decide(request: DataRequest, status: DataRequest.Status, *, by: User, **more: Any) -> None:
    waiting = DataRequest.objects.filter(pk=request.pk, status=Status.WAITING)
    if not waiting.update(status=status, decided_by=by, decided_at=timezone.now(), **more):
        raise Refused("no_such_request")
    request.refresh_from_db()


def person_asking(request: DataRequest) -> Person:
    """Whose data it is: written down when the answer begins, so that it is known after the records are gone."""
    if request.subject is None:
        person = personal_data.person_of(student=request.student, learner=request.learner)
        request.subject = person.as_json()
        request.save(update_fields=["subject"])
    return Person.from_json(request.subject)


def is_ready(request: DataRequest) -> bool:
    """Whether there is a copy to be had."""
    kept = request.expires_at is not None and request.expires_at > timezone.now()
    return request.kind == Kind.COPY and request.status == Status.DONE and kept


def copies_expire() -> int:
    """Throw away the copies that were kept long enough; how many."""
    expired = DataRequest.objects.filter(kind=Kind.COPY, status=Status.DONE, expires_at__lte=timezone.now())
    done = 0
    for request in expired.filter(parts__isnull=False).distinct():
        request.parts.all().delete()
        done += 1
    return done


def steps(request: DataRequest) -> list[DataRequestStep]:
    return list(request.steps.order_by("position"))


def _parts(request: DataRequest) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    if not is_ready(request):
        raise Refused("copy_not_ready")
    for part in request.parts.order_by("id").iterator(chunk_size=20):
        yield part.table, part.content


def copy_as_json(request: DataRequest) -> str:
    """The copy as one JSON object: the tables by name, each a list of rows. Refuses `copy_not_ready`."""
    tables = dict(_parts(request))
    made = request.finished_at.isoformat() if request.finished_at else None
    return json.dumps({"made_at": made, "tables": tables}, ensure_ascii=False, indent=1)


def copy_as_archive(request: DataRequest) -> bytes:
    """The copy as a ZIP: a CSV for each table, the sound that is still kept, and the JSON. Refuses `copy_not_ready`."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for table, rows in _parts(request):
            archive.writestr(f"{table}.csv", _as_csv(rows))
        archive.writestr("copy.json", copy_as_json(request))
        for column, row in personal_data.files(person_asking(request)):
            name = getattr(row, column.name).name
            if column.storage.exists(name):
                with column.storage.open(name) as file:
                    archive.writestr(f"sound/{PurePosixPath(name).name}", file.read())
    return kept.getvalue()


def _as_csv(rows: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]) if rows else [])
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


def _cell(value: Any) -> object:
    return guarded(json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value)
