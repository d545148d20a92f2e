"""The miscue desk: one student's reading, what the teacher decides about it, and the word again where it was kept."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from analytics_app.dashboards import reading_figures
from analytics_app.dashboards.reading_stats import desk_stats
from analytics_app.reports.reading import MARGIN, ReadingReport, kind_names, reading_report
from sessions_app import access
from sessions_app.models import Miscue, Reading, User
from sessions_app.reading import desk, sound
from sessions_app.refusals import Refused
from sessions_app.views.desk import DeskRequest, at_desk


@require_safe
@at_desk
def page(request: DeskRequest, reading_id: UUID) -> HttpResponse:
    """One reading: figures, minutes, the passage with its marks, and the mark that is looked at (?mark= or ?word=)."""
    reading = _reading(request, reading_id, action="reading")
    found = reading_report(reading)
    chosen = _chosen(request, found)
    word = _word(request, found) if chosen is None else None
    context = {
        "reading": reading,
        "member": reading.student_session,
        "live_session": reading.student_session.session,
        "found": found,
        "stats": desk_stats(found),
        "figure": reading_figures.minutes(found),
        "chosen": chosen,
        "word": word,
        "kinds": kind_names(),
        "next": _next(found, chosen),
        "sound": _sound(reading, chosen) if found.kept_until else None,
        "here": "sessions",
    }
    return render(request, "teach/reading.html", context)


@require_POST
@at_desk
def add(request: DeskRequest, reading_id: UUID) -> HttpResponse:
    """Mark a word that the machine took as read."""
    reading = _reading(request, reading_id, action="reading mark")
    index = request.POST.get("word", "")
    try:
        made = desk.miscue_add(
            reading,
            index=int(index) if index.isdecimal() and len(index) < 7 else -1,
            to=request.POST.get("to", ""),
            heard=request.POST.get("heard", ""),
            reason=request.POST.get("reason", ""),
            by=_teacher(request),
            at=timezone.now(),
        )
    except Refused as refused:
        messages.warning(request, refused.message)
        return _back(reading, f"word={index}" if index.isdecimal() else "")
    return _back(reading, f"mark={made.pk}")


@require_POST
@at_desk
def decide(request: DeskRequest, reading_id: UUID, mark_id: UUID) -> HttpResponse:
    """Accept a mark, correct it (to, reason), or take the decision back; then on to the next that is open."""
    reading = _reading(request, reading_id, action="reading mark")
    mark = Miscue.objects.filter(reading=reading, pk=mark_id).first()
    if mark is None:
        raise access.Hidden
    by, at = _teacher(request), timezone.now()
    try:
        decision = request.POST.get("decision")
        if decision == "accept":
            desk.miscue_accept(mark, by=by, at=at)
        elif decision == "reopen":
            desk.miscue_reopen(mark, by=by, at=at)
            return _back(reading, f"mark={mark_id}")
        else:
            to, reason = request.POST.get("to", ""), request.POST.get("reason", "")
            desk.miscue_correct(mark, to=to, reason=reason, by=by, at=at)
    except Refused as refused:
        messages.warning(request, refused.message)
        return _back(reading, f"mark={mark_id}")
    following = _next(reading_report(reading), mark)
    return _back(reading, f"mark={following.pk}" if following else f"mark={mark_id}")


@require_safe
@at_desk
def hear(request: DeskRequest, reading_id: UUID) -> HttpResponse:
    """The kept sound from ?from= to ?to= (seconds of the reading), as a WAV file."""
    reading = _reading(request, reading_id, action="reading sound")
    starts, ends = _seconds(request.GET.get("from")), _seconds(request.GET.get("to"))
    if starts is None or ends is None or ends <= starts:
        return HttpResponse(_("Say from which second to which."), status=400, content_type="text/plain")
    try:
        clip = sound.clip(reading, starts=starts, ends=ends, today=timezone.now().date())
    except Refused as refused:
        return HttpResponse(refused.message, status=404, content_type="text/plain; charset=utf-8")
    return HttpResponse(clip, content_type="audio/wav")


def _reading(request: HttpRequest, pk: UUID, *, action: str) -> Reading:
    return access.reading(_reader(request), pk, action=action)


def _reader(request: HttpRequest) -> User:
    return access.require_role(request.user, User.Role.TEACHER, User.Role.ADMINISTRATOR)


def _teacher(request: HttpRequest) -> User:
    return access.require_teacher(request.user)


def _chosen(request: HttpRequest, found: ReadingReport) -> Miscue | None:
    wanted = request.GET.get("mark", "")
    if "word" in request.GET:
        return None
    chosen = next((mark for mark in found.marks if str(mark.pk) == wanted), None)
    return chosen or (found.to_look_at[0] if found.to_look_at else None)


def _word(request: HttpRequest, found: ReadingReport) -> dict[str, Any] | None:
    wanted = request.GET.get("word", "")
    words = [word for paragraph in found.paragraphs for word in paragraph if word.index is not None]
    return next(({"index": word.index, "text": word.text} for word in words if str(word.index) == wanted), None)


def _next(found: ReadingReport, after: Miscue | None) -> Miscue | None:
    """The next open mark in reading order, from the beginning again where there is none behind."""
    waiting = sorted((m for m in found.to_look_at if after is None or m.pk != after.pk), key=lambda m: m.index)
    behind = [mark for mark in waiting if after is not None and mark.index >= after.index]
    return next(iter(behind or waiting), None)


def _sound(reading: Reading, mark: Miscue | None) -> str | None:
    """The address of the sound around a mark."""
    if mark is None or mark.starts is None:
        return None
    starts, ends = max(0.0, mark.starts - MARGIN), (mark.ends or mark.starts + 0.6) + MARGIN
    return f"{reverse('teach_reading_sound', args=[reading.pk])}?from={starts:.2f}&to={ends:.2f}"


def _seconds(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < 1e6 else None


def _back(reading: Reading, query: str) -> HttpResponse:
    return HttpResponseRedirect(f"{reverse('teach_reading', args=[reading.pk])}?{query}#inspect")
