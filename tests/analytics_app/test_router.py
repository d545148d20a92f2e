"""A window of hours is read from the table where it is right, from the source where it is not, and is the same."""

from collections.abc import Iterator
from datetime import datetime
from math import isclose

import pytest
from django.db import connection, connections, transaction

from analytics_app.models import ChangedHour, DashboardMetricsHourly
from analytics_app.rollups.fill import fill_between, fill_changed
from analytics_app.rollups.router import WindowMetrics, metrics_between
from sessions_app import events
from sessions_app.models import School, SchoolClass, Student, User
from tests.analytics_app.lesson import Lesson, minutes

pytestmark = pytest.mark.django_db


@pytest.fixture
def lesson(alice: User, grade_four: SchoolClass, sam: Student, tia: Student) -> Lesson:
    """Two hours and a half with Sam and Tia, the second of whom leaves after an hour and a quarter."""
    lesson = Lesson(alice, grade_four, configured=0, groups=1, span=(5, 150))
    members = [lesson.join(student, at=6, group=1) for student in (sam, tia)]
    for member, until in zip(members, (149, 75), strict=True):
        lesson.connect(member, at=6, until=until)
        lesson.say(events.Ready(), at=7, about=member)
    lesson.say(events.MemberLeave(), at=75, about=members[1])
    lesson.say(events.Ready(), at=100, about=members[0])
    return lesson


def window(lesson: Lesson, now: datetime) -> WindowMetrics:
    return metrics_between(lesson.session.school_id, minutes(0), minutes(240), now=now)


def same(one: WindowMetrics, other: WindowMetrics) -> bool:
    """The same numbers, hour by hour and in total, wherever they were read."""

    def equal(a, b) -> bool:
        defined = {column for column in a if a[column] is not None}
        return defined == {c for c in b if b[c] is not None} and all(isclose(a[c], b[c], rel_tol=1e-9) for c in defined)

    hours = zip(one.hours, other.hours, strict=True)
    return equal(one.totals, other.totals) and all(a.hour == b.hour and equal(a.values, b.values) for a, b in hours)


def test_hours_that_are_rolled_up_come_from_the_table(lesson: Lesson):
    fill_changed(now=minutes(245))
    found = window(lesson, now=minutes(245))
    assert (found.served, found.reason, found.until) == ("table", "", minutes(240))
    assert found.counted_at == minutes(245)


def test_hours_that_are_not_come_from_the_source(lesson: Lesson):
    assert window(lesson, now=minutes(245)).served == "table and source"
    assert {hour.hour: hour.served for hour in window(lesson, now=minutes(245)).hours} == {
        minutes(0): "source", minutes(60): "source", minutes(120): "source", minutes(180): "table",
    }  # fmt: skip


def test_both_give_the_same_numbers(lesson: Lesson):
    before = window(lesson, now=minutes(245))
    fill_changed(now=minutes(245))
    after = window(lesson, now=minutes(245))
    assert same(before, after)
    assert after.totals["events_total"] == 11


def test_the_running_hour_comes_from_the_source_also_where_it_has_a_row(lesson: Lesson):
    fill_between(minutes(60), minutes(120), now=minutes(80))
    lesson.say(events.ClientError(where="page", message="it broke"), at=81)
    found = metrics_between(lesson.session.school_id, minutes(60), minutes(120), now=minutes(82))
    assert (found.served, found.totals["total_errors"]) == ("source", 1)


def test_an_hour_that_has_changed_comes_from_the_source_until_it_is_filled(lesson: Lesson):
    fill_changed(now=minutes(245))
    lesson.say(events.ClientError(where="page", message="it broke"), at=70)
    found = window(lesson, now=minutes(246))
    assert [hour.served for hour in found.hours] == ["table", "source", "table", "table"]
    assert found.totals["total_errors"] == 1


