"""Amazon Transcribe by its real client, against a server that speaks its protocol and verifies signatures."""

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator

import pytest

from sessions_app.speech.passage import passage_read
from sessions_app.speech.transcribe import AmazonTranscribe, Patience, TranscribeStream
from sessions_app.speech.transcriber import (
    BYTES_A_SECOND,
    Anything,
    Heard,
    Prompts,
    TranscriberAway,
    TranscriberBusy,
    TranscriberError,
    TranscriberUnfit,
)
from tests.transcribe_stand_in import (
    CONFIDENCE,
    HANG,
    NO_FINAL_WORDS,
    REGION,
    RESET_AT_ONCE,
    TranscribeStandIn,
    raises,
    refuse,
    reset,
    spoken,
)

TEXT = "the river had been low all summer and the boys knew every stone in it"
QUICK = Patience(connect=2.0, last_words=1.0, no_words=3.0, attempts=3, pause=0.05)


@pytest.fixture
async def amazon(transcribe: TranscribeStandIn) -> AsyncIterator[AmazonTranscribe]:
    made = AmazonTranscribe(
        region=REGION, endpoint=transcribe.endpoint, credentials=transcribe.credentials, patience=QUICK
    )
    yield made
    await made.stop()


async def say(stream: TranscribeStream, pcm: bytes, *, finish: bool = True) -> list[Heard]:
    """Feed audio while listening; everything that was heard."""

    async def feed() -> None:
        for at in range(0, len(pcm), 9600):
            await stream.feed(pcm[at : at + 9600])
        if finish:
            await stream.finish()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(feed())
        return [heard async for heard in stream]


def final_words(heard: list[Heard]) -> str:
    return " ".join(word.word for one in heard if one.final for word in one.words)


async def test_it_hears_partial_words_and_then_final_ones(amazon: AmazonTranscribe) -> None:
    heard = await say(await amazon.open(Anything()), spoken(TEXT))

    assert final_words(heard) == TEXT
    partial = [one for one in heard if not one.final]
    assert partial
    assert all(word.confidence is None for one in partial for word in one.words)
    finals = [one for one in heard if one.final]
    assert [one.utterance for one in finals] == list(range(len(finals)))
    assert {word.confidence for one in finals for word in one.words} == {CONFIDENCE}
    river = finals[0].words[1]
    assert (river.word, round(river.start, 1), round(river.end, 1)) == ("river", 0.4, 0.7)


async def test_hesitations_are_words_only_where_they_are_expected(
    amazon: AmazonTranscribe, transcribe: TranscribeStandIn
) -> None:
    transcribe.says("um the river uh had been low")
    pcm = spoken(TEXT)
    assert final_words(await say(await amazon.open(Anything()), pcm)) == "the river had been low"
    prompts = Prompts(("Um, the river?",))
    assert final_words(await say(await amazon.open(prompts), pcm)) == "um the river had been low"
    passage = passage_read("Uh, said the river.")
    assert final_words(await say(await amazon.open(passage), pcm)) == "the river uh had been low"


async def test_every_event_is_signed(amazon: AmazonTranscribe, transcribe: TranscribeStandIn) -> None:
    await say(await amazon.open(Anything()), spoken(TEXT))

    [session] = transcribe.sessions
    assert session.ended
    assert transcribe.refused_signatures == 0
    assert session.headers["x-amzn-transcribe-sample-rate"] == "16000"
    assert session.headers["x-amzn-transcribe-media-encoding"] == "pcm"
    assert session.headers["x-amzn-transcribe-language-code"] == "en-US"


async def test_a_wrong_secret_is_refused_and_said(transcribe: TranscribeStandIn) -> None:
    credentials = transcribe.credentials
    credentials.secret_access_key = "another"
    amazon = AmazonTranscribe(region=REGION, endpoint=transcribe.endpoint, credentials=credentials, patience=QUICK)
    with pytest.raises(TranscriberAway):
        await _first_error(await amazon.open(Anything()))
    assert transcribe.refused_signatures == 1


async def test_numbers_are_words_that_share_their_time(amazon: AmazonTranscribe, transcribe: TranscribeStandIn) -> None:
    transcribe.says("it was 25 then")
    heard = await say(await amazon.open(Anything()), bytes(2 * BYTES_A_SECOND))

    assert final_words(heard) == "it was twenty five then"
    twenty, five = heard[-1].words[2:4]
    assert twenty.end == five.start
    assert five.end == pytest.approx(1.1)


async def test_a_reset_before_the_answer_is_tried_again(
    amazon: AmazonTranscribe, transcribe: TranscribeStandIn
) -> None:
    transcribe.then(RESET_AT_ONCE)
    assert final_words(await say(await amazon.open(Anything()), spoken(TEXT))) == TEXT
    assert len(transcribe.sessions) == 2


async def test_after_a_reset_in_the_middle_the_words_go_on(
    amazon: AmazonTranscribe, transcribe: TranscribeStandIn
) -> None:
    transcribe.then(reset(after=4.0))
    heard = await say(await amazon.open(Anything()), spoken(TEXT))

    assert final_words(heard) == TEXT
    finals = [one for one in heard if one.final]
    assert [one.utterance for one in finals] == list(range(len(finals)))
    starts = [word.start for one in finals for word in one.words]
    assert starts == sorted(starts)
    assert starts[-1] == pytest.approx(14 * 0.4, abs=0.05)


async def test_an_end_without_final_words_is_heard_again(
    amazon: AmazonTranscribe, transcribe: TranscribeStandIn
) -> None:
    transcribe.then(NO_FINAL_WORDS)
    assert final_words(await say(await amazon.open(Anything()), spoken("one two three"))) == "one two three"


