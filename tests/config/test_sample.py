"""The sample school, loaded twice."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth import authenticate
from django.test import RequestFactory

from config.local.sample import history, school
from sessions_app.models import (
    ClassMembership,
    Condition,
    LiveSession,
    School,
    SessionCounter,
    SessionEvent,
    StudentSession,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 10, 21, 20, 0, tzinfo=UTC)


def test_loading_twice_changes_nothing_but_the_password():
    school.load("the first passphrase")
    before = (School.objects.count(), ClassMembership.objects.count())
    school.load("the second passphrase")
    assert (School.objects.count(), ClassMembership.objects.count()) == before
    request = RequestFactory().post("/accounts/login/")
    assert authenticate(request, username="okafor", password="the second passphrase") is not None


def test_past_periods_are_whole_simulated_and_over(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(history, "STUDENT_SESSIONS", 48)
    sample = school.load("a passphrase for all")
    assert history.load(sample, now=NOW) == 2
    assert history.load(sample, now=NOW) == 0
    assert StudentSession.objects.filter(is_simulated=True).count() == 48
    assert not LiveSession.objects.exclude(status="ended", ended_at__lt=NOW, is_simulated=True).exists()
    for counter in SessionCounter.objects.all():
        seqs = list(SessionEvent.objects.filter(session=counter.session_id).values_list("seq", flat=True))
        assert seqs == list(range(1, counter.last_seq + 1))


def test_the_study_wants_every_condition():
    sample = school.load("a passphrase for all")
    study = sample.studies.get()
    assert study.cells.count() == Condition.objects.count() > 0
    assert study.planned_n == sum(study.cells.values_list("target", flat=True))
