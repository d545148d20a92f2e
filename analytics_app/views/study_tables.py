"""What the researcher's pages show of reports, in the shapes of their templates: figures, rows, columns, grids."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.html import format_html, strip_tags
from django.utils.translation import gettext as _

from analytics_app.dashboards.estimates import number, shown
from analytics_app.dashboards.stats import stat
from analytics_app.dashboards.study_figures import place_name
from analytics_app.reports.conditions import ConditionRow, Conditions
from analytics_app.reports.coverage import Coverage, CoverageCell
from analytics_app.reports.interventions import Comparison
from analytics_app.reports.rows import Row
from analytics_app.reports.runs import PLACES, Scope
from analytics_app.reports.session_list import Listed
from analytics_app.reports.study_day import Day, StudyDay
from analytics_app.views.study_desk import StudyDesk, explained
from sessions_app.models import Condition

KEYS: Final = dict(zip(PLACES, ("l1", "l2", "l3", "l4"), strict=True))
SUBSCRIPT: Final = "{}<sub>{}</sub>"


def session_rows(listed: Sequence[Listed]) -> list[dict[str, Any]]:
    """Runs as tables list them."""
    return [
        {"run": run, "numbers": [number(score, 1) for score in (run.baseline, run.final, run.gain)]} for run in listed
    ]


def explainer(scope: Scope, as_of: Any, command: str) -> Any:
    return lambda name, title: explained(name, title, scope=scope, as_of=as_of, command=command)


def day_stats(day: StudyDay, how: Any) -> list[dict[str, Any]]:
    today, usual = day.day, day.usual
    return [
        stat(_("Sessions started"), today.started, delta=_usual(usual, "started"), how=how("sessions", _("Sessions"))),
        stat(_("Analysed"), today.analysed, delta=_usual(usual, "analysed"), how=how("analysed", _("Analysed"))),
        _completion(today, how=how("completion", _("Completion"))),
        stat(
            _("Place verified"),
            today.verified if today.asked else None,
            unit=_("of %(asked)s") % {"asked": today.asked},
            note=_("where a place is asked for"),
            reason=_("no place was asked for"),
        ),
        stat(
            _("Answer time, median"),
            today.response_seconds,
            unit="s",
            note=_("%(n)s exchanges") % {"n": today.exchanges},
            reason=_("nothing was answered"),
            how=how("response_median", _("Answer time")),
        ),
        stat(
            _("Model cost"),
            today.cost,
            unit="USD",
            places=2,
            delta=_usual(usual, "cost", 2),
            reason=_("no model was asked"),
            how=how("model_cost", _("Model cost")),
        ),
    ]


def _usual(usual: Mapping[str, float], name: str, places: int = 0) -> str | None:
    return _("%(n)s usual") % {"n": number(usual[name], places)} if name in usual else None


def week_stats(week: Day) -> list[dict[str, Any]]:
    return [
        stat(_("Sessions started"), week.started),
        stat(_("Analysed"), week.analysed),
        _completion(week),
    ]


def _completion(of: Day, how: dict[str, Any] | None = None) -> dict[str, Any]:
    return stat(
        _("Completion"),
        of.completion,
        unit="%",
        note=_("%(completed)s of %(started)s") % {"completed": of.completed, "started": of.started},
        reason=_("nothing was begun"),
        how=how,
    )


def coverage_grid(found: Coverage) -> dict[str, Any]:
    intervals = sorted({cell.interval for cell in found.cells}, key=float)
    return {
        "analysed": found.analysed,
        "target": found.target,
        "students": found.students,
        "full": found.full,
        "to_go": found.to_go,
        "how": explained("coverage", _("Coverage"), scope=found.scope, as_of=found.as_of, command="coverage"),
        "intervals": intervals,
        "places": [
            {
                "key": KEYS[place],
                "name": place_name(place),
                "cells": sorted(cells, key=lambda cell: (float(cell.interval), cell.intervention != "static")),
            }
            for place in PLACES
            if (cells := [cell for cell in found.cells if cell.location == place])
        ],
    }


def cell_name(location: str, interval: str, arm: str) -> str:
    return _("%(place)s, every %(minutes)s minutes, %(arm)s") % {
        "place": place_name(location),
        "minutes": interval,
        "arm": Condition.InterventionType(arm).label,
    }


def next_cell(cell: CoverageCell) -> dict[str, Any]:
    return {
        "code": cell.code,
        "key": KEYS[cell.location],
        "arm": cell.intervention,
        "name": cell_name(cell.location, cell.interval, cell.intervention),
        "n": cell.n,
        "target": cell.target,
        "note": _("Hidden in results until there are enough students.")
        if cell.students is None
        else _("%(students)s different students so far.") % {"students": cell.students},
    }


def row_shown(row: Row) -> dict[str, Any]:
    """A row of a report with its estimates as they are printed."""
    two = ("hake_of_averages", "hake_averaged", "g_av", "d_av", "d_z", "location_rating")
    one = ("completion", "baseline", "baseline_sd", "final", "final_sd", "gain", "gain_sd", "gain_of_both")
    return {
        "sessions": row.sessions,
        "students": row.students,
        "completed": row.completed,
        "analysed": row.analysed,
        "hidden": row.hidden,
        "at_maximum": row.at_maximum,
        "with_both": row.with_both,
        **{name: shown(getattr(row, name), 2) for name in two},
        **{name: shown(getattr(row, name), 1) for name in one},
    }


def condition_row(each: ConditionRow) -> dict[str, Any]:
    cell = each.cell
    return {
        "code": cell.code,
        "key": KEYS[cell.location],
        "arm": cell.arm,
        "target": each.target,
        **row_shown(each.row),
    }


SORTED_BY: Final[Mapping[str, Any]] = {
    "code": lambda each: each.cell.code,
    "sessions": lambda each: each.row.sessions,
    "students": lambda each: each.row.students,
    "completion": lambda each: each.row.completion.value,
    "analysed": lambda each: each.row.analysed,
    "baseline": lambda each: each.row.baseline.value,
    "final": lambda each: each.row.final.value,
    "gain": lambda each: each.row.gain.value,
    "hake": lambda each: each.row.hake_of_averages.value,
    "averaged": lambda each: each.row.hake_averaged.value,
    "g_av": lambda each: each.row.g_av.value,
    "both": lambda each: each.row.gain_of_both.value,
}


def conditions_sorted(found: Conditions, sort: str, *, down: bool) -> list[ConditionRow]:
    """By one column; what has no number comes last either way."""
    key = SORTED_BY[sort]
    known = sorted((each for each in found.rows if key(each) is not None), key=key, reverse=down)
    return [*known, *(each for each in found.rows if key(each) is None)]


def condition_columns(desk: StudyDesk, found: Conditions) -> list[dict[str, Any]]:
    """The columns of the table, each with what it means."""
    how = explainer(desk.scope, found.as_of, "conditions")
    named = (
        ("sessions", _("Sessions"), "sessions"), ("students", _("Students"), "students"),
        ("completion", _("Done, %"), "completion"), ("analysed", _("Analysed"), "analysed"),
        ("baseline", _("Baseline, %"), "baseline"), ("final", _("Final, %"), "final"),
        ("gain", _("Gain, points"), "gain"), ("hake", _("Hake, of averages"), "hake_of_averages"),
        ("averaged", _("Hake, averaged"), "hake_averaged"), ("g_av", format_html(SUBSCRIPT, "g", "av"), "g_av"),
        ("both", _("Gain, both tests"), "gain_of_both"),
    )  # fmt: skip
    return [{"sort": sort, "label": label, "how": how(name, strip_tags(label))} for sort, label, name in named]


def gain_grid(found: Conditions) -> dict[str, Any]:
    """The conditions as a grid, shaded by gain in five steps from the least to the largest that is told."""
    gains = [each.row.gain.value for each in found.rows if each.row.gain.value is not None]
    least, most = min(gains, default=0.0), max(gains, default=0.0)
    intervals = sorted({each.cell.interval for each in found.rows})

    def shade(value: float | None) -> int | None:
        if value is None:
            return None
        return 3 if most == least else 1 + min(4, int(5 * (value - least) / (most - least)))

    places = []
    for place in PLACES:
        mine = sorted(
            (each for each in found.rows if each.cell.location == place),
            key=lambda each: (each.cell.interval, each.cell.arm != "static"),
        )
        if mine:
            cells = [{**condition_row(each), "shade": shade(each.row.gain.value)} for each in mine]
            places.append({"key": KEYS[place], "name": place_name(place), "cells": cells})
    return {
        "intervals": [format(interval.normalize(), "f") for interval in intervals],
        "places": places,
        "arms": sorted({each.cell.arm for each in found.rows}, reverse=True),
    }


def gain_lines(row: Row, how: Any) -> list[dict[str, Any]]:
    lines = (
        ("baseline", _("Baseline, %"), 1), ("final", _("Final, %"), 1), ("gain", _("Gain, points"), 1),
        ("hake_of_averages", _("Hake’s gain, of the averages"), 2), ("hake_averaged", _("Hake’s gain, averaged"), 2),
        ("g_av", _effect("g", "av"), 2), ("d_av", _effect("d", "av"), 2), ("d_z", _effect("d", "z"), 2),
        ("gain_of_both", _("Gain of all with both tests, points"), 1),
    )  # fmt: skip
    return [
        {"label": label, "how": how(name, strip_tags(label)), "estimate": shown(getattr(row, name), places)}
        for name, label, places in lines
    ]


def _effect(letter: str, index: str) -> str:
    return format_html(_("Effect size {}"), format_html(SUBSCRIPT, letter, index))


def difference_shown(found: Comparison) -> dict[str, Any]:
    return {
        "gain": shown(found.difference.difference),
        "hedges_g": shown(found.hedges_g, 2),
        "adjusted": shown(found.adjusted.difference),
    }
