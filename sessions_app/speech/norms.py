"""The oral reading fluency norms of 2017, and where a rate stands against them.

WCPM of US students in grades 1 to 6 in fall, winter and spring. Source: Hasbrouck, J. and Tindal, G. (2017). An Update
to Compiled ORF Norms. Technical Report 1702, Behavioral Research and Teaching, University of Oregon.
"""

import enum
import functools
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

MARGIN = 10  # words a minute around the 50th percentile that count as at grade level
LEAST_WINDOWS = 2  # one minute says little of a reader

_TABLE = Path(__file__).with_name("orf_norms_2017.json")


class Season(enum.StrEnum):
    FALL = "fall"
    WINTER = "winter"
    SPRING = "spring"


class GradeLevel(enum.StrEnum):
    BELOW = "below_grade_level"
    AT = "at_grade_level"
    ABOVE = "above_grade_level"


@dataclass(frozen=True, slots=True)
class Band:
    """The WCPM at five percentiles of one grade and season."""

    p90: int
    p75: int
    p50: int
    p25: int
    p10: int


@functools.cache
def bands() -> dict[tuple[int, Season], Band]:
    """Every grade and season of the table; first grade has no fall."""
    table = json.loads(_TABLE.read_text())["wcpm"]
    return {
        (int(grade), Season(season)): Band(*values)
        for grade, seasons in table.items()
        for season, values in seasons.items()
        if values
    }


def band_of(grade: int | None, season: Season | None) -> Band | None:
    """None outside the table."""
    return bands().get((grade, season)) if grade is not None and season is not None else None


def season_of(day: date) -> Season | None:
    """The season of a school day (in the school's zone): August to November, December to February, March to June.

    None in July, when no norm was taken.
    """
    if 8 <= day.month <= 11:
        return Season.FALL
    if day.month == 12 or day.month <= 2:
        return Season.WINTER
    return Season.SPRING if day.month <= 6 else None


def grade_level(
    wcpm: float | None, *, windows: int, grade: int | None, season: Season | None
) -> tuple[GradeLevel | None, str | None]:
    """`below` at or under the 50th percentile minus 10, `above` at or over it plus 10, else `at`.

    None with a reason code: `no_words`, `one_window`, `no_grade`, `outside_norms`.
    """
    if wcpm is None:
        return None, "no_words"
    if windows < LEAST_WINDOWS:
        return None, "one_window"
    if grade is None:
        return None, "no_grade"
    band = band_of(grade, season)
    if band is None:
        return None, "outside_norms"
    if wcpm <= band.p50 - MARGIN:
        return GradeLevel.BELOW, None
    return (GradeLevel.ABOVE if wcpm >= band.p50 + MARGIN else GradeLevel.AT), None
