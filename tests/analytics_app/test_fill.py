"""Filling exactly the hours that changed, once each, and losing none when a run is killed."""

from collections.abc import Iterator
from datetime import datetime

import pgtrigger
import pytest
from django.db import DatabaseError, connection, connections, transaction

from analytics_app.models import ChangedHour, DashboardMetricsHourly, HourlyPeople, RollupRun
from analytics_app.rollups import changes, source
from analytics_app.rollups.fill import Filled, fill, fill_between, fill_changed
from analytics_app.rollups.hours import Cell
from sessions_app import events, grouping, lifecycle
from sessions_app.models import (
    AudioChunk,
    AudioStream,
    LiveSession,
    ModelCall,
    Reading,
    School,
    SchoolClass,
    SessionEvent,
    Student,
    StudentSession,
    Transcript,
    User,
)
from tests.analytics_app.lesson import Lesson, minutes
from tests.cast import consent

pytestmark = pytest.mark.django_db


@pytest.fixture
def lesson(alice: User, grade_four: SchoolClass, sam: Student) -> Lesson:
    """A lesson of an hour and a half, with Sam in it, that nothing has been counted of."""
    lesson = Lesson(alice, grade_four, configured=0, groups=1, span=(5, 90))
    lesson.say(events.Started(students=0, groups=1), at=5)
    member = lesson.join(sam, at=6)
    lesson.connect(member, at=6, until=89)
    for at in (6.5, 30, 59, 61, 88):
        lesson.say(events.Latency(rtt_ms=20), at=at, about=member)
    lesson.end(at=90)
    return lesson


@pytest.fixture
def clean(lesson: Lesson) -> Lesson:
    """The same, with everything counted."""
    fill_changed(now=minutes(185))
    return lesson


def rows() -> dict[int, int]:
    """The rows: how many events each has, by the number of the hour."""
    return {
        round((row.metric_hour - minutes(0)).total_seconds() / 3600): row.events_total
        for row in DashboardMetricsHourly.objects.order_by("metric_hour")
    }


def changed(now: datetime) -> list[int]:
    """The numbers of the hours that would be filled at `now`."""
    changes.collect(now=now)
    return [round((cell.hour - minutes(0)).total_seconds() / 3600) for cell in changes.marked(now=now)]


def only(member: str = "Sam") -> StudentSession:
    return StudentSession.objects.get(label=member)


def test_new_dirty_clean_advance(lesson: Lesson):
    # New: the hour that is running waits until it is over.
    assert fill_changed(now=minutes(65)) == Filled(hours=1)
    assert rows() == {0: 7}
    assert fill_changed(now=minutes(125)) == Filled(hours=1)
    assert rows() == {0: 7, 1: 4}
    # Clean: nothing to do.
    assert fill_changed(now=minutes(185)) == Filled()
    # Dirty: an event came late, and only its hour is counted again.
    lesson.say(events.Latency(rtt_ms=500), at=31, received=190, about=only())
    assert fill_changed(now=minutes(190)) == Filled(hours=1)
    assert rows() == {0: 8, 1: 4}
    # Advance: another lesson, later.
    later = Lesson(lesson.session.teacher, lesson.session.school_class, configured=181, span=(182, 185))
    later.end(at=185)
    assert fill_changed(now=minutes(245)) == Filled(hours=1)
    assert rows() == {0: 8, 1: 4, 3: 2}


def test_a_run_is_safe_to_repeat(clean: Lesson):
    before = list(DashboardMetricsHourly.objects.values())
    people = list(HourlyPeople.objects.values())
    fill_between(None, None, now=minutes(185))
    assert list(DashboardMetricsHourly.objects.values()) == before
    assert list(HourlyPeople.objects.values()) == people


def test_the_people_of_an_hour_are_kept_beside_it(clean: Lesson, alice: User, sam: Student):
    first = HourlyPeople.objects.filter(hour=minutes(0))
    assert set(first.values_list("role", "person")) == {
        ("teacher", alice.pk),
        ("student", sam.pk),
        ("joined", only().pk),
    }


