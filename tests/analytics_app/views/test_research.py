"""The researcher's pages and their command where there is nothing to show yet, or not to this one."""

import json
import re
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from sessions_app.models import Condition, Study
from tests.cast import make_user

pytestmark = pytest.mark.django_db

OF_A_STUDY = (
    "research_overview", "research_conditions", "research_locations", "research_interventions", "research_sessions",
)  # fmt: skip


def text_of(answer: object) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


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


def test_a_record_of_which_there_is_nothing_yet_says_so(
    at_desk: Client, lesson_of_study, sam, study: Study
):  # fmt: skip
    from tests.study_cast import take_part

    member = take_part(lesson_of_study, sam)
    assert "Nothing is recorded yet" in text_of(at_desk.get(reverse("research_session", args=[member.pk])))


def test_a_condition_that_the_study_does_not_have_does_not_exist(at_desk: Client, ironworks: Study):
    ironworks.cells.filter(condition__code="L1-I1-D").delete()
    assert at_desk.get(reverse("research_condition", args=["L1-I1-D"])).status_code == 404
    assert at_desk.get(reverse("research_condition", args=["L9-I9-X"])).status_code == 404


def report(*words: str) -> str:
    out = StringIO()
    call_command("report", *words, stdout=out)
    return out.getvalue()


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


def test_conditions_of_a_study_without_conditions_say_so(at_desk: Client, study: Study):
    assert Condition.objects.exists()
    assert "No condition matches" in text_of(at_desk.get(reverse("research_conditions")))
