"""The statistics of reports: known values, the field's own packages as a second opinion, and what must always hold."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats import proportion, weightstats
from statsmodels.stats.meta_analysis import effectsize_smd
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.oneway import anova_oneway

from analytics_app.reports import statistics
from analytics_app.reports.statistics import Estimate, Paired, Reason, Sample

BEFORE = [33.3, 58.0, 59.0, 62.5, 86.7, 41.0, 70.0]
AFTER = [60.0, 84.7, 86.7, 80.0, 100.0, 55.5, 71.0]
PAIRS = list(zip(BEFORE, AFTER, strict=True))

scores = st.floats(0, 100, allow_nan=False).map(lambda score: round(score, 2))
samples = st.lists(scores, min_size=0, max_size=40)
pairs = st.lists(st.tuples(scores, scores), min_size=0, max_size=40)
levels = st.sampled_from([0.8, 0.9, 0.95, 0.99])


def near(expected: float) -> object:
    return pytest.approx(expected, rel=1e-9)


def test_two_students_give_two_different_hake_gains():
    two = Paired.of([(20, 60), (90, 85)])
    own = Sample.of([0.5, -0.5])
    assert statistics.gain_of_averages(two).value == pytest.approx(0.3889, abs=5e-5)
    assert statistics.average_of_gains(own, left_out=0).value == 0.0


def test_the_interval_of_a_mean_is_students():
    ours = statistics.mean_estimate(Sample.of(AFTER))
    low, high = weightstats.DescrStatsW(AFTER).tconfint_mean()
    assert (ours.value, ours.low, ours.high) == (near(sum(AFTER) / 7), near(low), near(high))


def test_a_share_has_wilsons_interval():
    low, high = proportion.proportion_confint(42, 45, method="wilson")
    ours = statistics.share(42, 45)
    assert (ours.value, ours.low, ours.high) == (near(42 / 45 * 100), near(low * 100), near(high * 100))


def test_welch_agrees_with_statsmodels():
    ours = statistics.welch(Sample.of(AFTER), Sample.of(BEFORE[:5]), level=0.9)
    both = weightstats.CompareMeans.from_data(AFTER, BEFORE[:5])
    t, p, df = both.ttest_ind(usevar="unequal")
    low, high = both.tconfint_diff(alpha=0.1, usevar="unequal")
    assert (ours.t, ours.p, ours.df) == (near(t), near(p), near(df))
    assert ours.difference.interval == (near(low), near(high))


def test_hedges_g_agrees_with_statsmodels_but_for_its_approximate_correction():
    ours = statistics.hedges_g(Sample.of(AFTER), Sample.of(BEFORE))
    approximate, _ = effectsize_smd(sum(AFTER) / 7, stats.tstd(AFTER), 7, sum(BEFORE) / 7, stats.tstd(BEFORE), 7)
    assert ours.value == pytest.approx(approximate, rel=2e-3)


def test_the_interval_of_g_is_where_the_noncentral_t_says():
    first, second = Sample.of(AFTER), Sample.of(BEFORE)
    ours = statistics.hedges_g(first, second)
    t = stats.ttest_ind(AFTER, BEFORE).statistic
    to_ncp = math.sqrt(7 * 7 / 14) / _exact_correction(12)
    assert stats.nct.cdf(t, 12, ours.low * to_ncp) == pytest.approx(0.975, abs=1e-6)
    assert stats.nct.cdf(t, 12, ours.high * to_ncp) == pytest.approx(0.025, abs=1e-6)


def _exact_correction(df: int) -> float:
    return math.gamma(df / 2) / (math.sqrt(df / 2) * math.gamma((df - 1) / 2))


def test_effect_sizes_of_a_change_are_three_different_numbers():
    sample = Paired.of(PAIRS)
    change = [after - before for before, after in PAIRS]
    mean, spread = sum(change) / 7, math.sqrt((stats.tvar(BEFORE) + stats.tvar(AFTER)) / 2)
    assert statistics.d_z(sample).value == near(mean / stats.tstd(change))
    assert statistics.d_av(sample).value == near(mean / spread)
    assert statistics.g_av(sample).value == near(mean / spread * _exact_correction(6))


def test_d_z_has_the_noncentral_interval_of_the_paired_test():
    ours = statistics.d_z(Paired.of(PAIRS))
    t = stats.ttest_rel(AFTER, BEFORE).statistic
    assert stats.nct.cdf(t, 6, ours.low * math.sqrt(7)) == pytest.approx(0.975, abs=1e-6)
    assert stats.nct.cdf(t, 6, ours.high * math.sqrt(7)) == pytest.approx(0.025, abs=1e-6)


def test_welchs_anova_agrees_with_statsmodels():
    groups = [BEFORE, AFTER, [50.0, 52.0, 49.0, 61.0]]
    theirs = anova_oneway(groups, use_var="unequal")
    ours = statistics.welch_anova([Sample.of(group) for group in groups])
    assert (ours.f, ours.p) == (near(theirs.statistic), near(theirs.pvalue))
    assert ours.df == (near(theirs.df_num), near(theirs.df_denom))


def test_holm_agrees_with_statsmodels():
    ps = [0.03, 0.004, 0.9, 0.012, 0.03]
    assert statistics.holm(ps) == pytest.approx(list(multipletests(ps, method="holm")[1]))
    assert statistics.holm([]) == []


def test_an_uneven_spread_is_seen():
    ours = statistics.even_spread([10, 20, 30], [1, 1, 1])
    assert (ours.f, ours.p) == (near(10.0), near(stats.chi2.sf(10, 2)))
    assert statistics.even_spread([0, 0], [1, 1]).reason is Reason.NO_STUDENTS


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (statistics.mean_estimate(Sample(0)), Reason.NO_STUDENTS),
        (statistics.share(0, 0), Reason.NO_STUDENTS),
        (statistics.gain_of_averages(Paired(0)), Reason.NO_STUDENTS),
        (statistics.gain_of_averages(Paired.of([(100, 90), (100, 100)])), Reason.BASELINE_AT_MAXIMUM),
        (statistics.average_of_gains(Sample(0), left_out=2), Reason.BASELINE_AT_MAXIMUM),
        (statistics.average_of_gains(Sample(0), left_out=0), Reason.NO_STUDENTS),
        (statistics.d_av(Paired.of([(50, 60)])), Reason.TOO_FEW_STUDENTS),
        (statistics.d_av(Paired.of([(50, 60), (50, 60)])), Reason.ZERO_VARIANCE),
        (statistics.d_z(Paired.of([(40, 50), (60, 70)])), Reason.ZERO_VARIANCE),
        (statistics.g_av(Paired.of([(40, 50), (60, 75)])), Reason.TOO_FEW_STUDENTS),
        (statistics.hedges_g(Sample(0), Sample.of(AFTER)), Reason.NO_STUDENTS),
        (statistics.hedges_g(Sample.of([5.0]), Sample.of(AFTER)), Reason.TOO_FEW_STUDENTS),
        (statistics.hedges_g(Sample.of([5.0, 5.0]), Sample.of([7.0, 7.0])), Reason.ZERO_VARIANCE),
        (statistics.welch(Sample(0), Sample.of(AFTER)).difference, Reason.NO_STUDENTS),
        (Sample(1, 5.0).sd, Reason.TOO_FEW_STUDENTS),
        (Sample(0).average, Reason.NO_STUDENTS),
    ],
)  # fmt: skip
def test_what_is_undefined_is_none_and_says_why(found: Estimate, reason: Reason):
    assert (found.value, found.interval, found.reason) == (None, None, reason)


def test_a_number_may_stand_without_its_interval_and_says_why():
    alone = statistics.mean_estimate(Sample.of([5.0]))
    assert (alone.value, alone.interval, alone.reason) == (5.0, None, Reason.TOO_FEW_STUDENTS)
    alike = statistics.d_av(Paired.of([(40, 50), (60, 70)]))
    assert (alike.interval, alike.reason) == (None, Reason.ZERO_VARIANCE)
    constant = statistics.welch(Sample.of([5.0, 5.0]), Sample.of([7.0, 7.0])).difference
    assert (constant.value, constant.reason) == (-2.0, Reason.ZERO_VARIANCE)
    assert statistics.welch_anova([Sample.of([1.0, 1.0]), Sample.of(AFTER)]).reason is Reason.ZERO_VARIANCE
    assert statistics.welch_anova([Sample.of([1.0]), Sample.of(AFTER)]).reason is Reason.TOO_FEW_STUDENTS


def _sound(found: Estimate) -> None:
    """A finite number inside its interval, or none with a reason; a missing interval has one too."""
    assert (found.value is None) <= (found.reason is not None)
    assert (found.interval is None) == (found.reason is not None)
    if found.value is not None:
        assert math.isfinite(found.value)
    if found.interval and found.value is not None:
        assert found.low <= found.value <= found.high


@given(pairs, levels)
def test_every_estimate_of_a_change_is_sound(values: list[tuple[float, float]], level: float):
    sample = Paired.of(values)
    for found in (statistics.d_av, statistics.g_av, statistics.d_z):
        _sound(found(sample, level=level))
    _sound(statistics.mean_estimate(sample.change, level=level))


@given(samples, samples, levels)
def test_every_comparison_is_sound(first: list[float], second: list[float], level: float):
    a, b = Sample.of(first), Sample.of(second)
    _sound(statistics.welch(a, b, level=level).difference)
    _sound(statistics.hedges_g(a, b, level=level))


@given(samples, samples)
def test_a_comparison_turned_round_changes_its_sign_alone(first: list[float], second: list[float]):
    a, b = Sample.of(first), Sample.of(second)
    for compare in (statistics.hedges_g, lambda a, b: statistics.welch(a, b).difference):
        there, back = compare(a, b), compare(b, a)
        assert there.reason == back.reason
        if there.value is not None and back.value is not None:
            assert there.value == pytest.approx(-back.value)
        if there.interval:
            assert there.interval == (pytest.approx(-back.high), pytest.approx(-back.low))


@given(pairs)
def test_a_change_turned_round_changes_its_sign_alone(values: list[tuple[float, float]]):
    there = statistics.d_av(Paired.of(values))
    back = statistics.d_av(Paired.of([(after, before) for before, after in values]))
    assert there.reason == back.reason
    if there.value is not None:
        assert there.value == pytest.approx(-back.value, abs=1e-9)


@given(st.integers(0, 500), st.integers(1, 500), levels)
def test_every_share_is_sound(part: int, whole: int, level: float):
    found = statistics.share(min(part, whole), whole, level=level)
    _sound(found)
    assert 0 <= found.low <= found.high <= 100


@given(st.integers(2, 2000), st.floats(-1e6, 1e6), st.floats(0.01, 100))
def test_an_effect_beyond_all_measure_is_still_sound(n: int, mean: float, spread: float):
    sample = Sample(n, mean, spread**2 * (n - 1))
    _sound(statistics.hedges_g(sample, Sample(n, 0.0, spread**2 * (n - 1))))


def test_an_estimate_as_json_has_its_reason():
    assert statistics.missing(Reason.SUPPRESSED).as_json() == {"value": None, "ci": None, "reason": "suppressed"}
    assert Estimate(1.0, 0.5, 1.5).as_json() == {"value": 1.0, "ci": [0.5, 1.5], "reason": None}


def test_the_interval_of_a_giant_effect_goes_on_where_the_search_for_it_ends():
    for df in (2, 30, 4000, 1_000_000):
        near_by, beyond = (statistics._noncentrality(t, df, 0.95) for t in (999.9, 1000.1))
        assert near_by == pytest.approx(beyond, rel=1e-3)
