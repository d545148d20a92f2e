"""What students do: each rule, each record, each event once, and what was refused."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connections
from django.utils import timezone
from psycopg import errors

from sessions_app import actions, attention, enrolment, events, grouping, lifecycle, timeline
from sessions_app.enrolment import Ticket
from sessions_app.models import Consent, ConsentState, Group, LiveSession, SessionEvent, StudentSession, User
from sessions_app.refusals import Refused
from tests.cast import consent, join, make_student, story

pytestmark = pytest.mark.django_db


def attempt(member: StudentSession, event: events.Event, key: uuid.UUID | None = None) -> actions.Attempt:
    member.refresh_from_db()
    now = timezone.now()
    return actions.Attempt(
        ticket=Ticket(member.pk, member.cookie_version), event=event, key=key or uuid.uuid4(),
        received_at=now, happened_at=now, client_time=now,
    )  # fmt: skip


def act(member: StudentSession, event: events.Event, key: uuid.UUID | None = None) -> int:
    seq = actions.action_perform(attempt(member, event, key))
    member.refresh_from_db()
    return seq


def assert_refused(member: StudentSession, event: events.Event, code: str) -> None:
    with pytest.raises(Refused, match=code):
        act(member, event)
    kept = timeline.read(member.session_id)[-1]
    assert (kept.event, kept.student) == ("action_refused", member.pk)
    assert kept.data == {"action": event.KIND, "reason": code}


def granted(decision: str = "granted") -> events.ConsentGiven:
    return events.ConsentGiven(purpose="participation", decision=decision, version="2026-1")


def test_a_student_says_that_they_are_ready_and_takes_it_back(session: LiveSession, sam_in: StudentSession):
    seq = act(sam_in, events.Ready())
    assert (sam_in.ready_at is not None, seq) == (True, timeline.position(session.pk).seq)
    act(sam_in, events.NotReady())
    assert sam_in.ready_at is None
    assert story(session, after=2) == ["ready", "not_ready"]


def test_an_action_of_a_run_that_was_erased_is_refused(sam_in: StudentSession):
    wanted = attempt(sam_in, events.Ready())
    StudentSession.objects.filter(pk=sam_in.pk).delete()
    with pytest.raises(Refused, match="no_such_session"):
        actions.action_perform(wanted)


def test_a_repeated_key_is_answered_from_what_is_stored(session: LiveSession, sam_in: StudentSession):
    key = uuid.uuid4()
    first = act(sam_in, events.Ready(), key)
    act(sam_in, events.NotReady())
    assert act(sam_in, events.Ready(), key) == first
    assert sam_in.ready_at is None
    assert story(session, after=2) == ["ready", "not_ready"]


def test_a_key_is_used_for_one_content(session: LiveSession, sam_in: StudentSession):
    key = uuid.uuid4()
    act(sam_in, granted(), key)
    for other in (granted("refused"), events.Ready()):
        with pytest.raises(Refused, match="key_reused"):
            act(sam_in, other, key)
    assert (Consent.objects.filter(given_by="student").count(), story(session, after=2)) == (1, ["consent"])


def test_what_was_refused_is_refused_again_under_its_key(session: LiveSession, alice: User, sam_in: StudentSession):
    key = uuid.uuid4()
    with pytest.raises(Refused, match="not_started"):
        act(sam_in, events.HelpRequest(), key)
    lifecycle.session_start(session, by=alice)
    with pytest.raises(Refused, match="not_started"):
        act(sam_in, events.HelpRequest(), key)
    assert story(session, after=2) == ["action_refused", "started"]


@pytest.mark.django_db(transaction=True)
def test_the_same_action_from_socket_and_post_at_once_is_done_once(session: LiveSession, sam_in: StudentSession):
    key = uuid.uuid4()
    attempts = [attempt(sam_in, granted(), key) for _ in range(6)]

    def perform(one: actions.Attempt) -> int:
        try:
            return actions.action_perform(one)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as threads:
        assert len(set(threads.map(perform, attempts))) == 1
    assert Consent.objects.filter(given_by="student").count() == 1
    assert story(session, after=2) == ["consent"]


@pytest.mark.django_db(transaction=True)
def test_a_class_that_acts_while_the_teacher_regroups_gets_every_answer(
    session: LiveSession, alice: User, grade_four, sam_in: StudentSession, tia_in: StudentSession
):
    members = [sam_in, tia_in, *(join(session, make_student(grade_four, f"Student {n}")) for n in range(4))]
    work = [
        lambda m=member, e=event: actions.action_perform(attempt(m, e))
        for member in members
        for event in (events.Ready(), granted(), events.NotReady())
    ]
    work[4::5] = [lambda: grouping.groups_make(session, count=3, by=alice)] * len(work[4::5])
    work[3::5] = [lambda: attention.attention_ask(session, by=alice, student_session=sam_in.pk)] * len(work[3::5])

    def do(one) -> None:
        try:
            one()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(do, work, timeout=60))
    assert [e.seq for e in timeline.read(session.pk)] == list(range(1, 2 + len(members) + len(work)))


def test_consent_is_recorded_as_the_students_own(sam_in: StudentSession):
    consent(sam_in.student, decision="withdrawn")
    act(sam_in, granted("refused"))
    given = Consent.objects.filter(given_by="student").get()
    assert (given.purpose, given.decision, given.version, given.how_obtained) == (
        "participation", "refused", "2026-1", "in_session"
    )  # fmt: skip
    assert not ConsentState.objects.get(student=sam_in.student, purpose="participation").granted


def test_without_consent_nothing_is_contributed_and_nothing_changes(sam_in: StudentSession):
    consent(sam_in.student, decision="withdrawn")
    assert_refused(sam_in, events.Ready(), "consent_missing")
    assert sam_in.ready_at is None


def test_a_leader_says_that_the_group_is_ready(sam_in: StudentSession):
    act(sam_in, events.LeaderReady(ready=True))
    assert Group.objects.get(pk=sam_in.group_id).ready_at is not None
    said = timeline.read(sam_in.session_id)[-1]
    assert said.data == {"ready": True, "group": str(sam_in.group_id)}
    act(sam_in, events.LeaderReady(ready=False))
    assert Group.objects.get(pk=sam_in.group_id).ready_at is None


def test_a_leaders_word_under_the_same_key_counts_once(sam_in: StudentSession):
    key = uuid.uuid4()
    assert act(sam_in, events.LeaderReady(ready=True), key) == act(sam_in, events.LeaderReady(ready=True), key)


def test_only_the_leader_speaks_for_a_group(session: LiveSession, grade_four, sam_in, tia_in):
    third = join(session, make_student(grade_four, "Uma"))
    assert third.group == sam_in.group
    assert_refused(third, events.LeaderReady(ready=True), "not_leader")
    assert Group.objects.get(pk=third.group_id).ready_at is None


def test_a_group_that_a_student_names_is_not_believed(sam_in: StudentSession, tia_in: StudentSession):
    act(sam_in, events.LeaderReady(ready=True, group=sam_in.group_id))
    assert Group.objects.get(pk=tia_in.group_id).ready_at is None


def test_who_is_in_no_group_leads_none(sam_in: StudentSession):
    StudentSession.objects.filter(pk=sam_in.pk).update(group=None)
    assert_refused(sam_in, events.LeaderReady(ready=True), "no_group")


def test_help_is_asked_for_in_a_running_session(session: LiveSession, alice: User, sam_in: StudentSession):
    assert_refused(sam_in, events.HelpRequest(), "not_started")
    lifecycle.session_start(session, by=alice)
    act(sam_in, events.HelpRequest())
    assert sam_in.help_asked_at is not None


def test_an_attention_check_is_answered(session: LiveSession, alice: User, sam_in: StudentSession):
    check = attention.attention_ask(session, by=alice)
    act(sam_in, events.AttentionConfirmed(check=check.seq))
    assert sam_in.attention_confirmed == check.seq


def test_an_older_answer_does_not_undo_a_newer_one(session: LiveSession, alice: User, sam_in: StudentSession):
    older, newer = (attention.attention_ask(session, by=alice) for _ in range(2))
    act(sam_in, events.AttentionConfirmed(check=newer.seq))
    act(sam_in, events.AttentionConfirmed(check=older.seq))
    assert sam_in.attention_confirmed == newer.seq


def test_a_check_that_was_not_asked_is_not_answered(session: LiveSession, alice: User, sam_in, tia_in):
    for_tia = attention.attention_ask(session, by=alice, student_session=tia_in.pk)
    assert_refused(sam_in, events.AttentionConfirmed(check=999_999), "no_such_check")
    assert_refused(sam_in, events.AttentionConfirmed(check=for_tia.seq), "no_such_check")
    assert sam_in.attention_confirmed == 0


def test_who_leaves_hands_the_lead_over(session: LiveSession, grade_four, sam_in, tia_in):
    uma = join(session, make_student(grade_four, "Uma"))
    act(sam_in, events.Ready())
    act(sam_in, events.MemberLeave())
    assert (sam_in.left_at is not None, sam_in.ready_at) == (True, None)
    assert Group.objects.get(pk=sam_in.group_id).leader == uma


def test_who_left_does_nothing_more(sam_in: StudentSession):
    act(sam_in, events.MemberLeave())
    assert_refused(sam_in, events.MemberLeave(), "left")
    assert_refused(sam_in, events.Ready(), "left")


def test_after_the_end_an_action_is_refused_and_kept(started: LiveSession, sam_in: StudentSession):
    lifecycle.session_end(started, by=started.teacher)
    assert_refused(sam_in, events.Ready(), "session_over")
    assert timeline.read(started.pk)[-1].late


def test_whoever_was_taken_out_leaves_no_trace_of_trying(session: LiveSession, alice: User, sam_in: StudentSession):
    before = attempt(sam_in, events.Ready())
    enrolment.member_remove(session, student_session=sam_in.pk, by=alice)
    with pytest.raises(Refused, match="removed"):
        actions.action_perform(before)
    assert story(session)[-1] == "member_removed"


def test_an_older_device_does_nothing(sam_in: StudentSession):
    older = attempt(sam_in, events.Ready())
    StudentSession.objects.filter(pk=sam_in.pk).update(cookie_version=2)
    with pytest.raises(Refused, match="other_device"):
        actions.action_perform(older)


def test_record_and_event_are_written_together_or_not_at_all(sam_in: StudentSession, monkeypatch: pytest.MonkeyPatch):
    def broken(*_arguments) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(timeline, "append", broken)
    with pytest.raises(RuntimeError):
        act(sam_in, granted())
    assert not Consent.objects.filter(given_by="student").exists()


def test_a_deadlock_is_tried_again(sam_in: StudentSession, monkeypatch: pytest.MonkeyPatch):
    perform, failures = actions._perform, iter([True, True, False])

    def deadlocked(one: actions.Attempt) -> int:
        if next(failures):
            raise OperationalError from errors.DeadlockDetected()
        return perform(one)

    monkeypatch.setattr(actions, "_perform", deadlocked)
    act(sam_in, events.Ready())
    assert sam_in.ready_at is not None


def test_what_is_no_deadlock_is_not_tried_again(sam_in: StudentSession, monkeypatch: pytest.MonkeyPatch):
    tries = []

    def down(one: actions.Attempt) -> int:
        tries.append(one)
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(actions, "_perform", down)
    with pytest.raises(OperationalError):
        act(sam_in, events.Ready())
    assert len(tries) == 1


def test_every_action_that_a_client_may_send_has_a_rule():
    sent = {kind for kind in events.KINDS.values() if kind.SENT is events.Sent.ACTION}
    assert sent == set(actions.RULES)


def test_an_event_keeps_who_sent_it_and_when(sam_in: StudentSession):
    seq = act(sam_in, events.Ready())
    row = SessionEvent.objects.get(session=sam_in.session_id, seq=seq)
    assert (row.sender, row.student_session_id, row.key is not None) == (sam_in.pk, sam_in.pk, True)
    assert row.client_time == row.event_time == row.created_at == sam_in.ready_at
