"""The researcher's pages about single runs: the list, one with everything recorded, and one student over time."""

from typing import Any, cast
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics_app.dashboards import study_figures, wording
from analytics_app.dashboards.estimates import number
from analytics_app.reports.record import SessionRecord, session_record, with_everything_single
from analytics_app.reports.session_list import SORTS, STATES, Listed, SessionList
from analytics_app.reports.student_runs import student_runs
from analytics_app.views.research import none_granted
from analytics_app.views.study_desk import study_desk
from analytics_app.views.study_tables import KEYS, session_rows
from sessions_app import access
from sessions_app.models import Student
from sessions_app.views.desk import DeskRequest, at_desk

A_PAGE = 50
MEASUREMENTS = frozenset({"latency", "progress"})
"""What a page reports by itself, some times a minute."""


@require_safe
@at_desk
def sessions(request: DeskRequest) -> HttpResponse:
    """The runs of a study: narrowed, sorted, fifty to a page."""
    desk = study_desk(request, action="study sessions")
    if desk is None:
        return none_granted(request)
    state, sort = request.GET.get("state", ""), request.GET.get("sort", "time")
    down = request.GET.get("down", "1") == "1"
    listed = SessionList(
        desk.scope, state if state in STATES else "", sort if sort in SORTS else "time", descending=down
    )
    page: Page[Listed] = Paginator(cast(Any, listed), A_PAGE).get_page(request.GET.get("page"))
    sorting = f"sort={listed.sort}&down={int(down)}&"
    query = f"{desk.query}&{sorting}" if desk.query else sorting
    return render(
        request,
        "research/sessions.html",
        desk.context(
            page=page,
            rows=session_rows(list(page.object_list)),
            query=query,
            sort=listed.sort,
            down=down,
            state=listed.state,
            states=_states(),
            columns=_columns(),
            keys=KEYS,
        ),
    )


@require_safe
@at_desk
def session(request: DeskRequest, session_id: UUID) -> HttpResponse:
    """One run: everything recorded, as the student lived it, beside the timeline."""
    record = _record(request, session_id, action="session record")
    condition = record.member.condition
    measured = [each for each in record.events if each.event in MEASUREMENTS or each.data.get("did") == "tick"]
    with_measured = request.GET.get("measurements") == "1"
    return render(
        request,
        "research/session.html",
        {
            "member": record.member,
            "parts": record.parts,
            "key": KEYS[condition.location] if condition else "any",
            "study_query": f"study={record.member.session.study_id}",
            "events": [
                {
                    "at": each.at,
                    "late": each.late,
                    "own": each.student is not None,
                    "text": wording.sentence(each, {})[1],
                }
                for each in record.events
                if with_measured or each not in measured
            ],
            "measured": 0 if with_measured else len(measured),
            "gains": _gains(record.parts["final"]),
        },
    )


@require_safe
@at_desk
def session_export(request: DeskRequest, session_id: UUID) -> HttpResponse:
    """The same record as JSON. The file's name says that it is of one person, by pseudonym."""
    record = _record(request, session_id, action="session record exported")
    answer = JsonResponse(record.as_json(), encoder=DjangoJSONEncoder, json_dumps_params={"indent": 2})
    answer["Content-Disposition"] = f'attachment; filename="session-{session_id}-one-person-pseudonymous.json"'
    return answer


@require_safe
@at_desk
def student(request: DeskRequest, student_id: UUID) -> HttpResponse:
    """One student over time, by pseudonym."""
    desk = study_desk(request, action="study students", leave_out=("place", "every", "arm", "grade", "random"))
    if desk is None:
        raise access.Hidden
    runs = access.studied_sessions(desk.user).filter(session__study=desk.study, student=student_id)
    found = Student.objects.filter(pk=student_id, pk__in=runs.values("student")).first()
    if found is None:
        raise access.Hidden
    access.log_reading(desk.user, action="student over time", about=found, school_id=found.school_id)
    report = student_runs(desk.scope, found)
    return render(
        request,
        "research/student.html",
        desk.context(
            student=found,
            runs=[
                {"run": run, "key": KEYS[run.location], "numbers": _run_numbers(run)} for run in reversed(report.runs)
            ],
            figure=study_figures.scores_over_time(report),
            as_of=timezone.localtime(report.as_of),
            command=f"python manage.py report student --student {found.pseudonym} {desk.scope.as_arguments()}",
        ),
    )


def _record(request: DeskRequest, session_id: UUID, *, action: str) -> SessionRecord:
    """A run of one of the researcher's studies, or `Hidden`; the reading is logged."""
    user = access.require_researcher(request.user)
    member = with_everything_single(access.studied_sessions(user)).filter(pk=session_id).first()
    if member is None:
        raise access.Hidden
    access.log_reading(user, action=action, about=member, school_id=member.school_id)
    timezone.activate(member.school.zone)
    return session_record(member)


def _gains(final: dict[str, Any] | None) -> list[tuple[str, str | None]]:
    if not final:
        return []
    return [
        (_("Absolute gain, points"), number(final["absolute_gain"], 1)),
        (_("Relative gain, %"), number(final["relative_gain"], 1)),
        (_("Normalized gain (Hake)"), number(final["normalized_gain"], 2)),
    ]


def _run_numbers(run: Any) -> list[str | None]:
    return [
        number(run.baseline), number(run.final), number(run.gain), number(run.normalized, 2),
        number(run.engagement, 2), number(run.depth, 2), number(run.response_seconds, 1),
    ]  # fmt: skip


def _states() -> list[tuple[str, str]]:
    return [
        ("", _("all")), ("analysed", _("analysed")), ("completed", _("completed")), ("unfinished", _("unfinished")),
        ("left-out", _("left out of the analysis")), ("flagged", _("flagged")),
    ]  # fmt: skip


def _columns() -> list[dict[str, Any]]:
    return [
        {"sort": "time", "label": _("Time"), "number": False},
        {"sort": "student", "label": _("Student"), "number": False},
        {"sort": "condition", "label": _("Condition"), "number": False},
        {"sort": "", "label": _("State"), "number": False},
        {"sort": "baseline", "label": _("Baseline, %"), "number": True},
        {"sort": "final", "label": _("Final, %"), "number": True},
        {"sort": "gain", "label": _("Gain, points"), "number": True},
        {"sort": "flags", "label": _("Flags"), "number": True},
    ]
