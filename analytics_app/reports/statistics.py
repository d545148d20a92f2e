"""The statistics that reports quote: moments in, estimates out. Pure.

Reports let Postgres sum up a sample (count, mean, sums of squares and products) and do their maths here, so that a page
over a million sessions costs what one over ten does. Each function names its formula and source. A number that is
undefined is None with a `Reason`, never NaN and never a silent 0; every interval contains its estimate.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from analytics_app.reports import distributions

LEVEL: Final = 0.95
"""The level of every interval unless another is asked for."""
_ROUNDING: Final = 1e-12
_FAR: Final = 1e3


class Reason(StrEnum):
    """Why there is no number."""

    NO_STUDENTS = "no_students"
    TOO_FEW_STUDENTS = "too_few_students"
    ZERO_VARIANCE = "zero_variance"
    BASELINE_AT_MAXIMUM = "baseline_at_maximum"
    NOT_MEASURED = "not_measured"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval. `reason` says why the number, or, where there is one, why its interval is missing."""

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: Reason | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        return None if self.low is None or self.high is None else (self.low, self.high)

    def as_json(self) -> dict[str, Any]:
        return {"value": self.value, "ci": list(self.interval) if self.interval else None, "reason": self.reason}


def missing(reason: Reason) -> Estimate:
    """No number, for this reason."""
    return Estimate(None, reason=reason)


def _around(value: float, low: float, high: float) -> Estimate:
    """An estimate whose bounds contain it whatever the last digit of a root finder says."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return Estimate(value, reason=Reason.ZERO_VARIANCE)
    return Estimate(value, min(low, value), max(high, value))


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample: its size, its mean, and `ss`, the sum of squared deviations from the mean."""

    n: int
    mean: float = 0.0
    ss: float = 0.0

    @classmethod
    def of(cls, values: Sequence[float]) -> "Sample":
        mean = math.fsum(values) / len(values) if values else 0.0
        return cls(len(values), mean, math.fsum((value - mean) ** 2 for value in values))

    @property
    def is_constant(self) -> bool:
        """All values are alike, but for rounding."""
        return self.ss <= self.n * (_ROUNDING * abs(self.mean)) ** 2

    @property
    def variance(self) -> float:
        """With n − 1; 0 for fewer than two values."""
        return self.ss / (self.n - 1) if self.n > 1 and not self.is_constant else 0.0

    @property
    def average(self) -> Estimate:
        return Estimate(self.mean) if self.n else missing(Reason.NO_STUDENTS)

    @property
    def sd(self) -> Estimate:
        """The standard deviation with n − 1."""
        return Estimate(math.sqrt(self.variance)) if self.n > 1 else missing(_too_few(self.n))


@dataclass(frozen=True, slots=True)
class Paired:
    """A sample measured twice, before and after; `sp` is the sum of products of the deviations."""

    n: int
    before_mean: float = 0.0
    after_mean: float = 0.0
    before_ss: float = 0.0
    after_ss: float = 0.0
    sp: float = 0.0

    @classmethod
    def of(cls, pairs: Sequence[tuple[float, float]]) -> "Paired":
        before, after = Sample.of([b for b, _ in pairs]), Sample.of([a for _, a in pairs])
        products = math.fsum((b - before.mean) * (a - after.mean) for b, a in pairs)
        return cls(len(pairs), before.mean, after.mean, before.ss, after.ss, products)

    @property
    def before(self) -> Sample:
        return Sample(self.n, self.before_mean, self.before_ss)

    @property
    def after(self) -> Sample:
        return Sample(self.n, self.after_mean, self.after_ss)

    @property
    def change(self) -> Sample:
        """The sample of after − before."""
        both = self.before_ss + self.after_ss
        ss = both - 2 * self.sp
        return Sample(self.n, self.after_mean - self.before_mean, ss if ss > _ROUNDING * both else 0.0)


def mean_estimate(sample: Sample, *, level: float = LEVEL) -> Estimate:
    """The mean with Student's interval."""
    if sample.n < 2:
        return Estimate(sample.mean, reason=Reason.TOO_FEW_STUDENTS) if sample.n else missing(Reason.NO_STUDENTS)
    half = distributions.t_quantile((1 + level) / 2, sample.n - 1) * math.sqrt(sample.variance / sample.n)
    return _around(sample.mean, sample.mean - half, sample.mean + half)


