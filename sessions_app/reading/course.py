"""The course of a reading: begun, taken up by the process that listens, finished by the student.

One process listens to a reading at a time. It holds the reading (`reading_take`), says now and then that it still does
(`reading_keep`), and lets go. Whoever takes it up later takes it over: what the one before still writes is refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import psycopg
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from sessions_app.models import (
    AudioChunk,
    AudioStream,
    Consent,
    ConsentState,
    LiveSession,
    Passage,
    Reading,
    StudentSession,
    Transcript,
)
from sessions_app.models.consented import CONSENT_CONSTRAINT
from sessions_app.models.session import LATE_EVENTS_FOR
from sessions_app.reading.passages import prompts_of
from sessions_app.refusals import Refused
from sessions_app.speech.passage import Passage as Expected
from sessions_app.speech.passage import passage_read
from sessions_app.speech.transcriber import Anything, HeardWord, Prompts

HOLDS_FOR = timedelta(seconds=30)
"""A process that has not said for this long that it still listens does not."""
LONGEST = 45 * 60.0
"""Seconds of sound in one reading."""
LARGEST = 96 * 1024 * 1024
"""Bytes of sound in one reading: that long without compression."""
AUDIO = Consent.Purpose.AUDIO


@dataclass(frozen=True, slots=True)
class StreamState:
    """How far one recorder's bytes have come in: all chunks below `received`; `chunks` is how many there are."""

    id: UUID
    codec: str
    received: int
    chunks: int | None


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A reading as it stands for whoever listens to it from now on.

    `utterances` are the words that are settled, up to `heard_seconds` of its sound. `next_transcript` is the number
    that the next utterance gets, `windows` how many minutes are recorded.
    """

    reading_id: UUID
    session_id: UUID
    student_session_id: UUID
    school_id: UUID
    expected: Expected | Prompts | Anything
    grade: int | None
    audio_seconds: float
    audio_bytes: int
    heard_seconds: float
    utterances: tuple[tuple[HeardWord, ...], ...]
    next_transcript: int
    windows: int
    helps: int
    streams: Mapping[int, StreamState]
    ended: bool


def reading_start(member: StudentSession, *, at: datetime) -> Reading:
    """Begin to read in a session, in the caller's transaction; begun before, it is the same reading."""
    session = member.session
    if session.activity == LiveSession.Activity.SOCRATIC:
        raise Refused("no_activity")
    if session.status != LiveSession.Status.STARTED:
        raise Refused("not_started")
    if not may_record(member):
        raise Refused("consent_missing")
    found, _made = Reading.objects.get_or_create(
        student_session=member,
        passage=session.passage,
        defaults={"school_id": member.school_id, "started_at": at, "is_simulated": member.is_simulated},
    )
    if found.state == Reading.State.ENDED:
        raise Refused("reading_over")
    return found


def reading_finish(member: StudentSession, *, at: datetime) -> Reading:
    """The student is done, in the caller's transaction. What is still on the device is taken in afterwards."""
    found = open_readings().select_for_update(no_key=True).filter(student_session=member).first()
    if found is None:
        raise Refused("no_reading")
    end(found, reason=Reading.EndReason.FINISHED, at=at)
    return found


def end(reading: Reading, *, reason: Reading.EndReason, at: datetime) -> None:
    """Mark a held row as ended; what it came to is computed by `settling.reading_settle`."""
    reading.state, reading.end_reason = Reading.State.ENDED, reason
    reading.ended_at = max(at, reading.started_at)
    reading.save(update_fields=["state", "end_reason", "ended_at", "updated_at"])


def consent_is_missing(error: IntegrityError) -> bool:
    """Whether the database refused a row because there is no live consent for it."""
    cause = error.__cause__
    return isinstance(cause, psycopg.Error) and cause.diag.constraint_name == CONSENT_CONSTRAINT


def may_record(member: StudentSession) -> bool:
    """Whether the student's voice may be recorded now."""
    return ConsentState.objects.filter(student=member.student_id, purpose=AUDIO, granted=True).exists()


def reading_of(member: StudentSession) -> Reading | None:
    """A student's reading of what the session reads now, open or not."""
    return Reading.objects.filter(student_session=member, passage=member.session.passage).first()


def word_of(member: StudentSession, index: int) -> None:
    """Refuses a word that is not one of the passage that the student is reading."""
    reading = reading_of(member)
    if reading is None:
        raise Refused("no_reading")
    if reading.state == Reading.State.ENDED:
        raise Refused("reading_over")
    if reading.passage is None or reading.passage.kind != Passage.Kind.PASSAGE or index >= reading.passage.words:
        raise Refused("no_such_word")


def open_readings() -> QuerySet[Reading]:
    return Reading.objects.filter(state=Reading.State.OPEN)


def reading_take(student_session_id: UUID, *, holder: UUID, now: datetime) -> Taken | None:
    """Take a student's reading over from whoever held it; None where there is none that takes sound.

    Sound is taken for a day after the end of the session: what was still on the device.
    """
    with transaction.atomic():
        reading = (
            Reading.objects.select_for_update(no_key=True, of=("self",))
            .select_related("student_session__session", "student_session__student", "passage")
            .filter(student_session=student_session_id)
            .filter(Q(passage=F("student_session__session__passage")) | Q(passage=None))
            .filter(Q(student_session__session__ended_at=None) | _recently_over(now))
            .first()
        )
        if reading is None:
            return None
        reading.held_by, reading.held_until = holder, now + HOLDS_FOR
        reading.save(update_fields=["held_by", "held_until", "updated_at"])
        return _as_taken(reading)


