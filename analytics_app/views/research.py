"""The researcher's pages about a whole study: overview, conditions, locations, static against dynamic questions."""

from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from analytics_app.dashboards import study_figures, study_words
from analytics_app.dashboards.study_figures import arm_name, place_name
from analytics_app.reports.conditions import condition_report, conditions_report
from analytics_app.reports.coverage import coverage_report
from analytics_app.reports.daily import daily_counts
from analytics_app.reports.interventions import comparison_report
from analytics_app.reports.places import Places, places_report
from analytics_app.reports.runs import ARMS
from analytics_app.reports.session_list import SessionList
from analytics_app.reports.study_day import study_day
from analytics_app.views.study_desk import study_desk
from analytics_app.views.study_tables import (
    KEYS,
    SORTED_BY,
    cell_name,
    condition_columns,
    condition_row,
    conditions_sorted,
    coverage_grid,
    day_stats,
    difference_shown,
    explainer,
    gain_grid,
    gain_lines,
    next_cell,
    row_shown,
    session_rows,
    week_stats,
)
from sessions_app import access
from sessions_app.models import Condition
from sessions_app.views.desk import DeskRequest, at_desk

FEW: Final = 12
"""Sessions of a condition that its page lists."""


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
    how = explainer(desk.scope, found.as_of, "dashboard")
    return render(
        request,
        "research/overview.html",
        desk.context(
            as_of=timezone.localtime(found.as_of),
            today=day_stats(day, how),
            week=week_stats(day.week),
            coverage=coverage_grid(found),
            next_cells=[next_cell(cell) for cell in found.next_cells],
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
            grid=gain_grid(found),
            figure=study_figures.gain_by_condition(found),
            rows=[condition_row(each) for each in conditions_sorted(found, sort, down=down)],
            columns=condition_columns(desk, found),
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
    how = explainer(own, found.as_of, f"conditions --condition {wanted.code}")
    sessions = SessionList(own)[0:FEW]
    return render(
        request,
        "research/condition.html",
        desk.context(
            as_of=timezone.localtime(found.as_of),
            condition=wanted,
            key=KEYS[wanted.location],
            name=cell_name(wanted.location, wanted.interval_key, wanted.intervention_type),
            target=found.target,
            row=row_shown(found.row),
            flow=study_words.flow(found.found.flow) if found.found else [],
            left_out=study_words.left_out(found.left_out),
            gains=gain_lines(found.row, how),
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
    how = explainer(desk.scope, found.as_of, "locations")
    return render(
        request,
        "research/locations.html",
        desk.context(
            as_of=timezone.localtime(found.as_of),
            finding=study_words.places_finding(found),
            how={name: how(name, title) for name, title in study_words.PLACES_EXPLAINED.items()},
            figure=study_figures.gain_by_place(found),
            rows=[{"key": KEYS[place], "name": place_name(place), **row_shown(row)} for place, row in found.rows],
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
    how = explainer(desk.scope, found.as_of, "interventions")
    return render(
        request,
        "research/interventions.html",
        desk.context(
            as_of=timezone.localtime(found.as_of),
            finding=study_words.arms_finding(found),
            how={name: how(name, title) for name, title in study_words.ARMS_EXPLAINED.items()},
            figure=study_figures.gain_by_place_and_arm(found),
            arms=[{"arm": arm, "name": arm_name(arm), **row_shown(found.arms[arm])} for arm in reversed(ARMS)],
            difference=difference_shown(found),
            questions=study_words.questions(found),
            checks=study_words.arms_checks(found),
            command=f"python manage.py report interventions {desk.scope.as_arguments()}",
            empty=not found.sessions,
        ),
    )


def _nobody(found: Places) -> bool:
    return not any(row.sessions for _place, row in found.rows)


def _sorting(request: DeskRequest) -> tuple[str, bool]:
    sort = request.GET.get("sort", "code")
    return (sort if sort in SORTED_BY else "code"), request.GET.get("down") == "1"