def test_the_running_hour_is_filled_when_it_is_named_and_stays_marked(lesson: Lesson):
    fill_between(minutes(60), minutes(120), now=minutes(100))
    assert rows() == {1: 4}
    assert changed(now=minutes(100)) == [0]
    assert changed(now=minutes(125)) == [0, 1]


def test_an_hour_without_an_event_in_a_running_session_is_filled(alice: User, grade_four: SchoolClass):
    Lesson(alice, grade_four, configured=0).start(at=5)
    fill_changed(now=minutes(185))
    assert [row.sessions_active for row in DashboardMetricsHourly.objects.order_by("metric_hour")] == [1, 1, 1]
    assert rows() == {0: 2, 1: 0, 2: 0}


def test_a_connection_that_comes_back_changes_the_hours_from_its_last_sign_of_life_on(clean: Lesson):
    member = only()
    LiveSession.objects.update(ended_at=None, status="started")
    ChangedHour.objects.all().delete()
    clean.connect(member, at=181)
    assert changed(now=minutes(245)) == [1, 2, 3]


def test_a_run_that_fails_half_way_keeps_the_marks(lesson: Lesson, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(source, "FILL", source.FILL + " SELECT 1 / 0")
    with pytest.raises(DatabaseError), transaction.atomic():
        fill_changed(now=minutes(185))
    monkeypatch.undo()
    assert rows() == {}
    assert fill_changed(now=minutes(185)) == Filled(hours=2)


@pytest.mark.django_db(transaction=True)
def test_a_run_that_fails_is_on_record(lesson: Lesson, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(source, "FILL", source.FILL + " SELECT 1 / 0")
    with pytest.raises(DatabaseError):
        fill_changed(now=minutes(185))
    run = RollupRun.objects.get()
    assert run.finished_at is not None
    assert "syntax error" in run.error
    assert ChangedHour.objects.exists()


def test_a_run_that_succeeds_is_on_record(lesson: Lesson):
    fill_changed(now=minutes(185))
    run = RollupRun.objects.get()
    assert (run.scope, run.hours, run.skipped, run.error) == ("changed", 2, 0, "")


@pytest.fixture
def another_runner() -> Iterator[object]:
    """A second connection, as another process has it."""
    other = connections.create_connection("default")
    yield other
    other.close()


@pytest.mark.django_db(transaction=True)
def test_two_runners_share_the_hours_out(lesson: Lesson, another_runner):
    changes.collect(now=minutes(185))
    first, second = changes.marked(now=minutes(185))
    with another_runner.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s || extract(epoch FROM %s::timestamptz)::text, 3))",
            (str(first.school_id), first.hour),
        )
        assert fill([first, second], now=minutes(185)) == Filled(hours=1, skipped=1)
        cursor.execute("ROLLBACK")
    assert changes.marked(now=minutes(185)) == [first]


@pytest.mark.django_db(transaction=True)
def test_what_changes_while_an_hour_is_counted_is_marked_for_the_next_run(lesson: Lesson, another_runner):
    changes.collect(now=minutes(185))
    cells = changes.marked(now=minutes(185))
    with transaction.atomic():
        fill(cells, now=minutes(185))
        with another_runner.cursor() as cursor:
            cursor.execute(
                "INSERT INTO analytics_app_changedhour (school_id, hour) VALUES (%s, %s)",
                (cells[0].school_id, cells[0].hour),
            )
    assert changes.marked(now=minutes(185)) == cells[:1]


def test_a_sealed_hour_stays_as_it_is(clean: Lesson):
    DashboardMetricsHourly.objects.filter(metric_hour=minutes(0)).update(sealed=True, events_total=99)
    clean.say(events.Latency(rtt_ms=20), at=31, received=190, about=only())
    assert fill_changed(now=minutes(190)) == Filled(sealed=1)
    assert fill_between(None, None, now=minutes(190)) == Filled(hours=1, sealed=1)
    assert rows() == {0: 99, 1: 4}
    assert not ChangedHour.objects.exists()


def test_an_hour_that_becomes_empty_loses_its_row(clean: Lesson):
    SessionEvent.objects.filter(session=clean.session).delete()
    LiveSession.objects.update(started_at=None)
    fill_changed(now=minutes(185))
    assert rows() == {}
    assert not HourlyPeople.objects.exists()


