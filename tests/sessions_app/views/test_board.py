"""The board's page, the code for the projector, and each decision on the board."""

import uuid
import xml.etree.ElementTree as ET

import pytest
from django.test import Client

from sessions_app import enrolment, lifecycle, timeline
from sessions_app.models import AttentionCheck, LiveSession, StudentSession, User
from sessions_app.views.board import qr_code
from tests.cast import make_session, story

pytestmark = pytest.mark.django_db

DECISIONS = [
    "start", "end", "groups", "move", "leader", "remove", "let-back", "attention", "condition", "move-on",
    "move-back", f"requests/{uuid.UUID(int=7)}",
]  # fmt: skip


@pytest.fixture
def desk(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def decide(client: Client, session: LiveSession, what: str, /, **fields: object):
    return client.post(f"/teach/sessions/{session.pk}/{what}", fields)


def assert_refused(response, status: int, code: str) -> None:
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["fields"]) == (status, code, None)
    assert error["message"].endswith(".")


def test_the_board_carries_what_its_script_needs(desk: Client, session: LiveSession):
    response = desk.get(f"/teach/sessions/{session.pk}/")
    config = response.context["config"]
    assert config["socket"] == f"/ws/sessions/{session.pk}/teacher/"
    assert config["urls"] == {
        name: f"/teach/sessions/{session.pk}/{path}"
        for name, path in [*((path.replace("-", "_"), path) for path in DECISIONS[:-1]), ("requests", "requests/")]
    }
    assert (response.context["expected"], response.context["join_url"]) == (2, "http://testserver/join/")
    assert config["csrf_token"]


def test_the_board_is_six_queries_however_many_have_joined(
    desk: Client, session: LiveSession, sam_in, tia_in, django_assert_num_queries
):
    with django_assert_num_queries(6):
        desk.get(f"/teach/sessions/{session.pk}/")


def test_the_page_holds_no_name(desk: Client, session: LiveSession, sam_in: StudentSession):
    assert b"Canary" not in desk.get(f"/teach/sessions/{session.pk}/").content


def test_the_code_is_shown_large_while_the_session_is_open(desk: Client, session: LiveSession):
    response = desk.get(f"/teach/sessions/{session.pk}/code/")
    assert session.join_code[:4].encode() in response.content
    assert response.context["qr"].startswith("<svg")
    lifecycle.session_end(session, by=session.teacher)
    assert desk.get(f"/teach/sessions/{session.pk}/code/").url == f"/teach/sessions/{session.pk}/"


def test_a_qr_code_is_plain_svg_for_a_strict_policy():
    drawn = qr_code("https://lyceum.example/join/K7MQ4RXD/")
    root = ET.fromstring(drawn)
    assert (root.tag, "viewBox" in root.attrib, "width" in root.attrib) == ("svg", True, False)
    assert "style" not in drawn


def test_the_teacher_starts_and_ends(desk: Client, session: LiveSession, sam_in: StudentSession):
    assert decide(desk, session, "start").status_code == 204
    assert_refused(decide(desk, session, "start"), 409, "not_possible_now")
    assert decide(desk, session, "end").status_code == 204
    assert_refused(decide(desk, session, "end"), 410, "session_over")
    assert story(session, after=2) == ["started", "ended"]


def test_an_administrator_who_ends_a_session_is_named_as_such(client: Client, ada: User, session: LiveSession):
    client.force_login(ada)
    assert decide(client, session, "end").status_code == 204
    assert timeline.read(session.pk)[-1].data == {"reason": "administrator"}


def test_groups_are_made(desk: Client, session: LiveSession, sam_in: StudentSession):
    assert decide(desk, session, "groups", count="5").status_code == 204
    assert session.groups.count() == 5


@pytest.mark.parametrize("count", ["", "0", "21", "-1", "²", "1e2", "99999999999999999999", "None"])
def test_a_number_of_groups_that_cannot_be_is_refused(desk: Client, session: LiveSession, count: str):
    assert_refused(decide(desk, session, "groups", count=count), 400, "group_count")
    assert session.groups.count() == 2


def test_a_student_is_moved_and_moved_out(desk: Client, session: LiveSession, sam_in: StudentSession):
    second = session.groups.get(number=2)
    assert decide(desk, session, "move", student=sam_in.pk, group=second.pk).status_code == 204
    sam_in.refresh_from_db()
    assert sam_in.group == second
    assert decide(desk, session, "move", student=sam_in.pk, group="").status_code == 204
    sam_in.refresh_from_db()
    assert sam_in.group is None


