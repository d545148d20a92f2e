"""The material of studies: contents, question sets, assessment forms, surveys. A used version is read; the next edited.

A school's administrators edit what is their school's, and read what all schools share.
"""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.postgres.forms import SimpleArrayField
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as now_in
from django.utils.translation import gettext_lazy as _
from unfold.admin import StackedInline
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget

from sessions_app.access import Hidden
from sessions_app.admin.scope import Scoped, ScopedAdmin, ScopedInline, Section, administers, administers_all
from sessions_app.models import (
    AssessmentForm,
    AssessmentItem,
    Content,
    PredefinedQuestion,
    QuestionSet,
    RubricConcept,
    Segment,
    SurveyForm,
    SurveyItem,
)
from sessions_app.models.material import Material
from sessions_app.study import previews, versions


def material_of(row: Model) -> Material:
    """The material that a row is, or is a part of."""
    if isinstance(row, AssessmentItem):
        return row.form
    assert isinstance(row, Material)
    return row


def may_edit(request: HttpRequest, material: Material) -> bool:
    """Whether an administrator may change a version: it is their school's, and no student has met it."""
    own = administers_all(request) or (
        administers(request) and material.school_id is not None and material.school_id == request.user.school_id  # type: ignore[union-attr]
    )
    return own and material.used_at is None


def visible(request: HttpRequest, rows: QuerySet[Any], *, school: str) -> QuerySet[Any]:
    """The rows of an administrator's school, and those that all schools share."""
    if administers_all(request):
        return rows
    if not administers(request):
        return rows.none()
    return rows.filter(Q(**{school: request.user.school_id}) | Q(**{school: None}))  # type: ignore[union-attr]


