"""Events through real sockets: durable, acknowledged after COMMIT, and on the teacher's page."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection

from config.local import postgres
from sessions_app import lifecycle
from sessions_app.models import ClassMembership, LiveSession, School, SchoolClass, Student, StudentSession, User
from tests.benchmarks.pages import student_page, teacher_page
from tests.benchmarks.runner import Result, at_least, benchmark, bounded, told
from tests.benchmarks.server import ROOT, web_process
from tests.sessions_app.live.clients import sign_in_cookie

LIMITS = Path(__file__).parent / "limits"
SESSIONS, SOCKETS, CLIENTS = 20, 1000, 2
LIMIT_CONNECTIONS, LIMIT_SECONDS = 50, 8
SECONDS = 12
OFFERED = 500  # events a second


WRITTEN = """
SELECT count(*) FILTER (WHERE event_type = 'latency'),
    count(*) FILTER (WHERE key IS NOT NULL) - count(DISTINCT (session_id, sender, key)) FILTER (WHERE key IS NOT NULL)
FROM session_events WHERE session_id = ANY(%s)
"""
GAPS = """
SELECT coalesce(sum(abs(c.last_seq - e.n) + abs(e.last - e.n)), 0)
FROM sessions_app_sessioncounter c
JOIN (SELECT session_id, count(*) AS n, max(seq) AS last FROM session_events WHERE session_id = ANY(%s) GROUP BY 1) e
USING (session_id)
"""


@benchmark("ingest.closed_loop")
def closed_loop() -> Iterator[Result]:
    """1,000 sockets in 20 sessions, each with one event in flight, against single-row inserts by 50 connections."""
    before = single_row_inserts()
    with _server() as server:
        seen = _drive(server, rate=0)
    limit = (before + single_row_inserts()) / 2
    yield at_least("ingest.closed_loop", seen["per_second"], "events/s", limit=limit, ratio=0.5)
    yield told("ingest.closed_loop.cpu", seen["per_cpu_second"], "events/CPU-s")
    yield told("ingest.closed_loop.client_cpu", seen["client_cores"], "cores")
    yield told("ingest.closed_loop.ack_p50", seen["ack_p50_ms"], "ms")
    yield told("ingest.closed_loop.ack_p99", seen["ack_p99_ms"], "ms")
    yield from _whole("ingest.closed_loop", seen)


@benchmark("ingest.offered")
def offered() -> Iterator[Result]:
    """500 events a second, whether the server keeps up or not."""
    with _server() as server:
        seen = _drive(server, rate=OFFERED)
    yield bounded("ingest.offered.ack_p99", seen["ack_p99_ms"], "ms", most=100)
    yield bounded("ingest.offered.teacher_p99", seen["teacher_p99_ms"], "ms", most=250)
    yield bounded("ingest.offered.memory", seen["server_mib"], "MiB", most=300)
    yield told("ingest.offered.ack_p50", seen["ack_p50_ms"], "ms")
    yield told("ingest.offered.cpu", seen["per_cpu_second"], "events/CPU-s")
    yield from _whole("ingest.offered", seen)


def _whole(name: str, seen: dict[str, Any]) -> Iterator[Result]:
    for what in ("lost", "doubled", "gaps", "teacher_missed", "errors"):
        yield bounded(f"{name}.{what}", seen[what], "", most=0)


def single_row_inserts() -> float:
    """Rows a second that pgbench inserts into a table like the timeline, one per commit."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS limit_events; DROP SEQUENCE IF EXISTS limit_seq")
        cursor.execute(
            "CREATE TABLE limit_events (LIKE session_events INCLUDING ALL); CREATE SEQUENCE limit_seq CACHE 50"
        )
    pgbench = postgres.programs() / "pgbench"
    db = connection.settings_dict
    found = subprocess.run(
        [
            pgbench, "-n", "-M", "prepared", "-c", str(LIMIT_CONNECTIONS), "-j", "2", "-T", str(LIMIT_SECONDS), "-f",
            LIMITS / "insert_event.sql", "-h", str(db["HOST"]), "-U", str(db["USER"]), str(db["NAME"]),
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE limit_events; DROP SEQUENCE limit_seq")
    return float(re.search(r"tps = ([0-9.]+)", found.stdout)[1])  # type: ignore[index]


@contextmanager
def _server() -> Iterator[dict[str, Any]]:
    """A web process with fresh sessions in its database."""
    plan = _school()
    with web_process() as server:
        yield plan | {"host": server.host, "process": server.process}


def _school() -> dict[str, Any]:
    school = School.objects.create(name="Benchmark School")
    teacher = User.objects.create_user(f"bench-{school.pk.hex}", role="teacher", school=school)
    school_class = SchoolClass.objects.create(school=school, name="Everybody")
    students = Student.objects.bulk_create(
        Student(school=school, label=f"Student {n}", pseudonym=f"B-{n}") for n in range(SOCKETS // SESSIONS)
    )
    ClassMembership.objects.bulk_create(
        ClassMembership(school_class=school_class, student=s, label=s.label) for s in students
    )
    sessions = []
    for number in range(SESSIONS):
        draft = LiveSession.objects.create(
            school=school, teacher=teacher, school_class=school_class, title=f"Session {number}", activity="socratic",
            capacity=200,
        )  # fmt: skip
        sessions.append(lifecycle.session_start(lifecycle.session_configure(draft), by=teacher))
    members = StudentSession.objects.bulk_create(
        StudentSession(school=school, session=session, student=student, label=student.label)
        for session in sessions
        for student in students
    )
    cookie = sign_in_cookie(teacher)
    return {
        "sessions": sessions,
        "students": [student_page(member) for member in members],
        "teachers": [teacher_page(session, cookie) for session in sessions],
    }


def _drive(server: dict[str, Any], *, rate: float) -> dict[str, Any]:
    """Connect all pages, let them send, and compare what they saw with what the table has."""
    clients = []
    folder = Path(tempfile.mkdtemp(prefix="lyceum-bench-"))
    kept = [folder / f"{number}.json" for number in range(CLIENTS)]
    for number in range(CLIENTS):
        client = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.load"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        plan = {
            "seen": str(kept[number]),
            "host": server["host"], "rate": rate / CLIENTS, "seconds": SECONDS,
            "students": server["students"][number::CLIENTS], "teachers": server["teachers"][number::CLIENTS],
        }  # fmt: skip
        assert client.stdin is not None
        client.stdin.write(json.dumps(plan) + "\n")
        client.stdin.flush()
        clients.append(client)
    for client in clients:
        assert client.stdout is not None
        assert client.stdout.readline().strip() == "ready"
    process = server["process"]
    cpu = sum(process.cpu_times()[:2])
    for client in clients:
        assert client.stdin is not None
        client.stdin.write("go\n")
        client.stdin.flush()
    for client in clients:
        client.wait(SECONDS + 60)
    found = [json.loads(path.read_text()) for path in kept]
    memory = process.memory_info().rss / 2**20
    cpu = sum(process.cpu_times()[:2]) - cpu
    return _compared(server["sessions"], found, cpu=cpu, memory=memory)


def _compared(sessions: list[LiveSession], found: list[dict[str, Any]], *, cpu: float, memory: float) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN, ([s.pk for s in sessions],))
        stored, doubled = cursor.fetchone()
        cursor.execute(GAPS, ([s.pk for s in sessions],))
        gaps = cursor.fetchone()[0]
    acked = sum(each["acked"] for each in found)
    waits = sorted(wait for each in found for wait in each["waits"])
    delays = sorted(delay for each in found for delay in each["delays"])
    return {
        "per_second": sum(each["acked_in_time"] / each["seconds"] for each in found),
        "per_cpu_second": acked / cpu,
        "client_cores": sum(each["cpu_seconds"] / each["seconds"] for each in found),
        "server_mib": memory,
        "ack_p50_ms": _quantile(waits, 0.5) * 1000,
        "ack_p99_ms": _quantile(waits, 0.99) * 1000,
        "teacher_p99_ms": _quantile(delays, 0.99) * 1000,
        "lost": max(0, acked - stored) + sum(each["sent"] - each["acked"] for each in found),
        "doubled": doubled,
        "gaps": float(gaps),
        "teacher_missed": sum(t["misordered"] for each in found for t in each["teachers"])
        + max(0, stored - len(delays)),
        "errors": sum(each["errors"] + len(each["closed"]) for each in found),
    }


def _quantile(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0
