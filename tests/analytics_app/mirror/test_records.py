"""Entities 3 to 7: the records of a run as items, attribute for attribute, and what marks them."""

from collections.abc import Iterator
from decimal import Decimal
from unittest import mock

import pytest
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from analytics_app.mirror import guards, items, keys
from analytics_app.mirror.kinds import KINDS
from analytics_app.mirror.outbox import Outbox
from analytics_app.mirror.schema import TABLES
from analytics_app.mirror.writer import Tables
from analytics_app.models import OutboxItem
from sessions_app.models import (
    Assessment,
    AssessmentAnswer,
    Exchange,
    ExchangeScore,
    Intervention,
    LocationVerification,
    QualityFlag,
    StudentSession,
    Study,
    SurveyResponse,
)
from tests.analytics_app import recorded
from tests.analytics_app.recorded import items_of, stored

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("records")]  # one study, one worker

ironworks, school, alice = recorded.ironworks, recorded.school, recorded.alice
runs, dynamic = recorded.runs, recorded.dynamic


@pytest.fixture(scope="module")
def written(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Study]:
    """A run in each of the 24 conditions, static and dynamic, on site and elsewhere."""
    with recorded.study_with_runs(django_db_blocker, sessions=24) as study:
        yield study


@pytest.fixture
def static(runs: list[StudentSession]) -> StudentSession:
    return StudentSession.objects.get(
        pk__in=[run.pk for run in runs], condition__code="L3-I1-S", survey_response__isnull=False
    )


def test_a_verification_is_entity_3(dynamic: StudentSession):
    [item] = items_of(dynamic, "location_verification")
    at = keys.timestamp(dynamic.location_verification.verified_at)
    assert item == {
        "PK": f"SESSION#{dynamic.pk}",
        "SK": "LOCATION_VERIFICATION",
        "entity_type": "location_verification",
        "session_id": str(dynamic.pk),
        "student_id": str(dynamic.student_id),
        "location_data": {"type": "on-site", "name": "Iron works", "address": "500 Tredegar St"},
        "verification": {
            "method": "GPS", "verified": True, "verification_timestamp": at, "confidence": "high",
            "outcome": "verified", "reason": None,
        },
        "gps_data": {
            "latitude": Decimal("37.536"), "longitude": Decimal("-77.446"), "accuracy_meters": Decimal("8.5"),
            "geofence_validated": True, "distance_from_target_meters": Decimal("4.2"),
        },
        "device_info": {
            "device_type": "mobile", "os": "iOS 17.1", "browser": "Safari 17.0", "user_agent": "Mozilla/5.0",
        },
        "metadata": {"timestamp": at, "ip_address": None, "session_token": None},
    }  # fmt: skip


def test_a_place_that_is_not_asked_for_has_no_method_and_no_position(static: StudentSession):
    [item] = items_of(static, "location_verification")
    assert (item["verification"]["method"], item["verification"]["verified"]) == (None, False)
    assert set(item["gps_data"].values()) == {None, False}


def test_a_delivery_is_entity_4(dynamic: StudentSession):
    [item] = items_of(dynamic, "content_delivery")
    delivery = dynamic.content_delivery
    assert item["content_metadata"] == {
        "content_id": "iron-v1", "content_version": "1.0", "topic": "Iron on the James", "duration_seconds": 300,
        "difficulty_level": "grade_9-12",
    }  # fmt: skip
    assert item["delivery_preferences"] == {
        "format_chosen": "text", "playback_speed": 1, "captions_enabled": True, "language": "en-US"
    }  # fmt: skip
    assert item["engagement_metrics"] == {
        "start_time": keys.timestamp(delivery.started_at), "end_time": keys.timestamp(delivery.ended_at),
        "total_play_time_seconds": 300, "total_elapsed_time_seconds": 1020, "pause_count": delivery.pause_count,
        "rewind_count": delivery.rewind_count, "segments_completed": 2, "completion_percentage": 100,
    }  # fmt: skip
    assert [segment["segment_id"] for segment in item["segment_tracking"]] == [1, 2]
    assert set(item["segment_tracking"][0]) == {
        "segment_id", "start_time", "end_time", "duration_seconds", "completed", "engagement_score"
    }  # fmt: skip
    assert set(item["metadata"]) == {"created_at", "updated_at"}


