"""How students come into a session and go: join, change the device, leave, be taken out; and the ticket they hold.

A student has no account. Whoever joined holds a ticket: the student session's id and version, signed. A newer device
and a removal raise the version, so that older tickets are worth nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.utils import timezone

from sessions_app import events, grouping, join_codes, timeline
from sessions_app.models import ClassMembership, LiveSession, StudentSession, TakeoverRequest, User
from sessions_app.models.session import LATE_EVENTS_FOR
from sessions_app.refusals import Refused

_SALT = "lyceum.join"
MOST_PENDING = 3
"""Questions about one student's device that may wait for the teacher at a time."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a join cookie says: which student session, and which version of the right to it."""

    student_session: UUID
    version: int


def cookie_name(student_session: UUID) -> str:
    """The name of the join cookie of a student session: pages set it, pages and sockets read it."""
    return f"join_{student_session.hex}"


def ticket_sign(member: StudentSession) -> str:
    return signing.dumps([member.pk.hex, member.cookie_version], salt=_SALT, compress=False)


def ticket_read(text: str) -> Ticket | None:
    """The ticket in a cookie, or None where it was not signed here."""
    try:
        student_session, version = signing.loads(text, salt=_SALT)
        return Ticket(UUID(student_session), int(version))
    except (signing.BadSignature, ValueError, TypeError):
        return None


def member_by_ticket(ticket: Ticket) -> StudentSession:
    """The student session that a ticket opens. Refuses one of an older device, of somebody taken out, or too old."""
    wanted = StudentSession.objects.select_related("session__school", "session__study", "student")
    return holder(wanted.filter(pk=ticket.student_session).first(), ticket)


def holder(member: StudentSession | None, ticket: Ticket) -> StudentSession:
    """The student session that was found for a ticket, if the ticket opens it; refused as by `member_by_ticket`."""
    if member is None:
        raise Refused("no_such_session")
    if member.removed_at is not None:
        raise Refused("removed")
    if member.cookie_version != ticket.version:
        raise Refused("other_device")
    ended_at = member.session.ended_at
    if ended_at is not None and timezone.now() > ended_at + LATE_EVENTS_FOR:
        raise Refused("session_over")
    return member


def member_among(session: LiveSession, tickets: Iterable[Ticket]) -> StudentSession | None:
    """Who a device already is in a session, by the tickets that it holds."""
    versions = {ticket.student_session: ticket.version for ticket in tickets}
    members = grouping.present(session).filter(pk__in=versions) if versions else []
    return next((m for m in members if m.cookie_version == versions[m.pk]), None)


def session_by_code(code: str, *, address: str) -> LiveSession:
    """The open session with a join code, as a person typed it. Wrong codes are counted by network address."""
    join_codes.check_guesses(address)
    with_code = LiveSession.objects.filter(join_code=join_codes.normalise(code)).exclude(join_code="")
    session = with_code.filter(status__in=["configured", "started"]).select_related("school", "school_class").first()
    if session is None:
        if with_code.exists():
            raise Refused("session_over")
        join_codes.count_failure(address)
        raise Refused("unknown_code")
    return session


@dataclass(frozen=True, slots=True)
class Seat:
    """One label of the class list, and whether somebody is in the session with it."""

    membership: UUID
    label: str
    taken: bool


def seats(session: LiveSession) -> list[Seat]:
    """The labels to choose from, in the order of the class list. Whoever was taken out is not offered again."""
    members = StudentSession.objects.filter(session=session).values_list("student_id", "removed_at", "left_at")
    removed = {student for student, removed_at, _left_at in members if removed_at}
    here = {student for student, removed_at, left_at in members if not removed_at and not left_at}
    memberships = ClassMembership.objects.filter(school_class_id=session.school_class_id, student__archived_at=None)
    return [
        Seat(m.pk, m.label, m.student_id in here)
        for m in memberships.order_by("label")
        if m.student_id not in removed
    ]  # fmt: skip


def member_join(session: LiveSession, *, membership: UUID, device: str = "") -> StudentSession:
    """Take a free place, or the own one again after having left.

    Refuses a label that is taken (`label_taken`: ask the teacher), a full session (a place that was left is kept), and
    one that is over. `device` is a random word by which the same device is known when it asks twice.
    """
    seat = (
        ClassMembership.objects.select_related("student")
        .filter(pk=membership, school_class_id=session.school_class_id, student__archived_at=None)
        .first()
    )
    if seat is None:
        raise Refused("not_in_class")
    now = timezone.now()
    with transaction.atomic():
        session = grouping.hold_open(session)
        before = StudentSession.objects.filter(session=session, student=seat.student).first()
        if before is not None:
            return _come_back(session, before, device=device)
        if StudentSession.objects.filter(session=session, removed_at=None).count() >= session.capacity:
            raise Refused("session_full")
        group = grouping.smallest_group(session)
        member = StudentSession.objects.create(
            school_id=session.school_id,
            session=session,
            student=seat.student,
            label=seat.label,
            group=group,
            condition_id=session.condition_id,
            device=device[:80],
            joined_at=now,
            is_simulated=session.is_simulated or seat.student.is_simulated,
        )
        grouping.lead_if_nobody_does(member)
        timeline.record(session, events.MemberJoin(group=group.pk if group else None), at=now, about=member)
    return member


