"""Counting requests: no two are taken for one, and a new window begins at one."""

import doctest
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from sessions_app import throttling
from sessions_app.models import RequestCount
from sessions_app.throttling import Rate, wait_after_counting

A_MINUTE = Rate("test", requests=10, seconds=3600)


def test_the_examples_in_the_docstrings_hold():
    failures, tried = doctest.testmod(throttling)
    assert (failures, tried > 0) == (0, True)


def ask(_number: int) -> float | None:
    try:
        return wait_after_counting("somebody", A_MINUTE)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_of_many_at_the_same_moment_as_many_as_may_pass():
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(ask, range(40)))
    assert (waits.count(None), RequestCount.objects.get().requests) == (10, 40)


@pytest.mark.django_db
def test_a_new_window_begins_anew(monkeypatch: pytest.MonkeyPatch):
    for now, wait in ((0.0, None), (3000.0, None), (3600.0, None)):
        monkeypatch.setattr("time.time", lambda now=now: now)
        assert wait_after_counting("somebody", A_MINUTE) == wait
    assert RequestCount.objects.get().requests == 1


@pytest.mark.django_db
def test_who_asks_is_not_written_down():
    wait_after_counting("192.0.2.7", A_MINUTE)
    assert "192.0.2.7" not in str(RequestCount.objects.values())
