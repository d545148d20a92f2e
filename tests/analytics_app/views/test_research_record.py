"""The record of one run as a researcher reads it."""

import json
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.plugin import DjangoDbBlocker

from sessions_app.models import AccessLog, ExchangeScore, StudentSession, Study, User
from tests.analytics_app import recorded
from tests.analytics_app.views.test_research import OF_A_STUDY, text_of
from tests.cast import consent, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("research of a run")]  # one study, one worker

ironworks, school, alice, rosa, runs = (
    recorded.ironworks, recorded.school, recorded.alice, recorded.rosa, recorded.runs,
)  # fmt: skip


@pytest.fixture(scope="module")
def written(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Study]:
    """A run with every record in each condition."""
    with recorded.study_with_runs(django_db_blocker, sessions=24) as study:
        yield study


whole_run = recorded.dynamic


def test_the_record_of_a_run_takes_at_most_twelve_queries(
    at_desk: Client, whole_run: StudentSession, django_assert_max_num_queries
):
    for name in ("research_session", "research_session_export"):
        with django_assert_max_num_queries(12):
            assert at_desk.get(reverse(name, args=[whole_run.pk])).status_code == 200


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


def test_the_record_tells_the_run_from_the_place_to_the_survey(at_desk: Client, whole_run: StudentSession):
    ExchangeScore.objects.update(answer_accuracy=None)
    shown = text_of(at_desk.get(reverse("research_session", args=[whole_run.pk])))
    assert whole_run.student.pseudonym in shown
    for told in (
        "Prior knowledge", "4 m from the site", "What did the works make? (1)", "Intervention 1, after segment 1",
        "Because it drove the wheels.", "Normalized gain", "The wheels.", "Taking part", "L1-I1-D: on site, every 2.5",
        "depth of the answer",
    ):  # fmt: skip
        assert told in shown
    assert "accuracy" not in shown  # which nobody scored
    assert whole_run.label not in shown


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
