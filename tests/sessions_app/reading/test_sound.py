"""Sound is thrown away when a reading is through, and kept for a while only where that is agreed to."""

import io
import math
import struct
import wave
from datetime import timedelta

import pytest
from django.core.files.storage import InMemoryStorage
from django.utils import timezone

from sessions_app.models import AudioChunk, AudioStream, Reading, School, StudentSession
from sessions_app.reading import settling, sound
from sessions_app.refusals import Refused
from tests.cast import consent
from tests.reading_cast import Listener

pytestmark = pytest.mark.django_db
TODAY = timezone.now().date()
SECOND = b"".join(struct.pack("<h", int(8000 * math.sin(n / 8))) for n in range(16000))


@pytest.fixture(autouse=True)
def storage(monkeypatch: pytest.MonkeyPatch) -> InMemoryStorage:
    """A shelf of the test's own."""
    shelf = InMemoryStorage()
    monkeypatch.setattr(AudioStream._meta.get_field("kept"), "storage", shelf)
    return shelf


@pytest.fixture
def through(reading: Reading, listener: Listener) -> Reading:
    """Sam's reading of three seconds, computed; its device has said that this was all."""
    listener.receives(SECOND, SECOND, SECOND, seconds=1.0)
    listener.says_how_many(3)
    listener.hears("by the spring", upto=3.0)
    settling.reading_settle(reading.pk, at=timezone.now(), holder=listener.holder)
    return Reading.objects.get(pk=reading.pk)


@pytest.fixture
def agreed(sam_reads: StudentSession) -> None:
    """It was agreed that the recording may be kept."""
    consent(sam_reads.student, "keep_audio")


def full() -> int:
    return AudioChunk.objects.filter(data__isnull=False).count()


def test_the_sound_is_thrown_away_when_the_reading_is_through(through: Reading, storage: InMemoryStorage):
    now = timezone.now()
    assert sound.with_sound(now=now) == [through.pk]
    assert sound.sound_settle(through.pk, now=now) == 3
    assert (full(), storage.listdir("")) == (0, ([], []))
    assert sound.with_sound(now=now) == []
    assert AudioChunk.objects.filter(bytes=32000).count() == 3


def test_it_is_kept_where_that_is_agreed_to_with_the_day_of_its_deletion(
    through: Reading, agreed: None, storage: InMemoryStorage
):
    now = timezone.now()
    sound.sound_settle(through.pk, now=now)
    stream = AudioStream.objects.get()
    assert stream.delete_on == (now + timedelta(days=30)).date()
    assert storage.open(stream.kept.name).read() == SECOND * 3
    assert full() == 0


def test_a_school_that_keeps_none_keeps_none(through: Reading, agreed: None, storage: InMemoryStorage):
    School.objects.update(audio_days=0)
    sound.sound_settle(through.pk, now=timezone.now())
    assert storage.listdir("") == ([], [])


def test_a_stream_of_which_more_may_come_waits_for_a_day(through: Reading):
    AudioStream.objects.update(chunks=None)
    now = timezone.now()
    assert sound.sound_settle(through.pk, now=now) == 0
    assert sound.with_sound(now=now) == []
    tomorrow = now + timedelta(hours=25)
    assert sound.with_sound(now=tomorrow) == [through.pk]
    assert sound.sound_settle(through.pk, now=tomorrow) == 3


def test_a_stream_waits_for_nothing_when_its_voice_may_not_be_recorded(through: Reading, sam_reads: StudentSession):
    AudioStream.objects.update(chunks=None)
    consent(sam_reads.student, "audio", "withdrawn")
    now = timezone.now()
    assert sound.with_sound(now=now) == [through.pk]
    assert (sound.sound_settle(through.pk, now=now), full()) == (3, 0)


def test_a_clip_is_what_was_said_then(through: Reading, agreed: None):
    sound.sound_settle(through.pk, now=timezone.now())
    with wave.open(io.BytesIO(sound.clip(through, starts=1.0, ends=1.5, today=TODAY))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (16000, 1, 8000)
        assert file.readframes(8000) == SECOND[:16000]


def test_what_is_not_kept_cannot_be_heard(through: Reading):
    with pytest.raises(Refused, match="no_sound"):
        sound.clip(through, starts=0, ends=1, today=TODAY)


def test_a_recording_that_vanished_cannot_be_heard(through: Reading, agreed: None, storage: InMemoryStorage):
    sound.sound_settle(through.pk, now=timezone.now())
    storage.delete(AudioStream.objects.get().kept.name)
    with pytest.raises(Refused, match="no_sound"):
        sound.clip(through, starts=0, ends=1, today=TODAY)


def test_a_recording_is_deleted_on_its_day(through: Reading, agreed: None, storage: InMemoryStorage):
    now = timezone.now()
    sound.sound_settle(through.pk, now=now)
    name = AudioStream.objects.get().kept.name
    assert sound.sound_purge(now=now) == 0
    due = now + timedelta(days=30)
    with pytest.raises(Refused, match="no_sound"):
        sound.clip(through, starts=0, ends=1, today=due.date())
    assert (sound.sound_purge(now=due, dry_run=True), storage.exists(name)) == (1, True)
    assert (sound.sound_purge(now=due), storage.exists(name)) == (1, False)
    stream = AudioStream.objects.get()
    assert (stream.kept.name, stream.deleted_at) == ("", due)


@pytest.mark.parametrize("purpose", ["audio", "keep_audio"])
def test_a_recording_is_silent_and_then_deleted_when_a_consent_to_it_is_taken_back(
    through: Reading, agreed: None, sam_reads: StudentSession, purpose: str
):
    sound.sound_settle(through.pk, now=timezone.now())
    assert sound.clip(through, starts=0, ends=1, today=TODAY)
    consent(sam_reads.student, purpose, "withdrawn")
    with pytest.raises(Refused, match="no_sound"):
        sound.clip(through, starts=0, ends=1, today=TODAY)
    assert sound.sound_purge(now=timezone.now()) == 1