@pytest.mark.parametrize("stranger", ["", "nonsense", "0190b1f4-0000-7000-8000-000000000000", "\x00"])
def test_a_student_or_group_that_is_not_there_is_refused(
    desk: Client, session: LiveSession, sam_in: StudentSession, stranger: str
):
    for decision in ("move", "leader", "remove", "let-back"):
        assert_refused(decide(desk, session, decision, student=stranger), 404, "no_such_student")
    if stranger:
        assert_refused(decide(desk, session, "move", student=sam_in.pk, group=stranger), 404, "no_such_group")
        assert_refused(decide(desk, session, "attention", student=stranger), 404, "no_such_student")
    assert story(session) == ["configured", "member_join"]


def test_a_student_of_another_session_is_refused(desk: Client, alice, grade_four, session, sam_in):
    other = make_session(alice, grade_four)
    for decision in ("move", "leader", "remove", "attention"):
        assert_refused(decide(desk, other, decision, student=sam_in.pk), 404, "no_such_student")
    assert story(other) == ["configured"]


def test_a_leader_is_chosen(desk: Client, session: LiveSession, sam_in: StudentSession, tia_in: StudentSession):
    decide(desk, session, "move", student=tia_in.pk, group=sam_in.group_id)
    assert decide(desk, session, "leader", student=tia_in.pk).status_code == 204
    assert session.groups.get(number=1).leader == tia_in


def test_a_student_is_taken_out(desk: Client, session: LiveSession, sam_in: StudentSession):
    assert decide(desk, session, "remove", student=sam_in.pk).status_code == 204
    sam_in.refresh_from_db()
    assert sam_in.removed_at is not None


def test_a_student_who_was_taken_out_is_let_back_in(desk: Client, session: LiveSession, sam_in: StudentSession):
    assert_refused(decide(desk, session, "let-back", student=sam_in.pk), 404, "no_such_student")
    decide(desk, session, "remove", student=sam_in.pk)
    assert decide(desk, session, "let-back", student=sam_in.pk).status_code == 204
    sam_in.refresh_from_db()
    assert sam_in.removed_at is None


def test_everybody_or_one_student_is_asked(desk: Client, session: LiveSession, sam_in: StudentSession):
    assert decide(desk, session, "attention").status_code == 204
    assert decide(desk, session, "attention", student=sam_in.pk, text="Sam?").status_code == 204
    assert [(check.student_session, check.text) for check in AttentionCheck.objects.order_by("seq")] == [
        (None, "Are you there? Tap to show that you are."),
        (sam_in, "Sam?"),
    ]


def test_a_new_device_is_let_in_or_not(desk: Client, session: LiveSession, sam, sam_in: StudentSession):
    seat = sam.memberships.get().pk
    yes, no = (enrolment.takeover_request(session, membership=seat, device=device) for device in ("one", "two"))
    assert decide(desk, session, f"requests/{no.pk}", decision="refused").status_code == 204
    assert decide(desk, session, f"requests/{yes.pk}", decision="granted").status_code == 204
    assert_refused(decide(desk, session, f"requests/{yes.pk}", decision="granted"), 409, "no_such_request")
    assert story(session)[-2:] == ["takeover_refused", "takeover_granted"]


def test_a_decision_that_is_neither_yes_nor_no_decides_nothing(desk: Client, session: LiveSession, sam, sam_in):
    asked = enrolment.takeover_request(session, membership=sam.memberships.get().pk)
    for answer in ("", "perhaps", "pending"):
        assert_refused(decide(desk, session, f"requests/{asked.pk}", decision=answer), 409, "no_such_request")
    asked.refresh_from_db()
    assert asked.decision == "pending"


@pytest.mark.parametrize("decision", DECISIONS)
def test_nobody_decides_about_what_is_not_theirs(client: Client, strangers, session, decision: str):
    for user in strangers:
        client.force_login(user)
        assert_refused(decide(client, session, decision), 404, "no_such_session")
    assert story(session) == ["configured"]


@pytest.mark.parametrize("decision", DECISIONS)
def test_whoever_is_not_signed_in_is_told_so(client: Client, session: LiveSession, decision: str):
    assert_refused(decide(client, session, decision), 401, "signed_out")


@pytest.mark.parametrize("decision", DECISIONS)
def test_a_decision_is_posted(desk: Client, session: LiveSession, decision: str):
    assert desk.get(f"/teach/sessions/{session.pk}/{decision}").status_code == 405


def test_a_teacher_of_the_same_class_runs_the_session_too(client: Client, bob: User, grade_four, session: LiveSession):
    grade_four.teachers.add(bob)
    client.force_login(bob)
    assert decide(client, session, "start").status_code == 204


def test_a_decision_from_elsewhere_is_not_taken(session: LiveSession, alice: User):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert decide(strict, session, "start").status_code == 403
    assert story(session) == ["configured"]
