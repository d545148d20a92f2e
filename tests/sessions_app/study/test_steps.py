"""A student's way through a study, action by action: what each writes, what is refused, what is said."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from sessions_app import events, lifecycle, timeline
from sessions_app.models import (
    Assessment,
    AssessmentItem,
    Assignment,
    Consent,
    ContentDelivery,
    Exchange,
    Intervention,
    LiveSession,
    LocationVerification,
    PriorKnowledge,
    QualityFlag,
    RefusedSubmission,
    Student,
    StudentSession,
    SurveyResponse,
    User,
)
from sessions_app.study import asking
from tests.cast import consent, join, story
from tests.sessions_app.study.deeds import act, answer, decide, hand_in, know, reach, refused, step
from tests.study_cast import TREDEGAR, take_part

pytestmark = pytest.mark.django_db


def test_a_student_goes_the_whole_way_with_questions_that_follow_the_answers(dynamic: StudentSession):
    decide(dynamic)
    assert step(dynamic) == "prior_knowledge"
    know(dynamic)
    assert step(dynamic) == "baseline"
    hand_in(dynamic, "baseline")
    assert step(dynamic) == "content"
    act(dynamic, events.ContentBegun(format="text", speed=1.25))
    for position, segment in ((150, 1), (300, 2)):
        reach(dynamic, position, segment)
        for _ in range(3):
            assert step(dynamic) == "intervention"
            assert asking.question_next(dynamic.pk)
            answer(dynamic)
    assert step(dynamic) == "final"
    hand_in(dynamic, "final")
    assert step(dynamic) == "survey"
    answers = {"location_impact_rating": 4, "intervention_helpful_rating": 5, "overall_experience_rating": 3}
    act(dynamic, events.SurveySubmitted(answers=answers, seconds=20))
    assert step(dynamic) == "done"
    pauses = Intervention.objects.filter(student_session=dynamic)
    assert [(p.number, p.status, p.questions_asked) for p in pauses] == [(1, "validated", 3), (2, "validated", 3)]
    assert SurveyResponse.objects.get(student_session=dynamic).overall_experience_rating == 3
    assert QualityFlag.objects.filter(student_session=dynamic, code="segment_too_fast").count() == 2
    heard = [kind for kind in story(dynamic.session) if kind not in {"consent", "configured", "started", "member_join"}]
    pause = ["content_reached", "intervention_opened", *["question_asked", "exchange_answer"] * 3]
    assert heard == [
        "condition_assigned", "prior_knowledge", "assessment_submitted", "content_begun",
        *pause, "intervention_closed", *pause, "intervention_closed", "assessment_submitted", "survey_submitted",
    ]  # fmt: skip


def test_questions_of_a_set_are_put_with_the_answer_before_them(static: StudentSession):
    decide(static)
    know(static)
    hand_in(static, "baseline")
    act(static, events.ContentBegun(format="text"))
    reach(static, 150)
    for number in (1, 2, 3):
        assert answer(static).question == f"Question 1.{number}?"
    assert not asking.question_next(static.pk)
    assert Intervention.objects.get(student_session=static).status == "validated"
    assert step(static) == "content"


def test_the_condition_is_given_once_everything_is_decided(dynamic: StudentSession):
    act(dynamic, events.ConsentGiven(purpose="participation", decision="granted", version="study-2026-1"))
    assert (step(dynamic), Assignment.objects.count()) == ("agree", 0)
    decide(dynamic)
    assert Assignment.objects.get(student_session=dynamic).condition.code == "L3-I1-D"


def test_who_takes_no_part_gets_no_condition_and_is_asked_nothing_more(dynamic: StudentSession):
    act(dynamic, events.ConsentGiven(purpose="participation", decision="refused", version="study-2026-1"))
    assert (step(dynamic), Assignment.objects.count()) == ("consent", 0)


def test_without_consent_to_it_there_is_no_survey(asked: StudentSession):
    consent(asked.student, "survey", decision="withdrawn", given_by="guardian")
    Intervention.objects.update(status="abandoned", closed_at=timezone.now())
    ContentDelivery.objects.update(ended_at=timezone.now() + timedelta(seconds=1))
    hand_in(asked, "final")
    assert step(asked) == "done"


def test_a_step_that_is_not_the_students_is_refused_and_what_was_sent_is_kept(dynamic: StudentSession):
    decide(dynamic)
    with refused("other_step"):
        hand_in(dynamic, "final")
    kept = RefusedSubmission.objects.get()
    assert (kept.action, kept.reason, len(kept.content["answers"])) == ("assessment_submitted", "other_step", 4)
    assert not Assessment.objects.exists()


def test_before_the_class_begins_nothing_of_a_study_is_taken(alice: User, grade_four, ironworks, sam: Student, session):
    LiveSession.objects.filter(pk=session.pk).update(study=ironworks, location="classroom")
    member = take_part(LiveSession.objects.get(pk=session.pk), sam)
    decide(member)
    with refused("not_started"):
        know(member)


def test_in_a_session_without_a_study_there_are_no_steps(started: LiveSession, sam: Student):
    with refused("no_study"):
        know(join(started, sam))


class TestPlace:
    @pytest.fixture
    def at_place(self, on_site: StudentSession) -> StudentSession:
        decide(on_site)
        know(on_site)
        assert step(on_site) == "place"
        return on_site

    def test_a_student_on_site_is_verified(self, at_place: StudentSession):
        latitude, longitude = map(float, TREDEGAR)
        act(at_place, events.PlaceChecked(outcome="position", latitude=latitude, longitude=longitude, accuracy=8.5))
        assert LocationVerification.objects.get().outcome == "verified"
        assert step(at_place) == "baseline"

    def test_no_coordinate_is_on_the_timeline(self, at_place: StudentSession):
        act(at_place, events.PlaceChecked(outcome="position", latitude=37.5, longitude=-77.4, accuracy=8.5))
        said = timeline.read(at_place.session_id)[-1]
        assert (said.event, said.data["found"]) == ("place", "outside")
        assert not {"latitude", "longitude", "accuracy", "user_agent"} & set(said.data)
        assert "37.5" not in str(said.data)

    @pytest.mark.parametrize("outcome", ["denied", "unavailable", "timeout", "unsupported"])
    def test_whatever_the_browser_says_the_student_can_go_on(self, at_place: StudentSession, outcome: Any):
        act(at_place, events.PlaceChecked(outcome=outcome))
        assert step(at_place) == "place"
        before = LocationVerification.objects.get()
        act(at_place, events.PlaceChecked(outcome="skipped", go_on=True))
        assert step(at_place) == "baseline"
        after = LocationVerification.objects.get()
        assert (after.outcome, after.reason, after.attempts) == (before.outcome, before.reason, 1)

    def test_who_never_tried_has_refused(self, at_place: StudentSession):
        act(at_place, events.PlaceChecked(outcome="skipped", go_on=True))
        assert LocationVerification.objects.get().outcome == "refused"

    def test_an_absurd_place_is_recorded_as_such(self, at_place: StudentSession):
        act(at_place, events.PlaceChecked(outcome="position", latitude=999.0, longitude=0.0, accuracy=0.0))
        found = LocationVerification.objects.get()
        assert (found.outcome, found.reason, found.latitude) == ("low_accuracy", "implausible", None)
        assert QualityFlag.objects.filter(code="position_implausible").exists()

    def test_without_consent_to_it_no_coordinate_is_kept(self, at_place: StudentSession):
        consent(at_place.student, "location", decision="withdrawn", given_by="guardian")
        act(at_place, events.PlaceChecked(outcome="position", latitude=37.5, longitude=-77.4, accuracy=8.5))
        assert LocationVerification.objects.get().latitude is None

    @pytest.mark.parametrize(("decision", "kept"), [("withdrawn", 0), ("granted", 1)])
    def test_nor_where_it_comes_at_another_step(self, at_place: StudentSession, decision: str, kept: int):
        consent(at_place.student, "location", decision=decision, given_by="guardian")
        act(at_place, events.PlaceChecked(outcome="skipped", go_on=True))
        with refused("other_step"):
            act(at_place, events.PlaceChecked(outcome="position", latitude=37.5, longitude=-77.4, accuracy=8.5))
        assert RefusedSubmission.objects.count() == kept


class TestAnswers:
    def test_an_answer_is_in_its_record_and_not_on_the_timeline(self, asked: StudentSession):
        given = answer(asked, "The canal brought the coal.")
        assert (given.answer, given.word_count) == ("The canal brought the coal.", 5)
        assert 0 < given.response_seconds < 4
        said = next(e for e in reversed(timeline.read(asked.session_id)) if e.event == "exchange_answer")
        assert (said.data["words"], said.data["number"], said.data["intervention"]) == (5, 1, 1)
        assert "canal" not in str(said.data)

    def test_the_same_key_is_answered_from_what_is_stored(self, asked: StudentSession):
        key = uuid.uuid4()
        waiting = Exchange.objects.get(answered_at=None)
        event = events.ExchangeAnswered(exchange=waiting.pk, text="Once.", seconds=1)
        assert act(asked, event, key=key) == act(asked, event, key=key)

    def test_the_same_key_with_other_words_is_refused(self, asked: StudentSession):
        key = uuid.uuid4()
        waiting = Exchange.objects.get(answered_at=None)
        act(asked, events.ExchangeAnswered(exchange=waiting.pk, text="Once."), key=key)
        with refused("key_reused"):
            act(asked, events.ExchangeAnswered(exchange=waiting.pk, text="Twice."), key=key)
        waiting.refresh_from_db()
        assert waiting.answer == "Once."

    def test_a_second_answer_is_refused_and_kept(self, asked: StudentSession):
        first = answer(asked, "The first.")
        with refused("answered_already"):
            act(asked, events.ExchangeAnswered(exchange=first.pk, text="The second."))
        assert RefusedSubmission.objects.get().content["text"] == "The second."
        first.refresh_from_db()
        assert first.answer == "The first."

    @pytest.mark.parametrize("text", ["", "  \n "])
    def test_an_empty_answer_is_refused_and_the_question_waits_on(self, asked: StudentSession, text: str):
        with refused("invalid"):
            answer(asked, text)
        assert answer(asked, "Now.").answer == "Now."

    def test_an_answer_that_is_too_long_is_refused_and_kept_whole(self, asked: StudentSession):
        with refused("invalid"):
            answer(asked, "x" * 10_001)
        assert len(RefusedSubmission.objects.get().content["text"]) == 10_001
        assert answer(asked, "x" * 10_000).character_count == 10_000

    def test_another_students_question_is_not_answered(self, asked: StudentSession, tia: Student):
        other = take_part(asked.session, tia)
        decide(other)
        waiting = Exchange.objects.get(answered_at=None)
        with refused("no_such_question"):
            act(other, events.ExchangeAnswered(exchange=waiting.pk, text="Not mine."))
        waiting.refresh_from_db()
        assert waiting.answer is None

    def test_an_answer_after_the_end_is_kept_apart(self, asked: StudentSession):
        waiting = Exchange.objects.get(answered_at=None)
        lifecycle.session_end(asked.session, by=asked.session.teacher)
        with refused("session_over"):
            act(asked, events.ExchangeAnswered(exchange=waiting.pk, text="Too late."))
        assert RefusedSubmission.objects.get().content["text"] == "Too late."
        assert Intervention.objects.get().status == "abandoned"

    def test_nothing_is_kept_of_who_took_their_consent_back(self, asked: StudentSession):
        waiting = Exchange.objects.get(answered_at=None)
        consent(asked.student, decision="withdrawn")
        with refused("consent_missing"):
            act(asked, events.ExchangeAnswered(exchange=waiting.pk, text="No more."))
        assert not RefusedSubmission.objects.exists()
        waiting.refresh_from_db()
        assert waiting.answer is None

    def test_a_clock_that_is_a_day_off_is_flagged_and_its_answer_taken(self, asked: StudentSession):
        assert answer(asked, "Now.", client_time=timezone.now() - timedelta(days=1)).answer == "Now."
        assert QualityFlag.objects.filter(student_session=asked, code="clock_off").exists()


def test_an_assessment_is_answered_one_by_one_and_changed_until_it_is_handed_in(dynamic: StudentSession):
    decide(dynamic)
    know(dynamic)
    first = AssessmentItem.objects.filter(form__kind="baseline").order_by("number").first()
    for option in (0, 1):
        act(dynamic, events.AssessmentAnswered(form="baseline", question=first.pk, answer=option, seconds=3))
    assert [a.chosen_option for a in Assessment.objects.get().answers.all()] == [1]
    said = timeline.read(dynamic.session_id)[-1].data
    assert (said["number"], "answer" in said) == (1, False)
    act(dynamic, events.AssessmentAnswered(form="baseline", question=first.pk, answer=None))
    said = timeline.read(dynamic.session_id)[-1].data
    assert (said["number"], said["taken_back"], Assessment.objects.get().answers.count()) == (1, True, 0)
    act(dynamic, events.AssessmentAnswered(form="baseline", question=first.pk, answer=1, seconds=3, taken_back=True))
    assert timeline.read(dynamic.session_id)[-1].data["taken_back"] is None
    act(dynamic, events.AssessmentSubmitted(form="baseline", answers=[]))
    assert Assessment.objects.get().questions_answered == 1


def test_prior_knowledge_is_given_once(dynamic: StudentSession):
    decide(dynamic)
    know(dynamic)
    with refused("other_step"):
        know(dynamic)
    assert PriorKnowledge.objects.get().score == pytest.approx(7 / 3)


def test_consents_are_the_students_own(dynamic: StudentSession):
    decide(dynamic, survey="refused")
    own = Consent.objects.filter(student=dynamic.student, given_by="student", version="study-2026-1")
    assert dict(own.values_list("purpose", "decision"))["survey"] == "refused"
