"""Answers are kept one by one, scored on submission; a teacher's points stand beside the scorer's."""

from datetime import timedelta
from decimal import Decimal
from threading import Thread

import pytest
from django.db import connection, transaction
from django.utils import timezone

from sessions_app.models import Assessment, AssessmentAnswer, AssessmentItem, LiveSession, Student, StudentSession, User
from sessions_app.refusals import Refused
from sessions_app.study import assessments
from sessions_app.study.assessments import Given
from sessions_app.study.validation import Invalid
from tests.bedrock_stand_in import BedrockStandIn, failing
from tests.study_cast import assign, take_part

NOW = timezone.now()
SHORT = "The James River gave water power."


def items(member: StudentSession, kind: str = "baseline") -> list[AssessmentItem]:
    return list(getattr(member.assignment, f"{kind}_form").items.order_by("number"))


def fill(member: StudentSession, kind: str, right: int, short: str = SHORT) -> Assessment:
    answers = [
        Given(item.pk, short if item.kind == "short_answer" else int(item.number <= right), 10)
        for item in items(member, kind)
    ]
    return assessments.assessment_submit(member, kind=kind, answers=answers, at=NOW)


def test_a_form_is_scored_when_it_is_handed_in(sam_assigned: StudentSession):
    done = fill(sam_assigned, "baseline", right=2)
    assert (done.total_questions, done.questions_answered, done.correct_answers) == (4, 4, 2)
    assert (done.total_points, done.points_earned) == (6, 4)
    assert done.score_percentage == pytest.approx(100 * 4 / 6)
    assert (done.multiple_choice_score, done.multiple_choice_possible) == (2, 3)
    assert (done.short_answer_score, done.short_answer_possible) == (2, 3)
    assert (done.average_response_seconds, done.duration_seconds) == (10, 40)
    assert done.grading_method == "automated_by_rules"
    short = AssessmentAnswer.objects.get(item__kind="short_answer")
    assert short.breakdown == {"mentions_river": 1.0, "mentions_water_power": 1.0, "mentions_transport": 0.0}
    assert (short.scorer, short.scorer_version, short.is_correct) == ("rules", "rubric-1", False)


def test_answers_are_kept_one_by_one_until_then(sam_assigned: StudentSession):
    first, *_ = items(sam_assigned)
    assessments.answer_keep(sam_assigned, kind="baseline", given=Given(first.pk, 0, 5), at=NOW)
    later = NOW + timedelta(seconds=20)
    assessments.answer_keep(sam_assigned, kind="baseline", given=Given(first.pk, 1, 9), at=later)
    kept = AssessmentAnswer.objects.get()
    assert (kept.chosen_option, kept.points_auto, kept.response_seconds) == (1, None, 9)
    done = assessments.assessment_submit(sam_assigned, kind="baseline", answers=[], at=later)
    assert (done.questions_answered, done.points_earned) == (1, 1)
    assert done.duration_seconds == pytest.approx(25)


def test_an_answer_that_is_taken_back_is_not_scored(sam_assigned: StudentSession):
    first, *_ = items(sam_assigned)
    assessments.answer_keep(sam_assigned, kind="baseline", given=Given(first.pk, 1, 5), at=NOW)
    assert assessments.answer_take_back(sam_assigned, kind="baseline", item_id=first.pk) == first
    done = assessments.assessment_submit(sam_assigned, kind="baseline", answers=[], at=NOW)
    assert (done.questions_answered, done.points_earned) == (0, 0)
    with pytest.raises(Refused, match="submitted_already"):
        assessments.answer_take_back(sam_assigned, kind="baseline", item_id=first.pk)
    with pytest.raises(Refused, match="no_such_question"):
        assessments.answer_take_back(sam_assigned, kind="final", item_id=first.pk)


def test_what_was_not_answered_earns_nothing(sam_assigned: StudentSession):
    done = assessments.assessment_submit(sam_assigned, kind="baseline", answers=[], at=NOW)
    assert (done.score_percentage, done.questions_answered, done.average_response_seconds) == (0, 0, None)


