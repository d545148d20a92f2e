"""What the offline engine makes of real words: places that are right, patterns that a reader agrees with."""

from pathlib import Path

import pytest

from analytics_app.qualitative.cues import Kind, kinds_of
from analytics_app.qualitative.engines import WordStatistics
from analytics_app.qualitative.findings import Chunk, Insight, Meaning, NothingFound, Principle, Relations, Source
from analytics_app.qualitative.text import WORD, Terms, condensed, language_of, sentences
from tests.analytics_app.qualitative.interviews import SPANISH, THEMES, interviews, theme_of

CHAPTER = Path(__file__).parent / "data" / "douglass_1845_chapter_7.txt"


def silent(_done: int, _parts: int, _message: str) -> None:
    return


class Analysed:
    """All five steps over some sources."""

    def __init__(self, sources: list[Source], seed: int = 1) -> None:
        self.sources = sources
        self.engine = WordStatistics(sources, seed=seed)
        self.chunks: list[Chunk] = self.engine.chunk(sources, tell=silent)
        self.meanings: list[Meaning] = self.engine.infer(self.chunks, tell=silent)
        self.relations: Relations = self.engine.relate(self.chunks, self.meanings, tell=silent)
        self.patterns = self.relations.patterns
        self.insights: list[Insight] = self.engine.explain(self.chunks, self.meanings, self.patterns, tell=silent)
        self.principles: list[Principle] = self.engine.activate(self.insights, self.patterns, tell=silent)

    def passages(self, pattern: int) -> list[str]:
        """The texts of a pattern's chunks."""
        by_id = {chunk.id: chunk.text for chunk in self.chunks}
        chunk_of = {meaning.id: meaning.chunk for meaning in self.meanings}
        return [by_id[chunk_of[meaning]] for meaning in self.patterns[pattern].meanings]


pytestmark = pytest.mark.xdist_group("chapter")  # analysed once, on one worker


def source(text: str, name: str = "a text") -> Source:
    return Source("s1", name, text, len(WORD.findall(text)))


@pytest.fixture(scope="module")
def chapter() -> Analysed:
    """Chapter VII of Frederick Douglass's Narrative (1845): how he learned to read and write, and what it did."""
    return Analysed([source(CHAPTER.read_text(), "Douglass 1845, chapter VII")])


@pytest.fixture(scope="module")
def museum() -> Analysed:
    return Analysed(interviews())


def test_every_chunk_and_quote_stands_where_it_says(chapter: Analysed, museum: Analysed) -> None:
    for found in (chapter, museum):
        texts = {one.id: one.text for one in found.sources}
        quotes = [m.quote for m in found.meanings] + [q for i in found.insights for q in i.quotes]
        for place in [*found.chunks, *quotes]:
            assert texts[place.source][place.start : place.end] == place.text
        chunks = {chunk.id: chunk for chunk in found.chunks}
        for meaning in found.meanings:
            assert meaning.quote.text in chunks[meaning.chunk].text


def test_the_chunks_hold_all_words_once(chapter: Analysed) -> None:
    text = chapter.sources[0].text
    assert "".join("".join(chunk.text.split()) for chunk in chapter.chunks) == "".join(text.split())
    assert sum(chunk.words for chunk in chapter.chunks) == chapter.sources[0].words
    assert all(20 <= chunk.words <= 160 for chunk in chapter.chunks)


def test_every_meaning_is_in_one_pattern_and_every_link_leads_somewhere(chapter: Analysed, museum: Analysed) -> None:
    for found in (chapter, museum):
        placed = [meaning for pattern in found.patterns for meaning in pattern.meanings]
        assert sorted(placed) == sorted(meaning.id for meaning in found.meanings)
        assert {p for i in found.insights for p in i.patterns} == {pattern.id for pattern in found.patterns}
        assert all(set(i.meanings) <= set(placed) and i.meanings and i.quotes for i in found.insights)
        assert [i for p in found.principles for i in p.insights] == [insight.id for insight in found.insights]


READERS_THEMES = {
    "the mistress, at first kind, is changed by slavery": ("mistress", "tender-hearted", "husband"),
    "boys of the street teach him, and are paid with bread": ("bread", "boys", "errand"),
    "a dialogue and speeches give him words against slavery": ("dialogue", "Sheridan", "documents"),
    "knowing torments him": ("torment", "wretched", "agony"),
    "what abolition means, and whom to ask": ("abolition", "abolitionists", "petitions"),
    "letters on timber and a copy-book teach him to write": ("timber", "starboard", "copy-book"),
}
"""What a reader finds in the chapter, each with words by which its passages are known."""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_chapter_falls_into_the_patterns_that_a_reader_finds(seed: int) -> None:
    found = Analysed([source(CHAPTER.read_text())], seed=seed)
    assert 5 <= len(found.patterns) <= 8
    homes = {}
    for theme, words in READERS_THEMES.items():
        counts = [
            sum(passage.count(word) for passage in found.passages(n) for word in words)
            for n in range(len(found.patterns))
        ]
        assert max(counts) >= 0.6 * sum(counts), theme
        homes[theme] = counts.index(max(counts))
    assert len(set(homes.values())) >= len(READERS_THEMES) - 1, "two themes at most may share a pattern"


