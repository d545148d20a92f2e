"""Estimates as pages print them: the number, its interval, or why there is none."""

from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from analytics_app.reports.statistics import Estimate, Reason


def reason_in_words(reason: str | None) -> str:
    """Why there is no number, for a reader."""
    return {
        Reason.NO_STUDENTS: _("nobody yet"),
        Reason.TOO_FEW_STUDENTS: _("too few to say"),
        Reason.ZERO_VARIANCE: _("all alike"),
        Reason.BASELINE_AT_MAXIMUM: _("nothing left to gain"),
        Reason.NOT_MEASURED: _("not measured"),
        Reason.SUPPRESSED: _("few students"),
    }.get(Reason(reason), "") if reason else ""  # fmt: skip


def number(value: float | None, places: int = 1) -> str | None:
    """A number with a true minus sign, in the language in use."""
    if value is None:
        return None
    rounded = round(value, places)
    return ("−" if rounded < 0 else "") + number_format(abs(rounded), places)


def shown(estimate: Estimate, places: int = 1) -> dict[str, Any]:
    """What `templates/parts/estimate.html` shows."""
    return {
        "value": number(estimate.value, places),
        "low": number(estimate.low, places),
        "high": number(estimate.high, places),
        "reason": reason_in_words(estimate.reason) if estimate.value is None else "",
    }


def in_words(estimate: Estimate, places: int = 1) -> str:
    """`4.0 (1.8 to 6.3)`, or the reason."""
    if estimate.value is None:
        return reason_in_words(estimate.reason)
    value = number(estimate.value, places)
    if estimate.interval is None:
        return str(value)
    return _("%(value)s (%(low)s to %(high)s)") % {
        "value": value,
        "low": number(estimate.low, places),
        "high": number(estimate.high, places),
    }


def p_in_words(p: float | None) -> str:
    """`p = .012`, `p < .001`, or nothing."""
    if p is None:
        return ""
    return "p < .001" if p < 0.001 else f"p = {p:.3f}".replace("0.", ".", 1)
