"""A simulated study of any size: a school of its own, class periods of the past weeks, and every run of them.

The same seed gives the same students and the same numbers. Everything is marked as simulated, and counted and mirrored
all the same, as all of the school is a sample.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

import numpy as np
from django.db import transaction

from config.local.sample import ironworks
from config.local.sample.kit import Kit, Places
from config.local.sample.runs import Run, run_made
from config.local.sample.writing import happenings, new_event, runs_tell, runs_write
from sessions_app import events, join_codes, timeline
from sessions_app.models import (
    ClassMembership,
    Condition,
    Consent,
    LiveSession,
    School,
    SchoolClass,
    Student,
    StudentSession,
    Study,
    StudyCondition,
    User,
)
from sessions_app.models.identity import uuid7
from sessions_app.models.people import pseudonym_for

PERIOD: Final = 24
"""Students in a class, all of whom come."""
COMES_AGAIN: Final = 5
"""Every fifth class has a second period, later."""
LATEST_START: Final = timedelta(seconds=45)
PURPOSES: Final = (
    Consent.Purpose.PARTICIPATION,
    Consent.Purpose.LOCATION,
    Consent.Purpose.SURVEY,
    Consent.Purpose.RESEARCH,
)
STARTS: Final = (time(8, 40), time(9, 40), time(10, 50), time(13, 10), time(14, 5))


@dataclass(frozen=True, slots=True)
class Seeded:
    """What there is now, and what of it was added."""

    study: Study
    school: School
    sessions: int
    added: int
    students: int


def seed(*, sessions: int, seed: int, now: datetime, progress: Callable[[int], object] = lambda added: None) -> Seeded:
    """Bring the simulated study of a seed up to so many students' sessions. `progress` is told of each period's.

    A period is one transaction, in which the study is held: what was written stays, and of two that seed the same study
    at once each adds to what the other has written.
    """
    school, study, teacher = _study(seed)
    kit = Kit(study)
    have = added = 0
    while have < sessions:
        with transaction.atomic():
            Study.objects.select_for_update(no_key=True).get(pk=study.pk)
            have = StudentSession.objects.filter(session__study=study).count()
            size = min(PERIOD, sessions - have)
            if size > 0:
                number = LiveSession.objects.filter(study=study).count()
                _period(kit, school, teacher, number=number, size=size, started=_begins(number, now, school), seed=seed)
                have, added = have + size, added + size
                progress(size)
    students = Student.objects.filter(school=school).count()
    return Seeded(study, school, have, added, students)


@transaction.atomic
def _study(seed: int) -> tuple[School, Study, User]:
    school, _ = School.objects.update_or_create(name=f"Simulated school {seed}", defaults={"is_sample": True})
    study, made = Study.objects.get_or_create(
        name=f"Simulated study {seed}", defaults={"is_simulated": True, "seed": seed}
    )
    if made:
        study.schools.add(school)
        StudyCondition.objects.bulk_create(
            StudyCondition(study=study, condition=condition, target=40) for condition in Condition.objects.all()
        )
    ironworks.load(study)
    teacher, _ = User.objects.get_or_create(
        username=f"simulated-teacher-{seed}",
        defaults={"role": User.Role.TEACHER, "school": school, "is_active": False},
    )
    return school, study, teacher


def _begins(number: int, now: datetime, school: School) -> datetime:
    """When a period begins: five on each school day, backwards from yesterday."""
    yesterday = now.astimezone(school.zone).date() - timedelta(days=1)
    day: date = np.busday_offset(yesterday, -(number // len(STARTS)), roll="backward").astype(date)
    return datetime.combine(day, STARTS[-1 - number % len(STARTS)], school.zone)


def _period(
    kit: Kit,
    school: School,
    teacher: User,
    *,
    number: int,
    size: int,
    started: datetime,
    seed: int,
) -> None:
    """One class period with all that was done in it."""
    rng = random.Random(f"{seed}:{number}")  # noqa: S311
    locations = sorted(kit.cells)
    where = locations[number % len(locations)]
    configured = started - timedelta(minutes=6)
    session = LiveSession(
        school=school,
        teacher=teacher,
        title=f"The iron works, period {number + 1}",
        activity=LiveSession.Activity.SOCRATIC,
        status=LiveSession.Status.ENDED,
        join_code=join_codes.new_code(),
        study=kit.study,
        location=where,
        site=kit.sites.get(where),
        capacity=max(size, 1),
        is_simulated=True,
        created_at=configured,
        configured_at=configured,
        started_at=started,
        end_reason=LiveSession.EndReason.TEACHER,
    )
    students, session.school_class = _class(school, number, size, rng, configured)
    members = [
        StudentSession(
            school=school,
            session=session,
            student=student,
            label=student.label,
            joined_at=configured + timedelta(seconds=rng.uniform(20, 300)),
            is_simulated=True,
        )
        for student in students
    ]
    places = Places(kit)
    runs = [
        run_made(kit, places.draw(member, where=where, at=started + rng.random() * LATEST_START), rng=rng)
        for member in members
    ]
    session.ended_at = max(run.ended_at for run in runs) + timedelta(minutes=1)
    session.save(force_insert=True)
    StudentSession.objects.bulk_create(members)
    runs_write(kit, runs)
    timeline.open_timeline(session, opened_at=configured)
    runs_tell(session, _happened(session, runs))
    timeline.close_timeline(session, ended_at=session.ended_at)


def _happened(session: LiveSession, runs: Sequence[Run]) -> Iterator[timeline.NewEvent]:
    assert session.configured_at is not None and session.started_at is not None and session.ended_at is not None
    yield new_event(session, events.Configured(groups=0, capacity=session.capacity), session.configured_at)
    yield new_event(session, events.Started(students=len(runs), groups=0), session.started_at)
    for run in runs:
        yield new_event(session, events.MemberJoin(), run.member.joined_at, run.member)
        yield from happenings(run)
    yield new_event(session, events.Ended(reason="teacher"), session.ended_at)


def _class(
    school: School, number: int, size: int, rng: random.Random, before: datetime
) -> tuple[list[Student], SchoolClass]:
    """The class of a period: a new one, or for every fifth period the one that came four periods before."""
    again = number % COMES_AGAIN == COMES_AGAIN - 1
    name = f"Class {number - (COMES_AGAIN - 1) if again else number}"
    school_class, made = SchoolClass.objects.get_or_create(school=school, name=name)
    if not made:
        known = list(Student.objects.filter(memberships__school_class=school_class).order_by("label")[:size])
        if len(known) == size:
            return known, school_class
    grade = 9 + number % 4
    students = [
        Student(
            id=(pk := uuid7()),
            school=school,
            label=f"Pupil {number}-{place:02}",
            pseudonym=pseudonym_for(pk.hex),
            grade=grade,
            age=grade + rng.choice((5, 5, 6)),
            richmond_resident=rng.random() < 0.7,
            depth_preference=rng.choice(Student.DepthPreference.values),
            is_simulated=True,
            created_at=before,
        )
        for place in range(size)
    ]
    Student.objects.bulk_create(students)
    ClassMembership.objects.bulk_create(
        ClassMembership(school_class=school_class, student=student, label=student.label) for student in students
    )
    Consent.objects.bulk_create(
        Consent(
            student=student,
            purpose=purpose,
            decision=Consent.Decision.GRANTED,
            given_by=Consent.Giver.GUARDIAN,
            version="2026-1",
            how_obtained=Consent.Method.PAPER,
            given_at=before,
        )
        for student in students
        for purpose in PURPOSES
    )
    return students, school_class
