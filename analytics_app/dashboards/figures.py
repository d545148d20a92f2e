"""Report objects as Plotly figures, each with the same numbers as a table and in one sentence.

Colours are names of the design tokens; `static/js/figure.js` looks them up for the scheme in use and sets the theme.
"""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics_app.dashboards.drawing import ACCENT, ACT, EDGE, INK, INK_2, WATCH, columns, figure
from analytics_app.reports.school_day import SchoolDay
from analytics_app.reports.session import SessionReport
from analytics_app.reports.student import StudentReport


def students_by_hour(day: SchoolDay) -> dict[str, Any]:
    """Bars: students active in each of the last 24 hours; an outline: the same hours a week before."""
    series = [(timezone.localtime(hour), now, then) for hour, now, then in day.students_by_hour]
    hours = [hour.strftime("%Y-%m-%dT%H:%M:%S") for hour, _now, _then in series]
    plot = go.Figure(
        [
            go.Bar(x=hours, y=[now for _hour, now, _then in series], name=_("these 24 hours"), marker={"color": EDGE}),
            go.Scatter(
                x=hours,
                y=[then for _hour, _now, then in series],
                name=_("a week before"),
                mode="lines",
                line={"shape": "hvh", "color": INK_2, "width": 1.25},
            ),
        ]
    )
    plot.update_xaxes(type="date", tickformat="%H:%M", title={"text": _("hour")})
    plot.update_yaxes(rangemode="tozero", title={"text": _("students")})
    plot.update_layout(hovermode="x unified", showlegend=False, bargap=0.2)
    total = int(day.today.totals["students_active"] or 0)
    busiest = max(series, key=lambda row: row[1])
    summary = (
        _("Nobody was active in these 24 hours; a week before, %(then)s students were.")
        % {"then": int(day.before.totals["students_active"] or 0)}
        if not total
        else _("%(total)s students were active, the most of them (%(most)s) in the hour from %(hour)s.")
        % {"total": total, "most": int(busiest[1]), "hour": busiest[0].strftime("%H:%M")}
    )
    return figure(
        "students-by-hour",
        plot,
        title=_("Students active by hour, against a week before"),
        note=ngettext("n = %(n)s student", "n = %(n)s students", total) % {"n": total},
        summary=summary,
        table={
            "columns": columns(_("Hour"), _("These 24 hours"), _("A week before")),
            "rows": [[hour.strftime("%a %H:%M"), int(now), int(then)] for hour, now, then in series],
        },
        legend=[{"label": _("these 24 hours"), "kind": "bar"}, {"label": _("a week before"), "kind": "line"}],
    )


_SHORT = 10  # minutes, below which a time without its seconds says little
_FEW = 8  # students

MARKS = {
    "ready": ("circle", ACCENT), "leader_ready": ("diamond", ACCENT), "attention_confirmed": ("circle-open", ACCENT),
    "help_request": ("triangle-up", ACT), "action_refused": ("x", WATCH), "client_error": ("x", ACT),
}  # fmt: skip


def mark_names() -> dict[str, str]:
    """What the marks on the time axis are called."""
    return {
        "ready": _("ready"),
        "leader_ready": _("group ready"),
        "attention_confirmed": _("answered the attention check"),
        "help_request": _("asked for help"),
        "action_refused": _("refused action"),
        "client_error": _("error on the device"),
    }


