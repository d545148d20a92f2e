"""The researcher's pages: what they show, to whom, in how many queries; and the command that prints the same."""

import json
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from sessions_app.models import AccessLog, Condition, School, StudentSession, Study, User
from tests.cast import consent, make_user
from tests.seeded import seed_runs

pytestmark = pytest.mark.django_db

OF_A_STUDY = (
    "research_overview", "research_conditions", "research_locations", "research_interventions", "research_sessions",
)  # fmt: skip


@pytest.fixture
def runs(ironworks: Study, school: School, alice: User) -> list[StudentSession]:
    School.objects.filter(pk=school.pk).update(small_cell_threshold=2)
    return seed_runs(ironworks, school, alice, sessions=72, whole=False)


@pytest.fixture
def at_desk(client: Client, rosa: User) -> Client:
    client.force_login(rosa)
    return client


@pytest.fixture
def whole_run(ironworks: Study, school: School, alice: User) -> StudentSession:
    """A run with every record, on site, with dynamic questions."""
    runs = seed_runs(ironworks, school, alice, sessions=24)
    return StudentSession.objects.get(
        pk__in=[run.pk for run in runs], condition__code="L1-I1-D", survey_response__isnull=False
    )


def text_of(answer: object) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


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


def test_the_record_of_a_run_takes_at_most_twelve_queries(
    at_desk: Client, whole_run: StudentSession, django_assert_max_num_queries
):
    for name in ("research_session", "research_session_export"):
        with django_assert_max_num_queries(12):
            assert at_desk.get(reverse(name, args=[whole_run.pk])).status_code == 200


@pytest.mark.parametrize("page", OF_A_STUDY)
def test_a_study_without_a_run_says_what_will_be_here(at_desk: Client, ironworks: Study, page: str):
    answer = at_desk.get(reverse(page))
    assert answer.status_code == 200
    assert "yet" in text_of(answer)


@pytest.mark.parametrize("page", OF_A_STUDY)
def test_a_researcher_without_a_study_is_told_how_to_get_one(client: Client, db: None, page: str):
    client.force_login(make_user("rolf", "researcher", None))
    assert "No study is granted to you yet" in text_of(client.get(reverse(page)))


@pytest.mark.parametrize("page", OF_A_STUDY)
def test_a_study_that_was_not_granted_does_not_exist(at_desk: Client, study: Study, page: str):
    other = Study.objects.create(name="Another")
    assert at_desk.get(reverse(page), {"study": other.pk}).status_code == 404
    assert at_desk.get(reverse(page), {"study": "nonsense"}).status_code == 404
    assert at_desk.get(reverse(page), {"study": study.pk}).status_code == 200


@pytest.mark.parametrize("page", OF_A_STUDY)
def test_no_page_shows_a_name_or_a_label(at_desk: Client, runs: list[StudentSession], alice: User, page: str):
    shown = at_desk.get(reverse(page)).content.decode()
    assert "Pupil" not in shown
    assert alice.last_name not in shown


def test_reading_is_logged(at_desk: Client, rosa: User, whole_run: StudentSession):
    for page in OF_A_STUDY:
        at_desk.get(reverse(page))
    at_desk.get(reverse("research_session", args=[whole_run.pk]))
    at_desk.get(reverse("research_session_export", args=[whole_run.pk]))
    at_desk.get(reverse("research_student", args=[whole_run.student_id]))
    read = set(AccessLog.objects.filter(user=rosa).values_list("action", "object_type"))
    assert read >= {
        ("study coverage", "study"), ("study conditions", "study"), ("study locations", "study"),
        ("study interventions", "study"), ("study sessions", "study"), ("session record", "studentsession"),
        ("session record exported", "studentsession"), ("student over time", "student"),
    }  # fmt: skip
    assert AccessLog.objects.get(action="session record").school_id == whole_run.school_id


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


