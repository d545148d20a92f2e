"""Help with a word: the word in its parts, and something that leads on. Nothing in it names or grades the reader."""

import functools
from dataclasses import dataclass
from typing import Protocol

import pyphen

LEAST_LETTERS = 5  # of a word that is worth taking apart
BETWEEN_PARTS = " · "


@dataclass(frozen=True, slots=True)
class HelpAsked:
    """A word that a reader is stuck at, as it is written, and its sentence."""

    word: str
    sentence: str


@dataclass(frozen=True, slots=True)
class HelpGiven:
    """`parts` is the word taken apart, or the word; `text` leads on; `author` is who worded it."""

    word: str
    parts: str
    text: str
    author: str


class Assistant(Protocol):
    """Words a help. Blocks for as long as it takes, and always gives one."""

    def help(self, asked: HelpAsked) -> HelpGiven: ...


class ModelReader:
    """`Assistant` without a language model: it shows the word, its parts, and its sentence to say along."""

    AUTHOR = "rules"

    def help(self, asked: HelpAsked) -> HelpGiven:
        return HelpGiven(asked.word, parts_of(asked.word), asked.sentence, self.AUTHOR)


def parts_of(word: str) -> str:
    """A word taken apart where it may be hyphenated.

    >>> parts_of("lighthouse"), parts_of("cat")
    ('light · house', 'cat')
    """
    if len(word) < LEAST_LETTERS:
        return word
    return str(_hyphenation().inserted(word, hyphen=BETWEEN_PARTS))


@functools.cache
def _hyphenation() -> pyphen.Pyphen:
    return pyphen.Pyphen(lang="en_US", left=2, right=2)