class Parts(ScopedInline):
    """What a material is made of, edited on its page as long as it is not used."""

    deletes = True
    ordering: ClassVar[tuple[str, ...]] = ("number",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model._default_manager.order_by(*self.ordering)
        return rows

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return administers(request) if obj is None else may_edit(request, material_of(obj))

    has_change_permission = has_delete_permission = has_add_permission


class StackedParts(Scoped, StackedInline):
    """`Parts` with room for long texts."""

    extra = 0
    tab = True
    ordering = ("number",)
    get_queryset = Parts.get_queryset
    has_add_permission = Parts.has_add_permission
    has_change_permission = has_delete_permission = Parts.has_add_permission


class MaterialAdmin(ScopedAdmin):
    """A kind of material: its versions, the newest first."""

    section = Section.RESEARCH
    deletes = True
    list_display: ClassVar[tuple[str, ...]] = (
        "title",
        "slug",
        "version",
        "school",
        "language",
        "used_at",
        "updated_at",
    )
    list_filter: ClassVar[tuple[str, ...]] = ("slug",)
    list_select_related = ("school",)
    search_fields = ("title", "slug")
    ordering = ("slug", "-version")
    readonly_fields = ("version", "used_at", "created_at", "updated_at")
    actions_detail = ("preview", "version_next")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return visible(request, self.model._default_manager.all(), school="school").order_by(*self.ordering)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return administers(request) if obj is None else may_edit(request, material_of(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return obj is not None and may_edit(request, material_of(obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The short name stays, so that versions belong together."""
        return (*self.readonly_fields, "slug", "school") if obj else self.readonly_fields

    @action(description=_("Preview"), url_path="preview", icon="visibility")
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The version as a student sees it; nothing is sent."""
        material = self._of_this_administrator(request, object_id)
        part = request.GET.get("part", "")
        shown = previews.preview(material, part=int(part) if part.isdecimal() and len(part) < 6 else 0)
        context = {
            "material": material,
            "back": _page(material),
            "preview": shown,
            "config": {"step": shown.step, "material": shown.material} if shown else None,
        }
        return TemplateResponse(request, "student/preview.html", context)

    @action(description=_("Make the next version"), url_path="next-version", icon="content_copy")
    def version_next(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A copy to be edited; studies keep the version that they have until somebody chooses the new one."""
        material = self._of_this_administrator(request, object_id)
        if not self.has_add_permission(request) or not _is_own(request, material):
            messages.error(request, now_in("This is shared by all schools. Ask those who keep it for another version."))
            return redirect(_page(material))
        made = versions.version_next(material)
        studies = ", ".join(study.name for study in versions.studies_using(material))
        note = now_in("Version %(version)d is made and can be edited.") % {"version": made.version}
        if studies:
            note += " " + now_in("These studies still give the version before it: %s.") % studies
        messages.success(request, note)
        return redirect(_page(made))

    def _of_this_administrator(self, request: HttpRequest, object_id: str) -> Material:
        found = self.get_object(request, object_id)
        if found is None:
            raise Hidden
        assert isinstance(found, Material)
        return found


def _is_own(request: HttpRequest, material: Material) -> bool:
    return administers_all(request) or (
        material.school_id is not None and material.school_id == request.user.school_id  # type: ignore[union-attr]
    )


def _page(material: Material) -> str:
    return reverse(f"admin:sessions_app_{material._meta.model_name}_change", args=[material.pk])


class SegmentsOfContent(StackedParts):
    model = Segment
    fields = ("number", "title", "kind", "duration_seconds", "media_url", "text", "captions", "summary")


@admin.register(Content)
class ContentAdmin(MaterialAdmin):
    fields = (
        "title", "slug", "version", "school", "topic", "difficulty_level", "language", "summary", "used_at",
        "created_at", "updated_at",
    )  # fmt: skip
    inlines = (SegmentsOfContent,)


class QuestionsOfSet(Parts):
    model = PredefinedQuestion
    fields = ("after_segment", "number", "text")
    ordering = ("after_segment", "number")


@admin.register(QuestionSet)
class QuestionSetAdmin(MaterialAdmin):
    fields = ("title", "slug", "version", "school", "language", "used_at", "created_at", "updated_at")
    inlines = (QuestionsOfSet,)


class Lines(SimpleArrayField):
    """Several short texts, one to a line, as they may hold commas."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            forms.CharField(max_length=300),
            delimiter="\n",
            widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}),
            **options,
        )


class ItemForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    options = Lines(
        required=False, label=_("options"), help_text=_("Of a multiple choice: two to eight, one to a line.")
    )

    class Meta:
        model = AssessmentItem
        fields = ("number", "kind", "text", "options", "correct_option", "points", "difficulty")


class ConceptForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    terms = Lines(label=_("ways to say it"), help_text=_("Words or phrases, one to a line."))

    class Meta:
        model = RubricConcept
        fields = ("key", "description", "terms", "credit")


class ItemsOfForm(StackedParts):
    model = AssessmentItem
    form = ItemForm
    show_change_link = True


class ConceptsOfItem(StackedParts):
    model = RubricConcept
    form = ConceptForm
    ordering = ("id",)


@admin.register(AssessmentForm)
class AssessmentFormAdmin(MaterialAdmin):
    list_display = ("title", "kind", "slug", "version", "school", "used_at", "updated_at")
    list_filter = ("kind", "slug")
    fields = ("title", "slug", "version", "school", "kind", "topic", "language", "used_at", "created_at", "updated_at")
    inlines = (ItemsOfForm,)


@admin.register(AssessmentItem)
class AssessmentItemAdmin(ScopedAdmin):
    """One question with its rubric. Questions are added on the page of their form."""

    section = Section.RESEARCH
    school_path = "form__school"
    adds = False
    form = ItemForm
    list_display = ("text", "form", "number", "kind", "points", "difficulty")
    list_filter = ("kind", "difficulty")
    list_select_related = ("form",)
    search_fields = ("text", "form__title")
    inlines = (ConceptsOfItem,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AssessmentItem]:
        return visible(request, AssessmentItem.objects.select_related("form"), school="form__school")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return administers(request) if obj is None else may_edit(request, material_of(obj))


class ItemsOfSurvey(Parts):
    model = SurveyItem
    fields = ("number", "attribute", "text", "required")


@admin.register(SurveyForm)
class SurveyFormAdmin(MaterialAdmin):
    fields = ("title", "slug", "version", "school", "language", "used_at", "created_at", "updated_at")
    inlines = (ItemsOfSurvey,)