def test_a_dynamic_intervention_is_entity_5(dynamic: StudentSession):
    [first, second] = items_of(dynamic, "interventions")
    opened = keys.timestamp(dynamic.interventions.get(number=1).opened_at)
    assert first["SK"] == f"INTERVENTION#{opened}#1"
    assert (first["GSI4PK"], first["GSI4SK"]) == ("INTERVENTION#dynamic", opened)
    assert first["intervention_metadata"] == {
        "type": "dynamic", "sequence_number": 1, "timestamp": opened, "segment_id": 1,
        "segment_summary": "How the river and the canal served part 1 of the works",
    }  # fmt: skip
    assert first["location_context"] == {
        "location_type": "on-site", "location_name": None, "location_aware_prompting": True
    }  # fmt: skip
    assert [asked["question_number"] for asked in first["socratic_sequence"]] == [1, 2, 3]
    third = first["socratic_sequence"][2]
    assert third["question_metadata"] == {
        "model": "rules-1", "author": "rules", "fell_back": None, "prompt_tokens": None, "completion_tokens": None,
        "generation_time_ms": Decimal("3.5"), "temperature": None, "incorporates_previous_answer": True,
        "synthesis_question": True,
    }  # fmt: skip
    assert third["quality_scores"] == {
        "question_clarity": Decimal("4.5"), "question_relevance": Decimal("4.8"), "answer_depth": 3,
        "answer_accuracy": 4, "engagement_level": 4, "builds_on_previous": Decimal("4.8"),
    }  # fmt: skip
    assert set(third["answer_metadata"]) == {"timestamp", "response_time_seconds", "word_count", "character_count"}
    assert set(first["intervention_summary"]) == {
        "total_duration_seconds", "questions_asked", "avg_response_time_seconds", "avg_question_quality",
        "avg_answer_depth", "progression_quality", "location_awareness_utilized",
    }  # fmt: skip
    assert first["intervention_summary"]["location_awareness_utilized"] is True
    assert first["ai_metadata"] == {
        "model_version": "rules-1", "total_prompt_tokens": None, "total_completion_tokens": None,
        "total_cost_usd": None, "avg_generation_time_ms": Decimal("3.5"),
    }  # fmt: skip
    assert second["intervention_metadata"]["sequence_number"] == 2


def test_a_models_tokens_and_cost_are_summed(dynamic: StudentSession):
    Exchange.objects.filter(intervention__student_session=dynamic).update(
        author="bedrock", author_version="a-model", prompt_tokens=500, completion_tokens=40, cost_usd="0.002967"
    )
    item = items_of(dynamic, "interventions")[0]
    assert item["ai_metadata"] == {
        "model_version": "a-model", "total_prompt_tokens": 1500, "total_completion_tokens": 120,
        "total_cost_usd": Decimal("0.008901"), "avg_generation_time_ms": Decimal("3.5"),
    }  # fmt: skip


def test_a_static_intervention_has_its_source_and_no_model(static: StudentSession):
    item = items_of(static, "interventions")[0]
    assert "ai_metadata" not in item
    assert item["static_questions"][0]["question_source"] == "iron-questions-v1"
    assert item["intervention_summary"]["no_adaptive_followup"] is True
    assert set(item["static_questions"][0]) == {
        "question_number", "timestamp", "question", "question_source", "answer", "answer_metadata", "quality_scores"
    }  # fmt: skip


def test_only_the_scores_of_the_scorer_whose_means_are_shown_stand_in_the_item(dynamic: StudentSession):
    exchange = Exchange.objects.filter(intervention__student_session=dynamic, number=1).earliest("asked_at")
    ExchangeScore.objects.create(exchange=exchange, scorer="bedrock", scorer_version="1", answer_depth=5)
    assert items_of(dynamic, "interventions")[0]["socratic_sequence"][0]["quality_scores"]["answer_depth"] == 3
    ExchangeScore.objects.filter(exchange=exchange, scorer="rules").delete()
    scores = items_of(dynamic, "interventions")[0]["socratic_sequence"][0]["quality_scores"]
    assert set(scores.values()) == {None}


