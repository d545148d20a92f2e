"""What is read or said aloud: passages, and lists of prompts; and the language model that the offline engine needs."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.models.identity import TimeOrderedModel, uuid7
from sessions_app.models.people import School, User

MOST_CHARACTERS = 150_000
"""A passage of 20,000 words fits; what is longer is a book."""

models.TextField.register_lookup(Length)


class Passage(TimeOrderedModel):
    """One version of a text that is read aloud, or of a list of prompts, one a line.

    A version that was read stays as it is: changing it makes the next one, under the same `lineage`. Without a school
    it is shared by all. `unknown_words` have no pronunciation: the offline engine cannot hear them, so they are left
    out of scoring. `language_model` says whether the offline engine can listen to it yet.
    """

    PERSONAL = ("made_by",)
    NOT_PERSONAL = (
        "school", "kind", "title", "text", "grade", "language", "words", "readability", "unknown_words",
        "language_model", "lineage", "version", "superseded_at", "archived_at", "is_simulated", "created_at",
        "updated_at",
    )  # fmt: skip

    class Kind(models.TextChoices):
        PASSAGE = "passage", _("passage to read")
        PROMPTS = "prompts", _("prompts to say")

    class Language(models.TextChoices):
        ENGLISH = "en", _("English")

    class Model(models.TextChoices):
        WAITING = "waiting", _("being prepared")
        READY = "ready", _("ready")
        FAILED = "failed", _("could not be prepared")

    school = models.ForeignKey(
        School,
        verbose_name=_("school"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="passages",
        help_text=_("Empty: every school may use it."),
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.PASSAGE)
    title = models.CharField(_("title"), max_length=120)
    text = models.TextField(_("text"), max_length=MOST_CHARACTERS)
    grade = models.PositiveSmallIntegerField(
        _("grade level"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(12)],
        help_text=_("The grade that it was written for."),
    )
    language = models.CharField(_("language"), max_length=2, choices=Language.choices, default=Language.ENGLISH)
    words = models.PositiveIntegerField(_("words"), default=0, editable=False)
    readability = models.FloatField(_("readability"), null=True, editable=False)
    unknown_words = ArrayField(
        models.CharField(max_length=64),
        verbose_name=_("words without a pronunciation"),
        default=list,
        blank=True,
        editable=False,
    )
    language_model = models.CharField(
        _("language model"), max_length=8, choices=Model.choices, default=Model.WAITING, editable=False
    )
    lineage = models.UUIDField(default=uuid7, editable=False)
    version = models.PositiveSmallIntegerField(_("version"), default=1, editable=False)
    made_by = models.ForeignKey(
        User, verbose_name=_("made by"), on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    superseded_at = models.DateTimeField(_("replaced"), null=True, editable=False)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)
    is_simulated = models.BooleanField(_("simulated"), default=False, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        ordering = ("title", "-version")
        verbose_name = _("passage")
        verbose_name_plural = _("passages")
        indexes = [
            models.Index(
                fields=["school", "title"],
                name="passage_current",
                condition=Q(superseded_at=None, archived_at=None),
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["lineage", "version"], name="passage_version"),
            models.UniqueConstraint(fields=["lineage"], name="passage_newest_version", condition=Q(superseded_at=None)),
            models.CheckConstraint(
                name="passage_has_text",
                condition=~Q(text="") & Q(text__length__lte=MOST_CHARACTERS),
                violation_error_message=_("A passage has a text, of 150,000 characters at most."),
            ),
        ]

    def __str__(self) -> str:
        return self.title