def test_the_final_form_carries_the_gains(sam_assigned: StudentSession):
    fill(sam_assigned, "baseline", right=1, short="No idea.")
    final = fill(sam_assigned, "final", right=3)
    before, after = 100 / 6, 100 * 5 / 6
    assert final.absolute_gain == pytest.approx(after - before)
    assert final.relative_gain == pytest.approx((after - before) / before * 100)
    assert final.normalized_gain == pytest.approx((after - before) / (100 - before))


def test_without_a_baseline_there_is_no_gain(sam_assigned: StudentSession):
    assert fill(sam_assigned, "final", right=3).absolute_gain is None


def test_a_form_is_handed_in_once(sam_assigned: StudentSession):
    fill(sam_assigned, "baseline", right=1)
    with pytest.raises(Refused, match="submitted_already"):
        fill(sam_assigned, "baseline", right=3)
    with pytest.raises(Refused, match="submitted_already"):
        assessments.answer_keep(sam_assigned, kind="baseline", given=Given(items(sam_assigned)[0].pk, 1), at=NOW)


@pytest.mark.parametrize("wrong", [-1, 3, "iron", True])
def test_a_choice_is_one_of_the_options(sam_assigned: StudentSession, wrong: int | str):
    with pytest.raises(Invalid) as refused:
        assessments.answer_keep(sam_assigned, kind="baseline", given=Given(items(sam_assigned)[0].pk, wrong), at=NOW)
    assert refused.value.field == "q1"


@pytest.mark.parametrize("wrong", [1, "", "   ", "x" * 10_001])
def test_a_short_answer_is_words(sam_assigned: StudentSession, wrong: int | str):
    with pytest.raises(Invalid) as refused:
        assessments.answer_keep(sam_assigned, kind="baseline", given=Given(items(sam_assigned)[3].pk, wrong), at=NOW)
    assert refused.value.field == "q4"


def test_a_question_of_another_form_is_not_answered(sam_assigned: StudentSession):
    with pytest.raises(Refused, match="no_such_question"):
        assessments.answer_keep(
            sam_assigned, kind="baseline", given=Given(items(sam_assigned, "final")[0].pk, 1), at=NOW
        )


def test_without_an_assignment_there_is_no_form(lesson_of_study: LiveSession, tia: Student):
    member = take_part(lesson_of_study, tia)
    with pytest.raises(Refused, match="other_step"):
        assessments.assessment_submit(member, kind="baseline", answers=[], at=NOW)


def test_a_teachers_points_count_and_the_scorers_stay(sam_assigned: StudentSession, alice: User):
    fill(sam_assigned, "baseline", right=1, short="No idea.")
    final = fill(sam_assigned, "final", right=3)
    answer = AssessmentAnswer.objects.get(assessment__kind="baseline", item__kind="short_answer")
    changed = assessments.answer_override(answer, points=Decimal(2), by=alice, note=" Said it aloud. ", at=NOW)
    answer.refresh_from_db()
    assert (answer.points_auto, answer.points_override, answer.points_earned) == (0, 2, 2)
    assert (answer.override_by, answer.override_note) == (alice, "Said it aloud.")
    assert (changed.points_earned, changed.grading_method) == (3, "automated_by_rules_and_teacher")
    before, final_now = final.absolute_gain, Assessment.objects.get(pk=final.pk)
    assert final_now.absolute_gain == pytest.approx(before - 100 * 2 / 6)


@pytest.mark.django_db(transaction=True)
def test_points_that_change_while_the_final_is_handed_in_count_in_its_gains(sam_assigned: StudentSession, alice: User):
    with transaction.atomic():
        baseline = fill(sam_assigned, "baseline", right=1, short="No idea.")
    answer = AssessmentAnswer.objects.get(item__kind="short_answer")

    def give() -> None:
        assessments.answer_override(answer, points=Decimal(2), by=alice, note="", at=NOW)
        connection.close()

    teacher = Thread(target=give)
    with transaction.atomic():
        final = fill(sam_assigned, "final", right=3)
        teacher.start()
        while teacher.is_alive() and not _somebody_waits():
            teacher.join(0.01)
    teacher.join()
    baseline.refresh_from_db()
    final.refresh_from_db()
    assert (baseline.points_earned, final.absolute_gain) == (
        3, pytest.approx(final.score_percentage - baseline.score_percentage),
    )  # fmt: skip


