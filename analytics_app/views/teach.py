"""The teacher's pages that show numbers: home, the report of a session, one student over time."""

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics_app.dashboards import figures, reading_figures, wording
from analytics_app.dashboards.estimates import number
from analytics_app.dashboards.reading_stats import grade_level_names
from analytics_app.dashboards.stats import day_stats, stat
from analytics_app.reports import look
from analytics_app.reports.reading import readings_of, readings_over_time
from analytics_app.reports.school_day import HOURS, school_day
from analytics_app.reports.session import SessionReport, session_report
from analytics_app.reports.student import student_report
from analytics_app.reports.written import FilledIn, filled_in
from sessions_app import access, roster
from sessions_app.csv_files import guarded
from sessions_app.models import Consent, LiveSession, Reading, SchoolClass, SessionSummary, User
from sessions_app.views.desk import DeskRequest, at_desk

RECENT = 5
EVENTS_A_PAGE = 100
KINDS = {"table": "table", "table and source": "both", "source": "source"}


@require_safe
@at_desk
def home(request: DeskRequest) -> HttpResponse:
    """What runs, what comes, the school's last 24 hours, and who needs a look."""
    user = access.require_teacher(request.user)
    assert user.school is not None
    now = timezone.now()
    sessions = list(
        access.live_sessions(user)
        .filter(Q(ended_at=None) | Q(ended_at__gte=now - look.SINCE))
        .select_related("school_class")
        .annotate(joined=Count("student_sessions", filter=Q(student_sessions__removed_at=None), distinct=True))
        .order_by("scheduled_for", "-id")
    )
    by_status: dict[str, list[LiveSession]] = {status: [] for status in LiveSession.Status.values}
    for session in sessions:
        by_status[session.status].append(session)
    day = school_day(user.school, now=now)
    ended = sorted(by_status["ended"], key=lambda s: s.ended_at or now, reverse=True)
    return render(
        request,
        "teach/home.html",
        {
            "now": timezone.localtime(now),
            "live": [_live(session) for session in by_status["started"]],
            "upcoming": [{"session": s, "students": s.joined} for s in by_status["configured"]],  # type: ignore[attr-defined]
            "drafts": [{"session": s, "missing": _missing(s)} for s in by_status["draft"]],
            "recent": [{"session": s, "students": s.joined} for s in ended[:RECENT]],  # type: ignore[attr-defined]
            "stats": day_stats(day),
            "day": {"from": timezone.localtime(day.today.start), "until": timezone.localtime(now)},
            "figure": figures.students_by_hour(day),
            "source": {
                "kind": KINDS[day.today.served],
                "counted_at": day.today.counted_at or day.today.as_of,
                "until": day.today.until,
                "reason": day.today.reason,
            },
            "look": look.students_to_look_at(ended),
            "look_rule": look.rule(),
            "hours": HOURS,
        },
    )


@require_safe
@at_desk
def live_now(request: DeskRequest) -> HttpResponse:
    """The running sessions alone: the home asks for them now and then."""
    running = access.live_sessions(access.require_teacher(request.user)).filter(status=LiveSession.Status.STARTED)
    sessions = running.select_related("school_class").order_by("scheduled_for", "-id")
    return render(request, "teach/live_now.html", {"live": [_live(session) for session in sessions], "alone": True})


def _live(session: LiveSession) -> dict[str, Any]:
    """A running session in one line: who is here, and how many need a look now."""
    students = roster.board_state(session)["students"]
    kinds = [student["needs"][0]["kind"] for student in students if student["needs"]]
    return {
        "session": session,
        "here": sum(student["present"] == "here" for student in students),
        "expected": len(students),
        "act": kinds.count("act"),
        "watch": kinds.count("watch"),
    }


def _missing(session: LiveSession) -> str:
    if not session.title.strip():
        return _("no title yet")
    return "" if session.school_class_id else _("no class yet")


@require_safe
@at_desk
def report(request: DeskRequest, session_id: UUID) -> HttpResponse:
    """The report of a session that was started; one that was not has its board."""
    session = access.live_session(_reader(request), session_id, action="session report")
    if session.started_at is None and session.status != LiveSession.Status.ENDED:
        return redirect("teach_session", session.pk)
    found = session_report(session)
    readings = readings_of(session)
    labels = {row.member.pk: row.member.label for row in found.rows}
    page = Paginator(found.events, EVENTS_A_PAGE).get_page(request.GET.get("page"))
    lines: list[dict[str, Any]] = [
        {"at": e.at, "late": e.late, "label": label, "text": text}
        for e in page.object_list
        for label, text in [wording.sentence(e, labels)]
    ]
    page.object_list = lines  # type: ignore[assignment]
    address = reverse("teach_report_export", args=[session.pk, "csv"])
    return render(
        request,
        "teach/report.html",
        {
            "live_session": session,
            "story": wording.story(found, [came_to for each, came_to in readings if each.settled_at and came_to]),
            "stats": _session_stats(found),
            "figure": figures.presence_by_student(found),
            "students": [_row(row) for row in found.rows],
            "readings": [_read(*each) for each in readings],
            "filled_in": [_filled_in(row) for row in filled_in(session)] if session.study else [],
            "events": page,
            "query": "",
            "exports": {"csv": address, "json": reverse("teach_report_export", args=[session.pk, "jsonl"])},
        },
    )


