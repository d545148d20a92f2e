"""One school with everything in it, another beside it, and everybody who may come to a door."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from sessions_app import codes, data_requests, enrolment, learners, lifecycle, tokens
from sessions_app.models import (
    Assessment,
    AssessmentAnswer,
    Condition,
    HelpEvent,
    LiveSession,
    Miscue,
    Passage,
    Reading,
    School,
    SchoolClass,
    Student,
    StudentSession,
    Study,
    StudyCondition,
    TakeoverRequest,
    User,
)
from tests.analyses import make_analysis
from tests.cast import consent, join, make_session, make_student, make_user
from tests.study_cast import make_form

WHO = ("nobody", "sam", "tia", "alice", "bob", "charlie", "rosa", "rolf", "ada", "aron", "root")
"""Nobody has signed in; Sam and Tia hold the ticket of their own run; Alice runs the sessions, Bob teaches at the same
school, Charlie at another; Rosa was granted the study, Rolf another one; Ada administrates the school, Aron the other,
and root the whole installation."""


@dataclass(frozen=True)
class World:
    people: dict[str, User]
    sign_ins: dict[str, str]
    members: dict[str, StudentSession]
    keys: dict[str, Any]

    @property
    def students(self) -> dict[str, Student]:
        return {who: Student.objects.get(pk=member.student_id) for who, member in self.members.items()}

    def client(self, who: str, *, bearer: bool = False) -> Client:
        """A browser in which `who` has signed in, or has joined; or a program that has their token."""
        if bearer:
            of = self.people.get(who) or (learners.learner_of(self.students[who]) if who in self.members else None)
            return Client(headers={"Authorization": f"Bearer {tokens.token_give(of).access}"} if of else {})
        client = Client(headers={"Origin": "http://testserver"})
        if who in self.people:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.sign_ins[who]
        if who in self.members:
            member = self.members[who]
            client.cookies[enrolment.cookie_name(member.pk)] = enrolment.ticket_sign(member)
        return client


def sign_in(user: User) -> str:
    """The cookie of a browser in which `user` has signed in."""
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def read_aloud(member: StudentSession) -> dict[str, Any]:
    """Sam's reading, computed, with one mark and one help."""
    consent(member.student, "audio")  # type: ignore[arg-type]
    aloud = Passage.objects.create(school=member.school, title="Aloud", text="Boats brought coal.", words=3)
    reading = Reading.objects.create(
        school=member.school, student_session=member, passage=aloud, settled_at=timezone.now(), position=3
    )
    mark = Miscue.objects.create(reading=reading, type="omission", index=1)
    help_given = HelpEvent.objects.create(
        reading=reading, index=1, word="brought", reason="asked", at=1.0, text="brought", author="x", voice="browser"
    )
    return {"reading_id": reading.pk, "mark_id": mark.pk, "help_id": help_given.pk}


def wrote(member: StudentSession) -> dict[str, Any]:
    """Tia's answer in words, to a form that is handed in."""
    consent(member.student, "participation")  # type: ignore[arg-type]
    form, now = make_form("baseline", slug="written", school=member.school), timezone.now()
    handed_in = Assessment.objects.create(
        student_session=member, kind="baseline", form=form, started_at=now, submitted_at=now, duration_seconds=0,
        total_questions=4, total_points=6, points_earned=0, score_percentage=0, questions_answered=1, correct_answers=0,
    )  # fmt: skip
    answer = AssessmentAnswer.objects.create(
        assessment=handed_in, item=form.items.get(number=4), text="Because.", points_possible=3, points_auto=0,
        scorer="rules", scorer_version="x", answered_at=now,
    )  # fmt: skip
    return {"run_id": member.pk, "answer_id": answer.pk}


def make_world() -> World:
    school = School.objects.create(name="Shockoe Hill School", time_zone="America/New_York")
    other_school = School.objects.create(name="Elsewhere School", time_zone="Europe/Madrid")
    alice, bob = make_user("alice", "teacher", school), make_user("bob", "teacher", school)
    charlie, rosa = make_user("charlie", "teacher", other_school), make_user("rosa", "researcher", None)
    ada = make_user("ada", "administrator", school, is_staff=True)
    grade_four = SchoolClass.objects.create(school=school, name="Grade 4 B")
    grade_four.teachers.add(alice)
    sam, tia = (make_student(grade_four, label, grade=4, age=9) for label in ("Sam", "Tia"))
    elsewhere = SchoolClass.objects.create(school=other_school, name="Grade 4 B")
    elsewhere.teachers.add(charlie)
    make_student(elsewhere, "Umi", grade=4)
    study = Study.objects.create(name="Ironworks 2026", planned_n=240)
    study.schools.add(school)
    study.researchers.add(rosa)
    rolf = make_user("rolf", "researcher", None)
    Study.objects.create(name="Another").researchers.add(rolf)
    aron = make_user("aron", "administrator", other_school)
    root = User.objects.create_superuser("root")
    session = make_session(alice, grade_four, study=study)
    members = {"sam": join(session, sam), "tia": join(session, tia)}
    over = make_session(alice, grade_four, title="Yesterday's")
    lifecycle.session_end(lifecycle.session_start(over, by=alice), by=alice)
    draft = LiveSession.objects.create(
        school=school, teacher=alice, school_class=grade_four, title="Next", activity="reading"
    )
    place = sam.memberships.get()
    StudyCondition.objects.create(study=study, condition=Condition.objects.get(code="L1-I1-D"), target=4)
    takeover = enrolment.takeover_request(session, membership=place.pk)
    assert isinstance(takeover, TakeoverRequest)
    analysis = make_analysis(rosa, study)
    code = codes.code_add(analysis.corpus, by=rosa, name="Iron")
    asked = data_requests.request_make(kind="copy", asked_by="learner", learner=learners.learner_of(sam))
    people = {
        "alice": alice, "bob": bob, "charlie": charlie, "rosa": rosa, "rolf": rolf, "ada": ada, "aron": aron,
        "root": root,
    }  # fmt: skip
    return World(
        people=people,
        sign_ins={who: sign_in(user) for who, user in people.items()},
        members=members,
        keys={
            "session_id": session.pk, "over": over.pk, "draft": draft.pk, "class_id": grade_four.pk,
            "membership_id": place.pk, "student_id": sam.pk, "student_session": members["sam"].pk,
            "takeover": takeover.pk, "code": session.join_code, "form": "csv", "user": alice.pk, "study": study.pk,
            "school": school.pk, "studied": members["sam"].pk, "condition_code": "L1-I1-D",
             "analysis_id": analysis.pk,
            "analysis_request": analysis.request_id, "code_id": code.pk, "request_id": asked.pk, "copy_form": "json",
            **read_aloud(members["sam"]), **wrote(members["tia"]),
            "passage_id": Passage.objects.create(school=school, title="The canal", text="Boats brought coal.").pk,
        },
    )  # fmt: skip


@pytest.fixture
def world(db: None) -> World:
    return make_world()


@contextmanager
def lasting(blocker: DjangoDbBlocker) -> Iterator[None]:
    """What is written within lasts for all tests of a module, each of which undoes its own; then it is undone."""
    outermost = transaction.atomic()
    outermost._from_testcase = True  # as around each test: a durable block may stand within
    with blocker.unblock(), outermost:
        yield
        transaction.set_rollback(True)
