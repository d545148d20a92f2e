"""When a student is told that their voice leads nowhere."""

import pytest

from sessions_app.live.hints import NO_WORDS_AFTER, NOT_LED_ON_AFTER, ODD_OF, SAY_AGAIN_AFTER, Hints


@pytest.fixture
def hints() -> Hints:
    """Of a reading that begins at the hundredth second of the clock."""
    return Hints(time=100.0, sound=0.0)


def test_a_voice_that_is_not_heard_is_said_once_and_after_a_while_again(hints: Hints) -> None:
    said = [(second, hints.due(time=100.0 + second, sound=float(second), in_passage=True)) for second in range(100)]
    first = int(NO_WORDS_AFTER) + 1
    again = first + int(SAY_AGAIN_AFTER)
    assert [(second, code) for second, code in said if code] == [
        (first, "no_words_heard"), (again, "no_words_heard"),
    ]  # fmt: skip


def test_other_words_than_those_of_the_passage_are_said_only_where_there_is_a_passage(hints: Hints) -> None:
    for second in range(int(NOT_LED_ON_AFTER) + 2):
        hints.word_heard(time=100.0 + second, sound=float(second))
    later = {"time": 101.0 + NOT_LED_ON_AFTER, "sound": 1.0 + NOT_LED_ON_AFTER}
    assert hints.due(**later, in_passage=False) == ""
    assert hints.due(**later, in_passage=True) == "not_the_passage"


def test_who_is_led_on_is_told_nothing(hints: Hints) -> None:
    for second in range(90):
        hints.word_heard(time=100.0 + second, sound=float(second))
        hints.led_on(time=100.0 + second, sound=float(second))
        assert hints.due(time=100.0 + second, sound=float(second), in_passage=True) == ""


def test_sound_that_waits_for_an_engine_is_not_a_students_silence(hints: Hints) -> None:
    assert hints.due(time=103.0, sound=60.0, in_passage=True) == ""


def test_time_in_which_no_sound_comes_is_not_a_students_silence(hints: Hints) -> None:
    assert hints.due(time=160.0, sound=3.0, in_passage=True) == ""


def reads(hints: Hints, second: int, *, right: int, of: int = 4) -> str:
    """Words are heard at a second, which lead on in the passage; what is said then."""
    now = {"time": 100.0 + second, "sound": float(second)}
    hints.word_heard(**now)
    hints.led_on(**now)
    hints.words_settled([n < right for n in range(of)])
    return hints.due(**now, in_passage=True)


def test_words_in_which_the_passage_is_only_guessed_are_said(hints: Hints) -> None:
    said = [reads(hints, second, right=1) for second in range(ODD_OF // 4)]
    assert said == [""] * (ODD_OF // 4 - 1) + ["not_the_passage"]


def test_a_reader_who_gets_every_second_word_right_goes_on_in_peace(hints: Hints) -> None:
    assert {reads(hints, second, right=2) for second in range(60)} == {""}


def test_who_has_read_to_the_end_is_told_what_to_press(hints: Hints) -> None:
    reads(hints, 1, right=4)
    hints.read_through()
    later = {"time": 103.0 + NO_WORDS_AFTER, "sound": 3.0 + NO_WORDS_AFTER}
    assert hints.due(**later, in_passage=True) == "read_through"
