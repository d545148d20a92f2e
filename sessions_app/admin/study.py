"""The experiment: its conditions, and the studies that run them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from sessions_app.admin.scope import ScopedAdmin, ScopedInline, Section, administers_all
from sessions_app.models import Condition, Study, StudyCondition


class CellsOfStudy(ScopedInline):
    model = StudyCondition
    school_path = "study__schools"
    for_all = deletes = True
    fields = ("condition", "target")


@admin.register(Condition)
class ConditionAdmin(ScopedAdmin):
    """The same for every school, so changed by those of the whole installation alone."""

    section = Section.RESEARCH
    for_all = True
    list_display = ("code", "location", "interval_minutes", "intervention_type")
    list_filter = ("location", "intervention_type")
    search_fields = ("code",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Condition]:
        """Of no school, and seen by every administrator."""
        return Condition.objects.all()


@admin.register(Study)
class StudyAdmin(ScopedAdmin):
    """A study may span schools and lets researchers read them: changed by those of the whole installation alone."""

    section = Section.RESEARCH
    school_path = "schools"
    for_all = deletes = True
    list_display = ("name", "planned_n", "is_simulated", "created_at")
    list_filter = ("is_simulated",)
    search_fields = ("name",)
    fields = ("name", "planned_n", "schools", "researchers")
    autocomplete_fields = ("schools", "researchers")
    inlines = (CellsOfStudy,)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Which other schools take part, and who reads them, is not an administrator's of one school to know."""
        return self.fields if administers_all(request) else ("name", "planned_n")
