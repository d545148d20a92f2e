"""A session's life: draft, configured, started, ended; each step once, each on the timeline."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from sessions_app import events, join_codes, lifecycle, timeline
from sessions_app.models import LiveSession, SchoolClass, SessionEvent, StudentSession, User
from sessions_app.refusals import Refused
from tests.cast import join, make_session, story

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(alice: User, grade_four: SchoolClass, sam) -> LiveSession:
    return LiveSession.objects.create(
        school=alice.school, teacher=alice, school_class=grade_four, title="The Ironworks", activity="socratic"
    )


def test_configuring_gives_a_code_groups_and_a_timeline(draft: LiveSession):
    lifecycle.session_configure(draft, groups=3)
    draft.refresh_from_db()
    assert (draft.status, len(draft.join_code)) == ("configured", join_codes.LENGTH)
    assert [group.number for group in draft.groups.all()] == [1, 2, 3]
    [configured] = timeline.read(draft.pk)
    assert (configured.seq, configured.event, configured.data) == (1, "configured", {"groups": 3, "capacity": 40})
    assert configured.at == draft.configured_at


@pytest.mark.parametrize(
    ("change", "code"), [({"title": "  "}, "title_missing"), ({"school_class": None}, "class_missing")]
)
def test_a_draft_without_title_or_class_is_not_configured(draft: LiveSession, change, code):
    for name, value in change.items():
        setattr(draft, name, value)
    with pytest.raises(Refused, match=code):
        lifecycle.session_configure(draft)
    assert timeline.position(draft.pk) is None


def test_a_session_of_an_empty_class_is_not_configured(draft: LiveSession, grade_four: SchoolClass):
    grade_four.memberships.all().delete()
    with pytest.raises(Refused, match="class_empty"):
        lifecycle.session_configure(draft)


@pytest.mark.parametrize("groups", [-1, 21])
def test_a_session_has_at_most_twenty_groups(draft: LiveSession, groups: int):
    with pytest.raises(Refused, match="group_count"):
        lifecycle.session_configure(draft, groups=groups)


def test_a_session_is_configured_once(session: LiveSession):
    code = session.join_code
    with pytest.raises(Refused, match="not_possible_now"):
        lifecycle.session_configure(session)
    session.refresh_from_db()
    assert (session.join_code, story(session)) == (code, ["configured"])


def test_a_code_that_is_taken_is_drawn_again(
    draft: LiveSession, alice: User, grade_four: SchoolClass, monkeypatch: pytest.MonkeyPatch
):
    other = make_session(alice, grade_four)
    codes = iter([other.join_code, "K7MQ4RXD"])
    monkeypatch.setattr(join_codes, "new_code", lambda: next(codes))
    assert lifecycle.session_configure(draft).join_code == "K7MQ4RXD"


def test_the_code_of_an_ended_session_may_be_drawn_again(
    started: LiveSession, draft: LiveSession, monkeypatch: pytest.MonkeyPatch
):
    lifecycle.session_end(started, by=started.teacher)
    monkeypatch.setattr(join_codes, "new_code", lambda: started.join_code)
    assert lifecycle.session_configure(draft).join_code == started.join_code


def test_starting_counts_who_is_there(session: LiveSession, alice: User, sam_in: StudentSession):
    lifecycle.session_start(session, by=alice)
    started = timeline.read(session.pk)[-1]
    assert (started.event, started.data) == ("started", {"students": 1, "groups": 2})
    assert SessionEvent.objects.get(session=session, seq=started.seq).sender == alice.pk


def test_a_session_is_started_once(started: LiveSession, alice: User):
    with pytest.raises(Refused, match="not_possible_now"):
        lifecycle.session_start(started, by=alice)
    assert story(started) == ["configured", "started"]


def test_a_draft_is_neither_started_nor_ended(draft: LiveSession, alice: User):
    with pytest.raises(Refused, match="not_possible_now"):
        lifecycle.session_start(draft, by=alice)
    with pytest.raises(Refused, match="not_possible_now"):
        lifecycle.session_end(draft, by=alice)


def test_ending_is_the_last_word_of_the_timeline_in_time(started: LiveSession, alice: User):
    lifecycle.session_end(started, by=alice)
    started.refresh_from_db()
    ended = timeline.read(started.pk)[-1]
    assert (ended.event, ended.data, ended.late) == ("ended", {"reason": "teacher"}, False)
    assert (started.status, started.ended_at, started.end_reason) == ("ended", ended.at, "teacher")


def test_a_session_that_never_started_can_be_ended(session: LiveSession, alice: User):
    lifecycle.session_end(session, by=alice)
    assert story(session) == ["configured", "ended"]


def test_a_session_is_ended_once(started: LiveSession, alice: User):
    lifecycle.session_end(started, by=alice)
    with pytest.raises(Refused, match="session_over"):
        lifecycle.session_end(started, by=alice)
    assert story(started).count("ended") == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_end_a_session_at_once_one_wins(started: LiveSession, alice: User):
    def end(_nth: int) -> str:
        try:
            lifecycle.session_end(LiveSession.objects.get(pk=started.pk), by=alice)
        except Refused as refused:
            return refused.code
        finally:
            connections.close_all()
        return "ended"

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(end, range(4))) == ["ended", "session_over", "session_over", "session_over"]
    assert story(started) == ["configured", "started", "ended"]


def test_a_session_idle_for_three_hours_ends_by_itself(started: LiveSession, sam):
    join(started, sam)
    later = timezone.now() + lifecycle.IDLE_AFTER + timedelta(minutes=1)
    assert lifecycle.end_idle_sessions(now=later - timedelta(minutes=2)) == 0
    assert lifecycle.end_idle_sessions(now=later) == 1
    assert timeline.read(started.pk)[-1].data == {"reason": "idle"}
    assert lifecycle.end_idle_sessions(now=later) == 0


def test_a_session_in_which_something_happens_is_not_idle(started: LiveSession, sam_in: StudentSession):
    later = timezone.now() + lifecycle.IDLE_AFTER + timedelta(minutes=1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sessions_app_livesession SET configured_at = configured_at - interval '1 day'")
    with transaction.atomic():
        timeline.record(started, events.Latency(rtt_ms=1), at=later - timedelta(hours=1), about=sam_in)
    assert lifecycle.idle_sessions(now=later) == []
