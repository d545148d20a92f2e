"""Each metric of an hour against an example that can be counted by hand. Time zero is a full hour."""

import math
import uuid

import pytest

from analytics_app.rollups.hours import Cell
from analytics_app.rollups.metrics import METRICS
from analytics_app.rollups.source import measure
from sessions_app import events
from sessions_app.models import (
    AudioChunk,
    AudioStream,
    ModelCall,
    Reading,
    School,
    SchoolClass,
    Student,
    StudentSession,
    Transcript,
    User,
)
from tests.analytics_app.lesson import Lesson, minutes
from tests.cast import TIME_ZERO, consent, make_student

pytestmark = pytest.mark.django_db


@pytest.fixture
def lesson(alice: User, grade_four: SchoolClass) -> Lesson:
    return Lesson(alice, grade_four, groups=2)


def hour(lesson: Lesson, number: int = 0) -> dict[str, float | None]:
    """The metrics of the school's hour `number` after time zero."""
    [measured] = measure([Cell(minutes(60 * number), lesson.session.school_id)])
    return dict(measured.values)


def test_a_session_is_active_in_every_hour_that_its_span_meets(lesson: Lesson):
    lesson.start(at=30)
    lesson.end(at=150)
    assert [hour(lesson, n)["sessions_active"] for n in (-1, 0, 1, 2, 3)] == [0, 1, 1, 1, 0]
    assert [hour(lesson, n)["sessions_completed"] for n in (0, 1, 2)] == [0, 0, 1]


def test_a_session_that_was_never_started_is_neither_active_nor_completed(lesson: Lesson):
    lesson.end(at=30)
    assert (hour(lesson)["sessions_active"], hour(lesson)["sessions_completed"]) == (0, 0)


def test_teachers_and_students_are_active_once_however_often_they_do_something(
    lesson: Lesson, alice: User, grade_four: SchoolClass, sam: Student, tia: Student
):
    again = Lesson(alice, grade_four)
    for running in (lesson, again):
        member = running.join(sam, at=5)
        running.say(events.Presence(visible=True), at=6, about=member)
    lesson.join(tia, at=61)
    assert (hour(lesson)["teachers_active"], hour(lesson)["students_active"]) == (1, 1)
    assert hour(lesson, 1)["students_active"] == 1


def test_participation_is_the_share_of_those_who_are_in_with_a_contribution(
    lesson: Lesson, grade_four: SchoolClass, sam: Student, tia: Student
):
    uma = make_student(grade_four, "Uma")
    for student in (sam, tia, uma):
        lesson.say(events.Presence(visible=True), at=59, about=lesson.join(student, at=5))
    for member in StudentSession.objects.filter(student=sam):
        lesson.say(events.Ready(), at=6, about=member)
        lesson.say(events.Ready(), at=7, about=member)
    assert hour(lesson)["avg_participation_rate"] == pytest.approx(100 / 3)


def test_who_has_left_or_was_taken_out_is_not_in_the_session_any_more(lesson: Lesson, sam: Student, tia: Student):
    lesson.say(events.MemberLeave(), at=50, about=lesson.join(sam, at=5))
    lesson.say(events.MemberRemoved(), at=70, about=lesson.join(tia, at=5))
    lesson.say(events.GroupsMade(groups=2), at=150)
    assert [hour(lesson, n)["students_joined"] for n in (0, 1, 2)] == [2, 1, 0]


def test_who_comes_back_is_in_again(lesson: Lesson, sam: Student):
    member = lesson.join(sam, at=5)
    lesson.say(events.MemberLeave(), at=10, about=member)
    lesson.say(events.MemberJoin(again=True), at=130, about=member)
    assert [hour(lesson, n)["students_joined"] for n in (0, 1, 2)] == [1, 0, 1]


def test_engagement_is_the_share_of_minutes_present_with_a_contribution(lesson: Lesson, sam: Student):
    member = lesson.join(sam, at=0)
    lesson.connect(member, at=0, until=10)
    for at in (1.2, 1.9, 4.0, 7.5, 12.5):
        lesson.say(events.Ready(), at=at, about=member)
    # Ten minutes connected, and the thirteenth in which he contributed without a connection; four with a contribution.
    assert hour(lesson)["avg_engagement_score"] == pytest.approx(100 * 4 / 11)


def test_collaboration_is_how_evenly_a_group_contributes(lesson: Lesson, grade_four: SchoolClass):
    for label, group, contributions in (("A", 1, 3), ("B", 1, 1), ("C", 2, 2), ("D", 2, 2), ("E", None, 5)):
        member = lesson.join(make_student(grade_four, label), at=1, group=group)
        for at in range(contributions):
            lesson.say(events.Ready(), at=2 + at, about=member)
    uneven = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25)) / math.log(2)
    assert hour(lesson)["avg_collaboration_score"] == pytest.approx(100 * (uneven + 1) / 2)


