"""What comes of a reading while it goes on, written in batches: chunks of sound, settled words, and the place reached.

One transaction for everything that arrived during the last one, of all readings of a process. Each item is judged by
itself: its reading must still be held by the writer, and the student's consent must be live. What is `kept` is
committed; only then the browser is told that a chunk is in.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import NAMESPACE_OID, UUID, uuid5

from django.db import transaction

from sessions_app import events, timeline
from sessions_app.models import AudioChunk, AudioStream, ConsentState, Reading, Transcript
from sessions_app.reading.course import AUDIO
from sessions_app.speech.transcriber import HeardWord
from sessions_app.speech.windows import mean_confidence

Verdict = Literal["kept", "held_elsewhere", "consent_missing", "unwritable"]
"""What became of an item; `unwritable` is what the database does not take, whoever holds the reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A chunk as it came in and was decoded; one that never came is `lost`, with no data. Times in seconds."""

    reading_id: UUID
    stream_id: UUID
    number: int
    received_at: datetime
    data: bytes | None
    starts: float
    seconds: float

    @property
    def lost(self) -> bool:
        return self.data is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A settled utterance, and how the reading stands with it. `upto`: all sound before is turned into words."""

    reading_id: UUID
    number: int
    words: tuple[HeardWord, ...]
    upto: float
    engine: str
    at: datetime
    event: events.WordsHeard


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The voice is further in the passage, by words that are not settled yet."""

    reading_id: UUID
    at: datetime
    event: events.WordsHeard


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Sound up to here is through, and there were no words in it."""

    reading_id: UUID
    upto: float


Item = Chunk | Spoken | Place | Silence


def items_record(items: Sequence[Item], *, holder: UUID) -> list[Verdict]:
    """Write what may be written, in one transaction; the verdict on each item, in order."""
    with transaction.atomic():
        held = (
            Reading.objects.select_for_update(no_key=True, of=("self",))
            .select_related("student_session__session")
            .filter(pk__in={item.reading_id for item in items}, held_by=holder)
            .order_by("pk")
        )
        readings = {reading.pk: reading for reading in held}
        consenting = set(
            ConsentState.objects.filter(
                student__in=[r.student_session.student_id for r in readings.values()], purpose=AUDIO, granted=True
            ).values_list("student_id", flat=True)
        )
        verdicts = [_verdict(readings.get(item.reading_id), consenting) for item in items]
        kept = [item for item, verdict in zip(items, verdicts, strict=True) if verdict == "kept"]
        if kept:
            _write(kept, readings)
    return verdicts


def _verdict(reading: Reading | None, consenting: Set[UUID]) -> Verdict:
    if reading is None:
        return "held_elsewhere"
    return "kept" if reading.student_session.student_id in consenting else "consent_missing"


def _write(items: Sequence[Item], readings: Mapping[UUID, Reading]) -> None:
    _add_chunks([item for item in items if isinstance(item, Chunk)], readings)
    _add_transcripts([item for item in items if isinstance(item, Spoken)])
    changed: dict[UUID, Reading] = {}
    for item in items:
        reading = changed.setdefault(item.reading_id, readings[item.reading_id])
        if isinstance(item, Chunk):
            reading.audio_seconds = max(reading.audio_seconds, item.starts + item.seconds)
        elif isinstance(item, Spoken | Silence):
            reading.heard_seconds = max(reading.heard_seconds, item.upto)
        if isinstance(item, Spoken):
            reading.position = item.event.reached
        reading.settled_at = None
    for pk in sorted(changed):
        changed[pk].save(update_fields=["audio_seconds", "heard_seconds", "position", "settled_at", "updated_at"])
    _append([item for item in items if isinstance(item, Spoken | Place)], readings)


def _add_chunks(chunks: Sequence[Chunk], readings: Mapping[UUID, Reading]) -> None:
    if not chunks:
        return
    AudioChunk.objects.bulk_create(
        (
            AudioChunk(
                id=chunk_id(readings[chunk.reading_id].student_session_id, chunk.received_at, chunk.number),
                stream_id=chunk.stream_id,
                number=chunk.number,
                bytes=len(chunk.data or b""),
                starts=chunk.starts,
                seconds=chunk.seconds,
                received_at=chunk.received_at,
                lost=chunk.lost,
                data=chunk.data,
            )
            for chunk in chunks
        ),
        ignore_conflicts=True,
    )
    streams = AudioStream.objects.select_for_update(no_key=True).filter(pk__in={c.stream_id for c in chunks})
    for stream in streams.order_by("pk"):
        of_stream = [chunk for chunk in chunks if chunk.stream_id == stream.pk]
        fresh = [chunk for chunk in of_stream if chunk.number >= stream.received]
        stream.received = max(stream.received, *(chunk.number + 1 for chunk in of_stream))
        stream.bytes += sum(len(chunk.data or b"") for chunk in fresh)
        stream.seconds += sum(chunk.seconds for chunk in fresh)
        if stream.starts is None:
            stream.starts = min(chunk.starts for chunk in of_stream)
        stream.save(update_fields=["received", "bytes", "seconds", "starts"])


def _add_transcripts(spoken: Sequence[Spoken]) -> None:
    Transcript.objects.bulk_create(
        Transcript(
            reading_id=item.reading_id,
            number=item.number,
            starts=item.words[0].start,
            ends=max(word.end for word in item.words),
            text=" ".join(word.word for word in item.words),
            words=[[w.word, round(w.start, 3), round(w.end, 3), w.confidence] for w in item.words],
            confidence=mean_confidence(item.words),
            engine=item.engine,
            created_at=item.at,
        )
        for item in spoken
    )


def _append(items: Sequence[Spoken | Place], readings: Mapping[UUID, Reading]) -> None:
    if not items:
        return
    timeline.append(
        [
            timeline.NewEvent(
                session_id=readings[item.reading_id].student_session.session_id,
                event=item.event,
                received_at=item.at,
                happened_at=item.at,
                student_session_id=readings[item.reading_id].student_session_id,
            )
            for item in items
        ]
    )


def chunk_id(student_session_id: UUID, received_at: datetime, number: int) -> UUID:
    """The key of a chunk: made of the key of its mirrored item, which so tells whose it is."""
    moment = f"{received_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"
    return uuid5(NAMESPACE_OID, f"SESSION#{student_session_id} CHUNK#{moment}#{number}")
