"""Make the next question of a pause after the answer before it is safe, with no transaction open meanwhile.

Whoever finds a student without a question may call this, any number of times and from any process: what is put is put
once, and a question that another process has put meanwhile is let go.
"""

import logging
from dataclasses import replace
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from sessions_app import timeline
from sessions_app.models import StudentSession
from sessions_app.study import interventions, steps
from sessions_app.study.questioner import Context, NoQuestion, Question
from sessions_app.study.rules import Rules

log = logging.getLogger(__name__)

LONGEST_QUEUE: Final = 10.0
"""Seconds that a student waits for a free place at the language model; then the rules ask."""


def question_next(student_session: UUID, *, waited: float = 0.0) -> bool:
    """Put the next question to a student who waits for one; whether it was put. `waited` is how long already."""
    wanted = interventions.question_wanted(student_session)
    if wanted is None:
        return False
    question = _made(wanted, waited)
    with transaction.atomic():
        member = (
            StudentSession.objects.select_for_update(no_key=True, of=("self",))
            .select_related("session__site")
            .filter(pk=student_session)
            .first()
        )
        if member is None or not member.session.is_open:
            return False
        put = interventions.question_put(member, wanted=wanted, question=question, at=timezone.now())
        if put is None:
            return False
        timeline.record(member.session, steps.asked(put), at=timezone.now(), about=member)
    return True


def question_make(context: Context) -> Question:
    """The next question by the configured questioner; by the rules, which then say why, where that one has none."""
    if settings.QUESTIONER == "bedrock":
        from sessions_app.study.bedrock import Model

        try:
            return Model().ask(context)
        except NoQuestion as without:
            return replace(Rules().ask(context), fell_back=without.reason)
    return Rules().ask(context)


def _made(wanted: interventions.Wanted, waited: float) -> Question:
    if wanted.predefined is not None:
        return interventions.predefined_question(wanted.predefined)
    assert wanted.context is not None
    if settings.QUESTIONER == "rules":
        return Rules().ask(wanted.context)
    if waited > LONGEST_QUEUE:
        log.warning("a question waited %.0f s for the language model; the rules asked instead", waited)
        return replace(Rules().ask(wanted.context), fell_back="busy")
    if not connection.in_atomic_block:
        connection.close()  # a model takes seconds, and connections are few
    return question_make(wanted.context)
