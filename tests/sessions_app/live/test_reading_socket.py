"""A student reads over a real socket, and the offline engine listens: words, miscues, and what can go wrong."""

import asyncio
import json
import os
import struct
from collections.abc import Sequence
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from sessions_app.models import (
    AudioChunk,
    AudioStream,
    BatchMetrics,
    HelpEvent,
    LiveSession,
    Miscue,
    Passage,
    Reading,
    SessionEvent,
    SessionSummary,
    StudentSession,
    Transcript,
    User,
)
from tests.cast import consent, join
from tests.reading_cast import TEXT
from tests.sessions_app.live.clients import Page, eventually, sign_in_cookie, student_page, teacher_page
from tests.sessions_app.live.conftest import Server
from tests.voices import chunks, needs_voice, quiet, spoken, wav, webm

pytestmark = [pytest.mark.django_db(transaction=True), needs_voice]

MISREAD = (
    "By the spring of the year a camel ran along the bank. Boats brought coal and iron from the west. "
    "In the foundry, workers poured metal into sand and waited while it cooled to grey."
)
"""`canal` is said otherwise; `the bright` is left out."""


class Recorder:
    """A microphone: sends chunks as a page does, and keeps them until they are received."""

    def __init__(self, page: Page, stream: int = 0) -> None:
        self.page = page
        self.stream = stream

    async def send(self, number: int, data: bytes) -> None:
        await self.page.say(struct.pack(">II", self.stream, number) + data)

    async def play(self, sound: tuple[bytes, ...], *, speed: float = 6.0, first: int = 0) -> None:
        """Send everything, `speed` times faster than it was spoken."""
        for number, data in enumerate(sound, first):
            await self.send(number, data)
            await asyncio.sleep(0.3 / speed)

    async def received(self, count: int) -> None:
        await self.page.until("audio", lambda f: f["stream"] == self.stream and f["received"] >= count)

    async def stop(self, count: int) -> None:
        await self.page.ack_of(
            await self.page.send_event("recording_stopped", {"stream": self.stream, "chunks": count})
        )


@asynccontextmanager
async def reader(server: Server, member: StudentSession):
    """Sam's page, with the reading begun."""
    async with student_page(server, member) as page:
        await page.until("state")
        await page.ack_of(await page.send_event("reading_started"))
        yield page, Recorder(page)


async def finish(page: Page, microphone: Recorder, count: int) -> None:
    await microphone.stop(count)
    await page.ack_of(await page.send_event("reading_finished"))
    async with asyncio.timeout(40):
        while True:
            frame = await page.until("reading")
            if frame["state"] == "through":
                return


async def read_whole(page: Page, microphone: Recorder, sound: Sequence[bytes]) -> None:
    """All of it, from the first chunk until it was listened to."""
    await microphone.play(sound)
    await microphone.received(len(sound))
    await finish(page, microphone, len(sound))


def words_of(reading: Reading) -> list[str]:
    return [word for row in Transcript.objects.filter(reading=reading).order_by("number") for word in row.text.split()]


