"""Each record is validated before it is written, with one error that names the field."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.models import (
    Assessment,
    AssessmentAnswer,
    ContentDelivery,
    Exchange,
    ExchangeScore,
    Intervention,
    LocationVerification,
    PriorKnowledge,
    SegmentDelivery,
    SurveyResponse,
)
from sessions_app.models.identity import uuid7
from sessions_app.study.validation import Invalid, all_validated, validated, validated_intervention

NOW = timezone.now()
LATER = NOW + timedelta(seconds=30)
ID = uuid7()


def prior(**more: Any) -> PriorKnowledge:
    return PriorKnowledge(**{"student_session_id": ID, "answer_1": 1, "answer_2": 3, "answer_3": 5} | more)


def place(**more: Any) -> LocationVerification:
    return LocationVerification(**{"student_session_id": ID, "location": "on-site", "outcome": "outside"} | more)


def delivery(**more: Any) -> ContentDelivery:
    return ContentDelivery(**{"student_session_id": ID, "content_id": ID, "format_chosen": "text"} | more)


def segment(**more: Any) -> SegmentDelivery:
    return SegmentDelivery(**{"delivery_id": ID, "segment_id": ID, "number": 1, "started_at": NOW} | more)


def intervention(**more: Any) -> Intervention:
    fields = {"student_session_id": ID, "number": 1, "kind": "dynamic", "segment_id": ID, "location": "home"}
    return Intervention(**fields | more)


def exchange(**more: Any) -> Exchange:
    fields = {"intervention_id": ID, "number": 1, "question": "Why?", "author": "rules", "author_version": "1",
              "asked_at": NOW}  # fmt: skip
    return Exchange(**fields | more)


def answered(number: int = 1, **more: Any) -> Exchange:
    said = {"number": number, "answer": "So.", "answered_at": LATER, "response_seconds": 30.0, "word_count": 1,
            "character_count": 3}  # fmt: skip
    return exchange(**said | more)


def score(**more: Any) -> ExchangeScore:
    return ExchangeScore(**{"exchange_id": ID, "scorer": "rules", "scorer_version": "1"} | more)


def assessment(**more: Any) -> Assessment:
    fields = {"student_session_id": ID, "form_id": ID, "kind": "final", "started_at": NOW, "total_points": Decimal(6)}
    return Assessment(**fields | more)


def answer(**more: Any) -> AssessmentAnswer:
    return AssessmentAnswer(**{"assessment_id": ID, "item_id": ID, "points_possible": Decimal(3)} | more)


def survey(**more: Any) -> SurveyResponse:
    fields = {"student_session_id": ID, "survey_id": ID, "started_at": NOW, "submitted_at": LATER,
              "duration_seconds": 30.0}  # fmt: skip
    return SurveyResponse(**fields | more)


WHOLE = [prior, place, delivery, segment, intervention, exchange, answered, score, assessment, answer, survey]

WRONG: list[tuple[Any, dict[str, Any], str]] = [
    (prior, {"answer_1": 0}, "answer_1"),
    (prior, {"answer_2": 6}, "answer_2"),
    (prior, {"answer_3": None}, "answer_3"),
    (prior, {"answer_1": 2.5}, "answer_1"),
    (prior, {"answer_1": True}, "answer_1"),
    (prior, {"student_session_id": None}, "student_session"),
    (prior, {"answered_at": datetime(2026, 1, 1)}, "answered_at"),  # noqa: DTZ001  that is what is wrong
    (prior, {"answered_at": "yesterday"}, "answered_at"),
    (place, {"outcome": "somewhere"}, "outcome"),
    (place, {"outcome": ""}, "outcome"),
    (place, {"latitude": Decimal(91), "longitude": Decimal(0)}, "latitude"),
    (place, {"latitude": Decimal(9)}, "longitude"),
    (place, {"accuracy_m": -1.0}, "accuracy_m"),
    (place, {"accuracy_m": float("nan")}, "accuracy_m"),
    (place, {"outcome": "verified"}, "distance_m"),
    (place, {"outcome": "verified", "distance_m": 300.0, "radius_m": 200}, "distance_m"),
    (delivery, {"format_chosen": "smell"}, "format_chosen"),
    (delivery, {"completion": 101.0}, "completion"),
    (delivery, {"engagement": 1.5}, "engagement"),
    (delivery, {"play_seconds": -1.0}, "play_seconds"),
    (delivery, {"ended_at": NOW - timedelta(days=1), "started_at": NOW}, "ended_at"),
    (delivery, {"captions_enabled": "yes"}, "captions_enabled"),
    (segment, {"played_share": 1.01}, "played_share"),
    (segment, {"number": 0}, "number"),
    (intervention, {"kind": "random"}, "kind"),
    (intervention, {"average_answer_depth": 5.5}, "average_answer_depth"),
    (intervention, {"duration_seconds": -3.0}, "duration_seconds"),
    (exchange, {"number": 4}, "number"),
    (exchange, {"question": ""}, "question"),
    (exchange, {"question": "x" * 1001}, "question"),
    (exchange, {"question": 7}, "question"),
    (answered, {"answer": "  "}, "answer"),
    (answered, {"answer": "x" * 10_001}, "answer"),
    (answered, {"answered_at": NOW - timedelta(seconds=1)}, "answered_at"),
    (answered, {"word_count": None}, "word_count"),
    (answered, {"response_seconds": -1.0}, "response_seconds"),
    (exchange, {"answer": "So."}, "answered_at"),
    (exchange, {"cost_usd": Decimal("-0.1")}, "cost_usd"),
    (score, {"answer_depth": Decimal("5.1")}, "answer_depth"),
    (score, {"question_clarity": Decimal(0)}, "question_clarity"),
    (assessment, {"points_earned": Decimal(7)}, "submitted_at"),
    (assessment, {"submitted_at": LATER, "score_percentage": 101.0, "points_earned": Decimal(6),
                  "duration_seconds": 1.0}, "score_percentage"),
    (assessment, {"submitted_at": LATER, "score_percentage": 100.0, "points_earned": Decimal(7),
                  "duration_seconds": 1.0}, "points_earned"),
    (assessment, {"kind": "midterm"}, "kind"),
    (answer, {"points_auto": Decimal(4)}, "points_auto"),
    (answer, {"points_override": Decimal(-1)}, "points_override"),
    (survey, {"location_impact_rating": 6}, "location_impact_rating"),
    (survey, {"preferred_intervention_type": "both"}, "preferred_intervention_type"),
    (survey, {"submitted_at": NOW - timedelta(seconds=1)}, "submitted_at"),
    (survey, {"would_recommend_location": "yes"}, "would_recommend_location"),
]  # fmt: skip


@pytest.mark.parametrize("make", WHOLE, ids=lambda make: make.__name__)
def test_a_whole_record_passes(make):
    record = make()
    assert validated(record) is record


@pytest.mark.parametrize(("make", "change", "field"), WRONG)
def test_what_is_wrong_is_named(make, change: dict[str, Any], field: str):
    with pytest.raises(Invalid) as refused:
        validated(make(**change))
    assert refused.value.field == field
    assert str(refused.value).startswith(f"{field}: ")
    assert refused.value.code == "invalid"


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_a_share_is_from_none_to_all(share: float):
    if 0 <= share <= 1:
        validated(segment(played_share=share))
        return
    with pytest.raises(Invalid) as refused:
        validated(segment(played_share=share))
    assert refused.value.field == "played_share"


def test_of_many_the_first_that_is_wrong_is_named():
    with pytest.raises(Invalid, match="answer_1"):
        all_validated([prior(), prior(answer_1=9)])


def closed(**more: Any) -> Intervention:
    return intervention(**{"status": "validated", "questions_asked": 3, "opened_at": NOW, "closed_at": LATER} | more)


def test_a_validated_intervention_has_exactly_three_answered_questions():
    three = [answered(number) for number in (1, 2, 3)]
    assert validated_intervention(closed(), three).status == "validated"
    for exchanges, field in (
        (three[:2], "exchanges"),
        ([*three, answered(3)], "number"),
        ([*three[:2], exchange(number=3)], "answer"),
    ):
        with pytest.raises(Invalid) as refused:
            validated_intervention(closed(), exchanges)
        assert refused.value.field == field
    with pytest.raises(Invalid) as refused:
        validated_intervention(closed(questions_asked=2), three)
    assert refused.value.field == "questions_asked"


def test_an_open_intervention_may_have_fewer():
    assert validated_intervention(intervention(), [answered()]).status == "open"
