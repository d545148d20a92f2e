"""The next version of a material is a copy that can be edited."""

import pytest
from django.utils import timezone

from sessions_app.models import AssessmentForm, Content, Study
from sessions_app.study import versions
from tests.study_cast import make_content, make_form, make_question_set, make_survey

pytestmark = pytest.mark.django_db


def words_of(form: AssessmentForm) -> list[tuple[int, str, list[tuple[str, list[str]]]]]:
    return [(i.number, i.text, [(c.key, c.terms) for c in i.concepts.order_by("id")]) for i in form.items.all()]


def test_a_copy_has_all_parts_and_can_be_edited():
    form = make_form("baseline")
    AssessmentForm.objects.filter(pk=form.pk).update(used_at=timezone.now())
    copy = versions.version_next(AssessmentForm.objects.get(pk=form.pk))
    assert (copy.slug, copy.version, copy.used_at, copy.reference) == (form.slug, 2, None, "iron-baseline-v2")
    assert words_of(copy) == words_of(form)
    copy.items.filter(number=1).update(text="In better words?")
    assert form.items.get(number=1).text != "In better words?"


@pytest.mark.parametrize("make", [make_content, make_question_set, make_survey])
def test_every_kind_is_copied(make):
    whole = make()
    copy = versions.version_next(whole)
    (part, field), *_ = versions.PARTS[type(whole)]
    assert part.objects.filter(**{field: copy}).count() == part.objects.filter(**{field: whole}).count() > 0


def test_versions_count_on_from_the_latest():
    first = make_content()
    second = versions.version_next(first)
    third = versions.version_next(first)
    assert [second.version, third.version] == [2, 3]


def test_which_studies_give_a_version(ironworks: Study):
    assert ironworks.content is not None
    assert versions.studies_using(ironworks.content) == [ironworks]
    assert versions.studies_using(ironworks.final_form) == [ironworks]
    assert versions.studies_using(versions.version_next(ironworks.content)) == []
    assert Content.objects.count() == 2
