"""How hard a text is to read: the Flesch-Kincaid grade level.

0.39 · words / sentences + 11.8 · syllables / words − 15.59 (J. P. Kincaid et al. 1975). Syllables are the vowels of a
word's first pronunciation; of a word that has none, the groups of vowel letters.
"""

import re

from sessions_app.speech.passage import Passage
from sessions_app.speech.pronunciation import VOWELS, pronunciations

LEAST_WORDS = 20
"""Of fewer words the formula says nothing."""

_VOWEL_LETTERS = re.compile(r"[aeiouy]+")


def grade_of(passage: Passage) -> float | None:
    """The US school grade whose readers the text suits, to one place; None for a text of fewer than `LEAST_WORDS`."""
    words = len(passage.words)
    if words < LEAST_WORDS:
        return None
    syllables = sum(syllables_of(word) for word in passage.spoken)
    sentences = len(passage.sentence_starts)
    return round(0.39 * words / sentences + 11.8 * syllables / words - 15.59, 1)


def syllables_of(word: str) -> int:
    """At least one.

    >>> [syllables_of(word) for word in ("iron", "ironworks", "a", "xyzzyq")]
    [2, 3, 1, 2]
    """
    known = pronunciations(word)
    if known:
        return max(1, sum(phone in VOWELS for phone in known[0]))
    return max(1, len(_VOWEL_LETTERS.findall(word)))
