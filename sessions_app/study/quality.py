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
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from sessions_app.models import (
    Assessment,
    AssessmentAnswer,
    Assignment,
    Condition,
    Exchange,
    Intervention,
    LocationVerification,
    QualityFlag,
    SegmentDelivery,
    StudentSession,
    SurveyResponse,
)
from sessions_app.models.forms import SURVEY_ATTRIBUTES, AnswerKind
from sessions_app.study import material
from sessions_app.study.pauses import Pause

Code = QualityFlag.Code

TOO_FAST_SECONDS: Final = 2.0
LONGEST_GAP: Final = timedelta(minutes=5)
CLOCK_TOLERANCE: Final = timedelta(hours=1)
LEAST_RATINGS: Final = 4
LEAST_CHOICES: Final = 6
_RATINGS: Final = tuple(a.name for a in SURVEY_ATTRIBUTES.values() if a.kind is AnswerKind.RATING)


def flag_raise(student_session: StudentSession, code: QualityFlag.Code, *, at: datetime, about: str = "") -> None:
    """Raise a flag, once."""
    flags_raise(student_session, [(code, about)], at=at)


def flags_raise(student_session: StudentSession, found: Iterable[tuple[str, str]], *, at: datetime) -> None:
    """Raise each flag of (code, about), once."""
    QualityFlag.objects.bulk_create(
        [QualityFlag(student_session=student_session, code=code, about=about, raised_at=at) for code, about in found],
        ignore_conflicts=True,
    )


def clock_check(student_session: StudentSession, *, client_time: datetime | None, received_at: datetime) -> None:
    """Flag a device whose clock is off. `client_time` is as the device said it, uncorrected."""
    if client_time is not None and abs(client_time - received_at) > CLOCK_TOLERANCE:
        flag_raise(student_session, Code.CLOCK_OFF, at=received_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The records of a run that findings are made of. `planned` is how many interventions the condition has."""

    location: str
    planned: int
    verification: LocationVerification | None
    assessments: Sequence[Assessment]
    answers: Sequence[AssessmentAnswer]
    interventions: Sequence[Intervention]
    exchanges: Sequence[Exchange]
    segments: Sequence[SegmentDelivery]
    survey: SurveyResponse | None


def run_check(student_session: StudentSession, *, at: datetime) -> list[tuple[str, str]]:
    """Look at a whole run and raise what is found: (code, about). Called when the run is over, and again at will."""
    run = _run(student_session)
    found = findings(run) if run else []
    flags_raise(student_session, found, at=at)
    return found


def findings(run: Run) -> list[tuple[str, str]]:
    """What the records of a run show, as (code, about)."""
    return [found for look in (_place, _forms, _dialogue, _survey, _gap) for found in look(run)]


_Found = Iterable[tuple[str, str]]


def _place(run: Run) -> _Found:
    verified = run.verification is not None and run.verification.outcome == LocationVerification.Outcome.VERIFIED
    if run.location == Condition.Location.ON_SITE and not verified:
        yield Code.LOCATION_NOT_VERIFIED, ""


def _forms(run: Run) -> _Found:
    for assessment in run.assessments:
        answers = [answer for answer in run.answers if answer.assessment_id == assessment.pk]
        if too_fast([answer.response_seconds for answer in answers]):
            yield Code.ANSWERS_TOO_FAST, assessment.kind
        choices = [answer.chosen_option for answer in answers if answer.chosen_option is not None]
        if is_straight(choices, least=LEAST_CHOICES):
            yield Code.STRAIGHT_LINING, assessment.kind


def _dialogue(run: Run) -> _Found:
    if too_fast([exchange.response_seconds for exchange in run.exchanges]):
        yield Code.ANSWERS_TOO_FAST, "interventions"
    for intervention in run.interventions:
        if intervention.status == Intervention.Status.ABANDONED:
            yield Code.INTERVENTION_ABANDONED, f"intervention {intervention.number}"
    handed_in = any(assessment.kind == "final" and assessment.submitted_at for assessment in run.assessments)
    if handed_in and sum(i.status == Intervention.Status.VALIDATED for i in run.interventions) < run.planned:
        yield Code.INTERVENTION_MISSING, ""
    if any(exchange.fell_back for exchange in run.exchanges):
        yield Code.QUESTIONER_FELL_BACK, ""


def _survey(run: Run) -> _Found:
    if run.survey is None:
        return
    ratings = [getattr(run.survey, name) for name in _RATINGS]
    if is_straight([rating for rating in ratings if rating is not None], least=LEAST_RATINGS):
        yield Code.STRAIGHT_LINING, "survey"


def _gap(run: Run) -> _Found:
    moments = [
        *(answer.answered_at for answer in run.answers),
        *(exchange.answered_at for exchange in run.exchanges if exchange.answered_at),
        *([run.survey.submitted_at] if run.survey else []),
    ]
    if gap_in(moments, playing=[(s.started_at, s.ended_at or s.started_at) for s in run.segments]):
        yield Code.GAP, ""


def _run(student_session: StudentSession) -> Run | None:
    of_run = {"student_session": student_session}
    assignment = Assignment.objects.select_related("condition").filter(**of_run).first()
    if assignment is None:
        return None
    planned: Sequence[Pause] = ()
    if assignment.content_id is not None:
        planned = material.pauses_of(assignment.content_id, float(assignment.condition.interval_minutes))
    return Run(
        location=assignment.location,
        planned=len(planned),
        verification=LocationVerification.objects.filter(**of_run).first(),
        assessments=list(Assessment.objects.filter(**of_run)),
        answers=list(AssessmentAnswer.objects.filter(assessment__student_session=student_session)),
        interventions=list(Intervention.objects.filter(**of_run)),
        exchanges=list(Exchange.objects.filter(intervention__student_session=student_session)),
        segments=list(SegmentDelivery.objects.filter(delivery__student_session=student_session)),
        survey=SurveyResponse.objects.filter(**of_run).first(),
    )


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