def test_a_reading_is_heard_while_it_is_read(
    server: Server, sam_reads: StudentSession, reading_session: LiveSession, alice: User, tmp_path: Path
):
    """And a recording of it, scored by `score_reading`, comes to the same."""
    sound = chunks(MISREAD)
    cookie = sign_in_cookie(alice)

    async def scene() -> list[dict]:
        async with (
            teacher_page(server, reading_session, cookie) as teacher,
            reader(server, sam_reads) as (page, microphone),
        ):
            state = await teacher.until("state")
            await teacher.say({"type": "resume", "epoch": state["epoch"], "after": 0})
            await read_whole(page, microphone, sound)
            seen = await teacher.until("events", lambda f: any(e["event"] == "reading_ended" for e in f["events"]))
            assert seen
            frames = [f for f in page.received if f["type"] == "reading"]
            assert len({f["reached"] for f in frames}) > 5
            assert frames[-1]["reached"] == 37
            return [e for f in teacher.received if f["type"] == "events" for e in f["events"]]

    told = asyncio.run(scene())
    kinds = {event["event"] for event in told}
    assert {"reading_started", "listening", "words", "recording_stopped", "reading_finished", "reading_ended"} <= kinds
    heard = next(e for e in told if e["event"] == "words" and e["data"]["final"])
    assert heard["data"]["of"] == 37
    reading = Reading.objects.get()
    assert reading.engine.startswith("pocketsphinx")
    marks = set(Miscue.objects.filter(counted=True).values_list("type", "expected"))
    assert ("substitution", "canal") in marks
    assert ("omission", "bright") in marks
    summary = SessionSummary.objects.get()
    assert summary.attempted == 37
    assert 30 <= summary.correct <= 36
    assert BatchMetrics.objects.count() == 1
    stream = AudioStream.objects.get()
    assert (stream.received, stream.chunks) == (len(sound), len(sound))
    assert stream.seconds == pytest.approx(len(spoken(MISREAD)) / 32000, abs=0.3)
    eventually(lambda: not AudioChunk.objects.filter(data__isnull=False).exists())

    (tmp_path / "reading.webm").write_bytes(b"".join(sound))
    (tmp_path / "passage.txt").write_text(TEXT)
    out = StringIO()
    call_command("score_reading", str(tmp_path / "reading.webm"), str(tmp_path / "passage.txt"), json=True, stdout=out)
    scored = json.loads(out.getvalue())
    words = [word for row in Transcript.objects.order_by("number") for word in row.words]
    assert [list(word.values()) for word in scored["words"]] == words
    assert {(one["type"], one["expected"] or "") for one in scored["miscues"]} == marks
    window = BatchMetrics.objects.get()
    assert (scored["windows"][0]["words"], scored["windows"][0]["miscues"]) == (window.words, len(marks))
    assert scored["wcpm"] == pytest.approx(summary.wcpm, rel=0.02)


def test_what_is_acknowledged_is_committed(server: Server, sam_reads: StudentSession):
    sound = chunks(TEXT)[:6]

    async def scene() -> None:
        async with reader(server, sam_reads) as (_page, microphone):
            for number, data in enumerate(sound):
                await microphone.send(number, data)
                await microphone.received(number + 1)
                assert await asyncio.to_thread(AudioChunk.objects.filter(data__isnull=False).count) == number + 1

    asyncio.run(scene())
    assert b"".join(bytes(c.data) for c in AudioChunk.objects.order_by("number")) == b"".join(sound)


def test_chunks_may_come_doubled_out_of_order_and_late(server: Server, sam_reads: StudentSession):
    sound = chunks(TEXT)
    order = list(range(len(sound)))
    order[3], order[4] = order[4], order[3]
    order.insert(8, 5)

    async def scene() -> None:
        async with reader(server, sam_reads) as (page, microphone):
            for number in order:
                if number != 10:
                    await microphone.send(number, sound[number])
                    await asyncio.sleep(0.02)
            asked = await page.until("audio_missing")
            assert (asked["stream"], asked["chunks"]) == (0, [10])
            await microphone.send(10, sound[10])
            await microphone.received(len(sound))
            await finish(page, microphone, len(sound))

    asyncio.run(scene())
    assert not AudioChunk.objects.filter(lost=True).exists()
    assert words_of(Reading.objects.get())[1:5] == ["the", "spring", "of", "the"]


def test_a_chunk_that_never_comes_is_passed_over(server: Server, sam_reads: StudentSession):
    sound = chunks(TEXT)

    async def scene() -> None:
        async with reader(server, sam_reads) as (page, microphone):
            await microphone.play(sound[:9], speed=20)
            await microphone.play(sound[10:], speed=20, first=10)
            async with asyncio.timeout(25):
                while not any(f["type"] == "audio" and f["received"] == len(sound) for f in page.received):
                    await page.next()
            await finish(page, microphone, len(sound))

    asyncio.run(scene())
    assert [c.number for c in AudioChunk.objects.filter(lost=True)] == [9]
    assert "grey" in words_of(Reading.objects.get())


def test_a_reconnect_goes_on_in_the_same_reading(server: Server, sam_reads: StudentSession):
    sound = chunks(TEXT)
    half = len(sound) // 2

    async def scene() -> None:
        async with reader(server, sam_reads) as (_page, microphone):
            await microphone.play(sound[:half])
        async with student_page(server, sam_reads) as page:
            state = await page.until("state")
            assert state["reading"]["state"] == "open"
            told = await page.until("audio")
            assert told["received"] == half
            microphone = Recorder(page)
            await microphone.play(sound[half:], first=half)
            await finish(page, microphone, len(sound))

    asyncio.run(scene())
    heard = words_of(Reading.objects.get())
    assert heard[2] == "spring" and heard[-1] == "grey"
    assert Reading.objects.count() == 1


