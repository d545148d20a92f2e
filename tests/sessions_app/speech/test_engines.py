"""The offline engine: real audio, real processes. The readings are espeak's: what is asserted of words is tolerant."""

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest

from sessions_app.live.hints import Hints
from sessions_app.speech.alignment import Kind, align
from sessions_app.speech.audio import WebmDecoder, level_of
from sessions_app.speech.engine_messages import Audio, Finish, Frames, Open, framed
from sessions_app.speech.engines import Engines, EngineStream
from sessions_app.speech.language_models import LanguageModels
from sessions_app.speech.passage import Passage, passage_read
from sessions_app.speech.pipeline import Followed, LiveReading, Reading, UtteranceHeard
from sessions_app.speech.recogniser import LONGER_PAUSE, Recogniser
from sessions_app.speech.transcriber import (
    Anything,
    Heard,
    HeardWord,
    Prompts,
    TranscriberBusy,
    TranscriberError,
    TranscriberUnfit,
)
from tests.voices import BOAT, LIGHTHOUSE, RATE, SECOND, cut, music, needs_voice, quiet, spoken, webm

pytestmark = pytest.mark.xdist_group("engines")  # one model, one worker

PASSAGE = passage_read(LIGHTHOUSE)
SPANISH = (
    "En la ciudad vieja los niños juegan cada tarde junto a la fuente. Su abuela vende naranjas y les cuenta historias"
    " de barcos lejanos. Cuando llueve, todos corren a la panadería y comen pan caliente."
)
SLICE = SECOND * 3 // 10


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> LanguageModels:
    return LanguageModels(tmp_path_factory.mktemp("language-models"))


@pytest.fixture(scope="module")
def lighthouse(models: LanguageModels) -> Path:
    return models.build(PASSAGE)


@pytest.fixture
async def engines(models: LanguageModels, lighthouse: Path) -> AsyncIterator[Engines]:
    made = Engines(models, processes=1, readers=3)
    yield made
    await made.stop()


def recognise(recogniser: Recogniser, pcm: bytes) -> Iterator[Heard]:
    for slice_ in cut(pcm, SLICE):
        yield from recogniser.hear(slice_)
    yield from recogniser.finish()


def words_of(heard: list[Heard]) -> list[HeardWord]:
    return [word for one in heard if one.final for word in one.words]


def is_mostly_read(words: list[HeardWord], passage: Passage = PASSAGE) -> bool:
    alignment = align(passage, words)
    return alignment.reached == len(passage.words) and alignment.errors <= 2


async def follow(stream: EngineStream, pcm: bytes, heard: list[Heard]) -> None:
    async def feed() -> None:
        for slice_ in cut(pcm, SLICE):
            await stream.feed(slice_)
        await stream.finish()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(feed())
        async for one in stream:
            heard.append(one)  # noqa: PERF401 - tests look at it meanwhile


@needs_voice
def test_a_reading_is_heard_with_times_and_confidence(lighthouse: Path) -> None:
    heard = list(recognise(Recogniser(lighthouse), spoken(LIGHTHOUSE)))
    words = words_of(heard)
    assert is_mostly_read(words)
    assert [one.utterance for one in heard if one.final] == list(range(sum(one.final for one in heard)))
    assert all(a.end <= b.start + 0.05 for a, b in itertools.pairwise(words))
    assert all(word.confidence is not None and 0 <= word.confidence <= 1 for word in words)
    lighthouse_word = next(word for word in words if word.word == "lighthouse")
    assert 0.4 < lighthouse_word.start < 1.2
    partial = [one for one in heard if not one.final and one.words]
    assert partial
    assert all(word.confidence is None for one in partial for word in one.words)


@needs_voice
def test_who_reads_word_by_word_is_heard_in_context(lighthouse: Path) -> None:
    pcm = spoken(LIGHTHOUSE, gap=0.4)
    heard = list(recognise(Recogniser(lighthouse), pcm))
    words = words_of(heard)
    assert is_mostly_read(words)
    assert sum(one.final for one in heard) * 2 < len(words)
    assert all(a.end <= b.start + 0.05 for a, b in itertools.pairwise(words))
    spoken_at = [level_of(pcm[int(word.start * RATE) * 2 : int(word.end * RATE) * 2]) for word in words]
    assert sum(level is not None and level > -40 for level in spoken_at) >= len(words) - 2
    assert heard[-1].upto == pytest.approx(len(pcm) / SECOND, abs=0.5)


