"""The outbox: what is marked arrives in DynamoDB as it is now, and what cannot is told."""

import threading
import uuid
from datetime import timedelta
from unittest import mock

import pytest
from botocore.exceptions import ClientError
from django.db import OperationalError, connection
from django.utils import timezone

from analytics_app.mirror import items, keys, leases, outbox
from analytics_app.mirror.leases import Pace
from analytics_app.mirror.outbox import Outbox
from analytics_app.mirror.schema import TABLES
from analytics_app.mirror.writer import Outcome, Tables, Verdict, Write
from analytics_app.models import DeadLetter, MirrorHour, OutboxItem
from sessions_app import lifecycle
from sessions_app.models import LiveSession, School, Student, StudentSession, User
from tests.cast import join, make_session, make_student

pytestmark = pytest.mark.django_db


def mirrored(tables: Tables, key: keys.Key) -> dict | None:
    return tables.get([key]).get(key)


def everything(tables: Tables) -> list[dict]:
    return [item for name in TABLES for page in tables.scan(name) for item in page]


def test_what_is_marked_arrives_and_the_outbox_is_empty(drain: Outbox, tables: Tables, sam_in: StudentSession):
    assert drain.drain() == 0
    assert mirrored(tables, items.SESSION.key(sam_in.pk))["student_id"] == str(sam_in.student_id)
    assert mirrored(tables, items.STUDENT_PROFILE.key(sam_in.student_id))["metadata"]["total_sessions"] == 1
    assert not OutboxItem.objects.exists()


def test_the_newest_state_is_written_once_for_many_changes(drain: Outbox, tables: Tables, sam: Student):
    for age in (11, 12, 13):
        Student.objects.filter(pk=sam.pk).update(age=age)
    counts = drain.drain_pass()
    assert (counts.claimed, counts.written) == (1, 1)
    assert mirrored(tables, items.STUDENT_PROFILE.key(sam.pk))["demographics"]["age"] == 13


def test_a_session_follows_its_class(drain: Outbox, tables: Tables, session: LiveSession, sam_in, alice: User):
    drain.drain()
    lifecycle.session_start(session, by=alice)
    lifecycle.session_end(session, by=alice)
    drain.drain()
    item = mirrored(tables, items.SESSION.key(sam_in.pk))
    assert item["timeline"]["session_end"] == keys.timestamp(LiveSession.objects.get(pk=session.pk).ended_at)


def test_what_is_deleted_is_deleted(drain: Outbox, tables: Tables, sam: Student, sam_in: StudentSession):
    drain.drain()
    key = items.SESSION.key(sam_in.pk)
    sam_in.delete()
    drain.drain()
    assert mirrored(tables, key) is None
    assert mirrored(tables, items.STUDENT_PROFILE.key(sam.pk))["metadata"]["total_sessions"] == 0


def test_another_activity_moves_the_item_to_the_other_table(
    drain: Outbox, tables: Tables, session: LiveSession, sam_in: StudentSession
):
    drain.drain()
    LiveSession.objects.filter(pk=session.pk).update(activity="conversation")
    drain.drain()
    assert mirrored(tables, items.SESSION.key(sam_in.pk)) is None
    assert mirrored(tables, items.READING_SESSION.key(sam_in.pk))["Activity"] == "conversation"


def test_simulated_students_are_left_out_except_at_the_sample_school(drain: Outbox, tables: Tables, grade_four):
    robot = make_student(grade_four, "Robot", is_simulated=True)
    drain.drain()
    assert mirrored(tables, items.STUDENT_PROFILE.key(robot.pk)) is None
    School.objects.update(is_sample=True)
    drain.drain()
    assert mirrored(tables, items.STUDENT_PROFILE.key(robot.pk)) is not None


def test_no_name_gets_into_any_item(drain: Outbox, tables: Tables, alice: User, grade_four, tia: Student, sam_in):
    Student.objects.update(name="Canary-Name", label="Canary-Label")
    Student.objects.filter(pk=tia.pk).update(external_id="Canary-Number")
    StudentSession.objects.update(label="Canary-Label", device="Canary-Device")
    User.objects.update(first_name="Canary-First", last_name="Canary-Last", email="canary@school.example")
    join(make_session(alice, grade_four, activity="reading", title="Canary-Title"), tia)
    tia.refresh_from_db()
    drain.drain()
    written = repr(everything(tables))
    assert str(tia.pk) in written
    assert "canary" not in written.lower()
    assert tia.pseudonym not in written


