"""The stores of `sessions_app` in which a person has data: how each is emptied of them, and what it still holds.

Each function may be called again at any time, after a crash too: it does what is left to do. Counts are of rows.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pgtrigger
from django.conf import settings
from django.db import transaction
from django.db.models import F, Model, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sessions_app import enrolment, personal_data
from sessions_app.learners import account_hash
from sessions_app.models import (
    AccessLog,
    DataCopyPart,
    DataRequest,
    ErasedAccount,
    Learner,
    LearnerCode,
    RequestCount,
    SessionEvent,
    Student,
    StudentSession,
)
from sessions_app.personal_data import ROOTS, Person
from sessions_app.refusals import Refused

Tables = Iterable[tuple[str, list[dict[str, Any]]]]


class NotYet(Exception):
    """A store cannot be emptied just now, and is tried again. The text says what is waited for, and names nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """One place with data of persons.

    `erase` empties it of a person (rows deleted or emptied), `remains` counts what it still has of them, and `copy`
    gives it as named tables, where the person has not the same data from another store. `holds` are the personal fields
    that this store answers for, beyond what hangs on a person by foreign keys.
    """

    name: str
    label: Promise
    erase: Callable[[Person], int]
    remains: Callable[[Person], int]
    copy: Callable[[Person], Tables] | None = None
    holds: Mapping[type[Model], tuple[str, ...]] = field(default_factory=dict)


def _presence(person: Person) -> "QuerySet[StudentSession]":
    open_now = StudentSession.objects.filter(pk__in=person.runs, removed_at=None)
    return open_now.filter(session__status__in=["configured", "started"])


def presence_end(person: Person) -> int:
    """Take the person out of open sessions, archive them, and let no code, ticket or token of theirs open anything."""
    ended = 0
    for member in _presence(person).select_related("session__teacher"):
        with suppress(Refused):  # the session has ended in between
            enrolment.member_remove(member.session, student_session=member.pk, by=member.session.teacher)
            ended += 1
    with transaction.atomic():
        Student.objects.filter(pk__in=person.students, archived_at=None).update(archived_at=timezone.now())
        ended += LearnerCode.objects.filter(student__in=person.students).delete()[0]
        learners = Learner.objects.filter(pk__in=person.learners)
        learners.update(version=F("version") + 1)
        elsewhere = set(learners.exclude(issuer=settings.TOKENS_OF_OURS).values_list("issuer", "subject"))
        hashes = {account_hash(*account) for account in elsewhere}
        ErasedAccount.objects.bulk_create((ErasedAccount(account=each) for each in hashes), ignore_conflicts=True)
        ended += RequestCount.objects.filter(caller__in=person.accounts).delete()[0]
    return ended


def presence_remains(person: Person) -> int:
    """Requests that are refused from now on are counted still, under a hash of the account."""
    return _presence(person).count()


def files_delete(person: Person) -> int:
    """Delete the kept files; the rows that name them go with the records."""
    deleted = 0
    for column, row in personal_data.files(person):
        column.storage.delete(getattr(row, column.name).name)
        deleted += 1
    return deleted


def files_remain(person: Person) -> int:
    return sum(column.storage.exists(getattr(row, column.name).name) for column, row in personal_data.files(person))


def _events(person: Person) -> "QuerySet[SessionEvent]":
    """Events of or about the person."""
    return SessionEvent.objects.filter(session__in=person.sessions).filter(
        Q(student_session__in=person.ids) | Q(sender__in=person.ids)
    )


def _mentions(person: Person) -> "QuerySet[SessionEvent]":
    """Events, also of others, whose data name the person by an id."""
    with_text = SessionEvent.objects.filter(session__in=person.sessions).alias(text=Cast("payload", TextField()))
    return with_text.filter(text__regex="|".join(map(str, person.ids)) or "^$")


