"""What a student does in a study, in one line each."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.utils import timezone

from sessions_app import actions, events
from sessions_app.enrolment import Ticket
from sessions_app.models import AssessmentItem, Exchange, StudentSession
from sessions_app.refusals import Refused
from sessions_app.study import way


def act(member: StudentSession, event: events.Event, *, key: uuid.UUID | None = None, **when: Any) -> int:
    member.refresh_from_db()
    now = timezone.now()
    attempt = actions.Attempt(
        ticket=Ticket(member.pk, member.cookie_version), event=event, key=key or uuid.uuid4(),
        **{"received_at": now, "happened_at": now, "client_time": now} | when,
    )  # fmt: skip
    return actions.action_perform(attempt)


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(Refused) as caught:
        yield
    assert caught.value.code == code


def step(member: StudentSession) -> str:
    fresh = StudentSession.objects.select_related("session__study").get(pk=member.pk)
    return way.runs([fresh])[fresh.pk].step


def decide(member: StudentSession, **decisions: str) -> None:
    for purpose in way.PURPOSES:
        decision = decisions.get(purpose.value, "granted")
        act(member, events.ConsentGiven(purpose=purpose, decision=decision, version="study-2026-1"))


def know(member: StudentSession) -> None:
    act(member, events.PriorKnowledgeGiven(ratings=[1, 2, 4]))


def hand_in(member: StudentSession, form: str) -> None:
    items = AssessmentItem.objects.filter(form__kind=form).order_by("number")
    answers = [
        events.GivenAnswer(question=item.pk, answer=1 if item.options else "The river gave water power.", seconds=5)
        for item in items
    ]
    act(member, events.AssessmentSubmitted(form=form, answers=answers))


def reach(member: StudentSession, position: float, segment: int = 1) -> None:
    act(member, events.ContentReached(segment=segment, position=position))


def answer(member: StudentSession, text: str = "Because the river drove the wheels.", **more: Any) -> Exchange:
    waiting = Exchange.objects.get(intervention__student_session=member, answered_at=None)
    act(member, events.ExchangeAnswered(exchange=waiting.pk, text=text, seconds=4), **more)
    waiting.refresh_from_db()
    return waiting