def reading_take_up(reading_id: UUID, *, holder: UUID, now: datetime) -> Taken | None:
    """Take one reading that nobody holds any more, for computing what is left of it; None where somebody does."""
    with transaction.atomic():
        reading = (
            Reading.objects.select_for_update(no_key=True, of=("self",), skip_locked=True)
            .select_related("student_session__session", "student_session__student", "passage")
            .filter(pk=reading_id)
            .filter(Q(held_until=None) | Q(held_until__lt=now))
            .first()
        )
        if reading is None:
            return None
        reading.held_by, reading.held_until = holder, now + HOLDS_FOR
        reading.save(update_fields=["held_by", "held_until", "updated_at"])
        return _as_taken(reading)


def readings_keep(reading_ids: list[UUID], *, holder: UUID, now: datetime) -> int:
    """Say that these are still listened to; how many are still held."""
    return Reading.objects.filter(pk__in=reading_ids, held_by=holder).update(held_until=now + HOLDS_FOR)


def reading_release(reading_id: UUID, *, holder: UUID) -> None:
    """Let go of a reading."""
    Reading.objects.filter(pk=reading_id, held_by=holder).update(held_by=None, held_until=None)


def stream_begin(reading_id: UUID, *, number: int, codec: str, at: datetime) -> StreamState:
    """`stream_open`, or a refusal where the consent is gone."""
    try:
        return stream_open(reading_id, number=number, codec=codec, at=at)
    except IntegrityError as error:
        if not consent_is_missing(error):
            raise
        raise Refused("consent_missing") from None


def stream_open(reading_id: UUID, *, number: int, codec: str, at: datetime) -> StreamState:
    """The stream of a new recorder, or the one that there is. Without the consent the database refuses it."""
    stream, _made = AudioStream.objects.get_or_create(
        reading_id=reading_id, number=number, defaults={"codec": codec, "opened_at": at}
    )
    return StreamState(stream.pk, stream.codec, stream.received, stream.chunks)


def sound_of(reading_id: UUID) -> Iterator[tuple[int, str, bytes | None]]:
    """The recorders' bytes of a reading as long as they are here, in the order in which they were decoded.

    Each as (stream, codec, chunk); None stands for a chunk that never came.
    """
    chunks = AudioChunk.objects.filter(stream__reading=reading_id).order_by("starts", "received_at", "number")
    columns = chunks.values_list("stream__number", "stream__codec", "data")
    for stream, codec, data in columns.iterator(chunk_size=200):
        yield stream, codec, None if data is None else bytes(data)


def stream_says_how_many(reading_id: UUID, *, number: int, chunks: int) -> None:
    """A recorder said that it made so many chunks."""
    AudioStream.objects.filter(reading=reading_id, number=number).update(chunks=chunks)


def expected_of(passage: Passage | None) -> Expected | Prompts | Anything:
    """What a transcriber is told to expect."""
    if passage is None:
        return Anything()
    if passage.kind == Passage.Kind.PROMPTS:
        return Prompts(prompts_of(passage.text))
    return passage_read(passage.text)


def attempted_of(reading: Reading) -> int:
    """How many scored words of the passage a reading has reached."""
    expected = expected_of(reading.passage)
    return sum(expected.scored[: reading.position]) if isinstance(expected, Expected) else 0


def heard_of(reading: Reading) -> tuple[tuple[HeardWord, ...], ...]:
    """The settled utterances of a reading."""
    rows = Transcript.objects.filter(reading=reading).order_by("number").values_list("words", flat=True)
    return tuple(tuple(HeardWord(*word) for word in words) for words in rows)


def _recently_over(now: datetime) -> Q:
    return Q(student_session__session__ended_at__gt=now - LATE_EVENTS_FOR)


def _as_taken(reading: Reading) -> Taken:
    member = reading.student_session
    streams = {
        s.number: StreamState(s.pk, s.codec, s.received, s.chunks)
        for s in AudioStream.objects.filter(reading=reading).order_by("number")
    }
    utterances = heard_of(reading)
    return Taken(
        reading_id=reading.pk,
        session_id=member.session_id,
        student_session_id=member.pk,
        school_id=reading.school_id,
        expected=expected_of(reading.passage),
        grade=member.student.grade if member.student else None,
        audio_seconds=reading.audio_seconds,
        audio_bytes=sum(AudioStream.objects.filter(reading=reading).values_list("bytes", flat=True)),
        heard_seconds=reading.heard_seconds,
        utterances=utterances,
        next_transcript=len(utterances),
        windows=reading.windows.count(),
        helps=reading.helps.count(),
        streams=streams,
        ended=reading.state == Reading.State.ENDED,
    )


def unsettled(*, now: datetime, idle: timedelta = timedelta(minutes=2)) -> list[UUID]:
    """Readings that are to be computed and that nobody holds: over, or silent for a while with their session over."""
    waiting = Reading.objects.filter(settled_at=None).filter(Q(held_until=None) | Q(held_until__lt=now))
    over = Q(state=Reading.State.ENDED) | Q(student_session__session__status=LiveSession.Status.ENDED)
    return list(waiting.filter(over, updated_at__lt=now - idle).order_by("pk").values_list("pk", flat=True))
