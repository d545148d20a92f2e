"""A passage and how its words are pronounced."""

import pytest

from sessions_app.speech.passage import MOST_WORDS, NotAPassage, passage_read
from sessions_app.speech.pronunciation import phone_distance, pronunciations, sound_alike


def test_a_passage_has_words_sentences_and_places() -> None:
    passage = passage_read("Mr. Fox ran.  “Stop!” he cried.\n\nThe 2 hens hid")
    assert passage.spoken == ("mister", "fox", "ran", "stop", "he", "cried", "the", "two", "hens", "hid")
    assert passage.sentence_starts == (0, 3, 4, 6)
    assert passage.sentence_at(1) == "Mr. Fox ran."
    assert passage.sentence_at(5) == "he cried."
    assert passage.sentence_at(8) == "The 2 hens hid"
    assert passage.written(7) == "2"


@pytest.mark.parametrize(
    ("text", "code"), [("", "no_words"), (" … — ", "no_words"), ("word " * 20_000, "too_many_words")]
)
def test_what_nobody_can_read_is_no_passage(text: str, code: str) -> None:
    with pytest.raises(NotAPassage) as refused:
        passage_read(text)
    assert refused.value.code == code


def test_the_longest_passage_is_one() -> None:
    assert len(passage_read("word " * MOST_WORDS).words) == MOST_WORDS


def test_words_that_nobody_can_pronounce_are_named_once() -> None:
    passage = passage_read("The Xqzzt saw the xqzzt and the brthw.")
    assert passage.unpronounced == ("xqzzt", "brthw")
    assert passage.scored == (True, False, True, True, False, True, True, False)


def test_passages_with_the_same_words_share_a_digest() -> None:
    assert passage_read("The cat sat.").digest == passage_read("the CAT — sat").digest
    assert passage_read("The cat sat.").digest != passage_read("The cat sat down.").digest


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("house", "HH AW S"),
        ("foghorn's", "F AA G HH AO R N Z"),
        ("blorps", ""),
        ("lighthouse's", "L AY T HH AW S IH Z"),
        ("quested", "K W EH S T IH D"),
        ("loudspeakerless", "L AW D S P IY K ER L AH S"),
        ("beekeeper", "B IY K IY P ER"),
        ("skyboat", "S K AY B OW T"),
    ],
)
def test_known_words_and_sure_forms_of_them_have_a_pronunciation(word: str, phones: str) -> None:
    assert " ".join(pronunciations(word)[0] if pronunciations(word) else ()) == phones


def test_words_that_sound_alike() -> None:
    assert sound_alike("their", "there")
    assert sound_alike("colour", "color")
    assert sound_alike("read", "red")
    assert not sound_alike("house", "horse")
    assert sound_alike("xqzzt", "xqzzt")
    assert not sound_alike("xqzzt", "brthw")


def test_the_distance_of_pronunciations_stops_where_it_does_not_matter() -> None:
    house, horse = pronunciations("house")[0], pronunciations("horse")[0]
    assert phone_distance(house, house, 2) == 0
    assert phone_distance(house, horse, 2) == 2
    assert phone_distance(house, horse, 1) == 2
    assert phone_distance(house, pronunciations("encyclopedia")[0], 2) == 3
