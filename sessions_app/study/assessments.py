"""Assessments: keeping answers one by one, scoring on submission, a teacher's override, results and gains.

An answer takes the place of the one before it until the form is handed in. On submission everything is scored by the
rules, in the same transaction; a language model, where one is configured, looks again afterwards (`answers_rescore`).
What was not answered earns nothing. A teacher's points stand beside the scorer's, and count.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import fmean
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from sessions_app.models import Assessment, AssessmentAnswer, AssessmentItem, Assignment, StudentSession, User
from sessions_app.models.answers import LONGEST_ANSWER
from sessions_app.refusals import Refused
from sessions_app.study import gains, material, scorer
from sessions_app.study.rubric import RubricRules, Scored
from sessions_app.study.validation import Invalid, all_validated, validated

log = logging.getLogger(__name__)

Kind = AssessmentItem.Kind
_RULES: Final = RubricRules()


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it came: the option (from 0) or the text, and how long the question was in front."""

    item_id: UUID
    answer: int | str
    seconds: float = 0.0


def answer_keep(student_session: StudentSession, *, kind: str, given: Given, at: datetime) -> AssessmentAnswer:
    """Keep one answer until the form is handed in. Called with the student's session held.

    Refuses an answer after the submission, to a question of another form, and of another sort than is asked.
    """
    assessment = _assessment(student_session, kind, at=at - timedelta(seconds=given.seconds))
    return _keep(assessment, given, at=at)


def answer_take_back(student_session: StudentSession, *, kind: str, item_id: UUID) -> AssessmentItem:
    """The student does not answer a question after all: nothing is kept of it. Called with the student's session held.

    Refuses after the submission, and for a question of another form.
    """
    assignment = _assignment(student_session)
    if Assessment.objects.filter(student_session=student_session, kind=kind, submitted_at__isnull=False).exists():
        raise Refused("submitted_already")
    item = _item(_form_id(assignment, kind), item_id)
    AssessmentAnswer.objects.filter(
        assessment__student_session=student_session, assessment__kind=kind, item=item
    ).delete()
    return item


def assessment_submit(
    student_session: StudentSession, *, kind: str, answers: Sequence[Given], at: datetime
) -> Assessment:
    """Hand a form in: `answers` are kept first, then all are scored. Called with the student's session held."""
    seconds = sum(given.seconds for given in answers)
    assessment = _assessment(student_session, kind, at=at - timedelta(seconds=seconds))
    items = material.items(assessment.form_id)
    asked = {item.pk: item for item in items}
    kept = {answer.item_id: answer for answer in AssessmentAnswer.objects.filter(assessment=assessment)}
    for given in answers:
        if given.item_id not in asked:
            raise Refused("no_such_question")
        item = asked[given.item_id]
        answer = kept.setdefault(item.pk, AssessmentAnswer(assessment=assessment, item=item))
        _fill(answer, item, given, at=at)
    for pk, answer in kept.items():
        answer_score(answer, asked[pk])
    all_validated(kept.values())
    AssessmentAnswer.objects.bulk_create(
        kept.values(),
        update_conflicts=True,
        unique_fields=["assessment", "item"],
        update_fields=[*_GIVEN, *_SCORED],
    )
    assessment.submitted_at = max(at, assessment.started_at)
    assessment.duration_seconds = (assessment.submitted_at - assessment.started_at).total_seconds()
    results_write(assessment, items, list(kept.values()))
    gains_write(assessment, _other(assessment))
    validated(assessment).save()
    return assessment


_GIVEN: Final = ("chosen_option", "text", "answered_at", "response_seconds", "points_possible")
_SCORED: Final = ("is_correct", "points_auto", "scorer", "scorer_version", "fell_back", "breakdown", "feedback")


def answer_score(answer: AssessmentAnswer, item: AssessmentItem) -> None:
    """Score an answer by the rules; nothing is saved here."""
    if item.kind == Kind.MULTIPLE_CHOICE:
        answer.is_correct = answer.chosen_option == item.correct_option
        answer.points_auto = item.points if answer.is_correct else Decimal()
        answer.scorer, answer.scorer_version = "key", "1"
        return
    concepts = scorer.concepts_of(item)
    _take(answer, _RULES.score(question=item.text, answer=answer.text or "", concepts=concepts, points=item.points))


def _take(answer: AssessmentAnswer, scored: Scored) -> None:
    answer.points_auto = scored.points
    answer.is_correct = scored.points >= answer.points_possible
    answer.scorer, answer.scorer_version = scored.scorer, scored.version
    answer.fell_back = scored.fell_back
    answer.breakdown = {key: float(credit) for key, credit in scored.breakdown.items()}
    answer.feedback = scored.feedback