async def test_a_service_that_hangs_is_given_up(amazon: AmazonTranscribe, transcribe: TranscribeStandIn) -> None:
    transcribe.then(HANG, HANG, HANG)
    began = time.monotonic()
    with pytest.raises(TranscriberError):
        await say_until_error(await amazon.open(Anything()), spoken("one two three"))
    assert time.monotonic() - began < 3 * (QUICK.last_words + 1)


async def test_while_somebody_speaks_silence_of_the_service_is_noticed(
    transcribe: TranscribeStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessions_app.speech.transcribe.BURST", 3.0)
    patience = dataclasses.replace(QUICK, no_words=1.0)
    amazon = AmazonTranscribe(
        region=REGION, endpoint=transcribe.endpoint, credentials=transcribe.credentials, patience=patience
    )
    transcribe.then(HANG)
    text = f"{TEXT} then it began to rain"
    assert final_words(await say(await amazon.open(Anything()), spoken(text))) == text
    assert transcribe.sessions[0].seconds < 7
    await amazon.stop()


async def test_an_exception_in_the_middle_is_tried_again(
    amazon: AmazonTranscribe, transcribe: TranscribeStandIn
) -> None:
    transcribe.then(raises("InternalFailureException"), raises("ServiceUnavailableException"))
    assert final_words(await say(await amazon.open(Anything()), spoken(TEXT))) == TEXT


async def test_what_is_refused_for_good_is_not_tried_again(
    amazon: AmazonTranscribe, transcribe: TranscribeStandIn
) -> None:
    transcribe.then(refuse("BadRequestException"))
    with pytest.raises(TranscriberUnfit, match="told to refuse"):
        await say_until_error(await amazon.open(Anything()), spoken(TEXT))
    assert len(transcribe.sessions) == 1


async def test_too_many_streams_are_busy_after_some_attempts(
    amazon: AmazonTranscribe, transcribe: TranscribeStandIn
) -> None:
    transcribe.then(*[refuse("LimitExceededException", 429)] * 3)
    with pytest.raises(TranscriberBusy):
        await say_until_error(await amazon.open(Anything()), spoken(TEXT))
    assert len(transcribe.sessions) == 3


async def test_nobody_who_listens_is_away(amazon: AmazonTranscribe, transcribe: TranscribeStandIn) -> None:
    transcribe.stop()
    with pytest.raises(TranscriberAway):
        await say_until_error(await amazon.open(Anything()), spoken(TEXT))


async def test_nothing_is_opened_before_there_is_audio(amazon: AmazonTranscribe, transcribe: TranscribeStandIn) -> None:
    stream = await amazon.open(Anything())
    await stream.finish()
    assert [heard async for heard in stream] == []
    assert transcribe.sessions == []


async def test_an_abandoned_stream_ends_at_once(amazon: AmazonTranscribe) -> None:
    stream = await amazon.open(Anything())
    await stream.feed(spoken(TEXT))
    await stream.abandon()
    await stream.abandon()
    _ = [heard async for heard in stream]
    with pytest.raises(TranscriberError):
        await stream.feed(b"\0\0")


@pytest.mark.parametrize("idle", [0.3, 60.0], ids=["ended by us", "ended by the service"])
async def test_after_a_pause_the_words_go_on(transcribe: TranscribeStandIn, idle: float) -> None:
    transcribe.idle = 0.8
    patience = dataclasses.replace(QUICK, idle=idle)
    amazon = AmazonTranscribe(
        region=REGION, endpoint=transcribe.endpoint, credentials=transcribe.credentials, patience=patience
    )
    stream = await amazon.open(Anything())

    async def read() -> None:
        await stream.feed(spoken("one two three"))
        await asyncio.sleep(1.2)
        await stream.feed(spoken("four five"))
        await stream.finish()

    reading = asyncio.create_task(read())
    heard = [heard async for heard in stream]
    await reading
    assert final_words(heard) == "one two three four five"
    starts = [word.start for one in heard if one.final for word in one.words]
    assert starts == pytest.approx([0.0, 0.4, 0.8, 1.2, 1.6], abs=0.02)
    assert len(transcribe.sessions) == 2
    await amazon.stop()


async def test_readers_share_a_connection(amazon: AmazonTranscribe, transcribe: TranscribeStandIn) -> None:
    streams = [await amazon.open(Anything()) for _ in range(6)]
    heard = await asyncio.gather(*(say(stream, spoken(TEXT)) for stream in streams))
    assert {final_words(one) for one in heard} == {TEXT}


async def test_waiting_for_audio_costs_nothing(amazon: AmazonTranscribe) -> None:
    stream = await amazon.open(Anything())
    await stream.feed(spoken("one two"))
    await asyncio.sleep(0.5)
    before = time.process_time()
    await asyncio.sleep(1.0)
    assert time.process_time() - before < 0.25
    await stream.abandon()


async def say_until_error(stream: TranscribeStream, pcm: bytes) -> None:
    """As `say`, for a stream that fails while it is fed."""

    async def feed() -> None:
        for at in range(0, len(pcm), 9600):
            await stream.feed(pcm[at : at + 9600])
        await stream.finish()

    feeding = asyncio.create_task(feed())
    try:
        async for _ in stream:
            pass
    finally:
        await asyncio.wait({feeding})
        feeding.exception()


async def _first_error(stream: TranscribeStream) -> None:
    await say_until_error(stream, spoken("one two"))