@needs_voice
def test_a_pause_is_the_end_of_an_utterance_however_short_it_is(lighthouse: Path) -> None:
    pcm = spoken("A lighthouse is a tower", pause_after=0.4) + spoken("with a bright lamp", pause_before=LONGER_PAUSE)
    finals = [one for one in recognise(Recogniser(lighthouse), pcm) if one.final]
    assert [one.words[0].word for one in finals] == ["a", "with"]


@needs_voice
def test_a_hesitation_is_no_word(lighthouse: Path) -> None:
    said = LIGHTHOUSE.replace("a bright", "um, a bright").replace("sailors that", "uh, sailors um, that")
    words = words_of(list(recognise(Recogniser(lighthouse), spoken(said))))
    assert is_mostly_read(words)
    assert align(PASSAGE, words).counts[Kind.INSERTION] == 0


@needs_voice
def test_planted_miscues_are_found(lighthouse: Path) -> None:
    said = LIGHTHOUSE.replace("bright lamp", "lamp").replace("warns sailors", "warns the quiet sailors")
    alignment = align(PASSAGE, words_of(list(recognise(Recogniser(lighthouse), spoken(said)))))
    where = {miscue.index for miscue in alignment.miscues if miscue.counted}
    planted = [PASSAGE.spoken.index(word) for word in ("bright", "sailors")]
    assert all({place - 1, place, place + 1} & where for place in planted)
    assert alignment.errors <= 6


