"""The student's socket: `/ws/sessions/<student session>/student/`."""

import asyncio
from typing import Any
from uuid import UUID, uuid5

from django.utils import timezone

from sessions_app import enrolment, roster, timeline, wire
from sessions_app.events import SocketClosed, SocketOpened
from sessions_app.live import protocol
from sessions_app.live.broadcast import Watch
from sessions_app.live.ingest import Busy
from sessions_app.live.intake import Intake
from sessions_app.live.protocol import CLOSE_FOR, Close
from sessions_app.live.socket import Socket, cookie
from sessions_app.models import StudentSession
from sessions_app.refusals import Refused
from sessions_app.wire import Encoder, EventsFrame, Malformed, PingFrame

MOST_UNANSWERED = 64
"""Twice what a client may send without an acknowledgement."""


class StudentSocket(Socket):
    """Takes a student's events and acknowledges each one after it is committed; shows the student's state."""

    def __init__(self) -> None:
        super().__init__()
        self.student_session: UUID
        self._acks: list[protocol.Ack] = []
        self._state: dict[str, Any] = {}
        self._watch: Watch | None = None
        self._held: enrolment.Ticket
        self._rechecking: asyncio.Task[None] | None = None
        self._intake: Intake | None = None

    async def opened(self) -> None:
        self.student_session = self.scope["url_route"]["kwargs"]["student_session"]
        ticket = enrolment.ticket_read(cookie(self.scope, enrolment.cookie_name(self.student_session)))
        if ticket is None or ticket.student_session != self.student_session:
            return self.end(Close.NOT_SIGNED_IN)
        try:
            seen, member, state = await self.services.in_thread(_member_and_state, ticket)
        except Refused as refused:
            return self._refuse(refused)
        except (Busy, *protocol.DATABASE_AWAY):
            return self.end(Close.BUSY)
        try:
            watch = await self.services.hub.open(member.session_id)
        except protocol.LOST:
            return self.end(Close.BUSY)
        if watch is None:
            return self.end(Close.NO_SUCH_SESSION)
        self._watch, self._held = watch, ticket
        self._intake = Intake(
            self.services, ticket, member.session_id, acknowledge=self._acknowledge, complain=self._complain
        )
        self.services.hub.add_student(watch, self)
        self.push_state(state)
        if watch.seq > seen:  # what was read may be out of date, and the watch has told of it already
            self.recheck()
            watch.student_changed(self.student_session)
        if roster.waits_for_question(state):
            self.services.asking.question(self.student_session)
        try:
            self._intake.record(SocketOpened(connection=self.connection), key=self.connection)
        except Busy:
            self.end(Close.BUSY)
        return None

    def recheck(self) -> None:
        """Look again whether the ticket is worth anything, because something happened to it."""
        self._rechecking = asyncio.create_task(self._recheck())

    async def _recheck(self) -> None:
        try:
            await self.services.in_thread(enrolment.member_by_ticket, self._held)
        except Refused as refused:
            self._refuse(refused)
        except (Busy, *protocol.DATABASE_AWAY):
            self.end(Close.BUSY)

    def _refuse(self, refused: Refused) -> None:
        self.push(protocol.refused(refused))
        self.end(CLOSE_FOR.get(refused.code, Close.NOT_ALLOWED))

    def text(self, raw: str) -> None:
        if self._intake is None:
            return
        try:
            frame = wire.decode_frame(raw)
        except Malformed as error:
            self.push(protocol.malformed(error))
            return
        if isinstance(frame, PingFrame):
            self._intake.clock.ping(frame.t, timezone.now())
            self.push(protocol.pong(frame.t))
        elif isinstance(frame, EventsFrame):
            if self._intake.unanswered + len(frame.events) > MOST_UNANSWERED:
                self.end(Close.BUSY)
                return
            try:
                self._intake.take(frame.events)
            except Busy:
                self.end(Close.BUSY)
        else:
            self.push(protocol.error("not_allowed", "Only a teacher's page reads the timeline."))

    def closed(self, code: int) -> None:
        if self._watch is None or self._intake is None:
            return
        self.services.hub.remove_student(self._watch, self)
        self._watch = None
        key = uuid5(self.connection, "closed")
        try:
            self._intake.record(SocketClosed(connection=self.connection, code=min(code, 9999)), key=key)
        except Busy:
            protocol.log.warning("a closed connection was not noted: the queue is full")

    def push_state(self, state: dict[str, Any]) -> None:
        """Send the student's state where something of it changed."""
        same = {name: value for name, value in state.items() if name != "server_time"}
        if same != self._state:
            self._state = same
            self.push(Encoder.text(state))

    def _acknowledge(self, key: UUID, seq: int) -> None:
        """Acknowledgements of one commit go into one frame: it is made when the loop comes round."""
        if not self._acks:
            self.services.soon(self._send_acks)
        self._acks.append(protocol.Ack(key, seq))

    def _send_acks(self) -> None:
        acks, self._acks = self._acks, []
        self.push(protocol.ack(acks))

    def _complain(self, error: dict[str, Any]) -> None:
        self.push(Encoder.text({"type": "error", **error}))


def _member_and_state(ticket: enrolment.Ticket) -> tuple[int, StudentSession, dict[str, Any]]:
    """Who a ticket is, their state, and the place in the timeline behind which both may have changed."""
    seen = timeline.position_of_student(ticket.student_session)
    member = enrolment.member_by_ticket(ticket)
    return seen, member, roster.student_states([member])[member.pk]
