"""The language model of a passage, and the second look at what it heard."""

import math
from collections.abc import Sequence

import pytest

from sessions_app.speech.language_model import CONFUSABLES, Confusables, LanguageModel, model_of
from sessions_app.speech.passage import passage_read
from sessions_app.speech.pronunciation import phone_distance, pronunciations
from sessions_app.speech.second_look import look_again
from sessions_app.speech.transcriber import HeardWord, Prompts

FREQUENT = ["the", "a", "and", "horse", "mouse", "house", "how", "cow", "now", "hows", "boat", "goat", "coat", "bone"]
PASSAGE = passage_read("The house stood near the boat. The Xqzzt sat in the house.")


def grams(model: LanguageModel, order: int) -> dict[tuple[str, ...], tuple[float, float]]:
    """The n-grams of an ARPA text: probability and back-off weight."""
    section = model.arpa.split(f"\\{order}-grams:\n")[1].split("\n\n")[0]
    found = {}
    for line in section.strip().splitlines():
        share, *rest = line.split()
        words, weight = rest[:order], float(rest[order]) if len(rest) > order else 0.0
        found[tuple(words)] = (10 ** float(share), 10**weight)
    return found


def test_it_knows_the_passage_common_words_and_confusables() -> None:
    model = model_of(PASSAGE, FREQUENT)
    known = {line.split("(")[0].split(" ")[0] for line in model.dictionary.splitlines()}
    assert {"house", "stood", "boat", "the", "horse", "goat"} <= known
    assert "xqzzt" not in known
    assert set(grams(model, 1)) == {(word,) for word in known} | {("<s>",), ("</s>",)}


def test_it_knows_hesitations_by_names_that_are_no_words() -> None:
    assert {("[uh]",), ("[um]",)} <= set(grams(model_of(PASSAGE, FREQUENT), 1))
    assert "[um] AH M\n" in model_of(passage_read("Um, said the mouse."), FREQUENT).dictionary


def test_the_shares_of_each_context_sum_to_one() -> None:
    model = model_of(PASSAGE, FREQUENT)
    one, two, three = (grams(model, order) for order in (1, 2, 3))
    assert sum(share for (word,), (share, _) in one.items() if word != "<s>") == pytest.approx(1, abs=0.01)

    def after(history: tuple[str, ...], word: str) -> float:
        for table, size in ((three, 2), (two, 1)):
            if len(history) >= size and (*history[-size:], word) in table:
                return table[*history[-size:], word][0] * (
                    1.0 if size == len(history) else two.get(history, (0, 1.0))[1]
                )
        weight = math.prod(
            table[history[-size:]][1]
            for table, size in ((two, 2), (one, 1))
            if history[-size:] in table and size <= len(history)
        )
        return weight * one[(word,)][0]

    for history in (("house",), ("the",), ("boat",)):
        total = sum(after(history, word) for (word,) in one if word != "<s>")
        assert total == pytest.approx(1, abs=0.02)


def test_the_next_word_is_likelier_than_any_other() -> None:
    two = grams(model_of(PASSAGE, FREQUENT), 2)
    after_stood = {pair[1]: share for pair, (share, _) in two.items() if pair[0] == "stood"}
    assert max(after_stood, key=after_stood.__getitem__) == "near"
    assert {"near", "the", "stood", "house"} <= set(after_stood)  # on, one left out, again, back


def test_confusables_are_one_phone_away_and_never_sound_the_same() -> None:
    near = Confusables(FREQUENT)
    found = near.of("house", CONFUSABLES)
    assert "mouse" in found
    for word in found:
        assert phone_distance(pronunciations("house")[0], pronunciations(word)[0], 1) == 1
    assert near.of("boat", 2) == ["goat", "coat"]
    assert "hear" not in Confusables(["hear", "here"]).of("here", 6)
    assert near.of("xqzzt", 6) == []


def test_prompts_are_chains_of_their_own() -> None:
    model = model_of(Prompts(("Good morning.", "How are you?")), FREQUENT)
    two = grams(model, 2)
    assert ("good", "morning") in two
    assert ("morning", "how") not in two


