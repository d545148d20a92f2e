"""The examples of requirement 002 on what we write: 1, 3 and 4 as they stand there, 2 as `query_mirror` has it.

A run in each condition is enough to see every figure agree; `LYCEUM_EXAMPLES=500` takes a seeded study of 500 sessions.
"""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from analytics_app.mirror import agreement
from analytics_app.mirror.writer import Tables
from analytics_app.reports.conditions import conditions_report
from analytics_app.reports.interventions import comparison_report
from analytics_app.reports.places import places_report
from analytics_app.reports.runs import Scope, scope_of
from analytics_app.reports.study_day import study_day
from config.local.sample import seeded
from sessions_app.models import LiveSession, School, Study, User
from tests.seeded import seed_runs

EXAMPLES = Path(__file__).parents[2] / "data" / "requirement_002"
SEEDED = int(os.environ.get("LYCEUM_EXAMPLES", "0"))
pytestmark = [pytest.mark.django_db, pytest.mark.timeout(3600 if SEEDED else 300)]
NOW = datetime(2026, 10, 21, 20, 0, tzinfo=UTC)
REGIONS = ("eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1", "eu-south-1", "us-west-1", "us-west-2", "us-east-2")


@pytest.fixture
def region(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A region of this worker's own, where the table can have the very name that the examples ask for."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    found = REGIONS[int(worker) % len(REGIONS)]
    settings.AWS_REGION = settings.DYNAMODB_REGION = found
    settings.DYNAMODB_TABLE_PREFIX = ""
    monkeypatch.setenv("AWS_DEFAULT_REGION", found)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    yield found
    client = boto3.client("dynamodb", region_name=found)
    for name in client.list_tables()["TableNames"]:
        client.delete_table(TableName=name)


@pytest.fixture
def mirrored(region: str, ironworks: Study, school: School, alice: User) -> Study:
    """A study with its runs in DynamoDB."""
    if SEEDED:
        made = seeded.seed(sessions=SEEDED, seed=3, now=NOW).study
    else:
        made = ironworks
        seed_runs(ironworks, school, alice, sessions=24)
    School.objects.update(small_cell_threshold=1)
    call_command("mirror_dynamodb", "--create-tables", "--once", "--json", stdout=StringIO())
    return made


@pytest.fixture
def examples(mirrored: Study, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What the examples define, after each has run to its end and printed what it prints."""
    names: dict[str, Any] = {}
    for path in sorted(EXAMPLES.glob("*.py")):
        exec(compile(path.read_text(), path, "exec"), names)
    assert capsys.readouterr().out.count("\n") == 2 + 4 + 3
    return names


def near(value: float | None) -> object:
    return pytest.approx(value, abs=5e-4)


def test_they_return_the_figures_of_the_reports_and_of_the_pages(
    examples: dict[str, Any], mirrored: Study, rosa: User, client: Client
):
    scope = scope_of(mirrored)
    _gains(examples, scope)
    _places(examples, scope)
    _days(examples, scope)
    _quality(scope)
    mirrored.researchers.add(rosa)
    client.force_login(rosa)
    shown = {
        row["code"]: row["gain_of_both"]["value"]
        for row in client.get(reverse("research_conditions"), {"study": mirrored.pk}).context["rows"]
    }
    [found] = [each for each in conditions_report(scope).rows if each.cell.code == "L1-I1-D"]
    gain = examples["calculate_learning_gains_by_condition"]("on-site", 2.5, "dynamic")["avg_absolute_gain"]
    assert (found.row.gain_of_both.value, shown["L1-I1-D"]) == (near(float(gain)), f"{gain:.1f}".replace("-", "−"))
    assert agreement.compare(Tables()).agrees


def _gains(examples: dict[str, Any], scope: Scope) -> None:
    """Example 1: each condition's mean gain, of all runs with both assessments."""
    for each in conditions_report(scope).rows:
        cell = each.cell
        minutes = format(cell.interval.normalize(), "f")
        found = examples["calculate_learning_gains_by_condition"](cell.location, minutes, cell.arm)
        if not each.row.with_both:
            assert found is None
            continue
        assert found["n"] == each.row.with_both
        assert float(found["avg_absolute_gain"]) == near(each.row.gain_of_both.value)


def _places(examples: dict[str, Any], scope: Scope) -> None:
    """Example 3."""
    found = examples["analyze_location_impact"]()
    for place, row in places_report(scope).rows:
        assert found[place]["n"] == row.sessions
        assert float(found[place]["avg_learning_gain"]) == near(row.gain_of_both.value)
        assert float(found[place]["avg_location_rating"]) == near(row.location_rating.value)


def _days(examples: dict[str, Any], scope: Scope) -> None:
    """Example 4: a day in UTC, on which no class of this study runs past midnight."""
    for day in LiveSession.objects.filter(study=scope.study).dates("started_at", "day"):
        found = examples["get_dashboard_stats"](day.isoformat())
        told = study_day(scope, day=day).as_json()
        assert found.pop("completion_rate") == pytest.approx(told["completion_rate"])
        assert found == {name: told[name] for name in found}


def _quality(scope: Scope) -> None:
    """Example 2, ported."""
    out = StringIO()
    call_command("query_mirror", "intervention-quality", "2026-08-01", "2026-10-31", "--json", stdout=out)
    [found] = json.loads(out.getvalue())["items"]
    report = comparison_report(scope)
    for arm, questions in report.questions.items():
        assert found[arm]["n"] == questions.interventions
        assert found[arm]["avg_answer_depth"] == near(questions.answer_depth.value)
        assert found[arm]["avg_response_time"] == pytest.approx(questions.response_seconds.value, abs=0.01)
    assert found["dynamic"]["avg_question_quality"] == near(report.questions["dynamic"].question_quality.value)
    assert found["effect_size_cohens_d"] == near(report.cohens_d.value)
