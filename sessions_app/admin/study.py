"""The experiment: its conditions, and the studies that run them."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from sessions_app.admin.scope import ScopedAdmin, ScopedInline, Section, administers, administers_all
from sessions_app.models import Condition, Site, Study, StudyCondition
from sessions_app.study.assignment import MATERIAL


def is_of_one_school(study: Study, request: HttpRequest) -> bool:
    """Whether a study is run by an administrator's school alone, which then may plan it."""
    return [school.pk for school in study.schools.all()] == [request.user.school_id]  # type: ignore[union-attr]


class PartOfStudy(ScopedInline):
    """What a study is planned with, edited by those who may edit the study."""

    deletes = True

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if administers_all(request):
            return True
        return administers(request) and isinstance(obj, Study) and is_of_one_school(obj, request)

    has_add_permission = has_delete_permission = has_change_permission


class CellsOfStudy(PartOfStudy):
    model = StudyCondition
    school_path = "study__schools"
    fields = ("condition", "target")


class SitesOfStudy(PartOfStudy):
    model = Site
    school_path = "study__schools"
    fields = ("location", "name", "address", "latitude", "longitude", "radius_m")


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
    """A study may span schools and lets researchers read them: that is for those of the whole installation alone.

    What a study is planned with, cells and sites and material, is also for the administrators of its one school.
    """

    section = Section.RESEARCH
    school_path = "schools"
    for_all = deletes = True
    list_display = ("name", "planned_n", "content", "is_simulated", "created_at")
    list_filter = ("is_simulated",)
    list_select_related = ("content",)
    search_fields = ("name",)
    readonly_fields = ("seed",)
    autocomplete_fields = ("schools", "researchers")
    inlines = (CellsOfStudy, SitesOfStudy)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if administers_all(request):
            return True
        return administers(request) and (obj is None or (isinstance(obj, Study) and is_of_one_school(obj, request)))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[tuple[Any, dict[str, Any]]]:
        """Which other schools take part, and who reads them, is not an administrator's of one school to know."""
        about = ("name", "planned_n", *(("schools", "researchers") if administers_all(request) else ()))
        return [
            (None, {"fields": about}),
            (_("What students are given"), {"fields": [name for _model, name in MATERIAL]}),
            (_("Assignment"), {"fields": ("seed",)}),
        ]
