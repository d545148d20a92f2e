"""Requests about one's own data, answered by the worker: every store of both apps, one after the other.

Each step is kept with its state, so that an answer that was cut off goes on where it was. A deletion ends with a look
at every store; where something is found, its store is emptied again.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from analytics_app.mirror import keys
from analytics_app.mirror.schema import TABLES
from analytics_app.mirror.writer import Away, TableMissing, Tables
from analytics_app.models import Analysis, DeadLetter, HourlyPeople, OutboxItem
from analytics_app.qualitative import runs
from sessions_app import data_requests, erasure
from sessions_app.data_requests import COPY_KEPT_FOR
from sessions_app.erasure import NotYet, Store
from sessions_app.models import DataCopyPart, DataRequest, DataRequestStep
from sessions_app.personal_data import Person

log = logging.getLogger(__name__)

Status = DataRequestStep.Status


def _people(person: Person) -> Q:
    return Q(person__in=person.ids)


def rollups_forget(person: Person) -> int:
    """Take the person out of the counted hours; triggers have marked those that are to be counted again."""
    return HourlyPeople.objects.filter(_people(person)).delete()[0]


def rollups_remain(person: Person) -> int:
    return HourlyPeople.objects.filter(_people(person)).count()


_JOBS = "FROM procrastinate_jobs WHERE args::text ~ %s AND status <> 'doing'"


def jobs_forget(person: Person) -> int:
    """Delete the jobs that name the person; one that is being done ends by itself, as its row is gone."""
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE {_JOBS}", [_any(person)])
        return int(cursor.rowcount)


def jobs_remain(person: Person) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {_JOBS}", [_any(person)])
        [left] = cursor.fetchone()
    return int(left)


def _any(person: Person) -> str:
    """A pattern of all ids of a person, which matches nothing where there is none."""
    return "|".join(map(str, person.ids)) or "^$"


def _items(person: Person) -> Iterator[dict[str, object]]:
    """What DynamoDB still holds in the person's partitions."""
    tables = Tables()
    partitions = [*map(keys.student, person.students), *map(keys.session, person.runs)]
    try:
        for table in TABLES:
            for pk in partitions:
                for page in tables.query(table, pk=pk):
                    yield from page
    except TableMissing:
        return
    except Away:
        raise NotYet("DynamoDB cannot be reached; the deletion goes on when it can.") from None


def mirror_forget(person: Person) -> int:
    """Wait until the outbox has deleted the person's items, then forget that there were any."""
    mine = OutboxItem.objects.filter(entity_id__in=person.ids)
    if mine.filter(Q(marked_at__isnull=False) | Q(unsure_until__isnull=False)).exists() or any(_items(person)):
        raise NotYet("The outbox is deleting the items in DynamoDB.")
    letters: int = _letters(person).delete()[0]
    return mine.delete()[0] + letters


def mirror_remains(person: Person) -> int:
    waiting: int = OutboxItem.objects.filter(entity_id__in=person.ids).count() + _letters(person).count()
    return waiting + sum(1 for _item in _items(person))


def _letters(person: Person) -> QuerySet[DeadLetter]:
    with_text = DeadLetter.objects.alias(text=Cast("item", TextField()))
    return with_text.filter(Q(entity_id__in=person.ids) | Q(text__regex=_any(person)))


def analyses_forget(person: Person) -> int:
    """Throw away the results of analyses that have lost a text, of this person's or another's, and ask for new ones."""
    return runs.make_outdated_again()


def analyses_remain(person: Person) -> int:
    """Results in which words of texts stand that were deleted. Whose they were is not known any more."""
    return Analysis.objects.filter(outdated_at__isnull=False).count()


STORES: tuple[Store, ...] = (
    *erasure.STORES,
    Store(
        name="analyses",
        label=_("results of qualitative analyses"),
        erase=analyses_forget,
        remains=analyses_remain,
    ),
    Store(
        name="jobs",
        label=_("jobs that wait"),
        erase=jobs_forget,
        remains=jobs_remain,
    ),
    Store(
        name="rollups",
        label=_("people in counted hours"),
        erase=rollups_forget,
        remains=rollups_remain,
        holds={HourlyPeople: ("pk", "person")},
    ),
    Store(
        name="mirror",
        label=_("DynamoDB and the outbox"),
        erase=mirror_forget,
        remains=mirror_remains,
        holds={OutboxItem: ("entity_id", "former_keys"), DeadLetter: ("entity_id", "item")},
    ),
)
"""Every store, in the order in which a deletion goes through them. A new place with data of persons is a line here."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What one pass did: requests that are done now, those that wait for something, and copies that expired."""

    done: int
    waiting: int
    expired: int


