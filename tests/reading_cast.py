"""A class that reads aloud: Alice's session with a passage, Sam reading in it, and words as if they had been heard."""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from sessions_app import lifecycle
from sessions_app.events import WordsHeard
from sessions_app.models import AudioStream, LiveSession, Passage, Reading, SchoolClass, Student, StudentSession, User
from sessions_app.reading import course, passages, recording
from sessions_app.speech.transcriber import HeardWord
from tests.cast import consent, join, make_session

TEXT = (
    "By the spring of the year a canal ran along the bank. Boats brought coal and iron from the west. "
    "In the foundry, workers poured the bright metal into sand and waited while it cooled to grey."
)
HOLDER = uuid.UUID("00000000-0000-7000-8000-00000000000a")


def heard(text: str, *, starts: float = 0.0, every: float = 0.5, confidence: float | None = 0.9) -> list[HeardWord]:
    """Words as an engine would give them, one after the other."""
    return [
        HeardWord(word, starts + n * every, starts + n * every + every * 0.8, confidence)
        for n, word in enumerate(text.split())
    ]


@pytest.fixture
def passage(alice: User) -> Passage:
    return passages.passage_make(by=alice, school=alice.school, title="The canal", text=TEXT, grade=4)


@pytest.fixture
def reading_session(alice: User, grade_four: SchoolClass, sam: Student, tia: Student, passage: Passage) -> LiveSession:
    """Alice's class reads the passage aloud; it has begun."""
    made = make_session(alice, grade_four, title="Reading", activity="reading", passage=passage)
    return lifecycle.session_start(made, by=alice)


@pytest.fixture
def sam_reads(reading_session: LiveSession, sam: Student) -> StudentSession:
    """Sam is in that session, and may be recorded."""
    consent(sam, "audio")
    return join(reading_session, sam)


@pytest.fixture
def reading(sam_reads: StudentSession) -> Reading:
    """Sam has begun to read."""
    return course.reading_start(sam_reads, at=timezone.now())


class Listener:
    """As if a process listened to a reading: it takes it up and writes what it hears."""

    def __init__(self, reading: Reading, *, holder: uuid.UUID = HOLDER) -> None:
        self.reading = reading
        self.holder = holder
        taken = course.reading_take(reading.student_session_id, holder=holder, now=timezone.now())
        assert taken is not None
        self.taken = taken
        self.number = taken.next_transcript

    def hears(self, *utterances: Sequence[HeardWord] | str, upto: float | None = None) -> list[str]:
        """Write utterances, one after the other; the verdicts."""
        items = []
        starts = self.taken.heard_seconds
        for utterance in utterances:
            words = heard(utterance, starts=starts) if isinstance(utterance, str) else list(utterance)
            starts = words[-1].end
            event = WordsHeard(reading=self.reading.pk, seconds=starts, reached=0, final=True)
            items.append(
                recording.Spoken(
                    reading_id=self.reading.pk, number=self.number, words=tuple(words),
                    upto=starts if upto is None else upto, engine="a test", at=timezone.now(), event=event,
                )
            )  # fmt: skip
            self.number += 1
        return list(recording.items_record(items, holder=self.holder))

    def receives(self, *chunks: bytes | None, stream: int = 0, seconds: float = 0.5, first: int = 0) -> list[str]:
        """Write chunks of sound; the verdicts."""
        opened = course.stream_open(self.reading.pk, number=stream, codec="pcm", at=timezone.now())
        return list(
            recording.items_record(
                [
                    recording.Chunk(
                        reading_id=self.reading.pk, stream_id=opened.id, number=first + n, received_at=timezone.now(),
                        data=data, starts=(first + n) * seconds, seconds=seconds if data is not None else 0.0,
                    )
                    for n, data in enumerate(chunks)
                ],
                holder=self.holder,
            )
        )  # fmt: skip

    def says_how_many(self, chunks: int, *, stream: int = 0) -> None:
        AudioStream.objects.filter(reading=self.reading, number=stream).update(chunks=chunks)


@pytest.fixture
def listener(reading: Reading) -> Listener:
    return Listener(reading)


Read = Callable[..., Reading]


@pytest.fixture
def has_read(reading: Reading, listener: Listener) -> Read:
    """Let Sam have read these words, with these seconds of sound, and compute what it comes to."""
    from sessions_app.reading import settling

    def read(*utterances: str, seconds: float | None = None, at: datetime | None = None) -> Reading:
        listener.hears(*utterances)
        if seconds is not None:
            Reading.objects.filter(pk=reading.pk).update(heard_seconds=seconds, audio_seconds=seconds)
        settling.reading_settle(reading.pk, at=at or timezone.now() + timedelta(minutes=3), holder=listener.holder)
        return Reading.objects.get(pk=reading.pk)

    return read
