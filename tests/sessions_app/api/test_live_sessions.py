"""The API for a teacher's own tools, and its description."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from sessions_app.models import AccessLog, LiveSession, School, StudentSession, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def tool(alice: User, client: Client) -> Client:
    client.force_login(alice)
    return client


def test_the_sessions_that_one_may_see_newest_first(tool: Client, session: LiveSession, charlie: User):
    answer = tool.get(reverse("api_live_sessions"), {"limit": 10})
    assert [(s["id"], s["status"], s["school_class"]) for s in answer.json()] == [
        (str(session.pk), "configured", "Grade 4 B")
    ]
    assert answer["X-Total-Count"] == "1"
    tool.force_login(charlie)
    assert tool.get(reverse("api_live_sessions")).json() == []


def test_a_timeline_is_read_from_a_position_and_the_reading_is_logged(
    tool: Client, started: LiveSession, sam_in: StudentSession
):
    address = reverse("api_live_session_events", args=[started.pk])
    whole = tool.get(address).json()
    rest = tool.get(address, {"after": 1, "limit": 1}).json()
    assert [event["seq"] for event in whole["events"]] == list(range(1, whole["last_seq"] + 1))
    assert rest["events"] == whole["events"][1:2]
    assert AccessLog.objects.filter(action="api timeline", object_id=started.pk).count() == 2


def test_a_foreign_timeline_does_not_exist_and_a_bad_limit_is_named(tool: Client, started: LiveSession, charlie: User):
    address = reverse("api_live_session_events", args=[started.pk])
    refused = tool.get(address, {"limit": 0})
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (400, ["limit"])
    tool.force_login(charlie)
    missing = tool.get(address)
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")


def test_whoever_has_not_signed_in_or_researches_is_refused_in_the_one_shape(client: Client, rosa: User):
    for user in (None, rosa):
        if user:
            client.force_login(user)
        answer = client.get(reverse("api_live_sessions"))
        assert answer.status_code == 403
        assert set(answer.json()["error"]) == {"code", "message", "fields"}


def test_hourly_metrics_say_where_they_come_from(tool: Client, started: LiveSession, sam_in: StudentSession):
    now = timezone.now()
    query = {"since": (now - timedelta(hours=1)).isoformat(), "until": (now + timedelta(hours=1)).isoformat()}
    answer = tool.get(reverse("api_hourly_metrics"), query).json()
    assert answer["totals"]["students_active"] == 1
    assert {hour["served"] for hour in answer["hours"]} <= {"table", "source"}
    assert sum(hour["values"]["sessions_active"] for hour in answer["hours"]) >= 1


@pytest.mark.parametrize(
    ("since", "until", "field"),
    [
        ("2026-10-20T14:00Z", "2026-10-20T13:00Z", "until"),
        ("2026-01-01T00:00Z", "2026-10-20T13:00Z", "until"),
        ("yesterday", "2026-10-20T13:00Z", "since"),
    ],
    ids=["backwards", "too long", "no time"],
)
def test_a_window_that_cannot_be_is_refused_by_name(tool: Client, since: str, until: str, field: str):
    answer = tool.get(reverse("api_hourly_metrics"), {"since": since, "until": until})
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [field])


def test_another_schools_metrics_do_not_exist(tool: Client, other_school: School):
    now = timezone.now()
    query = {"since": (now - timedelta(hours=1)).isoformat(), "until": now.isoformat(), "school": other_school.pk}
    assert tool.get(reverse("api_hourly_metrics"), query).status_code == 404


def test_the_api_is_described_without_a_warning(client: Client, capsys: pytest.CaptureFixture[str]):
    schema = SchemaGenerator().get_schema(request=None, public=True)
    validate_schema(schema)
    assert set(schema["paths"]) >= {"/api/live-sessions/", "/api/metrics/hourly"}
    assert "Warning" not in capsys.readouterr().err
    page = client.get(reverse("docs"))
    assert page.status_code == 200
    assert b"<style" not in page.content
