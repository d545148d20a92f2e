"""The table agrees with its source, and a cell that was tampered with is found."""

import pytest

from analytics_app.models import DashboardMetricsHourly, HourlyPeople
from analytics_app.rollups.fill import fill_changed
from analytics_app.rollups.verify import verify
from sessions_app import events
from sessions_app.models import SchoolClass, Student, User
from tests.analytics_app.lesson import Lesson, minutes

pytestmark = pytest.mark.django_db
NOW = minutes(185)


@pytest.fixture
def counted(alice: User, grade_four: SchoolClass, sam: Student) -> Lesson:
    lesson = Lesson(alice, grade_four, configured=0)
    lesson.start(at=5)
    member = lesson.join(sam, at=6)
    lesson.connect(member, at=6, until=89)
    lesson.say(events.Ready(), at=7, about=member)
    lesson.end(at=90)
    fill_changed(now=NOW)
    return lesson


def test_what_was_just_filled_agrees(counted: Lesson):
    verdict = verify(now=NOW)
    assert (verdict.compared, verdict.differences, verdict.waiting, verdict.sealed) == (2, (), 0, 0)


@pytest.mark.parametrize(("column", "value"), [("events_total", 99), ("avg_participation_rate", None)])
def test_a_cell_that_was_tampered_with_is_found(counted: Lesson, column: str, value: object):
    DashboardMetricsHourly.objects.filter(metric_hour=minutes(0)).update(**{column: value})
    [difference] = verify(now=NOW).differences
    assert (difference.cell.hour, difference.column, difference.stored) == (minutes(0), column, value)


def test_a_row_that_is_missing_or_should_not_be_there_is_found(counted: Lesson):
    DashboardMetricsHourly.objects.filter(metric_hour=minutes(0)).update(metric_hour=minutes(-600))
    found = {(d.cell.hour, d.column) for d in verify(now=NOW).differences}
    assert found == {(minutes(-600), "row"), (minutes(0), "row")}


def test_a_person_who_is_missing_is_found(counted: Lesson):
    HourlyPeople.objects.filter(role="student", hour=minutes(60)).delete()
    [difference] = verify(now=NOW).differences
    assert (difference.column, difference.stored, difference.counted) == ("hourly_people student", 0, 1)


def test_an_hour_that_waits_to_be_filled_is_left_out_and_said(counted: Lesson):
    member = counted.session.student_sessions.get()
    counted.say(events.Latency(rtt_ms=9), at=30, received=120, about=member)
    verdict = verify(now=NOW)
    assert (verdict.compared, verdict.differences, verdict.waiting) == (1, (), 1)


def test_a_sealed_hour_is_left_out(counted: Lesson):
    DashboardMetricsHourly.objects.filter(metric_hour=minutes(0)).update(sealed=True, events_total=99)
    verdict = verify(now=NOW)
    assert (verdict.compared, verdict.differences, verdict.sealed) == (1, (), 1)


def test_only_the_hours_that_were_asked_for_are_compared(counted: Lesson):
    DashboardMetricsHourly.objects.update(events_total=99)
    assert [d.cell.hour for d in verify(minutes(60), minutes(120), now=NOW).differences] == [minutes(60)]
