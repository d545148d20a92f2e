"""The worker as a process of its own: it does its jobs, comes back with the database, and ends when it is told to."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from analytics_app import jobs
from analytics_app.management.commands import work
from analytics_app.models import RollupRun
from sessions_app import lifecycle
from sessions_app.models import LiveSession, SessionEvent
from tests.sessions_app.live.conftest import ROOT, database_url

PATIENCE = 30
NAME = "the worker under test"


@pytest.fixture
def worker(transactional_db: None, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`manage.py work` on the test database, without the mirror. A traceback in its log fails the test."""
    log = tmp_path / "work.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "work", "--no-mirror"],
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": database_url(),
                "SECRET_KEY": settings.SECRET_KEY,
                "HTTPS": "false",
                "PYTHONWARNINGS": "ignore",
                "PGAPPNAME": NAME,
            },
            stderr=errors,
            text=True,
        )
    yield process
    process.kill()
    process.wait()
    assert "Traceback" not in log.read_text(), log.read_text()


def wait_for(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def waiting() -> bool:
    return ProcrastinateJob.objects.exclude(status="succeeded").exists()


def work_off() -> None:
    """Have the worker roll up once."""
    before = RollupRun.objects.exclude(finished_at=None).count()
    jobs.rollup_hourly.defer(timestamp=0)
    wait_for(lambda: RollupRun.objects.exclude(finished_at=None).count() > before and not waiting())


def test_the_worker_does_its_jobs_also_after_the_database_was_away_and_ends_on_a_signal(
    worker: subprocess.Popen[str],
):
    work_off()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = %s",
            (NAME,),
        )
        assert cursor.fetchone()[0] > 0
    work_off()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE) == 0


def test_the_jobs_run_by_the_clock():
    crons = {periodic.task.name: periodic.cron for periodic in jobs.app.periodic_registry.periodic_tasks.values()}
    assert crons["rollup_hourly"] == "5 * * * *"
    assert crons["end_idle_sessions"] == "*/10 * * * *"


@pytest.mark.django_db(transaction=True)
def test_idle_sessions_are_ended_by_their_job(session: LiveSession):
    long_ago = session.configured_at - 2 * lifecycle.IDLE_AFTER
    LiveSession.objects.update(configured_at=long_ago)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE session_events DISABLE TRIGGER USER")
        SessionEvent.objects.update(created_at=long_ago)
        cursor.execute("ALTER TABLE session_events ENABLE TRIGGER USER")
    jobs.end_idle(timestamp=0)
    session.refresh_from_db()
    assert (session.status, session.end_reason) == ("ended", "idle")


def test_a_mirror_that_breaks_ends_the_worker(monkeypatch: pytest.MonkeyPatch):
    def broken(stop: threading.Event) -> None:
        raise LookupError("broken on purpose")

    async def no_jobs(stopped: asyncio.Event) -> None:
        await stopped.wait()

    said: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda failed: said.append(failed.exc_type))
    monkeypatch.setattr(work.outbox, "run", broken)
    monkeypatch.setattr(work, "_jobs", no_jobs)
    with pytest.raises(CommandError, match="ended by itself"):
        call_command("work")
    assert said == [LookupError]