def test_an_abandoned_intervention_has_no_item(dynamic: StudentSession):
    dynamic.interventions.filter(number=2).update(status="abandoned", questions_asked=1)
    assert [item["intervention_metadata"]["sequence_number"] for item in items_of(dynamic, "interventions")] == [1]


def test_assessments_are_entity_6(dynamic: StudentSession):
    before, after = items_of(dynamic, "assessments")
    baseline = dynamic.assessments.get(kind="baseline")
    final = dynamic.assessments.get(kind="final")
    assert before["SK"] == f"ASSESSMENT#baseline#{keys.timestamp(baseline.started_at)}"
    assert before["assessment_metadata"] == {
        "type": "baseline", "version": "v1.0", "timestamp": keys.timestamp(baseline.started_at),
        "duration_seconds": 90, "content_topic": "iron",
    }  # fmt: skip
    assert before["questions"][0] == {
        "question_id": "q1", "question_text": "What did the works make? (1)", "question_type": "multiple_choice",
        "options": ["cloth", "iron", "tobacco"], "correct_answer": "iron", "student_answer": "iron",
        "is_correct": True, "points": 1, "points_earned": 1, "response_time_seconds": 20, "difficulty": "medium",
    }  # fmt: skip
    assert before["questions"][3] == {
        "question_id": "q4", "question_text": "Why here?", "question_type": "short_answer", "rubric_points": 3,
        "student_answer": "The river turned the wheels.",
        "ai_scoring": {
            "model": "rules-1", "scorer": "rules", "raw_score": 1,
            "rubric_breakdown": {"mentions_river": 1, "mentions_transport": 0}, "feedback": "Names the river.",
        },
        "points": 3, "points_earned": 1, "response_time_seconds": 20, "difficulty": "hard",
    }  # fmt: skip
    assert before["assessment_results"]["score_percentage"] == Decimal(str(baseline.score_percentage))
    assert before["scoring_breakdown"]["mc_percentage"] == Decimal("66.7")
    assert "learning_gain" not in before
    assert after["learning_gain"] == {
        "baseline_score": items.measure(baseline.score_percentage, 4),
        "final_score": items.measure(final.score_percentage, 4),
        "absolute_gain": items.measure(final.absolute_gain, 4),
        "relative_gain": items.measure(final.relative_gain, 4),
        "normalized_gain": items.measure(final.normalized_gain, 4),
    }


def test_a_question_that_was_not_answered_and_an_override_are_told(dynamic: StudentSession):
    answers = AssessmentAnswer.objects.filter(assessment__student_session=dynamic, assessment__kind="baseline")
    answers.filter(item__number=1).delete()
    answers.filter(item__number=4).update(points_override=2, overridden_at=timezone.now())
    questions = items_of(dynamic, "assessments")[0]["questions"]
    assert (questions[0]["student_answer"], questions[0]["points_earned"]) == (None, 0)
    assert (questions[3]["points_earned"], questions[3]["teacher_override"]["points"]) == (2, 2)
    assert questions[3]["ai_scoring"]["raw_score"] == 1


def test_a_survey_is_entity_7_with_every_attribute_of_every_block(dynamic: StudentSession):
    [item] = items_of(dynamic, "post_survey")
    assert item["SK"] == "POST_SURVEY"
    assert item["survey_metadata"]["duration_seconds"] == 120
    counts = {
        "location_experience": 5, "intervention_experience": 6, "learning_experience": 6, "technical_experience": 4,
        "open_ended_responses": 4,
    }  # fmt: skip
    assert {block: len(item[block]) for block in counts} == counts
    assert item["intervention_experience"]["preferred_intervention_type"] == "dynamic"
    assert item["open_ended_responses"]["most_valuable_aspect"] == "The wheels."
    assert item["technical_experience"]["technical_feedback"] is None


