"""What became of the rows that people edit: a copy of each version, written by triggers, with who changed it.

Admin pages, bulk updates and plain SQL are recorded alike. A student's versions go with the student.
"""

import pghistory
from django.db import models
from django.utils.translation import gettext_lazy as _

from sessions_app.models.people import School, Student, User
from sessions_app.models.session import LiveSession
from sessions_app.models.study import Study

ABOUT_THE_VERSION = ("pgh_id", "pgh_created_at", "pgh_label", "pgh_obj")


def versions(tracked: type[models.Model], *exclude: str) -> type[models.Model]:
    """The columns of `tracked`, who changed them (`pgh_context["user"]`), and the triggers that fill them."""
    version: type[models.Model] = pghistory.create_event_model(
        tracked,
        pghistory.InsertEvent(),
        pghistory.UpdateEvent(),
        exclude=["id", *exclude],
        obj_field=pghistory.ObjForeignKey(on_delete=models.CASCADE, related_name="+", db_constraint=False),
        context_field=pghistory.ContextJSONField(),
        context_id_field=None,
        meta={"ordering": ("pgh_id",)},
    )
    return version


class SchoolVersion(versions(School)):  # type: ignore[misc]
    """A school as it was from `pgh_created_at` on."""

    PERSONAL = ("pgh_context",)
    NOT_PERSONAL = (*ABOUT_THE_VERSION, *School.NOT_PERSONAL)

    class Meta:
        verbose_name = _("version of a school")
        verbose_name_plural = _("versions of schools")


class UserVersion(versions(User, "password", "last_login")):  # type: ignore[misc]
    """A user as they were from `pgh_created_at` on; never a password."""

    PERSONAL = ("pgh_context", "username", "first_name", "last_name", "email")
    NOT_PERSONAL = (*ABOUT_THE_VERSION, *User.NOT_PERSONAL)

    class Meta:
        verbose_name = _("version of a user")
        verbose_name_plural = _("versions of users")


class StudentVersion(versions(Student, "updated_at")):  # type: ignore[misc]
    """A student's record as it was from `pgh_created_at` on."""

    PERSONAL = ("pgh_context", "pgh_obj", *Student.PERSONAL)
    NOT_PERSONAL = (
        *(name for name in ABOUT_THE_VERSION if name != "pgh_obj"),
        *(name for name in Student.NOT_PERSONAL if name != "updated_at"),
    )

    class Meta:
        verbose_name = _("version of a student's record")
        verbose_name_plural = _("versions of students' records")


class LiveSessionVersion(versions(LiveSession, "updated_at")):  # type: ignore[misc]
    """A live session as it was from `pgh_created_at` on."""

    PERSONAL = ("pgh_context", *LiveSession.PERSONAL)
    NOT_PERSONAL = (*ABOUT_THE_VERSION, *(name for name in LiveSession.NOT_PERSONAL if name != "updated_at"))

    class Meta:
        verbose_name = _("version of a live session")
        verbose_name_plural = _("versions of live sessions")


class StudyVersion(versions(Study)):  # type: ignore[misc]
    """A study as it was from `pgh_created_at` on."""

    PERSONAL = ("pgh_context",)
    NOT_PERSONAL = (*ABOUT_THE_VERSION, *Study.NOT_PERSONAL)

    class Meta:
        verbose_name = _("version of a study")
        verbose_name_plural = _("versions of studies")
