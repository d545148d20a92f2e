"""Live sessions: looked at, put right in small things, and ended where nobody else can."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as now_in
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from sessions_app import lifecycle
from sessions_app.admin.records import RUN
from sessions_app.admin.scope import OwnChoices, ReadOnlyAdmin, ReadOnlyInline, ScopedAdmin, Section, administrator
from sessions_app.models import (
    AttentionCheck,
    Group,
    LiveSession,
    RefusedSubmission,
    SessionCounter,
    StudentSession,
    TakeoverRequest,
)
from sessions_app.refusals import Refused


class InSession(ReadOnlyInline):
    school_path = "session__school"


class GroupsOfSession(InSession):
    model = Group
    fields = ("number", "leader", "ready_at")


class StudentsOfSession(InSession):
    model = StudentSession
    fields = ("label", "student", "group", "condition", "joined_at", "ready_at", "left_at", "removed_at")
    show_change_link = True


class ChecksOfSession(InSession):
    model = AttentionCheck
    fields = ("text", "student_session", "asked_at")


class TakeoversOfSession(InSession):
    model = TakeoverRequest
    fields = ("student_session", "decision", "decided_by", "requested_at", "decided_at")


class TimelineOfSession(InSession):
    model = SessionCounter
    fields = ("last_seq", "epoch", "opened_at", "ended_at")


@admin.register(LiveSession)
class LiveSessionAdmin(ScopedAdmin):
    """Sessions are made, started and ended on the teachers' pages, so that their timeline says so.

    Here their title, room and plan can be put right, a draft deleted, and a session ended that nobody ended.
    """

    section = Section.SESSIONS
    shows_students = True
    adds = False
    list_display = ("title", "teacher", "school_class", "school", "activity", "status", "started_at", "ended_at")
    list_filter = (
        "status", "activity", ("school", OwnChoices), ("school_class", OwnChoices), ("study", OwnChoices),
    )  # fmt: skip
    list_select_related = ("teacher", "school_class", "school")
    search_fields = ("title", "join_code", "teacher__username", "teacher__last_name")
    date_hierarchy = "started_at"
    fieldsets = (
        (None, {"fields": ("title", "room", "scheduled_for")}),
        (_("Who"), {"fields": ("school", "teacher", "school_class", "capacity", "join_code")}),
        (
            _("What"),
            {"fields": ("activity", "study", "location", "site", "condition", "planned_groups", "is_simulated")},
        ),
        (_("Life"), {"fields": ("status", "configured_at", "started_at", "ended_at", "end_reason")}),
    )
    readonly_fields = (
        "school", "teacher", "school_class", "capacity", "join_code", "activity", "study", "location", "site",
        "condition", "planned_groups", "is_simulated", "status", "configured_at", "started_at", "ended_at",
        "end_reason",
    )  # fmt: skip
    inlines = (StudentsOfSession, GroupsOfSession, TakeoversOfSession, ChecksOfSession, TimelineOfSession)
    actions = ("end_session",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request) and isinstance(obj, LiveSession) and obj.status == LiveSession.Status.DRAFT

    @admin.action(description=_("End the session"))
    def end_session(self, request: HttpRequest, chosen: QuerySet[LiveSession]) -> None:
        """End what is open, as the teacher would; the timeline names the administrator."""
        by = administrator(request)
        ended = 0
        for session in chosen:
            try:
                lifecycle.session_end(session, by=by, reason="administrator")
            except Refused:
                messages.warning(request, now_in("“%s” was not running.") % session.title)
            else:
                ended += 1
        if ended:
            messages.success(request, ngettext("%d session is ended.", "%d sessions are ended.", ended) % ended)


@admin.register(StudentSession)
class StudentSessionAdmin(ReadOnlyAdmin):
    section = Section.SESSIONS
    shows_students = True
    list_display = ("label", "session", "school", "condition", "condition_randomised", "joined_at", "removed_at")
    list_filter = ("condition_randomised", ("school", OwnChoices), ("condition", OwnChoices))
    list_select_related = ("session", "school", "condition")
    search_fields = ("label", "session__title", "student__pseudonym")
    date_hierarchy = "joined_at"
    fields = (
        "school", "session", "student", "label", "group", "condition", "condition_randomised", "joined_at", "ready_at",
        "left_at", "removed_at", "help_asked_at", "is_simulated",
    )  # fmt: skip
    inlines = RUN


@admin.register(RefusedSubmission)
class RefusedSubmissionAdmin(ReadOnlyAdmin):
    """What students gave and what could not be taken, to be looked at and taken up by a person."""

    section = Section.SESSIONS
    school_path = "student_session__school"
    shows_students = True
    list_display = ("received_at", "student_session", "action", "reason")
    list_filter = ("action", "reason", ("student_session__school", OwnChoices))
    list_select_related = ("student_session",)
    search_fields = ("student_session__label", "student_session__session__title")
    date_hierarchy = "received_at"
    ordering = ("-id",)
