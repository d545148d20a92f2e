"""Small cells are not told, nor what would give them away. Pure.

A cell of fewer distinct students than the threshold is suppressed. Where a total over several cells is told as well,
the suppressed ones of them must not follow by subtraction: further cells are suppressed, the smallest first, until at
least two are and together they have as many students as the threshold (complementary suppression).
"""

from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import TypeVar

C = TypeVar("C", bound=Hashable)


def suppressed(students: Mapping[C, int], *, threshold: int, totals: Iterable[Collection[C]] = ()) -> frozenset[C]:
    """The cells that must not be told. `students` are the distinct students of each cell; each of `totals` is a group
    of cells whose sum is told. A cell without students tells nothing of anybody and needs no hiding."""
    hidden = {cell for cell, count in students.items() if 0 < count < threshold}
    groups = [[cell for cell in group if students.get(cell)] for group in totals]
    groups = [group for group in groups if sum(students[cell] for cell in group) >= threshold]
    while True:
        found = len(hidden)
        for group in groups:
            _protect(group, students, hidden, threshold)
        if len(hidden) == found:
            return frozenset(hidden)


def _protect(group: list[C], students: Mapping[C, int], hidden: set[C], threshold: int) -> None:
    """Hide cells of a group until its total no longer gives the hidden ones away, or all of them are hidden."""
    left = sorted((cell for cell in group if cell not in hidden), key=lambda cell: (students[cell], str(cell)))
    inside = [cell for cell in group if cell in hidden]
    while inside and left and (len(inside) < 2 or sum(students[cell] for cell in inside) < threshold):
        inside.append(left.pop(0))
        hidden.add(inside[-1])
