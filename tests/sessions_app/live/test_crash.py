"""What was acknowledged is there, once and in order, however often the web process or Postgres is killed.

Small here; `LYCEUM_CRASH_EVENTS=20000 pytest tests/sessions_app/live/test_crash.py -s` makes it larger. The control, a
server that acknowledges before it commits, must lose something, or the test could not have noticed.
"""

import asyncio
import json
import os
import random
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil
import psycopg
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from config.local import postgres
from tests.sessions_app.live.conftest import ROOT

EVENTS = int(os.environ.get("LYCEUM_CRASH_EVENTS", "600"))
STUDENTS = 12
KILLS = 3
PATIENCE = 90

pytestmark = pytest.mark.xdist_group("crash")

SCENE = """
import json, sys
import django
from config.local import stack
stack.ensure()
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from sessions_app import enrolment, lifecycle
from sessions_app.models import ClassMembership, School, SchoolClass, Student, User
school = School.objects.create(name="Shockoe Hill School")
alice = User.objects.create_user(f"alice-{school.pk}", role="teacher", school=school)
grade = SchoolClass.objects.create(school=school, name="Grade 4 B")
from sessions_app.models import LiveSession
students = [Student.objects.create(school=school, label=f"Student {n}") for n in range(int(sys.argv[1]))]
seats = [ClassMembership.objects.create(school_class=grade, student=s, label=s.label) for s in students]
draft = LiveSession.objects.create(school=school, teacher=alice, school_class=grade, title="Iron", activity="socratic")
session = lifecycle.session_start(lifecycle.session_configure(draft), by=alice)
members = [enrolment.member_join(session, membership=seat.pk) for seat in seats]
print(json.dumps({
    "session": str(session.pk),
    "students": [[str(m.pk), enrolment.cookie_name(m.pk) + "=" + enrolment.ticket_sign(m)] for m in members],
}))
"""

TOO_EARLY = """
import os, signal
from sessions_app.live import ingest
from sessions_app.timeline import Appended

class Hasty(ingest.Ingest):
    '''The control: it reports before it writes.'''

    async def _write(self, batch):
        for number, (event, reports) in enumerate(batch, 1):
            for report in reports:
                report(event, Appended("new", seq=number, event_time=event.happened_at, late=False, stored_type=None))
        import asyncio
        await asyncio.sleep(0.2)
        await super()._write([(event, []) for event, _ in batch])

from sessions_app.live import services
services.Ingest = Hasty
"""


SERVE = """
import sys
from config import server
from config.asgi import application
{too_early}
server.serve(application, host="127.0.0.1", port=int(sys.argv[1]))
"""


@dataclass
class Ledger:
    """What the clients sent and saw: key to position, by student."""

    attempted: set[str] = field(default_factory=set)
    acked: dict[str, int] = field(default_factory=dict)
    contradicted: int = 0
    longest_gap: float = 0.0
    _last_ack: float = field(default_factory=time.monotonic)

    def acknowledge(self, key: str, seq: int) -> None:
        if self.acked.setdefault(key, seq) != seq:
            self.contradicted += 1
        now = time.monotonic()
        self.longest_gap, self._last_ack = max(self.longest_gap, now - self._last_ack), now


