"""A teacher's classes: the list of them, one class, and importing a class list."""

import base64
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.db.models import Count, Max, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from sessions_app import access, class_lists, class_members
from sessions_app.csv_files import Unreadable
from sessions_app.models import LiveSession, SchoolClass, User
from sessions_app.refusals import Refused
from sessions_app.views.class_forms import ClassForm, ListForm, StudentForm
from sessions_app.views.desk import DeskRequest, at_desk

_SALT = "lyceum.class-list"
_PREVIEW_HOLDS_FOR = 3600
_RECENT = 10


@require_http_methods(["GET", "POST"])
@at_desk
def class_list(request: DeskRequest) -> HttpResponse:
    """The classes that the user may see; POST makes one that the teacher teaches."""
    user = access.require_role(request.user, User.Role.TEACHER, User.Role.ADMINISTRATOR)
    form = ClassForm(request.POST if request.method == "POST" else None) if user.role == User.Role.TEACHER else None
    if request.method == "POST":
        teacher = access.require_teacher(user)
        if form is not None and form.is_valid():
            try:
                made = class_members.class_make(teacher=teacher, **form.cleaned_data)
            except Refused as refused:
                form.add_error("name", refused.message)
            else:
                return redirect("teach_class", made.pk)
    classes = access.classes(user).filter(archived_at=None)
    counted = classes.annotate(students_now=Count("memberships", filter=Q(memberships__student__archived_at=None)))
    ended = LiveSession.objects.filter(school_class__in=classes, status=LiveSession.Status.ENDED)
    latest = ended.order_by("school_class_id", "-ended_at").distinct("school_class_id")
    last_session = {session.school_class_id: session for session in latest}
    context = {
        "classes": [
            {"school_class": c, "students": c.students_now, "last_session": last_session.get(c.pk)} for c in counted
        ],
        "form": form,
        "here": "classes",
    }
    return render(request, "teach/classes.html", context, status=400 if form is not None and form.errors else 200)


@require_http_methods(["GET", "POST"])
@at_desk
def class_detail(request: DeskRequest, class_id: UUID) -> HttpResponse:
    """One class list; POST adds one student."""
    access.require_role(request.user, User.Role.TEACHER, User.Role.ADMINISTRATOR)
    school_class = access.school_class(request.user, class_id, action="class")
    form = StudentForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            added = class_members.student_add(school_class, by=request.user, **form.cleaned_data)
        except Refused as refused:
            form.add_error("label", refused.message)
        else:
            messages.success(request, _("%s is in the class.") % added.label)
            return redirect("teach_class", school_class.pk)
    context = {
        "school_class": school_class,
        "memberships": _members(school_class),
        "form": form,
        "sessions": school_class.sessions.select_related("school_class")[:_RECENT],
        "here": "classes",
    }
    return render(request, "teach/class_detail.html", context, status=400 if form.errors else 200)


def _members(school_class: SchoolClass) -> list[dict[str, Any]]:
    """Who is in a class, with how often and when last they took part in one of its sessions."""
    here = Q(student__student_sessions__session__school_class=school_class)
    members = school_class.memberships.select_related("student").annotate(
        sessions=Count("student__student_sessions", filter=here),
        last_seen=Max("student__student_sessions__joined_at", filter=here),
    )
    return [
        {"membership": m, "student": m.student, "sessions": m.sessions, "last_seen": m.last_seen}
        for m in members.order_by("student__archived_at", "label")
    ]


@require_http_methods(["GET", "POST"])
@at_desk
def class_import(request: DeskRequest, class_id: UUID) -> HttpResponse:
    """A class list from a spreadsheet. The first POST shows what it would do, the second does it.

    In between the list is in the page, signed for this user and class: nothing of it is kept here.
    """
    access.require_role(request.user, User.Role.TEACHER, User.Role.ADMINISTRATOR)
    school_class = access.school_class(request.user, class_id, action="class_import")
    if "confirm" in request.POST:
        return _confirm(request, school_class)
    form = ListForm(request.POST, request.FILES) if request.method == "POST" else ListForm()
    if form.is_valid():
        try:
            return _show(request, school_class, form.cleaned_data["content"])
        except Unreadable as unreadable:
            form.add_error("file" if form.cleaned_data["file"] else "text", str(unreadable.message))
    context = {"school_class": school_class, "form": form, "preview": None, "here": "classes"}
    return render(request, "teach/class_import.html", context, status=400 if form.errors else 200)


def _show(request: DeskRequest, school_class: SchoolClass, content: bytes, status: int = 200) -> HttpResponse:
    preview = class_lists.preview(content, school_class)
    signed = {"digest": preview.digest, "content": base64.b64encode(content).decode()}
    token = signing.dumps(signed, salt=_salt(request.user, school_class), compress=True)
    context = {"school_class": school_class, "preview": preview, "token": token, "here": "classes"}
    return render(request, "teach/class_import.html", context, status=status)


def _confirm(request: DeskRequest, school_class: SchoolClass) -> HttpResponse:
    try:
        signed = signing.loads(
            request.POST["confirm"], salt=_salt(request.user, school_class), max_age=_PREVIEW_HOLDS_FOR
        )
    except signing.BadSignature:
        messages.error(request, _("That preview is too old. Nothing was written; choose the file again."))
        return redirect("teach_class_import", school_class.pk)
    content = base64.b64decode(signed["content"])
    try:
        done = class_lists.apply(content, school_class, by=request.user, digest=signed["digest"])
    except Refused as refused:
        messages.error(request, refused.message)
        return _show(request, school_class, content, status=409)
    written = done.new + done.changed
    messages.success(
        request, ngettext("%d student was added or changed.", "%d students were added or changed.", written) % written
    )
    return redirect("teach_class", school_class.pk)


def _salt(user: User, school_class: SchoolClass) -> str:
    return f"{_SALT}.{user.pk}.{school_class.pk}"
