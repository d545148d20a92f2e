"""Simulated class periods of the past weeks, so that every page has something to show: all of them marked as simulated.

The events are written by the timeline's own writer, with times in the past.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import count
from uuid import UUID

from django.db import transaction

from sessions_app import events, join_codes, timeline
from sessions_app.models import Condition, Group, LiveSession, School, SchoolClass, StudentSession, Study
from sessions_app.models.identity import uuid7

STUDENT_SESSIONS = 600
STUDENTS = 24
GROUPS = 5
PERIODS = (time(8, 40), time(9, 40), time(10, 50), time(13, 10), time(14, 5))
TITLES = ("The Ironworks on the James", "Water and power", "A city of rails", "The canal boats", "Who worked here?")
LARGEST_APPEND = 500


@dataclass(frozen=True)
class Period:
    """When one class period was held."""

    configured: datetime
    started: datetime
    ended: datetime


def load(school: School, *, now: datetime, seed: int = 11) -> int:
    """Make up what is missing to 600 students' sessions that ended before `now`; class periods added."""
    have = StudentSession.objects.filter(school=school, is_simulated=True).count()
    missing = max(0, STUDENT_SESSIONS - have) // STUDENTS
    if not missing:
        return 0
    rng = random.Random(seed)  # noqa: S311
    classes = list(SchoolClass.objects.filter(school=school).order_by("name"))
    conditions = list(Condition.objects.order_by("code"))
    study = Study.objects.filter(schools=school).first()
    for number, period in zip(range(missing), _periods(school, now, rng), strict=False):
        _write(
            classes[number % len(classes)],
            period,
            title=TITLES[number % len(TITLES)],
            study=study,
            condition=conditions[(number * 7) % len(conditions)] if conditions else None,
            rng=rng,
        )
    return missing


def _periods(school: School, now: datetime, rng: random.Random) -> Iterator[Period]:
    """Class periods that are over, the latest first: one or two on each school day."""
    for days_ago in count():
        day = now.astimezone(school.zone).date() - timedelta(days=days_ago)
        if day.weekday() > 4:
            continue
        for begins in sorted(rng.sample(PERIODS, rng.choice((1, 2, 2))), reverse=True):
            started = datetime.combine(day, begins, school.zone) + timedelta(seconds=rng.uniform(0, 240))
            period = Period(
                configured=started - timedelta(seconds=rng.uniform(240, 600)),
                started=started,
                ended=started + timedelta(minutes=rng.uniform(26, 41)),
            )
            if period.ended < now:
                yield period


@transaction.atomic
def _write(
    school_class: SchoolClass,
    period: Period,
    *,
    title: str,
    study: Study | None,
    condition: Condition | None,
    rng: random.Random,
) -> None:
    teacher = school_class.teachers.order_by("username").first()
    assert teacher is not None
    session = LiveSession.objects.create(
        school_id=school_class.school_id,
        teacher=teacher,
        school_class=school_class,
        title=title,
        activity=LiveSession.Activity.SOCRATIC,
        status=LiveSession.Status.ENDED,
        join_code=join_codes.new_code(),
        study=study,
        condition=condition,
        is_simulated=True,
        created_at=period.configured,
        configured_at=period.configured,
        started_at=period.started,
        ended_at=period.ended,
        end_reason=LiveSession.EndReason.TEACHER,
    )
    groups = Group.objects.bulk_create(Group(session=session, number=number) for number in range(1, GROUPS + 1))
    memberships = list(school_class.memberships.select_related("student").order_by("label"))
    members = StudentSession.objects.bulk_create(
        StudentSession(
            school_id=session.school_id,
            session=session,
            student=membership.student,
            label=membership.label,
            group=groups[index % GROUPS],
            condition=condition,
            joined_at=period.configured + timedelta(seconds=rng.uniform(20, 200)),
            ready_at=period.started + timedelta(seconds=rng.uniform(-60, 90)),
            is_simulated=True,
        )
        for index, membership in enumerate(rng.sample(memberships, min(STUDENTS, len(memberships))))
    )
    for index, group in enumerate(groups):
        group.leader = members[index]
        group.ready_at = period.started + timedelta(seconds=rng.uniform(30, 150))
    Group.objects.bulk_update(groups, ["leader", "ready_at"])
    timeline.open_timeline(session, opened_at=period.configured)
    happened = sorted(
        [*_of_session(session, period), *(e for m in members for e in _of_student(session, m, period, rng))],
        key=lambda event: event.received_at,
    )
    for first in range(0, len(happened), LARGEST_APPEND):
        timeline.append(happened[first : first + LARGEST_APPEND])
    timeline.close_timeline(session, ended_at=period.ended)


