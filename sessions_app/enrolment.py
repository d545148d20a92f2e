"""How students come into a session and go: join, change the device, leave, be taken out; and the ticket they hold.

A student has no account. Whoever joined holds a ticket: the student session's id and version, signed. A newer device
and a removal raise the version, so that older tickets are worth nothing.
"""

from dataclasses import dataclass
from uuid import UUID

from django.core import signing
from django.db import IntegrityError, transaction
from django.utils import timezone

from sessions_app import events, grouping, join_codes, timeline
from sessions_app.models import ClassMembership, Group, LiveSession, StudentSession, TakeoverRequest, User
from sessions_app.models.session import LATE_EVENTS_FOR
from sessions_app.refusals import Refused

_SALT = "lyceum.join"


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
    member = (
        StudentSession.objects.select_related("session", "session__school", "student", "group", "group__leader")
        .filter(pk=ticket.student_session)
        .first()
    )
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


def session_by_code(code: str, *, address: str) -> LiveSession:
    """The open session with a join code, as a person typed it. Wrong codes are counted by network address."""
    join_codes.check_guesses(address)
    session = (
        LiveSession.objects.select_related("school", "school_class")
        .filter(join_code=join_codes.normalise(code), status__in=["configured", "started"])
        .exclude(join_code="")
        .first()
    )
    if session is None:
        join_codes.count_failure(address)
        ended = LiveSession.objects.filter(join_code=join_codes.normalise(code), status="ended").exclude(join_code="")
        raise Refused("session_over" if ended.exists() else "unknown_code")
    return session


@dataclass(frozen=True, slots=True)
class Seat:
    """One label of the class list, and whether somebody has already joined with it."""

    membership: UUID
    label: str
    taken: bool


def seats(session: LiveSession) -> list[Seat]:
    """The labels to choose from, in the order of the class list. Whoever was taken out is not offered again."""
    joined = dict(StudentSession.objects.filter(session=session).values_list("student_id", "removed_at").order_by("id"))
    memberships = ClassMembership.objects.filter(school_class_id=session.school_class_id, student__archived_at=None)
    return [
        Seat(m.pk, m.label, m.student_id in joined)
        for m in memberships.order_by("label")
        if joined.get(m.student_id) is None
    ]


def member_join(session: LiveSession, *, membership: UUID, device: str = "") -> StudentSession:
    """Take a free place. Refuses a label that is taken (`label_taken`: ask the teacher), a full or an ended session."""
    seat = (
        ClassMembership.objects.select_related("student")
        .filter(pk=membership, school_class_id=session.school_class_id, student__archived_at=None)
        .first()
    )
    if seat is None:
        raise Refused("not_in_class")
    now = timezone.now()
    with transaction.atomic():
        session = LiveSession.objects.select_for_update(of=("self",)).get(pk=session.pk)
        if not session.is_open:
            raise Refused("session_over")
        before = StudentSession.objects.filter(session=session, student=seat.student).first()
        if before is not None:
            return _come_back(session, before, device=device)
        if StudentSession.objects.filter(session=session, removed_at=None).count() >= session.capacity:
            raise Refused("session_full")
        group = grouping.smallest_group(session)
        try:
            with transaction.atomic():
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
        except IntegrityError:
            raise Refused("label_taken") from None
        if group is not None:
            Group.objects.filter(pk=group.pk, leader=None).update(leader=member)
        timeline.record(session, events.MemberJoin(group=group.pk if group else None), at=now, about=member)
    return member


def _come_back(session: LiveSession, member: StudentSession, *, device: str) -> StudentSession:
    """Somebody who left takes the same place again; somebody who is still there, or was taken out, does not."""
    if member.removed_at is not None:
        raise Refused("removed")
    if member.left_at is None:
        raise Refused("label_taken")
    member.left_at = None
    member.device = device[:80]
    member.cookie_version += 1
    member.save(update_fields=["left_at", "device", "cookie_version", "updated_at"])
    timeline.record(session, events.MemberJoin(group=member.group_id, again=True), at=timezone.now(), about=member)
    return member


def member_remove(session: LiveSession, *, student_session: UUID, by: User) -> StudentSession:
    """The teacher takes a student out: the ticket dies, and the label is not offered again."""
    now = timezone.now()
    with transaction.atomic():
        member = StudentSession.objects.select_for_update().filter(session=session, pk=student_session).first()
        if member is None or member.removed_at is not None:
            raise Refused("no_such_student")
        grouping.step_down(member)
        member.removed_at = now
        member.ready_at = None
        member.group = None
        member.cookie_version += 1
        member.save(update_fields=["removed_at", "ready_at", "group", "cookie_version", "updated_at"])
        timeline.record(session, events.MemberRemoved(), at=now, about=member, by=by)
    return member


def takeover_request(session: LiveSession, *, membership: UUID, device: str = "") -> TakeoverRequest:
    """Ask the teacher to let a new device take a place that is taken."""
    now = timezone.now()
    with transaction.atomic():
        member = (
            StudentSession.objects.filter(
                session=session,
                session__status__in=["configured", "started"],
                removed_at=None,
                student__memberships__pk=membership,
            )
            .order_by("id")
            .first()
        )
        if member is None:
            raise Refused("no_such_student")
        request = TakeoverRequest.objects.create(session=session, student_session=member, device=device[:80])
        timeline.record(session, events.TakeoverRequested(request=request.pk), at=now, about=member)
    return request


def takeover_decide(session: LiveSession, *, request: UUID, granted: bool, by: User) -> TakeoverRequest:
    """The teacher's decision. Granted: the newest device takes over, and the older ticket is worth nothing."""
    now = timezone.now()
    decision = TakeoverRequest.Decision.GRANTED if granted else TakeoverRequest.Decision.REFUSED
    with transaction.atomic():
        found = TakeoverRequest.objects.select_related("student_session").filter(session=session, pk=request).first()
        changed = TakeoverRequest.objects.filter(
            session=session, pk=request, decision=TakeoverRequest.Decision.PENDING
        ).update(decision=decision, decided_by=by, decided_at=now)
        if found is None or not changed:
            raise Refused("no_such_request")
        found.decision = decision
        member = found.student_session
        if granted:
            member = StudentSession.objects.select_for_update().get(pk=member.pk)
            member.cookie_version += 1
            member.device = found.device
            member.left_at = None
            member.save(update_fields=["cookie_version", "device", "left_at", "updated_at"])
            found.student_session = member
        event = events.TakeoverGranted(request=found.pk) if granted else events.TakeoverRefused(request=found.pk)
        timeline.record(session, event, at=now, about=member, by=by)
    return found
