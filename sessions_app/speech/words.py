"""Words as they are spoken: text is normalised once, here, for passages and for what a transcriber writes.

NFKC, lower case, straight apostrophes, no accents, hyphens and dashes part words, digits and signs are spelled out
("1984" is nineteen eighty four, "$5" five dollars, "3rd" third). What is left is a to z and inner apostrophes.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from num2words import num2words

_LETTERS = r"(?:[^\W\d_][\u0300-\u036f]*)+"
_TOKEN = re.compile(
    rf"(?P<money>[$£€](?=\d))?(?P<number>\d+(?:,\d{{3}})*(?:\.\d+)?)(?P<after>st|nd|rd|th|%|(?=\W|_|$))?"
    rf"|{_LETTERS}(?:['’ʼ＇]{_LETTERS})*\.?|&",
    re.IGNORECASE,
)
_SPELLED_OUT = {"mr": "mister", "mrs": "missus", "dr": "doctor", "&": "and"}
_MONEY = {"$": ("dollar", "dollars"), "£": ("pound", "pounds"), "€": ("euro", "euros")}
_ORDINAL_ENDS = {"st", "nd", "rd", "th"}
HESITATIONS = frozenset({"um", "uh", "er", "erm", "hm", "hmm", "mm"})
"""Sounds of somebody who thinks. They are no words, neither read nor added."""
_LONGEST_NUMBER = 15  # digits; a longer one is read digit by digit


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word and the stretch `[start, end)` of the text that it stands in; "25" gives two with one stretch."""

    spoken: str
    start: int
    end: int


def words_of(text: str) -> Iterator[Word]:
    """The words of a text, in order."""
    for token in _TOKEN.finditer(text):
        start, end = token.span()
        if token["number"]:
            spoken = _number(token["number"], token["money"], (token["after"] or "").lower())
        else:
            raw = token[0]
            plain = _plain(raw.rstrip("."))
            if raw.endswith(".") and plain not in _SPELLED_OUT:
                end -= 1
            spoken = (_SPELLED_OUT.get(plain, plain),)
        for word in spoken:
            if word:
                yield Word(word, start, end)


def spoken_of(text: str) -> list[str]:
    """The words of a text without their places."""
    return [word.spoken for word in words_of(text)]


@functools.lru_cache(maxsize=20_000)
def _plain(token: str) -> str:
    folded = unicodedata.normalize("NFKC", token).casefold()
    folded = re.sub("[’ʼ]", "'", folded)
    bare = "".join(c for c in unicodedata.normalize("NFD", folded) if not unicodedata.combining(c))
    return bare.strip("'")


def _number(digits: str, money: str | None, after: str) -> tuple[str, ...]:
    bare = digits.replace(",", "")
    whole = bare.partition(".")[0]
    if len(whole) > _LONGEST_NUMBER or (len(whole) > 1 and whole.startswith("0")):
        words = " ".join(num2words(int(digit)) for digit in whole)
    elif after in _ORDINAL_ENDS:
        words = num2words(int(whole), to="ordinal")
    elif _is_year(digits, money, after):
        words = num2words(int(bare), to="year")
    else:
        words = num2words(float(bare) if "." in bare else int(bare))
    found = [w for w in re.split(r"[^a-z]+", words) if w]
    if money:
        found.append(_MONEY[money][whole != "1" or "." in bare])
    if after == "%":
        found.append("percent")
    return tuple(found)


def _is_year(digits: str, money: str | None, after: str) -> bool:
    return not money and not after and len(digits) == 4 and digits.isdigit() and 1100 <= int(digits) <= 2099