def test_a_mark_alone_sends_an_hour_to_the_source(lesson: Lesson):
    fill_changed(now=minutes(245))
    ChangedHour.objects.create(school_id=lesson.session.school_id, hour=minutes(60))
    assert [hour.served for hour in window(lesson, now=minutes(245)).hours][1] == "source"


@pytest.mark.parametrize("rolled_up", [True, False])
def test_people_are_distinct_over_the_window_and_averages_are_ratios_of_sums(lesson: Lesson, rolled_up: bool):
    if rolled_up:
        fill_changed(now=minutes(245))
    found = window(lesson, now=minutes(245))
    assert [hour.values["students_active"] for hour in found.hours] == [2, 2, 1, 0]
    assert (found.totals["students_active"], found.totals["teachers_active"]) == (2, 1)
    assert found.totals["sessions_active"] == 1
    assert found.totals["avg_participation_rate"] == 100
    present = sum(hour.values["minutes_present"] for hour in found.hours)
    assert found.totals["avg_engagement_score"] == pytest.approx(100 * 3 / present)


def test_people_are_the_same_people_in_the_table_and_in_the_source(lesson: Lesson):
    fill_changed(now=minutes(125))
    found = window(lesson, now=minutes(130))
    assert [hour.served for hour in found.hours][:3] == ["table", "table", "source"]
    assert found.totals["students_active"] == 2


def test_a_window_without_anything_is_empty_and_has_no_averages(school: School):
    found = metrics_between(school.pk, minutes(0), minutes(120), now=minutes(300))
    assert (found.served, found.totals["students_active"], found.totals["avg_participation_rate"]) == ("table", 0, None)


def test_it_takes_two_queries_and_one_more_for_what_is_not_rolled_up(lesson: Lesson, django_assert_num_queries):
    scene = 3  # a savepoint around them, and how long they may wait
    with django_assert_num_queries(scene + 3):
        window(lesson, now=minutes(245))
    fill_changed(now=minutes(245))
    with django_assert_num_queries(scene + 2):
        window(lesson, now=minutes(245))


def test_without_the_table_everything_comes_from_the_source(lesson: Lesson):
    before = window(lesson, now=minutes(245))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE dashboard_metrics_hourly RENAME TO gone")
    found = window(lesson, now=minutes(245))
    assert (found.served, found.reason) == ("source", "The hourly table does not exist.")
    assert same(found, before)


def test_with_a_column_missing_everything_comes_from_the_source(lesson: Lesson):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE dashboard_metrics_hourly DROP COLUMN ready_groups")
    found = window(lesson, now=minutes(245))
    assert (found.served, found.reason) == ("source", "The hourly table is of another version.")


@pytest.fixture
def somebody_else() -> Iterator[object]:
    other = connections.create_connection("default")
    yield other
    other.close()


@pytest.mark.django_db(transaction=True)
def test_with_the_table_locked_everything_comes_from_the_source(lesson: Lesson, somebody_else):
    fill_changed(now=minutes(245))
    with somebody_else.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("LOCK TABLE dashboard_metrics_hourly IN ACCESS EXCLUSIVE MODE")
        found = window(lesson, now=minutes(245))
        cursor.execute("ROLLBACK")
    assert (found.served, found.reason) == ("source", "The hourly table is locked.")
    assert same(found, window(lesson, now=minutes(245)))


def test_an_error_that_is_none_of_the_tables_rises(lesson: Lesson, monkeypatch: pytest.MonkeyPatch):
    from django.db import DatabaseError

    from analytics_app.rollups import router

    monkeypatch.setattr(router, "FROM_TABLE", "SELECT 1 / 0")
    with pytest.raises(DatabaseError), transaction.atomic():
        window(lesson, now=minutes(245))


def test_another_schools_rows_are_left_alone(lesson: Lesson, other_school: School):
    fill_changed(now=minutes(245))
    DashboardMetricsHourly.objects.update(school=other_school)
    assert window(lesson, now=minutes(245)).totals["events_total"] == 0
