"""Words as they are spoken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.speech.words import spoken_of, words_of


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("The cat SAT.", "the cat sat"),
        ("“Don’t,” said Tom’s dogs’ keeper", "don't said tom's dogs keeper"),
        ("a well-known half–hearted re‑run", "a well known half hearted re run"),
        ("ﬁne Ｗｏｒｄｓ naïve café", "fine words naive cafe"),
        ("cafe\u0301", "cafe"),
        ("25 cats and 1,200 dogs", "twenty five cats and one thousand two hundred dogs"),
        ("in 1984 or 2015", "in nineteen eighty four or twenty fifteen"),
        ("the 3rd and 21st day", "the third and twenty first day"),
        ("$5, £1 and 3.5%", "five dollars one pound and three point five percent"),
        ("007", "zero zero seven"),
        ("1234567890123456", "one two three four five six seven eight nine zero one two three four five six"),
        ("Mr. Fox & Mrs. Hen", "mister fox and missus hen"),
        ("7up and 3D", "seven up and three d"),
        ("", ""),
        ("… — !", ""),
    ],
)  # fmt: skip
def test_text_is_spelled_out_as_it_is_said(text: str, spoken: str) -> None:
    assert " ".join(spoken_of(text)) == spoken


def test_a_word_knows_its_place_in_the_text() -> None:
    text = "“Mr. Fox” saw 25 hens."
    assert [(word.spoken, text[word.start : word.end]) for word in words_of(text)] == [
        ("mister", "Mr."), ("fox", "Fox"), ("saw", "saw"), ("twenty", "25"), ("five", "25"), ("hens", "hens"),
    ]  # fmt: skip


@given(st.text(max_size=200))
def test_any_text_gives_plain_words_in_order(text: str) -> None:
    words = list(words_of(text))
    assert all(word.spoken and word.spoken == word.spoken.strip("'") for word in words)
    assert all(0 <= word.start < word.end <= len(text) for word in words)
    assert [word.start for word in words] == sorted(word.start for word in words)


@given(st.text(alphabet="abcdefghij'’-0123456789$%.,& ", max_size=60))
def test_spoken_words_stay_what_they_are(text: str) -> None:
    once = spoken_of(text)
    assert spoken_of(" ".join(once)) == once