class Fits:
    """A `Listener` that is told how well words fit."""

    def __init__(self, **fits: float) -> None:
        self._fits = {tuple(words.split("_")): fit for words, fit in fits.items()}
        self.asked: list[str] = []

    def fit(self, words: Sequence[str], start: float, end: float) -> tuple[float, tuple[HeardWord, ...]] | None:
        self.asked.append(" ".join(words))
        if tuple(words) not in self._fits:
            return None
        step = (end - start) / len(words)
        placed = (HeardWord(w, start + n * step, start + (n + 1) * step, None) for n, w in enumerate(words))
        return self._fits[tuple(words)], tuple(placed)


READ = passage_read("ant bee cow dog elk fox gnu hen")


def heard(text: str) -> list[HeardWord]:
    return [HeardWord(word, n * 0.5, n * 0.5 + 0.5, 0.4) for n, word in enumerate(text.split())]


def again(text: str, listener: Fits, before: str = "") -> list[tuple[str, bool]]:
    """The words after a second look, and whether each is sure."""
    found = look_again(READ, heard(before), heard(text), listener)
    return [(word.word, word.confidence is not None and word.confidence >= 0.5) for word in found]


def test_a_clean_utterance_is_not_looked_at() -> None:
    listener = Fits()
    words = heard("ant bee cow")
    assert list(look_again(READ, [], words, listener)) == words
    assert listener.asked == []


def test_what_fits_much_better_than_what_was_expected_was_said() -> None:
    listener = Fits(bee_cow_dog=-300.0, bee_how_dog=-150.0)
    assert again("ant bee how dog elk", listener)[2] == ("how", True)
    assert listener.asked == ["bee cow dog", "bee how dog"]


def test_what_fits_about_as_well_as_expected_was_said_as_expected() -> None:
    assert [w for w, _ in again("ant bee how dog elk", Fits(bee_cow_dog=-170.0, bee_how_dog=-150.0))] == [
        "ant", "bee", "cow", "dog", "elk",
    ]  # fmt: skip


def test_expected_words_that_do_not_fit_at_all_were_not_said() -> None:
    assert again("ant bee how dog elk", Fits(bee_how_dog=-150.0))[2] == ("how", True)


def test_an_omission_is_taken_back_only_where_the_word_fits_far_better() -> None:
    assert [w for w, _ in again("ant bee dog elk", Fits(bee_cow_dog=-200.0, bee_dog=-150.0))] == [
        "ant",
        "bee",
        "dog",
        "elk",
    ]
    found = again("ant bee dog elk", Fits(bee_cow_dog=-100.0, bee_dog=-250.0))
    assert [w for w, _ in found] == ["ant", "bee", "cow", "dog", "elk"]


def test_a_word_too_many_is_believed_where_it_fits_better() -> None:
    assert again("ant bee big cow dog", Fits(bee_cow=-300.0, bee_big_cow=-220.0))[2] == ("big", True)
    assert [w for w, _ in again("ant bee big cow dog", Fits(bee_cow=-100.0, bee_big_cow=-90.0))] == [
        "ant", "bee", "cow", "dog",
    ]  # fmt: skip


def test_at_the_end_of_an_utterance_more_words_may_have_been_meant() -> None:
    listener = Fits(bee_cow_dog=-120.0, bee_cow=-200.0, bee_how=-110.0)
    assert [w for w, _ in again("ant bee how", listener)] == ["ant", "bee", "cow", "dog"]


def test_the_words_before_say_where_the_reader_is() -> None:
    listener = Fits(fox_gnu_hen=-100.0, fox_glue_hen=-90.0)
    assert [w for w, _ in again("fox glue hen", listener, before="ant bee cow dog elk")] == ["fox", "gnu", "hen"]


def test_a_long_deviation_and_one_without_a_pronunciation_stay() -> None:
    listener = Fits()
    talk = " ".join(["umbrella"] * 20)
    assert len(again(f"ant bee {talk} cow dog", listener)) == 24
    passage = passage_read("ant bee xqzzt dog elk")
    words = heard("ant bee kiss dog elk")
    assert list(look_again(passage, [], words, listener)) == words
    assert listener.asked == []
