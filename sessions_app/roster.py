"""Who is in a session and how they are: what the teacher's board and the student's page show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from sessions_app import timeline
from sessions_app.models import (
    AttentionCheck,
    Consent,
    ConsentState,
    Group,
    LiveSession,
    StudentSession,
    TakeoverRequest,
)
from sessions_app.reading import board as reading_board
from sessions_app.reading import state
from sessions_app.reading.board import ReadingSign
from sessions_app.study import handouts, progress, way

SILENT_AFTER = timedelta(seconds=45)
"""A page says something every half minute; one that is silent for longer is away."""
HELP_STANDS_FOR = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
CONSENT_VERSION = "2026-1"
"""The version of the text that students agree to on their own page (templates/student/)."""
STUDY_CONSENT_VERSION = "study-2026-1"
"""The version of the texts, one per purpose, that students of a study decide about."""


@dataclass(frozen=True, slots=True)
class SignOfLife:
    """What a student's connection did last. `here`, `away` (page hidden or silent), `gone` (not connected)."""

    last_seen: datetime
    presence: str


PRESENCE = """
SELECT student_session_id,
    max(created_at),
    coalesce(max(seq) FILTER (WHERE event_type = 'socket_opened'), 0),
    coalesce(max(seq) FILTER (WHERE event_type = 'socket_closed'), 0),
    (array_agg(payload->>'connection' ORDER BY seq DESC) FILTER (WHERE event_type = 'socket_opened'))[1],
    (array_agg(payload->>'connection' ORDER BY seq DESC) FILTER (WHERE event_type = 'socket_closed'))[1],
    (array_agg(payload->>'visible' ORDER BY seq DESC) FILTER (WHERE event_type = 'presence'))[1]
FROM session_events WHERE session_id = %s AND student_session_id IS NOT NULL AND sender = student_session_id
GROUP BY student_session_id
"""


def signs_of_life(session_id: UUID, *, now: datetime) -> dict[UUID, SignOfLife]:
    """The last sign of life of each student session that was ever connected.

    A connection that was replaced closes after the new one opened, so it is the newest connection that counts.
    """
    with connection.cursor() as cursor:
        cursor.execute(PRESENCE, (session_id,))
        rows = cursor.fetchall()
    found = {}
    for student, last_seen, opened, closed, opened_as, closed_as, visible in rows:
        if not opened or (closed > opened and closed_as == opened_as):
            presence = "gone"
        elif visible == "false" or now - last_seen > SILENT_AFTER:
            presence = "away"
        else:
            presence = "here"
        found[student] = SignOfLife(last_seen, presence)
    return found


def board_state(session: LiveSession, *, now: datetime | None = None) -> dict[str, Any]:
    """The `state` frame of a teacher's socket: session, groups, students, requests, and the position it was read at.

    `removed` are the students who were taken out and can be let back in.

    The position is read first: whoever applies the events behind it to this state has missed nothing.
    """
    now = now or timezone.now()
    where = timeline.position(session.pk)
    alive = signs_of_life(session.pk, now=now)
    everybody = list(StudentSession.objects.filter(session=session).select_related("condition").order_by("label"))
    members = [m for m in everybody if m.removed_at is None]
    checks = _checks(session)
    for member in members:
        member.session = session
    runs = way.runs(members) if way.is_of_study(session) else {}
    live = _live_purposes(members, runs)
    read = reading_board.signs(session.pk) if state.reads(session) and session.started_at else {}
    here = {m.pk for m in members if m.left_at is None and m.pk in alive and alive[m.pk].presence != "gone"}
    rows = [
        _board_row(m, alive.get(m.pk), checks, live=live, run=runs.get(m.pk), read=read.get(m.pk), now=now)
        for m in members
    ]
    requests = TakeoverRequest.objects.filter(session=session, decision="pending").select_related("student_session")
    return {
        "type": "state",
        "session": {**session_state(session), "join_code": session.join_code, "capacity": session.capacity},
        "groups": [
            {"id": g.pk, "number": g.number, "leader": g.leader_id, "ready": g.ready_at is not None}
            for g in Group.objects.filter(session=session)
        ],
        "students": rows,
        "slowest": progress.slowest(runs.values(), present=here) if session.status == "started" else None,
        "removed": [{"id": m.pk, "label": m.label, "at": m.removed_at} for m in everybody if m.removed_at is not None],
        "requests": [
            {"id": r.pk, "student": r.student_session_id, "label": r.student_session.label, "at": r.requested_at}
            for r in requests
        ],
        "epoch": where.epoch if where else None,
        "seq": where.seq if where else 0,
        "server_time": now,
    }


