"""What a reading comes to: minutes, miscues, the summary; and what a teacher decides about them."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from sessions_app import lifecycle
from sessions_app.models import (
    BatchMetrics,
    LiveSession,
    Miscue,
    Reading,
    SessionEvent,
    SessionSummary,
    SpokenResult,
    StudentSession,
    User,
)
from sessions_app.reading import course, desk, figures, settling, speaking
from sessions_app.refusals import Refused
from tests.cast import consent
from tests.reading_cast import TEXT, Listener, Read, heard

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 10, 20, 14, 30, tzinfo=UTC)


def refusal(work: object, *args: object, **kwargs: object) -> str:
    with pytest.raises(Refused) as refused:
        work(*args, **kwargs)  # type: ignore[operator]
    return refused.value.code


MISREAD = "by the spring of the year a channel ran along bank boats brought big coal and iron from the west"
"""The third sentence is not reached; canal is said otherwise, `the` left out before bank, `big` added before coal."""


def marks(reading: Reading) -> list[tuple[str, int, str, str]]:
    return list(Miscue.objects.filter(reading=reading).values_list("type", "index", "expected", "heard"))


def test_the_miscues_of_a_reading_are_kept_with_their_place(has_read: Read):
    reading = has_read(MISREAD)
    assert marks(reading) == [
        ("substitution", 7, "canal", "channel"),
        ("omission", 10, "the", ""),
        ("insertion", 14, "", "big"),
    ]
    assert all(Miscue.objects.values_list("counted", flat=True))


def test_the_summary_says_what_the_reading_comes_to(has_read: Read):
    reading = has_read(MISREAD, seconds=30)
    summary = SessionSummary.objects.get()
    assert (summary.words, summary.attempted, summary.correct, summary.seconds) == (20, 20, 18, 30)
    assert summary.wcpm == pytest.approx(36)
    assert summary.accuracy == pytest.approx(85)
    assert (summary.omissions, summary.insertions, summary.substitutions) == (1, 1, 1)
    assert summary.insights == {"reading_speed": None, "total_miscues": 3, "miscue_rate": 0.15}
    assert (summary.grade_level, summary.grade_level_reason) == ("", "one_window")
    assert (reading.state, reading.end_reason, reading.position) == ("ended", "stopped", 20)
    ended = SessionEvent.objects.get(event_type="reading_ended")
    assert (ended.payload["wcpm"], ended.payload["accuracy"]) == (36.0, 85.0)


def test_windows_are_minutes_of_sound(has_read: Read):
    has_read(MISREAD, seconds=80)
    first, second = BatchMetrics.objects.order_by("number")
    assert (first.starts, first.ends, first.words, first.omissions) == (0, 60, 20, 1)
    assert (second.starts, second.ends, second.words, second.confidence) == (60, 80, 0, None)


def test_a_grade_level_needs_two_minutes_and_a_grade(has_read: Read, sam_reads: StudentSession):
    has_read(TEXT.lower().replace(".", "").replace(",", ""), seconds=100)
    summary = SessionSummary.objects.get()
    assert (summary.grade_level, summary.grade_level_reason) == ("below_grade_level", "")
    assert summary.insights["reading_speed"] == "below_grade_level"


def test_computing_again_changes_nothing(has_read: Read, listener: Listener):
    reading = has_read(MISREAD)
    before = (marks(reading), SessionSummary.objects.values().get())
    settling.reading_settle(reading.pk, at=before[1]["updated_at"])
    assert (marks(reading), SessionSummary.objects.values().get()) == before


def test_nobody_computes_what_is_listened_to(reading: Reading, listener: Listener):
    assert settling.reading_settle(reading.pk, at=NOW) is False


def test_words_that_came_late_are_counted(has_read: Read, listener: Listener, reading: Reading):
    has_read(MISREAD)
    late = Listener(reading)
    late.number = 1
    late.hears("in the foundry")
    settling.reading_settle(reading.pk, at=timezone.now(), holder=late.holder)
    summary = SessionSummary.objects.get()
    assert (summary.words, summary.attempted) == (23, 23)


def test_a_reading_ends_with_its_session(
    reading: Reading, listener: Listener, reading_session: LiveSession, alice: User
):
    lifecycle.session_end(reading_session, by=alice)
    settling.reading_settle(reading.pk, at=timezone.now(), holder=listener.holder)
    assert Reading.objects.get(pk=reading.pk).end_reason == "session_over"


def test_nothing_more_is_written_after_a_consent_was_taken_back(
    reading: Reading, listener: Listener, sam_reads: StudentSession
):
    listener.hears(MISREAD)
    consent(sam_reads.student, "audio", "withdrawn")
    settling.reading_settle(reading.pk, at=timezone.now(), holder=listener.holder)
    assert not BatchMetrics.objects.exists()
    assert SessionSummary.objects.get().words == 20


# -- the desk


@pytest.fixture
def substitution(has_read: Read) -> Miscue:
    has_read(MISREAD, seconds=30)
    return Miscue.objects.get(type="substitution")


def test_an_accepted_mark_changes_no_figure(substitution: Miscue, alice: User):
    desk.miscue_accept(substitution, by=alice, at=NOW)
    summary = SessionSummary.objects.get()
    assert (summary.decided, summary.agreed, summary.wcpm) == (1, 1, pytest.approx(36))


def test_a_corrected_mark_changes_the_figures_and_keeps_the_machines(substitution: Miscue, alice: User):
    desk.miscue_correct(substitution, to="", reason="It is the same word in her dialect.", by=alice, at=NOW)
    summary = SessionSummary.objects.get()
    assert (summary.correct, summary.substitutions) == (19, 0)
    assert (summary.wcpm, summary.machine_wcpm) == (pytest.approx(38), pytest.approx(36))
    assert (summary.accuracy, summary.machine_accuracy) == (pytest.approx(90), pytest.approx(85))
    assert (summary.decided, summary.agreed) == (1, 0)
    assert Miscue.objects.get(pk=substitution.pk).decided_by == alice


def test_a_correction_says_why(substitution: Miscue, alice: User):
    assert refusal(desk.miscue_correct, substitution, to="", reason=" ", by=alice, at=NOW) == "reason_missing"
    assert refusal(desk.miscue_correct, substitution, to="dance", reason="x", by=alice, at=NOW) == "no_such_mark"


def test_correcting_to_what_was_heard_accepts_it(substitution: Miscue, alice: User):
    desk.miscue_correct(substitution, to="substitution", reason="yes", by=alice, at=NOW)
    assert Miscue.objects.get(pk=substitution.pk).decision == "accepted"


def test_a_decision_is_taken_back(substitution: Miscue, alice: User):
    desk.miscue_correct(substitution, to="", reason="She said canal.", by=alice, at=NOW)
    desk.miscue_reopen(substitution, by=alice, at=NOW)
    summary = SessionSummary.objects.get()
    assert (summary.decided, summary.correct) == (0, 18)


def test_a_word_that_the_machine_took_as_read_is_marked(substitution: Miscue, alice: User):
    reading = substitution.reading
    added = desk.miscue_add(reading, index=2, to="substitution", heard="sprang", reason="Clear.", by=alice, at=NOW)
    assert added.expected == "spring"
    summary = SessionSummary.objects.get()
    assert (summary.correct, summary.machine_wcpm, summary.decided, summary.agreed) == (17, pytest.approx(36), 1, 0)
    assert desk.miscue_reopen(added, by=alice, at=NOW) is None
    assert SessionSummary.objects.get().correct == 18


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"index": 900}, "no_such_word"),
        ({"to": ""}, "no_such_mark"),
        ({"reason": ""}, "reason_missing"),
        ({"index": 7}, "marked_already"),
    ],
)
def test_a_mark_that_cannot_be_is_refused(substitution: Miscue, alice: User, changes: dict[str, object], code: str):
    wanted = {"index": 2, "to": "omission", "heard": "", "reason": "Left out.", "by": alice, "at": NOW} | changes
    assert refusal(desk.miscue_add, substitution.reading, **wanted) == code


def test_what_is_still_listened_to_is_not_decided_about(substitution: Miscue, alice: User):
    Reading.objects.update(settled_at=None)
    assert refusal(desk.miscue_accept, substitution, by=alice, at=NOW) == "not_settled"


def test_decisions_stay_when_the_reading_is_computed_again(substitution: Miscue, alice: User):
    desk.miscue_correct(substitution, to="omission", reason="Silence there.", by=alice, at=NOW)
    settling.reading_settle(substitution.reading_id, at=NOW)
    again = Miscue.objects.get(pk=substitution.pk)
    assert (again.decision, again.stands_as) == ("corrected", "omission")
    assert Miscue.objects.filter(index=7).count() == 1


def test_what_the_machine_doubts_counts_when_a_teacher_accepts_it():
    unsure = Miscue(type="substitution", index=3, counted=False)
    before = figures.by_the_machine([unsure], attempted=10, seconds=60)
    unsure.decision = "accepted"
    after = figures.as_decided([unsure], attempted=10, seconds=60)
    assert (before.correct, after.correct, after.counts.substitutions) == (10, 9, 1)
    assert (before + after).attempted == 20


def test_figures_without_sound_or_words_are_undefined():
    nothing = figures.by_the_machine([], attempted=0, seconds=0)
    assert (nothing.wcpm, nothing.accuracy, figures.agreement([]).share) == (None, None, None)


# -- free speech


def test_free_speech_is_measured_by_rate_and_pauses():
    words = heard("one two three four five six seven eight nine ten eleven twelve", every=0.4)
    steady = speaking.result_of(words, seconds=6)
    assert (steady.pauses, steady.wpm) == (0, 120)
    assert steady.fluency == pytest.approx(50 * 120 / 130 + 50)
    assert steady.pronunciation == pytest.approx(90)
    later = [type(w)(w.word, w.start + 3, w.end + 3, w.confidence) for w in words[6:]]
    halting = speaking.result_of([*words[:6], *later], seconds=9)
    assert halting.pauses == 1
    assert halting.fluency < steady.fluency


def test_what_cannot_be_computed_is_absent():
    few = speaking.result_of(heard("good morning"), seconds=4)
    assert (few.fluency, few.fluency_reason, few.pronunciation_reason) == (None, "too_few_words", "too_few_words")
    unclear = speaking.result_of(heard("a b c d e f g h i j", confidence=None), seconds=5)
    assert (unclear.pronunciation, unclear.pronunciation_reason) == (None, "no_confidence")
    assert speaking.result_of([], seconds=0).wpm is None


def test_conversation_ends_in_a_result(reading: Reading, listener: Listener, reading_session: LiveSession):
    LiveSession.objects.filter(pk=reading_session.pk).update(activity="conversation", passage=None)
    Reading.objects.filter(pk=reading.pk).update(passage=None)
    listener.hears("good morning to you all and how are you doing today")
    settling.reading_settle(reading.pk, at=timezone.now(), holder=listener.holder)
    result, summary = SpokenResult.objects.get(), SessionSummary.objects.get()
    assert (result.words, summary.words, summary.wcpm, summary.grade_level_reason) == (11, 11, None, "no_passage")
    assert result.fluency is not None and result.pronunciation == pytest.approx(90)
    window = BatchMetrics.objects.get()
    assert (window.correct, window.wcpm, window.words) == (None, None, 11)
    assert not Miscue.objects.exists()


def test_what_was_read_before_a_consent_was_withdrawn_keeps_its_figures(reading: Reading, listener: Listener):
    listener.hears(MISREAD)
    consent(reading.student_session.student, "audio", "withdrawn")
    settling.reading_settle(reading.pk, at=timezone.now(), holder=listener.holder)
    summary = SessionSummary.objects.get()
    assert summary.attempted and summary.correct and summary.wcpm
    assert summary.attempted == course.attempted_of(Reading.objects.get(pk=reading.pk))
    assert not reading.windows.exists()