def test_the_names_of_the_patterns_are_words_of_the_chapter(chapter: Analysed) -> None:
    text = chapter.sources[0].text.lower()
    labels = " | ".join(pattern.label for pattern in chapter.patterns).lower()
    assert all(term.lower() in text for pattern in chapter.patterns for term in pattern.terms)
    for word in ("mistress", "timber", "dialogue", "torment", "boys"):
        assert word in labels


def test_insights_say_in_the_chapter_s_own_words_what_it_tells(chapter: Analysed) -> None:
    by_word = {
        word: next(i for i in chapter.insights if word in i.statement.lower())
        for word in ("mistress", "boys", "torment")
    }
    assert by_word["mistress"].kind == Kind.CHANGE
    assert by_word["boys"].kind == Kind.MEANS
    assert "making friends of all the little white boys" in by_word["boys"].statement
    assert by_word["torment"].kind in {Kind.FEELING, Kind.OBSTACLE}
    links = [insight for insight in chapter.insights if insight.kind == "link"]
    assert any("a curse rather than a blessing" in insight.statement for insight in links)


def test_principles_name_the_deed_where_the_words_do(chapter: Analysed) -> None:
    said = [principle.statement for principle in chapter.principles]
    assert any(one.startswith("Build on what already works: making friends of all the little") for one in said)
    assert len(set(said)) == len(said)
    assert all("“" in principle.rationale for principle in chapter.principles)


def test_themes_that_run_through_several_interviews_are_found(museum: Analysed) -> None:
    assert museum.relations.choice is not None and museum.relations.choice.patterns == len(THEMES)
    for n, pattern in enumerate(museum.patterns):
        assert len({theme_of(passage) for passage in museum.passages(n)}) == 1
        assert pattern.sources == 4


def test_interviews_tell_of_obstacles_ways_and_wishes(museum: Analysed) -> None:
    kinds = {theme_of(museum.passages(n)[0]): museum.insights[n].kind for n in range(len(museum.patterns))}
    assert kinds["noise"] == Kind.OBSTACLE
    assert kinds["friends"] == Kind.WISH
    assert any(p.statement.startswith("Make it possible to ") for p in museum.principles)


def test_the_same_texts_and_seed_give_the_same_result() -> None:
    first, second = (Analysed(interviews(), seed=7) for _ in range(2))
    for step in ("chunks", "meanings", "relations", "insights", "principles"):
        assert getattr(first, step) == getattr(second, step)


def test_spanish_is_recognised_and_answered_in_spanish() -> None:
    found = Analysed([source(SPANISH)])
    assert found.engine.described.language == "es"
    labels = " ".join(pattern.label.lower() for pattern in found.patterns)
    assert "libro" in labels or "maestro" in labels
    assert " que " not in f" {labels} " and " the " not in f" {labels} "
    assert "«" in found.insights[0].statement


@pytest.mark.parametrize("text", ["One sentence of a few words.", "Yes.", "the of and to a in", "Word " * 3, "¿?… no"])
def test_little_text_gives_a_small_result_instead_of_an_error(text: str) -> None:
    found = Analysed([source(text)])
    assert len(found.chunks) == len(found.meanings) == len(found.patterns) == 1
    assert found.insights and found.principles


def test_the_same_words_again_and_again_are_few_patterns() -> None:
    found = Analysed([source("\n\n".join(["The wheel turned slowly, and the river drove it on and on. " * 6] * 30))])
    assert 1 <= len(found.patterns) <= 3


def test_sources_without_words_are_refused() -> None:
    with pytest.raises(NothingFound):
        Analysed([source("… — 42 !!")])


def test_turns_of_a_conversation_are_not_torn_apart() -> None:
    text = "Interviewer: What helped you?\nMaria: The drawings did. I could see how the wheel turned.\n" * 3
    found = Analysed([source(text)])
    assert "".join(chunk.text.replace("\n", "") for chunk in found.chunks) == text.replace("\n", "")


def test_sentences_end_where_they_end() -> None:
    text = (
        'He met Mr. Waters of St. James. "Are ye a slave?" he asked. It was 3.5 miles… Then home.\n\nA heading\n\nMore.'
    )
    assert [one.text for one in sentences(text)] == [
        "He met Mr. Waters of St. James.",
        '"Are ye a slave?" he asked.',
        "It was 3.5 miles…",
        "Then home.",
        "A heading",
        "More.",
    ]


def test_a_term_is_shown_in_its_most_frequent_form_and_a_name_with_its_capital() -> None:
    terms = Terms("en")
    terms.note("Learning to read. She learned. Learning again. Philpot Street, a street.")
    assert terms.surface(terms.stem("learns") or "") == "learning"
    assert terms.surface(terms.stem("Philpot") or "") == "Philpot"
    assert terms.surface(terms.stem("street") or "") == "street"


def test_a_long_sentence_is_cut_at_a_clause() -> None:
    long = "And so, " + "one two three four five six seven eight nine ten, " * 5
    assert condensed(long).endswith("ten …") and len(condensed(long).split()) <= 33
    assert condensed(long).startswith("One")


def test_what_a_sentence_tells_is_known_by_its_small_words() -> None:
    assert kinds_of("I could not hear a thing.", "en") == {Kind.OBSTACLE}
    assert kinds_of("Ojalá pudiera leer.", "es") == {Kind.WISH}
    assert kinds_of("The wheel is round.", "en") == frozenset()


def test_a_text_in_no_known_language_counts_as_english() -> None:
    assert language_of(["qwzx rrtk plmn"]) == "en"
