"""The researcher's first page, and the command that prints the same."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from analytics_app.reports.coverage import coverage
from sessions_app.models import Condition, LiveSession, SchoolClass, Study, StudyCondition, User
from tests.cast import join, make_session, make_student

pytestmark = pytest.mark.django_db


@pytest.fixture
def cells(study: Study) -> list[Condition]:
    """Two conditions of the study, with a target of four sessions each."""
    made = [
        Condition.objects.get_or_create(
            code=code, defaults={"location": place, "interval_minutes": "2.5", "intervention_type": arm}
        )[0]
        for code, place, arm in (("L1-I1-S", "on-site", "static"), ("L1-I1-D", "on-site", "dynamic"))
    ]
    for condition in made:
        StudyCondition.objects.create(study=study, condition=condition, target=4)
    return made


def run_with(
    alice: User, grade_four: SchoolClass, study: Study, condition: Condition, labels: list[str]
) -> LiveSession:
    from sessions_app import lifecycle

    session = (
        make_session(alice, grade_four, study=study, condition=condition) if grade_four.memberships.exists() else None
    )
    students = [make_student(grade_four, label) for label in labels]
    session = session or make_session(alice, grade_four, study=study, condition=condition)
    for student in students:
        join(session, student)
    return lifecycle.session_start(session, by=alice)


def test_the_emptiest_condition_is_run_next(alice: User, grade_four: SchoolClass, study: Study, cells: list[Condition]):
    run_with(alice, grade_four, study, cells[0], ["One", "Two"])
    found = coverage(study)
    assert [(cell.code, cell.sessions, cell.next) for cell in found.cells] == [("L1-I1-D", 0, 1), ("L1-I1-S", 2, 2)]
    assert found.total == 2


def test_few_students_are_not_told(alice: User, grade_four: SchoolClass, study: Study, cells: list[Condition]):
    run_with(alice, grade_four, study, cells[0], ["One", "Two"])
    found = coverage(study)
    assert {cell.code: cell.students for cell in found.cells} == {"L1-I1-D": 0, "L1-I1-S": None}
    assert (found.today.students, found.today.sessions) == (None, 2)
    run_with(alice, grade_four, study, cells[0], [f"Student {n}" for n in range(10)])
    assert {cell.code: cell.students for cell in coverage(study).cells}["L1-I1-S"] == 12


def test_simulated_sessions_are_left_out_unless_asked_for(
    alice: User, grade_four: SchoolClass, study: Study, cells: list[Condition]
):
    session = run_with(alice, grade_four, study, cells[0], ["One"])
    session.student_sessions.update(is_simulated=True)
    assert (coverage(study).total, coverage(study, simulated=True).total) == (0, 1)


def test_the_page_shows_the_grid_and_no_names(
    client: Client, rosa: User, alice: User, grade_four: SchoolClass, study: Study, cells: list[Condition]
):
    run_with(alice, grade_four, study, cells[0], ["Canarylabel"])
    client.force_login(rosa)
    answer = client.get(reverse("research_overview"))
    assert answer.context["coverage"]["total"] == 1
    assert [cell["code"] for cell in answer.context["next_cells"]] == ["L1-I1-D", "L1-I1-S"]
    assert "Canary" not in answer.content.decode()


def test_the_page_asks_the_database_a_fixed_number_of_times(
    client: Client, rosa: User, study: Study, cells: list[Condition], django_assert_max_num_queries
):
    client.force_login(rosa)
    with django_assert_max_num_queries(10):
        client.get(reverse("research_overview"))


def test_a_researcher_without_a_study_is_told_how_to_get_one(client: Client, rosa: User):
    client.force_login(rosa)
    assert "No study is granted to you yet" in client.get(reverse("research_overview")).content.decode()


def test_a_study_that_was_not_granted_does_not_exist(client: Client, rosa: User, study: Study):
    other = Study.objects.create(name="Another")
    client.force_login(rosa)
    assert client.get(reverse("research_overview"), {"study": other.pk}).status_code == 404
    assert client.get(reverse("research_overview"), {"study": "nonsense"}).status_code == 404
    assert client.get(reverse("research_overview"), {"study": study.pk}).status_code == 200


def test_teachers_have_no_researchers_page(client: Client, alice: User):
    client.force_login(alice)
    assert client.get(reverse("research_overview")).status_code == 403


def test_the_command_prints_what_the_page_shows(study: Study, cells: list[Condition]):
    out = StringIO()
    call_command("report", "coverage", "--json", stdout=out)
    assert [cell["code"] for cell in json.loads(out.getvalue())["cells"]] == ["L1-I1-D", "L1-I1-S"]
    out = StringIO()
    call_command("report", "dashboard", stdout=out)
    assert "this week" in out.getvalue()
    out = StringIO()
    call_command("report", "coverage", stdout=out)
    assert "run next: 1" in out.getvalue()


@pytest.mark.parametrize("arguments", [["nonsense"], ["coverage", "--study", "Nowhere"]], ids=" ".join)
def test_a_report_that_there_is_not_is_said_with_exit_status_2(study: Study, arguments: list[str]):
    with pytest.raises(CommandError) as refused:
        call_command("report", *arguments)
    assert refused.value.returncode == 2
