"""Simulated class periods of the past weeks, so that every page has something to show: all of them marked as simulated.

The events are written by the timeline's own writer, with times in the past.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from itertools import count

from django.db import transaction

from config.local.sample.kit import Kit, Places
from config.local.sample.runs import Run, run_made
from config.local.sample.writing import happenings, new_event, runs_tell, runs_write
from sessions_app import events, join_codes, timeline
from sessions_app.models import Condition, Group, LiveSession, School, SchoolClass, StudentSession, Study
from sessions_app.models.identity import uuid7

STUDENT_SESSIONS = 600
STUDENTS = 24
GROUPS = 5
PERIODS = (time(8, 40), time(9, 40), time(10, 50), time(13, 10), time(14, 5))
TITLES = ("The Ironworks on the James", "Water and power", "A city of rails", "The canal boats", "Who worked here?")
ONE_MINUTE = timedelta(minutes=1)
LONGEST = timedelta(minutes=90)


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
    study = Study.objects.filter(schools=school).exclude(content=None).first()
    kit = Kit(study) if study else None
    for number, period in zip(range(missing), _periods(school, now, rng), strict=False):
        _write(
            classes[number % len(classes)],
            period,
            title=TITLES[number % len(TITLES)],
            kit=kit,
            location=Condition.Location.values[number % len(Condition.Location.values)],
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
            if period.started + LONGEST < now:
                yield period


@transaction.atomic
def _write(
    school_class: SchoolClass,
    period: Period,
    *,
    title: str,
    kit: Kit | None,
    location: str,
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
        study=kit.study if kit else None,
        location=location,
        site=kit.sites.get(location) if kit else None,
        is_simulated=True,
        created_at=period.configured,
        configured_at=period.configured,
        started_at=period.started,
        ended_at=period.ended,
        end_reason=LiveSession.EndReason.TEACHER,
    )
    groups = Group.objects.bulk_create(Group(session=session, number=number) for number in range(1, GROUPS + 1))
    memberships = list(school_class.memberships.select_related("student").order_by("label"))
    members = [
        StudentSession(
            school_id=session.school_id,
            session=session,
            student=membership.student,
            label=membership.label,
            group=groups[index % GROUPS],
            joined_at=period.configured + timedelta(seconds=rng.uniform(20, 200)),
            ready_at=period.started + timedelta(seconds=rng.uniform(-60, 90)),
            is_simulated=True,
        )
        for index, membership in enumerate(rng.sample(memberships, min(STUDENTS, len(memberships))))
    ]
    runs = _runs(kit, members, location, period, rng) if kit else []
    period = replace(period, ended=max([period.ended, *(run.ended_at + ONE_MINUTE for run in runs)]))
    LiveSession.objects.filter(pk=session.pk).update(ended_at=period.ended)
    StudentSession.objects.bulk_create(members)
    if kit and runs:
        runs_write(kit, runs)
    for index, group in enumerate(groups):
        group.leader = members[index]
        group.ready_at = period.started + timedelta(seconds=rng.uniform(30, 150))
    Group.objects.bulk_update(groups, ["leader", "ready_at"])
    timeline.open_timeline(session, opened_at=period.configured)
    runs_tell(
        session,
        [
            *_of_session(session, period),
            *(e for m in members for e in _of_student(session, m, period, rng)),
            *(e for run in runs for e in happenings(run)),
        ],
    )
    timeline.close_timeline(session, ended_at=period.ended)


def _runs(kit: Kit, members: list[StudentSession], location: str, period: Period, rng: random.Random) -> list[Run]:
    """What each student did in the study; conditions are drawn, as in a real class."""
    places = Places(kit)
    return [
        run_made(kit, places.draw(m, where=location, at=period.started + rng.random() * ONE_MINUTE), rng=rng)
        for m in members
    ]


def _of_session(session: LiveSession, period: Period) -> Iterator[timeline.NewEvent]:
    yield new_event(session, events.Configured(groups=GROUPS, capacity=session.capacity), period.configured)
    yield new_event(session, events.Started(students=STUDENTS, groups=GROUPS), period.started)
    yield new_event(session, events.Ended(reason="teacher"), period.ended)


def _of_student(
    session: LiveSession, member: StudentSession, period: Period, rng: random.Random
) -> Iterator[timeline.NewEvent]:
    """One student's period: joins, gets ready, works; now and then the connection is lost for a while."""

    def said(event: events.Event, at: datetime) -> timeline.NewEvent:
        return new_event(session, event, at, member, keyed=True)

    def noted(event: events.Event, at: datetime) -> timeline.NewEvent:
        return new_event(session, event, at, member)

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
