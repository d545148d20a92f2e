"""Names are planted where names belong, and then looked for everywhere else."""

import logging

import pytest
from django.db import connection
from django.test import Client

from analytics_app.rollups import fill
from sessions_app import class_lists, class_members, enrolment, lifecycle
from sessions_app.models import LiveSession, SchoolClass, User
from tests.cast import make_session, make_student

pytestmark = pytest.mark.django_db

CANARIES = ("Zebulon", "Quetzalcoatl")
WHERE_NAMES_BELONG = {
    "sessions_app_student", "sessions_app_studentversion", "sessions_app_classmembership",
    "sessions_app_studentsession",
}  # fmt: skip
"""The student's record with its versions, and the label in a class and in a session."""


def stray() -> dict[str, int]:
    """Tables in which a planted name stands, other than where it belongs, and in how many rows."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table not in WHERE_NAMES_BELONG:
                cursor.execute(
                    f'SELECT count(*) FROM "{table}" AS t WHERE t::text ~* %s',
                    ["|".join(CANARIES)],
                )
                found[table] = cursor.fetchone()[0]
    return {table: rows for table, rows in found.items() if rows}


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything that is logged, also what an operator would ask for when looking for a fault."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("django.db.backends").setLevel(logging.INFO)
    return caplog


@pytest.fixture
def a_class_period(
    heard: pytest.LogCaptureFixture, alice: User, ada: User, grade_four: SchoolClass, client: Client
) -> LiveSession:
    """Everything that is done with students by name: listed, renamed, joined, looked at, taken out, and counted."""
    zebulon = make_student(grade_four, "Zebulon Q.")
    content = b"label,name,consent,consent date\nQuetzalcoatl,Zebulon,yes,2026-09-01\nZebulon Q.,,perhaps,\n"
    class_lists.apply(content, grade_four, by=alice, digest=class_lists.preview(content, grade_four).digest)
    place = zebulon.memberships.get()
    class_members.student_rename(place, label="Zebulon", by=alice)
    session = make_session(alice, grade_four)
    member = enrolment.member_join(session, membership=place.pk)
    lifecycle.session_start(session, by=alice)
    look_at(client, alice, f"classes/{grade_four.pk}/", f"sessions/{session.pk}/", f"students/{zebulon.pk}/", "")
    client.post(f"/teach/classes/{grade_four.pk}/import/", {"text": content.decode()})
    client.post(f"/teach/classes/{grade_four.pk}/", {"label": "Zebulon"})
    look_at(client, ada, "student/?q=Zebulon", f"student/{zebulon.pk}/change/", f"student/{zebulon.pk}/history/")
    enrolment.takeover_request(session, membership=place.pk)
    enrolment.member_remove(session, student_session=member.pk, by=alice)
    lifecycle.session_end(session, by=alice)
    fill.fill_changed()
    return session


def look_at(client: Client, user: User, *pages: str) -> None:
    client.force_login(user)
    below = "/teach/" if user.role == User.Role.TEACHER else "/admin/sessions_app/"
    for page in pages:
        assert client.get(below + page).status_code == 200


def test_a_students_name_stands_where_names_belong_and_nowhere_else(a_class_period: LiveSession):
    assert stray() == {}


def test_the_search_would_find_a_name_in_an_event(a_class_period: LiveSession):
    event = a_class_period.events.last()
    type(event).objects.create(
        session=a_class_period, school=event.school, teacher=event.teacher, seq=10_000, event_type="client_error",
        event_time=event.event_time, payload={"message": "Zebulon"},
    )  # fmt: skip
    assert stray() == {"session_events": 1}


def test_a_students_name_is_in_no_log(heard: pytest.LogCaptureFixture, a_class_period: LiveSession):
    lines = [heard.handler.format(record) for record in heard.get_records("setup")]
    assert any("Bad Request" in line for line in lines)
    assert [line for line in lines if any(canary in line for canary in CANARIES)] == []
