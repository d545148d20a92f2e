"""A reading is begun with consent, listened to by one process at a time, and written in batches."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from sessions_app import lifecycle
from sessions_app.models import (
    AudioChunk,
    AudioStream,
    LiveSession,
    Passage,
    Reading,
    SessionEvent,
    StudentSession,
    Transcript,
    User,
)
from sessions_app.reading import course, moments, recording
from sessions_app.refusals import Refused
from sessions_app.speech.transcriber import Anything, Prompts
from sessions_app.speech.windows import MiscueCounts, Window
from tests.cast import consent
from tests.reading_cast import HOLDER, Listener

pytestmark = pytest.mark.django_db
OTHER = uuid.uuid4()


def refusal(work: object, *args: object, **kwargs: object) -> str:
    with pytest.raises(Refused) as refused:
        work(*args, **kwargs)  # type: ignore[operator]
    return refused.value.code


def test_a_reading_begins_once(sam_reads: StudentSession, reading: Reading):
    assert course.reading_start(sam_reads, at=timezone.now()) == reading
    assert course.reading_of(sam_reads) == reading


def test_nobody_reads_without_a_consent_for_the_voice(sam_reads: StudentSession):
    consent(sam_reads.student, "audio", "withdrawn")
    assert refusal(course.reading_start, sam_reads, at=timezone.now()) == "consent_missing"


def test_nobody_reads_before_the_start_or_in_a_study(sam_reads: StudentSession):
    sam_reads.session.status = "configured"
    assert refusal(course.reading_start, sam_reads, at=timezone.now()) == "not_started"
    sam_reads.session.activity = "socratic"
    assert refusal(course.reading_start, sam_reads, at=timezone.now()) == "no_activity"


def test_a_finished_reading_is_not_begun_again(sam_reads: StudentSession, reading: Reading):
    assert course.reading_finish(sam_reads, at=timezone.now()).end_reason == "finished"
    assert refusal(course.reading_start, sam_reads, at=timezone.now()) == "reading_over"
    assert refusal(course.reading_finish, sam_reads, at=timezone.now()) == "no_reading"


def test_who_takes_a_reading_up_finds_what_was_heard(reading: Reading, listener: Listener):
    listener.receives(b"\0\0" * 8000, b"\0\0" * 8000)
    listener.hears("by the spring", "of the year")
    taken = course.reading_take(reading.student_session_id, holder=OTHER, now=timezone.now())
    assert taken is not None
    assert [[word.word for word in words] for words in taken.utterances] == [
        ["by", "the", "spring"], ["of", "the", "year"],
    ]  # fmt: skip
    assert (taken.next_transcript, taken.audio_seconds, taken.streams[0].received) == (2, 1.0, 2)
    assert list(course.sound_of(reading.pk)) == [(0, "pcm", b"\0\0" * 8000)] * 2


def test_what_the_one_before_still_writes_is_refused(reading: Reading, listener: Listener):
    course.reading_take(reading.student_session_id, holder=OTHER, now=timezone.now())
    assert listener.hears("by the spring") == ["held_elsewhere"]
    assert not Transcript.objects.exists()
    window = Window(0, 0, 60, 1, 1, 1, MiscueCounts(), None, ())
    assert moments.window_record(reading.pk, window, holder=HOLDER, at=timezone.now()) is False
    assert moments.window_record(reading.pk, window, holder=OTHER, at=timezone.now()) is True


def test_a_reading_without_a_sign_of_its_listener_may_be_taken_up(reading: Reading, listener: Listener):
    now = timezone.now()
    assert course.reading_take_up(reading.pk, holder=OTHER, now=now) is None
    assert course.readings_keep([reading.pk], holder=HOLDER, now=now) == 1
    later = now + course.HOLDS_FOR + timedelta(seconds=1)
    assert course.reading_take_up(reading.pk, holder=OTHER, now=later) is not None
    assert course.readings_keep([reading.pk], holder=HOLDER, now=later) == 0
    course.reading_release(reading.pk, holder=OTHER)
    assert Reading.objects.get(pk=reading.pk).held_by is None


def test_sound_is_taken_for_a_day_after_the_end(reading: Reading, reading_session: LiveSession, alice: User):
    lifecycle.session_end(reading_session, by=alice)
    now = timezone.now()
    assert course.reading_take(reading.student_session_id, holder=OTHER, now=now) is not None
    assert course.reading_take(reading.student_session_id, holder=OTHER, now=now + timedelta(hours=25)) is None


def test_a_chunk_is_written_once_with_its_place(reading: Reading, listener: Listener):
    assert listener.receives(b"\0\0" * 8000, None, b"\0\0" * 8000) == ["kept"] * 3
    listener.receives(b"\0\0" * 8000)
    chunks = AudioChunk.objects.order_by("number")
    assert [(c.number, c.bytes, c.lost) for c in chunks] == [(0, 16000, False), (1, 0, True), (2, 16000, False)]
    stream = AudioStream.objects.get()
    assert (stream.received, stream.bytes, stream.seconds) == (3, 32000, 1.0)
    member = reading.student_session_id
    assert [c.pk for c in chunks] == [recording.chunk_id(member, c.received_at, c.number) for c in chunks]


def test_of_a_batch_only_that_is_kept_to_which_the_student_agrees(
    reading: Reading, listener: Listener, sam_reads: StudentSession
):
    assert listener.hears("by the") == ["kept"]
    consent(sam_reads.student, "audio", "withdrawn")
    assert listener.hears("spring") == ["consent_missing"]
    assert listener.receives.__name__ == "receives"
    assert Transcript.objects.count() == 1


def test_settled_words_are_on_the_timeline_with_their_record(reading: Reading, listener: Listener):
    listener.hears("by the spring")
    event = SessionEvent.objects.get(event_type="words")
    transcript = Transcript.objects.get()
    assert event.student_session_id == reading.student_session_id
    assert event.payload["reading"] == str(reading.pk)
    assert transcript.words[2] == ["spring", 1.0, 1.4, 0.9]
    assert (transcript.text, transcript.confidence, transcript.engine) == ("by the spring", 0.9, "a test")


def test_a_help_is_given_shown_and_played(reading: Reading, listener: Listener, sam_reads: StudentSession):
    made = moments.NewHelp(
        index=20, word="foundry", reason="silence", at=12.5, text="A foundry melts metal.", parts="foun·dry",
        author="rules", voice="browser", latency_ms=3,
    )  # fmt: skip
    given = moments.help_record(reading.pk, made, holder=HOLDER, at=timezone.now())
    assert given is not None
    moments.help_used(sam_reads, given.pk, played=True, at=timezone.now())
    given.refresh_from_db()
    assert given.played_at is not None and given.dismissed_at is None
    assert refusal(moments.help_used, sam_reads, uuid.uuid4(), played=True, at=timezone.now()) == "no_such_help"


def test_help_has_an_end(reading: Reading, listener: Listener, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(moments, "MOST_HELPS", 1)
    made = moments.NewHelp(
        index=1, word="the", reason="asked", at=1, text="the", parts="", author="rules", voice="", latency_ms=None
    )
    assert moments.help_record(reading.pk, made, holder=HOLDER, at=timezone.now()) is not None
    assert moments.help_record(reading.pk, made, holder=HOLDER, at=timezone.now()) is None


def test_whether_anybody_listens_is_noted_with_the_engine(reading: Reading, listener: Listener):
    at = timezone.now()
    moments.listening_record(reading.pk, state="waiting", engine="", holder=HOLDER, at=at)
    moments.listening_record(reading.pk, state="on", engine="pocketsphinx 5.0", holder=HOLDER, at=at)
    assert Reading.objects.get(pk=reading.pk).engine == "pocketsphinx 5.0"
    noted = SessionEvent.objects.filter(event_type="listening").order_by("seq")
    assert [event.payload["state"] for event in noted] == ["waiting", "on"]


def test_what_is_expected_follows_from_what_was_chosen(passage: Passage):
    assert isinstance(course.expected_of(None), Anything)
    prompts = Passage(kind="prompts", text="Good morning.\n\nHow are you?")
    assert course.expected_of(prompts) == Prompts(("Good morning.", "How are you?"))
    assert course.expected_of(passage).spoken[:3] == ("by", "the", "spring")  # type: ignore[union-attr]


def test_what_is_over_and_silent_waits_to_be_computed(
    reading: Reading, listener: Listener, reading_session: LiveSession, alice: User
):
    later = timezone.now() + timedelta(minutes=5)
    assert course.unsettled(now=later) == []
    lifecycle.session_end(reading_session, by=alice)
    assert course.unsettled(now=later) == [reading.pk]
    assert course.unsettled(now=timezone.now()) == []
