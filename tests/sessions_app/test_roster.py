"""What the board and the student's page show: presence, steps, and who needs a look."""

import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from sessions_app import attention, enrolment, events, grouping, lifecycle, roster, timeline
from sessions_app.models import Group, LiveSession, SchoolClass, StudentSession, User
from tests.cast import consent, join, make_student

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def note(member: StudentSession, *happened: events.Event, at=None) -> None:
    """The student's page does something, or the server notes something about it."""
    at = at or timezone.now()
    with transaction.atomic():
        timeline.append(
            [
                timeline.NewEvent(
                    session_id=member.session_id, event=event, received_at=at, happened_at=at,
                    sender=member.pk, student_session_id=member.pk, key=uuid.uuid4(),
                )
                for event in happened
            ]
        )  # fmt: skip


def opened() -> events.SocketOpened:
    return events.SocketOpened(connection=uuid.uuid4())


def presence(member: StudentSession, *, now=None) -> str:
    return roster.signs_of_life(member.session_id, now=now or timezone.now())[member.pk].presence


def row(session: LiveSession, member: StudentSession, *, now=None) -> dict:
    session.refresh_from_db()
    return next(s for s in roster.board_state(session, now=now)["students"] if s["id"] == member.pk)


def needs(session: LiveSession, member: StudentSession, *, now=None) -> list[str]:
    return [f"{need['kind']}: {need['text']}" for need in row(session, member, now=now)["needs"]]


def own_state(member: StudentSession) -> dict:
    return roster.student_states(roster.students_of(member.session_id, [member.pk]))[member.pk]


def test_whoever_was_never_connected_has_given_no_sign_of_life(session: LiveSession, sam_in: StudentSession):
    assert roster.signs_of_life(session.pk, now=timezone.now()) == {}
    assert (row(session, sam_in)["present"], row(session, sam_in)["last_seen"]) == ("gone", None)


def test_a_student_with_the_page_open_is_here(sam_in: StudentSession):
    note(sam_in, opened())
    assert presence(sam_in) == "here"


def test_a_page_in_the_back_or_silent_is_away(sam_in: StudentSession):
    note(sam_in, opened(), events.Presence(visible=False))
    assert presence(sam_in) == "away"
    note(sam_in, events.Presence(visible=True))
    assert presence(sam_in) == "here"
    assert presence(sam_in, now=timezone.now() + roster.SILENT_AFTER + timedelta(seconds=1)) == "away"


def test_a_heartbeat_keeps_a_page_here(sam_in: StudentSession):
    now = timezone.now()
    note(sam_in, opened(), at=now - 2 * roster.SILENT_AFTER)
    note(sam_in, events.Latency(rtt_ms=20), at=now)
    assert presence(sam_in, now=now) == "here"


def test_a_closed_connection_is_gone_and_a_replaced_one_is_not(sam_in: StudentSession):
    first, second = opened(), opened()
    note(sam_in, first, second, events.SocketClosed(connection=first.connection, code=1006))
    assert presence(sam_in) == "here"
    note(sam_in, events.SocketClosed(connection=second.connection, code=1001))
    assert presence(sam_in) == "gone"


def test_what_the_teacher_does_is_no_sign_of_life(session: LiveSession, alice: User, sam_in: StudentSession):
    grouping.member_move(session, student_session=sam_in.pk, group=None, by=alice)
    assert sam_in.pk not in roster.signs_of_life(session.pk, now=timezone.now())


def test_a_student_goes_through_the_steps(session: LiveSession, alice: User, sam_in: StudentSession):
    seen = [own_state(sam_in)["me"]["step"]]
    StudentSession.objects.filter(pk=sam_in.pk).update(ready_at=timezone.now())
    seen.append(own_state(sam_in)["me"]["step"])
    lifecycle.session_start(session, by=alice)
    seen.append(own_state(sam_in)["me"]["step"])
    lifecycle.session_end(session, by=alice)
    seen.append(own_state(sam_in)["me"]["step"])
    assert seen == ["waiting", "ready", "in_session", "ended"]


