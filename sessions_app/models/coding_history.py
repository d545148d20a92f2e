"""What became of codes and codings. See `models.history`."""

from django.utils.translation import gettext_lazy as _

from sessions_app.models.coding import Code, Coding
from sessions_app.models.history import ABOUT_THE_VERSION, versions


class CodeVersion(versions(Code)):  # type: ignore[misc]
    """A code as it was from `pgh_created_at` on."""

    PERSONAL = ("pgh_context", *Code.PERSONAL)
    NOT_PERSONAL = (*ABOUT_THE_VERSION, *Code.NOT_PERSONAL)

    class Meta:
        verbose_name = _("version of a code")
        verbose_name_plural = _("versions of codes")


class CodingVersion(versions(Coding, "updated_at")):  # type: ignore[misc]
    """A coding as it was from `pgh_created_at` on."""

    PERSONAL = ("pgh_context", *Coding.PERSONAL)
    NOT_PERSONAL = (*ABOUT_THE_VERSION, *(name for name in Coding.NOT_PERSONAL if name != "updated_at"))

    class Meta:
        verbose_name = _("version of a coding")
        verbose_name_plural = _("versions of codings")
