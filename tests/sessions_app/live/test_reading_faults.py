"""What becomes of readings while the database is away, or refuses what one of them brings."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DataError, OperationalError, connection
from django.utils import timezone

from sessions_app.live.audio_intake import AudioIntake
from sessions_app.live.chunks import Frame
from sessions_app.live.ears import Ears
from sessions_app.live.following import follower_of
from sessions_app.live.recorder import Recorder
from sessions_app.live.services import and_give_back
from sessions_app.models import LiveSession, Student
from sessions_app.reading import course, recording
from sessions_app.reading.course import StreamState, Taken
from sessions_app.reading.recording import Item, Silence, Verdict
from sessions_app.speech.transcriber import Anything
from tests.cast import consent, join
from tests.reading_cast import HOLDER
from tests.voices import quiet, wav

SAM, TIA = uuid4(), uuid4()
SAMPLES = wav(quiet(0.3))


def taken(**more: Any) -> Taken:
    found = {
        "reading_id": SAM, "session_id": uuid4(), "student_session_id": uuid4(), "school_id": uuid4(),
        "expected": Anything(), "grade": None, "audio_seconds": 0.0, "audio_bytes": 0, "heard_seconds": 0.0,
        "utterances": (), "next_transcript": 0, "windows": 0, "helps": 0, "streams": {}, "ended": False,
    }  # fmt: skip
    return Taken(**found | more)


class Database:
    """What runs in threads. `away` is how often it does not answer; it keeps what comes, but nothing of `refused`."""

    def __init__(self, *, away: int = 0, refused: UUID | None = None) -> None:
        self.away = away
        self.refused = refused
        self.kept: list[Item] = []

    async def in_thread(self, work: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        await asyncio.sleep(0)
        if self.away:
            self.away -= 1
            raise OperationalError("the connection is lost")
        if work is recording.items_record:
            return self.record(arguments[0])
        return StreamState(uuid4(), more["codec"], 0, None) if work is course.stream_begin else []

    def record(self, items: Sequence[Item]) -> list[Verdict]:
        if any(item.reading_id == self.refused for item in items):
            raise DataError("that is no number")
        self.kept += items
        return ["kept"] * len(items)


class Said(list[tuple[UUID, Verdict]]):
    """The verdicts that a recorder reports, by reading."""

    def __call__(self, item: Item, verdict: Verdict) -> None:
        self.append((item.reading_id, verdict))


async def test_what_the_database_refuses_of_one_reading_costs_no_other_one():
    database, said = Database(refused=SAM), Said()
    recorder = Recorder(database.in_thread, holder=HOLDER)
    for second in range(2):
        for reading in (SAM, TIA):
            recorder.submit(Silence(reading_id=reading, upto=second), said)
    await recorder.drained()
    assert sorted(said) == sorted([(SAM, "unwritable")] * 2 + [(TIA, "kept")] * 2)
    recorder.submit(Silence(reading_id=TIA, upto=2.0), said)
    await recorder.drained()
    assert said[-1] == (TIA, "kept")
    await recorder.stop(within=1)


@asynccontextmanager
async def intake(database: Database, about: Taken, frames: list[str]) -> AsyncIterator[AudioIntake]:
    recorder = Recorder(database.in_thread, holder=HOLDER)
    made = AudioIntake(
        about, recorder=recorder, in_thread=database.in_thread, push=frames.append, sound=lambda _pcm: None,
        refused=frames.append,
    )  # fmt: skip
    yield made
    await made.stop()
    await recorder.stop(within=1)


async def test_a_recording_that_begins_while_the_database_is_away_comes_in():
    frames: list[str] = []
    async with intake(Database(away=2), taken(), frames) as sound:
        sound.take(Frame(0, 0, SAMPLES))
        sound.take(Frame(0, 1, quiet(0.3)))
        await sound.written()
        await asyncio.sleep(0)
    assert frames[-1] == '{"type":"audio","stream":0,"received":2}'
    assert sound.seconds == pytest.approx(0.6)


async def test_who_listens_goes_on_when_the_database_is_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sessions_app.live.ears.RETRY", 0)
    about = taken(audio_seconds=1.0)

    class Hears:
        """A transcriber that hears nothing; `opened` is how often it was asked to."""

        name, tells_of_silence, opened = "a test", True, 0

        async def open(self, _expected: object, *, before: object = ()) -> "Hears":
            self.opened += 1
            return self

        async def feed(self, pcm: bytes) -> None: ...
        async def finish(self) -> None: ...
        async def abandon(self) -> None: ...
        async def __aiter__(self) -> AsyncIterator[Any]:
            return
            yield

    transcriber, settled = Hears(), []

    async def says(state: str) -> None: ...

    async with intake(Database(away=1), about, []) as sound:
        ears = Ears(
            about.expected, upto=0.0, transcriber=transcriber, follower=follower_of(about), happened=lambda _: None,
            word_heard=lambda _: None, settled=settled.append, says=says,
        )  # fmt: skip
        ears.begin(sound)
        await ears.finish()
    assert transcriber.opened == 2
    assert settled == [1.0]


@pytest.mark.django_db(transaction=True)
def test_a_consent_withdrawn_while_it_is_written_stops_that_student_alone(
    sam_reads, reading_session: LiveSession, tia: Student, monkeypatch: pytest.MonkeyPatch
):
    """The withdrawal comes after the look at the consents, and before the words are written."""
    consent(tia, "audio")
    readings = [course.reading_start(m, at=timezone.now()) for m in (sam_reads, join(reading_session, tia))]
    for reading in readings:
        course.reading_take(reading.student_session_id, holder=HOLDER, now=timezone.now())
    streams = [course.stream_open(reading.pk, number=0, codec="pcm", at=timezone.now()) for reading in readings]

    def withdrawn() -> None:
        if not tia.consents.filter(decision="withdrawn").exists():
            consent(tia, "audio", "withdrawn")
        connection.close()

    write = recording._write

    def write_later(*arguments: Any) -> None:
        meanwhile = threading.Thread(target=withdrawn)
        meanwhile.start()
        meanwhile.join()
        write(*arguments)

    monkeypatch.setattr(recording, "_write", write_later)
    said = Said()

    async def in_thread(work: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        return await asyncio.to_thread(and_give_back, work, *arguments, **more)

    async def scene() -> None:
        recorder = Recorder(in_thread, holder=HOLDER)
        for reading, stream in zip(readings, streams, strict=True):
            recorder.submit(
                recording.Chunk(
                    reading_id=reading.pk, stream_id=stream.id, number=0, received_at=timezone.now(), data=SAMPLES,
                    starts=0.0, seconds=0.3,
                ),
                said,
            )  # fmt: skip
        await recorder.drained()
        await recorder.stop(within=1)

    asyncio.run(scene())
    assert said == [(readings[0].pk, "kept"), (readings[1].pk, "consent_missing")]
