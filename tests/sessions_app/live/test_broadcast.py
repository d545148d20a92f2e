"""What a watch passes on: every event once, in order, however it was told of it."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions_app.live import broadcast, connections, states
from sessions_app.live.broadcast import Published, Watch, as_published
from sessions_app.live.protocol import Close
from sessions_app.timeline import Position, StoredEvent


class Table:
    """A timeline that is read as the database's is, in its own time, and fails now and then."""

    def __init__(self, rng: random.Random) -> None:
        self.epoch = uuid4()
        self.last = 0
        self._rng = rng

    def append(self, count: int) -> Published:
        first, self.last = self.last + 1, self.last + count
        return [as_published(self._event(seq)) for seq in range(first, self.last + 1)]

    async def run(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        for _ in range(self._rng.randrange(4)):
            await asyncio.sleep(0)
        if self._rng.random() < 0.1:
            raise psycopg.OperationalError
        return await work(self)

    async def execute(self, sql: str, parameters: tuple[Any, ...]) -> "Cursor":
        if "FROM session_events" in sql:
            _, after, limit = parameters
            seqs = range(after + 1, min(self.last, after + limit) + 1)
            events = [self._event(seq) for seq in seqs]
            return Cursor([(e.seq, e.event, e.at, e.late, e.student, e.data) for e in events])
        return Cursor([(self.epoch, self.last)])

    @staticmethod
    def _event(seq: int) -> StoredEvent:
        return StoredEvent(seq, "latency", datetime(2026, 10, 20, tzinfo=UTC), late=False, student=None, data={})


class Cursor:
    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self.rows = rows

    async def fetchall(self) -> list[tuple[Any, ...]]:
        return self.rows

    async def fetchone(self) -> tuple[Any, ...]:
        return self.rows[0]


class Page:
    """A teacher's page that goes on from the last event that it saw."""

    def __init__(self) -> None:
        self.position = 0
        self.live = False
        self.seen: list[int] = []

    def resume(self, watch: Watch, *, forgotten: int = 0) -> None:
        """Come (again), without the last frames that the network lost."""
        if forgotten:
            del self.seen[-forgotten:]
        watch.teachers.add(self)
        watch.resume(self, epoch=watch.epoch, after=self.seen[-1] if self.seen else 0)

    def push(self, frame: str) -> None:
        said = json.loads(frame)
        if said["type"] == "events":
            self.seen += [event["seq"] for event in said["events"]]

    def end(self, code: Close) -> None:
        raise AssertionError(code)

    leave = end


async def no_board(*_: Any) -> str:
    return '{"type":"state"}'


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_pause(first: float = 0) -> Any:
        while True:
            await asyncio.sleep(0)
            yield

    for module, name in ((broadcast, "COALESCE"), (broadcast, "POSITION_EVERY"), (states, "BOARD_EVERY")):
        monkeypatch.setattr(module, name, 0.001)
    monkeypatch.setattr(broadcast, "READ_AT_ONCE", 5)
    monkeypatch.setattr(connections, "pauses", no_pause)


def watch_of(table: Table, start: int = 0) -> Watch:
    return Watch(uuid4(), Position(table.epoch, start), table, no_board)  # type: ignore[arg-type]


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.001)


STEPS = st.lists(
    st.tuples(st.sampled_from(["publish", "nudge", "both", "silence", "resume", "leave", "wait"]), st.integers(1, 12)),
    min_size=1,
    max_size=40,
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, seed=st.integers(0, 2**32))
def test_a_page_sees_every_event_once_and_in_order(steps: list[tuple[str, int]], seed: int, quick: None):
    async def scene() -> None:
        rng = random.Random(seed)
        table = Table(rng)
        watch = watch_of(table)
        pages = [Page(), Page()]
        for step, count in steps:
            page = pages[count % 2]
            if step in {"publish", "nudge", "both", "silence"}:
                events = table.append(count)
                if step in {"nudge", "both"}:
                    watch.nudge(table.last)
                for _ in range(rng.randrange(8) if step == "both" else 0):
                    await asyncio.sleep(rng.choice([0, 0, 0.001]))
                if step in {"publish", "both"}:
                    watch.publish(events)
            elif step == "resume":
                page.resume(watch, forgotten=rng.choice([0, 0, 3]))
            elif step == "leave":
                watch.teachers.discard(page)
            for _ in range(count if step == "wait" else rng.randrange(3)):
                await asyncio.sleep(rng.choice([0, 0, 0.001]))
        for page in pages:
            page.resume(watch)
        await until(lambda: all(len(page.seen) >= table.last for page in pages))
        await asyncio.sleep(0.005)
        watch.stop()
        for page in pages:
            assert page.seen == list(range(1, table.last + 1))

    asyncio.run(scene())


def test_a_page_that_comes_from_another_process_is_not_told_twice(quick: None):
    async def scene() -> None:
        table, page = Table(random.Random(1)), Page()
        events = table.append(10)
        watch = watch_of(table, start=6)
        watch.teachers.add(page)
        watch.resume(page, epoch=table.epoch, after=8)
        watch.publish(events[6:])
        await until(lambda: page.seen == [9, 10])
        watch.stop()

    asyncio.run(scene())


def test_a_restored_timeline_is_told_by_its_new_epoch(quick: None):
    async def scene() -> None:
        table, page = Table(random.Random(1)), Page()
        table.append(10)
        watch = watch_of(table, start=10)
        watch.teachers.add(page)
        watch.resume(page, epoch=table.epoch, after=10)
        table.epoch, table.last = uuid4(), 4
        await until(lambda: watch.epoch == table.epoch)
        page.seen.clear()
        watch.resume(page, epoch=watch.epoch, after=0)
        await until(lambda: page.seen == [1, 2, 3, 4])
        watch.publish(table.append(1))
        await until(lambda: page.seen == [1, 2, 3, 4, 5])
        watch.stop()

    asyncio.run(scene())


def test_a_page_that_names_another_epoch_reads_from_the_beginning(quick: None):
    async def scene(epoch: UUID | None) -> None:
        table, page = Table(random.Random(1)), Page()
        table.append(3)
        watch = watch_of(table, start=3)
        watch.teachers.add(page)
        watch.resume(page, epoch=epoch, after=2)
        await until(lambda: page.seen == [1, 2, 3])
        watch.stop()

    asyncio.run(scene(uuid4()))
    asyncio.run(scene(None))


def test_a_page_that_asks_again_while_it_catches_up_gets_what_it_asked_for_last(quick: None):
    class HeldTable(Table):
        async def run(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
            found = await work(self)
            await may_answer.wait()
            return found

    may_answer = asyncio.Event()

    async def scene() -> None:
        table, page = HeldTable(random.Random(1)), Page()
        table.append(9)
        watch = watch_of(table, start=9)
        watch.teachers.add(page)
        watch.resume(page, epoch=table.epoch, after=6)
        await asyncio.sleep(0.005)
        watch.resume(page, epoch=table.epoch, after=2)
        may_answer.set()
        await until(lambda: page.live)
        watch.stop()
        assert page.seen == [3, 4, 5, 6, 7, 8, 9]

    asyncio.run(scene())