def test_an_edit_of_the_times_marks_the_hours_that_the_span_gained_or_lost(clean: Lesson):
    LiveSession.objects.update(ended_at=minutes(150))
    assert changed(now=minutes(305)) == [1, 2]
    fill_changed(now=minutes(305))
    LiveSession.objects.update(started_at=minutes(70))
    assert changed(now=minutes(305)) == [0, 1, 2]


def test_plain_sql_marks_as_well(clean: Lesson):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sessions_app_livesession SET is_simulated = true")
    assert changed(now=minutes(185)) == [0, 1]


def test_events_that_are_emptied_mark_their_hours(clean: Lesson):
    with pgtrigger.ignore("sessions_app.SessionEvent:append_only"):
        SessionEvent.objects.filter(event_time__gte=minutes(60)).update(student_session=None, payload=None)
    assert changed(now=minutes(185)) == [1]


def test_a_student_who_is_merged_into_another_is_counted_as_that_one(clean: Lesson, tia: Student):
    StudentSession.objects.update(student=tia)
    assert fill_changed(now=minutes(185)) == Filled(hours=2)
    assert set(HourlyPeople.objects.filter(role="student").values_list("person", flat=True)) == {tia.pk}


def test_a_student_who_changes_the_group_marks_the_hours_of_the_session(clean: Lesson):
    StudentSession.objects.update(group=clean.groups[0])
    assert changed(now=minutes(185)) == [0, 1]


def test_a_session_that_is_deleted_takes_its_hours_along(clean: Lesson):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sessions_app_group")
        cursor.execute("DELETE FROM sessions_app_sessioncounter")
        cursor.execute("DELETE FROM sessions_app_studentsession")
        cursor.execute("DELETE FROM sessions_app_livesession")
    fill_changed(now=minutes(185))
    assert rows() == {}


def test_a_restored_timeline_is_looked_through_from_its_beginning(clean: Lesson):
    import uuid

    counter = clean.session.counter
    counter.epoch = uuid.uuid4()
    counter.save()
    assert changed(now=minutes(185)) == [0, 1]


def test_starting_and_ending_a_class_marks_what_the_class_did(session: LiveSession, sam_in: StudentSession):
    lifecycle.session_start(session, by=session.teacher)
    grouping.groups_make(session, count=2, by=session.teacher)
    lifecycle.session_end(session, by=session.teacher)
    hour = session.configured_at.replace(minute=0, second=0, microsecond=0)
    changes.collect(now=session.ended_at)
    assert set(ChangedHour.objects.values_list("school_id", "hour").distinct()) >= {(session.school_id, hour)}
    assert fill([Cell(hour, session.school_id)], now=session.ended_at) == Filled(hours=1)


def test_a_call_of_a_language_model_marks_its_hour_and_gives_it_a_row(school: School):
    [call] = [
        ModelCall.objects.create(
            school=school, purpose="analysis", model="a model", outcome="error", latency_ms=5, at=minutes(70)
        )
    ]
    assert changed(minutes(185)) == [1]
    fill_changed(now=minutes(185))
    assert rows() == {1: 0}
    call.delete()
    assert changed(minutes(185)) == [1]
    fill_changed(now=minutes(185))
    assert rows() == {}


def test_sound_and_words_that_are_removed_mark_their_hours(clean: Lesson, sam: Student):
    consent(sam, "audio")
    member = only()
    reading = Reading.objects.create(school=member.school, student_session=member, started_at=minutes(7))
    Transcript.objects.create(
        reading=reading, number=0, starts=0, ends=1, text="a", words=[["a", 0, 1, 0.5]], confidence=0.5,
        engine="a test", created_at=minutes(10),
    )  # fmt: skip
    stream = AudioStream.objects.create(reading=reading, number=0, codec="pcm", opened_at=minutes(70))
    AudioChunk.objects.create(stream=stream, number=0, bytes=9, starts=0, seconds=1, received_at=minutes(70))
    fill_between(None, None, now=minutes(185))
    assert changed(minutes(185)) == []
    reading.delete()
    assert changed(minutes(185)) == [0, 1]
