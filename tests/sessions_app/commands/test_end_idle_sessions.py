"""The command that ends forgotten sessions, as people and machines call it."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from analytics_app import jobs
from sessions_app.models import LiveSession, SessionEvent
from sessions_app.models.event import SessionCounter
from tests.cast import story

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("end_idle_sessions", *arguments, stdout=out)
    return out.getvalue().strip()


@pytest.fixture
def forgotten(started: LiveSession, monkeypatch: pytest.MonkeyPatch) -> LiveSession:
    """Started, and then nothing for four hours."""
    later = timezone.now() + timedelta(hours=4)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)
    return started


def test_it_ends_what_was_forgotten_once(forgotten: LiveSession):
    assert json.loads(run("--json")) == {"ended": 1}
    assert run() == "0 idle sessions ended."
    forgotten.refresh_from_db()
    assert (forgotten.status, forgotten.end_reason) == ("ended", "idle")
    assert story(forgotten)[-1] == "ended"
    assert SessionCounter.objects.get(session=forgotten).ended_at == forgotten.ended_at


def test_it_leaves_what_is_at_work(started: LiveSession):
    assert run() == "0 idle sessions ended."
    assert not SessionEvent.objects.filter(event_type="ended").exists()


def test_the_worker_does_the_same(forgotten: LiveSession):
    jobs.end_idle(0)
    assert LiveSession.objects.get(pk=forgotten.pk).status == "ended"
