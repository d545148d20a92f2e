"""The teacher's home, the report of a session, and one student over time."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sessions_app import attention, events, lifecycle
from sessions_app.models import AccessLog, LiveSession, SchoolClass, Student, StudentSession, User
from tests.analytics_app.lesson import Lesson
from tests.cast import join, make_session, make_student

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(alice: User, client: Client) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def lesson(alice: User, grade_four: SchoolClass, sam: Student, tia: Student) -> Lesson:
    """Sam is there for the whole half hour and asks for help twice; Tia leaves the page, and the connection, early."""
    lesson = Lesson(alice, grade_four, groups=1)
    first, second = lesson.join(sam, -5, group=1), lesson.join(tia, -4, group=1)
    lesson.connect(first, -4)
    lesson.start(0)
    lesson.say(events.Ready(), 1, first)
    lesson.connect(second, 0, until=8)
    lesson.say(events.Presence(visible=False), 2, second)
    lesson.say(events.Presence(visible=True), 4, second)
    lesson.say(events.HelpRequest(), 10, first)
    lesson.say(events.HelpRequest(), 20, first)
    lesson.say(events.ClientError(where="=HYPERLINK(1)", message="x"), 21, first)
    lesson.say(events.Latency(rtt_ms=20), 30, first)
    lesson.end(30)
    return lesson


def test_a_teacher_without_sessions_sees_what_will_be_here(desk: Client):
    page = desk.get(reverse("teach_home")).content.decode()
    assert "No session is running" in page
    assert "Nobody needs a look" in page


def test_the_home_shows_what_runs_what_comes_and_who_needs_a_look(
    desk: Client, alice: User, grade_four: SchoolClass, started: LiveSession, sam_in: StudentSession
):
    make_session(alice, grade_four, title="Water and power")
    LiveSession.objects.create(school=alice.school, teacher=alice, title="", activity="reading")
    context = desk.get(reverse("teach_home")).context
    assert [(item["session"], item["here"], item["expected"]) for item in context["live"]] == [(started, 0, 1)]
    assert [item["session"].title for item in context["upcoming"]] == ["Water and power"]
    assert [item["missing"] for item in context["drafts"]] == ["no title yet"]
    assert [stat["label"] for stat in context["stats"]][:2] == ["Students active", "Sessions completed"]
    assert context["stats"][0]["value"] == "1"


def test_the_home_asks_as_much_of_the_database_for_many_students_as_for_few(
    desk: Client, started: LiveSession, grade_four: SchoolClass, django_assert_max_num_queries
):
    join(started, make_student(grade_four, "First"))
    with django_assert_max_num_queries(32) as few:
        desk.get(reverse("teach_home"))
    for number in range(6):
        join(started, make_student(grade_four, f"Student {number}"))
    with django_assert_max_num_queries(len(few)):
        desk.get(reverse("teach_home"))


def test_what_runs_is_asked_for_by_itself_with_the_queries_of_its_boards(
    desk: Client, started: LiveSession, grade_four: SchoolClass, django_assert_max_num_queries
):
    join(started, make_student(grade_four, "First"))
    with django_assert_max_num_queries(12) as few:
        part = desk.get(reverse("teach_live_now"))
    assert [(item["session"], item["here"], item["expected"]) for item in part.context["live"]] == [(started, 0, 1)]
    assert "1 session running" in part.content.decode()
    assert "<html" not in part.content.decode()
    for number in range(6):
        join(started, make_student(grade_four, f"Student {number}"))
    with django_assert_max_num_queries(len(few)):
        desk.get(reverse("teach_live_now"))
    lifecycle.session_end(started, by=started.teacher)
    assert "No session is running" in desk.get(reverse("teach_live_now")).content.decode()


def test_a_part_of_a_page_whose_reader_has_signed_out_sends_the_page_to_the_sign_in(client: Client):
    asked = {"HX-Request": "true", "HX-Current-URL": "http://testserver/teach/"}
    assert (
        client.get(reverse("teach_live_now"), headers=asked).headers["HX-Redirect"] == "/accounts/login/?next=/teach/"
    )


def test_who_asked_twice_for_help_or_did_nothing_needs_a_look(desk: Client, lesson: Lesson):
    now = timezone.now()
    LiveSession.objects.filter(pk=lesson.session.pk).update(
        configured_at=now - timedelta(hours=2),
        started_at=now - timedelta(hours=1),
        ended_at=now - timedelta(minutes=30),
    )
    look = desk.get(reverse("teach_home")).context["look"]
    assert [(item.label, item.kind) for item in look] == [("Sam", "act"), ("Tia", "watch")]
    assert look[1].because == "contributed nothing"


def test_the_report_tells_who_was_there_and_what_they_did(desk: Client, lesson: Lesson, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        context = desk.get(reverse("teach_report", args=[lesson.session.pk])).context
    rows = {row["label"]: row for row in context["students"]}
    assert (round(rows["Sam"]["minutes"]), round(rows["Sam"]["share"]), rows["Sam"]["help"]) == (30, 100, 2)
    assert (round(rows["Tia"]["minutes"]), rows["Tia"]["drops"], rows["Tia"]["page_left"]) == (8, 1, 1)
    assert context["story"][0] == "2 students joined; the session lasted 30 minutes."
    assert "Sam asked for help" in context["story"][2]


def test_the_figure_has_the_numbers_of_its_table(desk: Client, lesson: Lesson):
    figure = desk.get(reverse("teach_report", args=[lesson.session.pk])).context["figure"]
    helped = next(trace for trace in figure["plot"]["data"] if trace.get("name") == "asked for help")
    column = [entry["label"] for entry in figure["table"]["columns"]].index("asked for help")
    assert len(helped["x"]) == sum(row[column] for row in figure["table"]["rows"]) == 2
    left = next(trace for trace in figure["plot"]["data"] if trace["name"] == "page left")
    assert [label for label in left["y"] if label] == ["Tia", "Tia"]


def test_every_kind_of_event_is_a_sentence(desk: Client, alice: User, started: LiveSession, sam_in: StudentSession):
    attention.attention_ask(started, by=alice, text="Are you there?")
    lifecycle.session_end(started, by=alice)
    page = desk.get(reverse("teach_report", args=[started.pk])).content.decode()
    for sentence in ("Session set up with 2 groups", "joined", "Session started", "Are you there?", "Session ended"):
        assert sentence in page


def test_a_session_that_was_not_started_has_its_board_instead(desk: Client, session: LiveSession):
    assert desk.get(reverse("teach_report", args=[session.pk])).url == reverse("teach_session", args=[session.pk])


def test_the_timeline_as_csv_guards_formulas_and_says_that_it_is_identifiable(desk: Client, lesson: Lesson):
    answer = desk.get(reverse("teach_report_export", args=[lesson.session.pk, "csv"]))
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert "identifiable.csv" in answer["Content-Disposition"]
    assert [int(row["seq"]) for row in rows] == list(range(1, len(rows) + 1))
    assert {row["label"] for row in rows} == {"", "Sam", "Tia"}
    assert not any(cell[:1] in "=+-@" for row in rows for cell in row.values() if cell and not cell.isdigit())


def test_the_timeline_as_json_lines_has_every_event(desk: Client, lesson: Lesson):
    answer = desk.get(reverse("teach_report_export", args=[lesson.session.pk, "jsonl"]))
    lines = [json.loads(line) for line in answer.content.decode().splitlines()]
    assert [line["event"] for line in lines if line["label"] == "Sam"].count("help_request") == 2
    assert AccessLog.objects.filter(action="session export jsonl", object_id=lesson.session.pk).exists()


def test_one_student_over_time(desk: Client, lesson: Lesson, sam: Student, alice: User, grade_four: SchoolClass):
    again = Lesson(alice, grade_four, configured=50)
    member = again.join(sam, 52)
    again.start(60)
    again.connect(member, 60)
    again.say(events.Latency(rtt_ms=20), 75, member)
    again.end(90)
    context = desk.get(reverse("teach_student", args=[sam.pk])).context
    assert [each["session"] for each in context["sessions"]] == [again.session, lesson.session]
    assert [round(each["share"]) for each in context["sessions"]] == [50, 100]
    assert [row[3] for row in context["figure"]["table"]["rows"]] == ["100 %", "50 %"]
    assert [consent["decision"] for consent in context["consents"]] == ["granted"]


def test_what_is_not_a_teachers_does_not_exist_for_them(
    client: Client, lesson: Lesson, sam: Student, bob: User, charlie: User
):
    for stranger in (bob, charlie):
        client.force_login(stranger)
        for address in (
            reverse("teach_report", args=[lesson.session.pk]),
            reverse("teach_report_export", args=[lesson.session.pk, "csv"]),
            reverse("teach_student", args=[sam.pk]),
        ):
            assert client.get(address).status_code == 404


def test_the_home_is_for_teachers(client: Client, rosa: User):
    client.force_login(rosa)
    assert client.get(reverse("teach_home")).status_code == 403
