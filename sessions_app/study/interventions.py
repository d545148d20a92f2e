"""Interventions: a pause with three questions, each asked only after the answer before it is safe.

The order of things, which the caller keeps: the answer is committed (`answer_give`); then, outside of any transaction,
the next question is made (`question_wanted`, `asking.question_make`); then it is put, in a transaction of its own
(`question_put`). Whatever breaks off between them is taken up again by the same three steps: a question that waits for
its answer is not asked twice. With the third answer the intervention closes; one that is left is abandoned.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean
from typing import Final
from uuid import UUID

from django.db.models import Count, F, Prefetch, QuerySet, Value
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from sessions_app.models import (
    Assignment,
    Condition,
    Exchange,
    ExchangeScore,
    Intervention,
    LiveSession,
    LocationVerification,
    PredefinedQuestion,
    QualityFlag,
    StudentSession,
)
from sessions_app.models.answers import LONGEST_ANSWER
from sessions_app.models.content import QUESTIONS_PER_INTERVENTION
from sessions_app.refusals import Refused
from sessions_app.study import exchange_scores, material, quality, words
from sessions_app.study.pauses import Pause
from sessions_app.study.questioner import Context, Question, Said
from sessions_app.study.validation import Invalid, validated, validated_intervention

Status = Intervention.Status
_STATIC: Final = Condition.InterventionType.STATIC


def intervention_open(
    student_session: StudentSession, *, assignment: Assignment, pause: Pause, at: datetime
) -> Intervention:
    """Open the intervention of a pause; one that is still open is abandoned. Called with the session held."""
    assert assignment.content_id is not None
    interventions_abandon([student_session.pk], at=at)
    condition = assignment.condition
    static = condition.intervention_type == _STATIC
    place = _place(student_session)
    on_site = condition.location == Condition.Location.ON_SITE
    intervention = Intervention(
        student_session=student_session,
        number=pause.number,
        kind=condition.intervention_type,
        segment=next(s for s in material.segments(assignment.content_id) if s.number == pause.segment),
        question_set_id=assignment.question_set_id if static else None,
        location=condition.location,
        location_name=place[:200],
        location_aware=on_site and not static,
        opened_at=at,
    )
    validated(intervention).save(force_insert=True)
    return intervention


@dataclass(frozen=True, slots=True)
class Wanted:
    """The next question of an intervention: `predefined` where it is of a set, else to be made from `context`."""

    intervention_id: UUID
    number: int
    context: Context | None
    predefined: PredefinedQuestion | None


def question_wanted(student_session_id: UUID) -> Wanted | None:
    """Which question a student waits for; None where none is open, or one waits for its answer. Writes nothing."""
    intervention = _open(student_session_id)
    if intervention is None:
        return None
    exchanges = list(intervention.exchanges.all())
    if len(exchanges) >= QUESTIONS_PER_INTERVENTION or any(e.answered_at is None for e in exchanges):
        return None
    number = len(exchanges) + 1
    if intervention.kind == _STATIC:
        return Wanted(intervention.pk, number, None, _predefined(intervention, number))
    return Wanted(intervention.pk, number, _context(intervention, exchanges, number), None)


def predefined_question(predefined: PredefinedQuestion) -> Question:
    """The question of the set, as one that was made."""
    questions = predefined.question_set
    return Question(text=predefined.text, author=Exchange.Author.SET, version=f"{questions.slug}_v{questions.version}")


def predefined_put(
    student_session: StudentSession, intervention: Intervention, exchanges: Sequence[Exchange], *, at: datetime
) -> Exchange | None:
    """Put the next question of a static intervention, of which `exchanges` were put and answered; None of a dynamic
    one. Called with the student's session held.
    """
    if intervention.kind != _STATIC:
        return None
    number = len(exchanges) + 1
    wanted = Wanted(intervention.pk, number, None, _predefined(intervention, number))
    assert wanted.predefined is not None
    return _put(student_session, intervention, wanted, predefined_question(wanted.predefined), at=at)


def question_put(
    student_session: StudentSession, *, wanted: Wanted, question: Question, at: datetime
) -> Exchange | None:
    """Put a question that was made to the student. None where it is not wanted any more: another process put it, or
    the intervention has closed. Called with the student's session held.
    """
    still_open = Intervention.objects.filter(student_session=student_session, status=Status.OPEN)
    intervention = still_open.filter(pk=wanted.intervention_id).annotate(put=Count("exchanges")).first()
    if intervention is None or intervention.put != wanted.number - 1:
        return None
    return _put(student_session, intervention, wanted, question, at=at)


def _put(
    student_session: StudentSession, intervention: Intervention, wanted: Wanted, question: Question, *, at: datetime
) -> Exchange:
    exchange = Exchange(
        intervention=intervention,
        number=wanted.number,
        question=question.text,
        predefined=wanted.predefined,
        author=question.author,
        author_version=question.version,
        fell_back=question.fell_back,
        prompt_tokens=question.prompt_tokens,
        completion_tokens=question.completion_tokens,
        cost_usd=question.cost_usd,
        generation_ms=question.generation_ms,
        temperature=question.temperature,
        builds_on_previous=question.builds_on_previous,
        synthesis=question.synthesis,
        uses_place=question.uses_place,
        asked_at=max(at, intervention.opened_at),
    )
    validated(exchange).save(force_insert=True)
    Intervention.objects.filter(pk=intervention.pk).update(questions_asked=wanted.number, updated_at=at)
    if question.fell_back:
        quality.flag_raise(student_session, QualityFlag.Code.QUESTIONER_FELL_BACK, at=at)
    return exchange


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that is kept; `closed` where it was the third, and its intervention is validated. `exchanges` are those
    of the intervention so far.
    """

    exchange: Exchange
    intervention: Intervention
    exchanges: Sequence[Exchange]
    closed: bool


