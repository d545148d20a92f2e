"""The practice of the sample school."""

import pytest
from django.utils import timezone

from config.local.sample import practice, school
from sessions_app.models import SessionResult

pytestmark = pytest.mark.django_db


def test_the_sample_school_has_practised_and_is_filled_once():
    sample = school.load("a long enough passphrase")
    added = practice.load(sample, now=timezone.now())
    assert 70 <= added == SessionResult.objects.count()
    assert practice.load(sample, now=timezone.now()) == 0
    assert set(SessionResult.objects.values_list("session_type", flat=True)) == set(SessionResult.Type.values)
