"""The student's way through a study with 200 students at once: what each page and each socket step costs.

A web process of its own; every student's page is connected all the while. Each does the whole way, thinking for some
seconds before each step. What is measured is the time from a step's frame to its acknowledgement, which includes its
rules, its records and their COMMIT, and whatever it had to wait for: an upper bound of the server's time. Beside it, in
the same run and under the same load, the least that an acknowledged event costs: a fact, which is only recorded.
"""

import asyncio
import json
import random
import statistics
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from sessions_app import enrolment, lifecycle
from sessions_app.models import (
    AssessmentItem,
    ClassMembership,
    Condition,
    Consent,
    LiveSession,
    School,
    SchoolClass,
    Student,
    StudentSession,
    Study,
    User,
)
from sessions_app.study.way import PURPOSES
from tests.benchmarks.place import own_database
from tests.benchmarks.runner import Result, benchmark, bounded, durable, told
from tests.sessions_app.live.clients import join_cookie
from tests.sessions_app.live.conftest import Server, serve
from tests.study_cast import complete_study

CLASSES, STUDENTS = 8, 25
MEAN_THOUGHT = 8.0  # seconds between two steps of a student
ARRIVING = 60.0  # seconds within which all classes have come and agreed
MOST_MS = 50.0
GIVE_UP = 60.0


@benchmark("pages.student_way")
def student_way() -> Iterator[Result]:
    """Each kind of step at the median of all students, and the page itself."""
    with own_database("way"):
        durable()
        members, forms = _classes()
        server = serve(Path(tempfile.mkdtemp(prefix="lyceum-bench-")) / "server.log")
        try:
            waits = asyncio.run(_all_the_way(server, members, forms))
        finally:
            server.stop()
    fact = statistics.median(waits.pop("latency")) * 1000
    for step, seconds in sorted(waits.items()):
        yield bounded(f"pages.student_way.{step}", statistics.median(seconds) * 1000, "ms", most=MOST_MS)
    yield told("pages.student_way.a_fact_beside_it", fact, "ms")


def _classes() -> tuple[list[StudentSession], dict[str, list[tuple[str, bool]]]]:
    """Started classes whose students have every consent of their families; half are asked by a set, half by rules."""
    school = School.objects.create(name="Benchmark School")
    teacher = User.objects.create_user("bench", role="teacher", school=school)
    study = Study.objects.create(name="Benchmark")
    study.schools.add(school)
    complete_study(study)
    members = []
    for number in range(CLASSES):
        school_class = SchoolClass.objects.create(school=school, name=f"Class {number}")
        for place in range(STUDENTS):
            student = Student.objects.create(school=school, label=f"Student {number}.{place}")
            ClassMembership.objects.create(school_class=school_class, student=student, label=student.label)
            for purpose in ("participation", "location", "survey"):
                Consent.objects.create(
                    student=student, purpose=purpose, decision="granted", given_by="guardian", version="1",
                    how_obtained="paper",
                )  # fmt: skip
        condition = Condition.objects.get(code="L3-I1-S" if number % 2 else "L3-I1-D")
        draft = LiveSession.objects.create(
            school=school, teacher=teacher, school_class=school_class, title=f"Class {number}", activity="socratic",
            study=study, condition=condition, location="classroom",
        )  # fmt: skip
        session = lifecycle.session_configure(draft)
        members += [enrolment.member_join(session, membership=seat.membership) for seat in enrolment.seats(session)]
        lifecycle.session_start(session, by=teacher)
    forms: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    for item in AssessmentItem.objects.select_related("form"):
        forms[item.form.kind].append((str(item.pk), bool(item.options)))
    return members, forms


async def _all_the_way(
    server: Server, members: list[StudentSession], forms: dict[str, list[tuple[str, bool]]]
) -> dict[str, list[float]]:
    waits: dict[str, list[float]] = defaultdict(list)
    gate = asyncio.Semaphore(20)
    students = [_Student(server, member, forms, waits, seed) for seed, member in enumerate(members)]
    await asyncio.gather(*(student.connect(gate) for student in students))
    await asyncio.gather(*(student.go() for student in students))
    return waits