def _come_back(session: LiveSession, member: StudentSession, *, device: str) -> StudentSession:
    """Somebody who left takes the same place again; somebody who is still there, or was taken out, does not."""
    if member.removed_at is not None:
        raise Refused("removed")
    if member.left_at is None:
        if device and member.device == device:
            return member
        raise Refused("label_taken")
    member = _sit_down(session, member, device=device)
    timeline.record(session, events.MemberJoin(group=member.group_id, again=True), at=timezone.now(), about=member)
    return member


def _sit_down(session: LiveSession, member: StudentSession, *, device: str) -> StudentSession:
    """Give a place to the device that asks for it now: the ticket of any other is worth nothing."""
    member = StudentSession.objects.select_for_update(no_key=True).get(pk=member.pk)
    if member.group_id is None:
        member.group = grouping.smallest_group(session)
    member.left_at = None
    member.device = device[:80]
    member.cookie_version += 1
    member.save(update_fields=["group", "left_at", "device", "cookie_version", "updated_at"])
    grouping.lead_if_nobody_does(member)
    return member


def member_remove(session: LiveSession, *, student_session: UUID, by: User) -> StudentSession:
    """The teacher takes a student out: the ticket dies, and the label is not offered again."""
    now = timezone.now()
    with transaction.atomic():
        session = grouping.hold_open(session)
        members = StudentSession.objects.select_for_update(no_key=True).filter(session=session, removed_at=None)
        member = members.filter(pk=student_session).first()
        if member is None:
            raise Refused("no_such_student")
        grouping.step_down(member)
        member.removed_at = now
        member.ready_at = None
        member.group = None
        member.cookie_version += 1
        member.save(update_fields=["removed_at", "ready_at", "group", "cookie_version", "updated_at"])
        TakeoverRequest.objects.filter(student_session=member, decision=TakeoverRequest.Decision.PENDING).update(
            decision=TakeoverRequest.Decision.REFUSED, decided_by=by, decided_at=now
        )
        timeline.record(session, events.MemberRemoved(), at=now, about=member, by=by)
    return member


def member_let_back(session: LiveSession, *, student_session: UUID, by: User) -> StudentSession:
    """Undo a removal: the student has left since then, and may take the place again with the code.

    Tickets from before stay worthless, so that no page comes back by itself.
    """
    now = timezone.now()
    with transaction.atomic():
        session = grouping.hold_open(session)
        members = StudentSession.objects.select_for_update(no_key=True).filter(
            session=session, removed_at__isnull=False
        )
        member = members.filter(pk=student_session).first()
        if member is None:
            raise Refused("no_such_student")
        member.left_at = member.left_at or member.removed_at
        member.removed_at = None
        member.save(update_fields=["left_at", "removed_at", "updated_at"])
        timeline.record(session, events.MemberLetBack(), at=now, about=member, by=by)
    return member


def takeover_request(session: LiveSession, *, membership: UUID, device: str = "") -> TakeoverRequest:
    """Ask the teacher to let a new device take a place that is taken. Refuses a fourth question about one student.

    A device whose question still waits gets the same request again.
    """
    now = timezone.now()
    with transaction.atomic():
        session = grouping.hold_open(session)
        members = StudentSession.objects.filter(session=session, removed_at=None)
        member = members.filter(
            student__memberships__pk=membership, student__memberships__school_class_id=session.school_class_id
        ).first()
        if member is None:
            raise Refused("no_such_student")
        pending = list(member.takeover_requests.filter(decision=TakeoverRequest.Decision.PENDING))
        for asked in pending:
            if device and asked.device == device:
                return asked
        if len(pending) >= MOST_PENDING:
            raise Refused("asked_already")
        request = TakeoverRequest.objects.create(session=session, student_session=member, device=device[:80])
        timeline.record(session, events.TakeoverRequested(request=request.pk), at=now, about=member)
    return request


def takeover_decide(session: LiveSession, *, request: UUID, granted: bool, by: User) -> TakeoverRequest:
    """The teacher's decision. Granted: the newest device takes over, and the older ticket is worth nothing."""
    now = timezone.now()
    with transaction.atomic():
        session = grouping.hold_open(session)
        found = (
            TakeoverRequest.objects.select_related("student_session")
            .filter(session=session, pk=request, decision=TakeoverRequest.Decision.PENDING)
            .first()
        )
        if found is None:
            raise Refused("no_such_request")
        if granted:
            found.student_session = _sit_down(session, found.student_session, device=found.device)
        found.decision = TakeoverRequest.Decision.GRANTED if granted else TakeoverRequest.Decision.REFUSED
        found.decided_by = by
        found.decided_at = now
        found.save(update_fields=["decision", "decided_by", "decided_at"])
        event = events.TakeoverGranted(request=found.pk) if granted else events.TakeoverRefused(request=found.pk)
        timeline.record(session, event, at=now, about=found.student_session, by=by)
    return found


def takeover_claim(request: UUID) -> TakeoverRequest:
    """What became of a request, for the device that made it, which may take the place when it was granted.

    Refuses a request that another device's has overtaken, and one of a session that is over.
    """
    found = (
        TakeoverRequest.objects.select_related("student_session", "student_session__session").filter(pk=request).first()
    )
    if found is None:
        raise Refused("no_such_request")
    if not found.student_session.session.is_open:
        raise Refused("session_over")
    if found.decision == TakeoverRequest.Decision.GRANTED:
        granted = found.student_session.takeover_requests.filter(decision=TakeoverRequest.Decision.GRANTED)
        if granted.filter(decided_at__gt=found.decided_at).exists():
            raise Refused("other_device")
    return found
