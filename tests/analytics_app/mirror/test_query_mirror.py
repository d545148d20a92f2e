"""`query_mirror`: each access pattern finds what it should, over any number of pages, with numbers that are numbers."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from analytics_app.mirror.outbox import Outbox
from analytics_app.mirror.patterns import PATTERNS
from analytics_app.mirror.writer import Tables
from sessions_app.models import Condition, StudentSession, User
from tests.cast import TIME_ZERO, join, make_session

pytestmark = pytest.mark.django_db


def ask(*words: object, **options: object) -> list[dict]:
    out = StringIO()
    call_command("query_mirror", *map(str, words), stdout=out, **options)
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.fixture
def in_condition(drain: Outbox, sam_in: StudentSession) -> StudentSession:
    """Sam's session, on site, every five minutes, dynamic; joined at time zero."""
    StudentSession.objects.update(condition=Condition.objects.get(code="L1-I2-D"), joined_at=TIME_ZERO)
    drain.drain()
    return sam_in


@pytest.mark.parametrize(
    "words",
    [
        ("condition", "on-site", "5", "dynamic"),
        ("condition", "on-site", "5.0", "dynamic"),
        ("location", "on-site"),
        ("intervention", "dynamic"),
        ("date", "2026-10-20"),
    ],
)
def test_a_session_is_found_by_condition_place_questioning_and_day(in_condition: StudentSession, words: tuple):
    [item] = ask(*words)
    assert item["session_id"] == str(in_condition.pk)
    assert item["experimental_condition"]["interval_minutes"] == 5


def test_a_session_is_found_by_its_id(in_condition: StudentSession):
    assert [item["SK"] for item in ask("session", in_condition.pk)] == ["METADATA"]
    assert ask("session-interventions", in_condition.pk) == []


def test_a_student_is_a_profile_and_sessions_in_order_of_time(in_condition: StudentSession):
    found = ask("student", in_condition.student_id)
    assert [item["entity_type"] for item in found] == ["student_profile", "session"]


def test_another_condition_has_no_sessions(in_condition: StudentSession):
    assert ask("condition", "on-site", "2.5", "dynamic") == []


def test_a_speaking_session_is_found_by_day_and_student(drain: Outbox, alice: User, grade_four, sam):
    member = join(make_session(alice, grade_four, activity="roleplay"), sam)
    StudentSession.objects.update(joined_at=TIME_ZERO)
    drain.drain()
    for words in (("reading-date", "2026-10-20"), ("reading-student", sam.pk), ("reading-session", member.pk)):
        assert [item["PK"] for item in ask(*words)] == [f"SESSION#{member.pk}"]


def test_all_pages_are_read(in_condition: StudentSession, monkeypatch):
    tables = Tables()
    query = tables._patient.query
    tables.__dict__["_patient"].query = lambda **wanted: query(**wanted, Limit=1)
    found = PATTERNS["student"].ask(tables, [str(in_condition.student_id)])
    assert len(list(found)) == 2


def test_a_limit_is_kept(in_condition: StudentSession):
    assert len(ask("student", in_condition.student_id, limit=1)) == 1


def test_one_json_object_for_machines(in_condition: StudentSession):
    [told] = ask("date", "2026-10-20", json=True)
    assert (told["pattern"], len(told["items"])) == ("date", 1)


@pytest.mark.parametrize(
    "words",
    [
        ("session", "not-an-id"),
        ("session",),
        ("condition", "on-site", "often", "dynamic"),
        ("date", "yesterday"),
        ("location", "home", "--limit", "0"),
    ],
)
def test_bad_arguments_exit_with_2(tables: Tables, words: tuple):
    with pytest.raises(CommandError) as refused:
        ask(*words)
    assert refused.value.returncode == 2


def test_without_tables_it_exits_with_1(settings):
    settings.DYNAMODB_TABLE_PREFIX = "nowhere_"
    with pytest.raises(CommandError) as refused:
        ask("location", "home")
    assert refused.value.returncode == 1
