"""Groups within a session: make N of them, move a student, choose who leads.

Rows are held in one order, so that nobody waits in a circle: the session, its students, its groups, the counter.
"""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from sessions_app import events, timeline
from sessions_app.models import Group, LiveSession, StudentSession, User
from sessions_app.refusals import Refused

MOST_GROUPS = 20


def create_groups(session: LiveSession, count: int) -> list[Group]:
    """The session's groups 1 to `count`, where none are yet."""
    return Group.objects.bulk_create(Group(session=session, number=number) for number in range(1, count + 1))


def hold_open(session: LiveSession) -> LiveSession:
    """The session as it is now, held until the transaction ends, so that changes of who is in it and in which group
    come one after the other. Refuses one that is not open.
    """
    fresh = LiveSession.objects.select_for_update(no_key=True).get(pk=session.pk)
    if fresh.status == LiveSession.Status.ENDED:
        raise Refused("session_over")
    if fresh.status == LiveSession.Status.DRAFT:
        raise Refused("not_possible_now")
    return fresh


def smallest_group(session: LiveSession) -> Group | None:
    """Where the next student goes, held: the group with the fewest members, the lowest number first."""
    sizes = dict.fromkeys(session.groups.select_for_update(no_key=True), 0)
    for member in present(session).select_related("group"):
        if member.group in sizes:
            sizes[member.group] += 1
    return min(sizes, key=lambda group: (sizes[group], group.number), default=None)


def present(session: LiveSession) -> QuerySet[StudentSession]:
    """The students who are in the session: joined, not gone, not taken out; in the order in which they joined."""
    return StudentSession.objects.filter(session=session, removed_at=None, left_at=None).order_by("joined_at", "id")


def groups_make(session: LiveSession, *, count: int, by: User) -> list[Group]:
    """Spread everybody evenly over `count` new groups. Leaders are chosen anew and nobody is ready any more."""
    if not 1 <= count <= MOST_GROUPS:
        raise Refused("group_count")
    now = timezone.now()
    with transaction.atomic():
        session = hold_open(session)
        members = list(present(session).select_for_update(no_key=True))
        session.groups.all().delete()
        groups = create_groups(session, count)
        for index, member in enumerate(members):
            member.group = groups[index % count]
            member.updated_at = now
        StudentSession.objects.bulk_update(members, ["group", "updated_at"])
        for group, leader in zip(groups, members, strict=False):
            group.leader = leader
        Group.objects.bulk_update(groups[: len(members)], ["leader"])
        timeline.record(session, events.GroupsMade(groups=count), at=now, by=by)
    return groups


def member_move(session: LiveSession, *, student_session: UUID, group: UUID | None, by: User) -> StudentSession:
    """Put a student into another group, or out of all groups. A group that loses its leader gets its next member.

    A move to where the student is already changes nothing, and is not recorded.
    """
    now = timezone.now()
    with transaction.atomic():
        member = _member(hold_open(session), student_session)
        if member.group_id == group:
            return member
        step_down(member)
        target = _group(session, group) if group else None
        member.group = target
        member.save(update_fields=["group", "updated_at"])
        lead_if_nobody_does(member)
        moved = events.MemberMoved(group=target.pk if target else None, number=target.number if target else None)
        timeline.record(session, moved, at=now, about=member, by=by)
    return member


def leader_choose(session: LiveSession, *, student_session: UUID, by: User) -> Group:
    """Let a student lead the group that they are in."""
    now = timezone.now()
    with transaction.atomic():
        member = _member(hold_open(session), student_session)
        group = member.group
        if group is None:
            raise Refused("no_group")
        group.leader = member
        group.ready_at = None
        group.save(update_fields=["leader", "ready_at"])
        chosen = events.LeaderChosen(group=group.pk, number=group.number)
        timeline.record(session, chosen, at=now, about=member, by=by)
    return group


def step_down(member: StudentSession) -> None:
    """A student goes: whoever is next in the group leads it, and it is not ready any more. The member's row is held."""
    if member.group_id is None:
        return
    group = Group.objects.select_for_update(no_key=True).get(pk=member.group_id)
    if group.leader_id != member.pk:
        return
    others = StudentSession.objects.filter(group=group, removed_at=None, left_at=None).exclude(pk=member.pk)
    group.leader = others.order_by("joined_at", "id").first()
    group.ready_at = None
    group.save(update_fields=["leader", "ready_at"])


def lead_if_nobody_does(member: StudentSession) -> None:
    """A student came into a group: a group with somebody in it has a leader."""
    if member.group_id is not None:
        Group.objects.filter(pk=member.group_id, leader=None).update(leader=member)


def _member(session: LiveSession, student_session: UUID) -> StudentSession:
    """A student who is in the session, held."""
    members = present(session).select_related("group").select_for_update(no_key=True, of=("self",))
    member = members.filter(pk=student_session).first()
    if member is None:
        raise Refused("no_such_student")
    return member


def _group(session: LiveSession, group: UUID) -> Group:
    found = session.groups.select_for_update(no_key=True).filter(pk=group).first()
    if found is None:
        raise Refused("no_such_group")
    return found
