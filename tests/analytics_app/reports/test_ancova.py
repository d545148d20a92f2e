"""Analysis of covariance from moments, against a regression of the same numbers."""

import random

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from analytics_app.reports.ancova import ancova
from analytics_app.reports.statistics import Paired, Reason

chance = random.Random(4)
STATIC = [(b := chance.gauss(55, 13), 0.8 * b + 22 + chance.gauss(0, 9)) for _ in range(40)]
DYNAMIC = [(b := chance.gauss(52, 12), 0.6 * b + 38 + chance.gauss(0, 8)) for _ in range(35)]


def regression(*, interaction: bool = False):
    before = np.array([b for b, _ in DYNAMIC + STATIC])
    after = np.array([a for _, a in DYNAMIC + STATIC])
    arm = np.array([1.0] * len(DYNAMIC) + [0.0] * len(STATIC))
    columns = [np.ones_like(arm), arm, before, *([arm * before] if interaction else [])]
    return sm.OLS(after, np.column_stack(columns)).fit()


def test_the_adjusted_difference_is_the_coefficient_of_the_arm():
    ours, theirs = ancova(Paired.of(DYNAMIC), Paired.of(STATIC)), regression()
    low, high = theirs.conf_int()[1]
    assert ours.difference.value == pytest.approx(theirs.params[1], rel=1e-9)
    assert ours.difference.interval == (pytest.approx(low, rel=1e-9), pytest.approx(high, rel=1e-9))
    assert (ours.p, ours.slope) == (pytest.approx(theirs.pvalues[1]), pytest.approx(theirs.params[2]))


def test_unequal_slopes_are_tested_by_the_interaction():
    ours, theirs = ancova(Paired.of(DYNAMIC), Paired.of(STATIC)), regression(interaction=True)
    assert ours.parallel_p == pytest.approx(theirs.pvalues[3], rel=1e-6)
    assert ours.parallel_f == pytest.approx(theirs.tvalues[3] ** 2, rel=1e-6)


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ([], STATIC, Reason.NO_STUDENTS),
        ([(50, 60)], STATIC, Reason.TOO_FEW_STUDENTS),
        ([(50, 60), (50, 70)], [(50, 60), (50, 65), (50, 70)], Reason.ZERO_VARIANCE),
    ],
)
def test_without_enough_to_compare_there_is_no_difference(first: list, second: list, reason: Reason):
    found = ancova(Paired.of(first), Paired.of(second))
    assert (found.difference.value, found.difference.reason) == (None, reason)


def test_scores_on_one_line_have_a_difference_and_no_interval():
    line = [(40.0, 50.0), (60.0, 70.0), (80.0, 90.0)]
    found = ancova(Paired.of(line), Paired.of([(b, a - 5) for b, a in line]))
    assert found.difference.value == pytest.approx(5)
    assert (found.difference.interval, found.difference.reason) == (None, Reason.ZERO_VARIANCE)


scores = st.lists(
    st.tuples(st.integers(0, 100).map(float), st.integers(0, 100).map(float)), min_size=0, max_size=20
)  # fmt: skip


@given(scores, scores)
def test_turned_round_it_changes_its_sign_alone(first: list, second: list):
    there, back = ancova(Paired.of(first), Paired.of(second)), ancova(Paired.of(second), Paired.of(first))
    assert there.difference.reason == back.difference.reason
    if there.difference.value is not None:
        assert there.difference.value == pytest.approx(-back.difference.value, abs=1e-7)
    if there.difference.interval:
        assert there.difference.low <= there.difference.value <= there.difference.high
