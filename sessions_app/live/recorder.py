"""The group commit of readings: what arrived within a moment is written in one transaction, for all readings at once.

`report(item, verdict)` is called after the commit. While the database is away what was submitted waits, and is written
when it is back; nobody was told that it is kept. What the database refuses costs its own reading, and no other one.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any
from uuid import UUID

from django.db import DataError, IntegrityError

from sessions_app.live import connections, protocol
from sessions_app.live.ingest import Busy, end_process_where_it_failed
from sessions_app.reading import course, recording
from sessions_app.reading.recording import Item, Verdict

log = logging.getLogger(__name__)

LARGEST_BATCH = 400
MOST_QUEUED = 20_000
GATHER = 0.1
"""Seconds in which more may come before a transaction begins. Nobody's words wait for it, and a transaction costs more
than what is in it: with eight readers, writing at once took as much of a processor as two of the readers."""

Report = Callable[[Item, Verdict], None]
InThread = Callable[..., Coroutine[Any, Any, Any]]


class Recorder:
    """One per process. `holder` is the process's name among those that hold readings."""

    def __init__(self, in_thread: InThread, *, holder: UUID) -> None:
        self._in_thread = in_thread
        self._holder = holder
        self._queue: list[tuple[Item, Report]] = []
        self._in_flight = 0
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task = asyncio.create_task(self._run(), name="recorder")
        self._task.add_done_callback(end_process_where_it_failed)

    @property
    def queued(self) -> int:
        return len(self._queue) + self._in_flight

    def submit(self, item: Item, report: Report) -> None:
        """Write an item soon. Raises `Busy` where too much waits."""
        if self.queued >= MOST_QUEUED:
            raise Busy
        self._queue.append((item, report))
        self._idle.clear()
        self._arrived.set()

    async def drained(self) -> None:
        """Wait until everything that was submitted is written."""
        await self._idle.wait()

    async def stop(self, *, within: float) -> None:
        try:
            await asyncio.wait_for(self.drained(), within)
        except TimeoutError:
            log.warning("%d pieces of readings were not written", self.queued)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            await asyncio.sleep(GATHER)
            batch, self._queue = self._queue[:LARGEST_BATCH], self._queue[LARGEST_BATCH:]
            if not self._queue:
                self._arrived.clear()
            self._in_flight = len(batch)
            await self._write(batch)
            self._in_flight = 0
            if not self._queue:
                self._idle.set()

    async def _write(self, batch: Sequence[tuple[Item, Report]]) -> None:
        try:
            verdicts = await self._record([item for item, _ in batch])
        except (IntegrityError, DataError) as error:
            readings = dict.fromkeys(item.reading_id for item, _ in batch)
            if len(readings) > 1:
                for reading_id in readings:
                    await self._write([one for one in batch if one[0].reading_id == reading_id])
                return
            verdicts = [_why_refused(error)] * len(batch)
        for (item, report), verdict in zip(batch, verdicts, strict=True):
            report(item, verdict)

    async def _record(self, items: Sequence[Item]) -> list[Verdict]:
        """Write in one transaction, again and again until the database does it. What it refuses rises."""
        attempts = connections.pauses()
        while True:
            try:
                found: list[Verdict] = await self._in_thread(recording.items_record, items, holder=self._holder)
            except (Busy, *protocol.DATABASE_AWAY) as error:
                log.warning("readings cannot be written at the moment: %s", type(error).__name__)
                await anext(attempts)
            else:
                return found


def _why_refused(error: IntegrityError | DataError) -> Verdict:
    """A consent may be withdrawn between the look at it and the write."""
    if isinstance(error, IntegrityError) and course.consent_is_missing(error):
        return "consent_missing"
    log.error("a part of a reading cannot be written", exc_info=error)
    return "unwritable"
