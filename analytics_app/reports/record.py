"""The whole record of one run, in the order in which the student lived it, with the timeline beside it.

What a researcher may see: the student by pseudonym, no name, no label, no teacher. Free text stands as it was written.
Labels for people are in keys that end in `_label`; the export leaves them out.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import OuterRef, QuerySet
from django.db.models.functions import JSONObject
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sessions_app.models import (
    Assessment,
    AssessmentAnswer,
    AssessmentItem,
    Consent,
    Exchange,
    ExchangeScore,
    Intervention,
    MovedOn,
    QualityFlag,
    SegmentDelivery,
    StudentSession,
    SurveyItem,
    SurveyResponse,
)
from sessions_app.models.forms import SURVEY_ATTRIBUTES, Block
from sessions_app.timeline import StoredEvent

Told = dict[str, Any]

COORDINATE_PLACES: Final = 3
SCORES: Final = (
    "question_clarity", "question_relevance", "answer_depth", "answer_accuracy", "engagement_level",
    "builds_on_previous", "synthesis_quality", "location_integration",
)  # fmt: skip
STEPS: Final[Mapping[str, Promise]] = {
    "prior_knowledge": _("prior knowledge"), "place": _("place"), "baseline": _("baseline"), "content": _("content"),
    "intervention": _("intervention"), "final": _("final assessment"), "survey": _("survey"),
}  # fmt: skip
"""What the steps of a run are called beside its record."""
_OF_EVERYBODY: Final = ["configured", "started", "ended"]
_EVENTS: Final = """
    SELECT seq, event_type, event_time, late, student_session_id, payload FROM session_events
    WHERE session_id = %s AND (student_session_id = %s OR student_session_id IS NULL AND event_type = ANY(%s))
    ORDER BY seq
"""


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One run. `parts` are its steps by name, None where there is nothing of it; `events` its timeline."""

    member: StudentSession
    as_of: datetime
    parts: Mapping[str, Any]
    events: tuple[StoredEvent, ...]

    def as_json(self) -> Told:
        return {
            **{name: _without_labels(part) for name, part in self.parts.items()},
            "timeline": [
                {"seq": each.seq, "event": each.event, "at": each.at, "late": each.late, "data": each.data}
                for each in self.events
            ],
            "as_of": self.as_of,
        }


def with_everything_single(runs: QuerySet[StudentSession]) -> QuerySet[StudentSession]:
    """Runs with what there is one of, and with their flags, moves and survey questions, in one query."""
    own = OuterRef("pk")
    return runs.select_related(
        "session__study", "school", "student", "condition", "assignment__content", "prior_knowledge",
        "location_verification", "content_delivery__content", "survey_response__survey",
    ).annotate(
        told_flags=ArraySubquery(
            QualityFlag.objects.filter(student_session=own).values(json=JSONObject(code="code", about="about"))
        ),
        told_moves=ArraySubquery(
            MovedOn.objects.filter(student_session=own).values(json=JSONObject(step="step", number="number", at="at"))
        ),
        told_survey=ArraySubquery(
            SurveyItem.objects.filter(survey=OuterRef("survey_response__survey"))
            .order_by("number")
            .values(json=JSONObject(attribute="attribute", text="text"))
        ),
    )  # fmt: skip


def session_record(member: StudentSession, *, now: datetime | None = None) -> SessionRecord:
    """The record of a run that was read by `with_everything_single`. Eight queries."""
    assessed = _assessments(member)
    parts = {
        "session": _session(member),
        "consents": _consents(member),
        "prior_knowledge": _prior_knowledge(member),
        "place": _place(member),
        "baseline": assessed.get("baseline"),
        "content": _content(member),
        "interventions": _interventions(member),
        "final": assessed.get("final"),
        "survey": _survey(member),
    }
    return SessionRecord(member, now or timezone.now(), parts, tuple(_events(member)))


def _without_labels(part: Any) -> Any:
    if isinstance(part, Mapping):
        return {name: _without_labels(value) for name, value in part.items() if not name.endswith("_label")}
    return [_without_labels(each) for each in part] if isinstance(part, list) else part


def _single(member: StudentSession, name: str) -> Any:
    return getattr(member, name, None)


