"""The command that fills and verifies, as people and machines call it."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from analytics_app.models import DashboardMetricsHourly, RollupRun
from sessions_app.models import SchoolClass, Student, User
from tests.analytics_app.lesson import Lesson, minutes

pytestmark = pytest.mark.django_db


@pytest.fixture
def lesson(alice: User, grade_four: SchoolClass, sam: Student) -> Lesson:
    lesson = Lesson(alice, grade_four, configured=0, span=(5, 90))
    lesson.join(sam, at=6)
    lesson.end(at=90)
    return lesson


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("rollup_hourly", *arguments, stdout=out)
    return out.getvalue().strip()


def hours() -> list[int]:
    return sorted(
        round((hour - minutes(0)).total_seconds() / 3600)
        for hour in DashboardMetricsHourly.objects.values_list("metric_hour", flat=True)
    )


def test_it_fills_what_has_changed_and_then_nothing(lesson: Lesson):
    assert json.loads(run("--json")) == {"hours": 2, "skipped": 0, "sealed": 0}
    assert hours() == [0, 1]
    assert run() == "0 hours counted, 0 left to another runner, 0 sealed ones kept."


def test_it_fills_one_hour(lesson: Lesson):
    run("--hour", minutes(60).isoformat())
    assert hours() == [1]
    assert RollupRun.objects.get().scope == "chosen"


def test_it_fills_a_span_of_hours(lesson: Lesson):
    run("--since", minutes(-600).isoformat(), "--until", minutes(60).isoformat())
    assert hours() == [0]


def test_it_fills_everything_and_keeps_what_is_sealed(lesson: Lesson):
    run()
    DashboardMetricsHourly.objects.filter(metric_hour=minutes(0)).update(sealed=True)
    assert json.loads(run("--all", "--json")) == {"hours": 1, "skipped": 0, "sealed": 1}


def test_it_verifies(lesson: Lesson):
    run()
    assert run("--verify").startswith("2 hours compared: 0 cells differ")


def test_it_fails_and_names_the_cells_that_differ(lesson: Lesson):
    run()
    DashboardMetricsHourly.objects.filter(metric_hour=minutes(0)).update(events_total=99)
    out = StringIO()
    with pytest.raises(CommandError, match="1 cells differ") as raised:
        call_command("rollup_hourly", "--verify", stdout=out)
    assert raised.value.returncode == 1
    assert "2026-10-20T14:00Z" in out.getvalue()
    assert "events_total: stored 99, counted 2" in out.getvalue()


def test_a_machine_gets_the_cells_that_differ_as_json(lesson: Lesson):
    run()
    DashboardMetricsHourly.objects.filter(metric_hour=minutes(0)).update(avg_latency_ms=5)
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("rollup_hourly", "--verify", "--json", stdout=out)
    [difference] = json.loads(out.getvalue())["differences"]
    assert (difference["column"], difference["stored"], difference["counted"]) == ("avg_latency_ms", 5, None)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--hour", "yesterday"],
        ["--since", "2026-10-20T15:00Z", "--until", "2026-10-20T14:00Z"],
        ["--all", "--hour", "2026-10-20T14:00Z"],
    ],
)
def test_arguments_that_mean_nothing_are_refused(school, arguments: list[str]):
    with pytest.raises(CommandError) as raised:
        run(*arguments)
    assert raised.value.returncode == 2
