"""What a student answered to the forms of a study, as the teacher reads it, and the points that the teacher gives."""

from decimal import Decimal
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from sessions_app.models import AccessLog, Assessment, AssessmentAnswer, SchoolClass, Student, StudentSession, User
from tests.study_cast import study_session, take_part, walk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(alice: User, client: Client) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def run(alice: User, grade_four: SchoolClass, ironworks, sam: Student) -> StudentSession:
    """Sam's, from the assent to the survey."""
    member = take_part(study_session(alice, grade_four, ironworks, condition="L3-I1-S"), sam)
    walk(member)
    return member


def written(run: StudentSession, kind: str = "baseline") -> AssessmentAnswer:
    return AssessmentAnswer.objects.get(assessment__student_session=run, assessment__kind=kind, item__number=4)


def shown(desk: Client, run: StudentSession) -> str:
    return unescape(desk.get(reverse("teach_answers", args=[run.pk])).content.decode())


def test_the_report_leads_to_what_each_student_answered(
    desk: Client, run: StudentSession, django_assert_max_num_queries
):
    with django_assert_max_num_queries(14):
        report = desk.get(reverse("teach_report", args=[run.session_id]))
    [row] = [each["row"] for each in report.context["filled_in"]]
    scores = {each.kind: each.score_percentage for each in run.assessments.all()}
    assert (row.label, row.code, row.baseline, row.final) == ("Sam", "L3-I1-S", scores["baseline"], scores["final"])
    assert reverse("teach_answers", args=[run.pk]) in report.content.decode()
    with django_assert_max_num_queries(7):
        page = shown(desk, run)
    assert "iron</blockquote>" in page and written(run).text in page and "Why here?" in page
    assert AccessLog.objects.filter(action="answers", object_id=run.pk).exists()


def test_a_teachers_points_count_and_go_back(desk: Client, run: StudentSession, alice: User):
    answer = written(run)
    before = Assessment.objects.get(pk=answer.assessment_id).points_earned
    address = reverse("teach_answer_points", args=[run.pk, answer.pk])
    given = Decimal(0) if answer.points_auto else Decimal("0.5")
    there = desk.post(address, {"points": str(given), "note": "Copied."})
    assert there.url.endswith(f"#answer-{answer.pk}")
    answer.refresh_from_db()
    assert (answer.points_override, answer.override_by, answer.override_note) == (given, alice, "Copied.")
    assert Assessment.objects.get(pk=answer.assessment_id).points_earned == before - answer.points_auto + given
    assert "“Copied.”" in shown(desk, run)
    desk.post(address, {"take_back": "1"})
    assert Assessment.objects.get(pk=answer.assessment_id).points_earned == before


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ("", "Say how many points."),
        ("3.5", "between 0 and 3"),
        ("-1", "between 0 and 3"),
        ("many", "Enter a number."),
    ],
)
def test_points_that_cannot_be_given_change_nothing(desk: Client, run: StudentSession, points: str, says: str):
    answer = written(run)
    sent = desk.post(reverse("teach_answer_points", args=[run.pk, answer.pk]), {"points": points}, follow=True)
    told = unescape(sent.content.decode())
    assert says in told and "points_override" not in told
    assert written(run).points_override is None


def test_only_written_answers_of_this_run_take_other_points(desk: Client, run: StudentSession):
    choice = AssessmentAnswer.objects.filter(assessment__student_session=run, item__kind="multiple_choice").first()
    assert desk.post(reverse("teach_answer_points", args=[run.pk, choice.pk]), {"points": "1"}).status_code == 404


def test_before_anything_is_handed_in_the_page_says_so(
    desk: Client, alice: User, grade_four: SchoolClass, ironworks, sam: Student
):
    member = take_part(study_session(alice, grade_four, ironworks, condition="L3-I1-S"), sam)
    assert "Nothing is handed in yet" in shown(desk, member)
    assert desk.get(reverse("teach_report", args=[member.session_id])).context["filled_in"] == []