def share(part: int, whole: int, *, level: float = LEVEL) -> Estimate:
    """A share in %, with Wilson's score interval (Wilson 1927)."""
    if not whole:
        return missing(Reason.NO_STUDENTS)
    z = distributions.normal_quantile((1 + level) / 2)
    p = part / whole
    centre = (p + z * z / (2 * whole)) / (1 + z * z / whole)
    half = z / (1 + z * z / whole) * math.sqrt(p * (1 - p) / whole + z * z / (4 * whole * whole))
    return _around(100 * p, 100 * max(0.0, centre - half), 100 * min(1.0, centre + half))


def gain_of_averages(scores: Paired) -> Estimate:
    """Hake's normalized gain of a group: (mean after − mean before) / (100 − mean before) (Hake 1998)."""
    if not scores.n:
        return missing(Reason.NO_STUDENTS)
    room = 100 - scores.before_mean
    if room <= 100 * _ROUNDING:
        return missing(Reason.BASELINE_AT_MAXIMUM)
    return Estimate((scores.after_mean - scores.before_mean) / room)


def average_of_gains(gains: Sample, *, left_out: int, level: float = LEVEL) -> Estimate:
    """The mean of the sessions' own normalized gains; `left_out` counts those whose baseline left nothing to gain."""
    if not gains.n and left_out:
        return missing(Reason.BASELINE_AT_MAXIMUM)
    return mean_estimate(gains, level=level)


def d_av(scores: Paired, *, level: float = LEVEL) -> Estimate:
    """Mean change / √((s²before + s²after) / 2) (Cumming 2012), with an interval from the noncentral t of the paired
    test (Algina and Keselman 2003)."""
    return _standardised(scores, math.sqrt((scores.before.variance + scores.after.variance) / 2), 1.0, level)


def g_av(scores: Paired, *, level: float = LEVEL) -> Estimate:
    """d_av with Hedges' correction for n − 1 degrees of freedom, its interval likewise."""
    if 1 < scores.n < 3:
        return missing(Reason.TOO_FEW_STUDENTS)
    unit = math.sqrt((scores.before.variance + scores.after.variance) / 2)
    return _standardised(scores, unit, _correction(scores.n - 1) if scores.n > 2 else 1.0, level)


def d_z(scores: Paired, *, level: float = LEVEL) -> Estimate:
    """Mean change / its own standard deviation, with the noncentral-t interval."""
    return _standardised(scores, math.sqrt(scores.change.variance), 1.0, level)


def _standardised(scores: Paired, unit: float, factor: float, level: float) -> Estimate:
    """The mean change in `unit`s."""
    if scores.n < 2:
        return missing(_too_few(scores.n))
    if not unit:
        return missing(Reason.ZERO_VARIANCE)
    value = factor * scores.change.mean / unit
    error = math.sqrt(scores.change.variance / scores.n)
    if not error:
        return Estimate(value, reason=Reason.ZERO_VARIANCE)
    low, high = _noncentrality(scores.change.mean / error, scores.n - 1, level)
    return _around(value, factor * low * error / unit, factor * high * error / unit)


@dataclass(frozen=True, slots=True)
class Welch:
    """A difference of two means with its interval, and the test of it. All but the difference may be undefined."""

    difference: Estimate
    t: float | None = None
    df: float | None = None
    p: float | None = None


def welch(first: Sample, second: Sample, *, level: float = LEVEL) -> Welch:
    """first − second, without assuming equal variances (Welch 1947; Satterthwaite's degrees of freedom)."""
    least = min(first.n, second.n)
    if not least:
        return Welch(missing(Reason.NO_STUDENTS))
    value = first.mean - second.mean
    if least < 2:
        return Welch(Estimate(value, reason=Reason.TOO_FEW_STUDENTS))
    parts = [sample.variance / sample.n for sample in (first, second)]
    error = math.sqrt(sum(parts))
    if not error:
        return Welch(Estimate(value, reason=Reason.ZERO_VARIANCE))
    # Of shares, not of squares, which a small unit would lose.
    shares = [part / sum(parts) for part in parts]
    df = 1 / sum(s * s / (sample.n - 1) for s, sample in zip(shares, (first, second), strict=True))
    t = value / error
    half = distributions.t_quantile((1 + level) / 2, df) * error
    return Welch(_around(value, value - half, value + half), t, df, 2 * distributions.t_beyond(abs(t), df))