def test_a_group_in_which_one_does_everything_collaborates_not_at_all(lesson: Lesson, sam: Student, tia: Student):
    lesson.say(events.Ready(), at=2, about=lesson.join(sam, at=1, group=1))
    lesson.join(tia, at=1, group=1)
    assert hour(lesson)["avg_collaboration_score"] == 0


def test_a_group_of_one_and_a_silent_group_say_nothing_about_collaboration(lesson: Lesson, sam: Student, tia: Student):
    lesson.say(events.Ready(), at=2, about=lesson.join(sam, at=1, group=1))
    lesson.join(tia, at=1, group=2)
    assert hour(lesson)["avg_collaboration_score"] is None


def test_quality_is_the_mean_of_three_where_two_are_defined(lesson: Lesson, sam: Student, tia: Student):
    member = lesson.join(sam, at=0)
    assert hour(lesson)["avg_session_quality"] is None
    lesson.connect(member, at=0, until=2)
    lesson.say(events.Ready(), at=0.5, about=member)
    assert hour(lesson)["avg_session_quality"] == pytest.approx((100 + 50) / 2)


def test_stability_is_connected_time_over_connected_and_dropped_time(lesson: Lesson, sam: Student):
    member = lesson.join(sam, at=0)
    lesson.connect(member, at=0, until=20)
    lesson.connect(member, at=30, until=50)
    lesson.end(at=50)
    assert hour(lesson)["avg_connection_stability"] == pytest.approx(100 * 40 / 50)


def test_a_drop_is_shared_out_over_the_hours_in_which_it_lasts(lesson: Lesson, sam: Student):
    member = lesson.join(sam, at=0)
    lesson.connect(member, at=0, until=30)
    lesson.connect(member, at=75, until=120)
    lesson.end(at=120)
    assert hour(lesson, 0)["avg_connection_stability"] == pytest.approx(100 * 30 / 60)
    assert hour(lesson, 1)["avg_connection_stability"] == pytest.approx(100 * 45 / 60)


@pytest.mark.parametrize("gone", [events.MemberLeave(), events.MemberRemoved()])
def test_who_has_gone_does_not_count_as_dropped(lesson: Lesson, sam: Student, gone: events.Event):
    member = lesson.join(sam, at=0)
    lesson.connect(member, at=0, until=20)
    lesson.say(gone, at=25, about=member)
    lesson.end(at=50)
    assert hour(lesson)["avg_connection_stability"] == pytest.approx(100 * 20 / 25)


def test_a_connection_whose_end_was_never_written_lasts_until_the_last_sign_of_life(
    lesson: Lesson, sam: Student, tia: Student
):
    member = lesson.join(sam, at=0)
    lesson.connect(member, at=0)
    lesson.say(events.Latency(rtt_ms=20), at=14.25, about=member)
    lesson.connect(member, at=20, until=30)
    lesson.end(at=30)
    # A page speaks every half minute, so it counts as connected for 45 s after it spoke.
    assert hour(lesson)["avg_connection_stability"] == pytest.approx(100 * 25 / 30)


def test_the_newest_connection_counts_where_an_older_one_closes_after_it(lesson: Lesson, sam: Student):
    member = lesson.join(sam, at=0)
    lesson.connect(member, at=0, until=40)
    lesson.connect(member, at=20, until=60)
    lesson.end(at=60)
    assert hour(lesson)["connected_seconds"] == 3600
    assert hour(lesson)["avg_connection_stability"] == 100


def test_a_session_that_was_forgotten_does_not_count_its_idle_hours_as_drops(lesson: Lesson, sam: Student):
    member = lesson.join(sam, at=0)
    lesson.connect(member, at=0, until=50)
    lesson.end(at=230, reason="idle")
    assert hour(lesson)["avg_connection_stability"] == 100
    assert hour(lesson, 2)["students_joined"] == 0


def test_errors_alerts_sockets_and_latency_are_counted(lesson: Lesson, sam: Student):
    member = lesson.join(sam, at=0)
    lesson.connect(member, at=0)
    lesson.say(events.ClientError(where="page", message="it broke"), at=1, about=member)
    lesson.say(events.ActionRefused(action="ready", reason="not_started"), at=2, about=member)
    lesson.say(events.HelpRequest(), at=3, about=member)
    for rtt in (20, 40):
        lesson.say(events.Latency(rtt_ms=rtt), at=4, about=member)
    counted = hour(lesson)
    assert (counted["total_errors"], counted["total_alerts"], counted["websocket_connections"]) == (2, 1, 1)
    assert counted["avg_latency_ms"] == 30
    assert counted["error_rate"] == pytest.approx(2 / counted["events_total"])
    assert 0 < counted["total_storage_gb"] < 1e-5