def _somebody_waits() -> bool:
    """Whether a connection to this database waits for a lock of another."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


def test_a_teacher_takes_the_points_back(sam_assigned: StudentSession, alice: User):
    done = fill(sam_assigned, "baseline", right=1)
    answer = AssessmentAnswer.objects.get(item__kind="short_answer")
    assessments.answer_override(answer, points=Decimal(0), by=alice, note="", at=NOW)
    again = assessments.answer_override(answer, points=None, by=alice, note="", at=NOW)
    answer.refresh_from_db()
    assert (answer.points_earned, answer.override_by, again.points_earned) == (2, None, done.points_earned)


@pytest.mark.parametrize("points", [Decimal(-1), Decimal("3.5")])
def test_a_teacher_gives_points_within_the_questions(sam_assigned: StudentSession, alice: User, points: Decimal):
    fill(sam_assigned, "baseline", right=1)
    answer = AssessmentAnswer.objects.get(item__kind="short_answer")
    with pytest.raises(Invalid):
        assessments.answer_override(answer, points=points, by=alice, note="", at=NOW)


def test_a_form_that_was_not_handed_in_has_no_points_to_change(sam_assigned: StudentSession, alice: User):
    answer = assessments.answer_keep(
        sam_assigned, kind="baseline", given=Given(items(sam_assigned)[3].pk, SHORT), at=NOW
    )
    with pytest.raises(Refused, match="not_possible_now"):
        assessments.answer_override(answer, points=Decimal(1), by=alice, note="", at=NOW)


# -- A language model looks again


def judged(**credits: float) -> dict[str, object]:
    whole = {"mentions_river": 0, "mentions_water_power": 0, "mentions_transport": 0} | credits
    return {"credits": whole, "feedback": "You name the river."}


@pytest.fixture
def handed_in(db: None, transactional_db: None, lesson_of_study: LiveSession, sam: Student) -> Assessment:
    member = take_part(lesson_of_study, sam)
    assign(member, "L3-I1-D")
    with transaction.atomic():
        return fill(member, "baseline", right=1)


def test_a_model_scores_again_after_the_submission(handed_in: Assessment, bedrock: BedrockStandIn, settings):
    settings.SCORER = "bedrock"
    bedrock.answers(judged(mentions_river=1, mentions_transport=0.5))
    assert assessments.answers_rescore(handed_in.pk) == 1
    answer = AssessmentAnswer.objects.get(item__kind="short_answer")
    assert (answer.points_auto, answer.scorer, answer.feedback) == (Decimal("1.5"), "bedrock", "You name the river.")
    again = Assessment.objects.get(pk=handed_in.pk)
    assert (again.points_earned, again.grading_method) == (Decimal("2.5"), "automated_with_ai")
    sent = bedrock.asked[0]
    assert SHORT in sent.prompt
    assert "L3" not in sent.prompt + sent.system
    assert assessments.answers_rescore(handed_in.pk) == 0


def test_a_model_that_answers_nonsense_leaves_the_score_of_the_rules(
    handed_in: Assessment, bedrock: BedrockStandIn, settings
):
    settings.SCORER = "bedrock"
    bedrock.answers(judged(mentions_river=7), {"credits": {"something_else": 1}, "feedback": ""})
    assert assessments.answers_rescore(handed_in.pk) == 0
    answer = AssessmentAnswer.objects.get(item__kind="short_answer")
    assert (answer.points_auto, answer.scorer, answer.fell_back) == (2, "rules", "invalid")


def test_a_model_that_is_down_leaves_the_score_of_the_rules(handed_in: Assessment, bedrock: BedrockStandIn, settings):
    settings.SCORER = "bedrock"
    bedrock.always(failing(400, "ValidationException"))
    assert assessments.answers_rescore(handed_in.pk) == 0
    assert AssessmentAnswer.objects.get(item__kind="short_answer").fell_back == "error"


def test_the_rules_alone_need_no_second_look(sam_assigned: StudentSession):
    assert assessments.answers_rescore(fill(sam_assigned, "baseline", right=1).pk) == 0
