"""The records of students' runs, to be read. What a teacher may change of them is the points of an answer."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.admin.scope import OwnChoices, ReadOnlyAdmin, ReadOnlyInline, ScopedAdmin, Section, administrator
from sessions_app.models import (
    Assessment,
    AssessmentAnswer,
    Assignment,
    ContentDelivery,
    Exchange,
    ExchangeScore,
    Intervention,
    LocationVerification,
    MovedOn,
    PriorKnowledge,
    QualityFlag,
    SegmentDelivery,
    SurveyResponse,
)
from sessions_app.models.forms import SURVEY_ATTRIBUTES
from sessions_app.study import assessments


class OfRun(ReadOnlyInline):
    school_path = "student_session__school"


class AssignmentOfRun(OfRun):
    model = Assignment
    fk_name = "student_session"
    fields = (
        "condition", "location", "randomised", "fixed_by", "seed", "block", "position", "drawn_from", "assigned_at",
    )  # fmt: skip


class PriorKnowledgeOfRun(OfRun):
    model = PriorKnowledge
    fields = ("answer_1", "answer_2", "answer_3", "score", "answered_at")
    readonly_fields = fields


class PlaceOfRun(OfRun):
    model = LocationVerification
    fields = (
        "site_name", "outcome", "reason", "confidence", "distance_m", "accuracy_m", "radius_m", "attempts", "os",
        "browser", "verified_at",
    )  # fmt: skip


class DeliveryOfRun(OfRun):
    model = ContentDelivery
    fields = (
        "content", "format_chosen", "completion", "engagement", "play_seconds", "pause_count", "rewind_count",
        "started_at", "ended_at",
    )  # fmt: skip
    show_change_link = True


class InterventionsOfRun(OfRun):
    model = Intervention
    fields = ("number", "kind", "status", "questions_asked", "average_answer_depth", "opened_at", "closed_at")
    show_change_link = True


class AssessmentsOfRun(OfRun):
    model = Assessment
    fields = ("kind", "score_percentage", "points_earned", "total_points", "normalized_gain", "submitted_at")
    show_change_link = True


class SurveyOfRun(OfRun):
    model = SurveyResponse
    fields = ("survey", "submitted_at", "overall_experience_rating", "intervention_helpful_rating")
    show_change_link = True


class FlagsOfRun(OfRun):
    model = QualityFlag
    fields = ("code", "about", "raised_at")


class MovesOfRun(OfRun):
    model = MovedOn
    fields = ("step", "number", "by", "at")


RUN = (
    AssignmentOfRun, PriorKnowledgeOfRun, PlaceOfRun, AssessmentsOfRun, DeliveryOfRun, InterventionsOfRun, SurveyOfRun,
    FlagsOfRun, MovesOfRun,
)  # fmt: skip
"""What hangs on a student's session."""


class RecordAdmin(ReadOnlyAdmin):
    section = Section.RESEARCH
    shows_students = True
    school_path = "student_session__school"
    list_select_related: Any = ("student_session",)
    search_fields: Any = ("student_session__label", "student_session__student__pseudonym")


class SegmentsOfDelivery(ReadOnlyInline):
    model = SegmentDelivery
    school_path = "delivery__student_session__school"
    fields = (
        "number", "started_at", "ended_at", "play_seconds", "attended_seconds", "elapsed_seconds", "pause_count",
        "rewind_count", "played_share", "completed", "engagement",
    )  # fmt: skip


@admin.register(ContentDelivery)
class ContentDeliveryAdmin(RecordAdmin):
    list_display = ("student_session", "content", "format_chosen", "completion", "engagement", "started_at", "ended_at")
    list_filter = ("format_chosen", ("content", OwnChoices))
    list_select_related = ("student_session", "content")
    fields = (
        "student_session", "content", "format_chosen", "playback_speed", "captions_enabled", "language", "started_at",
        "ended_at", "play_seconds", "elapsed_seconds", "pause_count", "rewind_count", "segments_completed",
        "completion", "engagement",
    )  # fmt: skip
    inlines = (SegmentsOfDelivery,)


class ExchangesOfIntervention(ReadOnlyInline):
    model = Exchange
    school_path = "intervention__student_session__school"
    fields = ("number", "question", "author", "answer", "response_seconds", "word_count")
    show_change_link = True


