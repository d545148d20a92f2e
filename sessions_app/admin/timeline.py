"""The timeline, to be read: nobody edits what happened."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.paginator import InfinitePaginator

from sessions_app.admin.scope import ReadOnlyAdmin, Section
from sessions_app.events import KINDS
from sessions_app.models import SessionEvent


class Kind(admin.SimpleListFilter):
    """The kinds are known: to look for them in millions of rows would take longer than the page."""

    title = SessionEvent._meta.get_field("event_type").verbose_name
    parameter_name = "event_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, kind) for kind in sorted(KINDS)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(event_type=self.value()) if self.value() in KINDS else queryset


@admin.register(SessionEvent)
class SessionEventAdmin(ReadOnlyAdmin):
    """Newest first by key, which is in order of time; never counted, as there may be millions."""

    section = Section.SESSIONS
    shows_students = True
    list_display = ("event_time", "session", "seq", "event_type", "student_session", "late")
    list_filter = (Kind, "late")
    list_select_related = ("session", "student_session")
    search_fields = ("session__title",)
    ordering = ("-id",)
    sortable_by = ()
    paginator = InfinitePaginator
    fields = (
        "session", "seq", "event_type", "event_time", "client_time", "created_at", "late", "teacher", "student_session",
        "payload",
    )  # fmt: skip
