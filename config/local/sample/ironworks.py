"""The sample study's material, from `ironworks.toml`: content, both forms, question set, survey, sites."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db import transaction

from sessions_app.models import (
    AssessmentForm,
    AssessmentItem,
    Content,
    PredefinedQuestion,
    QuestionSet,
    RubricConcept,
    School,
    Segment,
    Site,
    Study,
    SurveyForm,
    SurveyItem,
)

SOURCE = Path(__file__).with_suffix(".toml")


@transaction.atomic
def load(study: Study, school: School | None = None) -> Study:
    """Give a study its material, which belongs to `school` (None: to all). What the study has already stays."""
    told = tomllib.loads(SOURCE.read_text(encoding="utf-8"))
    owner = {"school": school}
    study.content = study.content or _content(told["content"], owner)
    study.baseline_form = study.baseline_form or _form("baseline", told, owner)
    study.final_form = study.final_form or _form("final", told, owner)
    study.question_set = study.question_set or _questions(told["questions"], owner)
    study.survey = study.survey or _survey(told["survey"], owner)
    study.save(update_fields=["content", "baseline_form", "final_form", "question_set", "survey"])
    for site in told["sites"]:
        where = {"study": study, "location": site["location"], "name": site["name"]}
        Site.objects.get_or_create(**where, defaults={k: v for k, v in site.items() if k not in where})
    return study


Owner = Mapping[str, School | None]


def _content(told: dict[str, Any], owner: Owner) -> Content:
    segments = told.pop("segments")
    content, made = Content.objects.get_or_create(slug=told["slug"], version=1, defaults={**told, **owner})
    if made:
        Segment.objects.bulk_create(
            Segment(content=content, number=number, **segment | {"text": segment["text"].strip()})
            for number, segment in enumerate(segments, 1)
        )
    return content


def _form(kind: str, told: dict[str, Any], owner: Owner) -> AssessmentForm:
    """A question with options is a multiple choice of 1 point; without, a short answer with its rubric."""
    about = told[kind]
    form, made = AssessmentForm.objects.get_or_create(
        slug=about["slug"],
        version=1,
        defaults={"title": about["title"], "kind": kind, "topic": told["content"]["slug"], **owner},
    )
    if made:
        for number, question in enumerate(about["items"], 1):
            concepts = question.pop("concepts", [])
            sort = "short_answer" if concepts else "multiple_choice"
            item = AssessmentItem.objects.create(form=form, number=number, kind=sort, **question)
            RubricConcept.objects.bulk_create(RubricConcept(item=item, **concept) for concept in concepts)
    return form


def _questions(told: dict[str, Any], owner: Owner) -> QuestionSet:
    questions, made = QuestionSet.objects.get_or_create(
        slug=told["slug"], version=1, defaults={"title": told["title"], **owner}
    )
    if made:
        PredefinedQuestion.objects.bulk_create(
            PredefinedQuestion(question_set=questions, after_segment=segment, number=number, text=text)
            for segment, texts in enumerate(told["sets"], 1)
            for number, text in enumerate(texts, 1)
        )
    return questions


def _survey(told: dict[str, Any], owner: Owner) -> SurveyForm:
    survey, made = SurveyForm.objects.get_or_create(
        slug=told["slug"], version=1, defaults={"title": told["title"], **owner}
    )
    if made:
        SurveyItem.objects.bulk_create(
            SurveyItem(survey=survey, number=number, attribute=attribute, text=text, required=required)
            for number, (attribute, text, required) in enumerate(told["items"], 1)
        )
    return survey