def _board_row(
    member: StudentSession,
    alive: SignOfLife | None,
    checks: Sequence[AttentionCheck],
    *,
    live: Mapping[UUID, Mapping[str, bool]],
    run: way.Run | None,
    read: ReadingSign | None,
    now: datetime,
) -> dict[str, Any]:
    session = member.session
    decided = live.get(member.student_id, {}) if member.student_id else {}
    consented = decided.get(Consent.Purpose.PARTICIPATION.value, False)
    at = step(member, session, consented=consented, run=run)
    return {
        "id": member.pk,
        "label": member.label,
        "group": member.group_id,
        "step": at,
        "ready": member.ready_at is not None,
        "present": "gone" if member.left_at or alive is None else alive.presence,
        "last_seen": alive.last_seen if alive else None,
        "needs": needs(member, session, alive, checks, consented=consented, now=now, run=run, read=read),
        "way": progress.board_row(run) if run is not None and session.started_at else None,
        "condition": _condition(member) if run is not None else None,
    }


def _condition(member: StudentSession) -> dict[str, Any]:
    """Which condition a student of a study has, if any yet, and whether it was drawn."""
    code = member.condition.code if member.condition else None
    return {"code": code, "drawn": member.condition_randomised}


def _live_purposes(members: Sequence[StudentSession], runs: Mapping[UUID, way.Run]) -> dict[UUID, Mapping[str, bool]]:
    """Which purposes are live for the students of some members, as far as anybody has decided: `runs` know it."""
    if runs:
        return {run.member.student_id: run.position.consents for run in runs.values() if run.member.student_id}
    found: dict[UUID, dict[str, bool]] = {}
    decided = ConsentState.objects.filter(student_id__in=[m.student_id for m in members if m.student_id])
    for student, purpose, granted in decided.values_list("student_id", "purpose", "granted"):
        found.setdefault(student, {})[purpose] = granted
    return dict(found)


def needs(
    member: StudentSession,
    session: LiveSession,
    alive: SignOfLife | None,
    checks: Sequence[AttentionCheck],
    *,
    consented: bool,
    now: datetime,
    run: way.Run | None = None,
    read: ReadingSign | None = None,
) -> list[dict[str, str]]:
    """Why a student needs a look, the most pressing first; empty where all is well, or nothing is running.

    The rule that pages print: asked for help in the last five minutes (act); connection lost, page left, not ready
    a minute after the start or after joining, or an attention check open for a minute (watch); in a study what
    `progress.needs` says, and of a reading what `reading.board.needs` does. Whoever only listens need not be ready;
    whoever has just joined need not be connected yet.
    """
    if session.status != LiveSession.Status.STARTED or member.left_at is not None or session.started_at is None:
        return []
    found = []
    if member.help_asked_at and now - member.help_asked_at < HELP_STANDS_FOR:
        found.append({"kind": "act", "text": _("asks for help")})
    if read is not None:
        found += reading_board.needs(read, now=now)
    if alive is None:
        if now - member.joined_at > SILENT_AFTER:
            found.append({"kind": "watch", "text": _("connection lost")})
    elif alive.presence == "gone":
        found.append({"kind": "watch", "text": _("connection lost")})
    elif alive.presence == "away":
        found.append({"kind": "watch", "text": _("page left")})
    if run is not None and consented:
        found += progress.needs(run, now=now)
    elif (
        consented
        and read is None
        and member.ready_at is None
        and now - max(session.started_at, member.joined_at) > MINUTE
    ):
        found.append({"kind": "watch", "text": _("not ready")})
    if any(_open_for(check, member) and now - check.asked_at > MINUTE for check in checks):
        found.append({"kind": "watch", "text": _("no answer to the attention check")})
    return sorted(found, key=lambda need: need["kind"] != "act")


def session_state(session: LiveSession) -> dict[str, Any]:
    """The part of a `state` frame that teacher and student share."""
    return {
        "id": session.pk,
        "title": session.title,
        "activity": session.activity,
        "status": session.status,
        "started_at": session.started_at,
        "ended_at": session.ended_at,
    }


