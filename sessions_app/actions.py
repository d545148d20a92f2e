"""What a student does in a session, with its rules: consent, readiness, calls for help, answers to attention checks,
and each step of a study (`study.steps`).

Each action checks its rule, writes its records and appends its event in one transaction. The client's key makes it safe
to send again: a repeated key is answered from what is stored. A refused action is kept as `action_refused`, and what a
student had written in it as a `RefusedSubmission`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Q
from django.utils.crypto import salted_hmac
from psycopg import errors

from sessions_app import enrolment, events, grouping, timeline
from sessions_app.models import (
    AttentionCheck,
    Consent,
    ConsentState,
    Group,
    LiveSession,
    RefusedSubmission,
    StudentSession,
)
from sessions_app.models.consented import CONSENT_CONSTRAINT
from sessions_app.reading import course, moments
from sessions_app.refusals import Refused
from sessions_app.study import steps

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


Rule = Callable[[StudentSession, Attempt], events.Event | steps.Done]


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
    member: StudentSession | None = None
    held = StudentSession.objects.select_for_update(no_key=True, of=("self",)).select_related("session__study")
    try:
        with _consent_asked(), transaction.atomic():
            member = enrolment.holder(held.filter(pk=attempt.ticket.student_session).first(), attempt.ticket)
            seen = _seen_before(member, attempt)
            if seen is not None:
                return seen
            if not member.session.is_open:
                raise Refused("session_over")
            if member.left_at is not None:
                raise Refused("left")
            done = RULES[type(attempt.event)](member, attempt)
            event, then = (done.event, done.then) if isinstance(done, steps.Done) else (done, ())
            return _append(member, attempt, _without_what_is_apart(event, attempt), *then)
    except Refused as refused:
        if member is None:  # it is not theirs to write in
            raise
        with transaction.atomic():
            _keep_submission(member, attempt, refused)
            _append(member, attempt, events.ActionRefused(action=attempt.event.KIND, reason=refused.code))
        raise


@contextmanager
def _consent_asked() -> Iterator[None]:
    """A record that the database does not take for want of a consent is a refusal like any other."""
    try:
        yield
    except IntegrityError as error:
        cause = error.__cause__
        if isinstance(cause, errors.CheckViolation) and cause.diag.constraint_name == CONSENT_CONSTRAINT:
            raise Refused("consent_missing") from None
        raise


def _seen_before(member: StudentSession, attempt: Attempt) -> int | None:
    stored = timeline.stored(member.session_id, sender=member.pk, key=attempt.key)
    if stored is None:
        return None
    seq, kind, data = stored
    if kind == events.ActionRefused.KIND and data.get("action") == attempt.event.KIND:
        raise Refused(data["reason"])
    sent = {name: value for name, value in events.payload(attempt.event).items() if value is not None}
    if attempt.event.APART:
        sent = {name: value for name, value in sent.items() if name not in attempt.event.APART}
        sent["digest"] = _digest(attempt)
    if kind != attempt.event.KIND or any(data.get(name) != value for name, value in sent.items()):
        raise Refused("key_reused")
    return seq


def _digest(attempt: Attempt) -> str:
    """What stands in the timeline for the fields that are kept apart: the same for the same content under a key."""
    sent = events.payload(attempt.event)
    content = msgspec.json.encode([sent.get(name) for name in attempt.event.APART])
    return salted_hmac(f"lyceum.event.{attempt.key}", content, algorithm="sha256").hexdigest()[:32]


def _without_what_is_apart(event: events.Event, attempt: Attempt) -> events.Event:
    if not event.APART:
        return event
    apart = dict.fromkeys(event.APART, msgspec.UNSET)
    return msgspec.structs.replace(event, digest=_digest(attempt), **apart)


def _keep_submission(member: StudentSession, attempt: Attempt, refused: Refused) -> None:
    """Nothing that a student gave is lost because it came too late or twice, unless they do not want it kept."""
    if not attempt.event.APART or refused.code in {"key_reused", "consent_missing"}:
        return
    needed = {attempt.event.PURPOSE, attempt.event.APART_PURPOSE} - {None}
    granted = ConsentState.objects.filter(student=member.student_id, purpose__in=needed, granted=True)
    if granted.count() == len(needed):
        RefusedSubmission.objects.create(
            student_session=member,
            action=attempt.event.KIND,
            reason=refused.code,
            key=attempt.key,
            content=events.payload(attempt.event),
            received_at=attempt.received_at,
        )


def _append(member: StudentSession, attempt: Attempt, event: events.Event, *then: events.Event) -> int:
    """Append the action's event, and what Lyceum itself has to say because of it."""
    done = timeline.NewEvent(
        session_id=member.session_id,
        event=event,
        key=attempt.key,
        sender=member.pk,
        student_session_id=member.pk,
        received_at=attempt.received_at,
        happened_at=attempt.happened_at,
        client_time=attempt.client_time,
    )
    consequences = [
        timeline.NewEvent(
            session_id=member.session_id,
            event=consequence,
            student_session_id=member.pk,
            received_at=attempt.received_at,
            happened_at=attempt.received_at,
        )
        for consequence in then
    ]
    appended = timeline.append([done, *consequences])[0]
    if not appended.written:
        raise Refused(appended.verdict)
    return cast("int", appended.seq)