def test_without_consent_a_student_is_asked_first(session: LiveSession, sam_in: StudentSession):
    consent(sam_in.student, decision="withdrawn")
    state = own_state(sam_in)["me"]
    assert (state["step"], state["consents"], state["consent_version"]) == (
        "consent", {"participation": False}, roster.CONSENT_VERSION
    )  # fmt: skip
    assert row(session, sam_in)["step"] == "consent"


def test_a_student_who_was_never_asked_has_decided_nothing(session: LiveSession, grade_four: SchoolClass):
    uma = join(session, make_student(grade_four, "Uma", consented=False))
    assert own_state(uma)["me"]["consents"] == {"participation": None}


def test_a_student_sees_the_own_group_and_nobody_who_left_it(
    session: LiveSession, grade_four: SchoolClass, sam_in: StudentSession, tia_in: StudentSession
):
    uma, vic = (join(session, make_student(grade_four, label)) for label in ("Uma", "Vic"))
    assert own_state(uma)["me"]["group"] == {
        "number": 1, "leader": False, "leader_label": "Sam", "leader_ready": False, "members": ["Sam", "Uma"]
    }  # fmt: skip
    StudentSession.objects.filter(pk=sam_in.pk).update(left_at=timezone.now())
    Group.objects.filter(number=1).update(leader=uma, ready_at=timezone.now())
    group = own_state(uma)["me"]["group"]
    assert (group["leader"], group["leader_ready"], group["members"]) == (True, True, ["Uma"])
    assert own_state(vic)["me"]["group"]["members"] == ["Tia", "Vic"]


def test_the_states_of_a_class_are_four_queries(
    session: LiveSession, grade_four: SchoolClass, sam_in, tia_in, django_assert_num_queries
):
    ids = [sam_in.pk, tia_in.pk, *(join(session, make_student(grade_four, f"Student {n}")).pk for n in range(8))]
    with django_assert_num_queries(4):
        assert len(roster.student_states(roster.students_of(session.pk, ids))) == 10


def test_an_attention_check_stands_until_it_is_answered(session: LiveSession, alice: User, sam_in, tia_in):
    check = attention.attention_ask(session, by=alice, text="Here?")
    assert own_state(sam_in)["attention"] == {"id": check.seq, "text": "Here?"}
    StudentSession.objects.filter(pk=sam_in.pk).update(attention_confirmed=check.seq)
    assert own_state(sam_in)["attention"] is None
    assert own_state(tia_in)["attention"] is not None


def test_a_check_is_shown_to_whom_it_was_for(session: LiveSession, alice: User, grade_four, sam_in, tia_in):
    attention.attention_ask(session, by=alice, student_session=tia_in.pk)
    assert own_state(sam_in)["attention"] is None
    attention.attention_ask(session, by=alice)
    late = join(session, make_student(grade_four, "Uma"))
    assert own_state(late)["attention"] is None


def test_the_board_shows_groups_students_and_requests(session: LiveSession, sam, sam_in, tia_in):
    asked = enrolment.takeover_request(session, membership=sam.memberships.get().pk)
    state = roster.board_state(session)
    assert [(g["number"], g["leader"], g["ready"]) for g in state["groups"]] == [
        (1, sam_in.pk, False),
        (2, tia_in.pk, False),
    ]
    assert [(s["label"], s["step"]) for s in state["students"]] == [("Sam", "waiting"), ("Tia", "waiting")]
    assert [(r["id"], r["student"], r["label"]) for r in state["requests"]] == [(asked.pk, sam_in.pk, "Sam")]
    assert (state["session"]["join_code"], state["session"]["capacity"]) == (session.join_code, 40)
    assert (state["epoch"], state["seq"]) == (session.counter.epoch, 4)


def test_whoever_was_taken_out_is_on_the_board_by_themselves(session: LiveSession, alice: User, sam_in, tia_in):
    enrolment.member_remove(session, student_session=sam_in.pk, by=alice)
    state = roster.board_state(session)
    assert [s["label"] for s in state["students"]] == ["Tia"]
    assert [(s["id"], s["label"]) for s in state["removed"]] == [(sam_in.pk, "Sam")]


