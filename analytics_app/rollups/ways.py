"""The ways in which a metric is computed: for one hour in SQL, for a window of hours from the rows of its hours.

The two belong together: an average over a week is made of what the averages of its hours are made of, and is never the
mean of means.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

Text = str | Promise
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Count:
    """A number of things in the hour; over a window, their sum."""

    sql: str

    def over(self, column: str, rows: Sequence[Row], people: Mapping[str, int]) -> float | None:
        values = [row[column] for row in rows if row[column] is not None]
        return sum(values) if values else 0


@dataclass(frozen=True, slots=True)
class People:
    """Distinct people in a role (see `HourlyPeople`): over a window they are distinct, too."""

    role: str
    sql: str

    def over(self, column: str, rows: Sequence[Row], people: Mapping[str, int]) -> float | None:
        return people.get(self.role, 0)


@dataclass(frozen=True, slots=True)
class Spanning:
    """Things that last, and begin in `begun`: over a window, those of its first hour and those that began later."""

    sql: str
    begun: str

    def over(self, column: str, rows: Sequence[Row], people: Mapping[str, int]) -> float | None:
        return sum(row[self.begun if index else column] or 0 for index, row in enumerate(rows))


@dataclass(frozen=True, slots=True)
class State:
    """How things stood at the end of the hour; over a window, at its end."""

    sql: str

    def over(self, column: str, rows: Sequence[Row], people: Mapping[str, int]) -> float | None:
        value: float | None = rows[-1][column] if rows else None
        return value


@dataclass(frozen=True, slots=True)
class Ratio:
    """`factor` × one count / another, and NULL where the other is 0; over a window, the ratio of their sums."""

    part: str
    whole: str
    factor: float = 1.0

    @property
    def sql(self) -> str:
        return f"{self.factor}::float8 * {self.part} / nullif({self.whole}, 0)"

    def over(self, column: str, rows: Sequence[Row], people: Mapping[str, int]) -> float | None:
        whole = sum(row[self.whole] or 0 for row in rows)
        return self.factor * sum(row[self.part] or 0 for row in rows) / whole if whole else None


@dataclass(frozen=True, slots=True)
class Share:
    """The share of people in one role among those in another, in %; over a window, of distinct people."""

    part: str
    whole: str
    part_role: str
    whole_role: str

    @property
    def sql(self) -> str:
        return f"100::float8 * {self.part} / nullif({self.whole}, 0)"

    def over(self, column: str, rows: Sequence[Row], people: Mapping[str, int]) -> float | None:
        whole = people.get(self.whole_role, 0)
        return 100.0 * people.get(self.part_role, 0) / whole if whole else None


@dataclass(frozen=True, slots=True)
class MeanOf:
    """The mean of those of `columns` that are defined, and NULL where fewer than `least` are."""

    columns: tuple[str, ...]
    least: int

    @property
    def sql(self) -> str:
        defined = f"num_nonnulls({', '.join(self.columns)})"
        total = " + ".join(f"coalesce({column}, 0)" for column in self.columns)
        return f"CASE WHEN {defined} >= {self.least} THEN ({total}) / {defined} END"

    def of(self, values: Row) -> float | None:
        """The mean over a window, from the window's own values of the columns."""
        defined = [values[column] for column in self.columns if values[column] is not None]
        return sum(defined) / len(defined) if len(defined) >= self.least else None


Way = Count | People | Spanning | State | Ratio | Share | MeanOf