def hedges_g(first: Sample, second: Sample, *, level: float = LEVEL) -> Estimate:
    """(first − second) / pooled standard deviation with Hedges' correction, and a noncentral-t interval (Hedges 1981;
    Cumming and Finch 2001)."""
    least, df = min(first.n, second.n), first.n + second.n - 2
    if least < 2:
        return missing(_too_few(least))
    spread = math.sqrt((first.variance * (first.n - 1) + second.variance * (second.n - 1)) / df)
    if not spread:
        return missing(Reason.ZERO_VARIANCE)
    factor, weight = _correction(df), math.sqrt(first.n * second.n / (first.n + second.n))
    d = (first.mean - second.mean) / spread
    low, high = _noncentrality(d * weight, df, level)
    return _around(factor * d, factor * low / weight, factor * high / weight)


@dataclass(frozen=True, slots=True)
class Omnibus:
    """A test of several groups at once, with its degrees of freedom (of a chi-square there is one); undefined with a
    reason."""

    f: float | None = None
    df: tuple[float, float | None] | None = None
    p: float | None = None
    reason: Reason | None = None


def welch_anova(samples: Sequence[Sample]) -> Omnibus:
    """Whether several means differ, without assuming equal variances (Welch 1951)."""
    k = len(samples)
    least = min((sample.n for sample in samples), default=0)
    if k < 2 or least < 2:
        return Omnibus(reason=_too_few(least))
    if any(not sample.variance for sample in samples):
        return Omnibus(reason=Reason.ZERO_VARIANCE)
    weights = [sample.n / sample.variance for sample in samples]
    total = math.fsum(weights)
    centre = math.fsum(w * sample.mean for w, sample in zip(weights, samples, strict=True)) / total
    between = math.fsum(w * (s.mean - centre) ** 2 for w, s in zip(weights, samples, strict=True)) / (k - 1)
    uneven = math.fsum((1 - w / total) ** 2 / (s.n - 1) for w, s in zip(weights, samples, strict=True))
    f = between / (1 + 2 * (k - 2) / (k * k - 1) * uneven)
    within = (k * k - 1) / (3 * uneven)
    return Omnibus(f, (float(k - 1), within), distributions.f_beyond(f, k - 1, within))


def holm(ps: Sequence[float]) -> list[float]:
    """Each p adjusted for the family of all of them (Holm 1979), in their order."""
    order = sorted(range(len(ps)), key=lambda index: ps[index])
    adjusted, least = [0.0] * len(ps), 0.0
    for rank, index in enumerate(order):
        least = max(least, min(1.0, (len(ps) - rank) * ps[index]))
        adjusted[index] = least
    return adjusted


def even_spread(observed: Sequence[int], expected: Sequence[float]) -> Omnibus:
    """Whether counts fit what was expected of them: Pearson's chi-square, as `f`. Expectations are scaled."""
    total, planned = sum(observed), math.fsum(expected)
    if not total or len(observed) < 2 or min(expected) <= 0:
        return Omnibus(reason=Reason.NO_STUDENTS)
    scaled = [total * part / planned for part in expected]
    chi2 = math.fsum((found - due) ** 2 / due for found, due in zip(observed, scaled, strict=True))
    df = len(observed) - 1
    return Omnibus(chi2, (float(df), None), distributions.chi2_beyond(chi2, df))


def _too_few(n: int) -> Reason:
    return Reason.TOO_FEW_STUDENTS if n else Reason.NO_STUDENTS


def _correction(df: int) -> float:
    """Hedges' exact factor Γ(df/2) / (√(df/2) · Γ((df − 1)/2)); needs two degrees of freedom."""
    return math.exp(math.lgamma(df / 2) - math.lgamma((df - 1) / 2) - math.log(df / 2) / 2)


def _noncentrality(t: float, df: int, level: float) -> tuple[float, float]:
    """The noncentralities under which a t as large, or as small, as this one is as unlikely as the level allows.

    Far out the search for the root loses its way. There the two parts of t, the normal one and its denominator, are
    taken apart, and their intervals are put together again (Zou and Donner 2008).
    """
    tail, size = (1 - level) / 2, abs(t)
    if size > _FAR:
        lower, upper = (size * math.sqrt(distributions.chi2_quantile(p, df) / df) for p in (tail, 1 - tail))
        z = distributions.normal_quantile(tail)
        low, high = size - math.hypot(size - lower, z), size + math.hypot(upper - size, z)
    else:
        low, high = (distributions.noncentrality(p, df, size) for p in (1 - tail, tail))
    return (low, high) if t >= 0 else (-high, -low)