def results_write(assessment: Assessment, items: Iterable[AssessmentItem], answers: Iterable[AssessmentAnswer]) -> None:
    """The results of a form from its answers; nothing is saved here.

    Right is a multiple choice with the right option, and a short answer with all its points.
    """
    possible = {Kind.MULTIPLE_CHOICE: Decimal(), Kind.SHORT_ANSWER: Decimal()}
    earned = dict(possible)
    by_item = {answer.item_id: answer for answer in answers}
    questions = correct = 0
    for item in items:
        questions += 1
        possible[Kind(item.kind)] += item.points
        answer = by_item.get(item.pk)
        if answer is None:
            continue
        points = answer.points_auto if answer.points_override is None else answer.points_override
        earned[Kind(item.kind)] += points or 0
        correct += points is not None and points >= item.points
    total, points_earned = sum(possible.values(), Decimal()), sum(earned.values(), Decimal())
    assessment.total_questions = questions
    assessment.questions_answered = len(by_item)
    assessment.correct_answers = correct
    assessment.total_points = total
    assessment.points_earned = points_earned
    assessment.score_percentage = float(100 * points_earned / total) if total else 0.0
    assessment.multiple_choice_possible = possible[Kind.MULTIPLE_CHOICE]
    assessment.multiple_choice_score = earned[Kind.MULTIPLE_CHOICE]
    assessment.short_answer_possible = possible[Kind.SHORT_ANSWER]
    assessment.short_answer_score = earned[Kind.SHORT_ANSWER]
    seconds = [answer.response_seconds for answer in by_item.values() if answer.response_seconds is not None]
    assessment.average_response_seconds = fmean(seconds) if seconds else None
    assessment.grading_method = grading_method(by_item.values())


def grading_method(answers: Iterable[AssessmentAnswer]) -> str:
    """Who graded, in the mirror's words, of which a comparison never mixes two."""
    by_hand = any(answer.points_override is not None for answer in answers)
    scorers = {answer.scorer for answer in answers}
    method = "automated_with_ai" if "bedrock" in scorers else "automated_by_rules"
    return f"{method}_and_teacher" if by_hand else method


def gains_write(assessment: Assessment, other: Assessment | None) -> None:
    """The gains of a final assessment against its baseline; nothing is saved here."""
    if assessment.kind != "final":
        return
    found = gains.gains(
        other.score_percentage if other else None,
        assessment.score_percentage,
        same_maximum=other is not None and other.total_points == assessment.total_points,
    )
    assessment.absolute_gain = found.absolute.value
    assessment.relative_gain = found.relative.value
    assessment.normalized_gain = found.normalized.value


def answer_override(
    answer: AssessmentAnswer, *, points: Decimal | None, by: User, note: str, at: datetime
) -> Assessment:
    """A teacher gives an answer other points, or (None) takes that back; results and gains follow.

    The scorer's points stay. Refuses points beyond the question's, and a form that was not handed in.
    """
    with transaction.atomic():
        assessment, other = _both_held(answer.assessment_id)
        if assessment.submitted_at is None:
            raise Refused("not_possible_now")
        if points is not None and not 0 <= points <= answer.points_possible:
            raise Invalid("points_override", _("Give between 0 and %s points.") % answer.points_possible)
        answer.points_override = points
        answer.override_by = by if points is not None else None
        answer.override_note = note.strip()[:300] if points is not None else ""
        answer.overridden_at = at if points is not None else None
        validated(answer).save(update_fields=["points_override", "override_by", "override_note", "overridden_at"])
        _results_again(assessment, other)
    return assessment


def answers_rescore(assessment_id: UUID) -> int:
    """Let the language model look at the short answers of a submission; how many it scored.

    Asks outside of any transaction, and does nothing where the rules are the configured scorer or a model scored
    already. Where the model gives nothing usable the rules' score stands, and `fell_back` says why.
    """
    assessment = Assessment.objects.select_related("student_session").get(pk=assessment_id)
    model = _model_scorer(assessment.student_session.school_id)
    if model is None or assessment.submitted_at is None:
        return 0
    waiting = AssessmentAnswer.objects.filter(assessment=assessment, item__kind=Kind.SHORT_ANSWER, scorer="rules")
    judged: dict[UUID, Scored | str] = {}
    for answer in waiting.select_related("item").prefetch_related("item__concepts"):
        item = answer.item
        try:
            judged[answer.pk] = model.score(
                question=item.text, answer=answer.text or "", concepts=scorer.concepts_of(item), points=item.points
            )
        except scorer.NoScore as without:
            judged[answer.pk] = without.reason
            log.info("the short answer %s keeps the score of the rules: %s", answer.pk, without.reason)
    return _take_all(assessment_id, judged)


def _model_scorer(school_id: UUID | None) -> scorer.Scorer | None:
    """The scorer that has a second look after the submission; None where the rules are the configured scorer."""
    if settings.SCORER != "bedrock":
        return None
    from sessions_app.study.bedrock import ModelScorer

    return ModelScorer(school_id)


