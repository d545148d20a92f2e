"""Who read what, who guessed at join codes, and what was asked of language models."""

from django.contrib import admin

from sessions_app.admin.scope import OwnChoices, ReadOnlyAdmin, Section
from sessions_app.models import AccessLog, JoinFailures, ModelCall


@admin.register(AccessLog)
class AccessLogAdmin(ReadOnlyAdmin):
    section = Section.WATCH
    list_display = ("at", "user", "action", "object_type", "object_id", "school")
    list_filter = ("object_type", ("school", OwnChoices), ("user", OwnChoices))
    list_select_related = ("user", "school")
    search_fields = ("action", "user__username", "object_id")
    date_hierarchy = "at"
    ordering = ("-id",)
    sortable_by = ()


@admin.register(JoinFailures)
class JoinFailuresAdmin(ReadOnlyAdmin):
    """By address, so of no school in particular: seen by administrators of the whole installation."""

    section = Section.WATCH
    school_path = None
    list_display = ("window", "address", "failures")
    ordering = ("-window",)


@admin.register(ModelCall)
class ModelCallAdmin(ReadOnlyAdmin):
    section = Section.WATCH
    list_display = (
        "at", "purpose", "model", "outcome", "prompt_tokens", "completion_tokens", "cost_usd", "latency_ms", "school",
    )  # fmt: skip
    list_filter = ("outcome", "purpose", ("school", OwnChoices))
    list_select_related = ("school",)
    date_hierarchy = "at"
    ordering = ("-id",)
    sortable_by = ()
