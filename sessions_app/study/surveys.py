"""The survey at the end: which questions, in which blocks, and keeping the answers."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from sessions_app.models import Assignment, Preference, StudentSession, SurveyForm, SurveyItem, SurveyResponse
from sessions_app.models.answers import LONGEST_ANSWER
from sessions_app.models.forms import AnswerKind, Block
from sessions_app.refusals import Refused
from sessions_app.study import material
from sessions_app.study.validation import Invalid, validated


def blocks(survey: SurveyForm) -> list[tuple[Block, list[SurveyItem]]]:
    """The questions of a survey by block, in the order of `Block`; blocks without questions are left out."""
    items = list(survey.items.order_by("number"))
    found = [(block, [item for item in items if item.block is block]) for block in Block]
    return [(block, inside) for block, inside in found if inside]


def survey_submit(
    student_session: StudentSession, *, answers: Mapping[str, Any], seconds: float, at: datetime
) -> SurveyResponse:
    """Keep a survey. `answers` are by attribute; `seconds` is how long it was in front of the student.

    Refuses a second one, an answer to what was not asked, and one of the wrong kind; what must be answered must be.
    Called with the student's session held.
    """
    assignment = Assignment.objects.get(student_session=student_session)
    if SurveyResponse.objects.filter(student_session=student_session).exists():
        raise Refused("submitted_already")
    assert assignment.survey_id is not None
    asked = {item.attribute: item for item in material.survey_items(assignment.survey_id)}
    for attribute in answers:
        if attribute not in asked:
            raise Invalid(attribute, _("This was not asked."))
    given = {name: _answer(item, answers.get(name)) for name, item in asked.items()}
    response = SurveyResponse(
        student_session=student_session,
        survey_id=assignment.survey_id,
        started_at=at - timedelta(seconds=max(0.0, seconds)),
        submitted_at=at,
        duration_seconds=max(0.0, seconds),
        **{name: value for name, value in given.items() if value is not None},
    )
    validated(response).save(force_insert=True)
    return response


def _answer(item: SurveyItem, value: Any) -> Any:
    """An answer as it is kept; None where it was left out."""
    if value is None or value == "":
        if item.required:
            raise Invalid(item.attribute, _("This question needs an answer."))
        return None
    match item.kind:
        case AnswerKind.RATING:
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 5:
                raise Invalid(item.attribute, _("Answer from 1 to 5."))
        case AnswerKind.YES_NO:
            if not isinstance(value, bool):
                raise Invalid(item.attribute, _("Answer yes or no."))
        case AnswerKind.PREFERENCE:
            if value not in Preference.values:
                raise Invalid(item.attribute, _("Choose one of the answers."))
        case AnswerKind.TEXT:
            if not isinstance(value, str):
                raise Invalid(item.attribute, _("Answer in words."))
            if len(value) > LONGEST_ANSWER:
                raise Invalid(item.attribute, _("This may have %d characters at most.") % LONGEST_ANSWER)
            return value.strip()
    return value
