"""A teacher's sessions: the list, setting one up, and the way to where a session stands."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from sessions_app import access, drafts, lifecycle
from sessions_app.models import ClassMembership, LiveSession, User
from sessions_app.refusals import Refused
from sessions_app.views import board
from sessions_app.views.desk import DeskRequest, at_desk
from sessions_app.views.setup_form import FirstStep, SetUp

PER_PAGE = 25
FIELD_OF = {
    "title_missing": "title", "class_missing": "school_class", "class_empty": "school_class",
    "passage_missing": "passage", "prompts_missing": "passage",
}  # fmt: skip


@require_safe
@at_desk
def session_list(request: DeskRequest) -> HttpResponse:
    """Every session that the user may see, the newest first; one state only by ?state=."""
    access.require_role(request.user, User.Role.TEACHER, User.Role.ADMINISTRATOR)
    sessions = access.live_sessions(request.user).select_related("school_class", "teacher")
    state = request.GET.get("state", "")
    if state in LiveSession.Status.values:
        sessions = sessions.filter(status=state)
    else:
        state = ""
    access.log_reading(request.user, action="session_list", school_id=request.user.school_id)
    context = {
        "page": Paginator(sessions, PER_PAGE).get_page(request.GET.get("page")),
        "states": LiveSession.Status.choices,
        "state": state,
        "query": f"state={state}&" if state else "",
    }
    return render(request, "teach/sessions.html", context)


@require_http_methods(["GET", "POST"])
@at_desk
def session_new(request: DeskRequest) -> HttpResponse:
    """The first step; sending it makes the draft."""
    teacher = access.require_teacher(request.user)
    form = FirstStep(request.POST or None, user=teacher, initial={"school_class": request.GET.get("class")})
    if form.is_valid():
        draft = drafts.draft_make(teacher, **form.chosen())
        return redirect("teach_session_draft", draft.pk)
    context = {"form": form, "classes": form.fields["school_class"].queryset.exists()}  # type: ignore[attr-defined]
    return render(request, "teach/session_new.html", context, status=400 if form.is_bound else 200)


@require_safe
@at_desk
def session(request: DeskRequest, session_id: UUID) -> HttpResponse:
    """Where a session stands: its draft, its live board, or its report."""
    live_session = access.live_session(request.user, session_id, action="session")
    if live_session.status == LiveSession.Status.DRAFT:
        return redirect("teach_session_draft", live_session.pk)
    if live_session.status == LiveSession.Status.ENDED:
        return redirect("teach_report", live_session.pk)
    return board.page(request, live_session)


@require_http_methods(["GET", "POST"])
@at_desk
def session_draft(request: DeskRequest, session_id: UUID) -> HttpResponse:
    """A draft, kept at every change; its last step gives the session its code and opens the board."""
    try:
        return _draft(request, session_id)
    except Refused as refused:
        messages.warning(request, refused.message)
        return _go_on(request, session_id)


def _draft(request: DeskRequest, session_id: UUID) -> HttpResponse:
    draft = access.live_session(request.user, session_id, action="draft")
    if draft.status != LiveSession.Status.DRAFT:
        return _go_on(request, draft.pk)
    if request.method == "GET":
        return _draft_page(request, draft, SetUp(user=request.user, instance=draft))
    if request.POST.get("action") == "discard":
        drafts.draft_discard(draft)
        messages.success(request, _("The draft is discarded."))
        return redirect("teach_home")
    return _keep(request, draft)


def _keep(request: DeskRequest, draft: LiveSession) -> HttpResponse:
    form = SetUp(request.POST, user=request.user, instance=draft)
    complete = form.is_valid()
    drafts.draft_keep(draft, **form.chosen())
    if request.htmx:
        return render(request, "teach/draft_kept.html", {"form": form, "kept_at": draft.updated_at})
    if complete and request.POST.get("action") == "configure":
        try:
            lifecycle.session_configure(draft, groups=draft.planned_groups)
        except Refused as refused:
            if refused.code not in FIELD_OF:
                raise
            form.add_error(FIELD_OF[refused.code], refused.message)
        else:
            return redirect("teach_session", draft.pk)
    elif complete:
        messages.success(request, _("The draft is kept."))
        return redirect("teach_session_draft", draft.pk)
    return _draft_page(request, draft, form)


@require_POST
@at_desk
def session_copy(request: DeskRequest, session_id: UUID) -> HttpResponse:
    """Make a new draft that is set up like a session."""
    teacher = access.require_teacher(request.user)
    original = access.live_session(teacher, session_id, action="session_copy")
    draft = drafts.draft_copy(original, by=teacher)
    messages.success(request, _("A new draft, set up like “%(title)s”.") % {"title": original.title})
    return redirect("teach_session_draft", draft.pk)


def _go_on(request: DeskRequest, session_id: UUID) -> HttpResponse:
    """What was a draft is none any more, perhaps by another tab: on to where it stands."""
    if request.htmx:
        return HttpResponseClientRedirect(reverse("teach_session", args=[session_id]))
    return redirect("teach_session", session_id)


def _draft_page(request: HttpRequest, draft: LiveSession, form: SetUp) -> HttpResponse:
    size = None
    if draft.school_class_id:
        listed = ClassMembership.objects.filter(school_class=draft.school_class_id, student__archived_at=None)
        size = listed.count()
    context: dict[str, Any] = {"live_session": draft, "form": form, "class_size": size, "kept_at": draft.updated_at}
    return render(request, "teach/session_draft.html", context, status=400 if form.errors else 200)
