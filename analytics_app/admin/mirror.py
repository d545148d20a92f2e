"""The outbox, what was given up, and how the writing goes. Of no school in particular: for the whole installation."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from analytics_app.mirror import leases
from analytics_app.models import ConditionStatistics, DeadLetter, IndexUse, MirrorHour, OutboxItem
from sessions_app.admin.scope import ReadOnlyAdmin, administers_all


@admin.register(OutboxItem)
class OutboxItemAdmin(ReadOnlyAdmin):
    school_path = None
    list_display = ("marked_at", "kind", "entity_id", "version", "attempts", "next_attempt_at", "last_error")
    list_filter = ("kind", "last_error")
    search_fields = ("entity_id",)
    ordering = ("marked_at", "id")


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin):
    school_path = None
    list_display = ("died_at", "kind", "entity_id", "error_code", "attempts", "requeued_at")
    list_filter = ("kind", "error_code")
    search_fields = ("entity_id", "reason")
    ordering = ("-died_at",)
    actions = ("requeue",)

    def has_requeue_permission(self, request: HttpRequest) -> bool:
        return administers_all(request)

    @admin.action(description=_("Try again"), permissions=["requeue"])
    def requeue(self, request: HttpRequest, letters: QuerySet[Any]) -> None:
        count = leases.requeue(letters)
        said = ngettext("%d item is written again.", "%d items are written again.", count) % count
        self.message_user(request, said, messages.SUCCESS)


@admin.register(ConditionStatistics)
class ConditionStatisticsAdmin(ReadOnlyAdmin):
    school_path = None
    list_display = ("start", "end", "condition", "sessions", "suppressed", "changed_at", "checked_at")
    list_filter = ("suppressed", "condition")
    list_select_related = ("condition",)
    date_hierarchy = "start"
    ordering = ("-start", "condition__code")


@admin.register(MirrorHour)
class MirrorHourAdmin(ReadOnlyAdmin):
    school_path = None
    list_display = (
        "hour", "written", "deleted", "retried", "died", "mean_batch", "mean_delay", "longest_delay_seconds",
        "failed_passes",
    )  # fmt: skip
    date_hierarchy = "hour"
    ordering = ("-hour",)

    @admin.display(description=_("items per batch"))
    def mean_batch(self, hour: MirrorHour) -> str:
        return f"{(hour.written + hour.deleted) / hour.batches:.1f}" if hour.batches else "–"

    @admin.display(description=_("mean delay, s"))
    def mean_delay(self, hour: MirrorHour) -> str:
        done = hour.written + hour.deleted
        return f"{hour.delay_seconds / done:.2f}" if done else "–"


@admin.register(IndexUse)
class IndexUseAdmin(ReadOnlyAdmin):
    school_path = None
    list_display = ("day", "table", "index", "pattern", "queries", "items")
    list_filter = ("table", "index")
    date_hierarchy = "day"
    ordering = ("-day", "pattern")