class _Student:
    """One page: keeps the newest state, and how long each of its frames waited for the acknowledgement."""

    def __init__(
        self,
        server: Server,
        member: StudentSession,
        forms: dict[str, list[tuple[str, bool]]],
        waits: dict[str, list[float]],
        seed: int,
    ) -> None:
        self._server, self._member, self._forms, self._waits = server, member, forms, waits
        self._rng = random.Random(seed)
        self._state: dict[str, Any] = {}
        self._changed = asyncio.Event()
        self._open: dict[str, tuple[str, float, asyncio.Future[None]]] = {}
        self._socket: ClientConnection

    async def connect(self, gate: asyncio.Semaphore) -> None:
        async with gate:
            headers = {"Cookie": join_cookie(self._member), "Origin": self._server.origin}
            address = self._server.url(f"/ws/sessions/{self._member.pk}/student/")
            self._socket = await connect(address, additional_headers=headers, compression=None, max_size=None)
        self._listening = asyncio.create_task(self._listen())

    async def go(self) -> None:
        await asyncio.sleep(self._rng.uniform(0, ARRIVING))
        await self._page()
        # A page sends what comes in the same moment in one frame.
        await self._send(
            "consent", *({"purpose": purpose, "decision": "granted", "version": "1"} for purpose in PURPOSES)
        )
        await self._at("prior_knowledge")
        await self._do("prior_knowledge", {"ratings": [1, 2, 3]})
        await self._fill_in("baseline")
        await self._at("content")
        await self._do("content_begun", {"format": "text"})
        for segment, position in ((1, 150), (2, 300)):
            await self._at("content")
            await self._do("content_reached", {"segment": segment, "position": position})
            await self._at("intervention")
            await self._page()
            for number in (1, 2, 3):
                waiting = await self._question(number)
                answer = {"exchange": waiting, "text": f"The river drove the wheels of part {segment}.", "seconds": 9}
                await self._do("exchange_answer", answer)
        await self._fill_in("final")
        await self._at("survey")
        ratings = ("location_impact_rating", "intervention_helpful_rating", "overall_experience_rating")
        await self._do("survey_submitted", {"answers": dict.fromkeys(ratings, 4), "seconds": 60})
        await self._at("done")
        self._listening.cancel()
        await self._socket.close()

    async def _fill_in(self, form: str) -> None:
        await self._at(form)
        answers = [{"question": pk, "answer": 1 if choice else "The river."} for pk, choice in self._forms[form]]
        await self._do("assessment_answer", {"form": form, **answers[0]})
        await self._do("assessment_submitted", {"form": form, "answers": answers})

    async def _do(self, event: str, data: dict[str, Any]) -> None:
        """One step and, every time, a fact beside it."""
        await asyncio.sleep(self._rng.expovariate(1 / MEAN_THOUGHT))
        await self._send(event, data)
        await self._send("latency", {"rtt_ms": 20})

    async def _send(self, event: str, *data: dict[str, Any]) -> None:
        """Events of a kind in one frame, until each is acknowledged."""
        bodies = []
        for each in data:
            key, done = str(uuid.uuid4()), asyncio.get_running_loop().create_future()
            self._open[key] = (event, time.perf_counter(), done)
            bodies.append({"key": key, "event": event, "at": datetime.now(UTC).isoformat(), "data": each})
        waiting = [self._open[body["key"]][2] for body in bodies]
        await self._socket.send(json.dumps({"type": "events", "events": bodies}))
        async with asyncio.timeout(GIVE_UP):
            await asyncio.gather(*waiting)

    async def _listen(self) -> None:
        async for raw in self._socket:
            frame = json.loads(raw)
            if frame["type"] == "ack":
                for ack in frame["acks"]:
                    event, since, done = self._open.pop(ack["key"])
                    self._waits[event].append(time.perf_counter() - since)
                    done.set_result(None)
            elif frame["type"] == "state":
                self._state = frame
                self._changed.set()
            elif frame["type"] == "error":
                raise RuntimeError(f"a step was refused: {frame}")

    async def _until(self, fits: Any) -> None:
        async with asyncio.timeout(GIVE_UP):
            while not self._state or not fits(self._state):
                self._changed.clear()
                await self._changed.wait()

    async def _at(self, step: str) -> None:
        await self._until(lambda state: state["me"]["step"] == step)

    async def _question(self, number: int) -> str:
        def waiting(state: dict[str, Any]) -> list[dict[str, Any]]:
            if state["me"]["step"] != "intervention":
                return []
            exchanges = state["way"]["material"]["exchanges"]
            return [e for e in exchanges if e["number"] == number and e["answer"] is None]

        await self._until(waiting)
        return str(waiting(self._state)[0]["id"])

    async def _page(self) -> None:
        """The page itself, as a browser asks for it."""
        await asyncio.sleep(self._rng.uniform(0, MEAN_THOUGHT))
        since = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._server.port)
        head = (
            f"GET /s/{self._member.pk}/ HTTP/1.1\r\nHost: 127.0.0.1:{self._server.port}\r\n"
            f"Cookie: {join_cookie(self._member)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode())
        answer = await reader.read()
        writer.close()
        if b" 200 " not in answer.split(b"\r\n", 1)[0]:
            raise RuntimeError(answer[:200])
        self._waits["page"].append(time.perf_counter() - since)
