"""A passage: the text that a student reads aloud, as the words that are expected.

A word's index is its place among the spoken words, from 0. It is the index of every miscue and of every mark on the
page, where `start` and `end` are its place in the text (in characters).
"""

import bisect
import functools
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sessions_app.speech.pronunciation import Pronunciation, pronunciations
from sessions_app.speech.words import Word, words_of

MOST_WORDS = 3000
_CLOSING = re.compile(r"[.!?…,;:]*[\"'”’)\]]*")
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$)|\n\s*\n")


class NotAPassage(ValueError):
    """A text that nobody can be asked to read. `code` is `no_words` or `too_many_words`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Passage:
    """A text and its words; made by `passage_read`."""

    text: str
    words: tuple[Word, ...]

    @functools.cached_property
    def spoken(self) -> tuple[str, ...]:
        return tuple(word.spoken for word in self.words)

    @functools.cached_property
    def vocabulary(self) -> frozenset[str]:
        return frozenset(self.spoken)

    @functools.cached_property
    def sounds(self) -> Mapping[Pronunciation, str]:
        """A word of the passage for each way in which one of them is pronounced."""
        return {sound: word for word in self.spoken for sound in pronunciations(word)}

    @functools.cached_property
    def unpronounced(self) -> tuple[str, ...]:
        """The words that no dictionary and no rule can pronounce, each once, in order: they are left out of scoring."""
        return tuple(word for word in dict.fromkeys(self.spoken) if not pronunciations(word))

    @functools.cached_property
    def scored(self) -> tuple[bool, ...]:
        """For each word, whether it is scored."""
        silent = set(self.unpronounced)
        return tuple(word not in silent for word in self.spoken)

    @functools.cached_property
    def sentence_starts(self) -> tuple[int, ...]:
        """The index of the first word of each sentence."""
        return sentence_starts(self.text, self.words)

    @functools.cached_property
    def digest(self) -> str:
        """Names what is expected: passages with the same words share a language model."""
        return hashlib.sha256(" ".join(self.spoken).encode()).hexdigest()[:32]

    def sentence_at(self, index: int) -> str:
        """The sentence that holds the word `index`, as it is written."""
        number = bisect.bisect_right(self.sentence_starts, index) - 1
        first = self.sentence_starts[number]
        after = self.sentence_starts[number + 1] if number + 1 < len(self.sentence_starts) else len(self.words)
        end = self.words[after - 1].end
        closed = _CLOSING.match(self.text, end)
        return " ".join(self.text[self.words[first].start : closed.end() if closed else end].split())

    def written(self, index: int) -> str:
        """The word `index` as it is written: "25" for both of its words."""
        word = self.words[index]
        return self.text[word.start : word.end]


def passage_read(text: str) -> Passage:
    """The passage of a text. Raises `NotAPassage` where it has no words or more than `MOST_WORDS`."""
    found: list[Word] = []
    for word in words_of(text):
        found.append(word)
        if len(found) > MOST_WORDS:
            raise NotAPassage("too_many_words")
    if not found:
        raise NotAPassage("no_words")
    return Passage(text, tuple(found))


def sentence_starts(text: str, words: Sequence[Word]) -> tuple[int, ...]:
    """The index of the first word of each sentence. "Mr." and the like end none."""
    starts = [0]
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    place = 0
    for index in range(1, len(words)):
        before, word = words[index - 1], words[index]
        while place < len(ends) and ends[place] <= before.end:
            place += 1
        if place < len(ends) and ends[place] <= word.start and starts[-1] != index:
            starts.append(index)
    return tuple(starts)
