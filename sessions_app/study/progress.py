"""How far each student of a study is: what a row of the teacher's board says, and who needs a look or a push."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sessions_app.models import Exchange
from sessions_app.models.content import QUESTIONS_PER_INTERVENTION
from sessions_app.study import way
from sessions_app.study.way import Run

STUCK_AFTER = timedelta(minutes=3)
"""Longer than this at one question of a pause: the teacher should look."""
SHORT = 2
"""An answer of so few words, twice in a row, is worth a look."""
LONGEST_QUOTE = 80


def board_row(run: Run) -> dict[str, Any]:
    """Where a student is, as the board shows it.

    `asks` has the words of each answer, a list of three per pause: None is open, -1 not yet asked. `said` is how the
    newest answer begins.
    """
    return {
        "number": run.number,
        "of": _of(run),
        "question": run.question,
        "percent": run.percent,
        "since": run.since,
        "asks": _asks(run),
        "said": _said(run),
        "code": run.assignment.condition.code if run.assignment else "",
    }


def slowest(runs: Iterable[Run], *, present: set[UUID]) -> UUID | None:
    """Who of those present is the furthest behind and not done; among equals, who has been there longest."""
    behind = [run for run in runs if run.member.pk in present and run.step not in {*way.NOT_YET, "done"}]
    return min(behind, key=lambda run: (run.percent, run.since)).member.pk if behind else None


def needs(run: Run, *, now: datetime) -> list[dict[str, str]]:
    """The rule that pages print: at one question of a pause for more than three minutes; two answers in a row of one
    or two words.
    """
    found = []
    asked = _open_exchange(run)
    if asked is not None and now - asked.asked_at > STUCK_AFTER:
        minutes = int((now - asked.asked_at).total_seconds() // 60)
        text = ngettext("%(n)s minute at one question", "%(n)s minutes at one question", minutes) % {"n": minutes}
        found.append({"kind": "watch", "text": text})
    last = _answered(run)[-2:]
    if len(last) == 2 and all((exchange.word_count or 0) <= SHORT for exchange in last):
        found.append({"kind": "watch", "text": _("very short answers")})
    return found


def _answered(run: Run) -> list[Exchange]:
    return [e for i in run.interventions for e in run.exchanges(i) if e.answered_at is not None]


def _open_exchange(run: Run) -> Exchange | None:
    if run.step != "intervention" or run.open_intervention is None:
        return None
    return next((e for e in run.exchanges(run.open_intervention) if e.answered_at is None), None)


def _of(run: Run) -> int:
    if run.step == "intervention":
        return len(run.pauses)
    if run.step == "content":
        return len(run.segments)
    return run.assessments[run.step].total_questions if run.step in run.assessments else 0


def _asks(run: Run) -> list[list[int | None]]:
    found = []
    by_number = {i.number: i for i in run.interventions}
    for pause in run.pauses:
        intervention = by_number.get(pause.number)
        exchanges = run.exchanges(intervention) if intervention else ()
        words: list[int | None] = [e.word_count if e.answered_at else None for e in exchanges]
        found.append(words + [-1] * (QUESTIONS_PER_INTERVENTION - len(words)))
    return found


def _said(run: Run) -> str:
    answered = _answered(run)
    text = " ".join((answered[-1].answer or "").split()) if answered else ""
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE].rsplit(' ', 1)[0]} …"
