"""A simulated study: whole, valid, balanced, marked, the same for the same seed, with the effects that it says."""

import io
import json
from collections import Counter
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Avg

from analytics_app.mirror.kinds import KINDS
from config.local.sample import seeded
from config.local.sample.pupils import Effects
from sessions_app.models import (
    Assessment,
    Assignment,
    Condition,
    ContentDelivery,
    Exchange,
    Intervention,
    LiveSession,
    LocationVerification,
    SessionCounter,
    SessionEvent,
    Student,
    StudentSession,
    Study,
    SurveyResponse,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 10, 21, 20, 0, tzinfo=UTC)


def seed(sessions: int, number: int = 5) -> Study:
    return seeded.seed(sessions=sessions, seed=number, now=NOW).study


def scores() -> list[tuple[str, float]]:
    return list(Assessment.objects.exclude(score_percentage=None).order_by("submitted_at", "score_percentage")
                .values_list("kind", "score_percentage"))  # fmt: skip


def test_a_simulated_study_has_every_record_of_every_run():
    seed(96)
    assert Assignment.objects.count() == 96
    whole = StudentSession.objects.filter(survey_response__isnull=False)
    assert 75 <= whole.count() < 96
    assert SurveyResponse.objects.count() == whole.count()
    handed_in = Assessment.objects.filter(student_session__in=whole, submitted_at__isnull=False)
    assert Counter(handed_in.values_list("kind", flat=True)) == {"baseline": whole.count(), "final": whole.count()}
    assert ContentDelivery.objects.filter(student_session__in=whole, ended_at__isnull=False).count() == whole.count()
    assert 0 < SurveyResponse.objects.exclude(most_valuable_aspect="").count() < whole.count()
    for run in whole.select_related("assignment__condition"):
        expected = {"2.5": 4, "5": 2, "10": 1}[run.assignment.condition.interval_key]
        assert run.interventions.filter(status="validated").count() == expected
    assert not Exchange.objects.filter(intervention__status="validated", answered_at=None).exists()
    assert set(Intervention.objects.values_list("kind", flat=True)) == {"static", "dynamic"}
    assert {v.outcome for v in LocationVerification.objects.exclude(location="on-site")} == {"not_asked"}
    assert ContentDelivery.objects.aggregate(mean=Avg("engagement"))["mean"] > 0.7


def test_cells_fill_in_blocks_that_can_be_drawn_again():
    seed(96)
    filled = Counter(Assignment.objects.values_list("condition__code", flat=True))
    assert set(filled.values()) == {4}
    assert len(filled) == Condition.objects.count()


def test_everything_is_marked_as_simulated_and_mirrored_as_the_sample_that_it_is():
    study = seed(24)
    assert study.is_simulated
    for model in (Student, LiveSession, StudentSession):
        assert not model.objects.exclude(is_simulated=True).exists()
    assert KINDS["session"].everything().count() == 24


def test_a_second_run_adds_what_is_missing_and_nothing_else():
    seed(30)
    first = scores()
    assert seeded.seed(sessions=30, seed=5, now=NOW).added == 0
    more = seeded.seed(sessions=60, seed=5, now=NOW)
    assert (more.added, more.sessions) == (30, 60)
    assert set(first) <= set(scores())
    assert Assignment.objects.filter(randomised=True).values("location", "block", "position").distinct().count() == 60


def test_the_same_seed_gives_the_same_numbers():
    seed(24)
    first = scores()
    Study.objects.update(name="Set aside")
    seeded.School.objects.update(name="Set aside")
    seeded.User.objects.update(username="aside")
    seed(24)
    twice = scores()
    assert sorted(twice) == sorted(first * 2)


def test_the_timeline_tells_what_happened_without_words():
    seed(24)
    counter = SessionCounter.objects.get()
    events = list(SessionEvent.objects.filter(session=counter.session_id).order_by("seq"))
    assert [event.seq for event in events] == list(range(1, counter.last_seq + 1))
    assert events[0].event_type == "configured"
    assert events[-1].event_type == "ended"
    kinds = Counter(event.event_type for event in events)
    assert kinds["condition_assigned"] == 24
    assert kinds["exchange_answer"] == Exchange.objects.count()
    answer = next(event for event in events if event.event_type == "exchange_answer")
    assert "text" not in answer.payload


def test_dynamic_questions_gain_more_as_was_built_in():
    seed(144)
    gains = dict(
        Assessment.objects.filter(kind="final", absolute_gain__isnull=False)
        .values_list("student_session__condition__intervention_type")
        .annotate(Avg("absolute_gain"))
    )
    assert gains["dynamic"] > gains["static"] > 0
    depths = dict(
        Intervention.objects.filter(status="validated").values_list("kind").annotate(Avg("average_answer_depth"))
    )
    assert depths["dynamic"] > depths["static"]
    assert Effects().of(Condition.objects.get(code="L1-I1-D")) == pytest.approx(0.16 + 0.06 + 0.04 + 0.03)


def test_the_command_says_what_it_did():
    out = io.StringIO()
    call_command("seed_study", "--sessions", "6", "--seed", "9", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert (told["study"], told["sessions"], told["added"], told["seed"]) == ("Simulated study 9", 6, 6, 9)
    assert told["effects"]["dynamic"] == 6
    out = io.StringIO()
    call_command("seed_study", "--sessions", "6", "--seed", "9", stdout=out)
    assert "6 sessions of 6 students, 0 of them added" in out.getvalue()


@pytest.mark.parametrize("wrong", [("--sessions", "0"), ("--sessions", "9999999"), ("--seed", "-1")])
def test_what_cannot_be_is_refused(wrong: tuple[str, str]):
    with pytest.raises(CommandError) as refused:
        call_command("seed_study", *wrong)
    assert refused.value.returncode == 2
