"""The runs of qualitative analyses, to be read. They are begun, cancelled and tried again on their own pages."""

from django.contrib import admin

from analytics_app.models import Analysis, AnalysisStep
from sessions_app.admin.scope import ReadOnlyAdmin, ReadOnlyInline, Section


class StepsOfAnalysis(ReadOnlyInline):
    model = AnalysisStep
    school_path = None
    tab = False
    fields = ("name", "status", "message", "started_at", "completed_at")


@admin.register(Analysis)
class AnalysisAdmin(ReadOnlyAdmin):
    """Texts may come from several schools: for administrators of the whole installation."""

    section = Section.RESEARCH
    school_path = None
    list_display = ("created_at", "corpus", "engine", "overall_status", "completed_at", "failure")
    list_filter = ("overall_status", "engine")
    list_select_related = ("corpus",)
    search_fields = ("corpus__name", "failure")
    date_hierarchy = "created_at"
    inlines = (StepsOfAnalysis,)
