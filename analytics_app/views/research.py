"""The researcher's pages about a whole study: overview, conditions, locations, static against dynamic questions."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.html import format_html, strip_tags
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics_app.dashboards import study_figures, study_words
from analytics_app.dashboards.estimates import number, shown
from analytics_app.dashboards.stats import stat
from analytics_app.dashboards.study_figures import arm_name, place_name
from analytics_app.reports.conditions import ConditionRow, Conditions, condition_report, conditions_report
from analytics_app.reports.coverage import Coverage, CoverageCell, coverage_report
from analytics_app.reports.daily import daily_counts
from analytics_app.reports.interventions import Comparison, comparison_report
from analytics_app.reports.places import Places, places_report
from analytics_app.reports.rows import Row
from analytics_app.reports.runs import ARMS, PLACES, Scope
from analytics_app.reports.session_list import Listed, SessionList
from analytics_app.reports.study_day import Day, StudyDay, study_day
from analytics_app.views.study_desk import StudyDesk, explained, study_desk
from sessions_app import access
from sessions_app.models import Condition
from sessions_app.views.desk import DeskRequest, at_desk

KEYS: Final = dict(zip(PLACES, ("l1", "l2", "l3", "l4"), strict=True))
SUBSCRIPT: Final = "{}<sub>{}</sub>"
FEW: Final = 12
"""Sessions of a condition that its page lists."""


def session_rows(listed: Sequence[Listed]) -> list[dict[str, Any]]:
    """Runs as tables list them."""
    return [
        {"run": run, "numbers": [number(score, 1) for score in (run.baseline, run.final, run.gain)]} for run in listed
    ]


def none_granted(request: DeskRequest) -> HttpResponse:
    return render(request, "research/none.html")


@require_safe
@at_desk
def overview(request: DeskRequest) -> HttpResponse:
    """One of the granted studies: today, this week, conditions against their targets, what to run next, the pace."""
    desk = study_desk(request, action="study coverage")
    if desk is None:
        return none_granted(request)
    counts = daily_counts(desk.scope)
    found, day = coverage_report(desk.scope, counts=counts), study_day(desk.scope, counts=counts)
    how = _explainer(desk.scope, found.as_of, "dashboard")
    return render(
        request,
        "research/overview.html",
        desk.context(
            as_of=timezone.localtime(found.as_of),
            today=_day_stats(day, how),
            week=_week_stats(day.week),
            coverage=_coverage(found),
            next_cells=[_next(cell) for cell in found.next_cells],
            figure=study_figures.pace(day, target=found.target),
        ),
    )


@require_safe
@at_desk
def conditions(request: DeskRequest) -> HttpResponse:
    """All conditions: the grid by gain, the intervals, and the table, sorted by any of its columns."""
    desk = study_desk(request, action="study conditions")
    if desk is None:
        return none_granted(request)
    found = conditions_report(desk.scope)
    sort, down = _sorting(request)
    return render(
        request,
        "research/conditions.html",
        desk.context(
            as_of=timezone.localtime(found.as_of),
            grid=_gain_grid(found),
            figure=study_figures.gain_by_condition(found),
            rows=[_condition_row(each) for each in _sorted(found, sort, down=down)],
            columns=_columns(desk, found),
            sort=sort,
            down=down,
            left_out=study_words.left_out(found.sample["left_out"]),
            analysed=found.sample["analysed"],
            command=f"python manage.py report conditions {desk.scope.as_arguments()}",
        ),
    )


@require_safe
@at_desk
def condition(request: DeskRequest, condition_code: str) -> HttpResponse:
    """One condition: how far its sessions came, scores, gains, interventions, engagement, survey, sessions."""
    desk = study_desk(request, action="study condition", leave_out=("place", "every", "arm"))
    if desk is None:
        raise access.Hidden
    wanted = Condition.objects.filter(code=condition_code, cells__study=desk.study).first()
    if wanted is None:
        raise access.Hidden
    found = condition_report(desk.scope, wanted)
    own = found.own_scope
    how = _explainer(own, found.as_of, f"conditions --condition {wanted.code}")
    sessions = SessionList(own)[0:FEW]
    return render(
        request,
        "research/condition.html",
        desk.context(
            as_of=timezone.localtime(found.as_of),
            condition=wanted,
            key=KEYS[wanted.location],
            name=_cell_name(wanted.location, wanted.interval_key, wanted.intervention_type),
            target=found.target,
            row=_row(found.row),
            flow=study_words.flow(found.found.flow) if found.found else [],
            left_out=study_words.left_out(found.left_out),
            gains=_gain_lines(found.row, how),
            blocks=study_words.condition_blocks(found),
            figure=study_figures.before_and_after(found),
            sessions=session_rows(sessions),
            command=f"python manage.py report conditions --condition {wanted.code} {desk.scope.as_arguments()}",
        ),
    )


@require_safe
@at_desk
def locations(request: DeskRequest) -> HttpResponse:
    """The four places compared."""
    desk = study_desk(request, action="study locations", leave_out=("place",))
    if desk is None:
        return none_granted(request)
    found = places_report(desk.scope)
    how = _explainer(desk.scope, found.as_of, "locations")
    return render(
        request,
        "research/locations.html",
        desk.context(
            as_of=timezone.localtime(found.as_of),
            finding=study_words.places_finding(found),
            how={name: how(name, title) for name, title in study_words.PLACES_EXPLAINED.items()},
            figure=study_figures.gain_by_place(found),
            rows=[{"key": KEYS[place], "name": place_name(place), **_row(row)} for place, row in found.rows],
            pairs=study_words.pairs(found),
            checks=study_words.places_checks(found),
            command=f"python manage.py report locations {desk.scope.as_arguments()}",
            empty=_nobody(found),
        ),
    )


@require_safe
@at_desk
def interventions(request: DeskRequest) -> HttpResponse:
    """Static against dynamic questions."""
    desk = study_desk(request, action="study interventions", leave_out=("arm",))
    if desk is None:
        return none_granted(request)
    found = comparison_report(desk.scope)
    how = _explainer(desk.scope, found.as_of, "interventions")
    return render(
        request,
        "research/interventions.html",
        desk.context(
            as_of=timezone.localtime(found.as_of),
            finding=study_words.arms_finding(found),
            how={name: how(name, title) for name, title in study_words.ARMS_EXPLAINED.items()},
            figure=study_figures.gain_by_place_and_arm(found),
            arms=[{"arm": arm, "name": arm_name(arm), **_row(found.arms[arm])} for arm in reversed(ARMS)],
            difference=_difference(found),
            questions=study_words.questions(found),
            checks=study_words.arms_checks(found),
            command=f"python manage.py report interventions {desk.scope.as_arguments()}",
            empty=not found.sessions,
        ),
    )


def _explainer(scope: Scope, as_of: Any, command: str) -> Any:
    return lambda name, title: explained(name, title, scope=scope, as_of=as_of, command=command)


def _nobody(found: Places) -> bool:
    return not any(row.sessions for _place, row in found.rows)


def _day_stats(day: StudyDay, how: Any) -> list[dict[str, Any]]:
    today, usual = day.day, day.usual
    return [
        stat(_("Sessions started"), today.started, delta=_usual(usual, "started"), how=how("sessions", _("Sessions"))),
        stat(_("Analysed"), today.analysed, delta=_usual(usual, "analysed"), how=how("analysed", _("Analysed"))),
        stat(
            _("Completion"),
            today.completion,
            unit="%",
            note=_("%(completed)s of %(started)s") % {"completed": today.completed, "started": today.started},
            reason=_("nothing was begun"),
            how=how("completion", _("Completion")),
        ),
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


def _week_stats(week: Day) -> list[dict[str, Any]]:
    return [
        stat(_("Sessions started"), week.started),
        stat(_("Analysed"), week.analysed),
        stat(
            _("Completion"),
            week.completion,
            unit="%",
            note=_("%(completed)s of %(started)s") % {"completed": week.completed, "started": week.started},
            reason=_("nothing was begun"),
        ),
    ]


def _coverage(found: Coverage) -> dict[str, Any]:
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


def _cell_name(location: str, interval: str, arm: str) -> str:
    return _("%(place)s, every %(minutes)s minutes, %(arm)s") % {
        "place": place_name(location),
        "minutes": interval,
        "arm": Condition.InterventionType(arm).label,
    }


def _next(cell: CoverageCell) -> dict[str, Any]:
    return {
        "code": cell.code,
        "key": KEYS[cell.location],
        "arm": cell.intervention,
        "name": _cell_name(cell.location, cell.interval, cell.intervention),
        "n": cell.n,
        "target": cell.target,
        "note": _("Hidden in results until there are enough students.")
        if cell.students is None
        else _("%(students)s different students so far.") % {"students": cell.students},
    }


def _row(row: Row) -> dict[str, Any]:
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


def _condition_row(each: ConditionRow) -> dict[str, Any]:
    cell = each.cell
    return {
        "code": cell.code,
        "key": KEYS[cell.location],
        "arm": cell.arm,
        "target": each.target,
        **_row(each.row),
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


def _sorting(request: DeskRequest) -> tuple[str, bool]:
    sort = request.GET.get("sort", "code")
    return (sort if sort in SORTED_BY else "code"), request.GET.get("down") == "1"


def _sorted(found: Conditions, sort: str, *, down: bool) -> list[ConditionRow]:
    """By one column; what has no number comes last either way."""
    key = SORTED_BY[sort]
    known = sorted((each for each in found.rows if key(each) is not None), key=key, reverse=down)
    return [*known, *(each for each in found.rows if key(each) is None)]


def _columns(desk: StudyDesk, found: Conditions) -> list[dict[str, Any]]:
    """The columns of the table, each with what it means."""
    how = _explainer(desk.scope, found.as_of, "conditions")
    named = (
        ("sessions", _("Sessions"), "sessions"), ("students", _("Students"), "students"),
        ("completion", _("Done, %"), "completion"), ("analysed", _("Analysed"), "analysed"),
        ("baseline", _("Baseline, %"), "baseline"), ("final", _("Final, %"), "final"),
        ("gain", _("Gain, points"), "gain"), ("hake", _("Hake, of averages"), "hake_of_averages"),
        ("averaged", _("Hake, averaged"), "hake_averaged"), ("g_av", format_html(SUBSCRIPT, "g", "av"), "g_av"),
        ("both", _("Gain, both tests"), "gain_of_both"),
    )  # fmt: skip
    return [{"sort": sort, "label": label, "how": how(name, strip_tags(label))} for sort, label, name in named]


def _gain_grid(found: Conditions) -> dict[str, Any]:
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
            cells = [{**_condition_row(each), "shade": shade(each.row.gain.value)} for each in mine]
            places.append({"key": KEYS[place], "name": place_name(place), "cells": cells})
    return {
        "intervals": [format(interval.normalize(), "f") for interval in intervals],
        "places": places,
        "arms": sorted({each.cell.arm for each in found.rows}, reverse=True),
    }


def _gain_lines(row: Row, how: Any) -> list[dict[str, Any]]:
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


def _difference(found: Comparison) -> dict[str, Any]:
    return {
        "gain": shown(found.difference.difference),
        "hedges_g": shown(found.hedges_g, 2),
        "adjusted": shown(found.adjusted.difference),
    }
