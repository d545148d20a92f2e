"""Gains, and why there may be none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.study.gains import Gain, gains

percent = st.floats(0, 100, allow_subnormal=False)


def test_the_requirements_own_example():
    found = gains(63.3, 93.3)
    assert found.absolute.value == pytest.approx(30.0)
    assert found.relative.value == pytest.approx(47.4, abs=0.05)
    assert found.normalized.value == pytest.approx(0.82, abs=0.005)


@given(percent, percent)
def test_a_gain_is_a_number_or_says_why_not(baseline: float, final: float):
    found = gains(baseline, final)
    for gain in (found.absolute, found.relative, found.normalized):
        assert (gain.value is None) is (gain.reason is not None)
    if found.normalized.value is not None:
        assert found.normalized.value <= 1 + 1e-9
        assert baseline + found.normalized.value * (100 - baseline) == pytest.approx(final)


def test_what_is_undefined_says_why():
    assert gains(100, 90).normalized == Gain(None, "baseline_at_maximum")
    assert gains(0, 90).relative == Gain(None, "baseline_at_zero")
    assert gains(None, 90).absolute == Gain(None, "no_baseline")
    assert gains(50, None).absolute == Gain(None, "no_final")
    assert gains(50, 60, same_maximum=False).normalized == Gain(None, "different_maxima")