def test_a_page_that_is_loaded_again_begins_another_stream(server: Server, sam_reads: StudentSession):
    first, second = (
        chunks("By the spring of the year a canal ran along the bank."),
        chunks("Boats brought coal and iron from the west."),
    )

    async def scene() -> None:
        async with reader(server, sam_reads) as (_page, microphone):
            await microphone.play(first)
            await microphone.received(len(first))
            await microphone.stop(len(first))
        async with student_page(server, sam_reads) as page:
            state = await page.until("state")
            assert state["reading"]["next_stream"] == 1
            microphone = Recorder(page, stream=1)
            await microphone.play(second)
            await microphone.received(len(second))
            await finish(page, microphone, len(second))

    asyncio.run(scene())
    assert [s.starts for s in AudioStream.objects.order_by("number")][1] > 3
    heard = words_of(Reading.objects.get())
    assert "spring" in heard[:3] and heard[-1] == "west"


def test_another_web_process_goes_on_with_what_was_kept(server: Server, sam_reads: StudentSession, tmp_path):
    """The process that listened is killed: what it had acknowledged is heard by the next."""
    from tests.sessions_app.live.conftest import serve

    sound = chunks(TEXT)
    half = len(sound) // 2
    doomed = serve(tmp_path / "doomed.log")

    async def before() -> None:
        async with reader(doomed, sam_reads) as (_page, microphone):
            await microphone.play(sound[:half])
            await microphone.received(half)
            doomed.kill()

    async def after() -> None:
        async with student_page(server, sam_reads) as page:
            await page.until("audio", lambda f: f["received"] == half)
            microphone = Recorder(page)
            await microphone.play(sound[half:], first=half)
            await finish(page, microphone, len(sound))

    asyncio.run(before())
    asyncio.run(after())
    heard = words_of(Reading.objects.get())
    assert heard[2] == "spring" and heard[-1] == "grey" and len(heard) >= 34


def test_a_microphone_without_webm_sends_samples(server: Server, sam_reads: StudentSession):
    data = wav(spoken("By the spring of the year a canal ran along the bank."))
    sound = tuple(data[at : at + 9600] for at in range(0, len(data), 9600))

    async def scene() -> None:
        async with reader(server, sam_reads) as (page, microphone):
            await read_whole(page, microphone, sound)

    asyncio.run(scene())
    assert AudioStream.objects.get().codec == "pcm"
    assert "spring" in words_of(Reading.objects.get())[:3]


def test_sound_without_consent_is_not_kept(server: Server, sam_reads: StudentSession):
    sound = chunks(TEXT)

    async def scene() -> None:
        async with reader(server, sam_reads) as (page, microphone):
            await microphone.play(sound[:4])
            await microphone.received(4)
            await asyncio.to_thread(consent, sam_reads.student, "audio", "withdrawn")
            await microphone.play(sound[4:8], first=4)
            refused = await page.until("audio", lambda f: "refused" in f)
            assert (refused["stream"], refused["refused"]) == (0, "consent_missing")
            error = await page.until("error")
            assert error["code"] == "consent_missing"

    asyncio.run(scene())
    assert AudioChunk.objects.count() == 4
    eventually(lambda: not AudioChunk.objects.filter(data__isnull=False).exists())


def test_a_reading_cannot_begin_without_consent(server: Server, reading_session: LiveSession, tia):
    member = join(reading_session, tia)

    async def scene() -> None:
        async with student_page(server, member) as page:
            await page.until("state")
            await page.send_event("reading_started")
            assert (await page.until("error"))["code"] == "consent_missing"
            await Recorder(page).send(0, chunks(TEXT)[0])
            assert (await page.until("error"))["code"] == "no_reading"

    asyncio.run(scene())
    assert not Reading.objects.exists()


