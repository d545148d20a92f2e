"""Eight readers at once in a running server, in real time, and 200 other students beside them.

The readings are synthetic: espeak-ng reads a text of our own.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import psutil

from sessions_app import lifecycle
from sessions_app.models import (
    ClassMembership,
    Consent,
    LiveSession,
    School,
    SchoolClass,
    Student,
    StudentSession,
    Transcript,
    User,
)
from sessions_app.reading import passages
from sessions_app.speech.alignment import align
from sessions_app.speech.passage import passage_read
from sessions_app.speech.transcriber import HeardWord
from tests.benchmarks.bench_speech import has_voice, recorded
from tests.benchmarks.pages import student_page, teacher_page
from tests.benchmarks.readings import TEXTS
from tests.benchmarks.runner import Result, at_least, benchmark, bounded
from tests.benchmarks.server import ROOT, web_process
from tests.sessions_app.live.clients import sign_in_cookie
from tests.voices import CHUNK_SECONDS, SECOND, spoken, with_noise

READERS = 8
STUDENTS, OFFERED = 200, 100  # pages beside the readers, and their events a second
TEXT = " ".join(TEXTS[:2])


@benchmark("speech.live")
def live() -> Iterator[Result]:
    """Eight readers at once and 200 other students in one running server, in real time."""
    if not has_voice():
        return
    if (load := os.getloadavg()[0]) > 1:
        print(f"The machine is busy (load {load:.1f}): what follows is in real time, and tells of that too.")
    folder = Path(tempfile.mkdtemp(prefix="lyceum-bench-"))
    read, beside = _school()
    passages.passages_prepare()
    sound = spoken(TEXT)
    board = teacher_page(read[0].session, sign_in_cookie(read[0].session.teacher))
    plan = {"readers": [], "recordings": [], "chunk_seconds": CHUNK_SECONDS, "board": board}
    for number, member in enumerate(read):
        path = folder / f"{number}.chunks"
        path.write_bytes(msgspec.msgpack.encode(recorded(with_noise(sound, 10.0 * number))))
        plan["recordings"].append(str(path))
        plan["readers"].append(student_page(member))
    seconds = len(sound) / SECOND
    with web_process() as server:
        host = {"host": server.host}
        readers = _Client("aloud", plan | host, folder / "readers.json")
        others = _Client(
            "load",
            {"students": [student_page(m) for m in beside], "teachers": [], "rate": OFFERED, "seconds": seconds} | host,
            folder / "others.json",
        )
        for client in (readers, others):
            client.ready()
        engines = _engines_of(server.process)
        before = _cpu(engines)
        for client in (readers, others):
            client.go()
        time.sleep(seconds * 0.8)
        memory = sum(engine.memory_full_info().uss for engine in engines) / 2**20
        seen, acked = readers.seen(seconds + 120), others.seen(seconds + 120)
        cores = (_cpu(engines) - before) / (READERS * seconds)
    delays = sorted(
        delay
        for reader, member in zip(seen["readers"], read, strict=True)
        for delay in _delays(member, [tuple(moved) for moved in reader["moved"]])
    )
    on_board = sorted(delay for reader in seen["readers"] for delay in _behind(reader["moved"], reader["board"]))
    reached = [reader["moved"][-1][1] for reader in seen["readers"]]
    yield bounded("speech.live.cores_per_stream", cores, "cores", most=0.12)
    yield bounded("speech.live.words_p95", quantile(delays, 0.95), "s", most=1.5)
    yield bounded("speech.live.board_p95", quantile(on_board, 0.95), "s", most=1)
    yield bounded("speech.live.others_ack_p99", quantile(sorted(acked["waits"]), 0.99) * 1000, "ms", most=150)
    yield bounded("speech.live.memory_per_stream", memory / READERS, "MiB", most=60)
    words = len(passage_read(TEXT).words)
    yield at_least("speech.live.reached", min(reached) / words, "of passage", limit=1.0, ratio=0.95)
    refusals = sorted({code for reader in seen["readers"] for code in reader["errors"]})
    if refusals:
        print(f"The readers were told: {', '.join(refusals)}.")
    missed = acked["sent"] - acked["acked"] + acked["errors"] + sum(len(r["errors"]) for r in seen["readers"])
    yield bounded("speech.live.lost", missed, "", most=0)


def _delays(member: StudentSession, moved: list[tuple[float, int]]) -> Iterator[float]:
    """Seconds from the end of each word of the passage that was read until the page showed it as read."""
    rows = Transcript.objects.filter(reading__student_session=member).order_by("number")
    heard = [HeardWord(*word) for row in rows for word in row.words]
    furthest = 0
    steps = []
    for at, reached in moved:
        furthest = max(furthest, reached)
        steps.append((furthest, at))
    counts = [count for count, _ in steps]
    for mark in align(passage_read(TEXT), heard).marks:
        if mark.heard is not None:
            yield steps[bisect_left(counts, mark.index + 1)][1] - mark.heard.end


def _behind(moved: list[list[float]], board: list[list[float]]) -> Iterator[float]:
    """Seconds from when a reader's own page showed a place in the passage until the teacher's board had it."""
    furthest = 0.0
    for at, reached in moved:
        if reached > furthest:
            furthest = reached
            yield next((then for then, there in board if there >= reached), float("inf")) - at


def _school() -> tuple[list[StudentSession], list[StudentSession]]:
    """A class that reads aloud, and 200 students in another session."""
    school = School.objects.create(name="Readers' School")
    teacher = User.objects.create_user(f"readers-{school.pk.hex}", role="teacher", school=school)
    text = passages.passage_make(by=teacher, school=school, title="A passage", text=TEXT, grade=4)
    read = _members(teacher, READERS, activity="reading", passage=text)
    for member in read:
        assert member.student is not None
        Consent.objects.create(
            student=member.student, purpose="audio", decision="granted", given_by="guardian", version="1",
            how_obtained="paper",
        )  # fmt: skip
    return read, _members(teacher, STUDENTS, activity="socratic")


def _members(teacher: User, number: int, **about: Any) -> list[StudentSession]:
    school = teacher.school
    school_class = SchoolClass.objects.create(school=school, name=f"Class {about['activity']}")
    students = Student.objects.bulk_create(
        Student(school=school, label=f"Student {n}", pseudonym=f"{about['activity']}-{n}") for n in range(number)
    )
    ClassMembership.objects.bulk_create(
        ClassMembership(school_class=school_class, student=s, label=s.label) for s in students
    )
    draft = LiveSession.objects.create(
        school=school, teacher=teacher, school_class=school_class, title="Benchmark", capacity=number, **about
    )
    session = lifecycle.session_start(lifecycle.session_configure(draft), by=teacher)
    return StudentSession.objects.bulk_create(
        StudentSession(school=school, session=session, student=s, label=s.label) for s in students
    )


@dataclass
class _Client:
    """A process of pages: `program` of tests.benchmarks, which says "ready", waits for "go" and keeps what it saw."""

    program: str
    plan: dict[str, Any]
    path: Path
    process: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"tests.benchmarks.{self.program}"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._say(json.dumps(self.plan | {"seen": str(self.path)}))

    def ready(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == "ready"

    def go(self) -> None:
        self._say("go")

    def seen(self, within: float) -> dict[str, Any]:
        self.process.wait(within)
        found: dict[str, Any] = json.loads(self.path.read_text())
        return found

    def _say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()


def _engines_of(server: psutil.Process, within: float = 20.0) -> list[psutil.Process]:
    """The engine processes of a server, as soon as they are there."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        found = [c for c in server.children(recursive=True) if any("engine_process" in part for part in c.cmdline())]
        if found:
            time.sleep(3.0)  # until each reader has its language model
            return found
        time.sleep(0.1)
    raise SystemExit("No engine process has started.")


def _cpu(processes: Sequence[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def quantile(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("inf")
