"""What one student gained from baseline to final.

absolute = final − baseline, in percentage points. relative = absolute / baseline × 100, undefined at a baseline of 0.
normalized (Hake 1998) = absolute / (100 − baseline), undefined at a baseline of 100. Scores are percentages of the
possible points; of forms with different maxima nothing is computed.
"""

from dataclasses import dataclass
from typing import Literal

Undefined = Literal["no_baseline", "no_final", "different_maxima", "baseline_at_zero", "baseline_at_maximum"]


@dataclass(frozen=True, slots=True)
class Gain:
    """A number, or None and why there is none."""

    value: float | None
    reason: Undefined | None = None


@dataclass(frozen=True, slots=True)
class Gains:
    absolute: Gain
    relative: Gain
    normalized: Gain


def gains(baseline: float | None, final: float | None, *, same_maximum: bool = True) -> Gains:
    """The gains of one student, from percentages."""
    if baseline is None or final is None or not same_maximum:
        reason: Undefined = "no_baseline" if baseline is None else "no_final" if final is None else "different_maxima"
        nothing = Gain(None, reason)
        return Gains(nothing, nothing, nothing)
    absolute = final - baseline
    return Gains(
        absolute=Gain(absolute),
        relative=Gain(absolute / baseline * 100) if baseline > 0 else Gain(None, "baseline_at_zero"),
        normalized=Gain(absolute / (100 - baseline)) if baseline < 100 else Gain(None, "baseline_at_maximum"),
    )