def test_the_board_is_seven_queries_however_many_have_joined(
    session: LiveSession, grade_four: SchoolClass, sam_in, tia_in, django_assert_num_queries
):
    for n in range(8):
        join(session, make_student(grade_four, f"Student {n}"))
    with django_assert_num_queries(7):
        roster.board_state(session)


def test_the_board_of_a_draft_stands_at_nothing(alice: User, school):
    draft = LiveSession.objects.create(school=school, teacher=alice, title="Tides", activity="reading")
    assert (roster.board_state(draft)["epoch"], roster.board_state(draft)["seq"]) == (None, 0)


def test_nobody_needs_a_look_before_the_start(session: LiveSession, sam_in: StudentSession):
    assert needs(session, sam_in, now=timezone.now() + timedelta(hours=1)) == []


def test_a_call_for_help_comes_first_and_stands_for_five_minutes(started: LiveSession, sam_in: StudentSession):
    now = timezone.now()
    note(sam_in, opened(), events.Presence(visible=False))
    StudentSession.objects.filter(pk=sam_in.pk).update(ready_at=now, help_asked_at=now)
    assert needs(started, sam_in) == ["act: asks for help", "watch: page left"]
    assert "act: asks for help" not in needs(started, sam_in, now=now + roster.HELP_STANDS_FOR)


def test_a_lost_connection_is_to_be_watched(started: LiveSession, sam_in: StudentSession):
    connection = opened()
    note(sam_in, connection)
    assert needs(started, sam_in) == []
    note(sam_in, events.SocketClosed(connection=connection.connection, code=1006))
    assert needs(started, sam_in) == ["watch: connection lost"]


def test_whoever_has_just_joined_need_not_be_connected_yet(started: LiveSession, sam_in: StudentSession):
    assert needs(started, sam_in) == []
    later = timezone.now() + roster.SILENT_AFTER + timedelta(seconds=1)
    assert "watch: connection lost" in needs(started, sam_in, now=later)


def test_whoever_is_not_ready_a_minute_after_start_and_joining_is_to_be_watched(started: LiveSession, sam_in):
    note(sam_in, opened(), at=timezone.now() + MINUTE)
    at = max(started.started_at, sam_in.joined_at) + MINUTE
    assert needs(started, sam_in, now=at) == []
    assert needs(started, sam_in, now=at + timedelta(seconds=1)) == ["watch: not ready"]


def test_whoever_only_listens_need_not_be_ready(started: LiveSession, sam_in: StudentSession):
    consent(sam_in.student, decision="withdrawn")
    note(sam_in, opened(), at=timezone.now() + 2 * MINUTE)
    assert needs(started, sam_in, now=timezone.now() + 2 * MINUTE) == []


def test_a_check_that_is_open_for_a_minute_is_to_be_watched_whatever_was_asked_since(
    started: LiveSession, alice: User, sam_in: StudentSession, tia_in: StudentSession
):
    StudentSession.objects.update(ready_at=timezone.now())
    check = attention.attention_ask(started, by=alice)
    attention.attention_ask(started, by=alice, student_session=tia_in.pk)
    later = check.asked_at + MINUTE + timedelta(seconds=1)
    for member in (sam_in, tia_in):
        note(member, opened(), at=later)
        assert needs(started, member, now=later) == ["watch: no answer to the attention check"]
    StudentSession.objects.filter(pk=sam_in.pk).update(attention_confirmed=check.seq)
    assert needs(started, sam_in, now=later) == []


def test_whoever_left_needs_nothing(started: LiveSession, sam_in: StudentSession):
    StudentSession.objects.filter(pk=sam_in.pk).update(left_at=timezone.now())
    shown = row(started, sam_in, now=timezone.now() + timedelta(hours=1))
    assert (shown["step"], shown["present"], shown["needs"]) == ("left", "gone", [])
