"""Prior knowledge and the survey: what was asked is answered, in kind; the quality of a run is looked at."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sessions_app.models import (
    AssessmentAnswer,
    Exchange,
    LiveSession,
    PriorKnowledge,
    QualityFlag,
    Student,
    StudentSession,
    SurveyResponse,
)
from sessions_app.models.forms import Block
from sessions_app.refusals import Refused
from sessions_app.study import journey, prior_knowledge, quality, surveys
from sessions_app.study.validation import Invalid
from tests.study_cast import assign, take_part, walk

NOW = timezone.now()
RATED = {"location_impact_rating": 4, "intervention_helpful_rating": 5, "overall_experience_rating": 3}


def submit(member: StudentSession, **answers: object) -> SurveyResponse:
    return surveys.survey_submit(member, answers=RATED | answers, seconds=90, at=NOW)


def test_a_survey_is_kept_by_attribute(sam_assigned: StudentSession):
    submit(sam_assigned, would_recommend_location=False, preferred_intervention_type="dynamic",
           most_valuable_aspect="  The river. ")  # fmt: skip
    kept = SurveyResponse.objects.get()
    assert (kept.location_impact_rating, kept.would_recommend_location, kept.most_valuable_aspect) == (
        4, False, "The river.",
    )  # fmt: skip
    assert (kept.duration_seconds, kept.started_at) == (90, NOW - timedelta(seconds=90))
    assert (kept.pacing_rating, kept.general_feedback) == (None, "")


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({"overall_experience_rating": None}, "overall_experience_rating"),
        ({"overall_experience_rating": 6}, "overall_experience_rating"),
        ({"overall_experience_rating": "5"}, "overall_experience_rating"),
        ({"overall_experience_rating": True}, "overall_experience_rating"),
        ({"would_recommend_location": "yes"}, "would_recommend_location"),
        ({"preferred_intervention_type": "both"}, "preferred_intervention_type"),
        ({"most_valuable_aspect": 7}, "most_valuable_aspect"),
        ({"most_valuable_aspect": "x" * 10_001}, "most_valuable_aspect"),
        ({"pacing_rating": 3}, "pacing_rating"),
        ({"shoe_size": 43}, "shoe_size"),
    ],
)
def test_an_answer_of_the_wrong_kind_is_named(sam_assigned: StudentSession, answers: dict[str, object], field: str):
    with pytest.raises(Invalid) as refused:
        submit(sam_assigned, **answers)
    assert refused.value.field == field
    assert not SurveyResponse.objects.exists()


def test_a_survey_is_handed_in_once(sam_assigned: StudentSession):
    submit(sam_assigned)
    with pytest.raises(Refused, match="submitted_already"):
        submit(sam_assigned)


def test_questions_come_by_block_in_their_order(sam_assigned: StudentSession):
    found = surveys.blocks(sam_assigned.assignment.survey)
    assert [block for block, _ in found] == [Block.LOCATION, Block.INTERVENTION, Block.LEARNING, Block.OPEN]
    assert [item.attribute for item in found[0][1]] == ["location_impact_rating", "would_recommend_location"]


def test_prior_knowledge_is_the_mean_of_three_answers(sam_assigned: StudentSession):
    prior_knowledge.prior_knowledge_give(sam_assigned, answers=[2, 3, 3], at=NOW)
    assert PriorKnowledge.objects.get().score == pytest.approx(8 / 3)
    with pytest.raises(Refused, match="answered_already"):
        prior_knowledge.prior_knowledge_give(sam_assigned, answers=[2, 3, 3], at=NOW)
    assert all("Iron" in statement for statement in prior_knowledge.statements("Iron"))


@pytest.mark.parametrize("answers", [[1, 2], [1, 2, 3, 4], [0, 1, 2], [1, 2, 6]])
def test_three_answers_from_one_to_five(sam_assigned: StudentSession, answers: list[int]):
    with pytest.raises(Invalid):
        prior_knowledge.prior_knowledge_give(sam_assigned, answers=answers, at=NOW)


# -- Quality


def flags(member: StudentSession) -> dict[str, str]:
    journey.run_finish(member, at=timezone.now())
    return dict(QualityFlag.objects.filter(student_session=member).values_list("code", "about"))


def test_a_plausible_run_has_no_flag_but_for_segments_that_nobody_played(sam_assigned: StudentSession):
    walk(sam_assigned)
    assert set(flags(sam_assigned)) == {"segment_too_fast"}


def test_an_intervention_that_was_left_is_flagged_and_missed(sam_assigned: StudentSession):
    walk(sam_assigned)
    left = sam_assigned.interventions.first()
    sam_assigned.interventions.filter(pk=left.pk).update(status="abandoned")
    found = flags(sam_assigned)
    assert found["intervention_abandoned"] == "intervention 1"
    assert "intervention_missing" in found


def test_answers_in_no_time_are_flagged(sam_assigned: StudentSession):
    walk(sam_assigned)
    Exchange.objects.update(response_seconds=0.4)
    assert flags(sam_assigned)["answers_too_fast"] == "interventions"


def test_a_form_answered_in_no_time_or_down_one_side_is_flagged(sam_assigned: StudentSession):
    walk(sam_assigned)
    AssessmentAnswer.objects.filter(assessment__kind="final").update(response_seconds=0.5)
    found = quality.run_check(sam_assigned, at=NOW)
    assert ("answers_too_fast", "final") in found
    assert ("answers_too_fast", "baseline") not in found


def test_ratings_that_are_all_the_same_are_flagged(sam_assigned: StudentSession):
    walk(sam_assigned)
    SurveyResponse.objects.update(
        location_impact_rating=3, intervention_helpful_rating=3, overall_experience_rating=3, pacing_rating=3
    )
    assert flags(sam_assigned)["straight_lining"] == "survey"


def test_on_site_without_a_verified_place_is_flagged(lesson_of_study: LiveSession, tia: Student):
    member = take_part(lesson_of_study, tia)
    assign(member, "L1-I1-D")
    assert "location_not_verified" in flags(member)
    walk(member)
    QualityFlag.objects.all().delete()
    assert "location_not_verified" not in flags(member)


def test_looking_twice_flags_once(sam_assigned: StudentSession):
    walk(sam_assigned)
    Exchange.objects.update(response_seconds=0.4)
    flags(sam_assigned)
    assert flags(sam_assigned)
    assert QualityFlag.objects.filter(code="answers_too_fast").count() == 1


def test_a_run_without_assignment_has_nothing_to_look_at(sam_in: StudentSession):
    assert quality.run_check(sam_in, at=NOW) == []


def test_a_clock_that_is_a_day_off_is_flagged(sam_assigned: StudentSession):
    quality.clock_check(sam_assigned, client_time=NOW + timedelta(minutes=5), received_at=NOW)
    quality.clock_check(sam_assigned, client_time=None, received_at=NOW)
    assert not QualityFlag.objects.exists()
    quality.clock_check(sam_assigned, client_time=NOW - timedelta(days=1), received_at=NOW)
    assert QualityFlag.objects.get().code == "clock_off"


@pytest.mark.parametrize(
    ("seconds", "fast"),
    [([], False), ([0.1, 0.1], False), ([0.1, 0.1, 9], True), ([0.1, 9, 9], False), ([None, 0.1, 0.1, 0.1], True)],
)
def test_when_answers_are_too_fast(seconds: list[float | None], fast: bool):
    assert quality.too_fast(seconds) is fast


def test_when_values_are_all_the_same():
    assert quality.is_straight([3, 3, 3, 3], least=4)
    assert not quality.is_straight([3, 3, 3], least=4)
    assert not quality.is_straight([3, 3, 3, 4], least=4)


def test_a_gap_is_five_minutes_in_which_nothing_happened_and_nothing_played():
    def at(minutes: float):
        return NOW + timedelta(minutes=minutes)

    assert quality.gap_in([at(0), at(6)])
    assert not quality.gap_in([at(0), at(4), at(8)])
    assert not quality.gap_in([at(0), at(12)], playing=[(at(1), at(11))])
    assert quality.gap_in([at(0), at(20)], playing=[(at(1), at(11))])
    assert not quality.gap_in([])
