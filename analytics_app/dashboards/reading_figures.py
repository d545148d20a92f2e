"""A reading's minutes, and a student's readings over time against the norm, as figures with their tables."""

from datetime import datetime, timedelta
from typing import Any

import plotly.graph_objects as go
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics_app.dashboards.drawing import ACCENT, EDGE, INK, columns, figure
from analytics_app.reports.reading import ReadingReport, ReadOn

MARGIN = timedelta(days=3)


def minutes(found: ReadingReport) -> dict[str, Any] | None:
    """Bars: words correct (or words) in each minute of sound; above each, its miscues."""
    windows = found.windows
    if not windows:
        return None
    of_passage = found.machine is not None
    values = [(w.wcpm if of_passage else w.wpm) or 0 for w in windows]
    errors = [w.omissions + w.insertions + w.substitutions for w in windows]
    names = [_clock(w.starts) for w in windows]
    plot = go.Figure(
        go.Bar(
            x=names,
            y=[round(value, 1) for value in values],
            marker={"color": EDGE},
            text=[str(count) if count else "" for count in errors] if of_passage else None,
            textposition="outside",
            name=_("words correct a minute") if of_passage else _("words a minute"),
        )
    )
    plot.update_xaxes(type="category", title={"text": _("minute from")})
    plot.update_yaxes(
        rangemode="tozero", title={"text": _("words correct a minute") if of_passage else _("words a minute")}
    )
    plot.update_layout(showlegend=False, hovermode="closest", bargap=max(0.2, 1 - 0.15 * len(windows)))
    return figure(
        "minutes",
        plot,
        title=_("Minute by minute, with the miscues above each bar") if of_passage else _("Minute by minute"),
        note=ngettext(
            "n = %(n)s minute, as the machine heard it", "n = %(n)s minutes, as the machine heard them", len(windows)
        ) % {"n": len(windows)},
        summary=_("From %(least)s to %(most)s words a minute; %(errors)s miscues in all.")
        % {"least": round(min(values)), "most": round(max(values)), "errors": sum(errors)},
        table={
            "columns": columns(
                _("From"), _("Until"), _("Words"), _("WPM"), _("WCPM"), _("Left out"), _("Added"), _("Said otherwise"),
                _("Confidence"),
            ),
            "rows": [
                [
                    _clock(w.starts), _clock(w.ends), w.words, _number(w.wpm), _number(w.wcpm), w.omissions,
                    w.insertions, w.substitutions, _number(w.confidence, 2),
                ]
                for w in windows
            ],
        },
        height="small",
    )  # fmt: skip


def wcpm_over_time(readings: list[ReadOn]) -> dict[str, Any] | None:
    """A line of words correct a minute; behind it the norm of grade and season, 25th to 75th percentile."""
    if not readings:
        return None
    days = [_at(each.at) for each in readings]
    normed = [each for each in readings if each.band is not None]
    plot = go.Figure()
    if normed:
        # Some days more on either side, so that one reading has a norm too.
        at = [_at(normed[0].at - MARGIN), *(_at(each.at) for each in normed), _at(normed[-1].at + MARGIN)]
        bands = [each.band for each in (normed[0], *normed, normed[-1]) if each.band is not None]
        plot.add_trace(
            go.Scatter(x=at, y=[band.p25 for band in bands], mode="lines", line={"width": 0, "color": EDGE},
                       name=_("25th percentile"), showlegend=False)
        )  # fmt: skip
        plot.add_trace(
            go.Scatter(x=at, y=[band.p75 for band in bands], mode="lines", line={"width": 0, "color": EDGE},
                       fill="tonexty", opacity=0.15, name=_("norm, 25th to 75th percentile"))
        )  # fmt: skip
        plot.add_trace(
            go.Scatter(x=at, y=[band.p50 for band in bands], mode="lines", name=_("norm, 50th percentile"),
                       line={"color": EDGE, "width": 1.25, "dash": "5px,3px"})
        )  # fmt: skip
    plot.add_trace(
        go.Scatter(
            x=days,
            y=[round(each.summary.wcpm or 0, 1) for each in readings],
            mode="lines+markers",
            line={"color": INK, "width": 1.75},
            marker={"color": ACCENT, "size": 8},
            name=_("read"),
        )
    )
    plot.update_xaxes(type="date", range=[_at(readings[0].at - MARGIN), _at(readings[-1].at + MARGIN)])
    plot.update_yaxes(rangemode="tozero", title={"text": _("words correct a minute")})
    plot.update_layout(showlegend=True, hovermode="closest")
    first, last = readings[0].summary.wcpm or 0, readings[-1].summary.wcpm or 0
    summary = _("%(last)s words correct a minute in the last reading, %(first)s in the first.") % {
        "last": round(last), "first": round(first),
    }  # fmt: skip
    if readings[-1].band is not None:
        summary += " " + _("The norm's middle is %(norm)s.") % {"norm": readings[-1].band.p50}
    return figure(
        "wcpm-over-time",
        plot,
        title=_("Words correct a minute, against the norm of grade and season"),
        note=ngettext("n = %(n)s reading", "n = %(n)s readings", len(readings)) % {"n": len(readings)},
        summary=summary,
        table={
            "columns": columns(
                _("Session"), _("Day"), _("WCPM"), _("By the machine"), _("Accuracy"), _("Norm, 50th"),
                _("25th to 75th"),
            ),
            "rows": [
                [
                    each.session.title, _day(each.at), _number(each.summary.wcpm, 0),
                    _number(each.summary.machine_wcpm, 0),
                    None if each.summary.accuracy is None else f"{each.summary.accuracy:.0f} %",
                    each.band.p50 if each.band else None,
                    f"{each.band.p25} – {each.band.p75}" if each.band else None,
                ]
                for each in readings
            ],
        },
    )  # fmt: skip


def _number(value: float | None, places: int = 0) -> str | None:
    return None if value is None else f"{value:.{places}f}"


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}"


def _at(moment: datetime) -> str:
    """A moment as Plotly draws it: on the clock of the page."""
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M:%S")


def _day(moment: datetime) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d")