def _consent(member: StudentSession, attempt: Attempt) -> steps.Done:
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
    return steps.Done(event, steps.begin_if_decided(member, attempt.received_at))


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


def _of_study(rule: Callable[[StudentSession, Any, steps.Moment], steps.Done]) -> Rule:
    """A step of a study as a rule of ours."""

    def performed(member: StudentSession, attempt: Attempt) -> steps.Done:
        moment = steps.Moment(attempt.received_at, attempt.happened_at, attempt.client_time)
        return rule(member, attempt.event, moment)

    return performed


def _reading_started(member: StudentSession, attempt: Attempt) -> events.Event:
    reading = course.reading_start(member, at=attempt.received_at)
    return msgspec.structs.replace(cast("events.ReadingStarted", attempt.event), reading=reading.pk)


def _reading_finished(member: StudentSession, attempt: Attempt) -> events.Event:
    reading = course.reading_finish(member, at=attempt.received_at)
    return msgspec.structs.replace(cast("events.ReadingFinished", attempt.event), reading=reading.pk)


def _stuck(member: StudentSession, attempt: Attempt) -> events.Event:
    event = cast("events.Stuck", attempt.event)
    course.word_of(member, event.word)
    return event


def _help_played(member: StudentSession, attempt: Attempt) -> events.Event:
    event = cast("events.HelpPlayed", attempt.event)
    moments.help_used(member, event.help, played=True, at=attempt.received_at)
    return event


def _help_dismissed(member: StudentSession, attempt: Attempt) -> events.Event:
    event = cast("events.HelpDismissed", attempt.event)
    moments.help_used(member, event.help, played=False, at=attempt.received_at)
    return event


RULES: dict[type[events.Event], Rule] = {
    events.ConsentGiven: _consent,
    events.Ready: _ready,
    events.NotReady: _not_ready,
    events.LeaderReady: _leader_ready,
    events.HelpRequest: _help,
    events.AttentionConfirmed: _attention,
    events.MemberLeave: _leave,
    events.ReadingStarted: _reading_started,
    events.ReadingFinished: _reading_finished,
    events.Stuck: _stuck,
    events.HelpPlayed: _help_played,
    events.HelpDismissed: _help_dismissed,
    events.PriorKnowledgeGiven: _of_study(steps.prior_knowledge_given),
    events.PlaceChecked: _of_study(steps.place_checked),
    events.AssessmentAnswered: _of_study(steps.assessment_answered),
    events.AssessmentSubmitted: _of_study(steps.assessment_submitted),
    events.ContentBegun: _of_study(steps.content_begun),
    events.ContentReached: _of_study(steps.content_reached),
    events.ExchangeAnswered: _of_study(steps.exchange_answered),
    events.SurveySubmitted: _of_study(steps.survey_submitted),
}
