"""What every page of the data management has in common: who may do what, in which school, and what is noted of it.

Permissions follow from the role, not from rows that somebody has to keep: administrators see the rows of their school,
those without a school see all. What another school has does not exist (404). Changes are kept as versions
(`sessions_app.history`) and not in Django's own log, which would keep names after a person is deleted.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Field, ForeignKey, Model, QuerySet, TextChoices
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin, TabularInline

from sessions_app import access, history
from sessions_app.models import School, User


def administrator(request: HttpRequest) -> User:
    return access.require_role(request.user, User.Role.ADMINISTRATOR)


def administers(request: HttpRequest) -> bool:
    user = request.user
    return isinstance(user, User) and user.is_active and user.role == User.Role.ADMINISTRATOR


def administers_all(request: HttpRequest) -> bool:
    """An administrator of the whole installation."""
    return administers(request) and request.user.school_id is None  # type: ignore[union-attr]


class Section(TextChoices):
    """What a page is about: the groups of the menu."""

    PEOPLE = "people", gettext_lazy("People")
    SESSIONS = "sessions", gettext_lazy("Sessions")
    RESEARCH = "research", gettext_lazy("Research")
    WATCH = "watch", gettext_lazy("Watch")
    COMPUTED = "computed", gettext_lazy("Computed")


@contextmanager
def at_work(request: HttpRequest) -> Iterator[None]:
    """Changes are the administrator's, and times are those of their school."""
    user = administrator(request)
    with history.acting(user), timezone.override(user.school.zone if user.school else None):
        yield


def rendered(response: HttpResponse) -> HttpResponse:
    """The page, drawn while it is known in which zone."""
    return response.render() if isinstance(response, TemplateResponse) else response


class Scoped:
    """Permissions by role, and rows by school.

    `school_path` leads from a row to its school; None: the row belongs to none, and is for administrators of the whole
    installation. `adds`, `changes` and `deletes` say what is possible at all, `for_all` that it is so only for them.
    """

    school_path: ClassVar[str | None] = "school"
    adds: ClassVar[bool] = True
    changes: ClassVar[bool] = True
    deletes: ClassVar[bool] = False
    for_all: ClassVar[bool] = False
    admin_site: Any

    def _may(self, request: HttpRequest) -> bool:
        return administers_all(request) if self.for_all else administers(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return administers(request) if self.school_path else administers_all(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.adds and self._may(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.changes and self._may(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.deletes and self._may(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        return access.administered(request.user, rows, school=self.school_path)

    def get_field_queryset(
        self, db: str | None, db_field: "Field[Any, Any]", request: HttpRequest | None
    ) -> QuerySet[Any] | None:
        """Only rows that the administrator may see can be chosen, also where the choice is sent by hand."""
        assert request is not None
        related = self.admin_site._registry.get(db_field.remote_field.model)  # type: ignore[union-attr]
        return related.get_queryset(request) if related else None

    def formfield_for_foreignkey(
        self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **options: Any
    ) -> ModelChoiceField | None:  # type: ignore[type-arg]  # not generic at run time
        """An administrator of one school has no other school to choose."""
        if db_field.remote_field.model is School and not administers_all(request):
            options |= {"required": True, "empty_label": None, "initial": request.user.school_id}  # type: ignore[union-attr]
        field: ModelChoiceField | None = super().formfield_for_foreignkey(db_field, request, **options)  # type: ignore[misc,type-arg]
        return field


class ScopedAdmin(Scoped, ModelAdmin):
    """A kind of rows in the data management. `shows_students`: reading its pages is noted in the access log."""

    section: ClassVar[Section] = Section.COMPUTED
    shows_students: ClassVar[bool] = False
    list_per_page = 50
    show_full_result_count = False
    list_filter_submit = True
    warn_unsaved_form = True
    compressed_fields = True

    def _note(self, request: HttpRequest, what: str, about: Model | None = None) -> None:
        if self.shows_students:
            access.log_reading(
                request.user,
                action=f"admin_{self.opts.model_name}_{what}",
                about=about,
                school_id=self._school_of(about) if about else request.user.school_id,  # type: ignore[union-attr]
            )

    def _school_of(self, row: Model) -> UUID | None:
        steps = (self.school_path or "").split("__")
        found: Any = row
        for step in steps[:-1]:
            found = getattr(found, step)
        return getattr(found, f"{steps[-1]}_id", None)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if request.path.endswith("/autocomplete/"):
            self._note(request, "search")
        found: tuple[QuerySet[Any], bool] = super().get_search_results(request, queryset, search_term)
        return found

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "GET":
            self._note(request, "list")
        with at_work(request):
            return rendered(super().changelist_view(request, extra_context))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        with at_work(request):
            return rendered(super().changeform_view(request, object_id, form_url, extra_context))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """A row of this administrator's, or None; the reading is noted."""
        found = super().get_object(request, object_id, from_field)
        if found is not None and request.method == "GET":
            self._note(request, "page", found)
        return found

    def _get_obj_does_not_exist_redirect(self, *_about: object) -> HttpResponse:
        raise access.Hidden

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Every version of a row, as what changed, when and by whom."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise access.Hidden
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("What became of %s") % row,
            "subtitle": None,
            "module_name": str(self.opts.verbose_name_plural),
            "object": row,
            "opts": self.opts,
            "changes": history.changes(row),
            **(extra_context or {}),
        }
        with at_work(request):
            return rendered(TemplateResponse(request, "admin/changes.html", context))

    def log_addition(self, *_about: object) -> None:
        """Kept as a version instead."""

    def log_change(self, *_about: object) -> None:
        """Kept as a version instead."""

    def log_deletions(self, *_about: object) -> None:
        """Kept as a version instead."""


class ScopedInline(Scoped, TabularInline):
    """Rows on the page of the row that they hang on."""

    extra = 0
    tab = True


class ReadOnlyAdmin(ScopedAdmin):
    """Rows that are written by what happens, and by nobody's hand."""

    adds = changes = False


class ReadOnlyInline(ScopedInline):
    adds = changes = False
    can_delete = False


class OwnChoices(admin.RelatedOnlyFieldListFilter):
    """A filter that offers only what the rows that are seen have: never the name of another school's class."""
