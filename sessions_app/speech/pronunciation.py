"""How words are pronounced: the dictionary that comes with pocketsphinx, and safe rules for forms that it lacks.

A pronunciation is a tuple of ARPAbet phones without stress ("house": HH AW S).
"""

import functools
import re
from importlib.util import find_spec
from pathlib import Path

VOWELS = frozenset(["AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"])
_SIBILANTS = frozenset(["S", "Z", "SH", "ZH", "CH", "JH"])
_VOICELESS = frozenset(["P", "T", "K", "F", "TH"])
_VARIANT = re.compile(r"\(\d+\)$")

Pronunciation = tuple[str, ...]


@functools.cache
def model_folder() -> Path:
    """The folder of the acoustic model and dictionary. pocketsphinx itself stays where the recogniser is."""
    spec = find_spec("pocketsphinx")
    assert spec is not None and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "model" / "en-us"


@functools.cache
def dictionary() -> dict[str, tuple[str, ...]]:
    """Every word of the dictionary with its pronunciations, most usual first, each as one string of phones."""
    found: dict[str, tuple[str, ...]] = {}
    with (model_folder() / "cmudict-en-us.dict").open(encoding="utf-8") as lines:
        for line in lines:
            word, _, phones = line.rstrip("\n").partition(" ")
            word = _VARIANT.sub("", word)
            found[word] = (*found.get(word, ()), phones)
    return found


@functools.lru_cache(maxsize=20_000)
def pronunciations(word: str) -> tuple[Pronunciation, ...]:
    """The pronunciations of a normalised word, most usual first; empty where none is known."""
    known = dictionary().get(word) or dictionary().get(f"'{word}")
    if known:
        return tuple(tuple(phones.split()) for phones in known)
    return _derived(word)


def sound_alike(one: str, other: str) -> bool:
    """Whether two words can sound the same: their, there; colour, color; an unknown word only like itself."""
    return one == other or not set(pronunciations(one)).isdisjoint(pronunciations(other))


def phone_distance(one: Pronunciation, other: Pronunciation, most: int) -> int:
    """The edit distance of two pronunciations, or `most` + 1 where it is greater."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    above = list(range(len(other) + 1))
    for row, phone in enumerate(one, 1):
        line = [row]
        for column, against in enumerate(other, 1):
            line.append(min(above[column] + 1, line[-1] + 1, above[column - 1] + (phone != against)))
        if min(line) > most:
            return most + 1
        above = line
    return min(above[-1], most + 1)


def _derived(word: str) -> tuple[Pronunciation, ...]:
    """Plurals, possessives, -ed, -ing, -ly and plain compounds of known words, where the rule is sure."""
    for ending, stems, sound in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 2:
            bare = word[: -len(ending)]
            for stem in (bare + end for end in stems):
                if stem in dictionary():
                    return tuple((*base, *sound(base[-1])) for base in pronunciations(stem))
    for cut in range(3, len(word) - 2):
        first, second = word[:cut], word[cut:]
        if first in dictionary() and second in dictionary():
            return ((*pronunciations(first)[0], *pronunciations(second)[0]),)
    return ()


def _s(last: str) -> Pronunciation:
    if last in _SIBILANTS:
        return ("IH", "Z")
    return ("S",) if last in _VOICELESS else ("Z",)


def _ed(last: str) -> Pronunciation:
    if last in {"T", "D"}:
        return ("IH", "D")
    return ("T",) if last in _VOICELESS or last in {"S", "SH", "CH"} else ("D",)


_ENDINGS = (
    ("'s", ("",), _s),
    ("s'", ("", "s"), _s),
    ("es", ("", "e"), _s),
    ("s", ("",), _s),
    ("ed", ("", "e"), _ed),
    ("ing", ("", "e"), lambda last: ("IH", "NG")),
    ("ly", ("",), lambda last: ("L", "IY")),
    ("ness", ("",), lambda last: ("N", "AH", "S")),
    ("less", ("",), lambda last: ("L", "AH", "S")),
)