@needs_voice
def test_a_long_reading_without_pauses_is_cut_between_words(lighthouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sessions_app.speech.recogniser.LONGEST_UTTERANCE", 3.0)
    heard = list(recognise(Recogniser(lighthouse), spoken(LIGHTHOUSE)))
    assert sum(one.final for one in heard) >= 3
    assert is_mostly_read(words_of(heard))
    ends = [one.upto for one in heard if one.final]
    assert ends == sorted(ends)


@needs_voice
def test_a_recording_may_end_in_the_middle_of_a_word(lighthouse: Path) -> None:
    frame = 960  # bytes that the endpointer takes at once
    whole = spoken(LIGHTHOUSE)[: SECOND * 4 // frame * frame]
    for pcm in (whole, whole[:-100]):
        words = words_of(list(recognise(Recogniser(lighthouse), pcm)))
        assert [word.word for word in words[:4]] == ["a", "lighthouse", "is", "a"]


@needs_voice
def test_another_recogniser_goes_on_from_what_is_settled(lighthouse: Path) -> None:
    pcm = spoken(LIGHTHOUSE)
    first = Recogniser(lighthouse)
    heard: list[Heard] = []
    for slice_ in cut(pcm[: SECOND * 6], SLICE):
        heard += first.hear(slice_)
    before = words_of(heard)
    settled = int(first.settled * SECOND) // 2 * 2
    second = Recogniser(
        lighthouse, start=first.settled, utterance=len(before), voice=first.voice, before=[w.word for w in before]
    )
    words = before + words_of(list(recognise(second, pcm[settled:])))
    assert is_mostly_read(words)
    assert [word.start for word in words] == sorted(word.start for word in words)


@needs_voice
@pytest.mark.parametrize(("sound", "seconds"), [("music", 30), ("spanish", 20)], ids=["music", "another language"])
def test_what_is_no_reading_of_the_passage_is_noticed(lighthouse: Path, sound: str, seconds: int) -> None:
    """The engine hears words of the passage in everything; the student is told all the same."""
    hints, reading, recogniser = Hints(time=0.0, sound=0.0), Reading(PASSAGE), Recogniser(lighthouse)
    pcm = music(30) if sound == "music" else spoken(SPANISH, voice="es")
    said = []
    for now, slice_ in enumerate(cut(pcm, SECOND), 1):
        for heard in recogniser.hear(slice_):
            for event in reading.take_words(heard):
                if isinstance(event, UtteranceHeard):
                    hints.words_settled(event.right)
            if heard.words:
                hints.word_heard(time=now, sound=heard.words[-1].end)
        if code := hints.due(time=now, sound=now, in_passage=True):
            said.append((now, code))
    assert said and said[0][0] <= seconds and said[0][1] in {"not_the_passage", "no_words_heard"}
    assert not reading.progress().is_through


def test_silence_has_no_words_and_settles(lighthouse: Path) -> None:
    recogniser = Recogniser(lighthouse)
    heard = list(recognise(recogniser, quiet(5.0)))
    assert words_of(heard) == []
    assert [one.upto for one in heard][-1] > 4
    assert recogniser.settled > 4


@needs_voice
async def test_readers_are_heard_at_the_same_time(engines: Engines) -> None:
    heard: list[list[Heard]] = [[], [], []]
    streams = [await engines.open(PASSAGE) for _ in heard]
    assert engines.readers == 3
    await asyncio.gather(
        *(follow(stream, spoken(LIGHTHOUSE), into) for stream, into in zip(streams, heard, strict=True))
    )
    assert all(is_mostly_read(words_of(one)) for one in heard)
    assert engines.readers == 0
    assert engines.name.startswith("pocketsphinx 5")


async def test_more_readers_than_there_is_room_for_are_told(engines: Engines) -> None:
    streams = [await engines.open(PASSAGE) for _ in range(3)]
    with pytest.raises(TranscriberBusy):
        await engines.open(PASSAGE)
    await streams[0].abandon()
    again = await engines.open(PASSAGE)
    for stream in (*streams, again):
        await stream.abandon()


@needs_voice
async def test_a_killed_engine_costs_nobody_a_word(engines: Engines, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[list[Heard]] = [[], []]
    streams = [await engines.open(PASSAGE) for _ in heard]
    pcm = spoken(LIGHTHOUSE)
    tasks = [asyncio.create_task(follow(stream, pcm, into)) for stream, into in zip(streams, heard, strict=True)]
    await _until(lambda: len(words_of(heard[0])) > 8)
    [before] = _engine_processes()
    os.kill(before.pid, signal.SIGKILL)
    await asyncio.gather(*tasks)
    assert all(is_mostly_read(words_of(one)) for one in heard)
    assert [one.utterance for one in heard[0] if one.final] == list(range(sum(one.final for one in heard[0])))
    assert "an engine process has ended" in caplog.text
    [after] = _engine_processes()
    assert after.pid != before.pid


@needs_voice
async def test_audio_that_kills_engines_is_given_up_and_the_others_go_on(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned, other = await engines.open(PASSAGE), await engines.open(PASSAGE)
    await other.feed(quiet(0.5))
    for _ in range(3):
        await poisoned.feed(quiet(0.5))
        [process] = engines._processes
        monkeypatch.setattr(type(process), "listening_to", property(lambda _: poisoned.number))
        [before] = _engine_processes()
        before.kill()
        await _until(lambda before=before: [p.pid for p in _engine_processes()] not in ([], [before.pid]))
    with pytest.raises(TranscriberError):
        _ = [heard async for heard in poisoned]
    heard: list[Heard] = []
    await follow(other, spoken(LIGHTHOUSE), heard)
    assert is_mostly_read(words_of(heard))


async def test_engines_that_do_not_start_are_an_error(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sessions_app.speech.engines.PROGRAM", "no_such_engine")
    stream = await engines.open(PASSAGE)
    with pytest.raises(TranscriberError, match="do not start"):
        _ = [heard async for heard in stream]


async def test_a_model_that_cannot_be_read_fails_its_stream_only(engines: Engines, tmp_path: Path) -> None:
    good = await engines.open(PASSAGE)
    bad = EngineStream(99, tmp_path, engines._processes[0])
    with pytest.raises(TranscriberError):
        _ = [heard async for heard in bad]
    await good.finish()
    assert [heard async for heard in good if heard.words] == []


async def test_free_speech_is_not_for_this_engine(engines: Engines) -> None:
    with pytest.raises(TranscriberUnfit):
        await engines.open(Anything())


async def test_an_abandoned_stream_ends_and_takes_no_more(engines: Engines) -> None:
    stream = await engines.open(PASSAGE)
    await stream.feed(quiet(1.0))
    await stream.abandon()
    await stream.abandon()
    await stream.finish()
    _ = [heard async for heard in stream]
    with pytest.raises(TranscriberError):
        await stream.feed(quiet(1.0))


async def test_what_is_open_when_the_server_stops_ends_with_an_error(models: LanguageModels) -> None:
    engines = Engines(models, processes=1)
    stream = await engines.open(PASSAGE)
    await engines.stop()
    with pytest.raises(TranscriberError, match="stops"):
        _ = [heard async for heard in stream]
    with pytest.raises(TranscriberBusy):
        await engines.open(PASSAGE)
    assert _engine_processes() == []


@needs_voice
async def test_prompts_may_be_said_in_any_order(engines: Engines) -> None:
    prompts = Prompts(("Good morning, how are you?", "I would like a cup of tea, please."))
    heard: list[Heard] = []
    pcm = spoken("I would like a cup of tea, please. Good morning, how are you?")
    await follow(await engines.open(prompts), pcm, heard)
    said = [word.word for word in words_of(heard)]
    assert len({"like", "cup", "tea", "please", "good", "morning"} & set(said)) >= 5


@needs_voice
async def test_a_live_reading_goes_from_the_recorder_s_bytes_to_a_result(engines: Engines) -> None:
    live = await LiveReading.begin(Reading(PASSAGE), engines)
    events = []

    async def listen() -> None:
        async for event in live.events():
            events.append(event)  # noqa: PERF401 - see above

    listening = asyncio.create_task(listen())
    decoder = WebmDecoder()
    for chunk in cut(webm(spoken(LIGHTHOUSE)), 2000):
        await live.take(decoder.decode(chunk))
    await live.take(decoder.finish())
    result = await live.end(within=60)
    await listening
    assert live.trouble is None
    assert is_mostly_read(list(result.words))
    assert result.seconds == pytest.approx(len(spoken(LIGHTHOUSE)) / SECOND, abs=0.1)
    followed = [event.reached for event in events if isinstance(event, Followed)]
    assert followed[-1] == len(PASSAGE.words)
    assert any(isinstance(event, UtteranceHeard) for event in events)


async def test_a_live_reading_keeps_what_it_has_when_the_transcriber_gives_up(engines: Engines) -> None:
    live = await LiveReading.begin(Reading(PASSAGE), engines)
    await engines.stop()
    _ = [event async for event in live.events()]
    assert live.trouble == "transcriber_failed"
    decoder = WebmDecoder()
    await live.take(decoder.decode(webm(quiet(1.0))))
    result = await live.end(within=1)
    assert (result.words, result.windows) == ((), ())


def test_a_model_is_built_once_and_names_what_it_cannot_do(models: LanguageModels) -> None:
    passage = passage_read(BOAT)
    assert not models.has(passage)
    folder = models.build(passage)
    assert models.has(passage)
    assert models.build(passage) == folder
    assert {file.name for file in folder.iterdir()} == {"words.lm", "words.dict", "fillers.dict", "passage.txt"}
    with pytest.raises(TranscriberUnfit):
        models.build(passage_read("Xqzzt brthw xqzzt."))


async def test_models_are_built_beside_the_event_loop(tmp_path: Path) -> None:
    models = LanguageModels(tmp_path)
    passage = passage_read("The cat sat on the mat.")
    first, second = await asyncio.gather(models.build_beside(passage), models.build_beside(passage))
    assert first == second
    assert names_in(tmp_path) == [first.name]
    with pytest.raises(TranscriberUnfit):
        await models.build_beside(passage_read("Xqzzt."))


def test_messages_survive_being_cut_anywhere() -> None:
    orders = [Open(1, "/folder", 0.5, 2, "40,3", ["the"]), Audio(1, b"\x00\x01" * 500), Finish(1)]
    frames = Frames()
    found = [order for piece in cut(b"".join(map(framed, orders)), 7) for order in frames.orders(piece)]
    assert found == orders


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def _engine_processes() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if _is_engine(child)]


def _is_engine(child: psutil.Process) -> bool:
    try:
        return any("engine_process" in part for part in child.cmdline())
    except psutil.NoSuchProcess:  # killed, and not yet buried
        return False


async def _until(condition: object, within: float = 30.0) -> None:
    assert callable(condition)
    for _ in range(int(within / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen")
