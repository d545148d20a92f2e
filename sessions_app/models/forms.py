"""What a student's knowledge and experience are asked with: assessment forms with rubrics, and surveys."""

from dataclasses import dataclass
from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from sessions_app.models.identity import TimeOrderedModel
from sessions_app.models.material import Material, part_of_used_is_kept, used_is_kept, versions_once


class AssessmentForm(Material):
    """The questions before (baseline) or after (final) the content."""

    NOT_PERSONAL = (*Material.MATERIAL_FIELDS, "kind", "topic")

    class Kind(models.TextChoices):
        BASELINE = "baseline", _("baseline")
        FINAL = "final", _("final")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    topic = models.SlugField(_("topic"), max_length=64, help_text=_("The short name of the content it asks about."))

    class Meta:
        ordering = ("slug", "-version")
        verbose_name = _("assessment form")
        verbose_name_plural = _("assessment forms")
        constraints = versions_once("assessment_form")
        triggers = [used_is_kept()]


class AssessmentItem(TimeOrderedModel):
    """One question of a form, worth `points`.

    Multiple choice: `options`, of which `correct_option` (from 0) is right. Short answer: scored against the item's
    `concepts`; the credits add up to at most `points`.
    """

    NOT_PERSONAL = ("form", "number", "kind", "text", "options", "correct_option", "points", "difficulty")

    class Kind(models.TextChoices):
        MULTIPLE_CHOICE = "multiple_choice", _("multiple choice")
        SHORT_ANSWER = "short_answer", _("short answer")

    class Difficulty(models.TextChoices):
        EASY = "easy", _("easy")
        MEDIUM = "medium", _("medium")
        HARD = "hard", _("hard")

    form = models.ForeignKey(AssessmentForm, verbose_name=_("form"), on_delete=models.CASCADE, related_name="items")
    number = models.PositiveSmallIntegerField(_("number"), validators=[MinValueValidator(1)])
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    text = models.CharField(_("question"), max_length=1000)
    options = ArrayField(
        models.CharField(max_length=300),
        verbose_name=_("options"),
        default=list,
        blank=True,
        size=8,
        help_text=_("Of a multiple choice, two to eight."),
    )
    correct_option = models.PositiveSmallIntegerField(
        _("right option"), null=True, blank=True, help_text=_("Counted from 0.")
    )
    points = models.DecimalField(_("points"), max_digits=4, decimal_places=1, default=1)
    difficulty = models.CharField(_("difficulty"), max_length=8, choices=Difficulty.choices, default=Difficulty.MEDIUM)

    class Meta:
        ordering = ("form", "number")
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        constraints = [
            models.UniqueConstraint(fields=["form", "number"], name="assessment_item_number"),
            models.CheckConstraint(condition=Q(points__gt=0), name="assessment_item_points"),
            models.CheckConstraint(
                condition=(
                    Q(kind="short_answer", correct_option=None, options__len=0)
                    | Q(
                        kind="multiple_choice",
                        options__len__range=(2, 8),
                        correct_option__isnull=False,
                        correct_option__lt=F("options__len"),
                    )
                ),
                name="assessment_item_options",
                violation_error_message=_("A multiple choice has two to eight options, one of them right."),
            ),
        ]
        triggers = [
            part_of_used_is_kept("SELECT m.used_at FROM sessions_app_assessmentform m WHERE m.id = part.form_id"),
        ]

    def __str__(self) -> str:
        return f"{self.number}. {self.text}"

    @property
    def key(self) -> str:
        """The `question_id` of an item in the mirror: `q1`."""
        return f"q{self.number}"

    def clean(self) -> None:
        if self.kind == self.Kind.SHORT_ANSWER and (self.options or self.correct_option is not None):
            raise ValidationError({"options": _("A short answer has no options.")})


class RubricConcept(TimeOrderedModel):
    """Something a full short answer names. `terms` are ways to say it; each may be a word or a phrase.

    Naming it is worth `credit` points; part of a phrase is worth half.
    """

    NOT_PERSONAL = ("item", "key", "description", "terms", "credit")

    item = models.ForeignKey(
        AssessmentItem, verbose_name=_("question"), on_delete=models.CASCADE, related_name="concepts"
    )
    key = models.SlugField(_("short name"), max_length=64, help_text=_("Such as mentions_water_power."))
    description = models.CharField(_("what is to be named"), max_length=300)
    terms = ArrayField(models.CharField(max_length=100), verbose_name=_("ways to say it"), size=24)
    credit = models.DecimalField(_("credit"), max_digits=3, decimal_places=1, default=1)

    class Meta:
        ordering = ("item", "id")
        verbose_name = _("concept of a rubric")
        verbose_name_plural = _("concepts of a rubric")
        constraints = [
            models.UniqueConstraint(fields=["item", "key"], name="rubric_concept_once"),
            models.CheckConstraint(condition=Q(credit__gt=0), name="rubric_concept_credit"),
        ]
        triggers = [
            part_of_used_is_kept(
                "SELECT m.used_at FROM sessions_app_assessmentform m"
                " JOIN sessions_app_assessmentitem i ON i.form_id = m.id WHERE i.id = part.item_id"
            ),
        ]

    def __str__(self) -> str:
        return self.description


