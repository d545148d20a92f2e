"""Group commit: what arrives during one commit is written by the next, in one transaction.

One batch is in flight and there is no timer. An event is reported to whoever submitted it only after COMMIT. A batch
that fails for its content is split in half until the bad event is alone; one that fails for any other reason (the
database went away, its disk is full) is sent again until it is written, and the keys keep that from writing anything
twice.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Callable

import psycopg

from sessions_app import timeline
from sessions_app.live import connections
from sessions_app.timeline import Appended, NewEvent

log = logging.getLogger(__name__)

LARGEST_BATCH = 500
MOST_QUEUED = 5000

Report = Callable[[NewEvent, Appended], None]
Committed = Callable[[list[tuple[NewEvent, Appended]]], None]

BAD_CONTENT = (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded, UnicodeError)
"""What an event's content can cause. Anything else is not the sender's fault, whose event is then kept and tried."""

UNWRITABLE = Appended("unwritable", seq=None, event_time=None, late=False, stored_type=None)
REUSED = Appended("key_reused", seq=None, event_time=None, late=False, stored_type=None)


class Busy(Exception):
    """The queue is full: the sender is to come back later."""


class Ingest:
    """The queue of a web process, and the task that writes it.

    `committed` is called after each commit with the events that were written, in order; it must not block.
    """

    def __init__(self, committed: Committed) -> None:
        self._committed = committed
        self._queue: dict[tuple[int, ...], tuple[NewEvent, list[Report]]] = {}
        self._in_flight = 0
        self._arrived = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._connection = connections.Lasting("ingest")
        self._task = asyncio.create_task(self._run(), name="ingest")
        self._task.add_done_callback(end_process_where_it_failed)

    @property
    def queued(self) -> int:
        return len(self._queue) + self._in_flight

    def submit(self, event: NewEvent, report: Report) -> None:
        """Queue an event; `report(event, result)` is called after the commit that wrote it. Raises `Busy`."""
        if self.queued >= MOST_QUEUED:
            raise Busy
        identity = _identity(event)
        waiting = self._queue.get(identity)
        if waiting is None:
            self._queue[identity] = (event, [report])
        elif waiting[0].event == event.event:
            waiting[1].append(report)
        else:
            report(event, REUSED)
            return
        self._empty.clear()
        self._arrived.set()

    async def drained(self) -> None:
        """Wait until everything that was submitted is written."""
        await self._empty.wait()

    async def stop(self, *, within: float) -> None:
        """Write what is queued, for at most `within` seconds, then end. What was not written was not acknowledged."""
        try:
            await asyncio.wait_for(self.drained(), within)
        except TimeoutError:
            log.warning("%d events were not written; their senders keep them", self.queued)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._connection.close()

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            if len(self._queue) <= LARGEST_BATCH:
                batch, self._queue = self._queue, {}
            else:
                batch = {identity: self._queue.pop(identity) for identity in list(self._queue)[:LARGEST_BATCH]}
            self._in_flight = len(batch)
            if not self._queue:
                self._arrived.clear()
            await self._write(list(batch.values()))
            self._in_flight = 0
            if not self._queue:
                self._empty.set()

    async def _write(self, batch: list[tuple[NewEvent, list[Report]]]) -> None:
        events = [event for event, _ in batch]
        try:
            results = await self._append(events)
        except BAD_CONTENT as error:
            if len(batch) > 1:
                middle = len(batch) // 2
                await self._write(batch[:middle])
                await self._write(batch[middle:])
                return
            log.warning("an event of the kind %s cannot be written: %s", events[0].event.KIND, type(error).__name__)
            results = [UNWRITABLE]
        written = list(zip(events, results, strict=True))
        self._committed([pair for pair in written if pair[1].verdict == "new"])
        for (event, reports), result in zip(batch, results, strict=True):
            for report in reports:
                report(event, result)

    async def _append(self, events: list[NewEvent]) -> list[Appended]:
        """Append, again and again until the database does it. `BAD_CONTENT` rises."""
        attempts = connections.pauses()
        while True:
            try:
                return await self._connection.run(lambda db: timeline.append_batch(db, events))
            except BAD_CONTENT:
                raise
            except psycopg.Error as error:
                log.warning("the timeline cannot be written at the moment: %s", type(error).__name__)
                await anext(attempts)


def _identity(event: NewEvent) -> tuple[int, ...]:
    """What makes a key one's own. As numbers: the hash of a `UUID` is Python, three times per event."""
    if event.sender is None or event.key is None:
        return (event.id.int,)
    return event.session_id.int, event.sender.int, event.key.int


def end_process_where_it_failed(task: asyncio.Task[None]) -> None:
    """Without its writer a process would take what comes and never answer: let a new one take its place."""
    if not task.cancelled() and task.exception() is not None:
        log.critical("the %s cannot write any more, so this process ends", task.get_name(), exc_info=task.exception())
        os.kill(os.getpid(), signal.SIGTERM)
