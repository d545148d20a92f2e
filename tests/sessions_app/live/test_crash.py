"""What was acknowledged is kept, whatever is killed in mid-write. `CRASH_SCALE=10` makes it ten times as long."""

import asyncio
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from django.db import connections

from config.local import postgres, record
from config.local.server import Share
from sessions_app.models import LiveSession, SchoolClass, StudentSession
from tests.cast import join, make_student
from tests.databases import database_url
from tests.sessions_app.live.conftest import serve
from tests.sessions_app.live.ledger import Account, Students, settle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SCALE = int(os.environ.get("CRASH_SCALE", "1"))
PATIENCE = 60


@pytest.fixture
def members(started: LiveSession, grade_four: SchoolClass) -> list[StudentSession]:
    return [join(started, make_student(grade_four, f"Student {n}")) for n in range(12)]


@pytest.fixture
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a Postgres that may be killed: nobody else uses it."""
    home = tmp_path_factory.mktemp("home")
    share = Share(postgres.Postgres(home))
    share.take()
    share.wait()
    yield home
    share.leave()


def copy_database(home: Path) -> str:
    """The test database, with what is in it, under another home; its address."""
    dump, target = home / "copy.sql", postgres.database_url(home)
    connections.close_all()
    subprocess.run([postgres.programs() / "pg_dump", "--no-owner", f"--file={dump}", database_url()], check=True)
    subprocess.run(
        [postgres.programs() / "psql", "-qX", "-v", "ON_ERROR_STOP=1", "-o", os.devnull, "-f", dump, target], check=True
    )
    return target


def kill_postgres(home: Path) -> None:
    """SIGKILL to the server and to all its children; its keeper starts it again, and it recovers."""
    postmaster = psutil.Process(int(record.read(home)["postgres_pid"]))
    for process in [postmaster, *postmaster.children(recursive=True)]:
        process.kill()


async def in_mid_write(database: str, students: Students, kill: Callable[[], None], *, acknowledged: bool) -> float:
    """Hold the session's counter row until a batch waits for it, then kill; seconds until the next acknowledgement.

    `acknowledged` waits as well until more is acknowledged than is written.
    """
    db = await psycopg.AsyncConnection.connect(database)
    await db.execute("SELECT FROM sessions_app_sessioncounter FOR UPDATE")
    held_at = time.monotonic()
    waiting = "SELECT FROM pg_stat_activity WHERE application_name = 'lyceum ingest' AND wait_event_type = 'Lock'"
    while not (await db.execute(waiting)).rowcount:
        assert time.monotonic() < held_at + PATIENCE, "nothing was being written"
        await asyncio.sleep(0.01)
        await db.execute("SELECT pg_stat_clear_snapshot()")
    written = "SELECT count(*) FROM session_events WHERE event_type = 'latency'"
    while acknowledged and await _number(db, written) >= students.acknowledged:
        assert time.monotonic() < held_at + PATIENCE, "nothing was acknowledged before it was written"
        await asyncio.sleep(0.01)
    killed_at = time.monotonic()
    await asyncio.to_thread(kill)
    await db.close()
    while students.last_acknowledged_at < killed_at:
        assert time.monotonic() < killed_at + PATIENCE, "nothing was acknowledged any more"
        await asyncio.sleep(0.01)
    return students.last_acknowledged_at - killed_at


async def _number(db: psycopg.AsyncConnection[Any], query: str) -> int:
    row = await (await db.execute(query)).fetchone()
    return int(row[0]) if row else 0


def play(database: str, students: Students, kills: list[Callable[[], None]], *, acknowledged: bool = False) -> Account:
    """Let the students live through the kills, spread over their events; what was kept."""
    total = len(students.diaries) * students.events
    recoveries: list[float] = []

    async def scene() -> None:
        living = asyncio.create_task(students.run())
        for number, kill in enumerate(kills, start=1):
            while students.acknowledged < total * number / (len(kills) + 2):
                assert not living.done()
                await asyncio.sleep(0.005)
            recoveries.append(await in_mid_write(database, students, kill, acknowledged=acknowledged))
        await living

    asyncio.run(scene())
    account = settle(database, students)
    print(
        f"\nattempted {account.attempted} acked {account.acknowledged} lost {account.lost}"
        f" duplicated {account.duplicated} misordered {account.misordered} recovery_s {max(recoveries):.1f}"
    )
    return account


def test_nothing_acknowledged_is_lost_when_the_web_process_and_postgres_are_killed(
    members: list[StudentSession], own_postgres: Path, tmp_path: Path
):
    database = copy_database(own_postgres)
    log = tmp_path / "server.log"
    server = serve(log, DATABASE_URL=database)
    students = Students(members, server.port, events=60 * SCALE)

    def kill_web() -> None:
        nonlocal server
        server.kill()
        server = serve(log, port=server.port, DATABASE_URL=database)

    def kill_database() -> None:
        kill_postgres(own_postgres)

    account = play(database, students, [kill_web, kill_database, kill_web] * SCALE)
    assert server.stop() == 0
    everything = len(members) * 60 * SCALE
    assert account == Account(everything, everything, lost=0, duplicated=0, misordered=0, gaps=0)
    assert "Traceback" not in log.read_text()


def test_acknowledging_before_commit_would_lose_events(members: list[StudentSession], tmp_path: Path):
    """The control: the same kill, and only the order of acknowledgement and commit is another."""
    careless = "acknowledge-before-commit"
    log = tmp_path / "server.log"
    server = serve(log, careless, program="tests.sessions_app.live.altered_server")
    students = Students(members, server.port, events=60)

    def kill_web() -> None:
        nonlocal server
        server.kill()
        server = serve(log, careless, program="tests.sessions_app.live.altered_server", port=server.port)

    account = play(database_url(), students, [kill_web], acknowledged=True)
    assert server.stop() == 0
    assert account.lost > 0
