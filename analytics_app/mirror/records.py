"""Entities 3 to 7 of requirement 002: what was recorded of one run, attribute for attribute. Pure.

Built of the rows themselves. What is not known is null, numbers are `Decimal`, ids stand for people. No network address
and no token is kept anywhere, so both attributes are null; coordinates have three decimals (about a hundred metres).
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from statistics import fmean
from typing import Any, Final

from analytics_app.mirror import keys
from analytics_app.mirror.items import FORM_VERSION, Built, measure, moment_or_null
from sessions_app.models import (
    Assessment,
    AssessmentAnswer,
    AssessmentItem,
    ContentDelivery,
    Exchange,
    Intervention,
    LocationVerification,
    SegmentDelivery,
    StudentSession,
    SurveyResponse,
)
from sessions_app.models.forms import SURVEY_ATTRIBUTES

LOCATION_VERIFICATION = keys.Pattern(keys.SOCRATIC, "SESSION#", "LOCATION_VERIFICATION")
CONTENT_DELIVERY = keys.Pattern(keys.SOCRATIC, "SESSION#", "CONTENT_DELIVERY")
POST_SURVEY = keys.Pattern(keys.SOCRATIC, "SESSION#", "POST_SURVEY")
INTERVENTIONS = keys.Listed(keys.SOCRATIC, "SESSION#", "INTERVENTION#")
ASSESSMENTS = keys.Listed(keys.SOCRATIC, "SESSION#", "ASSESSMENT#")

COORDINATE_PLACES: Final = 3
SCORE_PLACES: Final = 4
"""Enough that a mean of mirrored scores is the mean of the scores."""
_OF_EVERY_EXCHANGE: Final = (
    "question_clarity", "question_relevance", "answer_depth", "answer_accuracy", "engagement_level",
)  # fmt: skip
_OF_SOME: Final = ("builds_on_previous", "synthesis_quality", "location_integration")


def _head(key: keys.Key, entity_type: str, session: StudentSession) -> Built:
    """What every item of a session begins with."""
    return {
        "PK": key.pk,
        "SK": key.sk,
        "entity_type": entity_type,
        "session_id": str(session.pk),
        "student_id": str(session.student_id) if session.student_id else None,
    }


def location_verification(record: LocationVerification) -> Built:
    """Entity 3. `outcome` and `reason` say more than `verified` does."""
    asked = record.outcome != LocationVerification.Outcome.NOT_ASKED
    verified = record.outcome == LocationVerification.Outcome.VERIFIED
    return {
        **_head(LOCATION_VERIFICATION.key(record.student_session_id), "location_verification", record.student_session),
        "location_data": {
            "type": record.location,
            "name": record.site_name or None,
            "address": record.site_address or None,
        },
        "verification": {
            "method": "GPS" if asked else None,
            "verified": verified,
            "verification_timestamp": keys.timestamp(record.verified_at),
            "confidence": record.confidence or None,
            "outcome": record.outcome,
            "reason": record.reason or None,
        },
        "gps_data": {
            "latitude": measure(record.latitude, COORDINATE_PLACES),
            "longitude": measure(record.longitude, COORDINATE_PLACES),
            "accuracy_meters": measure(record.accuracy_m, 1),
            "geofence_validated": verified,
            "distance_from_target_meters": measure(record.distance_m, 1),
        },
        "device_info": {
            "device_type": record.device_type or None,
            "os": record.os or None,
            "browser": record.browser or None,
            "user_agent": record.user_agent or None,
        },
        "metadata": {
            "timestamp": keys.timestamp(record.verified_at),
            "ip_address": None,
            "session_token": None,
        },
    }


def content_delivery(record: ContentDelivery) -> Built:
    """Entity 4."""
    content = record.content
    return {
        **_head(CONTENT_DELIVERY.key(record.student_session_id), "content_delivery", record.student_session),
        "content_metadata": {
            "content_id": content.reference,
            "content_version": f"{content.version}.0",
            "topic": content.topic,
            "duration_seconds": Decimal(sum(segment.duration_seconds for segment in content.segments.all())),
            "difficulty_level": content.difficulty_level,
        },
        "delivery_preferences": {
            "format_chosen": record.format_chosen,
            "playback_speed": measure(record.playback_speed),
            "captions_enabled": record.captions_enabled,
            "language": record.language,
        },
        "engagement_metrics": {
            "start_time": keys.timestamp(record.started_at),
            "end_time": moment_or_null(record.ended_at),
            "total_play_time_seconds": measure(record.play_seconds),
            "total_elapsed_time_seconds": measure(record.elapsed_seconds),
            "pause_count": Decimal(record.pause_count),
            "rewind_count": Decimal(record.rewind_count),
            "segments_completed": Decimal(record.segments_completed),
            "completion_percentage": measure(record.completion),
        },
        "segment_tracking": [_segment(segment) for segment in record.segments.all()],
        "metadata": {
            "created_at": keys.timestamp(record.started_at),
            "updated_at": keys.timestamp(record.updated_at),
        },
    }


def _segment(segment: SegmentDelivery) -> Built:
    return {
        "segment_id": Decimal(segment.number),
        "start_time": keys.timestamp(segment.started_at),
        "end_time": moment_or_null(segment.ended_at),
        "duration_seconds": measure(segment.elapsed_seconds),
        "completed": segment.completed,
        "engagement_score": measure(segment.engagement, 3),
    }


def intervention(record: Intervention) -> Built:
    """Entity 5: a validated intervention, static or dynamic. Abandoned and open ones have no item."""
    exchanges = list(record.exchanges.all())
    dynamic = record.kind == "dynamic"
    key = INTERVENTIONS.key(record.student_session_id, keys.intervention_sort(record.opened_at, record.segment.number))
    summary: Built = {
        "total_duration_seconds": measure(record.duration_seconds),
        "questions_asked": Decimal(record.questions_asked),
        "avg_response_time_seconds": measure(record.average_response_seconds, SCORE_PLACES),
        "avg_question_quality": measure(record.average_question_quality, SCORE_PLACES),
        "avg_answer_depth": measure(record.average_answer_depth, SCORE_PLACES),
    }
    if dynamic:
        summary["progression_quality"] = measure(record.progression_quality, SCORE_PLACES)
        summary["location_awareness_utilized"] = any(exchange.uses_place for exchange in exchanges)
    else:
        summary["no_adaptive_followup"] = True
    return {
        **_head(key, "intervention", record.student_session),
        "GSI4PK": keys.intervention(record.kind),
        "GSI4SK": keys.timestamp(record.opened_at),
        "intervention_id": str(record.pk),
        "intervention_metadata": {
            "type": record.kind,
            "sequence_number": Decimal(record.number),
            "timestamp": keys.timestamp(record.opened_at),
            "segment_id": Decimal(record.segment.number),
            "segment_summary": record.segment.summary,
        },
        "location_context": {
            "location_type": record.location,
            "location_name": record.location_name or None,
            "location_aware_prompting": record.location_aware,
        },
        ("socratic_sequence" if dynamic else "static_questions"): [
            (_dynamic_exchange if dynamic else _static_exchange)(exchange, record) for exchange in exchanges
        ],
        "intervention_summary": summary,
        **({"ai_metadata": _model_use(exchanges)} if dynamic else {}),
        "metadata": {
            "created_at": keys.timestamp(record.opened_at),
            "updated_at": keys.timestamp(record.updated_at),
            "version": Decimal(FORM_VERSION),
        },
    }


def _asked(exchange: Exchange) -> Built:
    return {
        "question_number": Decimal(exchange.number),
        "timestamp": keys.timestamp(exchange.asked_at),
        "question": exchange.question,
    }


def _answered(exchange: Exchange, record: Intervention) -> Built:
    return {
        "answer": exchange.answer,
        "answer_metadata": {
            "timestamp": moment_or_null(exchange.answered_at),
            "response_time_seconds": measure(exchange.response_seconds),
            "word_count": measure(exchange.word_count),
            "character_count": measure(exchange.character_count),
        },
        "quality_scores": _scores(exchange, record),
    }


def _dynamic_exchange(exchange: Exchange, record: Intervention) -> Built:
    more = {
        "incorporates_previous_answer": exchange.builds_on_previous,
        "synthesis_question": exchange.synthesis,
    }
    return {
        **_asked(exchange),
        "question_metadata": {
            "model": exchange.author_version,
            "author": exchange.author,
            "fell_back": exchange.fell_back or None,
            "prompt_tokens": measure(exchange.prompt_tokens),
            "completion_tokens": measure(exchange.completion_tokens),
            "generation_time_ms": measure(exchange.generation_ms),
            "temperature": measure(exchange.temperature),
            **{name: True for name, holds in more.items() if holds},
        },
        **_answered(exchange, record),
    }


def _static_exchange(exchange: Exchange, record: Intervention) -> Built:
    return {**_asked(exchange), "question_source": exchange.author_version, **_answered(exchange, record)}


def _scores(exchange: Exchange, record: Intervention) -> Built:
    """The scores by the scorer whose means the intervention shows; those of some questions only where defined."""
    scorer = (record.scorer, record.scorer_version)
    score = next((s for s in exchange.scores.all() if (s.scorer, s.scorer_version) == scorer), None)
    if score is None:
        return dict.fromkeys(_OF_EVERY_EXCHANGE)
    found = {name: measure(getattr(score, name)) for name in (*_OF_EVERY_EXCHANGE, *_OF_SOME)}
    return {name: value for name, value in found.items() if value is not None or name in _OF_EVERY_EXCHANGE}


def _model_use(exchanges: Sequence[Exchange]) -> Built:
    def total(name: str) -> Decimal | None:
        used = [value for exchange in exchanges if (value := getattr(exchange, name)) is not None]
        return measure(sum(used), 6) if used else None

    times = [exchange.generation_ms for exchange in exchanges if exchange.generation_ms is not None]
    return {
        "model_version": exchanges[-1].author_version if exchanges else None,
        "total_prompt_tokens": total("prompt_tokens"),
        "total_completion_tokens": total("completion_tokens"),
        "total_cost_usd": total("cost_usd"),
        "avg_generation_time_ms": measure(fmean(times)) if times else None,
    }


def assessment(record: Assessment, *, baseline_score: float | None, items: Sequence[AssessmentItem]) -> Built:
    """Entity 6: a submitted assessment, with a row for each of the form's `items`, answered or not.

    `baseline_score` is that of the run's baseline; the gains of the final one refer to it.
    """
    answers = {answer.item_id: answer for answer in record.answers.all()}
    key = ASSESSMENTS.key(record.student_session_id, keys.assessment_sort(record.kind, record.started_at))
    built = {
        **_head(key, "assessment", record.student_session),
        "assessment_id": str(record.pk),
        "assessment_metadata": {
            "type": record.kind,
            "version": f"v{record.form.version}.0",
            "timestamp": keys.timestamp(record.started_at),
            "duration_seconds": measure(record.duration_seconds),
            "content_topic": record.form.topic,
        },
        "questions": [_question(item, answers.get(item.pk)) for item in items],
        "assessment_results": {
            "total_questions": Decimal(record.total_questions),
            "questions_answered": Decimal(record.questions_answered),
            "correct_answers": measure(record.correct_answers),
            "total_points": measure(record.total_points),
            "points_earned": measure(record.points_earned),
            "score_percentage": measure(record.score_percentage, SCORE_PLACES),
            "avg_response_time_seconds": measure(record.average_response_seconds),
        },
        "scoring_breakdown": {
            "multiple_choice_score": measure(record.multiple_choice_score),
            "multiple_choice_possible": measure(record.multiple_choice_possible),
            "short_answer_score": measure(record.short_answer_score),
            "short_answer_possible": measure(record.short_answer_possible),
            "mc_percentage": _percentage(record.multiple_choice_score, record.multiple_choice_possible),
            "sa_percentage": _percentage(record.short_answer_score, record.short_answer_possible),
        },
        "metadata": {
            "created_at": keys.timestamp(record.started_at),
            "updated_at": keys.timestamp(record.updated_at),
            "grading_method": record.grading_method or None,
            "version": Decimal(FORM_VERSION),
        },
    }
    if record.kind == "final":
        built["learning_gain"] = {
            "baseline_score": measure(baseline_score, SCORE_PLACES),
            "final_score": measure(record.score_percentage, SCORE_PLACES),
            "absolute_gain": measure(record.absolute_gain, SCORE_PLACES),
            "relative_gain": measure(record.relative_gain, SCORE_PLACES),
            "normalized_gain": measure(record.normalized_gain, SCORE_PLACES),
        }
    return built


def _question(item: AssessmentItem, answer: AssessmentAnswer | None) -> Built:
    asked: Built = {"question_id": item.key, "question_text": item.text, "question_type": item.kind}
    if item.kind == AssessmentItem.Kind.MULTIPLE_CHOICE:
        asked |= {
            "options": list(item.options),
            "correct_answer": _option(item, item.correct_option),
            "student_answer": _option(item, answer.chosen_option if answer else None),
            "is_correct": answer.is_correct if answer else None,
        }
    else:
        asked |= {
            "rubric_points": measure(item.points),
            "student_answer": answer.text if answer else None,
            "ai_scoring": _scoring(answer) if answer and answer.scorer else None,
        }
    if answer is not None and answer.points_override is not None:
        asked["teacher_override"] = {
            "points": measure(answer.points_override),
            "timestamp": moment_or_null(answer.overridden_at),
        }
    return {
        **asked,
        "points": measure(item.points),
        "points_earned": measure(answer.points_earned) if answer else Decimal(0),
        "response_time_seconds": measure(answer.response_seconds) if answer else None,
        "difficulty": item.difficulty,
    }


def _option(item: AssessmentItem, index: int | None) -> str | None:
    return item.options[index] if index is not None and index < len(item.options) else None


def _scoring(answer: AssessmentAnswer) -> Built:
    return {
        "model": answer.scorer_version,
        "scorer": answer.scorer,
        "raw_score": measure(answer.points_auto),
        "rubric_breakdown": _decimals(answer.breakdown or {}),
        "feedback": answer.feedback or None,
    }


def _decimals(breakdown: Mapping[str, Any]) -> Built:
    """The credit per concept; what a scorer says beside the numbers stays as it is."""
    return {
        name: measure(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
        for name, value in breakdown.items()
    }


def _percentage(score: Decimal | None, possible: Decimal | None) -> Decimal | None:
    return None if score is None or not possible else measure(100 * score / possible, 1)


def post_survey(record: SurveyResponse) -> Built:
    """Entity 7: each block with all of its attributes; what was left out is null."""
    blocks: dict[str, Built] = {}
    for attribute in SURVEY_ATTRIBUTES.values():
        value = getattr(record, attribute.name)
        number = isinstance(value, int) and not isinstance(value, bool)
        blocks.setdefault(attribute.block.value, {})[attribute.name] = (
            Decimal(value) if number else None if value == "" else value
        )
    return {
        **_head(POST_SURVEY.key(record.student_session_id), "post_survey", record.student_session),
        "survey_metadata": {
            "version": f"v{record.survey.version}.0",
            "timestamp": keys.timestamp(record.started_at),
            "duration_seconds": measure(record.duration_seconds),
        },
        **blocks,
        "metadata": {
            "created_at": keys.timestamp(record.started_at),
            "updated_at": keys.timestamp(record.submitted_at),
        },
    }
