"""Who listens to readings in a running server: engines that are killed, and Amazon Transcribe by its stand-in."""

import asyncio

import psutil
import pytest

from sessions_app.models import (
    BatchMetrics,
    LiveSession,
    Miscue,
    Reading,
    SessionSummary,
    Student,
    StudentSession,
    User,
)
from tests.cast import consent, join
from tests.reading_cast import TEXT
from tests.sessions_app.live.clients import Page, sign_in_cookie, teacher_page
from tests.sessions_app.live.conftest import Server
from tests.sessions_app.live.test_reading_socket import MISREAD, finish, read_whole, reader, words_of
from tests.transcribe_stand_in import Fault, TranscribeStandIn, refuse, reset, spoken
from tests.voices import chunks, cut, needs_voice, wav

pytestmark = pytest.mark.django_db(transaction=True)


def engines_of(server: Server) -> list[psutil.Process]:
    children = psutil.Process(server.process.pid).children(recursive=True)
    return [child for child in children if any("engine_process" in part for part in child.cmdline())]


@needs_voice
def test_a_killed_engine_costs_no_reader_a_word(server: Server, sam_reads: StudentSession, tia: Student):
    consent(tia, "audio")
    both = (sam_reads, join(sam_reads.session, tia))
    sound = chunks(TEXT)

    async def read(member: StudentSession, half_way: asyncio.Barrier) -> Page:
        async with reader(server, member) as (page, microphone):
            await microphone.play(sound[: len(sound) // 2])
            await page.until("reading", lambda f: f["reached"] > 3)
            await half_way.wait()
            await half_way.wait()
            await microphone.play(sound[len(sound) // 2 :], first=len(sound) // 2)
            await finish(page, microphone, len(sound))
            return page

    async def scene() -> None:
        half_way = asyncio.Barrier(3)
        readers = [asyncio.create_task(read(member, half_way)) for member in both]
        await half_way.wait()
        killed = engines_of(server)
        assert killed
        for engine in killed:
            engine.kill()
        await half_way.wait()
        for page in await asyncio.gather(*readers):
            assert not [frame for frame in page.received if frame["type"] == "error"]

    asyncio.run(scene())
    for reading in Reading.objects.all():
        words = words_of(reading)
        assert words[2] == "spring" and words[-1] == "grey"
        assert len(words) == pytest.approx(37, abs=2)
    assert {summary.attempted for summary in SessionSummary.objects.all()} == {37}


@pytest.mark.parametrize(
    ("fault", "says"),
    [(reset(after=5.0), []), (refuse("UnrecognizedClientException", 403), ["listeners_busy"])],
    ids=["reset", "refused for a while"],
)
def test_amazon_hears_a_reading_to_its_end(
    on_amazon: Server, transcribe: TranscribeStandIn, sam_reads: StudentSession, reading_session: LiveSession,
    alice: User, fault: Fault, says: list[str],
):  # fmt: skip
    transcribe.then(fault)
    data = wav(spoken(MISREAD.lower().replace(",", "").replace(".", "")))
    sound = tuple(cut(data, 9600))
    cookie = sign_in_cookie(alice)

    async def scene() -> set[int]:
        async with (
            teacher_page(on_amazon, reading_session, cookie) as teacher,
            reader(on_amazon, sam_reads) as (page, microphone),
        ):
            state = await teacher.until("state")
            await teacher.say({"type": "resume", "epoch": state["epoch"], "after": 0})
            await read_whole(page, microphone, sound)
            await teacher.until("events", lambda f: any(e["event"] == "reading_ended" for e in f["events"]))
            told = [e for f in teacher.received if f["type"] == "events" for e in f["events"]]
            assert [f["code"] for f in page.received if f["type"] == "error"] == says
            return {e["data"]["reached"] for e in told if e["event"] == "words"}

    assert len(asyncio.run(scene())) > 3
    assert transcribe.refused_signatures == 0
    reading = Reading.objects.get()
    assert reading.engine == "amazon-transcribe"
    assert list(Miscue.objects.order_by("index").values_list("type", "expected", "heard")) == [
        ("substitution", "canal", "camel"), ("omission", "the", ""), ("omission", "bright", ""),
    ]  # fmt: skip
    summary = SessionSummary.objects.get()
    assert (summary.attempted, summary.correct, summary.confidence) == (37, 34, pytest.approx(0.93))
    assert BatchMetrics.objects.get().words == 35


def test_amazon_hears_a_conversation_without_any_text(
    on_amazon: Server, transcribe: TranscribeStandIn, reading_session: LiveSession, sam: Student
):
    LiveSession.objects.filter(pk=reading_session.pk).update(activity="conversation", passage=None)
    consent(sam, "audio")
    member = join(LiveSession.objects.get(pk=reading_session.pk), sam)
    said = "good morning i would like two apples and some bread please"
    sound = tuple(cut(wav(spoken(said)), 9600))

    async def scene() -> None:
        async with reader(on_amazon, member) as (page, microphone):
            await read_whole(page, microphone, sound)

    asyncio.run(scene())
    reading = Reading.objects.get()
    assert (words_of(reading), reading.passage) == (said.split(), None)
    result = reading.spoken_result
    assert (result.words, result.pauses, round(result.pronunciation)) == (11, 0, 93)
    assert 50 < result.fluency <= 100
    assert SessionSummary.objects.get().wcpm is None
