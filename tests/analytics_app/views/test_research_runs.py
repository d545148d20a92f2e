"""The researcher's pages of a study with runs, and the command that prints the same."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.plugin import DjangoDbBlocker

from sessions_app.models import School, StudentSession, Study, User
from tests.analytics_app import recorded
from tests.analytics_app.views.test_research import OF_A_STUDY, report, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("research of runs")]  # one study, one worker

ironworks, school, alice, rosa, runs = (
    recorded.ironworks, recorded.school, recorded.alice, recorded.rosa, recorded.runs,
)  # fmt: skip


@pytest.fixture(scope="module")
def written(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Study]:
    """Three runs in each condition; small cells are told from two students on."""
    with recorded.study_with_runs(django_db_blocker, sessions=72, whole=False, cell=2) as study:
        yield study


@pytest.mark.parametrize("page", OF_A_STUDY)
def test_a_page_of_a_study_takes_at_most_fifteen_queries(
    at_desk: Client, runs: list[StudentSession], page: str, django_assert_max_num_queries
):
    with django_assert_max_num_queries(15):
        assert at_desk.get(reverse(page)).status_code == 200


def test_a_condition_and_a_student_take_at_most_fifteen_queries(
    at_desk: Client, runs: list[StudentSession], django_assert_max_num_queries
):
    for address in (
        reverse("research_condition", args=["L1-I1-D"]), reverse("research_student", args=[runs[0].student_id])
    ):  # fmt: skip
        with django_assert_max_num_queries(15):
            assert at_desk.get(address).status_code == 200


@pytest.mark.parametrize("page", OF_A_STUDY)
def test_no_page_shows_a_name_or_a_label(at_desk: Client, runs: list[StudentSession], alice: User, page: str):
    shown = at_desk.get(reverse(page)).content.decode()
    assert "Pupil" not in shown
    assert alice.last_name not in shown


def test_the_overview_shows_coverage_and_what_to_run_next(at_desk: Client, runs: list[StudentSession]):
    context = at_desk.get(reverse("research_overview")).context
    assert context["coverage"]["target"] == 240
    assert 50 < context["coverage"]["analysed"] < 72
    assert len(context["next_cells"]) == 3
    assert context["figure"]["plot"]["data"]


def test_conditions_are_sorted_by_the_column_that_is_asked_for(at_desk: Client, runs: list[StudentSession]):
    def gains(**asked: str) -> list[float]:
        rows = at_desk.get(reverse("research_conditions"), asked).context["rows"]
        return [float(row["gain"]["value"].replace("−", "-")) for row in rows if row["gain"]["value"]]

    assert gains(sort="gain") == sorted(gains(sort="gain"))
    assert gains(sort="gain", down="1") == sorted(gains(sort="gain"), reverse=True)
    codes = [row["code"] for row in at_desk.get(reverse("research_conditions"), {"sort": "x"}).context["rows"]]
    assert codes == sorted(codes)


def test_a_small_condition_is_not_shown(at_desk: Client, runs: list[StudentSession]):
    School.objects.update(small_cell_threshold=10)
    answer = at_desk.get(reverse("research_conditions"))
    assert answer.context["figure"] is None
    assert all(row["hidden"] for row in answer.context["rows"])
    assert "few students: not shown" in text_of(answer)
    assert "few students" in text_of(at_desk.get(reverse("research_condition", args=["L1-I1-D"])))


def test_a_filter_narrows_and_one_that_is_not_understood_says_so(at_desk: Client, runs: list[StudentSession]):
    narrowed = at_desk.get(reverse("research_conditions"), {"place": "home", "arm": "static"})
    assert [row["code"] for row in narrowed.context["rows"]] == ["L4-I1-S", "L4-I2-S", "L4-I3-S"]
    strange = at_desk.get(reverse("research_conditions"), {"place": "the moon", "since": "yesterday"})
    assert len(strange.context["rows"]) == 24
    assert "the moon is not one of the available choices" in text_of(strange)
    assert "Enter a valid date" in text_of(strange)


def test_the_finding_comes_first_with_its_interval(at_desk: Client, runs: list[StudentSession]):
    answer = at_desk.get(reverse("research_interventions"))
    assert re.search(r"(raised scores by|do not differ beyond chance).*95 % CI", text_of(answer))
    assert len(answer.context["checks"]) == 7
    assert "beyond chance" in text_of(at_desk.get(reverse("research_locations"))) or "most apart" in text_of(
        at_desk.get(reverse("research_locations"))
    )


def test_everything_has_how_it_is_computed(at_desk: Client, runs: list[StudentSession]):
    for page in OF_A_STUDY[:4]:
        shown = at_desk.get(reverse(page)).content.decode()
        assert "How is this computed" in shown
        assert "manage.py report" in shown


def test_a_list_is_cut_into_pages_and_keeps_its_filters(at_desk: Client, runs: list[StudentSession]):
    first = at_desk.get(reverse("research_sessions"), {"sort": "gain", "down": "1"})
    assert (len(first.context["page"].object_list), first.context["page"].paginator.num_pages) == (50, 2)
    assert "sort=gain&amp;down=1&amp;page=2" in first.content.decode()
    second = at_desk.get(reverse("research_sessions"), {"sort": "gain", "page": "2"})
    assert len(second.context["page"].object_list) == 22
    done = at_desk.get(reverse("research_sessions"), {"state": "unfinished"})
    assert all(not each.completed for each in done.context["page"].object_list)


def test_the_command_prints_what_the_page_shows(at_desk: Client, runs: list[StudentSession]):
    told = json.loads(report("conditions", "--json"))
    shown = {row["code"]: row for row in at_desk.get(reverse("research_conditions")).context["rows"]}
    for each in told["conditions"]:
        row = shown[each["condition"]["condition_code"]]
        gain = each["learning_outcomes"]["learning_gain"]["mean_absolute_gain"]
        if not row["hidden"]:
            assert row["gain_of_both"]["value"].replace("−", "-") == f"{gain:.1f}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("conditions",), "L1-I1-D"), (("conditions", "--condition", "L1-I1-D"), "Hake"), (("locations",), "Holm"),
        (("interventions",), "baseline held equal"), (("coverage",), "run next: 1"), (("dashboard",), "the week"),
        (("dashboard", "--date", "2026-09-10"), "20 started"), (("conditions", "--location", "home"), "L4-I3-S"),
        (("interventions", "--grades", "9-12", "--interval", "2.50", "--randomised-only"), "Hedges g"),
        (("conditions", "--all-studies"), "All studies"),
    ],
)  # fmt: skip
def test_every_report_is_printed_and_as_json(runs: list[StudentSession], words: tuple, said: str):
    assert said in report(*words)
    assert "as_of" in json.loads(report(*words, "--json"))


def test_a_student_is_found_by_pseudonym_and_by_id(runs: list[StudentSession]):
    student = runs[0].student
    for word in (student.pseudonym, str(student.pk)):
        assert json.loads(report("student", "--student", word, "--json"))["student"]["id"] == str(student.pk)
    assert student.pseudonym in report("student", "--student", student.pseudonym)


def test_a_students_sessions_are_printed_in_the_studys_zone(runs: list[StudentSession]):
    first = StudentSession.objects.filter(student=runs[0].student).earliest("session__started_at").session.started_at
    assert f"{first - timedelta(hours=4):%Y-%m-%d %H:%M}" in report("student", "--student", str(runs[0].student_id))


def test_a_page_and_its_command_agree_on_the_simulated(at_desk: Client, runs: list[StudentSession], ironworks: Study):
    StudentSession.objects.update(is_simulated=True)
    assert at_desk.get(reverse("research_conditions")).context["analysed"] == 0
    asked = at_desk.get(reverse("research_conditions"), {"simulated": "1"})
    assert asked.context["analysed"] > 50
    assert "simulated data" in text_of(asked)
    assert json.loads(report("coverage", "--simulated", "--json"))["analysed"] == asked.context["analysed"]


def test_times_are_those_of_the_studys_zone(at_desk: Client, runs: list[StudentSession]):
    begun = StudentSession.objects.earliest("session__started_at").session.started_at
    shown = text_of(at_desk.get(reverse("research_sessions"), {"sort": "time", "down": "0"}))
    assert (begun - timedelta(hours=4)).strftime("%H:%M") in shown
