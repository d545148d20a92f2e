"""What a student does in a session, with its rules: consent, readiness, calls for help, answers to attention checks.

Each action checks its rule, writes its records and appends its event in one transaction. The client's key makes it safe
to send again: a repeated key is answered from what is stored. A refused action is kept as `action_refused`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec
from django.db import OperationalError, transaction
from django.db.models import Q
from psycopg import errors

from sessions_app import enrolment, events, grouping, timeline
from sessions_app.models import AttentionCheck, Consent, Group, LiveSession, StudentSession
from sessions_app.refusals import Refused

ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An action as it arrived. `happened_at` is the client's clock, corrected by the ping offset."""

    ticket: enrolment.Ticket
    event: events.Event
    key: UUID
    received_at: datetime
    happened_at: datetime
    client_time: datetime | None


def action_perform(attempt: Attempt) -> int:
    """Carry an action out, or raise `Refused`; the position of its event in the timeline is returned.

    A deadlock with another writer is tried again.
    """
    for attempts_left in reversed(range(ATTEMPTS)):
        try:
            return _perform(attempt)
        except OperationalError as error:
            if not isinstance(error.__cause__, errors.DeadlockDetected) or not attempts_left:
                raise
    raise AssertionError("unreachable")


def _perform(attempt: Attempt) -> int:
    member = enrolment.member_by_ticket(attempt.ticket)
    try:
        with transaction.atomic():
            held = StudentSession.objects.select_for_update(no_key=True, of=("self",)).select_related("session")
            member = held.get(pk=member.pk)
            seen = _seen_before(member, attempt)
            if seen is not None:
                return seen
            if not member.session.is_open:
                raise Refused("session_over")
            if member.removed_at is not None or member.left_at is not None:
                raise Refused("removed" if member.removed_at else "left")
            return _append(member, attempt, RULES[type(attempt.event)](member, attempt))
    except Refused as refused:
        with transaction.atomic():
            _append(member, attempt, events.ActionRefused(action=attempt.event.KIND, reason=refused.code))
        raise


def _seen_before(member: StudentSession, attempt: Attempt) -> int | None:
    stored = timeline.stored(member.session_id, sender=member.pk, key=attempt.key)
    if stored is None:
        return None
    seq, kind, data = stored
    if kind == events.ActionRefused.KIND and data.get("action") == attempt.event.KIND:
        raise Refused(data["reason"])
    sent = {name: value for name, value in events.payload(attempt.event).items() if value is not None}
    if kind != attempt.event.KIND or any(data.get(name) != value for name, value in sent.items()):
        raise Refused("key_reused")
    return seq


def _append(member: StudentSession, attempt: Attempt, event: events.Event) -> int:
    appended = timeline.append(
        [
            timeline.NewEvent(
                session_id=member.session_id,
                event=event,
                key=attempt.key,
                sender=member.pk,
                student_session_id=member.pk,
                received_at=attempt.received_at,
                happened_at=attempt.happened_at,
                client_time=attempt.client_time,
            )
        ]
    )[0]
    if not appended.written:
        raise Refused(appended.verdict)
    return cast("int", appended.seq)


def _consent(member: StudentSession, attempt: Attempt) -> events.Event:
    event = cast("events.ConsentGiven", attempt.event)
    if member.student_id is None:
        raise Refused("no_such_student")
    Consent.objects.create(
        student_id=member.student_id,
        purpose=event.purpose,
        decision=event.decision,
        given_by=Consent.Giver.STUDENT,
        version=event.version,
        how_obtained=Consent.Method.IN_SESSION,
        given_at=attempt.received_at,
    )
    _touch(member, attempt)
    return event


def _ready(member: StudentSession, attempt: Attempt) -> events.Event:
    _touch(member, attempt, ready_at=attempt.received_at)
    return attempt.event


def _not_ready(member: StudentSession, attempt: Attempt) -> events.Event:
    _touch(member, attempt, ready_at=None)
    return attempt.event


def _leader_ready(member: StudentSession, attempt: Attempt) -> events.Event:
    event = cast("events.LeaderReady", attempt.event)
    if member.group_id is None:
        raise Refused("no_group")
    changed = Group.objects.filter(pk=member.group_id, leader=member).update(
        ready_at=attempt.received_at if event.ready else None
    )
    if not changed:
        raise Refused("not_leader")
    return msgspec.structs.replace(event, group=member.group_id)


def _help(member: StudentSession, attempt: Attempt) -> events.Event:
    if member.session.status != LiveSession.Status.STARTED:
        raise Refused("not_started")
    _touch(member, attempt, help_asked_at=attempt.received_at)
    return attempt.event


def _attention(member: StudentSession, attempt: Attempt) -> events.Event:
    event = cast("events.AttentionConfirmed", attempt.event)
    asked = AttentionCheck.objects.filter(
        Q(student_session=member) | Q(student_session=None), session=member.session_id, seq=event.check
    )
    if not asked.exists():
        raise Refused("no_such_check")
    StudentSession.objects.filter(pk=member.pk, attention_confirmed__lt=event.check).update(
        attention_confirmed=event.check
    )
    return event


def _leave(member: StudentSession, attempt: Attempt) -> events.Event:
    grouping.step_down(member)
    _touch(member, attempt, left_at=attempt.received_at, ready_at=None)
    return attempt.event


def _touch(member: StudentSession, attempt: Attempt, **changes: Any) -> None:
    StudentSession.objects.filter(pk=member.pk).update(updated_at=attempt.received_at, **changes)


RULES: dict[type[events.Event], Callable[[StudentSession, Attempt], events.Event]] = {
    events.ConsentGiven: _consent,
    events.Ready: _ready,
    events.NotReady: _not_ready,
    events.LeaderReady: _leader_ready,
    events.HelpRequest: _help,
    events.AttentionConfirmed: _attention,
    events.MemberLeave: _leave,
}
