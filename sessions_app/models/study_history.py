"""What became of the material of studies, and of the scores that teachers changed. See `models.history`."""

import pghistory
from django.db import models
from django.utils.translation import gettext_lazy as _

from sessions_app.models.answers import AssessmentAnswer
from sessions_app.models.content import Content, PredefinedQuestion, QuestionSet, Segment
from sessions_app.models.forms import AssessmentForm, AssessmentItem, RubricConcept, SurveyForm, SurveyItem
from sessions_app.models.history import ABOUT_THE_VERSION, versions
from sessions_app.models.study import Site, StudyCondition


def _without_updated(model: type[models.Model]) -> tuple[str, ...]:
    return tuple(name for name in model.NOT_PERSONAL if name != "updated_at")  # type: ignore[attr-defined]


class ContentVersion(versions(Content, "updated_at")):  # type: ignore[misc]
    """A content as it was from `pgh_created_at` on."""

    PERSONAL = ("pgh_context",)
    NOT_PERSONAL = (*ABOUT_THE_VERSION, *_without_updated(Content))

    class Meta:
        verbose_name = _("version of a content")
        verbose_name_plural = _("versions of contents")


class SegmentVersion(versions(Segment)):  # type: ignore[misc]
    """A segment as it was from `pgh_created_at` on."""

    PERSONAL = ("pgh_context",)
    NOT_PERSONAL = (*ABOUT_THE_VERSION, *Segment.NOT_PERSONAL)

    class Meta:
        verbose_name = _("version of a segment")
        verbose_name_plural = _("versions of segments")


class QuestionSetVersion(versions(QuestionSet, "updated_at")):  # type: ignore[misc]
    """A question set as it was from `pgh_created_at` on."""

    PERSONAL = ("pgh_context",)
    NOT_PERSONAL = (*ABOUT_THE_VERSION, *_without_updated(QuestionSet))

    class Meta:
        verbose_name = _("version of a question set")
        verbose_name_plural = _("versions of question sets")


class PredefinedQuestionVersion(versions(PredefinedQuestion)):  # type: ignore[misc]
    """A predefined question as it was from `pgh_created_at` on."""

    PERSONAL = ("pgh_context",)
    NOT_PERSONAL = (*ABOUT_THE_VERSION, *PredefinedQuestion.NOT_PERSONAL)

    class Meta:
        verbose_name = _("version of a predefined question")
        verbose_name_plural = _("versions of predefined questions")


class AssessmentFormVersion(versions(AssessmentForm, "updated_at")):  # type: ignore[misc]
    """An assessment form as it was from `pgh_created_at` on."""

    PERSONAL = ("pgh_context",)
    NOT_PERSONAL = (*ABOUT_THE_VERSION, *_without_updated(AssessmentForm))

    class Meta:
        verbose_name = _("version of an assessment form")
        verbose_name_plural = _("versions of assessment forms")


class AssessmentItemVersion(versions(AssessmentItem)):  # type: ignore[misc]
    """An assessment item as it was from `pgh_created_at` on."""

    PERSONAL = ("pgh_context",)
    NOT_PERSONAL = (*ABOUT_THE_VERSION, *AssessmentItem.NOT_PERSONAL)

    class Meta:
        verbose_name = _("version of a question")
        verbose_name_plural = _("versions of questions")


class RubricConceptVersion(versions(RubricConcept)):  # type: ignore[misc]
    """A rubric concept as it was from `pgh_created_at` on."""

    PERSONAL = ("pgh_context",)
    NOT_PERSONAL = (*ABOUT_THE_VERSION, *RubricConcept.NOT_PERSONAL)

    class Meta:
        verbose_name = _("version of a concept")
        verbose_name_plural = _("versions of concepts")


class SurveyFormVersion(versions(SurveyForm, "updated_at")):  # type: ignore[misc]
    """A survey form as it was from `pgh_created_at` on."""

    PERSONAL = ("pgh_context",)
    NOT_PERSONAL = (*ABOUT_THE_VERSION, *_without_updated(SurveyForm))

    class Meta:
        verbose_name = _("version of a survey")
        verbose_name_plural = _("versions of surveys")


class SurveyItemVersion(versions(SurveyItem)):  # type: ignore[misc]
    """A survey item as it was from `pgh_created_at` on."""

    PERSONAL = ("pgh_context",)
    NOT_PERSONAL = (*ABOUT_THE_VERSION, *SurveyItem.NOT_PERSONAL)

    class Meta:
        verbose_name = _("version of a question of a survey")
        verbose_name_plural = _("versions of questions of a survey")


class SiteVersion(versions(Site)):  # type: ignore[misc]
    """A site as it was from `pgh_created_at` on."""

    PERSONAL = ("pgh_context",)
    NOT_PERSONAL = (*ABOUT_THE_VERSION, *Site.NOT_PERSONAL)

    class Meta:
        verbose_name = _("version of a site")
        verbose_name_plural = _("versions of sites")


class StudyConditionVersion(versions(StudyCondition)):  # type: ignore[misc]
    """A study condition as it was from `pgh_created_at` on."""

    PERSONAL = ("pgh_context",)
    NOT_PERSONAL = (*ABOUT_THE_VERSION, *StudyCondition.NOT_PERSONAL)

    class Meta:
        verbose_name = _("version of a cell")
        verbose_name_plural = _("versions of cells")


_OVERRIDE = ("points_override", "override_by", "override_note", "overridden_at")


class AssessmentAnswerVersion(
    pghistory.create_event_model(  # type: ignore[misc]
        AssessmentAnswer,
        pghistory.UpdateEvent(condition=pghistory.AnyChange(*_OVERRIDE)),
        fields=["points_auto", *_OVERRIDE],
        obj_field=pghistory.ObjForeignKey(on_delete=models.CASCADE, related_name="+", db_constraint=False),
        context_field=pghistory.ContextJSONField(),
        context_id_field=None,
        meta={"ordering": ("pgh_id",)},
    )
):
    """A short answer's points as a teacher left them at `pgh_created_at`."""

    PERSONAL = ("pgh_context", "pgh_obj", "points_auto", "points_override", "override_by", "override_note")
    NOT_PERSONAL = ("pgh_id", "pgh_created_at", "pgh_label", "overridden_at")

    class Meta:
        verbose_name = _("version of an answer's points")
        verbose_name_plural = _("versions of answers' points")
