"""Two arms compared with the baseline held equal: analysis of covariance from moments. Pure."""

import math
from dataclasses import dataclass

from analytics_app.reports import distributions
from analytics_app.reports.statistics import LEVEL, Estimate, Paired, Reason, missing


@dataclass(frozen=True, slots=True)
class Ancova:
    """The difference of two arms at the same baseline, in points, and the checks that belong to it.

    `slope` is the common slope of the scores after on those before; `parallel_p` tests that the two arms have the same
    slope, without which one adjusted difference says too little.
    """

    difference: Estimate
    p: float | None = None
    slope: float | None = None
    parallel_f: float | None = None
    parallel_p: float | None = None


def ancova(first: Paired, second: Paired, *, level: float = LEVEL) -> Ancova:
    """first − second in score after, adjusted for the score before by their common slope.

    Sums of squares as in any textbook of analysis of covariance; the result is that of regressing the score after on
    arm and score before. Adjusting the gain instead of the score after gives the same difference.
    """
    n, least = first.n + second.n, min(first.n, second.n)
    if least < 2 or n < 5:
        return Ancova(missing(Reason.TOO_FEW_STUDENTS if least else Reason.NO_STUDENTS))
    before = first.before_ss + second.before_ss
    if not (first.before.variance or second.before.variance):
        return Ancova(missing(Reason.ZERO_VARIANCE))
    slope = (first.sp + second.sp) / before
    error = max(0.0, first.after_ss + second.after_ss - slope * (first.sp + second.sp))
    apart = first.before_mean - second.before_mean
    value = first.after_mean - second.after_mean - slope * apart
    df = n - 3
    se = math.sqrt(error / df * (1 / first.n + 1 / second.n + apart * apart / before))
    if se <= 1e-9 * (1 + abs(value)):
        return Ancova(Estimate(value, reason=Reason.ZERO_VARIANCE), slope=slope)
    half = distributions.t_quantile((1 + level) / 2, df) * se
    f, p = _parallel(first, second, error)
    return Ancova(
        difference=Estimate(value, value - half, value + half),
        p=2 * distributions.t_beyond(abs(value / se), df),
        slope=slope,
        parallel_f=f,
        parallel_p=p,
    )


def _parallel(first: Paired, second: Paired, common: float) -> tuple[float | None, float | None]:
    """F and p of separate slopes against the common one; None where one arm has no slope of its own."""
    arms, df = (first, second), first.n + second.n - 4
    if df < 1 or any(not arm.before.variance for arm in arms):
        return None, None
    separate = sum(arm.after_ss - arm.sp * arm.sp / arm.before_ss for arm in arms)
    if separate <= 1e-12 * common:
        return None, None
    f = max(0.0, common - separate) / (separate / df)
    return f, distributions.f_beyond(f, 1, df)
