"""Who changed what in the rows that people edit, read from the versions that triggers keep."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pghistory
from django.db.models import Model
from django.utils.functional import Promise

from sessions_app.models import (
    AssessmentAnswer,
    AssessmentAnswerVersion,
    AssessmentForm,
    AssessmentFormVersion,
    AssessmentItem,
    AssessmentItemVersion,
    Code,
    CodeVersion,
    Coding,
    CodingVersion,
    Content,
    ContentVersion,
    LiveSession,
    LiveSessionVersion,
    PredefinedQuestion,
    PredefinedQuestionVersion,
    QuestionSet,
    QuestionSetVersion,
    RubricConcept,
    RubricConceptVersion,
    School,
    SchoolVersion,
    Segment,
    SegmentVersion,
    Site,
    SiteVersion,
    Student,
    StudentVersion,
    Study,
    StudyCondition,
    StudyConditionVersion,
    StudyVersion,
    SurveyForm,
    SurveyFormVersion,
    SurveyItem,
    SurveyItemVersion,
    User,
    UserVersion,
)
from sessions_app.models.history import ABOUT_THE_VERSION

VERSIONS: dict[type[Model], type[Model]] = {
    School: SchoolVersion, User: UserVersion, Student: StudentVersion, LiveSession: LiveSessionVersion,
    Study: StudyVersion, StudyCondition: StudyConditionVersion, Site: SiteVersion,
    Content: ContentVersion, Segment: SegmentVersion, QuestionSet: QuestionSetVersion,
    PredefinedQuestion: PredefinedQuestionVersion, AssessmentForm: AssessmentFormVersion,
    AssessmentItem: AssessmentItemVersion, RubricConcept: RubricConceptVersion, SurveyForm: SurveyFormVersion,
    SurveyItem: SurveyItemVersion, AssessmentAnswer: AssessmentAnswerVersion, Code: CodeVersion, Coding: CodingVersion,
}  # fmt: skip


@contextmanager
def acting(user: User) -> Iterator[None]:
    """The versions that are written inside name `user` as the one who changed the row."""
    with pghistory.context(user=str(user.pk)):
        yield


@dataclass(frozen=True, slots=True)
class Edit:
    """One field before and after."""

    field: str | Promise
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Change:
    """One version against the one before. `by` is None where it was not a person, or one who is gone."""

    at: datetime
    by: User | None
    made: bool
    edits: tuple[Edit, ...]


def changes(row: Model) -> list[Change]:
    """What became of a row, the newest change first; empty for rows of which no versions are kept."""
    version = VERSIONS.get(type(row))
    if version is None:
        return []
    kept: list[Any] = list(version._default_manager.filter(pgh_obj=row.pk).order_by("pgh_id"))
    fields = [f for f in version._meta.concrete_fields if f.name not in (*ABOUT_THE_VERSION, "pgh_context")]
    people = User.objects.in_bulk({v.pgh_context["user"] for v in kept if v.pgh_context})
    found = []
    for before, after in zip([None, *kept], kept, strict=False):
        edits = tuple(
            Edit(f.verbose_name, getattr(before, f.attname), getattr(after, f.attname))
            for f in fields
            if before is not None and getattr(before, f.attname) != getattr(after, f.attname)
        )
        by = {str(k): u for k, u in people.items()}.get(after.pgh_context["user"]) if after.pgh_context else None
        found.append(Change(after.pgh_created_at, by, after.pgh_label == "insert", edits))
    return found[::-1]
