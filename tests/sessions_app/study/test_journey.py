"""Where a student is follows from the records alone, on any device; the teacher moves the slow on."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sessions_app.models import (
    Intervention,
    LiveSession,
    LocationVerification,
    QualityFlag,
    SchoolClass,
    Student,
    StudentSession,
    Study,
    User,
)
from sessions_app.refusals import Refused
from sessions_app.study import journey
from sessions_app.study.journey import Step
from tests.cast import consent, join, make_student
from tests.study_cast import study_session, take_part, walk

NOW = timezone.now()


@pytest.fixture
def on_site(ironworks: Study, alice: User, grade_four: SchoolClass, sam: Student) -> StudentSession:
    return take_part(study_session(alice, grade_four, ironworks, condition="L1-I1-D"), sam)


def test_the_whole_way(on_site: StudentSession):
    seen = []
    for step in (*list(Step)[1:4], Step.CONTENT, Step.INTERVENTION, Step.FINAL, Step.SURVEY, Step.DONE):
        walk(on_site, until=step)
        seen.append(journey.position(on_site).step)
    assert seen == [
        "prior_knowledge", "place", "baseline", "content", "intervention", "final", "survey", "done",
    ]  # fmt: skip
    whole = journey.position(on_site)
    assert whole.past[-1] == Step.SURVEY
    assert whole.place_in_order == 8


def test_without_agreement_nothing_begins(lesson_of_study: LiveSession, grade_four: SchoolClass):
    una = make_student(grade_four, "Una", consented=False)
    member = join(lesson_of_study, una)
    assert journey.position(member).step == Step.CONSENT
    with pytest.raises(Refused, match="consent_missing"):
        journey.require(member, Step.BASELINE)
    assert journey.require(member, Step.CONSENT).step == Step.CONSENT


def test_a_step_is_taken_in_its_turn(on_site: StudentSession):
    journey.run_begin(on_site, at=NOW)
    with pytest.raises(Refused, match="other_step"):
        journey.require(on_site, Step.FINAL)
    assert journey.require(on_site, Step.PRIOR_KNOWLEDGE, Step.PLACE).step == Step.PRIOR_KNOWLEDGE


def test_where_no_place_is_asked_for_the_step_is_past(
    sam_assigned: StudentSession, lesson_of_study: LiveSession, tia: Student
):
    member = take_part(lesson_of_study, tia)
    journey.run_begin(member, at=NOW)
    assert LocationVerification.objects.get(student_session=member).outcome == "not_asked"
    walk(member, until=Step.BASELINE)
    assert Step.PLACE in journey.position(member).past


def test_who_does_not_agree_to_the_survey_is_done_without_it(on_site: StudentSession):
    consent(on_site.student, "survey", "refused", given_by="student")
    walk(on_site, until=Step.DONE)
    assert not hasattr(StudentSession.objects.get(pk=on_site.pk), "survey_response")


def test_in_an_intervention_it_says_which_question_waits(on_site: StudentSession):
    walk(on_site, until=Step.INTERVENTION)
    here = journey.position(on_site)
    assert (here.number, here.answered, here.exchange) == (1, 0, None)


def test_everybodys_place_takes_the_same_queries(on_site: StudentSession, tia: Student, django_assert_num_queries):
    walk(on_site, until=Step.FINAL)
    other = take_part(on_site.session, tia)
    walk(other, until=Step.BASELINE)
    with django_assert_num_queries(1):
        found = journey.positions([on_site, other])
    assert [found[m.pk].step for m in (on_site, other)] == [Step.FINAL, Step.BASELINE]


def test_the_teacher_moves_a_student_on_and_back(on_site: StudentSession, alice: User):
    walk(on_site, until=Step.BASELINE)
    later = timezone.now() + timedelta(hours=1)
    assert journey.move_on(on_site, by=alice, at=later) == journey.Moved(Step.BASELINE, 0)
    here = journey.position(on_site)
    assert (here.step, here.moved_on) == (Step.CONTENT, (Step.BASELINE,))
    assert QualityFlag.objects.get(code="moved_on").about == "baseline"
    assert journey.move_back(on_site, at=later).step == Step.BASELINE
    assert journey.position(on_site).step == Step.BASELINE
    with pytest.raises(Refused, match="not_possible_now"):
        journey.move_back(on_site, at=later)


def test_an_intervention_that_is_left_is_abandoned_and_can_be_taken_back(on_site: StudentSession, alice: User):
    walk(on_site, until=Step.INTERVENTION)
    later = timezone.now() + timedelta(hours=1)
    assert journey.move_on(on_site, by=alice, at=later) == journey.Moved(Step.INTERVENTION, 1)
    assert (Intervention.objects.get().status, journey.position(on_site).step) == ("abandoned", Step.CONTENT)
    journey.move_back(on_site, at=later)
    assert (Intervention.objects.get().status, journey.position(on_site).step) == ("open", Step.INTERVENTION)


def test_what_the_student_went_on_with_is_not_taken_back(on_site: StudentSession, alice: User):
    walk(on_site, until=Step.BASELINE)
    journey.move_on(on_site, by=alice, at=timezone.now() - timedelta(hours=1))
    walk(on_site, until=Step.INTERVENTION)
    with pytest.raises(Refused, match="not_possible_now"):
        journey.move_back(on_site, at=timezone.now())


def test_nobody_is_moved_past_the_agreement_or_the_end(on_site: StudentSession, alice: User):
    walk(on_site)
    with pytest.raises(Refused, match="not_possible_now"):
        journey.move_on(on_site, by=alice, at=timezone.now())
    consent(on_site.student, "participation", "withdrawn")
    with pytest.raises(Refused, match="not_possible_now"):
        journey.move_on(on_site, by=alice, at=timezone.now())
