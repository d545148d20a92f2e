"""Texts of our own to read aloud, and readings of them with miscues planted by rule; a synthetic voice reads them."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sessions_app.speech.passage import Passage, passage_read

TEXTS = tuple(" ".join(text.split()) for text in Path(__file__).with_suffix(".txt").read_text().split("\n\n"))
ADDED = ("very", "big", "then", "little", "just", "really", "old", "now")
SAID_INSTEAD = ("garden", "yellow", "monkey", "seven", "window", "paper", "happy", "running", "table", "music")
APART = 7  # words between two miscues, at least
NEAR = 1  # words by which the place of a miscue may be off


@dataclass(frozen=True, slots=True)
class Planted:
    """A reading: what is said, and the passage's words at which it deviates, with how."""

    passage: Passage
    said: str
    miscues: tuple[tuple[int, str], ...]


def clean() -> Iterator[Planted]:
    for text in TEXTS:
        yield Planted(passage_read(text), text, ())


def misread(seed: int) -> Iterator[Planted]:
    """Each text once, with a miscue in about every ninth word, of each kind in turn."""
    for number, text in enumerate(TEXTS):
        yield _plant(text, random.Random(1000 * seed + number))


def _plant(text: str, chance: random.Random) -> Planted:
    passage = passage_read(text)
    said = text.split()
    assert len(said) == len(passage.words), "one spoken word for each written one"
    kinds = ["omission", "insertion", "substitution"]
    chance.shuffle(kinds)
    miscues: list[tuple[int, str]] = []
    place = chance.randint(2, APART)
    while place < len(said) - 3:
        kind = kinds[len(miscues) % 3]
        word = said[place]
        if (
            kind == "omission" and len(word.strip(".,")) < 3
        ):  # a reader's "a" that is left out is below what can be heard
            place += 1
            continue
        miscues.append((place, kind))
        place += APART + chance.randint(0, 4)
    for place, kind in miscues:
        end = said[place][len(said[place].rstrip(".,")) :]
        if kind == "omission":
            said[place] = ""
        elif kind == "insertion":
            said[place] = f"{chance.choice(ADDED)} {said[place]}"
        else:
            said[place] = chance.choice(SAID_INSTEAD) + end
    return Planted(passage, " ".join(word for word in said if word), tuple(miscues))


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of planted miscues: by place, within `NEAR` words."""

    planted: int = 0
    recalled: int = 0
    counted: int = 0
    right: int = 0
    words: int = 0

    def __add__(self, other: "Found") -> "Found":
        return Found(
            self.planted + other.planted,
            self.recalled + other.recalled,
            self.counted + other.counted,
            self.right + other.right,
            self.words + other.words,
        )


def compared(reading: Planted, places: list[int]) -> Found:
    """`places` are the passage's words at which a miscue was counted."""
    planted = [place for place, _ in reading.miscues]

    def near(one: int, others: list[int]) -> bool:
        return any(abs(one - other) <= NEAR for other in others)

    return Found(
        planted=len(planted),
        recalled=sum(near(place, places) for place in planted),
        counted=len(places),
        right=sum(near(place, planted) for place in places),
        words=len(reading.passage.words),
    )
