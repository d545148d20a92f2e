"""Students, the classes that they are in, and what was consented to."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as now_in
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from import_export.admin import ExportMixin
from unfold.contrib.import_export.forms import ExportForm
from unfold.decorators import action

from sessions_app import class_members, merging
from sessions_app.admin.exports import CSV_ALONE, StudentResource
from sessions_app.admin.scope import (
    OwnChoices,
    ReadOnlyInline,
    ScopedAdmin,
    ScopedInline,
    Section,
    administrator,
)
from sessions_app.models import ClassMembership, Consent, ConsentState, SchoolClass, Student, StudentSession
from sessions_app.refusals import Refused


class PlacesOfStudent(ReadOnlyInline):
    model = ClassMembership
    school_path = "school_class__school"
    fields = ("school_class", "label")
    show_change_link = False


class PlacesInClass(ScopedInline):
    model = ClassMembership
    school_path = "school_class__school"
    fields = ("student", "label")
    autocomplete_fields = ("student",)
    deletes = True


class StatesOfStudent(ReadOnlyInline):
    model = ConsentState
    school_path = "student__school"
    fields = ("purpose", "granted")
    verbose_name_plural = _("consents now")


class ConsentsOfStudent(ReadOnlyInline):
    model = Consent
    school_path = "student__school"
    fields = ("purpose", "decision", "given_by", "how_obtained", "version", "irb_date", "given_at", "recorded_by")


class RunsOfStudent(ReadOnlyInline):
    model = StudentSession
    fields = ("session", "label", "condition", "joined_at", "left_at", "removed_at")
    show_change_link = True


class Archived(admin.SimpleListFilter):
    title = _("still at the school")
    parameter_name = "archived"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("yes")), ("yes", _("no"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(archived_at__isnull=self.value() == "no") if self.value() in {"no", "yes"} else queryset


@admin.register(Student)
class StudentAdmin(ExportMixin, ScopedAdmin):
    """Students are archived, not deleted, and come in by a class list (Classes, "Import a list")."""

    section = Section.PEOPLE
    shows_students = True
    list_display = ("label", "name", "grade", "school", "external_id", "pseudonym", "archived_at")
    list_filter = ("grade", Archived, ("memberships__school_class", OwnChoices), ("school", OwnChoices))
    list_select_related = ("school",)
    search_fields = ("label", "name", "external_id", "pseudonym")
    fieldsets = (
        (None, {"fields": ("school", "label", "name", "external_id", "pseudonym")}),
        (_("Demographics"), {"fields": ("grade", "age", "richmond_resident")}),
        (_("Learning"), {"fields": ("depth_preference", "learning_style", "prior_knowledge_topics")}),
        (_("Record"), {"fields": ("archived_at", "created_at", "updated_at")}),
    )
    readonly_fields = ("pseudonym", "archived_at", "created_at", "updated_at")
    inlines = (PlacesOfStudent, StatesOfStudent, ConsentsOfStudent, RunsOfStudent)
    actions = ("archive", "restore", "merge")
    resource_classes = (StudentResource,)
    export_form_class = ExportForm
    formats = CSV_ALONE

    def get_readonly_fields(self, request: HttpRequest, obj: Student | None = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "school") if obj else self.readonly_fields

    def get_export_data(self, file_format: Any, request: HttpRequest, queryset: QuerySet[Any], **options: Any) -> Any:
        self._note(request, "export")
        return super().get_export_data(file_format, request, queryset, **options)

    @admin.action(description=_("Archive: they have left the school"))
    def archive(self, request: HttpRequest, chosen: QuerySet[Student]) -> None:
        for student in chosen:
            class_members.student_archive(student, by=administrator(request))
        count = len(chosen)
        messages.success(request, ngettext("%d student is archived.", "%d students are archived.", count) % count)

    @admin.action(description=_("Restore: they have come back"))
    def restore(self, request: HttpRequest, chosen: QuerySet[Student]) -> None:
        for student in chosen:
            class_members.student_restore(student, by=administrator(request))
        count = len(chosen)
        messages.success(request, ngettext("%d student is back.", "%d students are back.", count) % count)

    @admin.action(description=_("Join two records of one student"))
    def merge(self, request: HttpRequest, chosen: QuerySet[Student]) -> HttpResponse | None:
        """Ask which of two records stays; the answer comes back as the same action with `keep`."""
        pair = list(
            chosen.select_related("school").annotate(
                classes_of=Count("memberships", distinct=True),
                sessions_of=Count("student_sessions", distinct=True),
                consents_of=Count("consents", distinct=True),
            )
        )
        if len(pair) != 2:
            messages.error(request, now_in("Choose exactly two records."))
            return None
        keep = next((s for s in pair if str(s.pk) == request.POST.get("keep")), None)
        if keep is None:
            context = {
                **self.admin_site.each_context(request),
                "title": now_in("Join two records of one student"),
                "opts": self.opts,
                "pair": pair,
            }
            return TemplateResponse(request, "admin/merge_students.html", context)
        duplicate = next(s for s in pair if s is not keep)
        try:
            kept = merging.student_merge(keep, duplicate, by=administrator(request))
        except Refused as refused:
            messages.error(request, refused.message)
            return None
        messages.success(request, now_in("The two records are one now: %s.") % kept.label)
        return redirect("admin:sessions_app_student_change", kept.pk)


class ClassForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """Whoever teaches a class belongs to its school."""

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        school = said.get("school") or getattr(self.instance, "school", None)
        if school and any(teacher.school_id != school.pk for teacher in said.get("teachers", ())):
            self.add_error("teachers", ValidationError(_("A teacher of another school cannot teach this class.")))
        return said


@admin.register(SchoolClass)
class SchoolClassAdmin(ScopedAdmin):
    section = Section.PEOPLE
    shows_students = True
    form = ClassForm
    list_display = ("name", "school", "room", "students_now", "archived_at")
    list_filter = (Archived, ("school", OwnChoices))
    list_select_related = ("school",)
    search_fields = ("name", "room")
    fields = ("school", "name", "room", "teachers", "archived_at")
    autocomplete_fields = ("teachers",)
    inlines = (PlacesInClass,)
    actions_detail = ("import_list",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[SchoolClass]:
        classes: QuerySet[SchoolClass] = super().get_queryset(request)
        return classes.annotate(students_now=Count("memberships"))

    def get_readonly_fields(self, request: HttpRequest, obj: SchoolClass | None = None) -> tuple[str, ...]:
        return ("school",) if obj else ()

    @admin.display(description=_("students"), ordering="students_now")
    def students_now(self, school_class: Any) -> int:
        return int(school_class.students_now)

    @action(description=_("Import a list"), url_path="import-list", icon="upload")
    def import_list(self, request: HttpRequest, object_id: str) -> HttpResponseRedirect:
        """The same page, with the same rules, as teachers have."""
        return HttpResponseRedirect(reverse("teach_class_import", args=[object_id]))


@admin.register(Consent)
class ConsentAdmin(ScopedAdmin):
    """Decisions are added, never edited: a change of mind is another row."""

    section = Section.PEOPLE
    shows_students = True
    school_path = "student__school"
    changes = False
    list_display = ("student", "purpose", "decision", "given_by", "how_obtained", "given_at", "recorded_by")
    list_filter = ("purpose", "decision", "given_by", "how_obtained")
    list_select_related = ("student", "recorded_by")
    search_fields = ("student__label", "student__name", "student__pseudonym")
    fields = (
        "student", "purpose", "decision", "given_by", "how_obtained", "version", "irb_date", "given_at", "note",
        "recorded_by",
    )  # fmt: skip
    autocomplete_fields = ("student",)
    readonly_fields = ("recorded_by",)

    def save_model(self, request: HttpRequest, obj: Consent, form: Any, change: bool) -> None:
        obj.recorded_by = administrator(request)
        super().save_model(request, obj, form, change)