def _take_all(assessment_id: UUID, judged: Mapping[UUID, Scored | str]) -> int:
    scored = 0
    with transaction.atomic():
        assessment, other = _both_held(assessment_id)
        answers = list(AssessmentAnswer.objects.filter(pk__in=judged, scorer="rules").select_related("item"))
        for answer in answers:
            judgement = judged[answer.pk]
            if isinstance(judgement, Scored):
                _take(answer, judgement)
                scored += 1
            else:
                answer.fell_back = judgement[:32]
        all_validated(answers)
        AssessmentAnswer.objects.bulk_update(answers, _SCORED)
        _results_again(assessment, other)
    return scored


def _both_held(assessment_id: UUID) -> tuple[Assessment, Assessment | None]:
    """A form, and the student's other one in this run: locked both, as each one's gains rest on the other's score.

    The baseline first, as a submission does, and each by itself: whoever waited for it sees the final that came
    meanwhile.
    """
    of_run = Assessment.objects.filter(pk=assessment_id).values("student_session")
    held = Assessment.objects.select_for_update(no_key=True).filter(student_session__in=of_run)
    baseline, final = (held.filter(kind=kind).first() for kind in ("baseline", "final"))
    if baseline is not None and baseline.pk == assessment_id:
        return baseline, final
    assert final is not None
    return final, baseline


def _results_again(assessment: Assessment, other: Assessment | None) -> None:
    """Results from the answers as they are now; of a baseline, the gains of its final too."""
    items = material.items(assessment.form_id)
    results_write(assessment, items, list(AssessmentAnswer.objects.filter(assessment=assessment)))
    gains_write(assessment, other if other is not None and other.submitted_at is not None else None)
    validated(assessment).save()
    if assessment.kind == "baseline" and other is not None and other.submitted_at is not None:
        gains_write(other, assessment)
        validated(other).save()


def _other(assessment: Assessment) -> Assessment | None:
    """The student's other form in this run, where it was handed in; locked, so that its score stays as it is."""
    return (
        Assessment.objects.select_for_update(no_key=True)
        .filter(student_session=assessment.student_session_id, submitted_at__isnull=False)
        .exclude(pk=assessment.pk)
        .first()
    )


def _assessment(student_session: StudentSession, kind: str, *, at: datetime) -> Assessment:
    """The student's form of a kind, begun at `at` where it is not yet; refuses one that was handed in."""
    found = Assessment.objects.filter(student_session=student_session, kind=kind).first()
    if found is not None:
        if found.submitted_at is not None:
            raise Refused("submitted_already")
        return found
    form_id = _form_id(_assignment(student_session), kind)
    items = material.items(form_id)
    begun = Assessment(
        student_session=student_session,
        kind=kind,
        form_id=form_id,
        started_at=at,
        total_questions=len(items),
        total_points=sum((item.points for item in items), Decimal()),
    )
    validated(begun).save(force_insert=True)
    return begun


def _assignment(student_session: StudentSession) -> Assignment:
    found = Assignment.objects.filter(student_session=student_session).first()
    if found is None:
        raise Refused("other_step")
    return found


def _form_id(assignment: Assignment, kind: str) -> UUID:
    form_id = assignment.baseline_form_id if kind == "baseline" else assignment.final_form_id
    if form_id is None:
        raise Refused("study_incomplete")
    return form_id


def _item(form_id: UUID, item_id: UUID) -> AssessmentItem:
    item = next((item for item in material.items(form_id) if item.pk == item_id), None)
    if item is None:
        raise Refused("no_such_question")
    return item


def _keep(assessment: Assessment, given: Given, *, at: datetime) -> AssessmentAnswer:
    item = _item(assessment.form_id, given.item_id)
    kept = AssessmentAnswer.objects.filter(assessment=assessment, item=item).first()
    answer = kept or AssessmentAnswer(assessment=assessment, item=item)
    _fill(answer, item, given, at=at)
    validated(answer).save(force_insert=kept is None, update_fields=_GIVEN if kept else None)
    return answer


def _fill(answer: AssessmentAnswer, item: AssessmentItem, given: Given, *, at: datetime) -> None:
    """Put what was given into an answer; nothing is saved here."""
    answer.chosen_option, answer.text = _checked(item, given.answer)
    answer.answered_at = at
    answer.response_seconds = max(0.0, given.seconds)
    answer.points_possible = item.points


def _checked(item: AssessmentItem, answer: int | str) -> tuple[int | None, str | None]:
    """An answer as option and text, of which one is None."""
    if item.kind == Kind.MULTIPLE_CHOICE:
        if isinstance(answer, bool) or not isinstance(answer, int) or not 0 <= answer < len(item.options):
            raise Invalid(item.key, _("Choose one of the answers."))
        return answer, None
    if not isinstance(answer, str):
        raise Invalid(item.key, _("Answer in words."))
    if not answer.strip():
        raise Invalid(item.key, _("Write something first."))
    if len(answer) > LONGEST_ANSWER:
        raise Invalid(item.key, _("An answer may have %d characters at most.") % LONGEST_ANSWER)
    return None, answer.strip()