def presence_by_student(report: SessionReport) -> dict[str, Any] | None:
    """A line per student where the page was open, thin; where it had been left, thick; marks are what they did."""
    rows = [row for row in report.rows if row.spans or row.marks]
    if not rows:
        return None
    names = mark_names()
    plot = go.Figure()
    for hidden, colour, width in ((False, INK_2, 3), (True, WATCH, 7)):
        xs: list[str | None] = []
        ys: list[str | None] = []
        for row in rows:
            for span in (span for span in row.spans if span.hidden is hidden):
                xs += [moment(span.start), moment(span.end), None]
                ys += [row.member.label, row.member.label, None]
        name = _("page left") if hidden else _("page open")
        plot.add_trace(go.Scatter(x=xs, y=ys, mode="lines", name=name, line={"color": colour, "width": width}))
    for kind, (symbol, colour) in MARKS.items():
        points = [(at, row.member.label) for row in rows for at, marked in row.marks if marked == kind]
        if points:
            plot.add_trace(
                go.Scatter(
                    x=[moment(at) for at, _label in points],
                    y=[label for _when, label in points],
                    mode="markers",
                    name=names[kind],
                    marker={"symbol": symbol, "color": colour, "size": 8},
                )
            )
    clock = "%H:%M:%S" if report.minutes < _SHORT else "%H:%M"
    plot.update_xaxes(type="date", tickformat=clock, range=[moment(report.start), moment(report.end)])
    plot.update_yaxes(type="category", autorange="reversed", categoryorder="array",
                      categoryarray=[row.member.label for row in rows], dtick=1)  # fmt: skip
    plot.update_layout(height=max(220, 80 + 22 * len(rows)), hovermode="closest", showlegend=True)
    absent = len(report.rows) - len(rows)
    summary = _("%(n)s students were there; on average for %(share)s of the session.") % {
        "n": len(rows),
        "share": f"{report.mean_share:.0f} %" if report.mean_share is not None else "–",
    }
    if absent:
        summary += " " + _("%(n)s joined and were never connected.") % {"n": absent}
    return figure(
        "presence",
        plot,
        title=_("Students' connection over the session"),
        note=ngettext("n = %(n)s student", "n = %(n)s students", len(rows)) % {"n": len(rows)},
        summary=summary,
        table={
            "columns": columns(_("Student"), _("First seen"), _("Minutes"), _("Present"), *names.values()),
            "rows": [
                [
                    row.member.label,
                    _clock(row.spans[0].start) if row.spans else None,
                    f"{row.minutes:.1f}",
                    f"{row.share:.0f} %" if row.share is not None else None,
                    *(sum(marked == kind for _when, marked in row.marks) for kind in names),
                ]
                for row in rows
            ],
        },
        height="tall" if len(rows) > _FEW else "figure",
    )


def minutes_by_session(report: StudentReport) -> dict[str, Any] | None:
    """Bars: the share of each session that the student was present, oldest first."""
    sessions = [each for each in reversed(report.sessions) if each.share is not None]
    if len(sessions) < 2:
        return None
    starts = [each.session.started_at for each in sessions]
    plot = go.Figure(
        go.Scatter(
            x=[moment(start) for start in starts],
            y=[round(each.share or 0, 1) for each in sessions],
            mode="lines+markers",
            line={"color": INK, "width": 1.75},
            marker={"color": INK, "size": 8},
            name=_("present"),
        )
    )
    plot.update_xaxes(type="date")
    plot.update_yaxes(range=[0, 102], title={"text": _("present, %")})
    plot.update_layout(showlegend=False, hovermode="closest")
    shares: Sequence[float] = [each.share or 0 for each in sessions]
    return figure(
        "presence-over-time",
        plot,
        title=_("Share of each session with the page connected"),
        note=ngettext("n = %(n)s session", "n = %(n)s sessions", len(sessions)) % {"n": len(sessions)},
        summary=_("Present for %(mean)s %% of the time on average, from %(least)s to %(most)s %%.")
        % {
            "mean": f"{sum(shares) / len(shares):.0f}",
            "least": f"{min(shares):.0f}",
            "most": f"{max(shares):.0f}",
        },
        table={
            "columns": columns(_("Session"), _("Day"), _("Minutes"), _("Present")),
            "rows": [
                [each.session.title, _day(each.session.started_at), f"{each.minutes:.1f}", f"{each.share:.0f} %"]
                for each in sessions
            ],
        },
    )


def moment(at: Any) -> str:
    """A moment as Plotly draws it: on the clock of the page."""
    return timezone.localtime(at).strftime("%Y-%m-%dT%H:%M:%S")


def _clock(moment: Any) -> str:
    return timezone.localtime(moment).strftime("%H:%M:%S")


def _day(moment: Any) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d")