def _read(reading: Reading, summary: SessionSummary | None) -> dict[str, Any]:
    return {
        "reading": reading,
        "label": reading.student_session.label,
        "summary": summary if reading.settled_at else None,
        "level": grade_level_names().get(summary.grade_level or summary.grade_level_reason, "") if summary else "",
        "has_level": bool(summary and summary.grade_level),
    }


def _filled_in(row: FilledIn) -> dict[str, Any]:
    return {"row": row, "numbers": [number(value) for value in (row.baseline, row.final, row.gain)]}


def _session_stats(found: SessionReport) -> list[dict[str, Any]]:
    rows = found.rows
    return [
        stat(_("Students"), len(rows)),
        stat(_("Minutes"), found.minutes),
        stat(
            _("Present"), found.mean_share, unit="%", reason=_("nobody was connected"), note=_("mean of the students")
        ),
        stat(_("Connections lost"), sum(row.drops for row in rows)),
        stat(_("Calls for help"), sum(row.help for row in rows)),
        stat(_("Events"), len(found.events), note=_("on the timeline")),
    ]


def _row(row: Any) -> dict[str, Any]:
    member = row.member
    return {
        "student": member.student_id,
        "label": member.label,
        "group": member.group.number if member.group else None,
        "joined_at": member.joined_at,
        "left_at": member.left_at,
        "minutes": row.minutes,
        "share": row.share,
        "contributions": row.contributions,
        "page_left": row.page_left,
        "drops": row.drops,
        "help": row.help,
        "late": row.late,
        "removed": member.removed_at is not None,
    }


class _Echo:
    """A file that gives back what is written to it, so that the csv module can stream."""

    def write(self, line: str) -> str:
        return line


@require_safe
@at_desk
def report_export(request: DeskRequest, session_id: UUID, form: str) -> HttpResponse:
    """The timeline as CSV or JSON Lines. Labels are in it, so that its name says `identifiable`."""
    session = access.live_session(_reader(request), session_id, action=f"session export {form}")
    found = session_report(session)
    labels = {row.member.pk: row.member.label for row in found.rows}
    lines: Iterable[str]
    lines, content_type = (
        (_csv_lines(found, labels), "text/csv; charset=utf-8")
        if form == "csv"
        else (_json_lines(found, labels), "application/jsonl; charset=utf-8")
    )
    response = HttpResponse("".join(lines), content_type=content_type)
    day = timezone.localtime(found.start).strftime("%Y-%m-%d")
    response["Content-Disposition"] = f'attachment; filename="timeline-{day}-{session.pk}-identifiable.{form}"'
    return response


def _csv_lines(found: SessionReport, labels: dict[UUID, str]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(["seq", "at", "event", "student", "label", "late", "data"])
    for e in found.events:
        cells = [
            e.seq, e.at.isoformat(), e.event, e.student or "", labels.get(e.student, "") if e.student else "", e.late,
            json.dumps(e.data, ensure_ascii=False),
        ]  # fmt: skip
        yield writer.writerow([guarded(cell) for cell in cells])


def _json_lines(found: SessionReport, labels: dict[UUID, str]) -> Iterator[str]:
    for e in found.events:
        line = {
            "seq": e.seq, "at": e.at.isoformat(), "event": e.event, "student": str(e.student) if e.student else None,
            "label": labels.get(e.student) if e.student else None, "late": e.late, "data": e.data,
        }  # fmt: skip
        yield json.dumps(line, ensure_ascii=False) + "\n"


@require_safe
@at_desk
def student(request: DeskRequest, student_id: UUID) -> HttpResponse:
    """One student over the sessions that the reader may see."""
    reader = _reader(request)
    found = access.student(reader, student_id, action="student over time")
    over_time = student_report(found, access.live_sessions(reader))
    sessions = over_time.sessions
    shares = [each.share for each in sessions if each.share is not None]
    latest = Consent.objects.filter(student=found).order_by("purpose", "given_by", "-given_at", "-id")
    return render(
        request,
        "teach/student.html",
        {
            "student": found,
            "classes": SchoolClass.objects.filter(memberships__student=found, pk__in=access.classes(reader)),
            "stats": [
                stat(_("Sessions"), len(sessions)),
                stat(_("Minutes"), sum(each.minutes for each in sessions)),
                stat(
                    _("Present"), sum(shares) / len(shares) if shares else None, unit="%",
                    reason=_("no session yet"), note=_("mean of the sessions"),
                ),
                stat(_("Calls for help"), sum(each.help for each in sessions)),
            ],
            "figure": figures.minutes_by_session(over_time),
            "wcpm": reading_figures.wcpm_over_time(readings_over_time(found, access.live_sessions(reader))),
            "sessions": [
                {
                    "session": each.session, "group": each.member.group.number if each.member.group else None,
                    "minutes": each.minutes, "share": each.share, "contributions": each.contributions,
                    "drops": each.drops, "help": each.help,
                }
                for each in sessions
            ],
            "consents": [
                {
                    "purpose": c.get_purpose_display(), "decision": c.get_decision_display(),
                    "given_by": c.get_given_by_display(), "given_at": c.given_at,
                }
                for c in latest.distinct("purpose", "given_by")
            ],
        },
    )  # fmt: skip


def _reader(request: HttpRequest) -> Any:
    return access.require_role(request.user, User.Role.TEACHER, User.Role.ADMINISTRATOR)
