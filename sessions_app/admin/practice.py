"""Language practice, and the requests about one's own data."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from import_export import fields, resources
from import_export.admin import ExportMixin
from unfold.contrib.import_export.forms import ExportForm

from sessions_app import data_requests
from sessions_app.admin.exports import CSV_ALONE
from sessions_app.admin.scope import (
    OwnChoices,
    ReadOnlyAdmin,
    ReadOnlyInline,
    ScopedAdmin,
    Section,
    administrator,
)
from sessions_app.csv_files import guarded
from sessions_app.models import DataRequest, DataRequestStep, ErasedAccount, Learner, LearnerCode, SessionResult
from sessions_app.refusals import Refused


class SessionResultResource(resources.ModelResource):
    """Results as a table. No cell of a CSV is a formula."""

    student = fields.Field(column_name="student", attribute="learner__student_id")
    label = fields.Field(column_name="label", attribute="learner__student__label")

    class Meta:
        model = SessionResult
        fields = (
            "id", "student", "label", "session_type", "created_at", "duration_seconds", "words_spoken",
            "pronunciation_score", "fluency_score", "grammar_score", "topics", "vocabulary_learned",
            "areas_to_improve",
        )  # fmt: skip

    def export_field(self, field: Any, instance: SessionResult, **options: Any) -> Any:
        return guarded(super().export_field(field, instance, **options))


@admin.register(SessionResult)
class SessionResultAdmin(ExportMixin, ReadOnlyAdmin):
    """Written by learners alone. Of learners of no school: seen by administrators of the whole installation."""

    section = Section.SESSIONS
    school_path = "learner__student__school"
    shows_students = True
    list_display = (
        "created_at", "learner", "session_type", "duration_seconds", "words_spoken", "pronunciation_score",
        "fluency_score", "grammar_score",
    )  # fmt: skip
    list_filter = ("session_type", ("learner__student__school", OwnChoices))
    list_select_related = ("learner__student",)
    search_fields = ("learner__student__label", "learner__student__pseudonym")
    date_hierarchy = "created_at"
    fields = (
        "learner", "session_type", "duration_seconds", "words_spoken", "pronunciation_score", "fluency_score",
        "grammar_score", "topics", "vocabulary_learned", "areas_to_improve", "metadata", "created_at", "updated_at",
    )  # fmt: skip
    resource_classes = (SessionResultResource,)
    export_form_class = ExportForm
    formats = CSV_ALONE

    def get_export_filename(self, request: HttpRequest, queryset: Any, file_format: Any) -> str:
        name: str = super().get_export_filename(request, queryset, file_format)
        return f"identifiable-{name}"

    def get_export_data(self, file_format: Any, request: HttpRequest, queryset: QuerySet[Any], **options: Any) -> Any:
        self._note(request, "export")
        return super().get_export_data(file_format, request, queryset, **options)


@admin.register(Learner)
class LearnerAdmin(ReadOnlyAdmin):
    section = Section.SESSIONS
    school_path = "student__school"
    shows_students = True
    list_display = ("student", "issuer", "created_at")
    list_filter = ("issuer",)
    list_select_related = ("student",)
    search_fields = ("student__label", "student__pseudonym")
    fields = ("student", "issuer", "subject", "created_at")


class StepsOfRequest(ReadOnlyInline):
    model = DataRequestStep
    school_path = "request__school"
    tab = False
    fields = ("store", "status", "rows", "message", "attempts", "started_at", "finished_at")


@admin.register(DataRequest)
class DataRequestAdmin(ReadOnlyAdmin):
    """What was asked about one's own data: decided here where it waits, and seen through every store."""

    section = Section.WATCH
    shows_students = True
    list_display = ("requested_at", "kind", "asked_by", "student", "status", "done_of_stores", "finished_at")
    list_filter = ("status", "kind", "asked_by", ("school", OwnChoices))
    list_select_related = ("student",)
    date_hierarchy = "requested_at"
    fields = (
        "school", "student", "kind", "asked_by", "note", "status", "requested_at", "recorded_by", "decided_by",
        "decided_at", "started_at", "attempted_at", "finished_at", "expires_at",
    )  # fmt: skip
    inlines = (StepsOfRequest,)
    actions = ("accept", "refuse")

    def get_queryset(self, request: HttpRequest) -> QuerySet[DataRequest]:
        found: QuerySet[DataRequest] = super().get_queryset(request)
        return found.prefetch_related("steps")

    @admin.display(description=_("stores"))
    def done_of_stores(self, asked: DataRequest) -> str:
        """How many of the stores that were begun are done."""
        steps = list(asked.steps.all())
        return f"{sum(step.status == 'done' for step in steps)} / {len(steps)}" if steps else "–"

    @admin.action(description=_("Accept: the worker begins within a minute"))
    def accept(self, request: HttpRequest, chosen: QuerySet[DataRequest]) -> None:
        self._decide(request, chosen, data_requests.request_accept)

    @admin.action(description=_("Refuse: nothing is done"))
    def refuse(self, request: HttpRequest, chosen: QuerySet[DataRequest]) -> None:
        self._decide(request, chosen, data_requests.request_refuse)

    def _decide(self, request: HttpRequest, chosen: QuerySet[DataRequest], decide: Any) -> None:
        by = administrator(request)
        decided = 0
        for asked in chosen:
            try:
                decide(asked, by=by)
            except Refused as refused:
                messages.warning(request, refused.message)
            else:
                decided += 1
        if decided:
            messages.success(request, ngettext("%d request is decided.", "%d requests are decided.", decided) % decided)


@admin.register(ErasedAccount)
class ErasedAccountAdmin(ScopedAdmin):
    """Accounts whose data was deleted. Removing one here lets the account begin anew."""

    section = Section.WATCH
    school_path = None
    adds = changes = False
    deletes = True
    list_display = ("account", "erased_at")
    ordering = ("-erased_at",)


@admin.register(LearnerCode)
class LearnerCodeAdmin(ReadOnlyAdmin):
    """Who gave whom a code, and when it was used; never the code."""

    section = Section.SESSIONS
    school_path = "student__school"
    shows_students = True
    list_display = ("student", "made_by", "made_at", "expires_at", "used_at")
    list_filter = (("student__school", OwnChoices),)
    list_select_related = ("student", "made_by")
    search_fields = ("student__label", "student__pseudonym")
    exclude = ("code",)
    ordering = ("-id",)
