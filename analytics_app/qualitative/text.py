"""Sentences, terms and language of English and Spanish prose. Pure.

A term is a word that is not a stop word, reduced to its stem (Snowball), so that *learning* and *learned* are one.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from snowballstemmer import stemmer
from stop_words import get_stop_words

from analytics_app.qualitative.small_words import EMPTY, NOT_EMPTY

LANGUAGES: Final = ("en", "es")
_NAMES: Final = {"en": "english", "es": "spanish"}

_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s+[\"'“‘«¿¡(\[]*[A-ZÁÉÍÓÚÑÜ0-9]|\s*$)|\n\s*\n|\n(?=\s*[-•*]\s)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Sr|Jr|Prof|Rev|Gen|Col|Capt|vs|etc|No|Vol|Fig|Sra|Srta|Ud|Uds|Dra|pág|núm)|\b[A-Z])\.$"
)
WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")

_LEAD = re.compile(
    r"^(?:(?:and|but|so|however|thus|then|also|well|yes|no|moreover|y|pero|entonces|además|pues|sin embargo)\b,?\s+)+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence at its place in a text."""

    start: int
    end: int
    text: str

    @property
    def words(self) -> int:
        return len(WORD.findall(self.text))


def sentences(text: str, start: int = 0, end: int | None = None) -> list[Sentence]:
    """The sentences of `text[start:end]`, without the white space around them.

    >>> [s.text for s in sentences('I met Mr. Waters. "Are ye a slave?" he asked.  Yes!')]
    ['I met Mr. Waters.', '"Are ye a slave?" he asked.', 'Yes!']
    """
    end = len(text) if end is None else end
    found: list[Sentence] = []
    begin = start
    for match in _SENTENCE_END.finditer(text, start, end):
        upto = match.end() if match[0].strip() else match.start()
        if match[0].strip() == "." and _ABBREVIATION.search(text, begin, match.end()):
            continue
        _add(found, text, begin, upto)
        begin = match.end()
    _add(found, text, begin, end)
    return found


def _add(found: list[Sentence], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        start += len(piece) - len(piece.lstrip())
        found.append(Sentence(start, start + len(stripped), stripped))


@cache
def stop_words(language: str) -> frozenset[str]:
    """The words of a language that say nothing by themselves."""
    return frozenset(get_stop_words(language)) - NOT_EMPTY[language] | EMPTY[language]


def language_of(texts: Iterable[str]) -> str:
    """`en` or `es`: the one whose small words are met more often; English where neither is.

    >>> language_of(["La escuela está cerca del río y los niños van a pie."])
    'es'
    """
    words = Counter(word.lower() for text in texts for word in WORD.findall(text[:20_000]))
    small = {language: frozenset(get_stop_words(language)) for language in LANGUAGES}
    only = {language: small[language] - small["es" if language == "en" else "en"] for language in LANGUAGES}
    return max(LANGUAGES, key=lambda language: sum(n for word, n in words.items() if word in only[language]))


class Terms:
    """The terms of one language. `surface` gives the word by which a reader knows a stem: its most frequent form."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._stop = stop_words(language)
        self._stemmer = stemmer(_NAMES[language])
        self._stems: dict[str, str | None] = {}
        self._forms: dict[str, Counter[str]] = {}

    def of(self, text: str) -> list[str]:
        """The stems of a text's terms, in order."""
        return [stem for _word, stem in self.words(text) if stem]

    def words(self, text: str) -> Iterator[tuple[str, str | None]]:
        """Each word, and its stem where it is a term. Possessives lose their ending."""
        for match in WORD.finditer(text):
            word = re.sub(r"['’]s$", "", match[0])
            yield word, self.stem(word)

    def stem(self, word: str) -> str | None:
        lower = word.lower()
        if lower not in self._stems:
            empty = len(lower) < 3 or lower in self._stop or lower.replace("’", "'") in self._stop
            self._stems[lower] = None if empty else self._stemmer.stemWord(lower)
        return self._stems[lower]

    def note(self, text: str) -> list[str]:
        """The stems of a text's terms; the forms in which they stand are remembered for `surface`.

        A word counts as a name (and keeps its capital) where it never stands in small letters.
        """
        stems = []
        for word, stem in self.words(text):
            if stem:
                self._forms.setdefault(stem, Counter())[word] += 1
                stems.append(stem)
        return stems

    def surface(self, stem: str) -> str:
        """The form of a stem that is met most; of equals, the shortest."""
        forms = self._forms[stem]
        small: Counter[str] = Counter()
        for word, count in forms.items():
            small[word.lower()] += count
        lower = min(small, key=lambda word: (-small[word], len(word), word))
        is_name = not any(word[:1].islower() for word in forms)
        return next(word for word in sorted(forms) if word.lower() == lower) if is_name else lower


def condensed(sentence: str, *, most_words: int = 32) -> str:
    """A sentence without what leads up to it or stands in brackets, cut at a clause where it is very long.

    >>> condensed("But, however, he (the master) was wrong.")
    'He was wrong.'
    """
    short = re.sub(r"\s*\([^)]*\)", "", " ".join(sentence.split()))
    short = _LEAD.sub("", short)
    words = short.split(" ")
    if len(words) > most_words:
        cut = next((n for n in range(most_words, most_words // 2, -1) if words[n - 1][-1:] in ",;:"), most_words)
        short = " ".join(words[:cut]).rstrip(",;:—-") + " …"
    return short[:1].upper() + short[1:]


def listed(names: Sequence[str], conjunction: str) -> str:
    """
    >>> listed(["bread", "boys", "errands"], "and")
    'bread, boys and errands'
    """
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {conjunction} {names[-1]}"
