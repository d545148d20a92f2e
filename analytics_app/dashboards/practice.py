"""Language practice as figures and numbers with their definitions."""

from datetime import datetime
from typing import Any

import plotly.graph_objects as go
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics_app.dashboards.drawing import EDGE, INK, INK_2, columns, figure
from analytics_app.dashboards.stats import how, stat
from sessions_app.models import SessionResult
from sessions_app.practice import Stats

LINES = (
    ("pronunciation", "circle", "solid", INK),
    ("fluency", "square", "dash", INK_2),
    ("grammar", "diamond", "dot", EDGE),
)


def score_names() -> dict[str, str]:
    return {"pronunciation": _("pronunciation"), "fluency": _("fluency"), "grammar": _("grammar")}


def _score(value: float | None) -> str | None:
    return None if value is None else number_format(value, 1)


def scores_by_day(found: Stats) -> dict[str, Any] | None:
    """Three lines over the days that have results; None where there are fewer than two such days."""
    if len(found.days) < 2:
        return None
    names = score_names()
    days = [day.date.isoformat() for day in found.days]
    plot = go.Figure(
        [
            go.Scatter(
                x=days,
                y=[getattr(day.means, score) for day in found.days],
                name=names[score],
                mode="lines+markers",
                line={"color": colour, "width": 1.75, "dash": dash},
                marker={"color": colour, "size": 8, "symbol": symbol},
                connectgaps=True,
            )
            for score, symbol, dash, colour in LINES
        ]
    )
    plot.update_xaxes(type="date", tickformat="%-d %b", title={"text": _("day")})
    plot.update_yaxes(range=[_axis_from(found), 102], title={"text": _("mean score, of 100")})
    plot.update_layout(hovermode="x unified", showlegend=True)
    return figure(
        "scores-by-day",
        plot,
        title=_("Mean scores on the days with practice"),
        note=_results(found.sessions),
        summary=_trend(found),
        table={
            "columns": columns(_("Day"), _("Results"), *(name.capitalize() for name in names.values())),
            "rows": [
                [day.date.isoformat(), day.sessions, *(_score(getattr(day.means, score)) for score in names)]
                for day in found.days
            ],
        },
    )


def _axis_from(found: Stats) -> int:
    """Where the axis begins: a ten below the lowest score, so that the trend has the height of the figure."""
    scores = [getattr(day.means, score) for day in found.days for score, *_drawn in LINES]
    return max(0, int(min((score for score in scores if score is not None), default=0)) // 10 * 10 - 10)


def _results(count: int) -> str:
    return ngettext("n = %(n)s result", "n = %(n)s results", count) % {"n": count}


def _trend(found: Stats) -> str:
    """The first and the last day of each score in one sentence."""
    parts = []
    for score, name in score_names().items():
        known = [value for day in found.days if (value := getattr(day.means, score)) is not None]
        if len(known) > 1:
            change = _("%(name)s from %(first)s to %(last)s")
            parts.append(change % {"name": name, "first": _score(known[0]), "last": _score(known[-1])})
    return _("From the first day to the last: %s.") % ", ".join(parts) if parts else _("No score on two days yet.")


def results_by_type(found: Stats) -> dict[str, Any] | None:
    """Bars: how many results of each exercise; None without any."""
    if not found.sessions:
        return None
    labels = [str(SessionResult.Type(kind).label) for kind in found.by_type]
    counts = list(found.by_type.values())
    plot = go.Figure(
        go.Bar(
            x=counts,
            y=labels,
            orientation="h",
            marker={"color": EDGE},
            text=counts,
            textposition="outside",
            cliponaxis=False,
        )
    )
    plot.update_xaxes(rangemode="tozero", title={"text": _("results")}, dtick=max(1, max(counts) // 4))
    plot.update_yaxes(type="category", autorange="reversed")
    plot.update_layout(showlegend=False, bargap=0.35)
    rows = list(zip(labels, counts, strict=True))
    said = ", ".join(f"{label} {count}" for label, count in rows)
    return figure(
        "results-by-type",
        plot,
        title=_("Results by exercise"),
        note=_results(found.sessions),
        summary=_("%s.") % said.capitalize(),
        table={
            "columns": columns(_("Exercise"), _("Results")),
            "rows": [list(row) for row in rows],
        },
        height="small",
    )


def practice_stats(found: Stats, words: int, *, as_of: datetime, sample: str) -> list[dict[str, Any]]:
    """The numbers at the top of a page of practice."""
    none = _("no result with this score")

    def explained(key: str, title: str, definition: str) -> dict[str, Any]:
        return how(key, title, definition, as_of=as_of, sample=sample)

    scores = [
        stat(
            name.capitalize(),
            getattr(found.means, key),
            places=1,
            reason=none,
            note=_("mean score, 0 to 100"),
            how=explained(
                f"mean-{key}",
                name.capitalize(),
                _("Mean of this score over the results of the period that have it, each result counting once."),
            ),
        )
        for key, name in score_names().items()
    ]
    return [
        stat(_("Results"), found.sessions, note=_("exercises finished")),
        stat(_("Minutes"), found.duration_seconds / 60, note=_("of practice")),
        stat(_("Words spoken"), found.words_spoken),
        stat(
            _("Words learned"),
            words,
            how=explained(
                "words-learned",
                _("Words learned"),
                _("Distinct words that results of the period name as learned, whatever the capitals."),
            ),
        ),
        *scores,
    ]
