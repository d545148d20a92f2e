"""One school with everything in it, another beside it, and everybody who may come to a door."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sessions_app import codes, data_requests, enrolment, learners, lifecycle, tokens
from sessions_app.models import (
    Condition,
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
from tests.cast import consent, join, make_session, make_user

WHO = ("nobody", "sam", "tia", "alice", "bob", "charlie", "rosa", "rolf", "ada", "aron", "root")
"""Nobody has signed in; Sam and Tia hold the ticket of their own run; Alice runs the sessions, Bob teaches at the same
school, Charlie at another; Rosa was granted the study, Rolf another one; Ada administrates the school, Aron the other,
and root the whole installation."""


@dataclass(frozen=True)
class World:
    people: dict[str, User]
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
            client.force_login(self.people[who])
        if who in self.members:
            member = self.members[who]
            client.cookies[enrolment.cookie_name(member.pk)] = enrolment.ticket_sign(member)
        return client


def read_aloud(member: StudentSession) -> dict[str, Any]:
    """Sam's reading, computed, with one mark."""
    consent(member.student, "audio")  # type: ignore[arg-type]
    aloud = Passage.objects.create(school=member.school, title="Aloud", text="Boats brought coal.", words=3)
    reading = Reading.objects.create(
        school=member.school, student_session=member, passage=aloud, settled_at=timezone.now(), position=3
    )
    return {"reading_id": reading.pk, "mark_id": Miscue.objects.create(reading=reading, type="omission", index=1).pk}


@pytest.fixture
def world(
    school: School,
    other_school: School,
    grade_four: SchoolClass,
    sam: Student,
    tia: Student,
    umi: Student,
    alice: User,
    bob: User,
    charlie: User,
    rosa: User,
    ada: User,
    study: Study,
) -> World:
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
    return World(
        people={
            "alice": alice, "bob": bob, "charlie": charlie, "rosa": rosa, "rolf": rolf, "ada": ada, "aron": aron,
            "root": root,
        },
        members=members,
        keys={
            "session_id": session.pk, "over": over.pk, "draft": draft.pk, "class_id": grade_four.pk,
            "membership_id": place.pk, "student_id": sam.pk, "student_session": members["sam"].pk,
            "takeover": takeover.pk, "code": session.join_code, "form": "csv", "user": alice.pk, "study": study.pk,
            "school": school.pk, "studied": members["sam"].pk, "condition_code": "L1-I1-D",
             "analysis_id": analysis.pk,
            "analysis_request": analysis.request_id, "code_id": code.pk, "request_id": asked.pk, "copy_form": "json",
            **read_aloud(members["sam"]),
            "passage_id": Passage.objects.create(school=school, title="The canal", text="Boats brought coal.").pk,
        },
    )  # fmt: skip
