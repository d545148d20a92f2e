"""A reading in numbers: minutes, summary, norms, struggles, and the state of one that goes on."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.speech import pipeline
from sessions_app.speech.alignment import Kind, align
from sessions_app.speech.norms import GradeLevel, Season, band_of, bands, grade_level, season_of
from sessions_app.speech.passage import passage_read
from sessions_app.speech.pipeline import Followed, Reading, Stuck, UtteranceHeard, WindowClosed
from sessions_app.speech.struggle import Sign, StruggleWatch
from sessions_app.speech.summary import ReadingLevel, accuracy_of, level_of, summarise
from sessions_app.speech.transcriber import Heard, HeardWord
from sessions_app.speech.windows import MiscueCounts, Window, counts_of, windows_of

WORDS = ["ant", "bee", "cow", "dog", "elk", "fox", "gnu", "hen", "ibex", "jay", "kite", "lark"]
PASSAGE = passage_read(" ".join(WORDS * 20))


def at(start: float, word: str, confidence: float | None = 0.9) -> HeardWord:
    return HeardWord(word, start, start + 0.4, confidence)


def read(number: int, *, every: float = 0.5, start: float = 0.0) -> list[HeardWord]:
    """The first words of the passage, one after the other."""
    return [at(start + n * every, word) for n, word in enumerate(PASSAGE.spoken[:number])]


def final(number: int, *words: HeardWord) -> Heard:
    return Heard(number, words, final=True, upto=words[-1].end if words else 0.0)


def test_each_minute_has_its_words_and_rates() -> None:
    words = read(150, every=0.5)  # 120 in the first minute, 30 in the second
    first, second = windows_of(align(PASSAGE, words), [words[:70], words[70:]], 75.0)
    assert (first.start, first.end, first.words, first.wpm, first.wcpm) == (0, 60, 120, 120, 120)
    assert (second.start, second.end, second.words, second.seconds) == (60, 75, 30, 15)
    assert second.wpm == second.wcpm == 120
    assert first.confidence == pytest.approx(0.9)
    assert [len(text.split()) for text in first.transcripts] == [70, 50]
    assert [len(text.split()) for text in second.transcripts] == [30]


def test_a_miscue_lowers_what_is_correct_in_its_minute() -> None:
    words = read(150)
    del words[130]
    words[10] = at(5.0, "umbrella")
    first, second = windows_of(align(PASSAGE, words), [words], 75.0)
    assert (first.counts.substitutions, first.correct, first.words) == (1, 119, 120)
    assert (second.counts.omissions, second.correct, second.words) == (1, 29, 29)


def test_silence_is_a_minute_without_words() -> None:
    [window] = windows_of(align(PASSAGE, []), [], 20.0)
    assert (window.words, window.wpm, window.wcpm, window.confidence, window.transcripts) == (0, 0, 0, None, ())
    assert windows_of(align(PASSAGE, []), [], 0.0) == ()


@given(
    st.lists(st.tuples(st.sampled_from([*WORDS, "umbrella"]), st.floats(0.1, 5.0)), max_size=60),
    st.floats(0.0, 60.0),
)
def test_the_minutes_add_up_to_the_reading(spoken: list[tuple[str, float]], rest: float) -> None:
    words, second = [], 0.0
    for word, gap in spoken:
        words.append(at(second, word))
        second += gap
    alignment = align(PASSAGE, words)
    windows = windows_of(alignment, [words[:20], words[20:]], second + rest)
    if windows:
        assert sum(window.words for window in windows) == len(words)
        assert sum(window.attempted for window in windows) == alignment.attempted
        assert sum(window.correct for window in windows) == alignment.correct
        assert sum((window.counts for window in windows), MiscueCounts()) == counts_of(alignment.counts)
        assert sum(window.seconds for window in windows) == pytest.approx(second + rest)


def window(number: int = 0, **given: float) -> Window:
    values = {"start": number * 60.0, "end": number * 60.0 + 60, "words": 100, "attempted": 100, "correct": 95} | given
    return Window(number=number, counts=MiscueCounts(omissions=5), confidence=0.8, transcripts=("a b",), **values)  # type: ignore[arg-type]


def test_a_summary_is_the_ratio_of_sums() -> None:
    summary = summarise([window(), window(1, end=75.0, words=10, attempted=10, correct=5)])
    assert summary.seconds == 75
    assert summary.wpm == pytest.approx(110 * 60 / 75)
    assert summary.wcpm == pytest.approx(100 * 60 / 75)
    assert summary.accuracy == pytest.approx((110 - 10) * 100 / 110)
    assert summary.level is ReadingLevel.INSTRUCTIONAL
    assert summary.confidence == pytest.approx(0.8)
    assert summary.transcript == "a b a b"
    assert (summary.insights.total_miscues, summary.insights.miscue_rate) == (10, pytest.approx(10 / 110))


def test_nothing_read_has_no_figures() -> None:
    summary = summarise([])
    assert (summary.wpm, summary.wcpm, summary.accuracy, summary.level, summary.confidence) == (None,) * 5
    assert (summary.insights.reading_speed, summary.insights.why) == (None, "no_words")
    assert summary.insights.miscue_rate is None


@pytest.mark.parametrize(
    ("accuracy", "level"),
    [
        (100.0, "independent"),
        (95.0, "independent"),
        (94.9, "instructional"),
        (90.0, "instructional"),
        (89.9, "frustration"),
        (None, None),
    ],
)
def test_levels_of_accuracy(accuracy: float | None, level: str | None) -> None:
    assert level_of(accuracy) == level


def test_accuracy_is_never_below_nothing() -> None:
    assert accuracy_of(10, 30) == 0.0
    assert accuracy_of(0, 0) is None


def test_the_norms_are_those_of_2017() -> None:
    assert len(bands()) == 17
    assert band_of(1, Season.FALL) is None
    assert (band_of(4, Season.WINTER).p50, band_of(6, Season.SPRING).p90) == (120, 204)  # type: ignore[union-attr]
    assert band_of(7, Season.FALL) is band_of(None, Season.FALL) is band_of(3, None) is None


@pytest.mark.parametrize(
    ("wcpm", "level"),
    [(110.0, GradeLevel.BELOW), (110.1, GradeLevel.AT), (129.9, GradeLevel.AT), (130.0, GradeLevel.ABOVE)],
)
def test_the_grade_level_has_a_margin_of_ten(wcpm: float, level: GradeLevel) -> None:
    assert grade_level(wcpm, windows=2, grade=4, season=Season.WINTER) == (level, None)


def test_a_grade_level_that_cannot_be_told_says_why() -> None:
    assert grade_level(120, windows=1, grade=4, season=Season.WINTER) == (None, "one_window")
    assert grade_level(120, windows=2, grade=None, season=Season.WINTER) == (None, "no_grade")
    assert grade_level(120, windows=2, grade=9, season=Season.WINTER) == (None, "outside_norms")
    assert grade_level(120, windows=2, grade=4, season=None) == (None, "outside_norms")


def test_the_school_year_has_three_seasons() -> None:
    found = [season_of(date(2026, month, 15)) for month in range(1, 13)]
    assert found == [Season.WINTER] * 2 + [Season.SPRING] * 4 + [None] + [Season.FALL] * 4 + [Season.WINTER]


def test_silence_inside_the_passage_is_a_struggle_once_per_word() -> None:
    watch = StruggleWatch()
    assert watch.silence(now=2.9, last_word_at=0.0, reached=5, words=10) is None
    found = watch.silence(now=3.0, last_word_at=0.0, reached=5, words=10)
    assert found is not None
    assert (found.sign, found.index, found.at) == (Sign.SILENCE, 5, 3.0)
    assert watch.silence(now=4.0, last_word_at=0.0, reached=5, words=10) is None
    assert watch.silence(now=9.0, last_word_at=5.0, reached=6, words=10) is not None
    assert watch.silence(now=90.0, last_word_at=5.0, reached=10, words=10) is None  # at the end
    assert watch.silence(now=90.0, last_word_at=0.0, reached=0, words=10) is None  # not begun


def test_a_second_attempt_and_a_run_of_mumbling_are_struggles() -> None:
    passage = passage_read("ant bee lighthouse dog elk fox gnu hen ibex jay")
    words = [at(0, "ant"), at(1, "bee"), at(2, "light"), at(3, "lighthouse"), at(4, "dog")]
    watch = StruggleWatch()
    [attempt] = watch.words(align(passage, words), words)
    assert (attempt.sign, attempt.index) == (Sign.SECOND_ATTEMPT, 2)
    mumbled = [at(5 + n, word, 0.2) for n, word in enumerate(["elk", "fox", "gnu", "hen"])]
    [run] = watch.words(align(passage, [*words, *mumbled]), mumbled)
    assert (run.sign, run.index) == (Sign.LOW_CONFIDENCE, 4)
    assert watch.words(align(passage, [*words, *mumbled]), mumbled) == []
    assert watch.words(align(passage, words), [at(20 + n, "x", 0.9 if n == 2 else 0.1) for n in range(5)]) == []


def test_a_reading_follows_the_voice_and_settles_words() -> None:
    reading = Reading(PASSAGE)
    assert reading.take_audio(2.0, silence_is_told=False) == []
    partial = tuple(HeardWord(w, n * 0.5, n * 0.5 + 0.4, None) for n, w in enumerate(PASSAGE.spoken[:3]))
    assert reading.take_words(Heard(0, partial, final=False, upto=2.0)) == [Followed(3, 2.0)]
    assert reading.take_words(Heard(0, partial, final=False, upto=2.2)) == []
    [followed, heard] = reading.take_words(final(0, *read(4)))
    assert followed == Followed(4, 2.2)
    assert isinstance(heard, UtteranceHeard)
    assert (heard.progress.reached, heard.progress.words, heard.progress.of) == (4, 4, 240)
    assert heard.progress.wpm == pytest.approx(120)
    assert reading.progress().wcpm == pytest.approx(120)
    assert not reading.finished


def test_a_reader_who_falls_silent_is_stuck_at_the_next_word() -> None:
    reading = Reading(PASSAGE)
    reading.take_audio(2.0, silence_is_told=False)
    reading.take_words(final(0, *read(4)))
    assert reading.take_audio(3.0, silence_is_told=False) == []
    [stuck] = reading.take_audio(1.0, silence_is_told=False)
    assert isinstance(stuck, Stuck)
    assert (stuck.struggle.sign, stuck.struggle.index) == (Sign.SILENCE, 4)


def test_an_engine_that_is_behind_does_not_make_a_reader_silent() -> None:
    reading = Reading(PASSAGE)
    reading.take_words(final(0, *read(4)))
    assert reading.take_audio(20.0, silence_is_told=True) == []
    reading.take_words(Heard(1, (), final=False, upto=4.0))
    assert reading.take_audio(0.3, silence_is_told=True) == []
    reading.take_words(Heard(1, (), final=False, upto=6.0))
    [stuck] = reading.take_audio(0.3, silence_is_told=True)
    assert isinstance(stuck, Stuck)


def test_a_minute_is_told_when_its_words_are_final() -> None:
    reading = Reading(PASSAGE)
    reading.take_audio(70.0, silence_is_told=False)
    words = read(140)
    early = reading.take_words(final(0, *words[:100]))
    assert not any(isinstance(event, WindowClosed) for event in early)
    [closed] = [e for e in reading.take_words(final(1, *words[100:])) if isinstance(e, WindowClosed)]
    assert (closed.window.number, closed.window.words) == (0, 120)
    result = reading.result()
    assert [window.number for window in result.last] == [1]
    assert [window.words for window in result.windows] == [120, 20]
    assert len(result.words) == 140


def test_a_reading_goes_on_where_it_was() -> None:
    words = read(130)
    reading = Reading(PASSAGE, utterances=[words], seconds=65.0)
    assert reading.progress().reached == 130
    reading.take_audio(60.0, silence_is_told=False)
    reading.take_words(final(1, *(at(65 + n * 0.5, w) for n, w in enumerate(PASSAGE.spoken[130:240]))))
    assert reading.finished
    result = reading.result()
    assert result.alignment.counts[Kind.OMISSION] == 0
    assert [window.number for window in result.last] == [1, 2]


def test_silence_that_became_final_leaves_no_trace() -> None:
    reading = Reading(PASSAGE)
    reading.take_audio(70.0, silence_is_told=False)
    assert reading.take_words(Heard(0, (), final=True, upto=5.0)) == []
    [closed] = reading.take_words(Heard(1, (), final=True, upto=61.0))
    assert isinstance(closed, WindowClosed)


def test_a_stream_s_clock_is_moved_to_the_reading_s() -> None:
    heard = final(3, at(1.0, "ant"))
    assert pipeline.shifted(heard, 0.0) is heard
    moved = pipeline.shifted(heard, 60.0)
    assert (moved.upto, moved.words[0].start, moved.words[0].end) == (61.4, 61.0, 61.4)
