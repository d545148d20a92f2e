"""Benchmarks are run by hand: what they would write is tried here with little of it."""

import re
from pathlib import Path

import pytest
from django.db import connection

from sessions_app.models import LiveSession, SessionEvent

TIMELINES = Path(__file__).parent / "benchmarks" / "timelines.sql"


@pytest.mark.django_db
def test_the_timelines_of_the_rollups_benchmark_can_be_written():
    two_of_each = re.sub(r"generate_series\(1, \d+\)", "generate_series(1, 2)", TIMELINES.read_text())
    with connection.cursor() as cursor:
        cursor.execute(two_of_each)
    assert LiveSession.objects.count() == 4
    assert set(SessionEvent.objects.values_list("seq", flat=True)) == {1, 2}
