"""The group commit, on the real database."""

import asyncio
import contextlib
import logging
import os
import signal
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from sessions_app import timeline
from sessions_app.events import ClientError, Event, Latency
from sessions_app.live import connections, ingest
from sessions_app.live.ingest import Busy, Ingest
from sessions_app.models import LiveSession, StudentSession
from sessions_app.timeline import Appended, NewEvent

pytestmark = pytest.mark.django_db(transaction=True)

Scene = Callable[["Scribe"], Awaitable[None]]


class Scribe:
    """Submits a student's events, and keeps what was reported in the order of the reports."""

    def __init__(self, member: StudentSession) -> None:
        self.member = member
        self.committed: list[int] = []
        self.reports: list[tuple[NewEvent, Appended]] = []
        self.ingest: Ingest

    def event(self, event: Event | None = None, key: uuid.UUID | None = None) -> NewEvent:
        now = datetime.now(UTC)
        return NewEvent(
            session_id=self.member.session_id, event=event or Latency(rtt_ms=1), received_at=now, happened_at=now,
            sender=self.member.pk, key=key or uuid.uuid4(), student_session_id=self.member.pk,
        )  # fmt: skip

    def submit(self, *events: NewEvent) -> None:
        for event in events:
            self.ingest.submit(event, lambda event, result: self.reports.append((event, result)))

    @property
    def verdicts(self) -> list[str]:
        return [result.verdict for _, result in self.reports]

    @property
    def places(self) -> list[int | None]:
        return [result.seq for _, result in self.reports]


def play(member: StudentSession, scene: Scene, *, stop_within: float = 10) -> Scribe:
    scribe = Scribe(member)

    async def run() -> None:
        scribe.ingest = Ingest(lambda written: scribe.committed.extend(result.seq or 0 for _, result in written))
        await scene(scribe)
        await scribe.ingest.stop(within=stop_within)

    asyncio.run(run())
    return scribe


@asynccontextmanager
async def held_back(member: StudentSession) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """Nothing can be appended to the session meanwhile."""
    db = await connections.connect("test")
    async with db, db.transaction():
        await db.execute(
            "SELECT FROM sessions_app_sessioncounter WHERE session_id = %s FOR UPDATE", [member.session_id]
        )
        yield db


async def somebody_waits(db: psycopg.AsyncConnection[Any]) -> None:
    waiting = "SELECT FROM pg_stat_activity WHERE application_name = 'lyceum ingest' AND wait_event_type = 'Lock'"
    async with asyncio.timeout(10):
        while not (await db.execute(waiting)).rowcount:
            await db.execute("SELECT pg_stat_clear_snapshot()")
            await asyncio.sleep(0.01)


def test_an_event_is_reported_after_its_commit_and_not_before(sam_in: StudentSession):
    async def scene(scribe: Scribe) -> None:
        async with held_back(sam_in) as db:
            scribe.submit(scribe.event(), scribe.event())
            await somebody_waits(db)
            assert scribe.reports == []
        await scribe.ingest.drained()
        assert scribe.verdicts == ["new", "new"]

    scribe = play(sam_in, scene)
    assert scribe.committed == scribe.places
    assert [event.seq for event in timeline.read(sam_in.session_id, after=min(scribe.committed) - 1)] == scribe.places


def test_what_arrives_during_a_commit_is_the_next_batch(sam_in: StudentSession, monkeypatch: pytest.MonkeyPatch):
    sizes: list[int] = []
    append = timeline.append_batch

    async def counted(db: Any, events: list[NewEvent]) -> list[Appended]:
        sizes.append(len(events))
        return await append(db, events)

    async def scene(scribe: Scribe) -> None:
        async with held_back(sam_in) as db:
            scribe.submit(scribe.event())
            await somebody_waits(db)
            scribe.submit(*(scribe.event() for _ in range(ingest.LARGEST_BATCH + 7)))

    monkeypatch.setattr(timeline, "append_batch", counted)
    scribe = play(sam_in, scene)
    assert sizes == [1, ingest.LARGEST_BATCH, 7]
    assert scribe.places == sorted(scribe.places)


