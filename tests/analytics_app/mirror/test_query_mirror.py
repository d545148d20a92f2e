"""`query_mirror`: each access pattern finds what it should, over any number of pages, with numbers that are numbers."""

import json
import uuid
from io import StringIO
from statistics import fmean

import pytest
from django.core.management import CommandError, call_command

from analytics_app.mirror import condition_months
from analytics_app.mirror.outbox import Outbox
from analytics_app.mirror.patterns import PATTERNS
from analytics_app.mirror.writer import Tables
from analytics_app.models import IndexUse
from sessions_app.models import Condition, LiveSession, School, StudentSession, Study, User
from tests.cast import TIME_ZERO, join, make_session
from tests.seeded import seed_runs

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


@pytest.fixture
def mirrored(drain: Outbox, ironworks: Study, school: School, alice: User) -> StudentSession:
    """24 whole runs, one in each condition, over two days; the one of `L1-I1-D`."""
    runs = seed_runs(ironworks, school, alice, sessions=24)
    first, second = (TIME_ZERO.replace(day=day) for day in (19, 20))
    LiveSession.objects.filter(student_sessions__in=runs).update(
        created_at=first, configured_at=first, started_at=first, ended_at=second.replace(hour=23)
    )
    StudentSession.objects.filter(pk__in=[run.pk for run in runs]).update(joined_at=first)
    StudentSession.objects.filter(pk__in=[run.pk for run in runs[12:]]).update(joined_at=second)
    condition_months.refresh()
    drain.drain()
    return next(run for run in runs if run.condition.code == "L1-I1-D")


def test_each_access_pattern_of_the_study_answers_by_name_and_by_number(mirrored: StudentSession):
    whole = ask("session", mirrored.pk)
    kinds = ["assessment", "assessment", "content_delivery", "intervention", "intervention", "location_verification",
             "session", "post_survey"]  # fmt: skip
    assert [item["entity_type"] for item in whole] == kinds
    assert ask("1", mirrored.pk) == whole
    metadata = next(item for item in whole if item["SK"] == "METADATA")
    assert ask("2", "on-site", "2.5", "dynamic") == ask("condition", "on-site", "2.50", "dynamic") == [metadata]
    assert ask("3", mirrored.student_id) == ask("student", mirrored.student_id)
    assert len(ask("4", "on-site")) == 6
    both = [item["entity_type"] for item in ask("5", "dynamic")]
    assert (both.count("session"), both.count("intervention")) == (12, len(both) - 12)
    assert [len(ask("6", day)) for day in ("2026-10-19", "2026-10-20")] == [12, 12]
    assert len(ask("date", "2026-10-18", "2026-10-21")) == 24
    assert ask("7", mirrored.pk) == [item for item in whole if item["entity_type"] == "intervention"]
    assert ask("8", mirrored.pk) == [item for item in whole if item["entity_type"] == "assessment"]
    assert {item["entity_type"] for item in ask("statistics", "on-site", "2.5", "dynamic")} == {"condition_statistics"}


def test_patterns_that_are_ordered_by_time_are_narrowed_to_a_span(mirrored: StudentSession):
    first, second = {"since": "2026-10-19", "until": "2026-10-19"}, {"since": "2026-10-20T00:00:00Z"}
    for words in (
        ("location", "on-site"),
        ("condition", "on-site", "2.5", "dynamic"),
        ("student", mirrored.student_id),
    ):
        sessions = [item for item in ask(*words) if item["entity_type"] == "session"]
        assert ask(*words, **first) + ask(*words, **second) == sessions
    before, after = ask("session-interventions", mirrored.pk)
    moments = [item["intervention_metadata"]["timestamp"] for item in (before, after)]
    assert ask("7", mirrored.pk, since=moments[0], until=moments[0]) == [before]
    assert ask("7", mirrored.pk, since=moments[1]) == [after]
    assert ask("7", mirrored.pk, until="2020-01-01") == []
    day = {"since": "2026-10-20", "until": "2026-10-20"}
    dynamic = [item for item in ask("intervention", "dynamic", **day) if item["entity_type"] == "session"]
    assert dynamic == [item for item in ask("date", "2026-10-20") if item["GSI4PK"] == "INTERVENTION#dynamic"]


def test_assessments_are_got_by_their_whole_keys(mirrored: StudentSession):
    baseline, final = ask("8", mirrored.pk)
    times = [item["assessment_metadata"]["timestamp"] for item in (baseline, final)]
    assert ask("8", mirrored.pk, *times) == [baseline, final]
    assert ask("8", mirrored.pk, times[0], "2020-01-01T00:00:00Z") == [baseline]


def test_static_and_dynamic_interventions_are_compared_as_the_second_example_does(mirrored: StudentSession):
    [found] = ask("intervention-quality", "2026-01-01", "2027-01-01")
    items = {kind: [i for i in ask("5", kind) if i["entity_type"] == "intervention"] for kind in ("static", "dynamic")}
    for kind, mine in items.items():
        depths = [item["intervention_summary"]["avg_answer_depth"] for item in mine]
        assert (found[kind]["n"], found[kind]["avg_answer_depth"]) == (len(mine), pytest.approx(fmean(depths)))
    assert "avg_question_quality" not in found["static"]
    [nothing] = ask("intervention-quality", since="2030-01-01")
    assert nothing == {
        "dynamic": {"avg_question_quality": None, "avg_answer_depth": None, "avg_response_time": None, "n": 0},
        "static": {"avg_answer_depth": None, "avg_response_time": None, "n": 0},
        "effect_size_cohens_d": None,
    }


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
    use = IndexUse.objects.get()
    assert (use.table, use.index, use.pattern, use.items) == ("SocraticBenchmarks", "GSI2", "student", 2)
    assert use.queries >= 2


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
        ("condition", "on-site", "NaN", "dynamic"),
        ("condition", "the moon", "5", "dynamic"),
        ("intervention", "sometimes"),
        ("date", "2026-10-20", "2026-10-19"),
        ("date", "2020-01-01", "2026-01-01"),
        ("location", "home", "--since", "soon"),
        ("location", "home", "--since", "2026-10-20", "--until", "2026-10-19"),
        ("session", str(uuid.uuid4()), "--since", "2026-10-20"),
        ("session-assessments", str(uuid.uuid4()), "2026-10-20T10:00:00Z"),
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
