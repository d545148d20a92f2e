"""Whatever happens to a session, and whenever the rollup runs meanwhile: the table agrees with the source."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics_app.rollups.fill import fill_changed
from analytics_app.rollups.hours import Cell, hours_between
from analytics_app.rollups.router import metrics_between
from analytics_app.rollups.source import measure
from analytics_app.rollups.verify import verify
from sessions_app import events
from sessions_app.models import LiveSession, SchoolClass, Student, StudentSession, User
from tests.analytics_app.lesson import Lesson, minutes

pytestmark = pytest.mark.django_db

LENGTH = 240
NOW = minutes(305)
moments = st.integers(min_value=0, max_value=LENGTH)
who = st.integers(min_value=0, max_value=1)
told = st.sampled_from(
    [
        events.Ready(), events.Latency(rtt_ms=20), events.Presence(visible=True), events.HelpRequest(),
        events.ClientError(where="page", message="it broke"), events.MemberLeave(), events.MemberRemoved(),
        events.MemberJoin(again=True),
    ]
)  # fmt: skip
step = st.one_of(
    st.tuples(st.just("told"), moments, who, told),
    st.tuples(st.just("connected"), moments, who, st.one_of(st.none(), st.integers(min_value=1, max_value=150))),
    st.tuples(st.just("moved"), moments, who, st.sampled_from([0, 1, None])),
    st.tuples(st.just("started"), moments),
    st.tuples(st.just("ended"), moments),
    st.tuples(st.just("rolled up"), moments),
)


class Told:
    """Carries the steps out, in any order: what is told late happened in hours that may have been rolled up."""

    def __init__(self, lesson: Lesson, students: list[Student]):
        self.lesson = lesson
        self.members = [lesson.join(student, at=1, group=1) for student in students]

    def carry_out(self, name: str, at: int, *rest) -> None:
        session = LiveSession.objects.filter(pk=self.lesson.session.pk)
        match name, rest:
            case "told", [number, event]:
                self.lesson.say(event, at=at, received=LENGTH, about=self.members[number])
            case "connected", [number, length]:
                until = None if length is None else at + length
                self.lesson.connect(self.members[number], at=at, until=until)
            case "moved", [number, group]:
                chosen = None if group is None else self.lesson.groups[group]
                StudentSession.objects.filter(pk=self.members[number].pk).update(group=chosen)
            case "started", []:
                session.filter(ended_at=None).update(status="started", started_at=minutes(at))
            case "ended", []:
                session.update(status="ended", ended_at=minutes(at))
            case "rolled up", []:
                fill_changed(now=minutes(at))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(step, max_size=14))
def test_table_and_source_together_are_the_source(
    steps, alice: User, grade_four: SchoolClass, sam: Student, tia: Student
):
    with transaction.atomic():
        lesson = Lesson(alice, grade_four, configured=0, groups=2)
        told = Told(lesson, [sam, tia])
        for each in steps:
            told.carry_out(*each)

        cells = [Cell(hour, alice.school_id) for hour in hours_between(minutes(0), NOW)]
        source = {measured.cell.hour: measured.values for measured in measure(cells)}
        found = metrics_between(alice.school_id, minutes(0), NOW, now=NOW)
        for hour in found.hours:
            assert hour.values == pytest.approx(source[hour.hour]), (hour.hour, hour.served)

        fill_changed(now=NOW)
        verdict = verify(now=NOW)
        assert (verdict.differences, verdict.waiting) == ((), 0)
        again = metrics_between(alice.school_id, minutes(0), NOW, now=NOW)
        assert again.totals == pytest.approx(found.totals)
        transaction.set_rollback(True)