def test_the_record_tells_the_run_from_the_place_to_the_survey(at_desk: Client, whole_run: StudentSession):
    shown = text_of(at_desk.get(reverse("research_session", args=[whole_run.pk])))
    assert whole_run.student.pseudonym in shown
    for told in (
        "Prior knowledge", "4 m from the site", "What did the works make? (1)", "Intervention 1, after segment 1",
        "Because it drove the wheels.", "Normalized gain", "The wheels.", "Taking part",
    ):  # fmt: skip
        assert told in shown
    assert whole_run.label not in shown


def test_a_record_of_which_there_is_nothing_yet_says_so(
    at_desk: Client, lesson_of_study, sam, study: Study
):  # fmt: skip
    from tests.study_cast import take_part

    member = take_part(lesson_of_study, sam)
    assert "Nothing is recorded yet" in text_of(at_desk.get(reverse("research_session", args=[member.pk])))


def test_the_export_is_the_record_by_pseudonym(at_desk: Client, whole_run: StudentSession):
    answer = at_desk.get(reverse("research_session_export", args=[whole_run.pk]))
    told = json.loads(answer.content)
    assert "one-person-pseudonymous" in answer["Content-Disposition"]
    assert told["session"]["pseudonym"] == whole_run.student.pseudonym
    assert [each["status"] for each in told["interventions"]] == ["validated", "validated"]
    assert len(told["interventions"][0]["exchanges"]) == 3
    assert told["place"]["latitude"] == "37.536"
    assert told["survey"]["blocks"][0]["answers"][0]["attribute"] == "location_impact_rating"
    assert "_label" not in answer.content.decode()
    assert whole_run.label not in answer.content.decode()


def test_a_run_of_another_study_does_not_exist(client: Client, whole_run: StudentSession):
    rolf = make_user("rolf", "researcher", None)
    Study.objects.create(name="Another").researchers.add(rolf)
    client.force_login(rolf)
    for name, key in (
        ("research_session", whole_run.pk), ("research_session_export", whole_run.pk),
        ("research_student", whole_run.student_id),
    ):  # fmt: skip
        assert client.get(reverse(name, args=[key])).status_code == 404


def test_who_withdrew_from_research_is_not_read_any_more(at_desk: Client, whole_run: StudentSession):
    consent(whole_run.student, "research", "withdrawn")
    for name, key in (
        ("research_session", whole_run.pk), ("research_session_export", whole_run.pk),
        ("research_student", whole_run.student_id),
    ):  # fmt: skip
        assert at_desk.get(reverse(name, args=[key])).status_code == 404
    assert all(each.id != whole_run.pk for each in at_desk.get(reverse("research_sessions")).context["page"])


def test_a_condition_that_the_study_does_not_have_does_not_exist(at_desk: Client, ironworks: Study):
    ironworks.cells.filter(condition__code="L1-I1-D").delete()
    assert at_desk.get(reverse("research_condition", args=["L1-I1-D"])).status_code == 404
    assert at_desk.get(reverse("research_condition", args=["L9-I9-X"])).status_code == 404


def report(*words: str) -> str:
    out = StringIO()
    call_command("report", *words, stdout=out)
    return out.getvalue()


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


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"], ["coverage", "--study", "Nowhere"], ["conditions", "--location", "the moon"],
        ["conditions", "--condition", "L9"], ["student"], ["student", "--student", "S-NOBODY"],
        ["conditions", "--interval", "often"], ["coverage", "--all-studies"],
        ["interventions", "--intervention", "both"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_report_that_there_is_not_is_said_with_exit_status_2(ironworks: Study, words: list[str]):
    with pytest.raises(CommandError) as refused:
        call_command("report", *words)
    assert refused.value.returncode == 2


def test_several_studies_are_told_together_unless_one_is_named(ironworks: Study):
    Study.objects.create(name="Another")
    assert "All studies" in report("conditions")
    assert json.loads(report("conditions", "--json"))["sample"]["study"] is None
    with pytest.raises(CommandError, match="one study"):
        call_command("report", "coverage")
    assert "Another" in report("coverage", "--study", "Another")


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


def test_conditions_of_a_study_without_conditions_say_so(at_desk: Client, study: Study):
    assert Condition.objects.exists()
    assert "No condition matches" in text_of(at_desk.get(reverse("research_conditions")))