def test_the_session_tells_its_steps_times_and_flags(dynamic: StudentSession):
    QualityFlag.objects.create(student_session=dynamic, code="segment_too_fast", about="segment 1")
    QualityFlag.objects.create(student_session=dynamic, code="segment_too_fast", about="segment 2")
    [item] = items_of(dynamic, "session")
    assert item["completion_status"] == {
        "completed": True, "location_verified": True, "baseline_completed": True, "content_completed": True,
        "interventions_completed": 2, "final_assessment_completed": True, "post_survey_completed": True,
    }  # fmt: skip
    assert item["experimental_condition"]["location_name"] == "Iron works"
    assert item["timeline"]["content_duration_seconds"] == 300
    assert item["timeline"]["assessment_duration_seconds"] == 180
    spent = sum(dynamic.interventions.values_list("duration_seconds", flat=True))
    assert item["timeline"]["intervention_duration_seconds"] == items.measure(spent)
    assert item["student_metadata"]["prior_knowledge_score"] == items.measure(dynamic.prior_knowledge.score)
    assert item["metadata"]["data_quality_flags"] == ["segment_too_fast"]


def numbers(value: object) -> Iterator[object]:
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from numbers(part)
    elif not isinstance(value, bool | str | None):
        yield value


def test_every_item_passes_the_guards_and_every_number_is_a_decimal(runs: list[StudentSession]):
    for kind in KINDS.values():
        for newest in kind.newest(list(kind.everything().values_list("pk", flat=True))).values():
            for item in newest.values():
                guards.check(item, TABLES[keys.SOCRATIC])
                assert {type(number) for number in numbers(item)} <= {Decimal}


def test_the_queries_do_not_grow_with_the_number_of_runs(runs: list[StudentSession], django_assert_max_num_queries):
    ids = [run.pk for run in runs]
    for kind, most in (("session", 4), ("interventions", 3), ("assessments", 4), ("content_delivery", 3)):
        with django_assert_max_num_queries(most):
            KINDS[kind].newest(ids)


def test_what_the_triggers_note_down_is_spelled_as_the_keys_are(dynamic: StudentSession):
    OutboxItem.objects.all().delete()
    expected = {
        f"{item['PK']} {item['SK']}"
        for item in (*items_of(dynamic, "interventions"), *items_of(dynamic, "assessments"))
    }
    Intervention.objects.filter(student_session=dynamic).update(duration_seconds=1)
    Assessment.objects.filter(student_session=dynamic).update(duration_seconds=1)
    noted = {key for item in OutboxItem.objects.all() for key in item.former_keys}
    assert noted == expected


def test_what_has_no_item_yet_marks_nothing(dynamic: StudentSession):
    Intervention.objects.filter(student_session=dynamic).update(
        status="open", closed_at=None, number=1
    ) if False else None
    OutboxItem.objects.all().delete()
    Intervention.objects.filter(student_session=dynamic, number=1).update(status="abandoned")
    OutboxItem.objects.all().delete()
    Exchange.objects.filter(intervention__student_session=dynamic, intervention__number=1).update(question="Why?")
    assert not OutboxItem.objects.exists()


@pytest.mark.parametrize(
    ("rows", "kinds"),
    [
        (LocationVerification, {"location_verification", "session", "student_profile"}),
        (SurveyResponse, {"post_survey", "session"}),
        (Intervention, {"interventions", "session"}),
        (Assessment, {"assessments", "session", "student_profile"}),
    ],
)
def test_a_record_marks_what_shows_it(dynamic: StudentSession, rows: type, kinds: set[str]):
    OutboxItem.objects.all().delete()
    ids = rows.objects.filter(student_session=dynamic).values("pk")
    stamp = {"updated_at": timezone.now()} if hasattr(rows, "updated_at") else {}
    rows.objects.filter(pk__in=list(ids.values_list("pk", flat=True))).update(
        **(stamp or ({"attempts": 9} if rows is LocationVerification else {"duration_seconds": 7}))
    )
    assert {item.kind for item in OutboxItem.objects.all()} == kinds


def test_the_runs_of_a_student_go_in_one_transaction(drain: Outbox, tables: Tables, runs: list[StudentSession]):
    student = runs[0].student
    StudentSession.objects.filter(pk=runs[-1].pk).update(student=student)
    with mock.patch.object(Tables, "write_together", autospec=True, side_effect=Tables.write_together) as together:
        drain.drain()
    profiles = [w.key.pk for call in together.call_args_list for w in call.args[1] if w.key.sk == "PROFILE"]
    assert profiles.count(f"STUDENT#{student.pk}") == 1
    assert stored(tables, runs[-1])["METADATA"]["student_id"] == str(student.pk)
