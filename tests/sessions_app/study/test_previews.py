"""A preview shows a version as the student's page would, and what is edited at once."""

import pytest
from django.test import Client
from django.urls import reverse

from sessions_app.models import Content, School, User
from sessions_app.study.previews import preview
from tests.study_cast import make_content, make_form, make_question_set, make_survey

pytestmark = pytest.mark.django_db


def test_a_content_is_played_to_its_end():
    found = preview(make_content())
    assert found is not None
    assert (found.step, found.material["total"], found.material["pause_at"]) == ("content", 300, 300)
    assert [segment["title"] for segment in found.material["segments"]] == ["Part 1", "Part 2"]


def test_captions_come_along():
    content = make_content(segments=1)
    content.segments.update(captions="WEBVTT\n\n00:00.000 --> 00:02.000\nThe river.")
    found = preview(content)
    assert found is not None
    assert found.material["segments"][0]["cues"] == [{"from": 0, "until": 2, "text": "The river."}]


def test_what_was_edited_is_seen_at_once():
    form = make_form("final")
    preview(form)
    form.items.filter(number=1).update(text="In better words?")
    found = preview(form)
    assert found is not None
    assert (found.step, found.material["pages"][0]["title"]) == ("final", "In better words?")
    assert "correct" not in str(found.material)


def test_a_question_set_is_seen_pause_by_pause():
    questions = make_question_set()
    first, second, nowhere = (preview(questions, part=part) for part in (0, 2, 9))
    assert first is not None
    assert second is not None
    assert (first.parts, first.part, second.part) == ((1, 2), 1, 2)
    assert second.material["exchanges"][0]["question"] == "Question 2.1?"
    assert len(second.material["later"]) == 2
    assert nowhere == first


def test_a_survey_is_seen_by_block():
    found = preview(make_survey())
    assert found is not None
    assert (found.step, len(found.material["pages"])) == ("survey", 4)


def test_an_empty_version_has_nothing_to_show():
    assert preview(make_content(segments=0)) is None
    assert preview(make_question_set(segments=0)) is None


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


@pytest.mark.parametrize(
    "make", [make_content, make_question_set, make_survey, lambda **more: make_form("final", **more)]
)
def test_administrators_see_it_from_where_they_edit(desk: Client, school: School, make):
    material = make(school=school)
    address = reverse(f"admin:sessions_app_{material._meta.model_name}_preview", args=[material.pk])
    shown = desk.get(address, {"part": "1"})
    assert shown.status_code == 200
    assert "js/preview.js" in shown.content.decode()
    change = desk.get(reverse(f"admin:sessions_app_{material._meta.model_name}_change", args=[material.pk]))
    assert address in change.content.decode()


def test_one_that_is_empty_says_so(desk: Client, school: School):
    content = make_content(segments=0, school=school)
    shown = desk.get(reverse("admin:sessions_app_content_preview", args=[content.pk]), {"part": "x" * 99})
    assert "There is nothing in it yet" in shown.content.decode()


def test_another_schools_is_not_there(desk: Client, other_school: School):
    content = make_content(school=other_school)
    assert desk.get(reverse("admin:sessions_app_content_preview", args=[content.pk])).status_code == 404
    assert Content.objects.exists()