@admin.register(Intervention)
class InterventionAdmin(RecordAdmin):
    list_display = (
        "student_session", "number", "kind", "status", "average_answer_depth", "average_question_quality", "opened_at",
    )  # fmt: skip
    list_filter = ("kind", "status", "location")
    fields = (
        "student_session", "number", "kind", "status", "segment", "question_set", "location", "location_name",
        "location_aware", "opened_at", "closed_at", "duration_seconds", "questions_asked", "average_response_seconds",
        "average_question_quality", "average_answer_depth", "progression_quality", "scorer", "scorer_version",
    )  # fmt: skip
    inlines = (ExchangesOfIntervention,)


class ScoresOfExchange(ReadOnlyInline):
    model = ExchangeScore
    school_path = "exchange__intervention__student_session__school"
    fields = (
        "scorer", "scorer_version", "question_clarity", "question_relevance", "answer_depth", "answer_accuracy",
        "engagement_level", "builds_on_previous", "synthesis_quality", "location_integration", "scored_at",
    )  # fmt: skip


@admin.register(Exchange)
class ExchangeAdmin(ReadOnlyAdmin):
    section = Section.RESEARCH
    shows_students = True
    school_path = "intervention__student_session__school"
    list_display = ("question", "intervention", "number", "author", "author_version", "fell_back", "response_seconds")
    list_filter = ("author", "fell_back")
    list_select_related = ("intervention",)
    search_fields = ("intervention__student_session__student__pseudonym",)
    fields = (
        "intervention", "number", "question", "author", "author_version", "fell_back", "prompt_tokens",
        "completion_tokens", "cost_usd", "generation_ms", "temperature", "builds_on_previous", "synthesis",
        "uses_place", "asked_at", "answer", "answered_at", "response_seconds", "word_count", "character_count",
    )  # fmt: skip
    inlines = (ScoresOfExchange,)


class AnswersOfAssessment(ReadOnlyInline):
    model = AssessmentAnswer
    school_path = "assessment__student_session__school"
    fields = ("item", "chosen_option", "text", "points_possible", "points_auto", "points_override", "scorer")
    show_change_link = True


@admin.register(Assessment)
class AssessmentAdmin(RecordAdmin):
    list_display = ("student_session", "kind", "form", "score_percentage", "normalized_gain", "submitted_at")
    list_filter = ("kind", "grading_method", ("form", OwnChoices))
    list_select_related = ("student_session", "form")
    fields = (
        "student_session", "kind", "form", "started_at", "submitted_at", "duration_seconds", "total_questions",
        "questions_answered", "correct_answers", "total_points", "points_earned", "score_percentage",
        "multiple_choice_score", "multiple_choice_possible", "short_answer_score", "short_answer_possible",
        "average_response_seconds", "grading_method", "absolute_gain", "relative_gain", "normalized_gain",
    )  # fmt: skip
    inlines = (AnswersOfAssessment,)


class PointsForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A teacher's points, within the question's."""

    def clean_points_override(self) -> Decimal | None:
        points: Decimal | None = self.cleaned_data["points_override"]
        if points is not None and not 0 <= points <= self.instance.points_possible:
            raise forms.ValidationError(_("Give between 0 and the question's points."))
        return points


@admin.register(AssessmentAnswer)
class AssessmentAnswerAdmin(ScopedAdmin):
    """An answer with the scorer's points; other points given here stand beside them, and count."""

    section = Section.RESEARCH
    shows_students = True
    school_path = "assessment__student_session__school"
    adds = False
    form = PointsForm
    list_display = ("item", "assessment", "points_auto", "points_override", "points_possible", "scorer", "answered_at")
    list_filter = ("scorer", "item__kind")
    list_select_related = ("item", "assessment")
    search_fields = ("assessment__student_session__student__pseudonym",)
    fields = (
        "assessment", "item", "chosen_option", "text", "answered_at", "response_seconds", "points_possible",
        "points_auto", "scorer", "scorer_version", "fell_back", "breakdown", "feedback", "points_override",
        "override_note", "override_by", "overridden_at",
    )  # fmt: skip
    readonly_fields = tuple(name for name in fields if name not in {"points_override", "override_note"})

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if isinstance(obj, AssessmentAnswer) and obj.assessment.submitted_at is None:
            return False
        return super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: AssessmentAnswer, form: Any, change: bool) -> None:
        assessments.answer_override(
            obj, points=obj.points_override, by=administrator(request), note=obj.override_note, at=timezone.now()
        )


@admin.register(SurveyResponse)
class SurveyResponseAdmin(RecordAdmin):
    list_display = ("student_session", "survey", "overall_experience_rating", "submitted_at")
    list_filter = (("survey", OwnChoices),)
    list_select_related = ("student_session", "survey")
    fields = ("student_session", "survey", "started_at", "submitted_at", "duration_seconds", *SURVEY_ATTRIBUTES)
