"""The named cast: Alice teaches, Bob teaches at the same school, Charlie at another; Rosa researches, Ada
administrates; Sam and Tia are students in Alice's class, Umi in Charlie's."""

from datetime import UTC, datetime

import pytest

from sessions_app import enrolment, lifecycle, timeline
from sessions_app.models import (
    ClassMembership,
    Consent,
    LiveSession,
    Passage,
    School,
    SchoolClass,
    Student,
    StudentSession,
    Study,
    User,
)

TIME_ZERO = datetime(2026, 10, 20, 14, 0, tzinfo=UTC)
PASSWORD = "a long enough passphrase"


def make_user(username: str, role: str, school: School | None, **more: object) -> User:
    return User.objects.create_user(username, f"{username}@school.example", PASSWORD, role=role, school=school, **more)


def make_student(school_class: SchoolClass, label: str, *, consented: bool = True, **more: object) -> Student:
    student = Student.objects.create(school=school_class.school, label=label, name=f"{label} Canary-Name", **more)
    ClassMembership.objects.create(school_class=school_class, student=student, label=label)
    if consented:
        consent(student)
    return student


def consent(
    student: Student, purpose: str = "participation", decision: str = "granted", given_by: str = "guardian"
) -> Consent:
    return Consent.objects.create(
        student=student, purpose=purpose, decision=decision, given_by=given_by, version="2026-1", how_obtained="paper"
    )


def make_session(teacher: User, school_class: SchoolClass, *, groups: int = 2, **more: object) -> LiveSession:
    """A configured session: its code works."""
    fields = {"title": "The Ironworks", "activity": "socratic"} | more
    if fields["activity"] != "socratic" and "passage" not in fields:
        fields["passage"] = Passage.objects.create(school=teacher.school, title="Boats", text="Boats come.")
    draft = LiveSession.objects.create(school=teacher.school, teacher=teacher, school_class=school_class, **fields)
    return lifecycle.session_configure(draft, groups=groups)


def join(session: LiveSession, student: Student) -> StudentSession:
    membership = ClassMembership.objects.get(school_class=session.school_class, student=student)
    return enrolment.member_join(session, membership=membership.pk)


def story(session: LiveSession, *, after: int = 0) -> list[str]:
    """What happened in a session, in order: the kinds of its events."""
    return [event.event for event in timeline.read(session.pk, after=after)]


@pytest.fixture
def school(db: None) -> School:
    return School.objects.create(name="Shockoe Hill School", time_zone="America/New_York")


@pytest.fixture
def other_school(db: None) -> School:
    return School.objects.create(name="Elsewhere School", time_zone="Europe/Madrid")


@pytest.fixture
def alice(school: School) -> User:
    return make_user("alice", "teacher", school, first_name="Alice", last_name="Adeyemi")


@pytest.fixture
def bob(school: School) -> User:
    return make_user("bob", "teacher", school)


@pytest.fixture
def charlie(other_school: School) -> User:
    return make_user("charlie", "teacher", other_school)


@pytest.fixture
def rosa(db: None) -> User:
    return make_user("rosa", "researcher", None)


@pytest.fixture
def strangers(bob: User, charlie: User, rosa: User) -> list[User]:
    """Those to whom a session of Alice's does not exist."""
    return [bob, charlie, rosa]


@pytest.fixture
def ada(school: School) -> User:
    return make_user("ada", "administrator", school, is_staff=True)


@pytest.fixture
def grade_four(school: School, alice: User) -> SchoolClass:
    school_class = SchoolClass.objects.create(school=school, name="Grade 4 B")
    school_class.teachers.add(alice)
    return school_class


@pytest.fixture
def class_elsewhere(other_school: School, charlie: User) -> SchoolClass:
    school_class = SchoolClass.objects.create(school=other_school, name="Grade 4 B")
    school_class.teachers.add(charlie)
    return school_class


@pytest.fixture
def sam(grade_four: SchoolClass) -> Student:
    return make_student(grade_four, "Sam", grade=4, age=10)


@pytest.fixture
def tia(grade_four: SchoolClass) -> Student:
    return make_student(grade_four, "Tia", grade=4, age=9)


@pytest.fixture
def umi(class_elsewhere: SchoolClass) -> Student:
    return make_student(class_elsewhere, "Umi", grade=4)


@pytest.fixture
def study(school: School, rosa: User) -> Study:
    study = Study.objects.create(name="Ironworks 2026", planned_n=240)
    study.schools.add(school)
    study.researchers.add(rosa)
    return study


@pytest.fixture
def session(alice: User, grade_four: SchoolClass, sam: Student, tia: Student) -> LiveSession:
    """Alice's configured session with two groups; Sam and Tia are on its list."""
    return make_session(alice, grade_four)


@pytest.fixture
def started(session: LiveSession, alice: User) -> LiveSession:
    return lifecycle.session_start(session, by=alice)


@pytest.fixture
def sam_in(session: LiveSession, sam: Student) -> StudentSession:
    return join(session, sam)


@pytest.fixture
def tia_in(session: LiveSession, tia: Student) -> StudentSession:
    return join(session, tia)