def test_a_change_during_the_write_keeps_the_item_in_the_outbox(drain: Outbox, tables: Tables, sam: Student):
    def write_slowly(writes):
        Student.objects.filter(pk=sam.pk).update(age=17)
        return Tables.write(tables, writes)

    with mock.patch.object(tables, "write", write_slowly):
        drain.drain_pass()
    [item] = OutboxItem.objects.all()
    assert (item.lease_id, item.attempts) == (None, 0)
    drain.drain()
    assert mirrored(tables, items.STUDENT_PROFILE.key(sam.pk))["demographics"]["age"] == 17


def test_a_claimed_item_is_not_claimed_by_another(sam: Student, tia: Student):
    first = leases.claim(uuid.uuid4(), pace=Pace(claim=1))
    second = leases.claim(uuid.uuid4(), pace=Pace())
    assert len(first) == 1
    assert {claim.pk for claim in first}.isdisjoint({claim.pk for claim in second})


def test_a_late_write_after_a_lost_lease_is_written_over(tables: Tables, sam: Student):
    stalled, pace = uuid.uuid4(), Pace(lease=-1, settling=0)
    [claim] = leases.claim(stalled, pace=pace)
    old = items.STUDENT_PROFILE.key(sam.pk)
    Student.objects.filter(pk=sam.pk).update(age=15)
    Outbox(tables, pace=Pace(settling=-1)).drain()
    stale = Write(old, {"PK": old.pk, "SK": old.sk, "stale": True})
    tables.write([stale])
    leases.settle([(claim, Outcome(stale, Verdict.DONE))], holder=stalled, pace=pace, claimed_at=timezone.now())
    Outbox(tables).drain()
    assert mirrored(tables, old)["demographics"]["age"] == 15


def test_an_item_whose_holder_vanished_is_written_and_confirmed_later(tables: Tables, sam: Student):
    leases.claim(uuid.uuid4(), pace=Pace(lease=-1))
    Outbox(tables).drain()
    [item] = OutboxItem.objects.all()
    assert item.marked_at is None
    assert item.next_attempt_at == item.unsure_until > timezone.now()


def test_an_item_that_waits_for_its_confirmation_is_written_at_once_when_it_changes(tables: Tables, sam: Student):
    leases.claim(uuid.uuid4(), pace=Pace(lease=-1))
    Outbox(tables).drain()
    Student.objects.filter(pk=sam.pk).update(age=18)
    assert Outbox(tables).drain() == 0
    assert mirrored(tables, items.STUDENT_PROFILE.key(sam.pk))["demographics"]["age"] == 18


def test_a_poisoned_item_is_given_up_with_the_reason_and_the_others_go_on(
    drain: Outbox, tables: Tables, sam: Student, tia: Student
):
    Student.objects.filter(pk=sam.pk).update(prior_knowledge_topics=["x" * 64] * 7000)
    counts = drain.drain_pass()
    assert (counts.written, counts.died) == (1, 1)
    [letter] = DeadLetter.objects.all()
    assert (letter.entity_id, letter.error_code, letter.attempts) == (sam.pk, "item_too_large", 1)
    assert letter.item["student_id"] == str(sam.pk)
    assert "bytes" in letter.reason
    assert not OutboxItem.objects.exists()


def test_a_dead_letter_goes_when_the_item_has_been_written_after_all(drain: Outbox, sam: Student):
    Student.objects.filter(pk=sam.pk).update(prior_knowledge_topics=["x" * 64] * 7000)
    drain.drain()
    Student.objects.filter(pk=sam.pk).update(prior_knowledge_topics=["railways"])
    drain.drain()
    assert not DeadLetter.objects.exists()


