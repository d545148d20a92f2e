"""The sound of readings: thrown away when a reading is through, or kept for a while where that is agreed to.

While a reading goes on its chunks are in Postgres, so that nothing acknowledged is lost. When it is computed they are
emptied; where the student's consent to keeping is live and the school keeps recordings at all, the recorders' own bytes
become a file in `STORAGES["audio"]` before that, with the day on which it is deleted. A withdrawal of either consent
deletes it the next time that the retention runs; nobody can listen to it from the withdrawal on.
"""

import io
import wave
from datetime import date, datetime, timedelta
from uuid import UUID

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F, Q, QuerySet

from sessions_app.models import AudioChunk, AudioStream, Consent, ConsentState, Reading
from sessions_app.models.session import LATE_EVENTS_FOR
from sessions_app.reading.course import may_record
from sessions_app.refusals import Refused
from sessions_app.speech.audio import PcmDecoder, WebmDecoder
from sessions_app.speech.transcriber import BYTES_A_SECOND, RATE, SAMPLE_BYTES
from sessions_app.speech.webm import NotAudio

KEEPING = (Consent.Purpose.AUDIO, Consent.Purpose.KEEP_AUDIO)
LONGEST_CLIP = 30.0  # seconds


def sound_settle(reading_id: UUID, *, now: datetime) -> int:
    """Keep or throw away the sound of a reading that is through; how many chunks were emptied.

    A stream of which more may come (its device has not said how many chunks there are) waits for a day, but not where
    the consent to record is taken back.
    """
    emptied = 0
    reading = Reading.objects.select_related("student_session__session", "school").get(pk=reading_id)
    keep_until = _keep_until(reading, now)
    for stream in AudioStream.objects.filter(reading=reading).order_by("number"):
        if not _complete(stream, reading, now):
            continue
        name = _keep(stream, reading) if keep_until else ""
        with transaction.atomic():
            if name:
                AudioStream.objects.filter(pk=stream.pk).update(kept=name, delete_on=keep_until, deleted_at=None)
            full = AudioChunk.objects.filter(stream=stream, data__isnull=False)
            emptied += full.update(data=None)
    return emptied


def with_sound(*, now: datetime) -> list[UUID]:
    """Readings that are through and still have chunks with sound, of streams of which no more is taken."""
    full = AudioChunk.objects.filter(data__isnull=False, stream__reading__settled_at__isnull=False)
    recorded = ConsentState.objects.filter(granted=True, purpose=Consent.Purpose.AUDIO).values("student")
    through = full.filter(
        Q(stream__chunks__lte=F("stream__received"))
        | Q(received_at__lt=now - LATE_EVENTS_FOR)
        | ~Q(stream__reading__student_session__student__in=recorded)
    )
    return list(through.order_by("stream__reading").values_list("stream__reading", flat=True).distinct())


def expired(*, today: date) -> QuerySet[AudioStream]:
    """Kept recordings that are to be deleted: their day has come, or a consent to them is gone."""
    return AudioStream.objects.exclude(kept="").filter(Q(delete_on__lte=today) | ~_agreed_to())


def audible(reading: Reading, *, today: date) -> QuerySet[AudioStream]:
    """The kept recordings of a reading that may be listened to: those that are not to be deleted."""
    kept = AudioStream.objects.filter(reading=reading).exclude(kept="")
    return kept.filter(_agreed_to(), delete_on__gt=today)


def _agreed_to() -> Q:
    """Of a recording: its student's consents to it are live."""
    students = ConsentState.objects.filter(granted=True)
    recorded, kept = (students.filter(purpose=purpose).values("student") for purpose in KEEPING)
    return Q(reading__student_session__student__in=recorded) & Q(reading__student_session__student__in=kept)


def sound_purge(*, now: datetime, dry_run: bool = False) -> int:
    """Delete the recordings that are due; how many. A file that is already gone is as good as deleted."""
    due = list(expired(today=now.date()))
    if dry_run:
        return len(due)
    for stream in due:
        stream.kept.storage.delete(str(stream.kept))
        AudioStream.objects.filter(pk=stream.pk).update(kept="", deleted_at=now)
    return len(due)


def clip(reading: Reading, *, starts: float, ends: float, today: date) -> bytes:
    """The kept sound of a reading from `starts` to `ends` (seconds of the reading) as a WAV file.

    Refuses (`no_sound`) where it is not kept, or not any more.
    """
    starts, ends = max(0.0, starts), min(ends, starts + LONGEST_CLIP)
    kept = audible(reading, today=today).filter(starts__isnull=False, starts__lt=ends)
    for stream in kept.order_by("-number"):
        assert stream.starts is not None
        if stream.starts + stream.seconds <= starts:
            continue
        try:
            with stream.kept.open("rb") as file:
                content = file.read()
        except FileNotFoundError:
            raise Refused("no_sound") from None
        pcm = _decoded(stream.codec, content, upto=ends - stream.starts)
        first = int(max(0.0, starts - stream.starts) * RATE) * SAMPLE_BYTES
        last = int((ends - stream.starts) * RATE) * SAMPLE_BYTES
        return wav(pcm[first:last])
    raise Refused("no_sound")


def wav(pcm: bytes) -> bytes:
    """16 kHz mono s16 samples as a WAV file."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(SAMPLE_BYTES)
        file.setframerate(RATE)
        file.writeframes(pcm)
    return made.getvalue()


def _decoded(codec: str, content: bytes, *, upto: float) -> bytes:
    """The samples of the first `upto` seconds."""
    decoder = WebmDecoder() if codec == AudioStream.Codec.WEBM else PcmDecoder()
    found: list[bytes] = []
    wanted = int(upto * BYTES_A_SECOND)
    have = 0
    try:
        for start in range(0, len(content), 4096):
            found.append(decoder.decode(content[start : start + 4096]).pcm)
            have += len(found[-1])
            if have >= wanted:
                break
    except NotAudio:
        pass  # what was readable is what there is to hear
    return b"".join(found)


def _keep_until(reading: Reading, now: datetime) -> date | None:
    """The day on which the recording would be deleted; None where it is not kept."""
    days = reading.school.audio_days
    student = reading.student_session.student_id
    agreed = ConsentState.objects.filter(student=student, purpose__in=KEEPING, granted=True).count() == len(KEEPING)
    return now.date() + timedelta(days=days) if days and agreed else None


def _complete(stream: AudioStream, reading: Reading, now: datetime) -> bool:
    if stream.chunks is not None and stream.received >= stream.chunks:
        return True
    if not may_record(reading.student_session):
        return True
    return (reading.ended_at or reading.updated_at) < now - LATE_EVENTS_FOR


def _keep(stream: AudioStream, reading: Reading) -> str:
    """Write the file; its name. Its place tells the school and the reading, and nobody's name."""
    chunks = AudioChunk.objects.filter(stream=stream, data__isnull=False).order_by("number")
    content = b"".join(bytes(data) for data in chunks.values_list("data", flat=True) if data is not None)
    if not content:
        return str(stream.kept)
    storage = AudioStream._meta.get_field("kept").storage
    name = f"{reading.school_id}/{reading.pk}/{stream.number}.{stream.codec}"
    if storage.exists(name):
        storage.delete(name)
    return str(storage.save(name, ContentFile(content)))