def answer_requests() -> Answers:
    """Go on with every accepted request, the one that was worked on longest ago first.

    A store that fails leaves its step `failed` and the error rising, for the log; the next pass begins with another
    request.
    """
    open_now = DataRequest.objects.filter(status__in=[DataRequest.Status.ACCEPTED, DataRequest.Status.RUNNING])
    done = waiting = 0
    for pk in list(open_now.order_by(F("attempted_at").asc(nulls_first=True)).values_list("pk", flat=True)):
        with _alone(pk) as ours:
            request = open_now.filter(pk=pk).first() if ours else None
            if request is not None:
                answered = _answer(request)
                done, waiting = done + answered, waiting + (not answered)
    return Answers(done, waiting, data_requests.copies_expire())


@contextmanager
def _alone(pk: object) -> Iterator[bool]:
    """Whether this process alone works on a request; two workers may run the same pass."""
    name = f"data request {pk}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name])
        [ours] = cursor.fetchone()
    try:
        yield bool(ours)
    finally:
        if ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])


def _answer(request: DataRequest) -> bool:
    """Go through the stores that are left; whether the request is done."""
    now = timezone.now()
    person = data_requests.person_asking(request)
    request.attempted_at = now
    request.started_at = request.started_at or now
    request.status = DataRequest.Status.RUNNING
    request.save(update_fields=["attempted_at", "started_at", "status"])
    stores = [store for store in STORES if request.kind == DataRequest.Kind.DELETION or store.copy]
    DataRequestStep.objects.bulk_create(
        (DataRequestStep(request=request, store=s.name, position=n) for n, s in enumerate(stores)),
        ignore_conflicts=True,
    )
    for store in stores:
        step = request.steps.get(store=store.name)
        if step.status != Status.DONE and not _take(step, store, person):
            return False
    if request.kind == DataRequest.Kind.DELETION and not _is_gone(request, person):
        return False
    _finish(request, timezone.now())
    return True


def _take(step: DataRequestStep, store: Store, person: Person) -> bool:
    """Do one step; whether it is done. What it waits for, or how it failed, stands in it."""
    step.status, step.message, step.attempts = Status.RUNNING, "", step.attempts + 1
    step.started_at = step.started_at or timezone.now()
    step.save()
    try:
        if step.request.kind == DataRequest.Kind.DELETION:
            step.rows += store.erase(person)
        else:
            step.rows = _copy(step, store, person)
    except NotYet as wait:
        step.status, step.message = Status.WAITING, str(wait)[:300]
    except BaseException as error:
        step.status, step.message = Status.FAILED, type(error).__name__
        step.save()
        raise
    else:
        step.status, step.finished_at = Status.DONE, timezone.now()
    step.save()
    return step.status == Status.DONE


def _copy(step: DataRequestStep, store: Store, person: Person) -> int:
    assert store.copy is not None
    rows = 0
    with transaction.atomic():
        DataCopyPart.objects.filter(request=step.request, store=store.name).delete()
        for table, content in store.copy(person):
            DataCopyPart.objects.create(request=step.request, store=store.name, table=table, content=content)
            rows += len(content)
    return rows


def _is_gone(request: DataRequest, person: Person) -> bool:
    """Look at every store once more; one that holds something of the person is to be emptied again."""
    gone = True
    for store in STORES:
        try:
            left = store.remains(person)
        except NotYet as wait:
            request.steps.filter(store=store.name).update(status=Status.WAITING, message=str(wait)[:300])
            gone = False
        else:
            if left:
                log.warning("a deletion found %d rows again in %s", left, store.name)
                request.steps.filter(store=store.name).update(status=Status.PENDING, finished_at=None)
                gone = False
    return gone


def _finish(request: DataRequest, now: datetime) -> None:
    request.status, request.finished_at = DataRequest.Status.DONE, now
    if request.kind == DataRequest.Kind.DELETION:
        request.subject, request.note = None, ""
        request.student = request.learner = None
    else:
        request.expires_at = now + COPY_KEPT_FOR
    request.save()
