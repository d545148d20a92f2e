"""How Lyceum says that it is well, or not."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analytics_app import health
from analytics_app.mirror import condition_months
from analytics_app.models import DeadLetter, OutboxItem, RollupRun
from analytics_app.rollups.fill import fill_changed
from sessions_app.models import Condition, LiveSession, SessionCounter, Student, StudentSession, User
from tests.cast import join

pytestmark = pytest.mark.django_db


def said(name: str) -> health.Check:
    return next(check for check in health.tables() if check.name == name)


def test_an_empty_installation_is_well(db: None):
    assert all(check.ok for check in health.tables())
    assert [check.name for check in health.ready()] == ["database", "dynamodb"]


def test_hours_that_wait_make_the_table_unwell_until_they_are_counted(started: LiveSession):
    LiveSession.objects.filter(pk=started.pk).update(
        configured_at=timezone.now() - timedelta(hours=4), started_at=timezone.now() - timedelta(hours=3)
    )
    assert not said("dashboard_metrics_hourly").ok
    fill_changed()
    assert said("dashboard_metrics_hourly").ok
    assert said("hourly_rollup").ok


def test_a_gap_in_a_timeline_is_found(started: LiveSession):
    assert said("session_events").ok
    SessionCounter.objects.filter(session=started).update(last_seq=99)
    assert not said("session_events").ok


def test_a_rollup_that_failed_or_is_late_or_slow_is_found(started: LiveSession):
    now = timezone.now()
    run = RollupRun.objects.create(scope="changed", started_at=now, finished_at=now, error="OperationalError")
    assert said("hourly_rollup").said == "The last rollup failed."
    RollupRun.objects.filter(pk=run.pk).update(error="", started_at=now - timedelta(hours=5))
    assert said("hourly_rollup").said == "The rollup is more than an hour late."
    RollupRun.objects.filter(pk=run.pk).update(started_at=now - timedelta(minutes=3))
    assert said("hourly_rollup").said == "The last rollup took more than two minutes."


def test_statistics_that_nobody_computes_are_found(started: LiveSession, sam: Student):
    join(started, sam)
    StudentSession.objects.update(condition=Condition.objects.get(code="L1-I1-D"))
    assert said("condition_statistics").ok
    an_hour_ago = timezone.now() - timedelta(hours=1)
    LiveSession.objects.update(created_at=an_hour_ago, configured_at=an_hour_ago, started_at=an_hour_ago)
    assert not said("condition_statistics").ok
    condition_months.refresh()
    assert said("condition_statistics").ok


def test_an_old_item_and_a_dead_letter_are_found(sam: Student):
    OutboxItem.objects.update(marked_at=timezone.now() - timedelta(hours=1))
    assert not said("outbox").ok
    DeadLetter.objects.create(
        kind="student_profile", entity_id=sam.pk, reason="too large", error_code="ItemTooLarge", attempts=1,
        died_at=timezone.now(),
    )  # fmt: skip
    assert not said("dead_letters").ok


def test_anybody_may_ask_and_only_an_administrator_sees_figures(client: Client, ada: User):
    assert client.get(reverse("health_live")).json() == {"ok": True}
    assert client.get(reverse("health_ready")).json()["checks"]["database"] == {"ok": True}
    assert client.get(reverse("health_tables")).json()["checks"]["outbox"] == {"ok": True}
    client.force_login(ada)
    assert "depth" in client.get(reverse("health_tables")).json()["checks"]["outbox"]["figures"]


def test_what_is_not_well_answers_503_and_exit_status_1(client: Client, started: LiveSession):
    SessionCounter.objects.filter(session=started).update(last_seq=99)
    assert client.get(reverse("health_tables")).status_code == 503
    out = StringIO()
    with pytest.raises(CommandError) as failed:
        call_command("check_health", "--json", stdout=out)
    assert failed.value.returncode == 1
    assert json.loads(out.getvalue())["ok"] is False


def test_a_monitor_reads_one_line_per_check(db: None):
    out = StringIO()
    call_command("check_health", stdout=out)
    assert [line.split()[0] for line in out.getvalue().splitlines()] == ["ok"] * 11


def test_a_dynamodb_or_redis_that_is_away_is_said(settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    settings.REDIS_URL = "redis://127.0.0.1:9"
    assert [(check.name, check.ok) for check in health.ready()] == [
        ("database", True), ("dynamodb", False), ("redis", False),
    ]  # fmt: skip