def _session(member: StudentSession) -> Told:
    condition, made = member.condition, _single(member, "assignment")
    flags = dict(QualityFlag.Code.choices)
    return {
        "id": member.pk,
        "student": member.student_id,
        "pseudonym": member.student.pseudonym if member.student else None,
        "grade": member.student.grade if member.student else None,
        "study": member.session.study.name if member.session.study else None,
        "condition": condition
        and {
            "code": condition.code,
            "location": condition.location,
            "interval_minutes": condition.interval_key,
            "intervention_type": condition.intervention_type,
            "location_label": condition.get_location_display(),
            "intervention_type_label": condition.get_intervention_type_display(),
        },
        "assignment": made
        and {
            "randomised": made.randomised, "seed": made.seed, "block": made.block, "position": made.position,
            "drawn_from": made.drawn_from, "assigned_at": made.assigned_at,
        },
        "joined_at": member.joined_at,
        "class_started_at": member.session.started_at,
        "class_ended_at": member.session.ended_at,
        "left_at": member.left_at,
        "taken_out_at": member.removed_at,
        "simulated": member.is_simulated,
        "flags": [
            {
                **flag,
                "code_label": str(flags.get(flag["code"], flag["code"])),
                "about_label": str(STEPS.get(flag["about"], flag["about"])),
            }
            for flag in member.told_flags  # type: ignore[attr-defined]
        ],
        "moved_on": [
            {**move, "step_label": str(STEPS.get(move["step"], move["step"]))}
            for move in member.told_moves  # type: ignore[attr-defined]
        ],
    }  # fmt: skip


def _consents(member: StudentSession) -> list[Told]:
    """Every decision about the student, the first one first."""
    found = Consent.objects.filter(student=member.student_id).order_by("given_at", "id") if member.student_id else []
    return [
        {
            "purpose": each.purpose, "purpose_label": each.get_purpose_display(), "decision": each.decision,
            "decision_label": each.get_decision_display(), "given_by": each.given_by,
            "given_by_label": each.get_given_by_display(), "version": each.version, "given_at": each.given_at,
        }
        for each in found
    ]  # fmt: skip


def _prior_knowledge(member: StudentSession) -> Told | None:
    found = _single(member, "prior_knowledge")
    return found and {
        "answers": [found.answer_1, found.answer_2, found.answer_3],
        "score": found.score,
        "answered_at": found.answered_at,
    }


def _place(member: StudentSession) -> Told | None:
    found = _single(member, "location_verification")
    return found and {
        "location": found.location,
        "location_label": found.get_location_display(),
        "site": found.site_name or None,
        "outcome": found.outcome,
        "outcome_label": found.get_outcome_display(),
        "reason": found.reason or None,
        "reason_label": found.get_reason_display() if found.reason else "",
        "latitude": _coordinate(found.latitude),
        "longitude": _coordinate(found.longitude),
        "accuracy_m": found.accuracy_m,
        "distance_m": found.distance_m,
        "radius_m": found.radius_m,
        "attempts": found.attempts,
        "device": " ".join(filter(None, (found.device_type, found.os, found.browser))) or None,
        "checked_at": found.verified_at,
    }


def _coordinate(value: Decimal | None) -> Decimal | None:
    return None if value is None else round(value, COORDINATE_PLACES)


def _assessments(member: StudentSession) -> Mapping[str, Told]:
    answers = defaultdict[UUID, list[AssessmentAnswer]](list)
    found = AssessmentAnswer.objects.filter(assessment__student_session=member).select_related("item")
    for answer in found.order_by("item__number"):
        answers[answer.assessment_id].append(answer)
    filled = Assessment.objects.filter(student_session=member).select_related("form")
    return {each.kind: _assessment(each, answers[each.pk]) for each in filled}


def _assessment(filled: Assessment, answers: Sequence[AssessmentAnswer]) -> Told:
    results = (
        "started_at", "submitted_at", "duration_seconds", "total_questions", "questions_answered", "correct_answers",
        "total_points", "points_earned", "score_percentage", "multiple_choice_score", "multiple_choice_possible",
        "short_answer_score", "short_answer_possible", "average_response_seconds", "grading_method", "absolute_gain",
        "relative_gain", "normalized_gain",
    )  # fmt: skip
    return {
        "form": filled.form.reference,
        **{name: getattr(filled, name) for name in results},
        "answers": [_answer(answer) for answer in answers],
    }


def _answer(answer: AssessmentAnswer) -> Told:
    item = answer.item
    choice = item.kind == AssessmentItem.Kind.MULTIPLE_CHOICE
    return {
        "number": item.number,
        "kind": item.kind,
        "question": item.text,
        "options": list(item.options) if choice else None,
        "answer": answer.given,
        "right_answer": item.options[item.correct_option] if choice and item.correct_option is not None else None,
        "is_correct": answer.is_correct,
        "points": answer.points_earned,
        "points_possible": answer.points_possible,
        "points_by_scorer": answer.points_auto,
        "points_by_teacher": answer.points_override,
        "scorer": answer.scorer or None,
        "scorer_version": answer.scorer_version or None,
        "fell_back": answer.fell_back or None,
        "breakdown": answer.breakdown,
        "feedback": answer.feedback or None,
        "response_seconds": answer.response_seconds,
        "answered_at": answer.answered_at,
    }


