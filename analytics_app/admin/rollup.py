"""The counted hours of each school, and the runs that counted them."""

from django.contrib import admin

from analytics_app.models import DashboardMetricsHourly, RollupRun
from sessions_app.admin.scope import OwnChoices, ReadOnlyAdmin


@admin.register(DashboardMetricsHourly)
class DashboardMetricsHourlyAdmin(ReadOnlyAdmin):
    list_display = (
        "metric_hour", "school", "sessions_active", "students_active", "avg_participation_rate",
        "avg_session_quality", "total_errors", "calculated_at", "sealed",
    )  # fmt: skip
    list_filter = (("school", OwnChoices), "sealed")
    list_select_related = ("school",)
    date_hierarchy = "metric_hour"
    ordering = ("-metric_hour", "school")


@admin.register(RollupRun)
class RollupRunAdmin(ReadOnlyAdmin):
    school_path = None
    list_display = ("started_at", "finished_at", "scope", "hours", "skipped", "error")
    list_filter = ("scope",)
    ordering = ("-id",)
