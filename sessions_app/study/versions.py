"""Versions of study material: a used one stays as it is, and the next one begins as its copy."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from django.db import models, transaction

from sessions_app.models import (
    AssessmentForm,
    AssessmentItem,
    Content,
    PredefinedQuestion,
    QuestionSet,
    RubricConcept,
    Segment,
    Study,
    SurveyForm,
    SurveyItem,
)
from sessions_app.models.identity import uuid7
from sessions_app.models.material import Material

M = TypeVar("M", bound=Material)

PARTS: Final[Mapping[type[models.Model], tuple[tuple[type[models.Model], str], ...]]] = {
    Content: ((Segment, "content"),),
    QuestionSet: ((PredefinedQuestion, "question_set"),),
    AssessmentForm: ((AssessmentItem, "form"),),
    AssessmentItem: ((RubricConcept, "item"),),
    SurveyForm: ((SurveyItem, "survey"),),
}
"""What a material is made of, and by which field a part points at its whole."""


def version_next(material: M) -> M:
    """A copy of a version with all its parts, under the next free number; nobody has used it, so it can be edited."""
    model = type(material)
    with transaction.atomic():
        # Of two who ask at once, the second waits for the first's version to be there.
        versions = model._default_manager.select_for_update().filter(slug=material.slug)
        latest = max(versions.values_list("version", flat=True))
        copy: M = _copied(material, version=latest + 1, used_at=None)
        _copy_parts(material, copy)
    return copy


def studies_using(material: Material) -> list[Study]:
    """The studies that give a version to the students who begin now."""
    fields = {
        Content: ("content",),
        QuestionSet: ("question_set",),
        AssessmentForm: ("baseline_form", "final_form"),
        SurveyForm: ("survey",),
    }[type(material)]
    wanted = models.Q(*((field, material.pk) for field in fields), _connector=models.Q.OR)
    return list(Study.objects.filter(wanted).order_by("name"))


def _copied(row: Any, **changes: Any) -> Any:
    values = {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if not field.primary_key and field.name not in {"created_at", "updated_at"}
    }
    return type(row)._default_manager.create(**values | changes)


def _copy_parts(whole: models.Model, copy: models.Model) -> None:
    for part, field in PARTS.get(type(whole), ()):
        for row in part._default_manager.filter(**{field: whole}).order_by("pk"):
            _copy_parts(row, _copied(row, id=uuid7(), **{f"{field}_id": copy.pk}))