def _content(member: StudentSession) -> Told | None:
    found = _single(member, "content_delivery")
    if not found:
        return None
    names = (
        "format_chosen", "playback_speed", "captions_enabled", "language", "started_at", "ended_at", "play_seconds",
        "elapsed_seconds", "pause_count", "rewind_count", "segments_completed", "completion", "engagement",
    )  # fmt: skip
    of_segment = (
        "number", "started_at", "ended_at", "play_seconds", "attended_seconds", "elapsed_seconds", "pause_count",
        "rewind_count", "played_share", "completed", "engagement",
    )  # fmt: skip
    segments = SegmentDelivery.objects.filter(delivery=found).select_related("segment").order_by("number")
    return {
        "content": found.content.reference,
        "title": found.content.title,
        **{name: getattr(found, name) for name in names},
        "segments": [
            {"title": each.segment.title, **{name: getattr(each, name) for name in of_segment}} for each in segments
        ],
    }


def _interventions(member: StudentSession) -> list[Told]:
    exchanges = defaultdict[UUID, list[Exchange]](list)
    for exchange in Exchange.objects.filter(intervention__student_session=member).order_by("number"):
        exchanges[exchange.intervention_id].append(exchange)
    scores = defaultdict[UUID, list[ExchangeScore]](list)
    for score in ExchangeScore.objects.filter(exchange__intervention__student_session=member).order_by("id"):
        scores[score.exchange_id].append(score)
    names = (
        "number", "kind", "status", "location_aware", "questions_asked", "duration_seconds",
        "average_response_seconds", "average_question_quality", "average_answer_depth", "progression_quality",
        "scorer", "scorer_version", "opened_at", "closed_at",
    )  # fmt: skip
    found = Intervention.objects.filter(student_session=member).select_related("segment").order_by("number")
    return [
        {
            "segment": each.segment.number,
            "segment_title": each.segment.title,
            **{name: getattr(each, name) for name in names},
            "status_label": each.get_status_display(),
            "exchanges": [_exchange(exchange, scores[exchange.pk]) for exchange in exchanges[each.pk]],
        }
        for each in found
    ]


def _exchange(exchange: Exchange, scores: Sequence[ExchangeScore]) -> Told:
    names = (
        "number", "question", "author", "author_version", "fell_back", "prompt_tokens", "completion_tokens",
        "cost_usd", "generation_ms", "temperature", "builds_on_previous", "synthesis", "uses_place", "asked_at",
        "answer", "answered_at", "response_seconds", "word_count", "character_count",
    )  # fmt: skip
    return {
        **{name: getattr(exchange, name) for name in names},
        "author_label": exchange.get_author_display(),
        "scores": [
            {
                "scorer": score.scorer,
                "scorer_version": score.scorer_version,
                **(values := {name: value for name in SCORES if (value := getattr(score, name)) is not None}),
                "values_label": [
                    (str(ExchangeScore._meta.get_field(name).verbose_name), value)  # type: ignore[union-attr]
                    for name, value in values.items()
                ],
            }
            for score in scores
        ],
    }


def _survey(member: StudentSession) -> Told | None:
    found = _single(member, "survey_response")
    if not found:
        return None
    asked = {item["attribute"]: item["text"] for item in member.told_survey}  # type: ignore[attr-defined]
    blocks: dict[str, Told] = {
        block.value: {"block": block.value, "block_label": str(block.label), "answers": []} for block in Block
    }
    for attribute in SURVEY_ATTRIBUTES.values():
        value = getattr(found, attribute.name)
        blocks[attribute.block.value]["answers"].append(
            {
                "attribute": attribute.name,
                "question": asked.get(attribute.name),
                "question_label": asked.get(attribute.name)
                or str(SurveyResponse._meta.get_field(attribute.name).verbose_name),  # type: ignore[union-attr]
                "kind": attribute.kind.value,
                "answer": None if value == "" else value,
            }
        )
    return {
        "form": found.survey.reference,
        "started_at": found.started_at,
        "submitted_at": found.submitted_at,
        "duration_seconds": found.duration_seconds,
        "blocks": [block for block in blocks.values() if any(a["answer"] is not None for a in block["answers"])],
    }


def _events(member: StudentSession) -> list[StoredEvent]:
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS, (member.session_id, member.pk, _OF_EVERYBODY))
        return [StoredEvent.from_row(row) for row in cursor.fetchall()]
