"""Whatever DynamoDB and the network do to the writes: when they are well again, the mirror agrees."""

import os
import random
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from functools import partialmethod
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from analytics_app.mirror import agreement, items, outbox
from analytics_app.mirror.leases import Pace
from analytics_app.mirror.outbox import Outbox
from analytics_app.mirror.writer import Away, Tables
from analytics_app.models import DeadLetter, MirrorHour, OutboxItem
from sessions_app.models import LiveSession, Student, StudentSession
from tests.analytics_app.mirror.fault_proxy import Faults, proxy
from tests.cast import join, make_student

pytestmark = pytest.mark.django_db

IMPATIENT = Pace(first_wait=0.005, longest_wait=0.02, settling=1.0, lease=60)
LATE = 0.4


@contextmanager
def behind(faults: Faults, tables: Tables):
    """The tables of the test as a client sees them through the proxy."""
    with proxy(os.environ["AWS_ENDPOINT_URL"], faults) as url:
        yield Tables(prefix=tables.prefix, endpoint=url, answer_seconds=LATE / 2)


def try_to_drain(drain: Outbox) -> None:
    try:
        drain.drain_pass()
    except Away:
        drain.release()


def drain_to_the_end(drain: Outbox) -> None:
    """Also what waits to be confirmed."""
    while OutboxItem.objects.exists():
        try_to_drain(drain)
        time.sleep(0.02)


def random_changes(session: LiveSession, chance: random.Random) -> list[Callable[[], object]]:
    """Things that happen to a class: students come, change, are deleted, move with their class to the other table."""

    def come() -> None:
        join(session, make_student(session.school_class, f"Student {chance.random()}", age=10))

    def change() -> None:
        Student.objects.filter(pk__in=some(Student)).update(age=chance.randint(5, 20))

    def leave() -> None:
        StudentSession.objects.filter(pk__in=some(StudentSession)).delete()

    def forget() -> None:
        Student.objects.filter(pk__in=some(Student)).delete()

    def turn() -> None:
        LiveSession.objects.update(activity=chance.choice(["socratic", "reading"]))

    def some(model) -> list:
        pks = list(model.objects.order_by("pk").values_list("pk", flat=True))
        return chance.sample(pks, k=min(len(pks), chance.randint(0, 2)))

    return [come, come, come, change, change, leave, forget, turn]


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_after_any_faults_the_mirror_agrees_and_nothing_is_resurrected(
    rate: float, tables: Tables, session: LiveSession
):
    chance = random.Random(rate)
    faults = Faults(rate=rate, late_seconds=LATE, chance=random.Random(rate + 1))
    with behind(faults, tables) as shaky:
        drain = Outbox(shaky, pace=IMPATIENT)
        for _ in range(30):
            chance.choice(random_changes(session, chance))()
            if chance.random() < 0.5:
                try_to_drain(drain)
        faults.rate = 0.0
        drain_to_the_end(drain)
        faults.wait_for_late_ones()
    found = agreement.compare(tables)
    assert (found.disagreeing, found.pending) == ([], [])
    assert found.compared == Student.objects.count() + StudentSession.objects.count()
    assert not DeadLetter.objects.exists()
    assert bool(faults.met) == (rate > 0)


def resurrect(tables: Tables, student: Student, pace: Pace) -> agreement.Agreement:
    """Delete a student while a write of them is under way, which arrives after the deletion was written; compare."""
    faults = Faults(rate=1.0, kinds=("late",), late_seconds=LATE, held=True)
    with behind(faults, tables) as shaky:
        drain = Outbox(shaky, pace=pace)
        try_to_drain(drain)
        faults.rate = 0.0
        Student.objects.filter(pk=student.pk).delete()
        while not faults.written:
            try_to_drain(drain)
        faults.let_go()
        drain_to_the_end(drain)
    return agreement.compare(tables)


def test_a_late_put_does_not_bring_a_deleted_student_back(tables: Tables, sam: Student):
    assert resurrect(tables, sam, IMPATIENT).agrees


