"""`work`: the worker as a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.conf import settings

from analytics_app import jobs
from analytics_app.models import OutboxItem, RollupRun
from sessions_app.models import LiveSession, Student
from tests.sessions_app.live.clients import eventually
from tests.sessions_app.live.conftest import ROOT, database_url

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def worker(transactional_db: None) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "work"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url(), "SECRET_KEY": settings.SECRET_KEY, "HTTPS": "false"},
        text=True,
    )
    yield process
    if process.poll() is None:
        process.kill()
        process.wait()


def test_a_change_is_mirrored_and_sigterm_ends_the_worker_in_order(worker: subprocess.Popen[str], sam: Student):
    assert OutboxItem.objects.filter(entity_id=sam.pk, marked_at__isnull=False).exists()
    eventually(lambda: not OutboxItem.objects.filter(marked_at__isnull=False).exists(), patience=40)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0


def test_the_job_at_five_past_counts_what_has_changed(started: LiveSession):
    jobs.rollup_hourly(timestamp=0)
    assert RollupRun.objects.get().error == ""


def test_the_job_every_ten_minutes_leaves_a_session_that_is_not_idle(started: LiveSession):
    jobs.end_idle(timestamp=0)
    started.refresh_from_db()
    assert started.status == "started"