class Place:
    """A stack and a web process of the test's own, so that killing them disturbs nobody."""

    def __init__(self, home: Path, *, hasty: bool = False) -> None:
        self.home = home
        self.hasty = hasty
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("LYCEUM", "AWS", "COV"))},
            "LYCEUM_HOME": str(home), "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONUNBUFFERED": "1",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "LOG_LEVEL": "ERROR",
        }  # fmt: skip
        self.port = 0
        self.web: subprocess.Popen[str] | None = None

    def prepare(self) -> dict[str, object]:
        told = subprocess.run(
            [sys.executable, "-c", SCENE, str(STUDENTS)],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        found: dict[str, object] = json.loads(told.stdout.splitlines()[-1])
        return found

    def serve(self) -> None:
        program = "import sys; from config import server; from config.asgi import application\n"
        program += (
            TOO_EARLY if self.hasty else ""
        ) + "server.serve(application, host='127.0.0.1', port=int(sys.argv[1]))"
        with (self.home / "web.log").open("a") as log:
            self.web = subprocess.Popen(
                [sys.executable, "-c", program, str(self.port)],
                cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        assert self.web.stdout is not None
        found = re.search(r":(\d+)/", self.web.stdout.readline())
        assert found is not None, (self.home / "web.log").read_text()
        self.port = int(found[1])

    def replace_web(self) -> None:
        """kill -9 of the web process, in the middle of whatever it does; another takes its place."""
        self.stop()
        self.serve()

    def stop(self) -> None:
        if self.web is not None and self.web.stdout is not None:
            self.web.kill()
            self.web.wait()
            self.web.stdout.close()
            self.web = None

    def kill_postgres(self) -> None:
        """kill -9 of the postmaster and of every process of its own, as a power cut would."""
        postmaster = psutil.Process(json.loads((self.home / "stack.json").read_text())["postgres_pid"])
        for process in [postmaster, *postmaster.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def rows(self, session: str) -> list[tuple[int, str]]:
        """(seq, key) of the latency events, and that no position is missing or taken twice."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                with psycopg.connect(postgres.database_url(self.home)) as db:
                    seqs = db.execute("SELECT seq FROM session_events WHERE session_id = %s ORDER BY seq", (session,))
                    positions = [seq for (seq,) in seqs.fetchall()]
                    assert positions == list(range(1, len(positions) + 1))
                    found = db.execute(
                        "SELECT seq, key::text FROM session_events WHERE session_id = %s AND event_type = 'latency'",
                        (session,),
                    )
                    return found.fetchall()
            except psycopg.OperationalError:
                assert time.monotonic() < end
                time.sleep(0.2)


async def student(place: Place, who: str, cookie: str, wanted: int, ledger: Ledger, rng: random.Random) -> None:
    """Send `wanted` events, each until it is acknowledged, some of them twice, over as many connections as it takes."""
    waiting: dict[str, str] = {}
    sent = 0
    end = time.monotonic() + PATIENCE
    while (sent < wanted or waiting) and time.monotonic() < end:
        try:
            async with connect(
                f"ws://127.0.0.1:{place.port}/ws/sessions/{who}/student/",
                additional_headers={"Cookie": cookie, "Origin": f"http://127.0.0.1:{place.port}"},
                compression=None, open_timeout=5,
            ) as socket:  # fmt: skip
                for frame in waiting.values():
                    await socket.send(frame)
                while sent < wanted or waiting:
                    while sent < wanted and len(waiting) < 16:
                        key = str(uuid.uuid4())
                        waiting[key] = _frame(key, sent)
                        ledger.attempted.add(key)
                        sent += 1
                        for _ in range(2 if rng.random() < 0.1 else 1):
                            await socket.send(waiting[key])
                    async with asyncio.timeout(5):
                        message = json.loads(await socket.recv())
                    for ack in message.get("acks", ()):
                        ledger.acknowledge(ack["key"], ack["seq"])
                        waiting.pop(ack["key"], None)
                    await asyncio.sleep(rng.uniform(0, 0.01))
        except (OSError, ConnectionClosed, InvalidHandshake, TimeoutError):
            await asyncio.sleep(rng.uniform(0.05, 0.4))


def _frame(key: str, number: int) -> str:
    event = {"key": key, "event": "latency", "at": datetime.now(UTC).isoformat(), "data": {"rtt_ms": number}}
    return json.dumps({"type": "events", "events": [event]})


def play(place: Place, faults: list[Callable[[], None]]) -> tuple[Ledger, list[tuple[int, str]]]:
    """Let the students send while the faults happen; what they saw, and what Postgres has in the end."""
    scene = place.prepare()
    place.serve()
    ledger = Ledger()

    async def everybody() -> None:
        rng = random.Random(3)
        students = [
            student(place, who, cookie, EVENTS // STUDENTS, ledger, random.Random(number))
            for number, (who, cookie) in enumerate(scene["students"])  # type: ignore[call-overload]
        ]

        async def break_things() -> None:
            for number, fault in enumerate(faults, 1):
                share = number / (len(faults) + 1)
                while len(ledger.acked) < share * EVENTS:
                    await asyncio.sleep(0.01)
                await asyncio.sleep(rng.uniform(0, 0.05))
                await asyncio.to_thread(fault)

        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*students, break_things())

    asyncio.run(everybody())
    return ledger, place.rows(str(scene["session"]))


def told(ledger: Ledger, rows: list[tuple[int, str]]) -> dict[str, float]:
    stored = {key: seq for seq, key in rows}
    elsewhere = sum(stored[key] != seq for key, seq in ledger.acked.items() if key in stored)
    figures = {
        "attempted": len(ledger.attempted),
        "acked": len(ledger.acked),
        "lost": len(ledger.acked.keys() - stored.keys()),
        "duplicated": len(rows) - len(stored),
        "misordered": elsewhere + ledger.contradicted,
        "recovery_s": round(ledger.longest_gap, 2),
    }
    print("  ".join(f"{name} {value}" for name, value in figures.items()))
    return figures


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("crash")


@pytest.fixture
def place(home: Path):
    made = Place(home)
    yield made
    made.stop()


@pytest.fixture
def hasty_place(home: Path):
    made = Place(home, hasty=True)
    yield made
    made.stop()


def test_nothing_acknowledged_is_lost_when_the_web_process_is_killed(place: Place):
    ledger, rows = play(place, [place.replace_web] * KILLS)
    figures = told(ledger, rows)
    assert figures["acked"] == figures["attempted"] == EVENTS // STUDENTS * STUDENTS
    assert (figures["lost"], figures["duplicated"], figures["misordered"]) == (0, 0, 0)


def test_nothing_acknowledged_is_lost_when_postgres_is_killed(place: Place):
    ledger, rows = play(place, [place.kill_postgres])
    figures = told(ledger, rows)
    assert figures["acked"] == figures["attempted"] == EVENTS // STUDENTS * STUDENTS
    assert (figures["lost"], figures["duplicated"], figures["misordered"]) == (0, 0, 0)


def test_a_server_that_acknowledges_before_it_commits_is_found_out(hasty_place: Place):
    def kill() -> None:
        hasty_place.hasty = False
        hasty_place.replace_web()

    assert told(*play(hasty_place, [kill]))["lost"] > 0
