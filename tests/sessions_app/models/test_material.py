"""A version that students have met is not changed any more; the database sees to it."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from sessions_app.models import (
    AssessmentForm,
    AssessmentItem,
    Content,
    PredefinedQuestion,
    RubricConcept,
    Segment,
    Study,
    SurveyItem,
)
from tests.study_cast import make_content, make_form, make_question_set, make_survey


@pytest.fixture
def used_content(db: None) -> Content:
    content = make_content()
    Content.objects.filter(pk=content.pk).update(used_at=timezone.now())
    return content


def test_a_version_is_edited_freely_until_it_is_used(db: None):
    content = make_content()
    content.segments.filter(number=1).update(text="Better words.")
    Content.objects.filter(pk=content.pk).update(title="A better title")
    content.segments.get(number=2).delete()
    assert content.segments.get().text == "Better words."


def test_a_used_content_keeps_its_words(used_content: Content):
    with pytest.raises(IntegrityError, match="make the next version"), transaction.atomic():
        Content.objects.filter(pk=used_content.pk).update(title="Another")
    with pytest.raises(IntegrityError), transaction.atomic():
        used_content.segments.update(text="Another")
    with pytest.raises(IntegrityError), transaction.atomic():
        used_content.segments.get(number=2).delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        Segment.objects.create(content=used_content, number=3, title="More", text="…", duration_seconds=60, summary="…")
    with pytest.raises(IntegrityError), transaction.atomic():
        used_content.delete()


def test_a_part_cannot_be_moved_out_of_a_used_version(used_content: Content):
    other = make_content("other", segments=0)
    with pytest.raises(IntegrityError), transaction.atomic():
        used_content.segments.filter(number=1).update(content=other)


@pytest.mark.parametrize("part", [AssessmentItem, RubricConcept])
def test_a_used_form_keeps_its_questions_and_its_rubric(db: None, part: type[AssessmentItem] | type[RubricConcept]):
    form = make_form("baseline")
    AssessmentForm.objects.filter(pk=form.pk).update(used_at=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        part.objects.first().delete()


def test_a_used_question_set_and_survey_keep_their_questions(db: None):
    for material in (make_question_set(), make_survey()):
        type(material).objects.filter(pk=material.pk).update(used_at=timezone.now())
    for part in (PredefinedQuestion, SurveyItem):
        with pytest.raises(IntegrityError), transaction.atomic():
            part.objects.update(text="Another?")


def test_an_unused_version_is_deleted_with_its_parts(db: None):
    make_form("baseline").delete()
    assert not RubricConcept.objects.exists()


def test_a_multiple_choice_has_options_of_which_one_is_right(db: None):
    form = AssessmentForm.objects.create(slug="f", title="F", kind="final", topic="iron")
    for options, right in (([], None), (["one"], 0), (["one", "two"], 2), (["one", "two"], None)):
        with pytest.raises(IntegrityError), transaction.atomic():
            AssessmentItem.objects.create(
                form=form, number=1, kind="multiple_choice", text="?", options=options, correct_option=right
            )


def test_a_study_keeps_the_material_that_it_gives(ironworks: Study):
    assert ironworks.content is not None
    assert ironworks.content.reference == "iron-v1"
    with pytest.raises(IntegrityError):
        ironworks.content.delete()
