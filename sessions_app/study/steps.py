"""What a student's actions in a study do: each checks that it belongs to the student's step, and writes its records.

Called inside the one transaction of an action, with the student's session held. What is to be said on the timeline is
returned, as the caller appends it last. The questions of a set are put in the same transaction; those that a questioner
makes come afterwards (`asking`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

import msgspec

from sessions_app import events
from sessions_app.models import Exchange, Intervention, LocationVerification, StudentSession, User
from sessions_app.refusals import Refused
from sessions_app.study import (
    assessments,
    delivery,
    interventions,
    journey,
    location,
    prior_knowledge,
    quality,
    surveys,
    way,
)

Step = journey.Step


@dataclass(frozen=True, slots=True)
class Done:
    """What an action leaves on the timeline: its own event, then what follows from it."""

    event: events.Event
    then: tuple[events.Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """When an action arrived, when it happened by our clock, and what the device's clock said."""

    received_at: datetime
    happened_at: datetime
    client_time: datetime | None


def prior_knowledge_given(member: StudentSession, event: events.PriorKnowledgeGiven, moment: Moment) -> Done:
    begun = _at_step(member, moment, Step.PRIOR_KNOWLEDGE)
    prior_knowledge.prior_knowledge_give(member, answers=event.ratings, at=moment.received_at)
    return Done(event, begun)


def place_checked(member: StudentSession, event: events.PlaceChecked, moment: Moment) -> Done:
    """A student who goes on after an attempt keeps what was found; one who never tried has refused."""
    begun = _at_step(member, moment, Step.PLACE)
    found = LocationVerification.objects.filter(student_session=member).first()
    if event.outcome == "skipped" and event.go_on and found is not None:
        location.place_settle(member, at=moment.received_at)
    else:
        report = location.Report(
            found=event.outcome,
            latitude=event.latitude,
            longitude=event.longitude,
            accuracy_m=event.accuracy,
            position_at=moment.happened_at if event.outcome == "position" else None,
            user_agent=event.user_agent,
        )
        found = location.place_verify(member, report=report, at=moment.received_at, go_on=event.go_on)
    return Done(msgspec.structs.replace(event, found=found.outcome), begun)


def assessment_answered(member: StudentSession, event: events.AssessmentAnswered, moment: Moment) -> Done:
    _at_step(member, moment, Step(event.form))
    if event.answer is None:
        item = assessments.answer_take_back(member, kind=event.form, item_id=event.question)
        return Done(msgspec.structs.replace(event, number=item.number, taken_back=True))
    given = assessments.Given(event.question, event.answer, event.seconds)
    kept = assessments.answer_keep(member, kind=event.form, given=given, at=moment.received_at)
    return Done(msgspec.structs.replace(event, number=kept.item.number, taken_back=None))


def assessment_submitted(member: StudentSession, event: events.AssessmentSubmitted, moment: Moment) -> Done:
    _at_step(member, moment, Step(event.form))
    answers = [assessments.Given(given.question, given.answer, given.seconds) for given in event.answers]
    made = assessments.assessment_submit(member, kind=event.form, answers=answers, at=moment.received_at)
    if Step(event.form) is Step.FINAL:
        _finish_if_done(member, moment)
    return Done(msgspec.structs.replace(event, answered=made.questions_answered))


def content_begun(member: StudentSession, event: events.ContentBegun, moment: Moment) -> Done:
    _at_step(member, moment, Step.CONTENT)
    delivery.content_begin(
        member, format_chosen=event.format, speed=event.speed, captions=event.captions, at=moment.received_at
    )
    return Done(event)


def content_reached(member: StudentSession, event: events.ContentReached, moment: Moment) -> Done:
    _at_step(member, moment, Step.CONTENT)
    reached = delivery.content_reached(
        member, position=event.position, happened_at=moment.happened_at, at=moment.received_at
    )
    if reached.pause is None:
        return Done(event)
    intervention = interventions.intervention_open(
        member, assignment=reached.assignment, pause=reached.pause, at=moment.received_at
    )
    opened = events.InterventionOpened(
        number=intervention.number,
        of=reached.pauses,
        kind=cast("Literal['static', 'dynamic']", intervention.kind),
    )
    return Done(event, (opened, *_put_predefined(member, intervention, (), moment)))


def exchange_answered(member: StudentSession, event: events.ExchangeAnswered, moment: Moment) -> Done:
    quality.clock_check(member, client_time=moment.client_time, received_at=moment.received_at)
    given = interventions.answer_give(
        member,
        exchange_id=event.exchange,
        text=event.text,
        happened_at=moment.happened_at,
        at=moment.received_at,
        seconds=event.seconds,
    )
    said = msgspec.structs.replace(
        event,
        intervention=given.intervention.number,
        number=given.exchange.number,
        words=min(given.exchange.word_count or 0, 10_000),
        response_seconds=round(min(given.exchange.response_seconds or 0.0, 86_400.0), 1),
    )
    if given.closed:
        return Done(said, (_closed(given.intervention),))
    return Done(said, _put_predefined(member, given.intervention, given.exchanges, moment))


def survey_submitted(member: StudentSession, event: events.SurveySubmitted, moment: Moment) -> Done:
    _at_step(member, moment, Step.SURVEY)
    surveys.survey_submit(member, answers=event.answers, seconds=event.seconds, at=moment.received_at)
    _finish_if_done(member, moment)
    return Done(event)


def begin_if_decided(member: StudentSession, at: datetime) -> tuple[events.Event, ...]:
    """Give a run its condition as soon as the student has decided about everything and takes part."""
    if not way.is_of_study(member.session):
        return ()
    here = journey.position(member)
    if here.assigned or here.step == Step.CONSENT or not way.has_decided(here):
        return ()
    return begin(member, at)


def begin(member: StudentSession, at: datetime, *, fixed_by: User | None = None) -> tuple[events.Event, ...]:
    """Give a run its condition, where it has none yet."""
    made, fresh = journey.run_begin(member, at=at, fixed_by=fixed_by)
    if not fresh:
        return ()
    return (events.ConditionAssigned(code=made.condition.code, randomised=made.randomised),)


def _at_step(member: StudentSession, moment: Moment, step: journey.Step) -> tuple[events.Event, ...]:
    """Refuse what does not belong to the student's step. What is said because the run begins here is returned."""
    if not way.is_of_study(member.session):
        raise Refused("no_study")
    if member.session.started_at is None:
        raise Refused("not_started")
    quality.clock_check(member, client_time=moment.client_time, received_at=moment.received_at)
    begun: tuple[events.Event, ...] = ()
    here = journey.position(member)
    if not here.assigned:
        begun, here = begin(member, moment.received_at), journey.position(member)
    journey.required(here, step)
    return begun


def _put_predefined(
    member: StudentSession, intervention: Intervention, exchanges: Sequence[Exchange], moment: Moment
) -> tuple[events.Event, ...]:
    put = interventions.predefined_put(member, intervention, exchanges, at=moment.received_at)
    return (asked(put),) if put else ()


def asked(exchange: Exchange) -> events.QuestionAsked:
    """What the timeline says of a question that was put."""
    return events.QuestionAsked(
        intervention=exchange.intervention.number,
        number=exchange.number,
        author=exchange.author,
        fell_back=exchange.fell_back,
    )


def _closed(intervention: Intervention) -> events.InterventionClosed:
    return events.InterventionClosed(
        number=intervention.number, status=cast("Literal['validated', 'abandoned']", intervention.status)
    )


def _finish_if_done(member: StudentSession, moment: Moment) -> None:
    if journey.position(member).step == Step.DONE:
        journey.run_finish(member, at=moment.received_at)
