"""Language practice: a teacher's view of a class and of a student, and the learner's own page."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from analytics_app.dashboards import practice as drawn
from analytics_app.reports.practice import StudentPractice, class_practice, student_practice
from sessions_app import access, csv_files, join_codes, learners
from sessions_app.learners import Visit
from sessions_app.models import Learner, SchoolClass, SessionResult, User
from sessions_app.practice import SCORES, Period
from sessions_app.refusals import Refused
from sessions_app.views.desk import DeskRequest, at_desk

RESULTS_A_PAGE = 25


def _reader(request: HttpRequest) -> User:
    return access.require_role(request.user, User.Role.TEACHER, User.Role.ADMINISTRATOR)


def _period(request: HttpRequest) -> Period:
    asked = request.GET.get("period", "")
    return Period(asked) if asked in Period.values else Period.WEEK


def _periods(chosen: Period) -> list[dict[str, Any]]:
    return [{"value": period.value, "label": period.label, "chosen": period is chosen} for period in Period]


@require_safe
@at_desk
def of_class(request: DeskRequest, class_id: UUID) -> HttpResponse:
    """Who of a class practised, how much, and how it went."""
    school_class = access.school_class(_reader(request), class_id, action="class practice")
    found = class_practice(school_class, _period(request))
    sample = ngettext("%d student of this class", "%d students of this class", found.practised) % found.practised
    return render(
        request,
        "teach/class_practice.html",
        {
            "school_class": school_class,
            "found": found,
            "periods": _periods(found.period),
            "stats": drawn.practice_stats(found.together, found.words, as_of=found.as_of, sample=sample),
            "figure": drawn.scores_by_day(found.together),
            "by_type": drawn.results_by_type(found.together),
            "exports": [
                {"name": form.upper(), "address": _export(school_class, form, found.period)} for form in ("csv", "json")
            ],
        },
    )


def _export(school_class: SchoolClass, form: str, period: Period) -> str:
    return f"{reverse('teach_practice_export', args=[school_class.pk, form])}?period={period}"


_EXPORTED = (
    "student", "label", "id", "session_type", "created_at", "duration_seconds", "words_spoken", *SCORES, "topics",
    "vocabulary_learned", "areas_to_improve",
)  # fmt: skip


@require_safe
@at_desk
def export(request: DeskRequest, class_id: UUID, form: str) -> HttpResponse:
    """The results of a class over a period as CSV or JSON. Labels are in it, so that its name says `identifiable`."""
    if form not in {"csv", "json"}:
        raise access.Hidden
    school_class = access.school_class(_reader(request), class_id, action=f"class practice export {form}")
    since = _period(request).since(school_class.school.zone, now=timezone.now())
    rows = list(_rows(school_class, since))
    if form == "csv":
        lists = ({name: "; ".join(v) if isinstance(v, list) else v for name, v in row.items()} for row in rows)
        content = csv_files.write(_EXPORTED, (list(row.values()) for row in lists))
    else:
        content = json.dumps({"class": school_class.name, "results": rows}, ensure_ascii=False)
    kind = "text/csv; charset=utf-8" if form == "csv" else "application/json"
    response = HttpResponse(content, content_type=kind)
    day = timezone.localdate().isoformat()
    response["Content-Disposition"] = f'attachment; filename="practice-{day}-{school_class.pk}-identifiable.{form}"'
    return response


def _rows(school_class: SchoolClass, since: Any) -> Iterator[dict[str, Any]]:
    labels = dict(school_class.memberships.values_list("student_id", "label"))
    results = SessionResult.objects.filter(learner__student__in=labels, created_at__gte=since)
    for result in results.select_related("learner").order_by("created_at", "id"):
        student = result.learner.student_id
        assert student is not None
        told = {name: getattr(result, name) for name in _EXPORTED[3:] if name != "created_at"}
        yield {
            "student": str(student),
            "label": labels[student],
            "id": str(result.pk),
            "session_type": told.pop("session_type"),
            "created_at": result.created_at.isoformat(),
            **told,
        }


@require_POST
@at_desk
def codes(request: DeskRequest, class_id: UUID) -> HttpResponse:
    """New codes for one student (`student`) or for all of a class, shown this once."""
    teacher = _reader(request)
    school_class = access.school_class(teacher, class_id, action="practice codes")
    places = school_class.memberships.filter(student__archived_at=None).select_related("student").order_by("label")
    if one := request.POST.get("student"):
        places = places.filter(student=access.student(teacher, _uuid(one), action="practice code"))
    given = [
        {"label": place.label, "code": join_codes.readable(learners.code_give(place.student, by=teacher))}
        for place in places
    ]
    context = {
        "school_class": school_class,
        "codes": given,
        "address": request.build_absolute_uri(reverse("practice_enter")),
        "hours": int(learners.CODE_GOOD_FOR.total_seconds() // 3600),
    }
    return render(request, "teach/practice_codes.html", context)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise access.Hidden from None


@require_safe
@at_desk
def of_student(request: DeskRequest, student_id: UUID) -> HttpResponse:
    """One student's practice, for their teacher."""
    student = access.student(_reader(request), student_id, action="student practice")
    theirs = list(Learner.objects.filter(student=student).values_list("pk", flat=True))
    found = student_practice(theirs, student.school.zone, _period(request))
    classes = SchoolClass.objects.filter(memberships__student=student, pk__in=access.classes(request.user))
    context = {"student": student, "classes": classes, **_page(request, found, sample=student.label)}
    return render(request, "teach/student_practice.html", context)


