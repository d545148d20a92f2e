"""What a teacher decides about one student of a study: to move them on past a step that takes too long, to take that
back, and which condition they have.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from sessions_app import events, grouping, timeline
from sessions_app.models import LiveSession, StudentSession, User
from sessions_app.refusals import Refused
from sessions_app.study import assignment, journey, steps, way

UNSETTLED: Final = frozenset({journey.Step.CONSENT, journey.Step.PRIOR_KNOWLEDGE})
"""The steps at which a condition can still be changed."""


def student_move_on(session: LiveSession, *, student_session: UUID, step: str, number: int, by: User) -> None:
    """Let a student go on past the step where the teacher saw them; refuses where they have gone on meanwhile.

    `number` is that of the pause that the teacher saw, else 0.
    """
    now = timezone.now()
    with transaction.atomic():
        member = _held(session, student_session)
        run = way.runs([member])[member.pk]
        if run.step in way.NOT_YET:
            raise Refused("cannot_move_on")
        if run.step != step or (run.step == journey.Step.INTERVENTION and run.number != number):
            raise Refused("went_on")
        begun = steps.begin(member, now)
        moved = journey.move_on(member, by=by, at=now)
        closed = [events.InterventionClosed(number=moved.number, status="abandoned")] if moved.number else []
        _say(member, *begun, *closed, events.StudentMovedOn(step=moved.step.value, number=moved.number), at=now, by=by)


def student_move_back(session: LiveSession, *, student_session: UUID, by: User) -> None:
    """Take the last move back; refuses when the student has done something since."""
    now = timezone.now()
    with transaction.atomic():
        member = _held(session, student_session)
        moved = journey.move_back(member, at=now)
        _say(member, events.StudentMovedBack(step=moved.step.value, number=moved.number), at=now, by=by)


def student_condition_fix(session: LiveSession, *, student_session: UUID, code: str, by: User) -> None:
    """Give a student a condition by hand, or with an empty `code` the one that falls to them as to the others.

    Possible until they have said what they know already: from then on the condition is what the run was made in. Only
    the cells that the study runs at the session's location can be chosen; another location would be a place where the
    student is not.
    """
    now = timezone.now()
    with transaction.atomic():
        member = _held(session, student_session, started=False)
        if journey.position(member).step not in UNSETTLED:
            raise Refused("condition_settled")
        wanted = assignment.conditions_of(member.session).filter(code=code).first() if code else None
        if code and wanted is None:
            raise Refused("no_such_condition")
        had_one = assignment.condition_wish(member, wanted, at=now)
        begun = steps.begin(member, now, fixed_by=by) if had_one else ()
        _say(member, events.ConditionFixed(code=code), *begun, at=now, by=by)


def _held(session: LiveSession, student_session: UUID, *, started: bool = True) -> StudentSession:
    """The student's session, locked after its live session, which must be running, or open where it need not."""
    session = grouping.hold_open(session)
    if started and session.status != LiveSession.Status.STARTED:
        raise Refused("not_started")
    held = StudentSession.objects.select_for_update(no_key=True, of=("self",)).select_related("session__study")
    member = held.filter(session=session, pk=student_session, removed_at=None, left_at=None).first()
    if member is None:
        raise Refused("no_such_student")
    if not way.is_of_study(member.session):
        raise Refused("no_study")
    return member


def _say(member: StudentSession, *happened: events.Event, at: datetime, by: User) -> None:
    timeline.record(member.session, *happened, at=at, about=member, by=by)
