"""What a student was asked and answered: interventions, assessments, and the survey at the end.

What a scorer made of an answer never replaces the answer, and what a teacher made of a score never replaces the score.
"""

from typing import Any

from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.models.consented import consented
from sessions_app.models.content import QUESTIONS_PER_INTERVENTION, PredefinedQuestion, QuestionSet, Segment
from sessions_app.models.forms import SURVEY_ATTRIBUTES, AnswerKind, AssessmentForm, AssessmentItem, SurveyForm
from sessions_app.models.identity import TimeOrderedModel
from sessions_app.models.people import Consent, User
from sessions_app.models.session import StudentSession
from sessions_app.models.study import Condition

LONGEST_ANSWER = 10_000
"""Characters of an answer; longer ones are refused whole."""


class Intervention(TimeOrderedModel):
    """A pause in the content with three questions. `number` counts within the run, from 1.

    `open` until the third answer (`validated`) or until the run goes on or ends without it (`abandoned`: not mirrored,
    in no mean). The sums are written when it closes, of the scores by `scorer`.
    """

    PERSONAL = ("student_session", "average_answer_depth", "average_response_seconds", "progression_quality")
    NOT_PERSONAL = (
        "number", "kind", "status", "segment", "question_set", "location", "location_name", "location_aware",
        "questions_asked", "average_question_quality", "duration_seconds", "scorer", "scorer_version", "opened_at",
        "closed_at", "updated_at",
    )  # fmt: skip

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        VALIDATED = "validated", _("validated")
        ABANDONED = "abandoned", _("abandoned")

    student_session = models.ForeignKey(StudentSession, on_delete=models.CASCADE, related_name="interventions")
    number = models.PositiveSmallIntegerField(_("number"))
    kind = models.CharField(_("kind"), max_length=8, choices=Condition.InterventionType.choices)
    status = models.CharField(_("state"), max_length=12, choices=Status.choices, default=Status.OPEN)
    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, related_name="interventions")
    question_set = models.ForeignKey(QuestionSet, on_delete=models.PROTECT, null=True, related_name="interventions")
    location = models.CharField(_("location"), max_length=16, choices=Condition.Location.choices)
    location_name = models.CharField(_("place"), max_length=200, blank=True)
    location_aware = models.BooleanField(_("questions may use the place"), default=False)
    questions_asked = models.PositiveSmallIntegerField(_("questions asked"), default=0)
    duration_seconds = models.FloatField(_("duration in seconds"), null=True)
    average_response_seconds = models.FloatField(_("mean response time"), null=True)
    average_question_quality = models.FloatField(_("mean clarity of the questions"), null=True)
    average_answer_depth = models.FloatField(_("mean depth of the answers"), null=True)
    progression_quality = models.FloatField(_("how well the questions build on each other"), null=True)
    scorer = models.CharField(_("scored by"), max_length=16, blank=True)
    scorer_version = models.CharField(_("version of the scorer"), max_length=64, blank=True)
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    closed_at = models.DateTimeField(_("closed"), null=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("student_session", "number")
        verbose_name = _("intervention")
        verbose_name_plural = _("interventions")
        constraints = [
            models.UniqueConstraint(fields=["student_session", "number"], name="intervention_number"),
            models.UniqueConstraint(
                fields=["student_session"], name="intervention_one_open", condition=Q(status="open")
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="intervention_number_positive"),
            models.CheckConstraint(
                name="intervention_closed",
                condition=Q(status="open", closed_at=None)
                | (~Q(status="open") & Q(closed_at__isnull=False, closed_at__gte=F("opened_at"))),
            ),
            models.CheckConstraint(
                name="intervention_validated_has_three",
                condition=~Q(status="validated") | Q(questions_asked=QUESTIONS_PER_INTERVENTION),
            ),
            models.CheckConstraint(
                name="intervention_ranges",
                condition=(Q(duration_seconds=None) | Q(duration_seconds__gte=0))
                & (Q(average_answer_depth=None) | Q(average_answer_depth__range=(1, 5)))
                & (Q(average_question_quality=None) | Q(average_question_quality__range=(1, 5)))
                & (Q(progression_quality=None) | Q(progression_quality__range=(1, 5)))
                & (Q(average_response_seconds=None) | Q(average_response_seconds__gte=0)),
            ),
        ]
        triggers = consented()

    def __str__(self) -> str:
        return f"{self.number}"


class Exchange(TimeOrderedModel):
    """One question with its answer. The answer is committed before the next question is made.

    `author` is who wrote the question (`set`, `rules`, `bedrock`), `author_version` the set, rule set or model.
    `fell_back` is why the configured author could not, where the rules stood in for it. Without a model, tokens, cost
    and latency are those of nobody: null (the time the rules took is kept).
    """

    PERSONAL = ("intervention", "question", "answer", "response_seconds", "word_count", "character_count")
    NOT_PERSONAL = (
        "number", "predefined", "author", "author_version", "fell_back", "prompt_tokens", "completion_tokens",
        "cost_usd", "generation_ms", "temperature", "builds_on_previous", "synthesis", "uses_place", "asked_at",
        "answered_at",
    )  # fmt: skip

    class Author(models.TextChoices):
        SET = "set", _("predefined set")
        RULES = "rules", _("rules")
        BEDROCK = "bedrock", _("language model")

    intervention = models.ForeignKey(Intervention, on_delete=models.CASCADE, related_name="exchanges")
    number = models.PositiveSmallIntegerField(_("number"))
    question = models.CharField(_("question"), max_length=1000)
    predefined = models.ForeignKey(PredefinedQuestion, on_delete=models.PROTECT, null=True, related_name="+")
    author = models.CharField(_("asked by"), max_length=8, choices=Author.choices)
    author_version = models.CharField(_("version"), max_length=128)
    fell_back = models.CharField(_("why the rules stood in"), max_length=32, blank=True)
    prompt_tokens = models.PositiveIntegerField(_("prompt tokens"), null=True)
    completion_tokens = models.PositiveIntegerField(_("completion tokens"), null=True)
    cost_usd = models.DecimalField(_("cost in USD"), max_digits=10, decimal_places=6, null=True)
    generation_ms = models.FloatField(_("time to make the question, in ms"), null=True)
    temperature = models.FloatField(_("temperature"), null=True)
    builds_on_previous = models.BooleanField(_("builds on an answer"), default=False)
    synthesis = models.BooleanField(_("asks for a synthesis"), default=False)
    uses_place = models.BooleanField(_("uses the place"), default=False)
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)
    answer = models.TextField(_("answer"), null=True, validators=[MaxLengthValidator(LONGEST_ANSWER)])
    answered_at = models.DateTimeField(_("answered"), null=True)
    response_seconds = models.FloatField(_("response time"), null=True)
    word_count = models.PositiveIntegerField(_("words"), null=True)
    character_count = models.PositiveIntegerField(_("characters"), null=True)

    class Meta:
        ordering = ("intervention", "number")
        verbose_name = _("exchange")
        verbose_name_plural = _("exchanges")
        constraints = [
            models.UniqueConstraint(fields=["intervention", "number"], name="exchange_number"),
            models.CheckConstraint(
                condition=Q(number__range=(1, QUESTIONS_PER_INTERVENTION)), name="exchange_number_range"
            ),
            models.CheckConstraint(
                name="exchange_answer_whole",
                condition=Q(answered_at=None, response_seconds=None, word_count=None, character_count=None)
                | Q(
                    answered_at__isnull=False, answered_at__gte=F("asked_at"), response_seconds__isnull=False,
                    response_seconds__gte=0, word_count__isnull=False,
                    character_count__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="exchange_answer_bounds",
                condition=Q(answer=None)
                | (
                    Q(answered_at__isnull=False, character_count__range=(1, LONGEST_ANSWER))
                    & ~Q(answer="")
                ),
            ),
            models.CheckConstraint(
                name="exchange_not_negative",
                condition=(Q(cost_usd=None) | Q(cost_usd__gte=0)) & (Q(generation_ms=None) | Q(generation_ms__gte=0)),
            ),
        ]  # fmt: skip
        triggers = consented(
            "answer",
            student_session="i.student_session_id",
            join="JOIN sessions_app_intervention i ON i.id = record.intervention_id",
        )

    def __str__(self) -> str:
        return self.question


_SCORES = (
    "question_clarity", "question_relevance", "answer_depth", "answer_accuracy", "engagement_level",
    "builds_on_previous", "synthesis_quality", "location_integration",
)  # fmt: skip


def _score(label: Any) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(label, max_digits=2, decimal_places=1, null=True)


class ExchangeScore(TimeOrderedModel):
    """What one scorer made of one exchange, each quality from 1 to 5, None where it is not defined.

    `builds_on_previous`, `synthesis_quality` and `location_integration` are of questions that set out to do so.
    """

    PERSONAL = ("exchange", *_SCORES)
    NOT_PERSONAL = ("scorer", "scorer_version", "scored_at")

    exchange = models.ForeignKey(Exchange, on_delete=models.CASCADE, related_name="scores")
    scorer = models.CharField(_("scored by"), max_length=16)
    scorer_version = models.CharField(_("version of the scorer"), max_length=64)
    question_clarity = _score(_("clarity of the question"))
    question_relevance = _score(_("relevance of the question"))
    answer_depth = _score(_("depth of the answer"))
    answer_accuracy = _score(_("accuracy of the answer"))
    engagement_level = _score(_("engagement"))
    builds_on_previous = _score(_("builds on the answer before"))
    synthesis_quality = _score(_("quality of the synthesis"))
    location_integration = _score(_("use of the place"))
    scored_at = models.DateTimeField(_("scored"), default=timezone.now)

    class Meta:
        verbose_name = _("score of an exchange")
        verbose_name_plural = _("scores of exchanges")
        constraints = [
            models.UniqueConstraint(fields=["exchange", "scorer", "scorer_version"], name="exchange_score_once"),
            *(
                models.CheckConstraint(
                    name=f"exchange_score_{name}"[:60], condition=Q(**{name: None}) | Q(**{f"{name}__range": (1, 5)})
                )
                for name in _SCORES
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scorer}: {self.answer_depth}"


class Assessment(TimeOrderedModel):
    """A form as a student filled it in. The results are written on submission, and again after an override.

    Percentages are of the possible points. The final one carries the gains (`study.gains`), None where undefined.
    """

    PERSONAL = (
        "student_session", "correct_answers", "points_earned", "score_percentage", "multiple_choice_score",
        "short_answer_score", "average_response_seconds", "absolute_gain", "relative_gain", "normalized_gain",
    )  # fmt: skip
    NOT_PERSONAL = (
        "kind", "form", "started_at", "submitted_at", "duration_seconds", "total_questions", "questions_answered",
        "total_points", "multiple_choice_possible", "short_answer_possible", "grading_method", "updated_at",
    )  # fmt: skip

    student_session = models.ForeignKey(StudentSession, on_delete=models.CASCADE, related_name="assessments")
    kind = models.CharField(_("kind"), max_length=8, choices=AssessmentForm.Kind.choices)
    form = models.ForeignKey(AssessmentForm, on_delete=models.PROTECT, related_name="assessments")
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    submitted_at = models.DateTimeField(_("submitted"), null=True)
    duration_seconds = models.FloatField(_("duration in seconds"), null=True)
    total_questions = models.PositiveSmallIntegerField(_("questions"), default=0)
    questions_answered = models.PositiveSmallIntegerField(_("answered"), default=0)
    correct_answers = models.PositiveSmallIntegerField(_("right"), null=True)
    total_points = models.DecimalField(_("possible points"), max_digits=6, decimal_places=1, default=0)
    points_earned = models.DecimalField(_("points"), max_digits=6, decimal_places=2, null=True)
    score_percentage = models.FloatField(_("score in %"), null=True)
    multiple_choice_score = models.DecimalField(max_digits=6, decimal_places=2, null=True)
    multiple_choice_possible = models.DecimalField(max_digits=6, decimal_places=1, default=0)
    short_answer_score = models.DecimalField(max_digits=6, decimal_places=2, null=True)
    short_answer_possible = models.DecimalField(max_digits=6, decimal_places=1, default=0)
    average_response_seconds = models.FloatField(_("mean response time"), null=True)
    grading_method = models.CharField(_("graded by"), max_length=32, blank=True)
    absolute_gain = models.FloatField(_("absolute gain"), null=True)
    relative_gain = models.FloatField(_("relative gain"), null=True)
    normalized_gain = models.FloatField(_("normalized gain"), null=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("student_session", "kind")
        verbose_name = _("assessment")
        verbose_name_plural = _("assessments")
        constraints = [
            models.UniqueConstraint(fields=["student_session", "kind"], name="assessment_once"),
            models.CheckConstraint(
                name="assessment_submitted",
                condition=Q(submitted_at=None, score_percentage=None)
                | Q(
                    submitted_at__isnull=False,
                    submitted_at__gte=F("started_at"),
                    duration_seconds__isnull=False,
                    duration_seconds__gte=0,
                    score_percentage__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="assessment_ranges",
                condition=(Q(score_percentage=None) | Q(score_percentage__range=(0, 100)))
                & (Q(points_earned=None) | Q(points_earned__gte=0, points_earned__lte=F("total_points")))
                & Q(questions_answered__lte=F("total_questions")),
            ),
            models.CheckConstraint(
                name="assessment_gain_of_final",
                condition=Q(kind="final") | Q(absolute_gain=None, relative_gain=None, normalized_gain=None),
            ),
        ]
        triggers = consented("submitted_at")

    def __str__(self) -> str:
        return self.get_kind_display()


class AssessmentAnswer(TimeOrderedModel):
    """One answer to one question of a form: the chosen option (from 0) or the text.

    `points_auto` is the scorer's, with its breakdown (credit per concept) and feedback; `points_override` a teacher's.
    What counts is `points_earned`: the override where there is one.
    """

    PERSONAL = (
        "assessment", "chosen_option", "text", "is_correct", "points_auto", "points_override", "points_earned",
        "breakdown", "feedback", "override_by", "override_note", "response_seconds",
    )  # fmt: skip
    NOT_PERSONAL = (
        "item", "points_possible", "scorer", "scorer_version", "fell_back", "answered_at", "overridden_at",
    )  # fmt: skip

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="answers")
    item = models.ForeignKey(AssessmentItem, on_delete=models.PROTECT, related_name="answers")
    chosen_option = models.PositiveSmallIntegerField(_("chosen option"), null=True)
    text = models.TextField(_("answer"), null=True, validators=[MaxLengthValidator(LONGEST_ANSWER)])
    answered_at = models.DateTimeField(_("answered"), default=timezone.now)
    response_seconds = models.FloatField(_("response time"), null=True)
    is_correct = models.BooleanField(_("right"), null=True)
    points_possible = models.DecimalField(_("possible points"), max_digits=4, decimal_places=1)
    points_auto = models.DecimalField(_("points by the scorer"), max_digits=5, decimal_places=2, null=True)
    scorer = models.CharField(_("scored by"), max_length=16, blank=True)
    scorer_version = models.CharField(_("version of the scorer"), max_length=64, blank=True)
    fell_back = models.CharField(_("why the rules stood in"), max_length=32, blank=True)
    breakdown = models.JSONField(_("credit per concept"), null=True)
    feedback = models.CharField(_("feedback"), max_length=1000, blank=True)
    points_override = models.DecimalField(
        _("points by a teacher"), max_digits=5, decimal_places=2, null=True, blank=True
    )
    override_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    override_note = models.CharField(_("reason"), max_length=300, blank=True)
    overridden_at = models.DateTimeField(_("changed by a teacher"), null=True, blank=True)
    points_earned = models.GeneratedField(
        expression=Coalesce(F("points_override"), F("points_auto")),
        output_field=models.DecimalField(max_digits=5, decimal_places=2, null=True),
        db_persist=True,
    )

    class Meta:
        ordering = ("assessment", "item__number")
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        constraints = [
            models.UniqueConstraint(fields=["assessment", "item"], name="assessment_answer_once"),
            models.CheckConstraint(
                name="assessment_answer_points",
                condition=(Q(points_auto=None) | Q(points_auto__gte=0, points_auto__lte=F("points_possible")))
                & (Q(points_override=None) | Q(points_override__gte=0, points_override__lte=F("points_possible"))),
            ),
            models.CheckConstraint(
                name="assessment_answer_override_has_time",
                condition=Q(points_override=None) | Q(overridden_at__isnull=False),
            ),
            models.CheckConstraint(
                name="assessment_answer_not_negative",
                condition=Q(response_seconds=None) | Q(response_seconds__gte=0),
            ),
        ]
        triggers = consented(
            "chosen_option",
            "text",
            student_session="i.student_session_id",
            join="JOIN sessions_app_assessment i ON i.id = record.assessment_id",
        )

    def __str__(self) -> str:
        return self.given or ""

    @property
    def given(self) -> str | None:
        """The answer in words: the text, or the option that was chosen."""
        return self.text if self.chosen_option is None else self.item.options[self.chosen_option]


class Preference(models.TextChoices):
    STATIC = "static", _("the same questions for everybody")
    DYNAMIC = "dynamic", _("questions that follow my answers")
    NONE = "no_preference", _("no preference")


def _rating(label: Any) -> "models.PositiveSmallIntegerField[Any, Any]":
    return models.PositiveSmallIntegerField(label, null=True)


def _yes_no(label: Any) -> "models.BooleanField[Any, Any]":
    return models.BooleanField(label, null=True)


def _own_words(label: Any) -> "models.TextField[Any, Any]":
    return models.TextField(label, blank=True, validators=[MaxLengthValidator(LONGEST_ANSWER)])


class SurveyResponse(TimeOrderedModel):
    """A student's survey, one column per attribute of `SURVEY_ATTRIBUTES`; None or empty where it was left out."""

    PERSONAL = ("student_session", *SURVEY_ATTRIBUTES)
    NOT_PERSONAL = ("survey", "started_at", "submitted_at", "duration_seconds")

    student_session = models.OneToOneField(StudentSession, on_delete=models.CASCADE, related_name="survey_response")
    survey = models.ForeignKey(SurveyForm, on_delete=models.PROTECT, related_name="responses")
    started_at = models.DateTimeField(_("started"))
    submitted_at = models.DateTimeField(_("submitted"), default=timezone.now)
    duration_seconds = models.FloatField(_("duration in seconds"))

    location_impact_rating = _rating(_("effect of the place"))
    location_enhanced_understanding = _yes_no(_("the place helped to understand"))
    location_was_distracting = _yes_no(_("the place distracted"))
    would_recommend_location = _yes_no(_("would recommend the place"))
    location_feedback = _own_words(_("about the place"))

    intervention_helpful_rating = _rating(_("help of the questions"))
    questions_were_engaging = _yes_no(_("the questions were engaging"))
    questions_were_appropriate = _yes_no(_("the questions were appropriate"))
    questions_promoted_thinking = _yes_no(_("the questions made think"))
    preferred_intervention_type = models.CharField(
        _("preferred questions"), max_length=16, choices=Preference.choices, blank=True
    )
    intervention_feedback = _own_words(_("about the questions"))

    content_difficulty_rating = _rating(_("difficulty"))
    content_interest_rating = _rating(_("interest"))
    pacing_rating = _rating(_("pace"))
    overall_experience_rating = _rating(_("overall"))
    would_recommend_experience = _yes_no(_("would recommend it"))
    general_feedback = _own_words(_("about the learning"))

    interface_easy_to_use = _yes_no(_("easy to use"))
    audio_quality_rating = _rating(_("quality of the sound"))
    technical_issues_encountered = _yes_no(_("had technical problems"))
    technical_feedback = _own_words(_("about the device"))

    most_valuable_aspect = _own_words(_("most valuable"))
    least_valuable_aspect = _own_words(_("least valuable"))
    suggestions_for_improvement = _own_words(_("suggestions"))
    additional_comments = _own_words(_("comments"))

    class Meta:
        verbose_name = _("survey response")
        verbose_name_plural = _("survey responses")
        constraints = [
            models.CheckConstraint(
                name="survey_times_in_order",
                condition=Q(submitted_at__gte=F("started_at"), duration_seconds__gte=0),
            ),
            *(
                models.CheckConstraint(
                    name=f"survey_{a.name}", condition=Q(**{a.name: None}) | Q(**{f"{a.name}__range": (1, 5)})
                )
                for a in SURVEY_ATTRIBUTES.values()
                if a.kind is AnswerKind.RATING
            ),
        ]
        triggers = [
            *consented(*SURVEY_ATTRIBUTES, purpose=Consent.Purpose.SURVEY),
            *consented(*SURVEY_ATTRIBUTES),
        ]

    def __str__(self) -> str:
        return f"{self.submitted_at:%Y-%m-%d}"
