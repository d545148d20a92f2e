"""Simulated runs go into the database in bulk: each record validated, those first on which others hang.

What happened stands on the timeline too, as the product's own events, with times in the past.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from config.local.sample.kit import Kit
from config.local.sample.pupils import Effects
from config.local.sample.runs import WRITTEN, Run
from sessions_app import events, timeline
from sessions_app.models import LiveSession, StudentSession
from sessions_app.models.identity import uuid7
from sessions_app.study import assignment
from sessions_app.study.validation import all_validated

AT_ONCE: Final = 2000
LONGEST_APPEND: Final = 500


def runs_write(kit: Kit, runs: Sequence[Run]) -> None:
    """Insert the records of runs whose students' sessions are there; the material is in use from here on."""
    first = min(run.assignment.assigned_at for run in runs)
    for material, name in assignment.MATERIAL:
        material._default_manager.filter(pk=getattr(kit.study, f"{name}_id"), used_at=None).update(used_at=first)
    for model in WRITTEN:
        rows = all_validated(record for run in runs for record in run.records[model])
        model._default_manager.bulk_create(rows, batch_size=AT_ONCE)


def runs_tell(session: LiveSession, happened: Iterable[timeline.NewEvent]) -> None:
    """Put what happened in a session on its timeline, in order."""
    ordered = sorted(happened, key=lambda event: event.received_at)
    for begin in range(0, len(ordered), LONGEST_APPEND):
        timeline.append(ordered[begin : begin + LONGEST_APPEND])


def happenings(run: Run) -> Iterator[timeline.NewEvent]:
    """A run's events as the timeline takes them."""
    for at, event, keyed in run.said:
        yield new_event(run.member.session, event, at, run.member, keyed=keyed)


def new_event(
    session: LiveSession,
    event: events.Event,
    at: datetime,
    member: StudentSession | None = None,
    *,
    keyed: bool = False,
) -> timeline.NewEvent:
    """Something that happened at a moment of the past; `keyed` where a device said it."""
    key: UUID | None = uuid7() if keyed else None
    return timeline.NewEvent(
        session_id=session.pk,
        event=event,
        received_at=at,
        happened_at=at,
        client_time=at if keyed else None,
        key=key,
        sender=member.pk if member else session.teacher_id,
        student_session_id=member.pk if member else None,
    )


def effects_told(effects: Effects) -> Mapping[str, Any]:
    """The effects as a command prints them, in percentage points of the chance of a right answer."""
    return {
        "everybody": 100 * effects.everybody,
        "dynamic": 100 * effects.dynamic,
        "on_site": 100 * effects.on_site,
        "interval": {name: 100 * value for name, value in effects.interval.items()},
    }