def test_groups_are_counted_as_they_stood_at_the_end_of_the_hour(lesson: Lesson, sam: Student, tia: Student):
    lesson.start(at=0)
    one, two = lesson.groups
    leads, follows = lesson.join(sam, at=1, group=1), lesson.join(tia, at=1, group=2)
    lesson.say(events.LeaderReady(ready=True, group=one.pk), at=5, about=leads)
    lesson.say(events.LeaderReady(ready=True, group=two.pk), at=6, about=follows)
    lesson.say(events.LeaderReady(ready=False, group=two.pk), at=70, about=follows)
    lesson.say(events.GroupsMade(groups=3), at=130)
    found = [hour(lesson, n) for n in (0, 1, 2)]
    assert [(h["total_groups"], h["ready_groups"]) for h in found] == [(2, 2), (2, 1), (3, 0)]


def test_a_group_is_not_ready_any_more_when_its_leader_goes_or_another_leads(
    lesson: Lesson, sam: Student, tia: Student
):
    lesson.start(at=0)
    one, two = lesson.groups
    leads, follows = lesson.join(sam, at=1, group=1), lesson.join(tia, at=1, group=2)
    for group, member in ((one, leads), (two, follows)):
        lesson.say(events.LeaderReady(ready=True, group=group.pk), at=5, about=member)
    lesson.say(events.MemberLeave(), at=10, about=leads)
    assert hour(lesson)["ready_groups"] == 1
    lesson.say(events.LeaderChosen(group=two.pk, number=2), at=11, about=follows)
    assert hour(lesson)["ready_groups"] == 0


def test_simulated_data_is_left_out(alice: User, grade_four: SchoolClass, lesson: Lesson, sam: Student, tia: Student):
    simulated = Lesson(alice, grade_four, is_simulated=True)
    simulated.start(at=0)
    simulated.connect(simulated.join(sam, at=1), at=1, until=5)
    lesson.join(tia, at=1, is_simulated=True)
    counted = hour(lesson)
    assert (counted["sessions_active"], counted["students_active"], counted["students_joined"]) == (0, 0, 0)


def test_simulated_data_of_the_sample_school_is_what_it_is_for(lesson: Lesson, sam: Student):
    School.objects.update(is_sample=True)
    lesson.session.__class__.objects.update(is_simulated=True)
    lesson.start(at=0)
    lesson.join(sam, at=1, is_simulated=True)
    assert (hour(lesson)["sessions_active"], hour(lesson)["students_joined"]) == (1, 1)


def test_another_school_is_counted_by_itself(lesson: Lesson, charlie: User, class_elsewhere: SchoolClass, umi: Student):
    elsewhere = Lesson(charlie, class_elsewhere)
    elsewhere.join(umi, at=1)
    cells = [Cell(TIME_ZERO, charlie.school_id), Cell(TIME_ZERO, lesson.session.school_id)]
    counted = {measured.cell: measured.values for measured in measure(cells)}
    assert [counted[cell]["students_active"] for cell in cells] == [1, 0]


def test_an_hour_with_nothing_in_it_has_counts_of_zero_and_no_averages(school: School):
    [measured] = measure([Cell(TIME_ZERO, school.pk)])
    assert {value for column, value in measured.values.items() if column.startswith("avg_")} == {None}
    assert (measured.values["sessions_active"], measured.values["students_active"]) == (0, 0)
    assert measured.values["data_sources_count"] == 0


def reads(member: StudentSession, *, words: int, confidence: float | None, at: float, chunk: int = 0) -> None:
    """A student read an utterance of so many words, two to a second; `chunk` bytes of sound came with it."""
    reading = Reading.objects.filter(student_session=member).first() or Reading.objects.create(
        school=member.school, student_session=member, started_at=minutes(0)
    )
    Transcript.objects.create(
        reading=reading, number=reading.transcripts.count(), starts=0, ends=words / 2, text="a " * words,
        words=[["a", n / 2, n / 2 + 0.4, confidence] for n in range(words)], confidence=confidence, engine="a test",
        created_at=minutes(at),
    )  # fmt: skip
    stream = AudioStream.objects.create(
        reading=reading, number=reading.streams.count(), codec="pcm", opened_at=minutes(at)
    )
    AudioChunk.objects.create(stream=stream, number=0, bytes=chunk, starts=0, seconds=1, received_at=minutes(at))


