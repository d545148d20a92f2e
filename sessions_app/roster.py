"""Who is in a session and how they are: what the teacher's board and the student's page show."""

from collections.abc import Sequence
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

SILENT_AFTER = timedelta(seconds=45)
"""A page says something every half minute; one that is silent for longer is away."""
HELP_STANDS_FOR = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
CONSENT_VERSION = "2026-1"
"""The version of the text that students agree to on their own page (templates/student/)."""


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

    The position is read first: whoever applies the events behind it to this state has missed nothing.
    """
    now = now or timezone.now()
    where = timeline.position(session.pk)
    alive = signs_of_life(session.pk, now=now)
    members = list(StudentSession.objects.filter(session=session, removed_at=None).order_by("label"))
    consented = set(
        ConsentState.objects.filter(
            purpose=Consent.Purpose.PARTICIPATION, granted=True, student__student_sessions__session=session
        ).values_list("student_id", flat=True)
    )
    checks = _checks(session)
    requests = TakeoverRequest.objects.filter(session=session, decision="pending").select_related("student_session")
    return {
        "type": "state",
        "session": {**session_state(session), "join_code": session.join_code, "capacity": session.capacity},
        "groups": [
            {"id": g.pk, "number": g.number, "leader": g.leader_id, "ready": g.ready_at is not None}
            for g in Group.objects.filter(session=session)
        ],
        "students": [
            {
                "id": m.pk,
                "label": m.label,
                "group": m.group_id,
                "step": step(m, session, consented=m.student_id in consented),
                "ready": m.ready_at is not None,
                "present": "gone" if m.left_at else alive[m.pk].presence if m.pk in alive else "gone",
                "last_seen": alive[m.pk].last_seen if m.pk in alive else None,
                "needs": needs(m, session, alive.get(m.pk), checks, consented=m.student_id in consented, now=now),
            }
            for m in members
        ],
        "requests": [
            {"id": r.pk, "student": r.student_session_id, "label": r.student_session.label, "at": r.requested_at}
            for r in requests
        ],
        "epoch": where.epoch if where else None,
        "seq": where.seq if where else 0,
        "server_time": now,
    }


def needs(
    member: StudentSession,
    session: LiveSession,
    alive: SignOfLife | None,
    checks: Sequence[AttentionCheck],
    *,
    consented: bool,
    now: datetime,
) -> list[dict[str, str]]:
    """Why a student needs a look, the most pressing first; empty where all is well, or nothing is running.

    The rule that pages print: asked for help in the last five minutes (act); connection lost, page left, not ready
    a minute after the start or after joining, or an attention check open for a minute (watch). Whoever only listens
    need not be ready; whoever has just joined need not be connected yet.
    """
    if session.status != LiveSession.Status.STARTED or member.left_at is not None or session.started_at is None:
        return []
    found = []
    if member.help_asked_at and now - member.help_asked_at < HELP_STANDS_FOR:
        found.append({"kind": "act", "text": _("asks for help")})
    if alive is None:
        if now - member.joined_at > SILENT_AFTER:
            found.append({"kind": "watch", "text": _("connection lost")})
    elif alive.presence == "gone":
        found.append({"kind": "watch", "text": _("connection lost")})
    elif alive.presence == "away":
        found.append({"kind": "watch", "text": _("page left")})
    if consented and member.ready_at is None and now - max(session.started_at, member.joined_at) > MINUTE:
        found.append({"kind": "watch", "text": _("not ready")})
    if any(_open_for(check, member) and now - check.asked_at > MINUTE for check in checks):
        found.append({"kind": "watch", "text": _("no answer to the attention check")})
    return found


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


def step(member: StudentSession, session: LiveSession, *, consented: bool) -> str:
    """Where a student is: `consent`, `waiting`, `ready`, `in_session`, `ended`, `left` or `removed`."""
    if member.removed_at is not None:
        return "removed"
    if session.status == LiveSession.Status.ENDED:
        return "ended"
    if member.left_at is not None:
        return "left"
    if not consented:
        return "consent"
    if session.status == LiveSession.Status.STARTED:
        return "in_session"
    return "ready" if member.ready_at else "waiting"


def student_states(members: Sequence[StudentSession]) -> dict[UUID, dict[str, Any]]:
    """The `state` frames of students' sockets, in four queries however many they are.

    `members` are of one session, with `session`, `group` and `group__leader` selected.
    """
    if not members:
        return {}
    session = members[0].session
    consents: dict[UUID, dict[str, bool]] = {}
    decided = ConsentState.objects.filter(student_id__in=[m.student_id for m in members if m.student_id])
    for student, purpose, granted in decided.values_list("student_id", "purpose", "granted"):
        consents.setdefault(student, {})[purpose] = granted
    labels: dict[UUID, list[str]] = {}
    mates = StudentSession.objects.filter(session=session, group__isnull=False, removed_at=None, left_at=None)
    for group, label in mates.order_by("label").values_list("group_id", "label"):
        labels.setdefault(group, []).append(label)
    checks = _checks(session)
    return {m.pk: _student_state(m, consents.get(m.student_id, {}), labels, checks) for m in members}  # type: ignore[arg-type]


def students_of(session_id: UUID, ids: Sequence[UUID]) -> list[StudentSession]:
    """The members to give to `student_states`."""
    return list(
        StudentSession.objects.filter(session_id=session_id, pk__in=ids).select_related(
            "session", "group", "group__leader"
        )
    )


def _student_state(
    member: StudentSession,
    consents: dict[str, bool],
    labels: dict[UUID, list[str]],
    checks: list[AttentionCheck],
) -> dict[str, Any]:
    session = member.session
    participation = Consent.Purpose.PARTICIPATION.value
    group = member.group
    check = next((c for c in checks if _open_for(c, member)), None)
    return {
        "type": "state",
        "session": session_state(session),
        "me": {
            "label": member.label,
            "step": step(member, session, consented=bool(consents.get(participation))),
            "ready": member.ready_at is not None,
            "group": {
                "number": group.number,
                "leader": group.leader_id == member.pk,
                "leader_label": group.leader.label if group.leader else None,
                "leader_ready": group.ready_at is not None,
                "members": labels.get(group.pk, []),
            }
            if group
            else None,
            "consents": {participation: consents.get(participation)},
            "consent_version": CONSENT_VERSION,
        },
        "attention": {"id": check.seq, "text": check.text} if check else None,
        "server_time": timezone.now(),
    }


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