def answer_give(
    student_session: StudentSession,
    *,
    exchange_id: UUID,
    text: str,
    happened_at: datetime,
    at: datetime,
    seconds: float = 0.0,
) -> Answered:
    """Keep the answer to a question that waits for it, with its scores. Called with the student's session held.

    The response time runs from the question to `happened_at`, the student's moment by our clock, or where that lies
    before the question, as of a device whose clock is off, to the receipt at `at`; where the page measured less
    (`seconds`, how long the question was in front), that counts. Refuses an empty answer, one that is too long, one for
    another student's question, and a second one.
    """
    answer = answer_text(text)
    asked = Exchange.objects.filter(pk=exchange_id, intervention__student_session=student_session)
    exchanges = list(
        Exchange.objects.select_related("intervention")
        .filter(intervention__in=asked.values("intervention"))
        .order_by("number")
    )
    exchange = next((each for each in exchanges if each.pk == exchange_id), None)
    if exchange is None:
        raise Refused("no_such_question")
    intervention = exchange.intervention
    if exchange.answered_at is not None:
        raise Refused("answered_already")
    if intervention.status != Status.OPEN:
        raise Refused("other_step")
    answered_at = happened_at if happened_at >= exchange.asked_at else max(at, exchange.asked_at)
    elapsed = (answered_at - exchange.asked_at).total_seconds()
    exchange.answer = answer
    exchange.answered_at = answered_at
    exchange.response_seconds = min(seconds, elapsed) if seconds > 0 else elapsed
    exchange.word_count = words.count(answer)
    exchange.character_count = len(answer)
    validated(exchange).save(
        update_fields=["answer", "answered_at", "response_seconds", "word_count", "character_count"]
    )
    segment = material.segment(intervention.segment_id)
    part = f"{segment.title} {segment.text} {segment.summary}"
    before = [Said(e.question, e.answer or "") for e in exchanges if e.number < exchange.number]
    validated(exchange_scores.exchange_score(exchange, part=part, before=before)).save(force_insert=True)
    closed = exchange.number == QUESTIONS_PER_INTERVENTION
    if closed:
        scores = ExchangeScore.objects.filter(
            exchange__intervention=intervention,
            scorer=exchange_scores.SCORER,
            scorer_version=exchange_scores.VERSION,
        )
        intervention_close(intervention, exchanges, list(scores.order_by("exchange__number")), at=max(at, answered_at))
        intervention.save()
    return Answered(exchange, intervention, exchanges, closed)


def answer_text(text: str) -> str:
    """What a student wrote, without the blanks around it; refuses what is empty or too long."""
    answer = text.strip()
    if not answer:
        raise Invalid("answer", _("Write something first."))
    if len(answer) > LONGEST_ANSWER:
        raise Invalid("answer", _("An answer may have %d characters at most.") % LONGEST_ANSWER)
    return answer