def test_an_event_that_cannot_be_stored_is_found_and_the_others_are_written(sam_in: StudentSession):
    bad = [ClientError(where="x", message="nul \0"), ClientError(where="x", message="half \ud800")]

    async def scene(scribe: Scribe) -> None:
        good = [scribe.event() for _ in range(9)]
        scribe.submit(*good[:4], scribe.event(bad[0]), *good[4:7], scribe.event(bad[1]), *good[7:])

    before = timeline.position(sam_in.session_id).seq
    scribe = play(sam_in, scene)
    assert scribe.verdicts == ["new"] * 4 + ["unwritable"] + ["new"] * 3 + ["unwritable"] + ["new"] * 2
    assert scribe.committed == list(range(before + 1, before + 10))


def test_the_same_key_twice_in_a_batch_is_written_once(sam_in: StudentSession):
    key = uuid.uuid4()

    async def scene(scribe: Scribe) -> None:
        scribe.submit(scribe.event(key=key), scribe.event(key=key), scribe.event(Latency(rtt_ms=2), key=key))

    scribe = play(sam_in, scene)
    assert sorted(scribe.verdicts) == ["key_reused", "new", "new"]
    assert len(scribe.committed) == 1


def test_a_full_queue_takes_no_more_and_forgets_nothing(sam_in: StudentSession, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ingest, "MOST_QUEUED", 20)

    async def scene(scribe: Scribe) -> None:
        async with held_back(sam_in):
            scribe.submit(*(scribe.event() for _ in range(20)))
            with pytest.raises(Busy):
                scribe.submit(scribe.event())

    assert play(sam_in, scene).verdicts == ["new"] * 20


def test_a_stop_gives_up_in_time_and_reports_nothing_that_was_not_written(
    sam_in: StudentSession, caplog: pytest.LogCaptureFixture
):
    async def scene(scribe: Scribe) -> None:
        async with held_back(sam_in) as db:
            scribe.submit(scribe.event())
            await somebody_waits(db)
            await scribe.ingest.stop(within=0.05)

    before = timeline.position(sam_in.session_id).seq
    scribe = play(sam_in, scene, stop_within=0.05)
    assert scribe.reports == []
    assert timeline.position(sam_in.session_id).seq == before
    assert "1 events were not written" in caplog.text


def test_a_lost_connection_loses_and_doubles_nothing(sam_in: StudentSession):
    async def scene(scribe: Scribe) -> None:
        for _ in range(3):
            async with held_back(sam_in) as db:
                scribe.submit(*(scribe.event() for _ in range(5)))
                await somebody_waits(db)
                await db.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lyceum ingest'"
                )
            await scribe.ingest.drained()

    before = timeline.position(sam_in.session_id).seq
    scribe = play(sam_in, scene)
    assert scribe.verdicts == ["new"] * 15
    assert scribe.places == list(range(before + 1, before + 16))


def test_a_failure_that_is_not_the_events_fault_is_tried_until_it_is_over(
    sam_in: StudentSession, caplog: pytest.LogCaptureFixture
):
    async def scene(scribe: Scribe) -> None:
        async with await connections.connect("test") as db:
            await db.execute("ALTER TABLE session_events RENAME TO moved_away")
            scribe.submit(scribe.event(), scribe.event())
            end = time.monotonic() + 10
            while "UndefinedTable" not in caplog.text and time.monotonic() < end:
                await asyncio.sleep(0.01)
            await db.execute("ALTER TABLE moved_away RENAME TO session_events")

    with caplog.at_level(logging.WARNING):
        scribe = play(sam_in, scene)
    assert "UndefinedTable" in caplog.text
    assert scribe.verdicts == ["new", "new"]


def test_a_process_whose_writer_fails_ends_itself(sam_in: StudentSession, monkeypatch: pytest.MonkeyPatch):
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append(number))

    async def scene() -> None:
        failing = Ingest(lambda written: 1 / 0)  # type: ignore[arg-type, return-value]
        failing.submit(Scribe(sam_in).event(), lambda event, result: None)
        with contextlib.suppress(ZeroDivisionError):
            await failing._task
        await failing._connection.close()

    asyncio.run(scene())
    assert sent == [signal.SIGTERM]


def test_events_of_many_sessions_share_a_commit(sam_in: StudentSession, session: LiveSession):
    async def scene(scribe: Scribe) -> None:
        unknown = scribe.event()
        scribe.submit(scribe.event(), NewEvent(
            session_id=uuid.uuid4(), event=unknown.event, received_at=unknown.received_at,
            happened_at=unknown.happened_at, sender=unknown.sender, key=unknown.key,
        ))  # fmt: skip

    assert play(sam_in, scene).verdicts == ["new", "no_such_session"]
