"""Items against the examples of requirements 000 and 002, attribute by attribute."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from analytics_app.mirror import guards, items
from analytics_app.mirror.schema import TABLES

STUDENT = UUID("550e8400-e29b-41d4-a716-446655440000")
SESSION = UUID("7f3e8b2a-1c4d-4e9f-b2a1-9d8e7c6b5a4f")
START = datetime(2025, 10, 23, 14, 30, tzinfo=UTC)
END = datetime(2025, 10, 23, 15, 12, tzinfo=UTC)

FACTS = items.SessionFacts(
    id=SESSION,
    activity="socratic",
    student=items.StudentFacts(id=STUDENT, age=16, grade=10, richmond_resident=True),
    condition=items.ConditionFacts(
        code="L1-I1-D", location="on-site", interval_minutes=Decimal("2.5"), intervention_type="dynamic"
    ),
    condition_randomised=True,
    place="Tredegar Iron Works",
    device="",
    joined_at=START - timedelta(minutes=2),
    class_started_at=START,
    class_ended_at=END,
    gone_at=None,
    taken_out=False,
    end_reason="teacher",
    simulated=False,
    retention=timedelta(days=730),
    created_at=START,
    updated_at=END,
    location_verified=True,
    baseline_completed=True,
    content_completed=True,
    interventions_completed=4,
    final_assessment_completed=True,
    post_survey_completed=True,
)
PROFILE = items.ProfileFacts(
    id=STUDENT,
    age=16,
    grade=10,
    richmond_resident=True,
    school="Richmond High School",
    depth_preference="moderate",
    learning_style="visual-auditory",
    prior_knowledge_topics=["civil_war", "richmond_history"],
    parent_consent=True,
    student_assent=True,
    irb_consent_date=date(2025, 10, 1),
    data_sharing_consent=True,
    sessions=[],
    created_at=datetime(2025, 10, 1, 10, 30, tzinfo=UTC),
    updated_at=datetime(2025, 10, 23, 14, 20, tzinfo=UTC),
)


def test_a_student_profile_is_entity_1():
    assert items.student_profile(PROFILE) == {
        "PK": "STUDENT#550e8400-e29b-41d4-a716-446655440000",
        "SK": "PROFILE",
        "GSI2PK": "STUDENT#550e8400-e29b-41d4-a716-446655440000",
        "GSI2SK": "PROFILE",
        "entity_type": "student_profile",
        "student_id": "550e8400-e29b-41d4-a716-446655440000",
        "demographics": {
            "age": 16,
            "grade_level": 10,
            "school": "Richmond High School",
            "richmond_resident": True,
        },
        "learning_profile": {
            "depth_preference": "moderate",
            "learning_style": "visual-auditory",
            "prior_knowledge_topics": ["civil_war", "richmond_history"],
        },
        "consent_data": {
            "parent_consent": True,
            "student_assent": True,
            "irb_consent_date": "2025-10-01T00:00:00Z",
            "data_sharing_consent": True,
        },
        "metadata": {
            "created_at": "2025-10-01T10:30:00Z",
            "updated_at": "2025-10-23T14:20:00Z",
            "total_sessions": 0,
            "conditions_completed": [],
        },
    }


def test_a_session_is_entity_2():
    assert items.session(FACTS) == {
        "PK": "SESSION#7f3e8b2a-1c4d-4e9f-b2a1-9d8e7c6b5a4f",
        "SK": "METADATA",
        "GSI1PK": "CONDITION#on-site#2.5#dynamic",
        "GSI1SK": "2025-10-23T14:30:00Z",
        "GSI2PK": "STUDENT#550e8400-e29b-41d4-a716-446655440000",
        "GSI2SK": "SESSION#2025-10-23T14:30:00Z",
        "GSI3PK": "LOCATION#on-site",
        "GSI3SK": "2025-10-23T14:30:00Z",
        "GSI4PK": "INTERVENTION#dynamic",
        "GSI4SK": "2025-10-23T14:30:00Z",
        "GSI5PK": "DATE#2025-10-23",
        "GSI5SK": "2025-10-23T14:30:00Z",
        "entity_type": "session",
        "session_id": "7f3e8b2a-1c4d-4e9f-b2a1-9d8e7c6b5a4f",
        "student_id": "550e8400-e29b-41d4-a716-446655440000",
        "experimental_condition": {
            "location": "on-site",
            "location_name": "Tredegar Iron Works",
            "interval_minutes": Decimal("2.5"),
            "intervention_type": "dynamic",
            "condition_code": "L1-I1-D",
        },
        "timeline": {
            "session_start": "2025-10-23T14:30:00Z",
            "session_end": "2025-10-23T15:12:00Z",
            "total_duration_seconds": 2520,
            "content_duration_seconds": None,
            "intervention_duration_seconds": None,
            "assessment_duration_seconds": None,
        },
        "completion_status": {
            "completed": True,
            "location_verified": True,
            "baseline_completed": True,
            "content_completed": True,
            "interventions_completed": 4,
            "final_assessment_completed": True,
            "post_survey_completed": True,
        },
        "student_metadata": {"age": 16, "grade": 10, "richmond_resident": True, "prior_knowledge_score": None},
        "metadata": {
            "created_at": "2025-10-23T14:30:00Z",
            "updated_at": "2025-10-23T15:12:00Z",
            "version": 1,
            "data_quality_flags": [],
        },
    }


def test_a_speaking_session_is_the_metadata_of_requirement_000():
    start = datetime(2026, 1, 14, 13, 42, 49, 167510, tzinfo=UTC)
    end = datetime(2026, 1, 14, 13, 44, 47, 892319, tzinfo=UTC)
    facts = replace(FACTS, activity="reading", joined_at=start, class_started_at=start, class_ended_at=end)
    assert items.reading_session(facts) == {
        "PK": f"SESSION#{SESSION}",
        "SK": "METADATA",
        "GSI1PK": "SESSION",
        "GSI1SK": "DATE#2026-01-14#2026-01-14T13:42:49.167510",
        "GSI2PK": f"STUDENT#{STUDENT}",
        "GSI2SK": "DATE#2026-01-14#2026-01-14T13:42:49.167510",
        "Type": "SESSION",
        "Activity": "reading",
        "ClientId": str(SESSION),
        "StudentId": str(STUDENT),
        "StartTime": "2026-01-14T13:42:49.167510",
        "EndTime": "2026-01-14T13:44:47.892319",
        "Metrics": {"TotalWords": None, "ReadingSpeedWpm": None, "AverageConfidence": None},
        "TTL": int(end.timestamp()) + 730 * 24 * 3600,
    }


def test_every_number_is_a_decimal():
    def numbers(value):
        if isinstance(value, dict):
            return [n for part in value.values() for n in numbers(part)]
        return [] if value is None or isinstance(value, bool | str | list) else [value]

    built = (items.session(FACTS), items.student_profile(PROFILE), items.reading_session(FACTS))
    assert {type(number) for item in built for number in numbers(item)} == {Decimal}


def test_without_a_condition_there_are_no_keys_in_the_indexes_of_conditions():
    item = items.session(replace(FACTS, condition=None))
    assert {name for name in item if name.startswith("GSI")} == {"GSI2PK", "GSI2SK", "GSI5PK", "GSI5SK"}
    assert item["experimental_condition"]["condition_code"] is None
    assert item["metadata"]["data_quality_flags"] == ["condition_missing"]


def test_without_a_student_the_device_stands_for_it():
    device = "018f3c1e-7b7a-7c3e-9b1d-6a1f2e3d4c5b"
    facts = replace(FACTS, student=None, device=device)
    assert items.reading_session(facts)["GSI2PK"] == f"CLIENT#{device}"
    assert "GSI2PK" not in items.session(facts)


def test_a_device_that_is_free_text_gets_into_no_key():
    item = items.reading_session(replace(FACTS, student=None, device="Sam's # tablet"))
    assert item["GSI2PK"] == f"CLIENT#{SESSION}"


def test_before_the_class_starts_a_session_is_listed_under_the_time_of_joining():
    item = items.session(replace(FACTS, class_started_at=None, class_ended_at=None))
    assert item["GSI5SK"] == "2025-10-23T14:28:00Z"
    assert item["timeline"]["session_start"] is None


def test_who_comes_late_starts_late_and_who_goes_early_ends_early():
    item = items.session(replace(FACTS, joined_at=START + timedelta(minutes=5), gone_at=START + timedelta(minutes=15)))
    assert item["timeline"]["total_duration_seconds"] == 600
    assert item["metadata"]["data_quality_flags"] == ["left_early"]


def test_who_went_before_the_start_was_never_in_the_session():
    item = items.session(replace(FACTS, gone_at=START - timedelta(minutes=1), taken_out=True))
    assert item["timeline"]["session_start"] is None
    assert item["timeline"]["total_duration_seconds"] is None
    assert item["metadata"]["data_quality_flags"] == ["taken_out"]


def test_a_profile_counts_sessions_and_lists_the_conditions_that_were_completed():
    begun = replace(FACTS, final_assessment_completed=False)
    item = items.student_profile(replace(PROFILE, sessions=[FACTS, FACTS, begun]))
    assert item["metadata"]["total_sessions"] == 3
    assert item["metadata"]["conditions_completed"] == ["L1-I1-D"]


def test_what_nobody_was_asked_is_null():
    item = items.student_profile(replace(PROFILE, parent_consent=None, irb_consent_date=None, age=None))
    assert (item["consent_data"]["parent_consent"], item["consent_data"]["irb_consent_date"]) == (None, None)
    assert item["demographics"]["age"] is None


def test_the_examples_pass_the_guards():
    guards.check(items.session(FACTS), TABLES["SocraticBenchmarks"])
    guards.check(items.student_profile(PROFILE), TABLES["SocraticBenchmarks"])
    guards.check(items.reading_session(FACTS), TABLES["reading_sessions"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"text": "x" * 410_000}, "item_too_large"),
        ({"number": Decimal("1" * 39)}, "number_too_precise"),
        ({"number": Decimal("NaN")}, "number_not_finite"),
        ({"number": Decimal("1E+126")}, "number_out_of_range"),
        ({"inside": [{"half": 0.5}]}, "value_type"),
        ({"GSI1PK": 5}, "key_type"),
        ({"GSI1PK": ""}, "key_empty"),
        ({"GSI1PK": None}, "key_type"),
        ({"SK": "x" * 1025}, "key_too_long"),
    ],
)
def test_what_dynamodb_would_not_take_is_found_before(change: dict, code: str):
    with pytest.raises(guards.InvalidItem) as refused:
        guards.check(items.session(FACTS) | change, TABLES["SocraticBenchmarks"])
    assert refused.value.code == code


def test_an_index_key_needs_its_partner():
    item = items.session(FACTS)
    del item["GSI1SK"]
    with pytest.raises(guards.InvalidItem, match="GSI1PK is given without GSI1SK"):
        guards.check(item, TABLES["SocraticBenchmarks"])


def test_the_largest_item_and_number_are_taken():
    table = TABLES["SocraticBenchmarks"]
    guards.check({"PK": "a", "SK": "b", "n": Decimal("1" * 38 + "000"), "t": "x" * (400 * 1024 - 40)}, table)
