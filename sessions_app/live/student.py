"""The student's socket: `/ws/sessions/<student session>/student/`."""

import asyncio
from typing import Any
from uuid import UUID, uuid5

from django.utils import timezone

from sessions_app import enrolment, roster, timeline, wire
from sessions_app.events import Event, ReadingStarted, RecordingStopped, SocketClosed, SocketOpened, Stuck, payload
from sessions_app.live import protocol
from sessions_app.live.broadcast import Watch
from sessions_app.live.chunks import BadChunk, Frame, frame_read
from sessions_app.live.ingest import Busy
from sessions_app.live.intake import Intake
from sessions_app.live.listening import Listener
from sessions_app.live.protocol import CLOSE_FOR, Close
from sessions_app.live.socket import Socket, cookie
from sessions_app.models import LiveSession, StudentSession
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
        self._listener: Listener | None = None
        self._early: list[Frame] = []
        self._attaching: asyncio.Task[None] | None = None
        self._over = False

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
        self._over = state["session"]["status"] == LiveSession.Status.ENDED
        if state["reading"] and state["reading"]["state"] == "open":
            self._attach()
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

    def binary(self, raw: bytes) -> None:
        if self._intake is None:
            return
        try:
            frame = frame_read(raw)
            if self._listener is not None and not self._listener.gone.is_set():
                self._listener.take(frame)
            elif len(self._early) < MOST_UNANSWERED:
                self._early.append(frame)
                self._attach()
            else:
                self.end(Close.BUSY)
        except BadChunk as bad:
            self.push(protocol.error(bad.code, str(bad)))
        except Busy:
            self.end(Close.BUSY)

    def noticed(self, kind: type[Event], data: Event | dict[str, Any]) -> None:
        """Something was appended that concerns the student's reading."""
        said: dict[str, Any] = data if isinstance(data, dict) else payload(data)
        if kind is ReadingStarted:
            self._attach()
        elif self._listener is None:
            return
        elif kind is RecordingStopped:
            self._listener.says_how_many(said["stream"], said["chunks"])
        elif kind is Stuck:
            self._listener.asked(said["word"])
        else:
            self._listener.end()

    def _attach(self) -> None:
        """Find whoever listens to the student's reading, or take it up."""
        if self._attaching is None or self._attaching.done():
            self._attaching = asyncio.create_task(self._take_up())

    async def _take_up(self) -> None:
        try:
            listener = await self.services.readers.take(self.student_session)
        except (Busy, *protocol.DATABASE_AWAY):
            return self.end(Close.BUSY)
        early, self._early = self._early, []
        if listener is None:
            if early:
                self.push(protocol.refused(Refused("no_reading")))
            return None
        if self._watch is None:  # closed meanwhile
            return None
        self._listener = listener
        listener.attach(self)
        if self._over:
            listener.end()
        try:
            for frame in early:
                listener.take(frame)
        except Busy:
            self.end(Close.BUSY)
        return None

    def closed(self, code: int) -> None:
        if self._listener is not None:
            self._listener.detach(self)
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
