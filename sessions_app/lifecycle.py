"""A live session's life: `draft > configured > started > ended`.

Each function checks its rule, writes its records and appends its event in one transaction. A transition is claimed by a
conditional UPDATE, so that of two teachers who press the same button one wins and the other is told.
"""

import logging
from datetime import datetime, timedelta
from typing import Literal

from django.db import IntegrityError, transaction
from django.utils import timezone

from sessions_app import events, grouping, join_codes, timeline
from sessions_app.models import Intervention, LiveSession, SessionEvent, StudentSession, User
from sessions_app.reading import passages
from sessions_app.refusals import Refused
from sessions_app.study import interventions, journey

log = logging.getLogger(__name__)

IDLE_AFTER = timedelta(hours=3)


def session_configure(session: LiveSession, *, groups: int = 0) -> LiveSession:
    """Finish a draft: it gets its join code, its groups and its timeline. Refuses a draft without class or title."""
    if not session.title.strip():
        raise Refused("title_missing")
    if session.school_class is None:
        raise Refused("class_missing")
    if not session.school_class.memberships.exists():
        raise Refused("class_empty")
    if missing := passages.what_is_missing(session):
        raise Refused(missing)
    if not 0 <= groups <= grouping.MOST_GROUPS:
        raise Refused("group_count")
    now = timezone.now()
    with transaction.atomic():
        _claim(session, LiveSession.Status.DRAFT, status=LiveSession.Status.CONFIGURED, configured_at=now)
        _give_code(session)
        grouping.create_groups(session, groups)
        timeline.open_timeline(session, opened_at=now)
        timeline.record(
            session, events.Configured(groups=groups, capacity=session.capacity), at=now, by=session.teacher
        )
    return session


def session_start(session: LiveSession, *, by: User) -> LiveSession:
    """Start a configured session."""
    now = timezone.now()
    with transaction.atomic():
        _claim(session, LiveSession.Status.CONFIGURED, status=LiveSession.Status.STARTED, started_at=now)
        students = StudentSession.objects.filter(session=session, removed_at=None, left_at=None).count()
        timeline.record(session, events.Started(students=students, groups=session.groups.count()), at=now, by=by)
    return session


def session_end(
    session: LiveSession, *, by: User | None, reason: Literal["teacher", "idle", "administrator"] = "teacher"
) -> LiveSession:
    """End a session that is open. Its code dies; facts that arrive later are still taken for a day, marked late.

    What is open of a study stays unfinished, and the runs that did not come to their end are looked at as they are.
    """
    now = timezone.now()
    with transaction.atomic():
        _claim(
            session,
            LiveSession.Status.CONFIGURED,
            LiveSession.Status.STARTED,
            status=LiveSession.Status.ENDED,
            ended_at=now,
            end_reason=reason,
        )
        abandoned = _abandon(session, at=now)
        timeline.append(abandoned)
        timeline.record(session, events.Ended(reason=reason), at=now, by=by)
        timeline.close_timeline(session, ended_at=now)
    for member in StudentSession.objects.filter(session=session, assignment__isnull=False, survey_response=None):
        journey.run_finish(member, at=now)
    return session


def _abandon(session: LiveSession, *, at: datetime) -> list[timeline.NewEvent]:
    """Leave the pauses that are open unfinished; what is to be said of them."""
    opened = Intervention.objects.filter(student_session__session=session, status=Intervention.Status.OPEN)
    left = list(opened.values_list("student_session_id", "number"))
    interventions.session_interventions_abandon(session, at=at)
    return [
        timeline.NewEvent(
            session_id=session.pk,
            event=events.InterventionClosed(number=number, status="abandoned"),
            received_at=at,
            happened_at=at,
            student_session_id=member,
        )
        for member, number in left
    ]


def idle_sessions(*, now: datetime) -> list[LiveSession]:
    """Open sessions in which nothing has happened for three hours."""
    waiting = LiveSession.objects.filter(
        status__in=[LiveSession.Status.CONFIGURED, LiveSession.Status.STARTED], configured_at__lt=now - IDLE_AFTER
    )
    return [s for s in waiting if not SessionEvent.objects.filter(session=s, created_at__gt=now - IDLE_AFTER).exists()]


def end_idle_sessions(*, now: datetime | None = None) -> int:
    """End every idle session; how many were ended."""
    ended = 0
    for session in idle_sessions(now=now or timezone.now()):
        try:
            session_end(session, by=None, reason="idle")
        except Refused:
            log.info("session %s was ended by somebody else meanwhile", session.pk)
        else:
            ended += 1
    return ended


def _claim(session: LiveSession, *expected: LiveSession.Status, **changes: object) -> None:
    """Move a session out of one of `expected`, or refuse; the instance carries the changes afterwards."""
    changed = LiveSession.objects.filter(pk=session.pk, status__in=expected).update(
        updated_at=timezone.now(), **changes
    )
    if not changed:
        ended = LiveSession.objects.filter(pk=session.pk, status=LiveSession.Status.ENDED).exists()
        raise Refused("session_over" if ended else "not_possible_now")
    for name, value in changes.items():
        setattr(session, name, value)


def _give_code(session: LiveSession) -> None:
    """A code that no open session has; a collision in 31^8 is met by drawing again."""
    for _ in range(5):
        session.join_code = join_codes.new_code()
        try:
            with transaction.atomic():
                session.save(update_fields=["join_code", "updated_at"])
        except IntegrityError:
            continue
        return
    raise RuntimeError("five join codes in a row were taken")
