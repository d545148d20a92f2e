"""What every kind of study material has in common: versions of which a used one never changes again.

A material (content, question set, assessment form, survey) is known by its `slug`; its versions are rows of their own.
While nobody has met a version it is edited freely. `used_at` is set when the first student is given it, and from then
on the database refuses every change of it and of its parts: whoever wants another wording makes the next version.
"""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.models.identity import TimeOrderedModel
from sessions_app.models.people import School

USED_CONSTRAINT = "material_used"
"""The name by which the database refuses a change of a used version."""

_REFUSE = f"""
    RAISE EXCEPTION 'A version that was used is not changed any more; make the next version'
    USING ERRCODE = 'check_violation', CONSTRAINT = '{USED_CONSTRAINT}', TABLE = TG_TABLE_NAME;
"""


class Material(TimeOrderedModel):
    """One version of something that students of a study are given.

    `school` is the school that owns it and may edit it; None: it is shared by the whole installation.
    """

    MATERIAL_FIELDS = ("school", "slug", "version", "title", "language", "used_at", "created_at", "updated_at")

    school = models.ForeignKey(
        School,
        verbose_name=_("school"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Empty: shared by all schools."),
    )
    slug = models.SlugField(_("short name"), max_length=64, help_text=_("The same for every version."))
    version = models.PositiveSmallIntegerField(_("version"), default=1, editable=False)
    title = models.CharField(_("title"), max_length=200)
    language = models.CharField(_("language"), max_length=16, default="en-US")
    used_at = models.DateTimeField(_("in use since"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.title} (v{self.version})"

    @property
    def reference(self) -> str:
        """The version's public id, such as `tredegar-iron-works-v1`."""
        return f"{self.slug}-v{self.version}"


def versions_once(name: str) -> list[models.BaseConstraint]:
    """A version number is given once per material."""
    return [
        models.UniqueConstraint(fields=["slug", "version"], name=f"{name}_version"),
        models.CheckConstraint(condition=Q(version__gte=1), name=f"{name}_version_positive"),
    ]


def used_is_kept() -> pgtrigger.Trigger:
    """A material's own trigger: a used version is neither changed nor deleted."""
    return pgtrigger.Trigger(
        name="used_is_kept",
        operation=pgtrigger.Update | pgtrigger.Delete,
        when=pgtrigger.Before,
        condition=pgtrigger.Q(old__used_at__isnull=False),
        func=_REFUSE,
    )


def part_of_used_is_kept(material_of: str) -> pgtrigger.Trigger:
    """The trigger of a part: nothing is added to, changed in or taken from a used version.

    `material_of` is a query over `part` (the row) that gives the material's `used_at`.
    """
    check = """
        IF EXISTS (SELECT FROM ({query}) material WHERE material.used_at IS NOT NULL) THEN {refuse} END IF;
    """
    of_new, of_old = (
        check.format(query=material_of.replace("part.", f"{row}."), refuse=_REFUSE) for row in ("NEW", "OLD")
    )
    return pgtrigger.Trigger(
        name="used_is_kept",
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        when=pgtrigger.Before,
        func=f"""
            IF TG_OP <> 'INSERT' THEN {of_old} END IF;
            IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
            {of_new}
            RETURN NEW;
        """,
    )
