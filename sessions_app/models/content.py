"""What a student learns from, and what is asked along the way: content in segments, and predefined questions."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from sessions_app.models.captions import validate_captions
from sessions_app.models.identity import TimeOrderedModel
from sessions_app.models.material import Material, part_of_used_is_kept, used_is_kept, versions_once

QUESTIONS_PER_INTERVENTION = 3


def validate_media_address(address: str) -> None:
    """Sound and pictures come over TLS, or from this server's own static files."""
    if not address.startswith(("https://", "/static/")):
        raise ValidationError(_("Use an address that begins with https:// or /static/."))


class Content(Material):
    """A piece to learn from, in segments that follow each other. `reference` is its `content_id` in the mirror."""

    NOT_PERSONAL = (*Material.MATERIAL_FIELDS, "topic", "difficulty_level", "summary")

    topic = models.CharField(_("topic"), max_length=200)
    difficulty_level = models.CharField(
        _("difficulty"), max_length=32, default="grade_9-12", help_text=_("Such as grade_9-12.")
    )
    summary = models.TextField(_("summary"), max_length=2000, blank=True)

    class Meta:
        ordering = ("slug", "-version")
        verbose_name = _("content")
        verbose_name_plural = _("contents")
        constraints = versions_once("content")
        triggers = [used_is_kept()]


class Segment(TimeOrderedModel):
    """A part of a content, played from its beginning to its end in `duration_seconds` at normal speed.

    `text` is what is read (a text), or said (audio, video): captions and the questioner draw on it. `captions` is
    WebVTT; where it is empty, the sentences of `text` are spread over the duration.
    """

    NOT_PERSONAL = (
        "content", "number", "title", "kind", "text", "media_url", "captions", "duration_seconds", "summary",
    )  # fmt: skip

    class Kind(models.TextChoices):
        TEXT = "text", _("text")
        AUDIO = "audio", _("audio with captions")
        VIDEO = "video", _("video")

    content = models.ForeignKey(Content, verbose_name=_("content"), on_delete=models.CASCADE, related_name="segments")
    number = models.PositiveSmallIntegerField(_("number"), validators=[MinValueValidator(1)])
    title = models.CharField(_("title"), max_length=200)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.TEXT)
    text = models.TextField(
        _("text"), max_length=20_000, help_text=_("What is read or said. Paragraphs by empty lines.")
    )
    media_url = models.CharField(
        _("address of the sound or video"), max_length=500, blank=True, validators=[validate_media_address]
    )
    captions = models.TextField(_("captions (WebVTT)"), max_length=60_000, blank=True, validators=[validate_captions])
    duration_seconds = models.PositiveIntegerField(
        _("duration in seconds"), validators=[MinValueValidator(5), MaxValueValidator(7200)]
    )
    summary = models.CharField(_("summary"), max_length=500, help_text=_("What the questions may build on."))

    class Meta:
        ordering = ("content", "number")
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        constraints = [
            models.UniqueConstraint(fields=["content", "number"], name="segment_number_in_content"),
            models.CheckConstraint(condition=Q(number__gte=1), name="segment_number_positive"),
            models.CheckConstraint(condition=Q(duration_seconds__range=(5, 7200)), name="segment_duration"),
            models.CheckConstraint(
                condition=Q(kind="text") | ~Q(media_url=""),
                name="segment_media_has_address",
                violation_error_message=_("Audio and video need an address."),
            ),
        ]
        triggers = [
            part_of_used_is_kept("SELECT m.used_at FROM sessions_app_content m WHERE m.id = part.content_id"),
        ]

    def __str__(self) -> str:
        return f"{self.number}. {self.title}"


class QuestionSet(Material):
    """The predefined questions of the static interventions: three after each segment."""

    NOT_PERSONAL = Material.MATERIAL_FIELDS

    class Meta:
        ordering = ("slug", "-version")
        verbose_name = _("question set")
        verbose_name_plural = _("question sets")
        constraints = versions_once("question_set")
        triggers = [used_is_kept()]


class PredefinedQuestion(TimeOrderedModel):
    """One of the three questions of the intervention after a segment."""

    NOT_PERSONAL = ("question_set", "after_segment", "number", "text")

    question_set = models.ForeignKey(
        QuestionSet, verbose_name=_("question set"), on_delete=models.CASCADE, related_name="questions"
    )
    after_segment = models.PositiveSmallIntegerField(_("after segment"), validators=[MinValueValidator(1)])
    number = models.PositiveSmallIntegerField(
        _("number"), validators=[MinValueValidator(1), MaxValueValidator(QUESTIONS_PER_INTERVENTION)]
    )
    text = models.CharField(_("question"), max_length=1000)

    class Meta:
        ordering = ("question_set", "after_segment", "number")
        verbose_name = _("predefined question")
        verbose_name_plural = _("predefined questions")
        constraints = [
            models.UniqueConstraint(
                fields=["question_set", "after_segment", "number"], name="predefined_question_once"
            ),
            models.CheckConstraint(
                condition=Q(number__range=(1, QUESTIONS_PER_INTERVENTION)) & Q(after_segment__gte=1),
                name="predefined_question_number",
            ),
        ]
        triggers = [
            part_of_used_is_kept("SELECT m.used_at FROM sessions_app_questionset m WHERE m.id = part.question_set_id"),
        ]

    def __str__(self) -> str:
        return f"{self.after_segment}.{self.number} {self.text}"
