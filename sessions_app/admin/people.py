"""Schools and the people who sign in."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from sessions_app.admin.scope import OwnChoices, ScopedAdmin, Section, administers_all
from sessions_app.models import School, User

admin.site.unregister(Group)


@admin.register(School)
class SchoolAdmin(ScopedAdmin):
    """An administrator sets up their own school; new ones are made by those of the whole installation."""

    section = Section.PEOPLE
    school_path = "pk"
    list_display = ("name", "time_zone", "retention_days", "small_cell_threshold", "students_now")
    search_fields = ("name",)
    fields = ("name", "time_zone", "retention_days", "audio_days", "small_cell_threshold")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return administers_all(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[School]:
        schools: QuerySet[School] = super().get_queryset(request)
        return schools.annotate(students_now=Count("students"))

    @admin.display(description=_("students"), ordering="students_now")
    def students_now(self, school: Any) -> int:
        return int(school.students_now)


class NewUserForm(UserCreationForm):
    class Meta:
        model = User
        fields = ("username", "role", "school")


@admin.register(User)
class UserAdmin(ScopedAdmin, DjangoUserAdmin):  # type: ignore[misc,type-arg]
    """Teachers and administrators of a school; researchers are made by those of the whole installation.

    Nobody is deleted here: what a teacher recorded names them. Somebody who has left is made inactive.
    """

    section = Section.PEOPLE
    form = UserChangeForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "full_name", "role", "school", "is_active", "last_login")
    list_filter = ("role", "is_active", ("school", OwnChoices))
    list_select_related = ("school",)
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email")}),
        (_("What they may do"), {"fields": ("role", "school", "is_active", "is_superuser")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "role", "school", "usable_password", "password1", "password2")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """A superuser is changed by superusers alone: whoever sets their password could sign in as them."""
        users: QuerySet[User] = super().get_queryset(request)
        return users if request.user.is_superuser else users.filter(is_superuser=False)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.readonly_fields, *(() if request.user.is_superuser else ("is_superuser",)))

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """A researcher belongs to no school, so an administrator of a school cannot make one."""
        if db_field.name == "role" and not administers_all(request):
            options["choices"] = [choice for choice in User.Role.choices if choice[0] != User.Role.RESEARCHER]
        return super().formfield_for_choice_field(db_field, request, **options)

    @admin.display(description=_("name"))
    def full_name(self, user: User) -> str:
        return user.get_full_name()
