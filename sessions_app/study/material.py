"""The material that runs were given, read once in a process: the database refuses every change of a used version.

For the versions that an assignment names, and for no others: what nobody was given yet is still edited. What is
returned is shared by all threads, and is not to be changed.
"""

from functools import lru_cache
from typing import Final
from uuid import UUID

from sessions_app.models import AssessmentItem, Content, PredefinedQuestion, Segment, SurveyItem
from sessions_app.study.pauses import Pause, pauses

KEPT: Final = 128  # versions of a kind that a process holds


@lru_cache(KEPT)
def content(pk: UUID) -> Content:
    return Content.objects.get(pk=pk)


@lru_cache(KEPT)
def segments(content: UUID) -> tuple[Segment, ...]:
    """The segments of a content, in order."""
    return tuple(Segment.objects.filter(content=content).select_related("content").order_by("number"))


@lru_cache(KEPT)
def segment(pk: UUID) -> Segment:
    """A segment, with its content."""
    return Segment.objects.select_related("content").get(pk=pk)


@lru_cache(KEPT)
def pauses_of(content: UUID, interval_minutes: float) -> tuple[Pause, ...]:
    """Where a content pauses under an interval, in order."""
    return tuple(pauses(segments(content), interval_minutes=interval_minutes))


@lru_cache(KEPT)
def items(form: UUID) -> tuple[AssessmentItem, ...]:
    """The questions of an assessment form, in order, with the concepts of their rubrics."""
    return tuple(AssessmentItem.objects.filter(form=form).prefetch_related("concepts").order_by("number"))


@lru_cache(KEPT)
def predefined(question_set: UUID) -> tuple[PredefinedQuestion, ...]:
    """The questions of a set, by segment and number."""
    questions = PredefinedQuestion.objects.filter(question_set=question_set).select_related("question_set")
    return tuple(questions.order_by("after_segment", "number"))


@lru_cache(KEPT)
def survey_items(survey: UUID) -> tuple[SurveyItem, ...]:
    """The questions of a survey, in order."""
    return tuple(SurveyItem.objects.filter(survey=survey).order_by("number"))
