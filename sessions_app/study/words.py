"""Words of a text, as the rules of the study see them: tokens, stems, what is said of something, what is not."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

import snowballstemmer
from rapidfuzz import fuzz, process

_WORD: Final = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_SENTENCE: Final = re.compile(r"[.!?;:\n]+")
_STEMMER: Final = snowballstemmer.stemmer("english")

ALIKE: Final = 86.0
"""From this similarity on (0 to 100) two long stems are one word, misspelt."""
SHORTEST_MISSPELT: Final = 5
"""Characters of a stem below which a slip makes another word: `coal` is not `coat`."""

SAYS_LITTLE: Final = frozenset(
    (
        "a", "about", "above", "after", "again", "all", "also", "although", "always", "am", "an", "and", "any", "are",
        "aren't", "as", "at", "be", "because", "been", "before", "being", "both", "but", "by", "can", "can't",
        "cannot", "could", "couldn't", "did", "didn't", "do", "does", "doesn't", "doing", "don't", "down", "each",
        "either", "else", "even", "ever", "every", "few", "for", "from", "get", "gets", "got", "had", "hadn't", "has",
        "hasn't", "have", "haven't", "having", "he", "her", "here", "hers", "him", "his", "how", "however", "i",
        "i'm", "if", "in", "into", "is", "isn't", "it", "it's", "its", "just", "kind", "know", "let", "like", "lot",
        "lots", "many", "may", "maybe", "me", "might", "more", "most", "much", "must", "my", "no", "nor", "not",
        "now", "of", "off", "ok", "okay", "on", "only", "onto", "or", "other", "our", "out", "over", "own", "quite",
        "rather", "really", "same", "shall", "she", "should", "since", "so", "some", "something", "somehow", "sort",
        "still", "stuff", "such", "than", "that", "that's", "the", "their", "them", "then", "there", "these", "they",
        "thing", "things", "think", "this", "those", "though", "thought", "through", "to", "too", "under", "until",
        "up", "upon", "us", "very", "was", "wasn't", "we", "well", "were", "weren't", "what", "when", "where",
        "whether", "which", "while", "who", "whom", "whose", "why", "will", "with", "without", "won't", "would",
        "wouldn't", "yes", "yet", "you", "your",
    )
)  # fmt: skip
"""The closed classes of English words, and fillers. The ready lists also hold `mill`, `men`, `fire` and `work`."""
NEGATIONS: Final = frozenset(
    ("no", "not", "never", "without", "neither", "nor", "cannot", "can't", "don't", "didn't", "wasn't", "weren't",
     "isn't")
)  # fmt: skip


def tokens(text: str) -> list[str]:
    """The words of a text in lower case, in order; a contraction or hyphenated word is one."""
    return [word.lower().replace("’", "'") for word in _WORD.findall(text)]


def count(text: str) -> int:
    """How many words a text has."""
    return len(_WORD.findall(text))


def sentences(text: str) -> list[str]:
    """The stretches of a text between full stops and their like, without empty ones."""
    return [part.strip() for part in _SENTENCE.split(text) if part.strip()]


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """The Snowball stem of a word in lower case."""
    stemmed: str = _STEMMER.stemWord(word.removesuffix("'s"))
    return stemmed


def stems(text: str) -> list[str]:
    """The stems of all words of a text, in order."""
    return [stem(word) for word in tokens(text)]


def telling(words: Iterable[str]) -> list[str]:
    """The words (in lower case) that carry meaning: no stop words, nothing of one letter; numbers count."""
    return [word for word in words if word not in SAYS_LITTLE and (len(word) > 1 or word.isdigit())]


def vocabulary(*texts: str) -> frozenset[str]:
    """The stems of the telling words of some texts."""
    return frozenset(stem(word) for text in texts for word in telling(tokens(text)))


def places_of(wanted: str, among: Sequence[str]) -> list[int]:
    """Where a stem, or one that is it but for a slip of the pen, stands among stems."""
    found = [place for place, word in enumerate(among) if word == wanted]
    if found or len(wanted) < SHORTEST_MISSPELT or wanted.isdigit():
        return found
    close = process.extract(wanted, among, scorer=fuzz.ratio, score_cutoff=ALIKE, limit=None)
    return sorted(place for word, _score, place in close if len(word) >= SHORTEST_MISSPELT and word[0] == wanted[0])
