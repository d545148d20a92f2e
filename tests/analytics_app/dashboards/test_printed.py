"""Reports as text."""

from analytics_app.dashboards import printed
from analytics_app.reports.statistics import Estimate


def test_a_number_that_rounds_to_nothing_has_no_sign():
    assert printed._number(Estimate(-0.01, -4.44, -0.04)) == "0.0 (-4.4 to 0.0)"
