"""Miscues: what was heard against what stands in the passage."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.speech.alignment import ERRORS, Alignment, Kind, State, align, likeness
from sessions_app.speech.passage import Passage, passage_read
from sessions_app.speech.transcriber import HeardWord

FOX = passage_read("The quick brown fox jumps over the lazy dog. Then it runs home through the tall green grass.")


def heard(text: str, *, confidence: float | None = 0.9, unsure: str = "") -> list[HeardWord]:
    """Words, two a second; those in `unsure` with a confidence of .2."""
    return [
        HeardWord(word, n * 0.5, n * 0.5 + 0.4, 0.2 if word in unsure.split() else confidence)
        for n, word in enumerate(text.split())
    ]


def told(alignment: Alignment) -> list[tuple[str, int, str | None, str | None]]:
    return [(miscue.kind.value, miscue.index, miscue.expected, miscue.heard) for miscue in alignment.miscues]


@pytest.mark.parametrize(
    ("spoken", "miscues"),
    [
        ("the quick brown fox jumps", []),
        ("the quick fox jumps over", [("omission", 2, "brown", None)]),
        ("the quick red brown fox jumps", [("insertion", 2, None, "red")]),
        ("the quick brown box jumps over", [("substitution", 3, "fox", "box")]),
        ("the quick brown fox fox jumps", [("repetition", 4, None, "fox")]),
        ("the quick the quick brown fox", [("repetition", 2, None, "the"), ("repetition", 2, None, "quick")]),
        ("the quick brown fox jump jumps over", [("self_correction", 4, None, "jump")]),
        (
            "the quick brown fox jumps over the hazy over the lazy dog",
            [("self_correction", 7, None, "hazy"), ("repetition", 7, None, "over"), ("repetition", 7, None, "the")],
        ),
        ("", []),
    ],
)
def test_miscues_are_found(spoken: str, miscues: list[tuple[str, int, str | None, str | None]]) -> None:
    assert told(align(FOX, heard(spoken))) == miscues


def test_what_was_not_reached_is_not_omitted() -> None:
    alignment = align(FOX, heard("the quick brown"))
    assert alignment.reached == 3
    assert alignment.counts.total() == 0


def test_a_skipped_line_is_omitted_when_the_reading_goes_on_behind_it() -> None:
    alignment = align(FOX, heard("the quick brown fox jumps runs home through the tall green grass"))
    assert alignment.reached == len(FOX.words)
    assert [m.index for m in alignment.miscues] == [5, 6, 7, 8, 9, 10]
    assert alignment.counts[Kind.OMISSION] == 6


def test_a_wrong_last_word_was_meant_for_the_next_one() -> None:
    assert told(align(FOX, heard("the quick brown box"))) == [("substitution", 3, "fox", "box")]
    assert align(FOX, heard("the quick brown box")).reached == 4


def test_words_that_sound_alike_are_the_same_word() -> None:
    passage = passage_read("Their two knights knew the way.")
    assert align(passage, heard("there to nights new the weigh")).miscues == ()


def test_a_word_may_be_heard_as_two_and_two_as_one() -> None:
    passage = passage_read("Everyone went in side today.")
    alignment = align(passage, heard("every one went inside today"))
    assert alignment.miscues == ()
    assert alignment.correct == 5


def test_what_is_unsure_does_not_count_and_is_kept() -> None:
    alignment = align(FOX, heard("the quick brown box jumps big over", unsure="box big"))
    assert alignment.errors == 0
    assert [(m.kind, m.counted) for m in alignment.miscues] == [(Kind.SUBSTITUTION, False), (Kind.INSERTION, False)]
    assert alignment.marks[3].state is State.UNSURE
    assert alignment.correct == alignment.attempted == 6


def test_a_word_without_a_pronunciation_is_scored_neither_way() -> None:
    passage = passage_read("The old Xqzzt fell down there.")
    for spoken in ("the old fell down there", "the old kiss it fell down there", "the old wizard fell down there"):
        alignment = align(passage, heard(spoken))
        assert alignment.miscues == ()
        assert alignment.attempted == alignment.correct == 5
        assert alignment.marks[2].state is State.UNSCORED


def test_talk_after_the_end_is_no_reading() -> None:
    passage = passage_read("The cat sat.")
    words = [*heard("the cat sat"), HeardWord("finished", 9.0, 9.5, 0.9)]
    assert align(passage, words).miscues == ()
    soon = [*heard("the cat sat down")]
    assert told(align(passage, soon)) == [("insertion", 3, None, "down")]


def test_an_omission_has_the_time_of_what_was_read_before_it() -> None:
    [omission] = align(FOX, heard("the quick fox jumps")).miscues
    assert omission.at == pytest.approx(0.9)
    assert omission.confidence is None


def test_a_substitution_is_paired_with_what_is_like_it() -> None:
    passage = passage_read("They were walking slowly home again.")
    assert told(align(passage, heard("they were talking home again"))) == [
        ("substitution", 2, "walking", "talking"),
        ("omission", 3, "slowly", None),
    ]
    assert told(align(passage, heard("they were slow home again"))) == [
        ("omission", 2, "walking", None),
        ("substitution", 3, "slowly", "slow"),
    ]


def test_likeness_is_of_spelling_or_sound() -> None:
    assert likeness("knight", "night") == 1.0
    assert likeness("house", "horse") > 0.6
    assert likeness("cat", "umbrella") < 0.4


WORDS = ("ant", "bee", "cow", "dog", "elk", "fox", "gnu", "hen", "ibex", "jay", "kite", "lark", "mole", "newt", "owl")
distinct = st.lists(st.sampled_from(WORDS), min_size=5, max_size=len(WORDS), unique=True)
readings = st.lists(st.sampled_from(WORDS), max_size=40)


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=60), st.data())
def test_a_reading_without_miscues_has_none(words: list[str], data: st.DataObject) -> None:
    upto = data.draw(st.integers(0, len(words)))
    alignment = align(passage_read(" ".join(words)), heard(" ".join(words[:upto])))
    assert alignment.miscues == ()
    assert alignment.correct == alignment.attempted == alignment.reached == upto


@given(distinct, st.data())
def test_a_planted_miscue_is_found_where_it_is(words: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(1, len(words) - 2))
    kind = data.draw(st.sampled_from(ERRORS))
    spoken = list(words)
    if kind is Kind.OMISSION:
        del spoken[place]
    elif kind is Kind.INSERTION:
        spoken.insert(place, "umbrella")
    else:
        spoken[place] = "umbrella"
    [miscue] = align(passage_read(" ".join(words)), heard(" ".join(spoken))).miscues
    assert (miscue.kind, miscue.index, miscue.counted) == (kind, place, True)


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=40), readings)
def test_counts_add_up_whatever_is_heard(words: list[str], spoken: list[str]) -> None:
    passage = passage_read(" ".join(words))
    alignment = align(passage, heard(" ".join(spoken)))
    counts = alignment.counts
    assert alignment.attempted == alignment.correct + counts[Kind.OMISSION] + counts[Kind.SUBSTITUTION]
    assert alignment.reached <= len(words)
    assert [mark.index for mark in alignment.marks] == list(range(alignment.reached))
    omitted = [miscue.index for miscue in alignment.miscues if miscue.kind is Kind.OMISSION]
    assert all(index < alignment.reached for index in omitted)
    if alignment.marks:
        assert alignment.marks[-1].state is not State.OMITTED
    used = sum(mark.heard is not None for mark in alignment.marks)
    assert used + sum(miscue.expected is None for miscue in alignment.miscues) <= len(spoken)


def test_two_thousand_words_are_aligned_quickly() -> None:
    long = passage_read(" ".join(f"{WORDS[n % 15]} {WORDS[(n * 7) % 13]}" for n in range(1000)))
    spoken = list(long.spoken)
    del spoken[100::50]
    words = heard(" ".join(spoken))
    align(long, words)
    best = min(_seconds(long, words) for _ in range(5))
    assert best < 0.1  # the benchmark has the real bound, on a quiet machine


def _seconds(passage: Passage, words: list[HeardWord]) -> float:
    began = time.process_time()
    align(passage, words)
    return time.process_time() - began