def test_what_dynamodb_refuses_is_found_by_halving_the_batch(drain: Outbox, tables: Tables, sam, tia, grade_four):
    others = [make_student(grade_four, f"Student {n}") for n in range(6)]
    bad = items.STUDENT_PROFILE.key(sam.pk)
    once = tables._once

    def refuse(**request):
        [writes] = request["RequestItems"].values()
        if any(w["PutRequest"]["Item"]["PK"]["S"] == bad.pk for w in writes):
            error = {"Error": {"Code": "ValidationException", "Message": "no"}, "ResponseMetadata": {}}
            raise ClientError(error, "BatchWriteItem")
        return once.batch_write_item(**request)

    tables.__dict__["_once"] = mock.Mock(batch_write_item=refuse)
    counts = drain.drain_pass()
    assert (counts.written, counts.died) == (len(others) + 1, 1)
    assert DeadLetter.objects.get().error_code == "ValidationException"


def test_a_missing_table_is_created_and_filled_again(drain: Outbox, tables: Tables, sam: Student, sam_in):
    drain.drain()
    tables._patient.delete_table(TableName=tables.prefix + keys.SOCRATIC)
    Student.objects.filter(pk=sam.pk).update(age=12)
    assert drain.drain() == 0
    assert mirrored(tables, items.SESSION.key(sam_in.pk)) is not None


def test_the_hour_counts_what_was_done(drain: Outbox, sam: Student, sam_in: StudentSession):
    drain.drain()
    sam_in.delete()
    drain.drain()
    hour = MirrorHour.objects.get()
    assert (hour.written, hour.deleted, hour.died, hour.batches) == (4, 1, 0, 2)
    assert hour.longest_delay_seconds <= hour.delay_seconds


def test_failed_attempts_wait_longer_and_longer():
    longest = [Pace(first_wait=1, longest_wait=60).wait(attempts) for attempts in range(200)]
    assert all(timedelta(0) <= wait <= timedelta(seconds=min(60, 2**n)) for n, wait in enumerate(longest))


def test_the_drain_survives_a_database_that_goes_away(tables: Tables, sam: Student, monkeypatch):
    stop = threading.Event()
    claim, failures = leases.claim, [OperationalError("gone"), OperationalError("gone")]

    def failing(*args, **options):
        if failures:
            raise failures.pop()
        found = claim(*args, **options)
        if not found:
            stop.set()
        return found

    monkeypatch.setattr(outbox, "_pause", lambda failures: 0.0)
    monkeypatch.setattr(connection, "close", lambda: None)
    monkeypatch.setattr(leases, "claim", failing)
    outbox.run(stop, tables=tables)
    assert mirrored(tables, items.STUDENT_PROFILE.key(sam.pk)) is not None
    assert not failures


def test_the_worker_creates_the_tables_that_are_missing(settings, sam: Student, monkeypatch):
    stop = threading.Event()
    tables = Tables(prefix=f"{settings.DYNAMODB_TABLE_PREFIX}{uuid.uuid4().hex[:8]}_")
    record = outbox._record

    def record_and_stop(counts: outbox.Counts) -> None:
        record(counts)
        stop.set()

    monkeypatch.setattr(outbox, "_record", record_and_stop)
    monkeypatch.setattr(connection, "close", lambda: None)
    outbox.run(stop, tables=tables)
    assert mirrored(tables, items.STUDENT_PROFILE.key(sam.pk)) is not None


def test_a_drain_that_is_stopped_gives_its_claims_back(tables: Tables, sam: Student):
    stop = threading.Event()
    stop.set()
    drain = Outbox(tables)
    assert drain.drain_pass(stop=stop).claimed == 1
    drain.release()
    assert OutboxItem.objects.get().lease_id is None


@pytest.mark.django_db(transaction=True)
def test_two_drains_beside_each_other_write_each_item_once(tables: Tables, grade_four):
    students = [make_student(grade_four, f"Student {n}") for n in range(60)]
    written: list[str] = []

    def count(self, writes):
        written.extend(write.key.pk for write in writes)
        return [Outcome(write, Verdict.DONE) for write in writes]

    def drain_all():
        Outbox(tables, pace=Pace(claim=7)).drain()
        connection.close()

    with mock.patch.object(Tables, "write", count):
        threads = [threading.Thread(target=drain_all) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(written) == sorted(keys.student(student.pk) for student in students)
