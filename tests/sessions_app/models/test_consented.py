"""The database writes no record of what a student did without a live consent for it."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from sessions_app.models import (
    Assessment,
    AssessmentAnswer,
    ContentDelivery,
    Exchange,
    Intervention,
    LocationVerification,
    PriorKnowledge,
    SegmentDelivery,
    StudentSession,
    SurveyResponse,
)
from tests.cast import consent


def prior_knowledge(member: StudentSession) -> PriorKnowledge:
    return PriorKnowledge.objects.create(student_session=member, answer_1=1, answer_2=2, answer_3=4)


def delivery(member: StudentSession) -> ContentDelivery:
    return ContentDelivery.objects.create(
        student_session=member, content=member.assignment.content, format_chosen="text"
    )


def intervention(member: StudentSession) -> Intervention:
    segment = member.assignment.content.segments.get(number=1)
    return Intervention.objects.create(
        student_session=member, number=1, kind="dynamic", segment=segment, location="classroom"
    )


def exchange(member: StudentSession) -> Exchange:
    return Exchange.objects.create(
        intervention=intervention(member), number=1, question="Why?", author="rules", author_version="1"
    )


def assessment(member: StudentSession) -> Assessment:
    return Assessment.objects.create(student_session=member, kind="baseline", form=member.assignment.baseline_form)


def survey(member: StudentSession) -> SurveyResponse:
    now = timezone.now()
    return SurveyResponse.objects.create(
        student_session=member, survey=member.assignment.survey, started_at=now, submitted_at=now, duration_seconds=0
    )


def place(member: StudentSession, **position: object) -> LocationVerification:
    return LocationVerification.objects.create(
        student_session=member, location="on-site", outcome="low_accuracy", **position
    )


@pytest.mark.parametrize("write", [prior_knowledge, delivery, intervention, assessment, survey, place])
def test_nothing_is_written_without_the_consent_to_take_part(sam_assigned: StudentSession, write):
    consent(sam_assigned.student, "participation", "withdrawn", given_by="student")
    with pytest.raises(IntegrityError, match="participation"), transaction.atomic():
        write(sam_assigned)


@pytest.mark.parametrize("write", [prior_knowledge, delivery, intervention, assessment, survey, place])
def test_with_consent_it_is_written(sam_assigned: StudentSession, write):
    assert write(sam_assigned).pk


def test_an_answer_after_the_withdrawal_is_not_written(sam_assigned: StudentSession):
    asked = exchange(sam_assigned)
    form = assessment(sam_assigned)
    item = sam_assigned.assignment.baseline_form.items.get(number=1)
    consent(sam_assigned.student, "participation", "withdrawn")
    now = timezone.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        Exchange.objects.filter(pk=asked.pk).update(
            answer="Because.", answered_at=now, response_seconds=1, word_count=1, character_count=8
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        AssessmentAnswer.objects.create(assessment=form, item=item, chosen_option=1, points_possible=1)


def test_play_time_after_the_withdrawal_is_not_written(sam_assigned: StudentSession):
    segment = sam_assigned.assignment.content.segments.get(number=1)
    met = SegmentDelivery.objects.create(
        delivery=delivery(sam_assigned), segment=segment, number=1, started_at=timezone.now()
    )
    consent(sam_assigned.student, "participation", "withdrawn")
    with pytest.raises(IntegrityError), transaction.atomic():
        SegmentDelivery.objects.filter(pk=met.pk).update(play_seconds=10)


def test_an_answer_can_be_erased_after_the_withdrawal(sam_assigned: StudentSession):
    asked = exchange(sam_assigned)
    answered = {"answered_at": timezone.now(), "response_seconds": 1, "word_count": 1, "character_count": 8}
    Exchange.objects.filter(pk=asked.pk).update(answer="Because.", **answered)
    consent(sam_assigned.student, "participation", "withdrawn")
    Exchange.objects.filter(pk=asked.pk).update(answer=None)
    asked.refresh_from_db()
    assert (asked.answer, asked.word_count) == (None, 1)


def test_coordinates_need_the_consent_to_the_place(sam_assigned: StudentSession):
    consent(sam_assigned.student, "location", "withdrawn")
    with pytest.raises(IntegrityError, match="location"), transaction.atomic():
        place(sam_assigned, latitude="37.5", longitude="-77.4")
    assert place(sam_assigned).latitude is None


def test_a_survey_needs_its_own_consent(sam_assigned: StudentSession):
    consent(sam_assigned.student, "survey", "refused", given_by="student")
    with pytest.raises(IntegrityError, match="survey"), transaction.atomic():
        survey(sam_assigned)


def test_the_prior_knowledge_score_is_the_mean(sam_assigned: StudentSession):
    written = prior_knowledge(sam_assigned)
    written.refresh_from_db()
    assert written.score == pytest.approx(7 / 3)


def test_a_closed_intervention_has_exactly_three_questions(sam_assigned: StudentSession):
    opened = intervention(sam_assigned)
    now = opened.opened_at + timedelta(seconds=9)
    with pytest.raises(IntegrityError), transaction.atomic():
        Intervention.objects.filter(pk=opened.pk).update(status="validated", questions_asked=2, closed_at=now)
    Intervention.objects.filter(pk=opened.pk).update(status="validated", questions_asked=3, closed_at=now)


def test_what_counts_is_a_teachers_score_where_there_is_one(sam_assigned: StudentSession):
    item = sam_assigned.assignment.baseline_form.items.get(number=4)
    answer = AssessmentAnswer.objects.create(
        assessment=assessment(sam_assigned), item=item, text="The river.", points_possible=3, points_auto=1
    )
    answer.refresh_from_db()
    assert answer.points_earned == 1
    AssessmentAnswer.objects.filter(pk=answer.pk).update(points_override=2, overridden_at=timezone.now())
    answer.refresh_from_db()
    assert (answer.points_auto, answer.points_earned) == (1, 2)


@pytest.mark.parametrize(
    "half",
    [
        {"latitude": "37.5"},
        {"outcome": "verified"},
        {"outcome": "verified", "latitude": "37.5", "longitude": "-77.4", "distance_m": 300, "radius_m": 200},
        {"latitude": "91", "longitude": "0"},
        {"accuracy_m": -1},
    ],
)
def test_a_verification_that_contradicts_itself_is_not_written(sam_assigned: StudentSession, half: dict[str, object]):
    fields = {"student_session": sam_assigned, "location": "on-site", "outcome": "outside"} | half
    with pytest.raises(IntegrityError), transaction.atomic():
        LocationVerification.objects.create(**fields)


def test_an_answer_is_written_whole_or_not_at_all(sam_assigned: StudentSession):
    asked = exchange(sam_assigned)
    for half in ({"answer": "Because."}, {"word_count": 1}, {"answered_at": timezone.now()}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Exchange.objects.filter(pk=asked.pk).update(**half)


def test_an_assessment_is_submitted_with_its_score(sam_assigned: StudentSession):
    form = assessment(sam_assigned)
    with pytest.raises(IntegrityError), transaction.atomic():
        Assessment.objects.filter(pk=form.pk).update(score_percentage=50)
    with pytest.raises(IntegrityError), transaction.atomic():
        Assessment.objects.filter(pk=form.pk).update(submitted_at=timezone.now(), duration_seconds=1)
