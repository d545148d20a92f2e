"""What a researcher should know of a run before using it: each finding a flag with its rule.

- `segment_too_fast`: a segment was reached sooner than it can be played (`delivery`).
- `answers_too_fast`: half or more of the answers to a form, or of the answers to the questions along the way, took
  under two seconds each.
- `location_not_verified`: an on-site run whose place is not verified.
- `position_implausible`: a reported position that is no place on Earth, or nobody's way from the one before.
- `clock_off`: the device's clock differs from ours by more than an hour.
- `gap`: more than five minutes between two things that the student did, while the run was under way.
- `straight_lining`: all of four or more ratings of the survey are the same, or all of six or more multiple choices of a
  form are the same option.
- `intervention_abandoned`, `intervention_missing`: an intervention without its three answers; fewer than the condition
  has, in a run that reached the final assessment.
- `questioner_fell_back`: a question by the rules, where the language model was to ask.
- `moved_on`: the teacher moved the student on from a step.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from sessions_app.models import (
    Assessment,
    AssessmentAnswer,
    Assignment,
    Exchange,
    Intervention,
    LocationVerification,
    QualityFlag,
    SegmentDelivery,
    StudentSession,
    SurveyResponse,
)
from sessions_app.models.forms import SURVEY_ATTRIBUTES, AnswerKind
from sessions_app.study import pauses

Code = QualityFlag.Code

TOO_FAST_SECONDS: Final = 2.0
LONGEST_GAP: Final = timedelta(minutes=5)
CLOCK_TOLERANCE: Final = timedelta(hours=1)
LEAST_RATINGS: Final = 4
LEAST_CHOICES: Final = 6
_RATINGS: Final = tuple(a.name for a in SURVEY_ATTRIBUTES.values() if a.kind is AnswerKind.RATING)


def flag_raise(student_session: StudentSession, code: QualityFlag.Code, *, at: datetime, about: str = "") -> None:
    """Raise a flag, once."""
    QualityFlag.objects.bulk_create(
        [QualityFlag(student_session=student_session, code=code, about=about, raised_at=at)], ignore_conflicts=True
    )


def clock_check(student_session: StudentSession, *, client_time: datetime | None, received_at: datetime) -> None:
    """Flag a device whose clock is off. `client_time` is as the device said it, uncorrected."""
    if client_time is not None and abs(client_time - received_at) > CLOCK_TOLERANCE:
        flag_raise(student_session, Code.CLOCK_OFF, at=received_at)


def run_check(student_session: StudentSession, *, at: datetime) -> list[tuple[str, str]]:
    """Look at a whole run and raise what is found: (code, about). Called when the run is over, and again at will."""
    found = list(_findings(student_session))
    QualityFlag.objects.bulk_create(
        (QualityFlag(student_session=student_session, code=code, about=about, raised_at=at) for code, about in found),
        ignore_conflicts=True,
    )
    return found


def _findings(student_session: StudentSession) -> Iterable[tuple[str, str]]:
    assignment = Assignment.objects.select_related("condition").filter(student_session=student_session).first()
    if assignment is None:
        return
    assessments = list(Assessment.objects.filter(student_session=student_session))
    answers = list(
        AssessmentAnswer.objects.filter(assessment__student_session=student_session).select_related("assessment")
    )
    interventions = list(Intervention.objects.filter(student_session=student_session))
    exchanges = list(
        Exchange.objects.filter(intervention__student_session=student_session).select_related("intervention")
    )
    if assignment.location == "on-site":
        verified = LocationVerification.objects.filter(student_session=student_session, outcome="verified")
        if not verified.exists():
            yield Code.LOCATION_NOT_VERIFIED, ""
    for assessment in assessments:
        of_form = [answer for answer in answers if answer.assessment_id == assessment.pk]
        if too_fast([answer.response_seconds for answer in of_form]):
            yield Code.ANSWERS_TOO_FAST, assessment.kind
        choices = [answer.chosen_option for answer in of_form if answer.chosen_option is not None]
        if is_straight(choices, least=LEAST_CHOICES):
            yield Code.STRAIGHT_LINING, assessment.kind
    if too_fast([exchange.response_seconds for exchange in exchanges]):
        yield Code.ANSWERS_TOO_FAST, "interventions"
    for intervention in interventions:
        if intervention.status == Intervention.Status.ABANDONED:
            yield Code.INTERVENTION_ABANDONED, f"intervention {intervention.number}"
    if any(assessment.kind == "final" and assessment.submitted_at for assessment in assessments):
        assert assignment.content is not None
        planned = pauses.pauses(
            list(assignment.content.segments.all()), interval_minutes=float(assignment.condition.interval_minutes)
        )
        if sum(i.status == Intervention.Status.VALIDATED for i in interventions) < len(planned):
            yield Code.INTERVENTION_MISSING, ""
    if any(exchange.fell_back for exchange in exchanges):
        yield Code.QUESTIONER_FELL_BACK, ""
    survey = SurveyResponse.objects.filter(student_session=student_session).first()
    if survey is not None:
        ratings = [getattr(survey, name) for name in _RATINGS if getattr(survey, name) is not None]
        if is_straight(ratings, least=LEAST_RATINGS):
            yield Code.STRAIGHT_LINING, "survey"
    moments = [
        *(answer.answered_at for answer in answers),
        *(exchange.answered_at for exchange in exchanges if exchange.answered_at),
        *(survey.submitted_at for survey in [survey] if survey),
    ]
    playing = SegmentDelivery.objects.filter(delivery__student_session=student_session)
    if gap_in(moments, playing=[(s.started_at, s.ended_at or s.started_at) for s in playing]):
        yield Code.GAP, ""


def too_fast(seconds: Sequence[float | None]) -> bool:
    """Whether half or more of three or more answers took under two seconds."""
    known = [value for value in seconds if value is not None]
    return len(known) >= 3 and 2 * sum(value < TOO_FAST_SECONDS for value in known) >= len(known)


def is_straight(values: Sequence[int], *, least: int) -> bool:
    """Whether there are `least` or more values, and all are the same."""
    return len(values) >= least and len(set(values)) == 1


def gap_in(moments: Iterable[datetime], *, playing: Sequence[tuple[datetime, datetime]] = ()) -> bool:
    """Whether more than five minutes lie between two moments that follow each other, playing not counted."""
    spans = sorted([*((moment, moment) for moment in moments), *playing])
    reached = [spans[0][1]] if spans else []
    for _begin, end in spans[1:]:
        reached.append(max(reached[-1], end))
    return any(
        after[0] - until > LONGEST_GAP for (_before, after), until in zip(pairwise(spans), reached, strict=False)
    )