def bomb() -> bytes:
    """Many minutes of sound in some ten kilobytes, after the header of a recording that is none."""
    head = webm(quiet(1.0))
    head = head[: head.index(b"\x1f\x43\xb6\x75")]
    block = b"\xa3\x86\x81\x00\x00\x80\x0b\xe4"  # two frames of 60 ms, both empty
    return head + b"\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff\xe7\x81\x00" + block * 7000


def test_what_is_no_sound_costs_its_own_stream(server: Server, sam_reads: StudentSession):
    """One clear sentence for each, and the page is told to begin another stream; the reading goes on in that."""
    bad = {
        os.urandom(4000): {"not_webm"},
        b"\x00\x00\x00\x18ftypmp42" + bytes(500): {"mp4"},
        bomb(): {"too_dense", "damaged"},
    }
    sound = list(chunks("By the spring of the year a canal ran along the bank."))
    sound[4] = sound[4][: len(sound[4]) // 3]

    async def scene() -> None:
        async with reader(server, sam_reads) as (page, microphone):
            await microphone.send(0, b"")
            assert (await page.until("error"))["code"] == "bad_audio"
            for stream, (data, codes) in enumerate(bad.items()):
                await Recorder(page, stream).send(0, data)
                told = await page.until("audio", lambda f: "refused" in f)
                assert told["stream"] == stream and told["refused"] in codes
                error = await page.until("error")
                assert error["code"] == told["refused"] and error["message"].count(".") <= 2
            await Recorder(page, len(bad)).send(0, b"\x1a\x45\xdf\xa3" + os.urandom(3000))
            good = Recorder(page, len(bad) + 1)
            await good.play(tuple(sound))
            await good.received(len(sound))
            await good.stop(len(sound))
            await finish(page, microphone, 1)

    asyncio.run(scene())
    heard = words_of(Reading.objects.get())
    assert heard[:2] == ["by", "the"] and {"canal", "along", "bank"} <= set(heard)


def test_ten_megabytes_of_noise_hurt_nobody(server: Server, sam_reads: StudentSession, tia):
    """Neither the reading itself, which begins another stream, nor who reads beside it."""
    consent(tia, "audio")
    tia_in = join(sam_reads.session, tia)
    sound = chunks("By the spring of the year a canal ran along the bank.")
    noise = os.urandom(64 * 1024)

    async def flood() -> None:
        async with reader(server, sam_reads) as (page, microphone):
            await microphone.send(0, noise)
            await page.until("error", lambda f: f["code"] == "not_webm")
            for number in range(1, 160):
                await microphone.send(number, noise)
            await page.until("audio", lambda f: f["received"] == 160)

    async def beside() -> None:
        async with reader(server, tia_in) as (page, microphone):
            await read_whole(page, microphone, sound)

    async def scene() -> None:
        await asyncio.gather(flood(), beside())

    asyncio.run(scene())
    assert "spring" in words_of(Reading.objects.get(student_session=tia_in))[:3]
    assert sum(AudioStream.objects.filter(reading__student_session=sam_reads).values_list("bytes", flat=True)) == 0


def test_a_student_who_is_stuck_asks_for_help(server: Server, sam_reads: StudentSession):
    async def scene() -> dict:
        async with reader(server, sam_reads) as (page, microphone):
            await microphone.play(chunks(TEXT)[:5])
            await page.ack_of(await page.send_event("stuck", {"word": 22}))
            shown = await page.until("help")
            await page.ack_of(await page.send_event("help_played", {"help": shown["help"]}))
            await page.send_event("stuck", {"word": 4000})
            assert (await page.until("error"))["code"] == "no_such_word"
            return shown

    shown = asyncio.run(scene())
    assert shown["word"] == "foundry"
    given = HelpEvent.objects.get()
    assert (given.reason, given.index) == ("asked", 22)
    assert given.played_at is not None
    kinds = [e.event_type for e in SessionEvent.objects.order_by("seq")]
    assert {"stuck", "help_given", "help_played"} <= set(kinds)


def test_silence_inside_the_passage_is_a_struggle_that_gives_help(server: Server, sam_reads: StudentSession):
    begun = spoken("By the spring of the year a canal ran along the bank. Boats brought coal and")
    data = wav(begun + bytes(32000 * 6))
    sound = tuple(data[at : at + 9600] for at in range(0, len(data), 9600))

    async def scene() -> dict:
        async with reader(server, sam_reads) as (page, microphone):
            await microphone.play(sound, speed=1)  # help that comes late is not given
            return await page.until("help")

    shown = asyncio.run(scene())
    assert shown["index"] in range(11, 17)
    struggles = SessionEvent.objects.filter(event_type="struggle")
    assert {"silence"} == {event.payload["sign"] for event in struggles}


def test_the_end_of_the_session_ends_the_reading(
    server: Server, sam_reads: StudentSession, reading_session: LiveSession, alice: User
):
    from sessions_app import lifecycle

    sound = chunks("By the spring of the year a canal ran along the bank.")

    async def scene() -> None:
        async with reader(server, sam_reads) as (page, microphone):
            await microphone.play(sound)
            await microphone.received(len(sound))
            await asyncio.to_thread(lifecycle.session_end, reading_session, by=alice)
            async with asyncio.timeout(40):
                while (await page.until("reading"))["state"] != "through":
                    pass

    asyncio.run(scene())
    reading = Reading.objects.get()
    assert (reading.state, reading.end_reason) == ("ended", "session_over")
    assert SessionSummary.objects.get().words >= 10


def test_free_speech_follows_prompts(server: Server, reading_session: LiveSession, sam, alice: User):
    prompts = Passage.objects.create(
        school=alice.school, kind="prompts", title="Greetings",
        text="Good morning to everybody in the room.\nHow are you doing on this fine day?",
    )  # fmt: skip
    LiveSession.objects.filter(pk=reading_session.pk).update(activity="conversation", passage=prompts)
    consent(sam, "audio")
    member = join(LiveSession.objects.get(pk=reading_session.pk), sam)
    sound = chunks("How are you doing on this fine day? Good morning to everybody in the room.")

    async def scene() -> None:
        async with reader(server, member) as (page, microphone):
            await read_whole(page, microphone, sound)

    asyncio.run(scene())
    result = Reading.objects.get().spoken_result
    assert result.words >= 12
    assert result.fluency is not None and result.pronunciation is not None
    assert SessionSummary.objects.get().wcpm is None


def test_sound_from_a_device_that_was_away_is_taken_after_the_end(
    server: Server, sam_reads: StudentSession, reading_session: LiveSession, alice: User
):
    from sessions_app import lifecycle

    sound = chunks(TEXT)
    half = len(sound) // 2

    async def scene() -> None:
        async with reader(server, sam_reads) as (_page, microphone):
            await microphone.play(sound[:half])
            await microphone.received(half)
        await asyncio.to_thread(lifecycle.session_end, reading_session, by=alice)
        async with student_page(server, sam_reads) as page:
            microphone = Recorder(page)
            await microphone.play(sound[half:], first=half, speed=20)
            await microphone.received(len(sound))
            async with asyncio.timeout(40):
                while (await page.until("reading"))["state"] != "through":
                    pass

    asyncio.run(scene())
    heard = words_of(Reading.objects.get())
    assert heard[2] == "spring" and heard[-1] == "grey"
    assert Reading.objects.get().settled_at is not None


def test_what_nobody_came_back_for_is_heard_by_the_worker(
    server: Server, sam_reads: StudentSession, reading_session: LiveSession, alice: User, tmp_path
):
    from datetime import timedelta

    from sessions_app import lifecycle
    from sessions_app.live.catching_up import readings_catch_up
    from tests.sessions_app.live.conftest import serve

    sound = chunks(TEXT)
    doomed = serve(tmp_path / "doomed.log")

    async def scene() -> None:
        async with reader(doomed, sam_reads) as (_page, microphone):
            await microphone.play(sound, speed=20)
            await microphone.received(len(sound))
            doomed.kill()

    asyncio.run(scene())
    lifecycle.session_end(reading_session, by=alice)
    Reading.objects.update(
        held_until=timezone.now() - timedelta(minutes=1), updated_at=timezone.now() - timedelta(hours=1)
    )
    assert readings_catch_up(now=timezone.now()) == 1
    heard = words_of(Reading.objects.get())
    assert heard[2] == "spring" and heard[-1] == "grey"
    assert SessionSummary.objects.get().attempted == 37
    assert readings_catch_up(now=timezone.now()) == 0