def test_audio_quality_weighs_each_word_alike(lesson: Lesson, sam: Student):
    consent(sam, "audio")
    member = lesson.join(sam, at=0)
    reads(member, words=30, confidence=0.9, at=5)
    reads(member, words=10, confidence=0.5, at=6)
    reads(member, words=20, confidence=None, at=7)
    assert hour(lesson)["avg_audio_quality"] == pytest.approx(80)
    assert hour(lesson)["total_transcription_minutes"] == pytest.approx(30 / 60)
    assert hour(lesson, 1)["avg_audio_quality"] is None


def test_what_is_said_counts_in_the_hour_in_which_it_was_written_down(lesson: Lesson, sam: Student):
    consent(sam, "audio")
    member = lesson.join(sam, at=0)
    lesson.end(at=70)
    before = hour(lesson)["total_storage_gb"]
    reads(member, words=12, confidence=0.9, at=59, chunk=4_000_000)
    reads(member, words=24, confidence=0.9, at=60, chunk=2_000_000)
    assert [hour(lesson, n)["total_transcription_minutes"] for n in (0, 1)] == [pytest.approx(0.1), pytest.approx(0.2)]
    assert hour(lesson)["total_storage_gb"] - before == pytest.approx(0.004, rel=0.01)


def test_prompts_interventions_and_response_times_are_counted(lesson: Lesson, sam: Student):
    consent(sam, "audio")
    member = lesson.join(sam, at=0)
    help_ = uuid.uuid4()
    lesson.say(events.InterventionOpened(number=1, of=3, kind="static"), at=1, about=member)
    for number, seconds in ((1, 10), (2, 30)):
        lesson.say(events.QuestionAsked(intervention=1, number=number, author="set"), at=2, about=member)
        answer = events.ExchangeAnswered(exchange=uuid.uuid4(), text="", intervention=1, response_seconds=seconds)
        lesson.say(answer, at=3, about=member)
    lesson.say(events.QuestionAsked(intervention=1, number=3, author="set"), at=4, about=member)
    given = events.HelpGiven(help=help_, index=3, word="bank", reason="pause", author="rules")
    lesson.say(given, at=5, about=member)
    for at in (6, 7):
        lesson.say(events.HelpPlayed(help=help_), at=at, about=member)
    counted = hour(lesson)
    assert (counted["total_prompts_generated"], counted["total_prompts_used"]) == (4, 3)
    assert (counted["total_interventions"], counted["avg_response_time"]) == (1, 20)


def test_being_stuck_and_struggling_are_alerts(lesson: Lesson, sam: Student):
    consent(sam, "audio")
    member = lesson.join(sam, at=0)
    lesson.say(events.Stuck(word=3), at=1, about=member)
    heard = events.Struggle(reading=uuid.uuid4(), sign="pause", index=3, word="bank", seconds=4)
    lesson.say(heard, at=2, about=member)
    assert hour(lesson)["total_alerts"] == 2


def call(school: School | None, *, at: float, outcome: str = "ok", ms: int = 1000, cost: str | None = "0.25") -> None:
    ModelCall.objects.create(
        school=school, purpose="analysis", model="a model", outcome=outcome, latency_ms=ms, at=minutes(at),
        cost_usd=cost, prompt_tokens=1, completion_tokens=1,
    )  # fmt: skip


def test_calls_of_language_models_are_counted_timed_and_priced(school: School, lesson: Lesson):
    call(school, at=1, ms=1000)
    call(school, at=2, ms=3000)
    call(school, at=3, outcome="timeout", ms=60_000, cost="0")
    call(None, at=4)
    counted = hour(lesson)
    assert (counted["ai_analyses_completed"], counted["avg_ai_processing_time"]) == (2, 2)
    assert counted["ai_analysis_success_rate"] == pytest.approx(200 / 3)
    assert counted["estimated_compute_cost"] == 0.5


def test_an_unpriced_call_leaves_the_cost_open(school: School, lesson: Lesson):
    assert hour(lesson)["estimated_compute_cost"] == 0
    call(school, at=1, cost=None)
    assert hour(lesson)["estimated_compute_cost"] is None


def test_every_metric_that_is_shown_says_what_it_is_and_why_it_may_be_missing():
    for metric in METRICS:
        if metric.label:
            assert metric.definition, metric.column
        if metric.column.startswith("avg_"):
            assert metric.undefined, metric.column