def timeline_empty(person: Person) -> int:
    """Leave of each of the person's events its id, place, kind and time; of those about others, drop who is named."""
    nothing = dict.fromkeys(("student_session", "sender", "key", "payload", "client_time"))
    with pgtrigger.ignore("sessions_app.SessionEvent:append_only"), transaction.atomic():
        return _events(person).update(**nothing) + _mentions(person).update(payload=None)


def timeline_remains(person: Person) -> int:
    return _events(person).count() + _mentions(person).count()


def timeline_copy(person: Person) -> Tables:
    events = SessionEvent.objects.filter(session__in=person.sessions, student_session__in=person.runs)
    columns = ("session_id", "seq", "event_type", "event_time", "payload", "late")
    yield (
        "events",
        [
            {**row, "session_id": str(row["session_id"]), "event_time": row["event_time"].isoformat()}
            for row in events.order_by("session", "seq").values(*columns)
        ],
    )


def records_delete(person: Person) -> int:
    """Delete the person, and with them every record that hangs on them."""
    with transaction.atomic():
        return sum(
            root._default_manager.filter(pk__in=getattr(person, ids)).delete()[0]
            for root, ids in sorted(ROOTS.items(), key=lambda each: each[0] is Student)
        )


def records_remain(person: Person) -> int:
    return sum(mine.count() for _model, mine in personal_data.rows(person))


def records_copy(person: Person) -> Tables:
    for model, mine in personal_data.rows(person):
        if mine.exists():
            yield str(model._meta.model_name), [personal_data.told(row) for row in mine.order_by("pk").iterator()]


def log_forget(person: Person) -> int:
    """Leave of each reading who read what kind of page, and not of whom."""
    return AccessLog.objects.filter(object_id__in=person.ids).update(object_id=None)


def log_remains(person: Person) -> int:
    return AccessLog.objects.filter(object_id__in=person.ids).count()


def log_copy(person: Person) -> Tables:
    readings = AccessLog.objects.filter(object_id__in=person.ids).order_by("id").values_list("at", "action")
    yield "readings", [{"at": at.isoformat(), "page": action} for at, action in readings]


def _other_requests(person: Person) -> "QuerySet[DataRequest]":
    """Requests that are over and say whose they were: those of the person that nothing else names any more."""
    over = DataRequest.objects.exclude(status__in=DataRequest.OPEN).exclude(subject=None)
    theirs = Q(pk=None)
    for name in ("students", "learners"):
        for each in getattr(person, name):
            theirs |= Q(subject__contains={name: [str(each)]})
    return over.filter(theirs)


def requests_forget(person: Person) -> int:
    """Throw away the copies that were made, and whose they were."""
    others = _other_requests(person)
    deleted = DataCopyPart.objects.filter(request__in=others).delete()[0]
    return deleted + others.update(subject=None, note="")


def requests_remain(person: Person) -> int:
    return _other_requests(person).count()


STORES = (
    Store(
        name="presence",
        label=_("open sessions, codes and tokens"),
        erase=presence_end,
        remains=presence_remains,
        holds={RequestCount: ("pk", "caller")},
    ),
    Store(name="files", label=_("kept sound"), erase=files_delete, remains=files_remain),
    Store(
        name="timeline",
        label=_("timelines of sessions"),
        erase=timeline_empty,
        remains=timeline_remains,
        copy=timeline_copy,
        holds={SessionEvent: ("student_session", "sender", "payload")},
    ),
    Store(
        name="records",
        label=_("the person with their records"),
        erase=records_delete,
        remains=records_remain,
        copy=records_copy,
    ),
    Store(
        name="access_log",
        label=_("access log"),
        erase=log_forget,
        remains=log_remains,
        copy=log_copy,
        holds={AccessLog: ("object_id",)},
    ),
    Store(
        name="requests",
        label=_("copies made before"),
        erase=requests_forget,
        remains=requests_remain,
        holds={DataRequest: ("subject", "note"), DataCopyPart: ("content",)},
    ),
)
"""In the order in which they are emptied: what names the person is found by the records, so those come late."""
