"""Groups within a session: make N of them, move a student, choose who leads."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from sessions_app import events, timeline
from sessions_app.models import Group, LiveSession, StudentSession, User
from sessions_app.refusals import Refused

MOST_GROUPS = 20


def create_groups(session: LiveSession, count: int) -> list[Group]:
    """The session's groups 1 to `count`, where none are yet."""
    return Group.objects.bulk_create(Group(session=session, number=number) for number in range(1, count + 1))


def smallest_group(session: LiveSession) -> Group | None:
    """Where the next student goes: the group with the fewest members, the lowest number first."""
    sizes = dict.fromkeys(session.groups.all(), 0)
    for member in present(session):
        if member.group in sizes:
            sizes[member.group] += 1
    return min(sizes, key=lambda group: (sizes[group], group.number), default=None)


def present(session: LiveSession) -> list[StudentSession]:
    """The students who are in the session: joined, not gone, not taken out; in the order in which they joined."""
    return list(
        StudentSession.objects.filter(session=session, removed_at=None, left_at=None)
        .select_related("group")
        .order_by("joined_at", "id")
    )


def groups_make(session: LiveSession, *, count: int, by: User) -> list[Group]:
    """Spread everybody evenly over `count` new groups. Leaders are chosen anew and nobody is ready any more."""
    if not 1 <= count <= MOST_GROUPS:
        raise Refused("group_count")
    now = timezone.now()
    with transaction.atomic():
        _lock_open(session)
        session.groups.all().delete()
        groups = create_groups(session, count)
        members = present(session)
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
    """Put a student into another group, or out of all groups. A group that loses its leader gets its next member."""
    now = timezone.now()
    with transaction.atomic():
        _lock_open(session)
        member = _member(session, student_session)
        target = _group(session, group) if group else None
        step_down(member)
        member.group = target
        member.save(update_fields=["group", "updated_at"])
        if target and target.leader_id is None:
            Group.objects.filter(pk=target.pk).update(leader=member)
        moved = events.MemberMoved(group=target.pk if target else None, number=target.number if target else None)
        timeline.record(session, moved, at=now, about=member, by=by)
    return member


def leader_choose(session: LiveSession, *, student_session: UUID, by: User) -> Group:
    """Let a student lead the group that they are in."""
    now = timezone.now()
    with transaction.atomic():
        _lock_open(session)
        member = _member(session, student_session)
        if member.group is None:
            raise Refused("no_group")
        group = member.group
        group.leader = member
        group.ready_at = None
        group.save(update_fields=["leader", "ready_at"])
        chosen = events.LeaderChosen(group=group.pk, number=group.number)
        timeline.record(session, chosen, at=now, about=member, by=by)
    return group


def step_down(member: StudentSession) -> None:
    """A student goes: whoever is next in the group leads it, and it is not ready any more."""
    led = Group.objects.filter(leader=member).first()
    if led is None:
        return
    led.leader = (
        StudentSession.objects.filter(group=led, removed_at=None, left_at=None)
        .exclude(pk=member.pk)
        .order_by("joined_at", "id")
        .first()
    )
    led.ready_at = None
    led.save(update_fields=["leader", "ready_at"])


def _lock_open(session: LiveSession) -> None:
    """Hold the session's row, so that two changes of its groups come one after the other."""
    status = LiveSession.objects.select_for_update().values_list("status", flat=True).get(pk=session.pk)
    if status == LiveSession.Status.ENDED:
        raise Refused("session_over")
    if status == LiveSession.Status.DRAFT:
        raise Refused("not_possible_now")


def _member(session: LiveSession, student_session: UUID) -> StudentSession:
    member = (
        StudentSession.objects.select_related("group")
        .filter(session=session, pk=student_session, removed_at=None)
        .first()
    )
    if member is None:
        raise Refused("no_such_student")
    return member


def _group(session: LiveSession, group: UUID) -> Group:
    found = Group.objects.filter(session=session, pk=group).first()
    if found is None:
        raise Refused("no_such_group")
    return found
