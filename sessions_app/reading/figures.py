"""The figures of a reading by the machine's marks and by the teacher's decisions about them. Pure.

Attempted words are those of the passage that the reading reached and that are scored. A word is read correctly unless
an omission or a substitution stands at it. Accuracy = (attempted − errors) / attempted. What the machine is not sure
of does not count; what a teacher decided always does.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sessions_app.models import Miscue, MiscueType
from sessions_app.speech.summary import accuracy_of
from sessions_app.speech.windows import MiscueCounts

ERRORS = {MiscueType.OMISSION, MiscueType.INSERTION, MiscueType.SUBSTITUTION}
AT_A_WORD = {MiscueType.OMISSION, MiscueType.SUBSTITUTION}


class Marked(Protocol):
    """A mark at a word of the passage, as `models.Miscue` keeps it."""

    type: str
    index: int
    counted: bool
    decision: str
    corrected_type: str


@dataclass(frozen=True, slots=True)
class Figures:
    """What a reading comes to. Rates are None where no sound or no word is under them."""

    attempted: int
    correct: int
    counts: MiscueCounts
    seconds: float

    @property
    def wcpm(self) -> float | None:
        return self.correct * 60 / self.seconds if self.seconds else None

    @property
    def accuracy(self) -> float | None:
        """In %."""
        return accuracy_of(self.attempted, self.counts.total)

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(
            self.attempted + other.attempted,
            self.correct + other.correct,
            self.counts + other.counts,
            self.seconds + other.seconds,
        )


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many of the machine's marks a teacher has decided about, and how many of those were accepted."""

    decided: int
    accepted: int

    @property
    def share(self) -> float | None:
        """In %; None while nothing is decided."""
        return self.accepted * 100 / self.decided if self.decided else None


def by_the_machine(marks: Iterable[Marked], *, attempted: int, seconds: float) -> Figures:
    """The figures of the machine's own marks."""
    standing = [(mark.type, mark.index) for mark in marks if mark.type and (mark.counted or mark.type not in ERRORS)]
    return _figures(standing, attempted, seconds)


def as_decided(marks: Iterable[Marked], *, attempted: int, seconds: float) -> Figures:
    """The figures with the teacher's decisions in the place of the machine's marks."""
    standing = []
    for mark in marks:
        if mark.decision == Miscue.Decision.CORRECTED:
            kind, counts = mark.corrected_type, True
        else:
            kind, counts = mark.type, mark.counted or mark.decision == Miscue.Decision.ACCEPTED
        if kind and (counts or kind not in ERRORS):
            standing.append((kind, mark.index))
    return _figures(standing, attempted, seconds)


def agreement(marks: Sequence[Marked]) -> Agreement:
    decided = [mark for mark in marks if mark.decision != Miscue.Decision.OPEN]
    return Agreement(len(decided), sum(mark.decision == Miscue.Decision.ACCEPTED for mark in decided))


def _figures(standing: Iterable[tuple[str, int]], attempted: int, seconds: float) -> Figures:
    kinds: Counter[str] = Counter()
    wrong: set[int] = set()
    for kind, index in standing:
        if kind in AT_A_WORD:
            if index in wrong:
                continue
            wrong.add(index)
        kinds[kind] += 1
    counts = MiscueCounts(
        omissions=kinds[MiscueType.OMISSION],
        insertions=kinds[MiscueType.INSERTION],
        substitutions=kinds[MiscueType.SUBSTITUTION],
        repetitions=kinds[MiscueType.REPETITION],
        self_corrections=kinds[MiscueType.SELF_CORRECTION],
    )
    return Figures(attempted, max(0, attempted - len(wrong)), counts, seconds)