def _page(request: HttpRequest, found: StudentPractice, *, sample: str) -> dict[str, Any]:
    """What a student's page of practice shows, to them or to their teacher."""
    return {
        "found": found,
        "periods": _periods(found.period),
        "stats": drawn.practice_stats(found.stats, len(found.words), as_of=found.as_of, sample=sample),
        "figure": drawn.scores_by_day(found.stats),
        "by_type": drawn.results_by_type(found.stats),
        "results": Paginator(found.results, RESULTS_A_PAGE).get_page(request.GET.get("page")),
        "query": f"period={found.period}&",
    }


# -- The learner's own page: opened by a code, and kept open by a pass in a cookie of the browser's session.


@never_cache
@require_http_methods(["GET", "POST"])
def enter(request: HttpRequest) -> HttpResponse:
    """Enter the code that the teacher gave; it opens one's own page in this browser, until it is closed."""
    if request.method == "GET":
        if _visit(request) is not None:
            return redirect("practice_progress")
        return render(request, "practice/enter.html", {"code": "", "error": ""})
    typed = request.POST.get("code", "")[:64]
    try:
        student = learners.code_take(typed, address=request.META.get("REMOTE_ADDR", ""))
    except Refused as refused:
        status = 429 if refused.code == "too_many_guesses" else 404
        return render(request, "practice/enter.html", {"code": typed, "error": refused.message}, status=status)
    response = redirect("practice_progress")
    learners.pass_give(response, learners.learner_of(student))
    return response


@never_cache
@require_safe
def progress(request: HttpRequest) -> HttpResponse:
    """A learner's own progress: the trend, by exercise, and the words."""
    visit = _visit(request)
    if visit is None:
        return redirect("practice_enter")
    with timezone.override(visit.zone):
        theirs = access.own_learners(visit)
        found = student_practice(theirs, visit.zone, _period(request))
        context = {"zone": visit.zone.key, **_page(request, found, sample=_("your results"))}
        return render(request, "practice/progress.html", context)


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Close one's page in this browser."""
    response = redirect("practice_enter")
    response.delete_cookie(learners.PASS_COOKIE, samesite="Lax")
    return response


def _visit(request: HttpRequest) -> Visit | None:
    return learners.pass_read(request.COOKIES.get(learners.PASS_COOKIE, ""))
