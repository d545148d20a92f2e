"""The timeline: gapless, in commit order, each key once."""

import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from sessions_app import events, lifecycle, timeline
from sessions_app.models import LiveSession, SessionEvent, StudentSession
from tests.cast import consent

pytestmark = pytest.mark.django_db


def fact(member: StudentSession, event: events.Event | None = None, **more) -> timeline.NewEvent:
    now = timezone.now()
    fields = {"key": uuid.uuid4(), "received_at": now, "happened_at": now, "client_time": now} | more
    return timeline.NewEvent(
        session_id=member.session_id,
        event=event or events.Latency(rtt_ms=20),
        sender=member.pk,
        student_session_id=member.pk,
        **fields,
    )


def append(*facts: timeline.NewEvent) -> list[timeline.Appended]:
    with transaction.atomic():
        return timeline.append(facts)


def test_positions_are_gapless_and_go_on_from_the_last(session: LiveSession, sam_in: StudentSession):
    before = timeline.position(session.pk).seq
    assert [a.seq for a in append(fact(sam_in), fact(sam_in))] == [before + 1, before + 2]
    assert [a.seq for a in append(fact(sam_in))] == [before + 3]
    assert list(SessionEvent.objects.filter(session=session).values_list("seq", flat=True)) == list(
        range(1, before + 4)
    )


def test_a_repeated_key_gets_the_same_position(sam_in: StudentSession):
    first = fact(sam_in)
    [written] = append(first)
    [again] = append(fact(sam_in, key=first.key))
    assert (again.verdict, again.seq) == ("stored", written.seq)
    assert SessionEvent.objects.filter(key=first.key).count() == 1


def test_a_repeated_key_with_other_content_is_refused(sam_in: StudentSession):
    first = fact(sam_in)
    append(first)
    [other] = append(fact(sam_in, events.Latency(rtt_ms=99), key=first.key))
    assert (other.verdict, other.written) == ("key_reused", False)


def test_two_students_may_use_the_same_key(sam_in: StudentSession, tia_in: StudentSession):
    key = uuid.uuid4()
    assert [a.verdict for a in append(fact(sam_in, key=key), fact(tia_in, key=key))] == ["new", "new"]


def test_a_contribution_without_consent_is_not_written(sam_in: StudentSession):
    consent(sam_in.student, decision="withdrawn")
    latency, progress = append(fact(sam_in), fact(sam_in, events.Progress(step="content", percent=10)))
    assert (latency.verdict, progress.verdict) == ("new", "consent_missing")
    assert not SessionEvent.objects.filter(event_type="progress").exists()


def test_the_time_of_an_event_is_clamped_to_the_span_from_configuration_to_receipt(
    session: LiveSession, sam_in: StudentSession
):
    now = timezone.now()
    ahead, behind = append(
        fact(sam_in, happened_at=now + timedelta(days=1), received_at=now),
        fact(sam_in, happened_at=now - timedelta(days=1), received_at=now),
    )
    assert (ahead.event_time, behind.event_time) == (now, session.configured_at)


def test_what_arrives_after_the_end_is_marked_late_for_a_day_and_then_refused(
    started: LiveSession, sam_in: StudentSession
):
    lifecycle.session_end(started, by=started.teacher)
    [late] = append(fact(sam_in))
    assert (late.verdict, late.late) == ("new", True)
    [too_late] = append(fact(sam_in, received_at=timezone.now() + timedelta(hours=25)))
    assert too_late.verdict == "session_over"


def test_an_event_of_a_session_that_does_not_exist_is_not_written(sam_in: StudentSession):
    stray = timeline.NewEvent(
        session_id=uuid.uuid4(), event=events.Latency(rtt_ms=1), received_at=timezone.now(), happened_at=timezone.now()
    )
    assert append(stray, fact(sam_in))[0].verdict == "no_such_session"


def test_an_append_outside_a_transaction_is_a_mistake(session: LiveSession, django_db_blocker):
    from django.db import connection

    connection.in_atomic_block = False
    try:
        with pytest.raises(RuntimeError, match="in a transaction"):
            timeline.append([])
    finally:
        connection.in_atomic_block = True


def test_reading_goes_on_after_a_position(session: LiveSession, sam_in: StudentSession):
    append(fact(sam_in))
    assert [e.event for e in timeline.read(session.pk)] == ["configured", "member_join", "latency"]
    assert [e.event for e in timeline.read(session.pk, after=2)] == ["latency"]
    assert timeline.read(session.pk, after=2)[0].data == {"rtt_ms": 20.0}
