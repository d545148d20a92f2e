"""What a student's page sends, over its socket or over HTTP: facts to the group commit, actions to their rules."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from sessions_app import actions, enrolment, wire
from sessions_app.events import Event, Sent
from sessions_app.live import protocol
from sessions_app.live.ingest import Busy
from sessions_app.live.services import Services
from sessions_app.refusals import MESSAGES, Refused
from sessions_app.timeline import Appended, NewEvent
from sessions_app.wire import ClientEvent, Malformed

Acknowledge = Callable[[UUID, int], None]
Complain = Callable[[dict[str, Any]], None]

FARTHEST = timedelta(days=366)


class Clock:
    """The difference between a client's clock and ours, from its pings: the smallest seen has the least delay in it."""

    def __init__(self) -> None:
        self._offset: timedelta | None = None

    def ping(self, client_ms: float, received_at: datetime) -> None:
        offset = timedelta(milliseconds=received_at.timestamp() * 1000 - client_ms)
        if self._offset is None or offset < self._offset:
            self._offset = offset

    def corrected(self, at: datetime, received_at: datetime) -> datetime:
        """A client's time on our clock. One that is off by more than a year is replaced by the time of receipt."""
        if abs(at - received_at) > FARTHEST and self._offset is None:
            return received_at
        try:
            return at + (self._offset or timedelta())
        except OverflowError:
            return received_at


class Intake:
    """One student's page. `acknowledge` and `complain` are called once per event, when its fate is known."""

    def __init__(
        self,
        services: Services,
        ticket: enrolment.Ticket,
        session_id: UUID,
        *,
        acknowledge: Acknowledge,
        complain: Complain,
        clock: Clock | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.unanswered = 0
        self._facts_taken = self._facts_told = 0
        self._fact_told = asyncio.Event()
        self._services = services
        self._ticket = ticket
        self._session_id = session_id
        self._acknowledge = acknowledge
        self._complain = complain
        self._actions: asyncio.Task[None] | None = None

    def take(self, raw_events: Sequence[msgspec.Raw]) -> None:
        """Take the events of one frame. Raises `Busy` at the bounds; what was taken before stays taken."""
        received_at = datetime.now(UTC)
        for raw in raw_events:
            try:
                event = wire.decode_event(raw)
            except Malformed as error:
                self._complain(protocol.error_body(error.code, error.message, error.key))
                continue
            if event.event.SENT is Sent.FACT:
                self._services.ingest.submit(self._new(event, received_at), self._report)
                self.unanswered += 1
                self._facts_taken += 1
            else:
                self.unanswered += 1
                facts = self._facts_taken if event.event.AFTER_FACTS else 0
                self._actions = asyncio.create_task(self._act(event, received_at, self._actions, facts))

    def record(self, event: Event, *, key: UUID) -> None:
        """Append what the server itself notes about this page, under a key so that nothing is written twice."""
        now = datetime.now(UTC)
        noted = NewEvent(
            session_id=self._session_id, event=event, received_at=now, happened_at=now, key=key,
            sender=self._ticket.student_session, student_session_id=self._ticket.student_session,
        )  # fmt: skip
        self._services.ingest.submit(noted, _ignore)

    async def settled(self) -> None:
        """Wait until every action that was taken has its answer."""
        while self._actions is not None and not self._actions.done():
            await asyncio.wait([self._actions])

    def _new(self, event: ClientEvent, received_at: datetime) -> NewEvent:
        return NewEvent(
            session_id=self._session_id,
            event=event.event,
            received_at=received_at,
            happened_at=self.clock.corrected(event.at, received_at),
            client_time=event.at,
            key=event.key,
            sender=self._ticket.student_session,
            student_session_id=self._ticket.student_session,
        )

    def _report(self, event: NewEvent, result: Appended) -> None:
        self.unanswered -= 1
        self._facts_told += 1
        self._fact_told.set()
        assert event.key is not None
        if result.written and result.seq is not None:
            self._acknowledge(event.key, result.seq)
        elif result.verdict in MESSAGES:
            self._complain(protocol.error_body(result.verdict, str(MESSAGES[result.verdict]), event.key))
        else:
            self._complain(protocol.error_body("bad_value", "The event cannot be stored.", event.key))

    async def _act(
        self, event: ClientEvent, received_at: datetime, before: asyncio.Task[None] | None, facts: int
    ) -> None:
        """One action after the other, in the order in which they were sent; `facts` are to be written before it."""
        if before is not None:
            await asyncio.wait([before])
        while self._facts_told < facts:
            self._fact_told.clear()
            await self._fact_told.wait()
        attempt = actions.Attempt(
            ticket=self._ticket,
            event=event.event,
            key=event.key,
            received_at=received_at,
            happened_at=self.clock.corrected(event.at, received_at),
            client_time=event.at,
        )
        try:
            seq = await self._services.in_thread(actions.action_perform, attempt)
        except Refused as refused:
            self.unanswered -= 1
            self._complain(protocol.error_body(refused.code, refused.message, event.key))
        except Busy:
            self.unanswered -= 1
            self._complain(
                protocol.error_body("busy", "The server is busy. This is sent again.", event.key, retry=True)
            )
        except protocol.DATABASE_AWAY:
            self.unanswered -= 1
            self._complain(
                protocol.error_body("unavailable", "The database is away. This is sent again.", event.key, retry=True)
            )
        else:
            self.unanswered -= 1
            self._acknowledge(event.key, seq)
            self._services.asking.after(event.event, self._ticket.student_session)


def _ignore(event: NewEvent, result: Appended) -> None:
    """Nobody waits for what the server notes by itself."""
