"""What is written at once while a reading goes on: a complete minute, a struggle, a help, whether anybody listens."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from sessions_app import events, timeline
from sessions_app.models import BatchMetrics, HelpEvent, Reading, StudentSession
from sessions_app.refusals import Refused
from sessions_app.speech.windows import Window

MOST_HELPS = 30
"""In one reading; whoever needs more needs a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHelp:
    """A help as it was made. `parts` is the word taken apart, `voice` who speaks it, `latency_ms` what it took."""

    index: int
    word: str
    reason: str
    at: float
    text: str
    parts: str
    author: str
    voice: str
    latency_ms: float | None


def window_record(reading_id: UUID, window: Window, *, holder: UUID, at: datetime) -> bool:
    """Keep a complete minute; False where the reading is listened to elsewhere."""
    with transaction.atomic():
        reading = _held(reading_id, holder)
        if reading is None:
            return False
        window_keep(reading, window, at=at)
        _record(reading, at, measured(reading_id, window))
    return True


def window_keep(reading: Reading, window: Window, *, at: datetime, of_passage: bool = True) -> None:
    """Write one window, or write it anew. Without a passage nothing is right or wrong."""
    counts = window.counts
    found = {
        "starts": window.start,
        "ends": window.end,
        "words": window.words,
        "attempted": window.attempted if of_passage else None,
        "correct": window.correct if of_passage else None,
        "wpm": window.wpm,
        "wcpm": window.wcpm if of_passage else None,
        "omissions": counts.omissions,
        "insertions": counts.insertions,
        "substitutions": counts.substitutions,
        "repetitions": counts.repetitions,
        "self_corrections": counts.self_corrections,
        "confidence": window.confidence,
        "transcripts": list(window.transcripts),
    }
    BatchMetrics.objects.update_or_create(
        reading=reading, number=window.number, defaults=found, create_defaults=found | {"created_at": at}
    )


def measured(reading_id: UUID, window: Window) -> events.WindowMeasured:
    return events.WindowMeasured(
        reading=reading_id,
        number=window.number,
        words=window.words,
        wpm=_rounded(window.wpm),
        wcpm=_rounded(window.wcpm),
        errors=window.counts.total,
        confidence=_rounded(window.confidence, 3),
    )


def struggle_record(reading_id: UUID, event: events.Struggle, *, holder: UUID, at: datetime) -> bool:
    """Note that a student is stuck; False where the reading is listened to elsewhere."""
    with transaction.atomic():
        reading = _held(reading_id, holder)
        if reading is None:
            return False
        _record(reading, at, event)
    return True


def listening_record(reading_id: UUID, *, state: str, engine: str, holder: UUID, at: datetime) -> bool:
    """Note whether anybody listens, and with which engine; False where the reading is listened to elsewhere."""
    with transaction.atomic():
        reading = _held(reading_id, holder)
        if reading is None:
            return False
        if engine and engine != reading.engine:
            reading.engine = engine
            reading.save(update_fields=["engine", "updated_at"])
        event = events.Listening(reading=reading_id, state="on" if state == "on" else "waiting", engine=engine[:64])
        _record(reading, at, event)
    return True


def help_record(reading_id: UUID, help_: NewHelp, *, holder: UUID, at: datetime) -> HelpEvent | None:
    """Keep a help that is about to be shown; None where the reading is listened to elsewhere, or has had enough."""
    with transaction.atomic():
        reading = _held(reading_id, holder)
        if reading is None or reading.helps.count() >= MOST_HELPS:
            return None
        given = HelpEvent.objects.create(
            reading=reading,
            index=help_.index,
            word=help_.word[:100],
            reason=help_.reason,
            at=help_.at,
            parts=help_.parts[:200],
            text=help_.text[:600],
            author=help_.author[:100],
            voice=help_.voice[:32],
            latency_ms=help_.latency_ms,
            created_at=at,
        )
        event = events.HelpGiven(
            help=given.pk,
            index=given.index,
            word=given.word[:64],
            reason=given.reason,
            author=given.author[:64],
        )
        _record(reading, at, event)
    return given


def help_shown(help_: HelpEvent) -> dict[str, object]:
    """A help as a page shows it."""
    return {
        "help": help_.pk, "index": help_.index, "word": help_.word, "parts": help_.parts, "text": help_.text,
        "voice": help_.voice,
    }  # fmt: skip


def help_used(member: StudentSession, help_id: UUID, *, played: bool, at: datetime) -> None:
    """The student listened to a help, or went on without it, in the caller's transaction."""
    field = "played_at" if played else "dismissed_at"
    own = HelpEvent.objects.filter(pk=help_id, reading__student_session=member)
    if not own.exists():
        raise Refused("no_such_help")
    own.filter(Q(**{field: None})).update(**{field: at})


def _held(reading_id: UUID, holder: UUID) -> Reading | None:
    return (
        Reading.objects.select_for_update(no_key=True, of=("self",))
        .select_related("student_session__session")
        .filter(pk=reading_id, held_by=holder)
        .first()
    )


def _record(reading: Reading, at: datetime, *happened: events.Event) -> None:
    member = reading.student_session
    timeline.append(
        [
            timeline.NewEvent(
                session_id=member.session_id,
                event=event,
                received_at=at,
                happened_at=at,
                student_session_id=member.pk,
            )
            for event in happened
        ]
    )


def _rounded(value: float | None, places: int = 1) -> float | None:
    return None if value is None else round(value, places)