def intervention_close(
    intervention: Intervention, exchanges: Sequence[Exchange], scores: Sequence[ExchangeScore], *, at: datetime
) -> None:
    """Make an intervention with its three answers valid, and write its sums; nothing is saved here.

    Question quality is the mean clarity of the questions. Progression is the mean of how far the questions after the
    first build on what was said; a static intervention has none.
    """
    intervention.status = Status.VALIDATED
    intervention.closed_at = max(at, intervention.opened_at)
    intervention.questions_asked = len(exchanges)
    intervention.duration_seconds = (intervention.closed_at - intervention.opened_at).total_seconds()
    intervention.average_response_seconds = _mean(exchange.response_seconds for exchange in exchanges)
    intervention.average_question_quality = _mean(score.question_clarity for score in scores)
    intervention.average_answer_depth = _mean(score.answer_depth for score in scores)
    if intervention.kind != _STATIC:
        intervention.progression_quality = _mean(score.builds_on_previous for score in scores)
    intervention.scorer = scores[0].scorer if scores else ""
    intervention.scorer_version = scores[0].scorer_version if scores else ""
    validated_intervention(intervention, exchanges)


def interventions_abandon(student_sessions: Iterable[UUID], *, at: datetime) -> int:
    """Leave what is open of some students' interventions unfinished; how many there were."""
    return _abandon(Intervention.objects.filter(student_session__in=list(student_sessions)), at=at)


def session_interventions_abandon(session: LiveSession, *, at: datetime) -> int:
    """A live session is over: what is open in it stays unfinished."""
    return _abandon(Intervention.objects.filter(student_session__session=session), at=at)


def _abandon(interventions: QuerySet[Intervention], *, at: datetime) -> int:
    return interventions.filter(status=Status.OPEN).update(
        status=Status.ABANDONED, closed_at=Greatest(F("opened_at"), Value(at)), updated_at=at
    )


def _open(student_session_id: UUID) -> Intervention | None:
    return (
        Intervention.objects.filter(student_session=student_session_id, status=Status.OPEN)
        .select_related("student_session")
        .prefetch_related(Prefetch("exchanges", Exchange.objects.order_by("number")))
        .first()
    )


def _predefined(intervention: Intervention, number: int) -> PredefinedQuestion:
    """The set's question after the intervention's segment; where that was asked before, the next segment's that has not
    been; else any that has not been; else the last.
    """
    assert intervention.question_set_id is not None
    questions = [q for q in material.predefined(intervention.question_set_id) if q.number == number]
    if not questions:
        raise Refused("study_incomplete")
    before = Exchange.objects.filter(intervention__student_session=intervention.student_session_id)
    asked = set(before.exclude(predefined=None).values_list("predefined", flat=True))
    fresh = [question for question in questions if question.pk not in asked]
    segment = material.segment(intervention.segment_id)
    later = [question for question in fresh if question.after_segment >= segment.number]
    return [*later, *fresh, questions[-1]][0]


def _context(intervention: Intervention, exchanges: Sequence[Exchange], number: int) -> Context:
    segment = material.segment(intervention.segment_id)
    earlier = (
        Exchange.objects.filter(
            intervention__student_session=intervention.student_session_id,
            intervention__number__lt=intervention.number,
            answer__isnull=False,
        )
        .order_by("intervention__number", "number")
        .values_list("question", "answer")
    )
    return Context(
        number=number,
        topic=segment.content.topic,
        segment_title=segment.title,
        segment_text=segment.text,
        segment_summary=segment.summary,
        place=intervention.location_name if intervention.location_aware else "",
        before=tuple(Said(e.question, e.answer or "") for e in exchanges),
        earlier=tuple(Said(question, answer or "") for question, answer in earlier),
        school_id=intervention.student_session.school_id,
    )


def _place(student_session: StudentSession) -> str:
    """The name of where a student is: the site of the verification, or of the session, or its room."""
    verified = LocationVerification.objects.filter(student_session=student_session).values_list("site_name", flat=True)
    session = student_session.session
    return verified.first() or (session.site.name if session.site else "") or session.room


def _mean(values: Iterable[object]) -> float | None:
    known = [float(value) for value in values if value is not None]  # type: ignore[arg-type]
    return fmean(known) if known else None