def _event(
    session: LiveSession,
    event: events.Event,
    at: datetime,
    member: StudentSession | None = None,
    key: UUID | None = None,
) -> timeline.NewEvent:
    return timeline.NewEvent(
        session_id=session.pk,
        event=event,
        received_at=at,
        happened_at=at,
        client_time=at if key else None,
        key=key,
        sender=member.pk if member else session.teacher_id,
        student_session_id=member.pk if member else None,
    )


def _of_session(session: LiveSession, period: Period) -> Iterator[timeline.NewEvent]:
    yield _event(session, events.Configured(groups=GROUPS, capacity=session.capacity), period.configured)
    yield _event(session, events.Started(students=STUDENTS, groups=GROUPS), period.started)
    yield _event(session, events.Ended(reason="teacher"), period.ended)


def _of_student(
    session: LiveSession, member: StudentSession, period: Period, rng: random.Random
) -> Iterator[timeline.NewEvent]:
    """One student's period: joins, gets ready, works; now and then the connection is lost for a while."""

    def said(event: events.Event, at: datetime) -> timeline.NewEvent:
        return _event(session, event, at, member, uuid7())

    def noted(event: events.Event, at: datetime) -> timeline.NewEvent:
        return _event(session, event, at, member)

    connection, latency = uuid7(), rng.lognormvariate(3.7, 0.4)
    diligence, drops = rng.betavariate(5, 2), rng.choice((0.0, 0.0, 0.01, 0.03))
    assert member.ready_at is not None
    yield noted(events.MemberJoin(group=member.group_id), member.joined_at)
    yield noted(events.SocketOpened(connection=connection), member.joined_at + timedelta(seconds=2))
    leads = member.group is not None and member.group.leader_id == member.pk
    if rng.random() < 0.96:
        yield said(events.Ready(), member.ready_at)
    if leads and member.group is not None and member.group.ready_at is not None:
        yield said(events.LeaderReady(ready=True, group=member.group_id), member.group.ready_at)
    at, progress = member.joined_at + timedelta(seconds=30), 0.0
    while at < period.ended - timedelta(seconds=20):
        yield said(events.Latency(rtt_ms=round(latency * rng.uniform(0.7, 1.7), 1)), at)
        if at > period.started and rng.random() < diligence:
            progress = min(100.0, progress + rng.uniform(1, 4))
            yield said(events.Progress(step="reading", percent=round(progress, 1)), at + timedelta(seconds=1))
        if at > period.started and rng.random() < 0.004:
            yield said(events.HelpRequest(), at + timedelta(seconds=2))
        if rng.random() < 0.002:
            yield said(events.ClientError(where="player", message="The sound could not be played."), at)
        if rng.random() < drops:
            yield noted(events.SocketClosed(connection=connection, code=1006), at + timedelta(seconds=3))
            at += timedelta(seconds=rng.uniform(15, 120))
            connection = uuid7()
            if at >= period.ended:
                return
            yield noted(events.SocketOpened(connection=connection), at)
        at += timedelta(seconds=30)
    yield noted(events.SocketClosed(connection=connection, code=1000), period.ended + timedelta(seconds=1))
