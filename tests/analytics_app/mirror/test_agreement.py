"""`mirror_dynamodb`: what does not agree is found, told and repaired."""

import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from analytics_app.mirror import agreement, items, keys, outbox
from analytics_app.mirror.kinds import KINDS
from analytics_app.mirror.outbox import Outbox
from analytics_app.mirror.writer import Tables, Write
from analytics_app.models import DeadLetter, OutboxItem
from sessions_app.models import LiveSession, School, Student, StudentSession

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def agreeing(drain: Outbox, tables: Tables, sam_in: StudentSession, tia: Student) -> Tables:
    """Both tables as they should be: Sam's session, and the profiles of Sam and Tia."""
    drain.drain()
    return tables


def write(tables: Tables, key: keys.Key, item: dict | None) -> None:
    tables.write([Write(key, item)])


def run(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict]:
    """The exit status and the JSON of the command."""
    status = 0
    try:
        call_command("mirror_dynamodb", *options, "--json")
    except CommandError as error:
        status = error.returncode
    return status, json.loads(capsys.readouterr().out)


def test_both_sides_agree(agreeing: Tables):
    found = agreement.compare(agreeing)
    assert (found.agrees, found.compared, found.pending) == (True, 3, [])


def test_a_missing_item_is_found(agreeing: Tables, sam_in: StudentSession):
    key = items.SESSION.key(sam_in.pk)
    write(agreeing, key, None)
    assert agreement.compare(agreeing).missing == [key]


def test_an_extra_item_is_found_whoever_put_it_there(agreeing: Tables):
    orphan = items.SESSION.key(uuid.uuid4())
    stranger = keys.Key(keys.READING, "SOMETHING#else", "X")
    for key in (orphan, stranger):
        write(agreeing, key, {"PK": key.pk, "SK": key.sk})
    assert set(agreement.compare(agreeing).extra) == {orphan, stranger}


def test_a_differing_item_is_found_with_the_attributes_that_differ(agreeing: Tables, sam: Student):
    key = items.STUDENT_PROFILE.key(sam.pk)
    item = agreeing.get([key])[key]
    item["demographics"]["age"] = Decimal(99)
    item["more"] = True
    write(agreeing, key, item)
    assert agreement.compare(agreeing).different == {key: ["demographics.age", "more"]}


def test_a_change_that_is_still_in_the_outbox_is_pending(agreeing: Tables, sam: Student):
    Student.objects.filter(pk=sam.pk).update(age=19)
    found = agreement.compare(agreeing)
    assert (found.agrees, len(found.pending)) == (True, 2)


def test_an_item_whose_time_is_over_may_be_gone(agreeing: Tables, drain: Outbox, sam_in: StudentSession):
    LiveSession.objects.update(activity="reading")
    School.objects.update(retention_days=0)
    drain.drain()
    write(agreeing, items.READING_SESSION.key(sam_in.pk), None)
    assert agreement.compare(agreeing).agrees


def test_many_items_are_compared_in_a_few_queries(agreeing: Tables, django_assert_max_num_queries):
    with django_assert_max_num_queries(2 * len(KINDS) + 4):
        agreement.compare(agreeing)


def test_the_command_exits_0_when_they_agree_and_1_when_not(agreeing: Tables, sam: Student, capsys):
    assert run(capsys, "--verify")[0] == 0
    write(agreeing, items.STUDENT_PROFILE.key(sam.pk), None)
    status, told = run(capsys, "--verify")
    assert (status, told["ok"]) == (1, False)
    assert told["verify"]["missing"] == [f"SocraticBenchmarks STUDENT#{sam.pk} PROFILE"]


def test_the_command_repairs_what_does_not_agree(agreeing: Tables, sam: Student, capsys):
    write(agreeing, items.STUDENT_PROFILE.key(sam.pk), None)
    stranger = keys.Key(keys.SOCRATIC, "SOMETHING#else", "X")
    write(agreeing, stranger, {"PK": stranger.pk, "SK": stranger.sk})
    status, told = run(capsys, "--repair")
    assert (status, len(told["repaired"]["missing"]), len(told["repaired"]["extra"])) == (0, 1, 1)
    assert agreement.compare(agreeing).agrees


def test_the_command_rebuilds_everything(agreeing: Tables, sam: Student, sam_in: StudentSession, capsys):
    for key in (items.STUDENT_PROFILE.key(sam.pk), items.SESSION.key(sam_in.pk)):
        write(agreeing, key, None)
    orphan = items.SESSION.key(uuid.uuid4())
    write(agreeing, orphan, {"PK": orphan.pk, "SK": orphan.sk})
    status, told = run(capsys, "--rebuild", "--verify")
    assert (status, told["marked"], told["waiting"]) == (0, 3, 0)


def test_the_command_creates_tables_and_writes_once(settings, sam: Student, capsys):
    settings.DYNAMODB_TABLE_PREFIX = f"{settings.DYNAMODB_TABLE_PREFIX}{uuid.uuid4().hex[:8]}_"
    assert run(capsys, "--verify")[0] == 1
    status, told = run(capsys, "--create-tables", "--once", "--verify")
    assert (status, sorted(told["created"])) == (
        0,
        ["SocraticBenchmarks", "design-analysis-tracking", "reading_sessions"],
    )
    assert run(capsys, "--create-tables")[1]["created"] == []


def test_the_command_tells_of_what_was_given_up(agreeing: Tables, sam: Student, capsys):
    Student.objects.filter(pk=sam.pk).update(prior_knowledge_topics=["x" * 64] * 7000)
    status, told = run(capsys, "--once")
    assert (status, told["dead_letters"]) == (0, 1)
    assert run(capsys, "--verify")[0] == 1
    assert DeadLetter.objects.count() == 1


def test_without_dynamodb_the_command_says_so(monkeypatch, sam: Student, capsys):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    status, told = run(capsys, "--verify")
    assert status == 1
    assert "DynamoDB is away" in told["failures"][0]


def test_people_read_sentences(agreeing: Tables, sam: Student, capsys):
    write(agreeing, items.STUDENT_PROFILE.key(sam.pk), None)
    with pytest.raises(CommandError, match="1 items do not agree"):
        call_command("mirror_dynamodb", "--verify")
    assert f"missing    SocraticBenchmarks STUDENT#{sam.pk} PROFILE" in capsys.readouterr().out


def test_without_options_it_goes_on_until_a_signal(tables: Tables, monkeypatch):
    def run_until_stopped(stop: threading.Event, *, tables: Tables) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(10)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr(outbox, "run", run_until_stopped)
    call_command("mirror_dynamodb")
    assert signal.getsignal(signal.SIGTERM) is not before[signal.SIGTERM]
    for number, handler in before.items():
        signal.signal(number, handler)


def test_bad_arguments_exit_with_2():
    told = subprocess.run(
        [sys.executable, "manage.py", "mirror_dynamodb", "--all"], cwd=ROOT, capture_output=True, check=False
    )
    assert told.returncode == 2


def test_nothing_is_left_in_the_outbox_after_a_repair(agreeing: Tables, sam: Student, capsys):
    write(agreeing, items.STUDENT_PROFILE.key(sam.pk), None)
    run(capsys, "--repair")
    assert not OutboxItem.objects.exists()