class Block(models.TextChoices):
    """The parts of a survey, as requirement 002 names them."""

    LOCATION = "location_experience", _("The place")
    INTERVENTION = "intervention_experience", _("The questions along the way")
    LEARNING = "learning_experience", _("Learning")
    TECHNICAL = "technical_experience", _("The device")
    OPEN = "open_ended_responses", _("In your own words")


class AnswerKind(models.TextChoices):
    RATING = "rating", _("rating from 1 to 5")
    YES_NO = "yes_no", _("yes or no")
    PREFERENCE = "preference", _("which kind of questions")
    TEXT = "text", _("text")


@dataclass(frozen=True, slots=True)
class SurveyAttribute:
    """One attribute of entity 7: a column of `SurveyResponse`, and what an item of a survey asks for."""

    name: str
    block: Block
    kind: AnswerKind


def _attributes(block: Block, **kinds: AnswerKind) -> list[SurveyAttribute]:
    return [SurveyAttribute(name, block, kind) for name, kind in kinds.items()]


SURVEY_ATTRIBUTES: Final = {
    attribute.name: attribute
    for attribute in (
        *_attributes(
            Block.LOCATION,
            location_impact_rating=AnswerKind.RATING,
            location_enhanced_understanding=AnswerKind.YES_NO,
            location_was_distracting=AnswerKind.YES_NO,
            would_recommend_location=AnswerKind.YES_NO,
            location_feedback=AnswerKind.TEXT,
        ),
        *_attributes(
            Block.INTERVENTION,
            intervention_helpful_rating=AnswerKind.RATING,
            questions_were_engaging=AnswerKind.YES_NO,
            questions_were_appropriate=AnswerKind.YES_NO,
            questions_promoted_thinking=AnswerKind.YES_NO,
            preferred_intervention_type=AnswerKind.PREFERENCE,
            intervention_feedback=AnswerKind.TEXT,
        ),
        *_attributes(
            Block.LEARNING,
            content_difficulty_rating=AnswerKind.RATING,
            content_interest_rating=AnswerKind.RATING,
            pacing_rating=AnswerKind.RATING,
            overall_experience_rating=AnswerKind.RATING,
            would_recommend_experience=AnswerKind.YES_NO,
            general_feedback=AnswerKind.TEXT,
        ),
        *_attributes(
            Block.TECHNICAL,
            interface_easy_to_use=AnswerKind.YES_NO,
            audio_quality_rating=AnswerKind.RATING,
            technical_issues_encountered=AnswerKind.YES_NO,
            technical_feedback=AnswerKind.TEXT,
        ),
        *_attributes(
            Block.OPEN,
            most_valuable_aspect=AnswerKind.TEXT,
            least_valuable_aspect=AnswerKind.TEXT,
            suggestions_for_improvement=AnswerKind.TEXT,
            additional_comments=AnswerKind.TEXT,
        ),
    )
}


class SurveyForm(Material):
    """What students are asked about their experience at the end."""

    NOT_PERSONAL = Material.MATERIAL_FIELDS

    class Meta:
        ordering = ("slug", "-version")
        verbose_name = _("survey")
        verbose_name_plural = _("surveys")
        constraints = versions_once("survey_form")
        triggers = [used_is_kept()]


class SurveyItem(TimeOrderedModel):
    """One question of a survey: which attribute it fills, and in which words. Blocks are asked in their order."""

    NOT_PERSONAL = ("survey", "number", "attribute", "text", "required")

    survey = models.ForeignKey(SurveyForm, verbose_name=_("survey"), on_delete=models.CASCADE, related_name="items")
    number = models.PositiveSmallIntegerField(_("number"), validators=[MinValueValidator(1)])
    attribute = models.CharField(
        _("attribute"), max_length=40, choices=[(name, name.replace("_", " ")) for name in SURVEY_ATTRIBUTES]
    )
    text = models.CharField(_("question"), max_length=500)
    required = models.BooleanField(_("must be answered"), default=False)

    class Meta:
        ordering = ("survey", "number")
        verbose_name = _("question of a survey")
        verbose_name_plural = _("questions of a survey")
        constraints = [
            models.UniqueConstraint(fields=["survey", "number"], name="survey_item_number"),
            models.UniqueConstraint(fields=["survey", "attribute"], name="survey_item_attribute"),
        ]
        triggers = [
            part_of_used_is_kept("SELECT m.used_at FROM sessions_app_surveyform m WHERE m.id = part.survey_id"),
        ]

    def __str__(self) -> str:
        return f"{self.number}. {self.text}"

    @property
    def block(self) -> Block:
        return SURVEY_ATTRIBUTES[self.attribute].block

    @property
    def kind(self) -> AnswerKind:
        return SURVEY_ATTRIBUTES[self.attribute].kind
