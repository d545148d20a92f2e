"""Step 1: cut each source into passages that hold together, each with its place.

A paragraph, or a turn of a conversation, is a passage where it has about the wanted length. A long one is cut between
the sentences that have least to do with each other (as Hearst's TextTiling does, 1997); short ones that follow each
other are joined.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from analytics_app.qualitative.findings import Chunk, NothingFound, Source, Tell
from analytics_app.qualitative.text import Sentence, Terms, language_of, sentences

WANTED_WORDS: Final = (30, 80)
"""The length of a passage: a thirtieth of everything within these bounds, so that little text has passages too."""
MOST_CHUNKS: Final = 2_500
"""Beyond these the passages grow longer instead of more."""

_PARAGRAPH = re.compile(r"\n[ \t]*\n|\n(?=[ \t]*[A-ZÁÉÍÓÚÑ][\w .'’-]{0,30}:\s)")
_TOLD_EVERY: Final = 50


def chunk_sources(sources: Sequence[Source], *, tell: Tell) -> list[Chunk]:
    """The passages of all sources, in their order. Raises `NothingFound` where there are no words at all."""
    words = sum(source.words for source in sources)
    shortest, longest = WANTED_WORDS
    wanted = max(min(longest, max(shortest, words // 30)), words // MOST_CHUNKS)
    terms = Terms(language_of(source.text for source in sources))
    found: list[Chunk] = []
    done = 0
    for source in sources:
        for group in _passages(source.text, wanted, terms):
            start, end = group[0].start, group[-1].end
            count = sum(sentence.words for sentence in group)
            if count == 0:
                continue
            done += count
            found.append(Chunk(f"c{len(found) + 1}", source.id, start, end, source.text[start:end], count))
            if len(found) % _TOLD_EVERY == 0:
                tell(done, words, f"Cut {len(found)} passages")
    if not found:
        raise NothingFound("There are no words in the sources.")
    tell(words, words, f"Cut {len(found)} passages")
    return found


def _passages(text: str, wanted: int, terms: Terms) -> Iterator[list[Sentence]]:
    """Groups of sentences."""
    waiting: list[Sentence] = []
    for paragraph in _paragraphs(text):
        words = sum(sentence.words for sentence in paragraph)
        if waiting and sum(sentence.words for sentence in waiting) + words > 1.3 * wanted:
            yield waiting
            waiting = []
        if words > 1.5 * wanted:
            if waiting:
                yield waiting
            *whole, waiting = _cut(paragraph, wanted, terms)
            yield from whole
        else:
            waiting = [*waiting, *paragraph]
        if sum(sentence.words for sentence in waiting) >= 0.6 * wanted:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _paragraphs(text: str) -> Iterator[list[Sentence]]:
    begin = 0
    for match in _PARAGRAPH.finditer(text):
        if found := sentences(text, begin, match.start()):
            yield found
        begin = match.end()
    if found := sentences(text, begin):
        yield found


def _cut(paragraph: Sequence[Sentence], wanted: int, terms: Terms) -> list[list[Sentence]]:
    """Cut a long paragraph into pieces of about the wanted length, where its sentences are least alike.

    The best cuts in all are found by going through the sentences once (dynamic programming over the last cut).
    """
    kept = [frozenset(terms.of(sentence.text)) for sentence in paragraph]
    lengths = [sentence.words for sentence in paragraph]
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(paragraph) + 1):
        options = []
        size = 0
        for start in range(end - 1, -1, -1):
            size += lengths[start]
            if size > 2 * wanted and start < end - 1:
                break
            unevenness = ((size - wanted) / wanted) ** 2
            options.append((best[start][0] + unevenness + _likeness(kept, start), start))
        best.append(min(options))
    cuts = []
    end = len(paragraph)
    while end:
        cuts.append((best[end][1], end))
        end = best[end][1]
    return [list(paragraph[start:end]) for start, end in reversed(cuts)]


def _likeness(kept: Sequence[frozenset[str]], cut: int) -> float:
    """How much the two sentences before a cut share with the two after it: 0 to 1, and 0 at the beginning."""
    if cut == 0:
        return 0.0
    before = frozenset().union(*kept[max(0, cut - 2) : cut])
    after = frozenset().union(*kept[cut : cut + 2])
    smaller = min(len(before), len(after))
    return len(before & after) / smaller if smaller else 0.0