def step(member: StudentSession, session: LiveSession, *, consented: bool, run: way.Run | None = None) -> str:
    """Where a student is: `consent`, `waiting`, `ready`, `in_session`, `ended`, `left` or `removed`.

    In a study (`run`) `agree` stands before `waiting`, and a step of `way.STEPS` in the place of `in_session`.
    """
    if member.removed_at is not None:
        return "removed"
    if session.status == LiveSession.Status.ENDED:
        return "ended"
    if member.left_at is not None:
        return "left"
    if not consented or (run is not None and run.step in way.NOT_YET):
        return run.step if run else "consent"
    if session.status == LiveSession.Status.STARTED:
        return run.step if run else "in_session"
    return "ready" if member.ready_at else "waiting"


def student_states(members: Sequence[StudentSession]) -> dict[UUID, dict[str, Any]]:
    """The `state` frames of students' sockets, in four queries however many they are, and some more for what they do.

    `members` are of one session, with `session` and its `study` selected.
    """
    if not members:
        return {}
    session = members[0].session
    runs = way.runs(members) if way.is_of_study(session) else {}
    consents = _live_purposes(members, runs)
    material = handouts.handouts(list(runs.values()), consent_version=STUDY_CONSENT_VERSION)
    read = state.reading_states(members, consents) if state.reads(session) else {}
    groups = _groups({m.group_id for m in members if m.group_id})
    checks = _checks(session)
    found = {}
    for m in members:
        live = consents.get(m.student_id, {}) if m.student_id else {}
        group = groups[m.group_id].told(m) if m.group_id in groups else None
        found[m.pk] = _student_state(m, live, group, checks, run=runs.get(m.pk), material=material.get(m.pk))
        found[m.pk]["reading"] = read.get(m.pk)
    return found


def students_of(session_id: UUID, ids: Sequence[UUID]) -> list[StudentSession]:
    """The members to give to `student_states`."""
    return list(StudentSession.objects.filter(session_id=session_id, pk__in=ids).select_related("session__study"))


@dataclass(slots=True)
class _Together:
    """A group as its members see it. `labels` are those of who is in it, by student session."""

    number: int
    leader: UUID | None
    ready: bool
    labels: dict[UUID, str]

    def told(self, member: StudentSession) -> dict[str, Any]:
        return {
            "number": self.number,
            "leader": self.leader == member.pk,
            "leader_label": self.labels.get(self.leader) if self.leader else None,
            "leader_ready": self.ready,
            "members": list(self.labels.values()),
        }


def _groups(ids: set[UUID]) -> dict[UUID, _Together]:
    found: dict[UUID, _Together] = {}
    if ids:
        mates = StudentSession.objects.filter(group__in=ids, removed_at=None, left_at=None).order_by("label")
        for member in mates.select_related("group").only(
            "label", "group__number", "group__leader_id", "group__ready_at"
        ):
            group = member.group
            assert group is not None
            kept = found.setdefault(group.pk, _Together(group.number, group.leader_id, group.ready_at is not None, {}))
            kept.labels[member.pk] = member.label
    return found


def _student_state(
    member: StudentSession,
    consents: Mapping[str, bool],
    group: dict[str, Any] | None,
    checks: list[AttentionCheck],
    *,
    run: way.Run | None,
    material: dict[str, Any] | None,
) -> dict[str, Any]:
    session = member.session
    participation = Consent.Purpose.PARTICIPATION.value
    check = next((c for c in checks if _open_for(c, member)), None)
    return {
        "type": "state",
        "session": session_state(session),
        "me": {
            "label": member.label,
            "step": step(member, session, consented=bool(consents.get(participation)), run=run),
            "ready": member.ready_at is not None,
            "group": group,
            "consents": {participation: consents.get(participation)},
            "consent_version": STUDY_CONSENT_VERSION if run else CONSENT_VERSION,
        },
        "way": {"material": material, "moved": run.was_moved} if run else None,
        "attention": {"id": check.seq, "text": check.text} if check else None,
        "server_time": timezone.now(),
    }


def waits_for_question(state: dict[str, Any]) -> bool:
    """Whether a student's `state` shows a pause without a question to answer."""
    if state["me"]["step"] != "intervention":
        return False
    return all(exchange["answer"] is not None for exchange in state["way"]["material"]["exchanges"])


def _checks(session: LiveSession) -> list[AttentionCheck]:
    """The attention checks of an open session, the newest first."""
    return list(AttentionCheck.objects.filter(session=session).order_by("-seq")[:200]) if session.is_open else []


def _open_for(check: AttentionCheck, member: StudentSession) -> bool:
    """Whether a student has not yet answered a check that was meant for them."""
    return (
        check.student_session_id in {None, member.pk}
        and member.attention_confirmed < check.seq
        and member.joined_at < check.asked_at
    )
