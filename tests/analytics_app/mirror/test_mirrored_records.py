"""The records of a run in DynamoDB: how they follow their rows, and what is written together."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from unittest import mock

import pytest
from botocore.exceptions import ClientError
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from analytics_app.mirror import agreement, guards, keys, leases, records
from analytics_app.mirror.kinds import KINDS
from analytics_app.mirror.leases import Pace
from analytics_app.mirror.outbox import Outbox
from analytics_app.mirror.writer import Tables, Verdict, Write
from analytics_app.models import DeadLetter, OutboxItem
from sessions_app.models import (
    Exchange,
    Intervention,
    LiveSession,
    LocationVerification,
    School,
    StudentSession,
    Study,
    User,
)
from tests.analytics_app import recorded
from tests.analytics_app.recorded import items_of, stored
from tests.seeded import seed_runs

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("mirrored records")]  # one study, one worker

ironworks, school, alice = recorded.ironworks, recorded.school, recorded.alice
runs, dynamic = recorded.runs, recorded.dynamic


@pytest.fixture(scope="module")
def written(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Study]:
    """Three runs on site, the first with dynamic questions."""
    with recorded.study_with_runs(django_db_blocker, sessions=3) as study:
        yield study


def test_everything_of_a_run_arrives_and_agrees(drain: Outbox, tables: Tables, dynamic: StudentSession):
    assert drain.drain() == 0
    found = stored(tables, dynamic)
    assert sorted(key.partition("#")[0] for key in found) == [
        "ASSESSMENT", "ASSESSMENT", "CONTENT_DELIVERY", "INTERVENTION", "INTERVENTION", "LOCATION_VERIFICATION",
        "METADATA", "POST_SURVEY",
    ]  # fmt: skip
    compared = agreement.compare(tables)
    assert (compared.agrees, compared.pending) == (True, [])


def test_an_intervention_whose_time_is_corrected_leaves_nothing_behind(
    drain: Outbox, tables: Tables, dynamic: StudentSession
):
    drain.drain()
    Intervention.objects.filter(student_session=dynamic, number=1).update(
        opened_at=dynamic.interventions.get(number=1).opened_at - timedelta(seconds=7)
    )
    drain.drain()
    assert [key for key in stored(tables, dynamic) if key.startswith("INTERVENTION#")] == [
        item["SK"] for item in items_of(dynamic, "interventions")
    ]
    assert agreement.compare(tables).agrees


@pytest.mark.parametrize("change", ["deleted", "abandoned", "moved twice", "plain SQL"])
def test_an_intervention_that_goes_takes_its_item_with_it(
    drain: Outbox, tables: Tables, dynamic: StudentSession, change: str
):
    drain.drain()
    first = Intervention.objects.filter(student_session=dynamic, number=1)
    if change == "deleted":
        first.get().delete()
    elif change == "abandoned":
        first.update(status="abandoned")
    elif change == "moved twice":
        for minutes in (1, 2):
            first.update(opened_at=first.get().opened_at - timedelta(minutes=minutes))
    else:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM sessions_app_exchangescore")
            cursor.execute("DELETE FROM sessions_app_exchange")
            cursor.execute("DELETE FROM sessions_app_intervention WHERE number = 1")
    drain.drain()
    left = {key for key in stored(tables, dynamic) if key.startswith("INTERVENTION#")}
    assert left == {item["SK"] for item in items_of(dynamic, "interventions")}
    assert agreement.compare(tables).agrees


def test_a_deleted_run_leaves_nothing_at_all(drain: Outbox, tables: Tables, dynamic: StudentSession):
    drain.drain()
    member = StudentSession.objects.get(pk=dynamic.pk)
    dynamic.delete()
    drain.drain()
    assert stored(tables, member) == {}
    assert agreement.compare(tables).agrees


def test_an_activity_that_becomes_another_takes_all_records_out(drain: Outbox, tables: Tables, dynamic: StudentSession):
    drain.drain()
    LiveSession.objects.filter(pk=dynamic.session_id).update(activity="reading")
    drain.drain()
    assert stored(tables, dynamic) == {}
    assert agreement.compare(tables).agrees


def test_simulated_runs_are_mirrored_while_their_school_is_the_sample(
    drain: Outbox, tables: Tables, ironworks: Study, school: School, alice: User
):
    School.objects.update(is_sample=True)
    [run] = seed_runs(ironworks, school, alice, sessions=1, simulated=True)
    drain.drain()
    assert len(stored(tables, run)) > 1
    School.objects.filter(pk=school.pk).update(is_sample=False)
    drain.drain()
    assert stored(tables, run) == {}


def test_a_student_who_is_erased_is_null_in_every_record(drain: Outbox, tables: Tables, dynamic: StudentSession):
    drain.drain()
    dynamic.student.delete()
    drain.drain()
    assert {item["student_id"] for item in stored(tables, dynamic).values()} == {None}
    assert agreement.compare(tables).agrees


def test_a_verification_is_written_in_one_transaction_with_session_and_profile(
    drain: Outbox, tables: Tables, dynamic: StudentSession
):
    drain.drain()
    LocationVerification.objects.filter(student_session=dynamic).update(attempts=2)
    with mock.patch.object(Tables, "write_together", autospec=True, side_effect=Tables.write_together) as together:
        drain.drain()
    [call] = together.call_args_list
    assert {(write.key.pk, write.key.sk) for write in call.args[1]} == {
        (f"SESSION#{dynamic.pk}", "LOCATION_VERIFICATION"), (f"SESSION#{dynamic.pk}", "METADATA"),
        (f"STUDENT#{dynamic.student_id}", "PROFILE"),
    }  # fmt: skip
    assert not OutboxItem.objects.exists()


def test_a_verification_waits_while_another_drain_holds_its_session(
    drain: Outbox, tables: Tables, dynamic: StudentSession
):
    drain.drain()
    other = uuid.uuid4()
    held = leases.claim_these([("session", dynamic.pk)], holder=other, pace=Pace())
    LocationVerification.objects.filter(student_session=dynamic).update(attempts=2)
    drain.drain_pass()
    waiting = OutboxItem.objects.get(kind="location_verification")
    assert (waiting.lease_id, waiting.attempts) == (None, 0)
    assert len(held) == 1
    leases.release(other)
    assert drain.drain() == 0


def test_a_transaction_of_which_one_item_is_invalid_goes_without_it(
    drain: Outbox, tables: Tables, dynamic: StudentSession
):
    dynamic.student.prior_knowledge_topics = ["x" * 64] * 7000
    dynamic.student.save()
    drain.drain()
    assert {letter.kind for letter in DeadLetter.objects.all()} == {"student_profile"}
    assert {"METADATA", "LOCATION_VERIFICATION"} <= set(stored(tables, dynamic))


def test_one_invalid_item_of_several_does_not_hold_the_others_back(
    drain: Outbox, tables: Tables, dynamic: StudentSession
):
    drain.drain()
    Exchange.objects.filter(intervention__student_session=dynamic, intervention__number=1).update(
        question="x" * 1000, answer="ü" * 9_999, fell_back=""
    )
    with mock.patch.object(guards, "MOST_ITEM_BYTES", 30_000):
        Intervention.objects.filter(student_session=dynamic, number=2).update(duration_seconds=77)
        drain.drain()
    assert {letter.kind for letter in DeadLetter.objects.all()} == {"interventions"}
    seconds = [
        item["intervention_summary"]["total_duration_seconds"]
        for key, item in sorted(stored(tables, dynamic).items())
        if key.startswith("INTERVENTION#")
    ]
    assert seconds[1] == 77


def cancelled(*codes: str) -> ClientError:
    reasons = [{"Code": code} for code in codes]
    told = {"Error": {"Code": "TransactionCanceledException", "Message": ""}, "CancellationReasons": reasons}
    return ClientError(told | {"ResponseMetadata": {"HTTPStatusCode": 400}}, "TransactWriteItems")


def puts(*names: str) -> list[Write]:
    return [
        Write(keys.Key(keys.SOCRATIC, f"X#{name}", "Y"), {"PK": f"X#{name}", "SK": "Y"}) for name in names
    ]  # fmt: skip


def test_a_transaction_that_met_another_is_tried_again_whole(tables: Tables):
    with mock.patch.object(tables._once, "transact_write_items", side_effect=cancelled("None", "TransactionConflict")):
        outcomes = tables.write_together(puts("a", "b"))
    assert {(outcome.verdict, outcome.code) for outcome in outcomes} == {(Verdict.AGAIN, "TransactionConflict")}


def test_what_a_transaction_refuses_is_told_and_the_rest_is_written(tables: Tables):
    with mock.patch.object(tables._once, "transact_write_items", side_effect=cancelled("None", "ValidationError")):
        outcomes = {outcome.write.key.pk: outcome.verdict for outcome in tables.write_together(puts("a", "b"))}
    assert outcomes == {"X#a": Verdict.DONE, "X#b": Verdict.REFUSED}
    assert list(tables.get([puts("a")[0].key])) == [puts("a")[0].key]


def test_a_transaction_that_is_too_much_goes_in_parts(tables: Tables):
    told = {"Error": {"Code": "ValidationException", "Message": "too large"}}
    refusal = ClientError(told | {"ResponseMetadata": {"HTTPStatusCode": 400}}, "TransactWriteItems")
    with mock.patch.object(tables._once, "transact_write_items", side_effect=refusal):
        outcomes = tables.write_together(puts("a", "b"))
    assert {outcome.verdict for outcome in outcomes} == {Verdict.DONE}


def test_a_stray_item_of_a_run_is_found_and_goes(drain: Outbox, tables: Tables, dynamic: StudentSession):
    drain.drain()
    stray = records.INTERVENTIONS.key(dynamic.pk, "2020-01-01T00:00:00Z#9")
    tables.write([Write(stray, {"PK": stray.pk, "SK": stray.sk})])
    found = agreement.compare(tables)
    assert found.extra == [stray]
    agreement.repair(tables, found)
    drain.drain()
    assert agreement.compare(tables).agrees


def test_one_of_several_that_is_missing_is_found(drain: Outbox, tables: Tables, dynamic: StudentSession):
    drain.drain()
    [key, _] = KINDS["interventions"].newest([dynamic.pk])[dynamic.pk]
    tables.write([Write(key, None)])
    assert agreement.compare(tables).missing == [key]