def test_without_the_confirmation_it_would(tables: Tables, sam: Student):
    careless = Pace(first_wait=0.001, longest_wait=0.001, settling=-1.0)
    assert resurrect(tables, sam, careless).extra == [items.STUDENT_PROFILE.key(sam.pk)]


def test_only_what_was_not_processed_is_sent_again(tables: Tables, grade_four):
    students = [make_student(grade_four, f"Student {n}") for n in range(20)]
    faults = Faults(rate=1.0, kinds=("unprocessed",))
    with behind(faults, tables) as shaky:
        drain_to_the_end(Outbox(shaky, pace=IMPATIENT))
    assert sorted(pk for pk, _ in faults.written) == sorted(f"STUDENT#{student.pk}" for student in students)


def test_an_item_at_which_dynamodb_itself_fails_is_sent_alone_and_given_up_in_the_end(tables: Tables, sam, tia):
    faults = Faults(rate=1.0, kinds=("error",))
    with behind(faults, tables) as shaky:
        drain = Outbox(shaky, pace=Pace(first_wait=0, longest_wait=0, alone_after=2, most_attempts=4))
        for _ in range(4):
            drain.drain_pass()
    assert faults.batches == [2, 2, 1, 1, 1, 1]
    assert {letter.error_code for letter in DeadLetter.objects.all()} == {"InternalServerError"}
    assert not OutboxItem.objects.exists()


def test_throttling_never_gives_an_item_up(tables: Tables, sam: Student):
    faults = Faults(rate=1.0, kinds=("throttled",))
    with behind(faults, tables) as shaky:
        drain = Outbox(shaky, pace=Pace(first_wait=0, longest_wait=0, most_attempts=3))
        for _ in range(6):
            drain.drain_pass()
    item = OutboxItem.objects.get()
    assert (item.attempts, item.last_error) == (6, "ProvisionedThroughputExceededException")


def test_a_dynamodb_that_is_away_costs_no_item_an_attempt_of_its_own(tables: Tables, grade_four):
    for n in range(30):
        make_student(grade_four, f"Student {n}")
    nowhere = Outbox(Tables(prefix=tables.prefix, endpoint="http://127.0.0.1:9"))
    with pytest.raises(Away, match="Could not connect"):
        nowhere.drain_pass()
    nowhere.release()
    assert OutboxItem.objects.filter(attempts=0, lease_id=None).count() == 5
    assert not OutboxItem.objects.exclude(unsure_until=None).exists()


def test_the_worker_waits_for_a_dynamodb_that_is_away(tables: Tables, sam: Student, monkeypatch):
    stop = threading.Event()
    faults = Faults(rate=1.0, kinds=("dropped",))

    def pause(failures: int) -> float:
        faults.rate = 0.0 if failures == 3 else 1.0
        return 0.0

    monkeypatch.setattr(outbox, "_pause", pause)
    monkeypatch.setattr(outbox, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(connection, "close", lambda: None)
    with behind(faults, tables) as shaky:
        look = shaky.check
        monkeypatch.setattr(shaky, "check", lambda: look() if OutboxItem.objects.exists() else stop.set())
        monkeypatch.setattr(outbox, "LOOK_AT_TABLES_SECONDS", 0.0)
        outbox.run(stop, tables=shaky, pace=Pace(first_wait=0, longest_wait=0, settling=0))
    assert faults.met == ["dropped"] * 3
    assert MirrorHour.objects.get().failed_passes == 3
    assert agreement.compare(tables).agrees


def test_the_command_tells_when_items_could_not_be_written(tables: Tables, sam: Student, monkeypatch, capsys):
    faults = Faults(rate=1.0, kinds=("throttled",))
    impatient = partialmethod(Outbox.drain, patience=0.0)
    monkeypatch.setattr(Outbox, "drain", impatient)
    with (
        behind(faults, tables) as shaky,
        mock.patch.dict(os.environ, AWS_ENDPOINT_URL=shaky.endpoint),
        pytest.raises(CommandError, match="1 items could not be written"),
    ):
        call_command("mirror_dynamodb", "--once")
