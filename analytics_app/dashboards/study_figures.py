"""The researchers' reports as Plotly figures. Fill says the arm, shape says the place; intervals are always drawn."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import plotly.graph_objects as go
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics_app.dashboards.drawing import EDGE, INK, INK_2, columns, figure
from analytics_app.dashboards.estimates import in_words, number
from analytics_app.dashboards.figures import moment
from analytics_app.reports.conditions import Conditions, OneCondition
from analytics_app.reports.interventions import Comparison
from analytics_app.reports.places import Places
from analytics_app.reports.rows import Row
from analytics_app.reports.runs import PLACES
from analytics_app.reports.statistics import Estimate
from analytics_app.reports.student_runs import StudentRuns
from analytics_app.reports.study_day import StudyDay
from sessions_app.models import Condition

SHAPES = {"on-site": "triangle-up", "learning-space": "diamond", "classroom": "square", "home": "pentagon"}
PLACE_COLOURS = dict(zip(PLACES, (f"var(--l{n})" for n in (1, 2, 3, 4)), strict=True))
ARM_COLOURS = {"static": "var(--static)", "dynamic": "var(--dynamic)"}


def place_name(place: str) -> str:
    return str(Condition.Location(place).label).capitalize()


def arm_name(arm: str) -> str:
    return str(Condition.InterventionType(arm).label).capitalize()


def _symbol(place: str, arm: str) -> str:
    shape = SHAPES.get(place, "circle")
    return shape if arm == "dynamic" else f"{shape}-open"


def _n(sessions: int, students: int | None) -> str:
    said = ngettext("n = %(n)s session", "n = %(n)s sessions", sessions) % {"n": sessions}
    if students is None:
        return said
    return f"{said}, " + ngettext("%(n)s student", "%(n)s students", students) % {"n": students}


def _points(
    rows: Sequence[tuple[str, Estimate]], *, name: str, symbols: Sequence[str] | str, colours: Sequence[str] | str,
    **more: Any,
) -> go.Scatter:  # fmt: skip
    """Estimates side by side as points with their intervals; those that are not told are left out."""
    kept = [index for index, (_label, estimate) in enumerate(rows) if estimate.value is not None]
    values = [rows[index][1] for index in kept]

    def of(parts: Sequence[str] | str) -> Any:
        return parts if isinstance(parts, str) else [parts[index] for index in kept]

    above = [(each.high if each.high is not None else each.value or 0) - (each.value or 0) for each in values]
    below = [(each.value or 0) - (each.low if each.low is not None else each.value or 0) for each in values]
    return go.Scatter(
        x=[each.value for each in values],
        y=[rows[index][0] for index in kept],
        error_x={
            "type": "data", "symmetric": False, "array": above, "arrayminus": below, "width": 0, "thickness": 2,
            "color": colours if isinstance(colours, str) else INK_2,
        },
        mode="markers",
        marker={"symbol": of(symbols), "color": of(colours), "size": 10, "line": {"width": 1.6}},
        name=name,
        **more,
    )  # fmt: skip


def _downwards(rows: Sequence[Any]) -> list[float]:
    """The range of an axis with the first of some categories on top, and room for a mark at both ends."""
    return [len(rows) - 0.5, -0.5]


def _no_difference(axis: str = "x") -> dict[str, Any]:
    return {
        "type": "line", "xref": axis, "yref": "paper", "x0": 0, "x1": 0, "y0": 0, "y1": 1,
        "line": {"color": EDGE, "width": 1, "dash": "3px,3px"},
    }  # fmt: skip


def gain_by_condition(report: Conditions) -> dict[str, Any] | None:
    """The mean gain of each condition with its interval."""
    told = [each for each in report.rows if each.row.gain.value is not None]
    if not told:
        return None
    rows = [(each.cell.code, each.row.gain) for each in told]
    plot = go.Figure(
        _points(
            rows,
            name=_("gain"),
            symbols=[_symbol(each.cell.location, each.cell.arm) for each in told],
            colours=[ARM_COLOURS[each.cell.arm] for each in told],
        )
    )
    plot.update_yaxes(type="category", range=_downwards(rows), categoryarray=[code for code, _ in rows], dtick=1)
    plot.update_xaxes(title={"text": _("gain, percentage points")}, showgrid=True, gridcolor="var(--rule)")
    plot.update_layout(height=90 + 26 * len(rows), showlegend=False, hovermode="closest", shapes=[_no_difference()])
    best = max(told, key=lambda each: each.row.gain.value or 0)
    least = min(told, key=lambda each: each.row.gain.value or 0)
    whole = report.whole
    return figure(
        "gain-by-condition",
        plot,
        title=_("Mean gain of each condition, with its 95 % interval"),
        note=_n(whole.flow.analysed if whole else 0, None),
        summary=_(
            "Of %(n)s conditions with enough students, %(best)s has the largest mean gain, %(most)s points, and "
            "%(least)s the smallest, %(fewest)s points."
        )
        % {
            "n": len(told),
            "best": best.cell.code,
            "most": in_words(best.row.gain),
            "least": least.cell.code,
            "fewest": in_words(least.row.gain),
        },
        table={
            "columns": columns(_("Condition"), _("Analysed"), _("Gain, points")),
            "rows": [[each.cell.code, each.row.analysed, in_words(each.row.gain)] for each in told],
        },
        height="tall" if len(told) > 8 else "small",
    )


def before_and_after(report: OneCondition) -> dict[str, Any] | None:
    """The mean scores of a condition before and after, with their intervals."""
    row = report.row
    rows = [(_("Baseline"), row.baseline), (_("Final"), row.final)]
    if row.baseline.value is None:
        return None
    arm = report.condition.intervention_type
    plot = go.Figure(
        _points(
            rows,
            name=_("score"),
            symbols=_symbol(report.condition.location, arm),
            colours=ARM_COLOURS[arm],
        )
    )
    plot.update_yaxes(type="category", range=_downwards(rows), dtick=1)
    plot.update_xaxes(range=[0, 100], title={"text": _("mean score, %")}, showgrid=True, gridcolor="var(--rule)")
    plot.update_layout(height=190, showlegend=False, hovermode="closest")
    return figure(
        "before-and-after",
        plot,
        title=_("Mean scores before and after, with their 95 % intervals"),
        note=_n(row.analysed, row.analysed_students),
        summary=_("From %(before)s %% to %(after)s %%: a gain of %(gain)s points.")
        % {"before": in_words(row.baseline), "after": in_words(row.final), "gain": in_words(row.gain)},
        table={
            "columns": columns(_("Assessment"), _("Mean, %"), _("SD")),
            "rows": [
                [_("Baseline"), in_words(row.baseline), in_words(row.baseline_sd)],
                [_("Final"), in_words(row.final), in_words(row.final_sd)],
            ],
        },
        height="small",
    )


def gain_by_place(report: Places) -> dict[str, Any] | None:
    """The mean gain at each place with its interval."""
    told = [(place, row) for place, row in report.rows if row.gain.value is not None]
    if not told:
        return None
    plot = go.Figure(
        _points(
            [(place_name(place), row.gain) for place, row in told],
            name=_("gain"),
            symbols=[SHAPES[place] for place, _row in told],
            colours=[PLACE_COLOURS[place] for place, _row in told],
        )
    )
    plot.update_yaxes(type="category", range=_downwards(told), dtick=1)
    plot.update_xaxes(title={"text": _("gain, percentage points")}, showgrid=True, gridcolor="var(--rule)")
    plot.update_layout(height=110 + 46 * len(told), showlegend=False, hovermode="closest")
    return figure(
        "gain-by-place",
        plot,
        title=_("Mean gain at each place, with its 95 % interval"),
        note=_n(sum(row.analysed for _place, row in told), None),
        summary="; ".join(f"{place_name(place)} {in_words(row.gain)}" for place, row in told) + ".",
        table={
            "columns": columns(_("Place"), _("Analysed"), _("Gain, points"), _("Rating of the place")),
            "rows": [
                [place_name(place), row.analysed, in_words(row.gain), in_words(row.location_rating, 2)]
                for place, row in told
            ],
        },
        height="small",
    )


def gain_by_place_and_arm(report: Comparison) -> dict[str, Any] | None:
    """Both arms at each place, and the difference beside them."""
    lines: list[tuple[str, Row, Row, Estimate, str]] = [
        (_("All places"), report.arms["static"], report.arms["dynamic"], report.difference.difference, "")
    ]
    lines += [
        (place_name(each.place), each.static, each.dynamic, each.difference.difference, each.place)
        for each in report.places
    ]
    if all(static.gain.value is None and dynamic.gain.value is None for _l, static, dynamic, _d, _p in lines):
        return None
    plot = go.Figure()
    for arm, at, shift in (("static", 1, -0.16), ("dynamic", 2, 0.16)):
        rows = [(str(index + shift), line[at].gain) for index, line in enumerate(lines)]  # type: ignore[union-attr]
        points = _points(
            rows,
            name=arm_name(arm),
            symbols=[_symbol(line[4], arm) for line in lines],
            colours=ARM_COLOURS[arm],
        )
        points.y = [float(y) for y in points.y]
        plot.add_trace(points)
    differences = _points(
        [(str(index), line[3]) for index, line in enumerate(lines)],
        name=_("dynamic − static"),
        symbols="circle",
        colours=INK,
        xaxis="x2",
    )
    differences.y = [float(y) for y in differences.y]
    plot.add_trace(differences)
    axis = {"showgrid": True, "gridcolor": "var(--rule)"}
    plot.update_layout(
        xaxis={**axis, "domain": [0, 0.58], "title": {"text": _("gain, percentage points")}},
        xaxis2={**axis, "domain": [0.66, 1], "anchor": "y", "title": {"text": _("difference, points")}},
        yaxis={
            "tickmode": "array", "tickvals": list(range(len(lines))), "ticktext": [line[0] for line in lines],
            "range": [len(lines) - 0.5, -0.5], "showgrid": False,
        },
        height=130 + 52 * len(lines), showlegend=True, hovermode="closest", shapes=[_no_difference("x2")],
    )  # fmt: skip
    said = [f"{label} {in_words(difference)}" for label, _s, _d, difference, _p in lines]
    return figure(
        "gain-by-place-and-arm",
        plot,
        title=_("Mean gain by place and arm, and the difference"),
        note=_n(report.sessions, report.students),
        summary=_("Dynamic minus static in mean gain, with 95 %% intervals: %(said)s.") % {"said": "; ".join(said)},
        table={
            "columns": columns(_("Place"), _("Sessions"), _("Static"), _("Dynamic"), _("Dynamic − static")),
            "rows": [
                [
                    label, f"{static.analysed} + {dynamic.analysed}", in_words(static.gain), in_words(dynamic.gain),
                    in_words(difference),
                ]
                for label, static, dynamic, difference, _place in lines
            ],
        },
    )  # fmt: skip


def pace(report: StudyDay, *, target: int) -> dict[str, Any] | None:
    """Analysed sessions, cumulative, at the end of each week; the target as a line."""
    if not report.pace:
        return None
    total, ends, sums = 0, [], []
    for week, n in report.pace:
        total += n
        ends.append(min(week + timedelta(days=6), report.day.day).isoformat())
        sums.append(total)
    plot = go.Figure(
        go.Scatter(x=ends, y=sums, mode="lines+markers", line={"color": INK, "width": 1.75},
                   marker={"color": INK, "size": 7}, name=_("analysed"))
    )  # fmt: skip
    if target:
        plot.add_trace(
            go.Scatter(x=[ends[0], ends[-1]], y=[target, target], mode="lines", name=_("target"),
                       line={"color": EDGE, "dash": "5px,3px", "width": 1.5})
        )  # fmt: skip
    plot.update_xaxes(type="date")
    plot.update_yaxes(rangemode="tozero", title={"text": _("sessions")})
    plot.update_layout(showlegend=True, hovermode="x unified")
    return figure(
        "pace",
        plot,
        title=_("Sessions analysed, cumulative, at each week’s end"),
        note=_n(total, None),
        summary=ngettext(
            "%(total)s session analysed so far, of %(target)s; %(last)s of them in the last week with any.",
            "%(total)s sessions analysed so far, of %(target)s; %(last)s of them in the last week with any.",
            total,
        )
        % {"total": total, "target": target, "last": report.pace[-1][1]},
        table={
            "columns": columns(_("Week of"), _("Analysed"), _("Together")),
            "rows": [[week.isoformat(), n, so_far] for (week, n), so_far in zip(report.pace, sums, strict=True)],
        },
        height="small",
    )


def scores_over_time(report: StudentRuns) -> dict[str, Any] | None:
    """A student's scores before and after, session by session."""
    runs = [run for run in report.runs if run.baseline is not None]
    if not runs:
        return None
    plot = go.Figure()
    for name, values, symbol in (
        (_("baseline"), [run.baseline for run in runs], "circle-open"),
        (_("final"), [run.final for run in runs], "circle"),
    ):
        plot.add_trace(
            go.Scatter(x=[moment(run.at) for run in runs], y=values, mode="lines+markers", name=name,
                       line={"color": INK if symbol == "circle" else INK_2}, marker={"symbol": symbol, "size": 9})
        )  # fmt: skip
    plot.update_xaxes(type="date")
    plot.update_yaxes(range=[0, 102], title={"text": _("score, %")})
    plot.update_layout(showlegend=True, hovermode="x unified")
    gains = [run.gain for run in runs if run.gain is not None]
    return figure(
        "scores-over-time",
        plot,
        title=_("Scores before and after, session by session"),
        note=ngettext("n = %(n)s session", "n = %(n)s sessions", len(runs)) % {"n": len(runs)},
        summary=_("Gains of %(gains)s points.") % {"gains": ", ".join(str(number(gain)) for gain in gains)}
        if gains
        else _("No session has both assessments yet."),
        table={
            "columns": columns(_("Session"), _("Condition"), _("Baseline"), _("Final"), _("Gain")),
            "rows": [
                [
                    timezone.localtime(run.at).strftime("%Y-%m-%d %H:%M"), run.code, number(run.baseline),
                    number(run.final), number(run.gain),
                ]
                for run in runs
            ],
        },
        height="small",
    )  # fmt: skip
