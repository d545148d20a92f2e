"""Where the content pauses for an intervention: after each interval of the condition, on the content's own clock.

A pause that would fall within a tenth of the interval of a segment's end is put there, so that no sentence is cut for a
few seconds. A content that is shorter than the interval pauses once, at its end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

from sessions_app.models import Segment

NEAR: Final = 0.1


@dataclass(frozen=True, slots=True)
class Pause:
    """The intervention `number` (from 1) comes at second `position` of the content, in or after segment `segment`."""

    number: int
    segment: int
    position: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """A segment's place on the content's clock, in seconds."""

    number: int
    begins: float
    ends: float

    @property
    def duration(self) -> float:
        return self.ends - self.begins


def stretches(segments: Sequence[Segment]) -> list[Stretch]:
    """The segments one after the other."""
    ordered = sorted(segments, key=lambda segment: segment.number)
    borders = list(accumulate((segment.duration_seconds for segment in ordered), initial=0))
    return [
        Stretch(segment.number, begins, ends)
        for segment, (begins, ends) in zip(ordered, pairwise(borders), strict=True)
    ]


def pauses(segments: Sequence[Segment], *, interval_minutes: float) -> list[Pause]:
    """Every pause of a content under an interval, in order."""
    parts = stretches(segments)
    if not parts:
        return []
    interval, total = interval_minutes * 60, parts[-1].ends
    near = interval * NEAR
    positions: list[float] = []
    step = 1
    while step * interval <= total + near:
        wanted = step * interval
        border = min((part.ends for part in parts), key=lambda end: abs(end - wanted))
        position = border if abs(border - wanted) <= near else wanted
        if not positions or position > positions[-1]:
            positions.append(min(position, total))
        step += 1
    positions = positions or [total]
    return [Pause(number, _segment_at(parts, position), position) for number, position in enumerate(positions, 1)]


def _segment_at(parts: Sequence[Stretch], position: float) -> int:
    """The segment that a position lies in; its end belongs to it."""
    return next((part.number for part in parts if position <= part.ends), parts[-1].number)
