"""The researcher's first page: what was granted, and how far it is."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics_app.dashboards.stats import how, stat
from analytics_app.reports.coverage import Cell, Coverage, Span, coverage
from sessions_app import access
from sessions_app.models import Condition, Study
from sessions_app.views.desk import DeskRequest, at_desk

KEYS = {"on-site": "l1", "learning-space": "l2", "classroom": "l3", "home": "l4"}


@require_safe
@at_desk
def overview(request: DeskRequest) -> HttpResponse:
    """One of the granted studies: today, this week, the 24 conditions, and which to run next."""
    user = access.require_researcher(request.user)
    studies = list(access.studies(user).order_by("name"))
    study = _chosen(studies, request.GET.get("study", ""))
    context: dict[str, Any] = {"studies": studies, "study": study}
    if study is not None:
        access.log_reading(user, action="study coverage", about=study)
        found = coverage(study)
        context |= {
            "as_of": timezone.localtime(found.as_of),
            "today": _stats(found.today),
            "week": _stats(found.week),
            "coverage": _grid(found),
            "next_cells": [_next(cell) for cell in found.next_cells],
            "next_rule": _("The three conditions that are emptiest against their target."),
        }
    return render(request, "research/overview.html", context)


def _chosen(studies: list[Study], wanted: str) -> Study | None:
    try:
        pk = UUID(wanted) if wanted else None
    except ValueError:
        raise access.Hidden from None
    if pk is None:
        return studies[0] if studies else None
    found = next((study for study in studies if study.pk == pk), None)
    if found is None:
        raise access.Hidden
    return found


def _stats(span: Span) -> list[dict[str, Any]]:
    return [
        stat(_("Sessions"), span.sessions, note=_("students’ sessions begun")),
        stat(_("Completed"), span.completed),
        stat(_("Completion"), span.completion, unit="%", reason=_("nothing was begun")),
        stat(_("Students"), span.students, note=_("different ones"), reason=_("too few to be told")),
    ]


def _grid(found: Coverage) -> dict[str, Any]:
    intervals = sorted({cell.interval for cell in found.cells}, key=float)
    by_place = {place: [c for c in found.cells if c.location == place] for place in KEYS}
    return {
        "total": found.total,
        "target": sum(cell.target for cell in found.cells),
        "full": sum(cell.sessions >= cell.target > 0 for cell in found.cells),
        "how": how(
            "coverage",
            _("Coverage"),
            _("Students’ sessions that were started in a condition, without those of students who were taken out."),
            as_of=timezone.localtime(found.as_of),
            sample=_("with simulated sessions") if found.simulated else _("without simulated sessions"),
            command="python manage.py report coverage",
        ),
        "intervals": [_("every %(minutes)s minutes") % {"minutes": interval} for interval in intervals],
        "places": [
            {
                "key": KEYS[place],
                "name": Condition.Location(place).label,
                "note": "",
                "cells": [
                    _cell(c) for c in sorted(cells, key=lambda c: (float(c.interval), c.intervention != "static"))
                ],
            }
            for place, cells in by_place.items()
            if cells
        ],
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "code": cell.code,
        "arm": cell.intervention,
        "n": cell.sessions,
        "target": cell.target,
        "percent": min(100, round(100 * cell.sessions / cell.target)) if cell.target else 0,
        "next": cell.next,
    }


def _next(cell: Cell) -> dict[str, Any]:
    place = Condition.Location(cell.location).label
    arm = Condition.InterventionType(cell.intervention).label
    return {
        "code": cell.code,
        "key": KEYS[cell.location],
        "arm": cell.intervention,
        "name": _("%(place)s, every %(minutes)s minutes, %(arm)s")
        % {"place": place, "minutes": cell.interval, "arm": arm},
        "n": cell.sessions,
        "target": cell.target,
        "note": _("Too few different students to be told.")
        if cell.students is None
        else _("%(students)s different students so far.") % {"students": cell.students},
    }
