"""Sessions written at chosen moments: what happened when, without waiting for it."""

import uuid
from datetime import datetime, timedelta

from django.db import transaction

from sessions_app import events, timeline
from sessions_app.models import LiveSession, SchoolClass, Student, StudentSession, User
from sessions_app.models.session import Group
from tests.cast import TIME_ZERO


def minutes(count: float) -> datetime:
    """A moment `count` minutes after time zero, which is a full hour."""
    return TIME_ZERO + timedelta(minutes=count)


class Lesson:
    """A session whose events are appended at given minutes after time zero. It is configured ten minutes before.

    One whose times are given as `span` has them from the beginning, so that no edit of them marks hours.
    """

    def __init__(
        self, teacher: User, school_class: SchoolClass, *, configured: float = -10, groups: int = 0,
        span: tuple[float, float] | None = None, **more: object,
    ):  # fmt: skip
        times = {"status": "ended", "started_at": minutes(span[0]), "ended_at": minutes(span[1])} if span else {}
        self.session = LiveSession.objects.create(
            school=teacher.school, teacher=teacher, school_class=school_class, title="The Ironworks",
            activity="socratic", configured_at=minutes(configured), **{"status": "configured"} | times | more,
        )  # fmt: skip
        self.groups = [Group.objects.create(session=self.session, number=n + 1) for n in range(groups)]
        timeline.open_timeline(self.session, opened_at=minutes(configured))
        self.say(events.Configured(groups=groups, capacity=40), at=configured)

    def say(
        self, event: events.Event, at: float, about: StudentSession | None = None, *, received: float | None = None
    ) -> timeline.Appended:
        """Append an event that happened at `at` minutes; `received` later where it came late."""
        with transaction.atomic():
            [appended] = timeline.append(
                [
                    timeline.NewEvent(
                        session_id=self.session.pk,
                        event=event,
                        happened_at=minutes(at),
                        received_at=minutes(at if received is None else received),
                        sender=about.pk if about else self.session.teacher_id,
                        student_session_id=about.pk if about else None,
                        key=uuid.uuid4() if received is not None else None,
                    )
                ]
            )
        assert appended.written
        return appended

    def start(self, at: float) -> None:
        self._set(status="started", started_at=minutes(at))
        self.say(events.Started(students=0, groups=len(self.groups)), at=at)

    def end(self, at: float, reason: str = "teacher") -> None:
        self._set(status="ended", ended_at=minutes(at), end_reason=reason)
        self.say(events.Ended(reason=reason), at=at)
        timeline.close_timeline(self.session, ended_at=minutes(at))

    def join(self, student: Student, at: float, *, group: int | None = None, **more: object) -> StudentSession:
        """A student joins, in the group with that number."""
        member = StudentSession.objects.create(
            school=self.session.school, session=self.session, student=student, label=student.label,
            joined_at=minutes(at), group=self.groups[group - 1] if group else None, **more,
        )  # fmt: skip
        self.say(events.MemberJoin(group=member.group_id), at=at, about=member)
        return member

    def connect(self, member: StudentSession, at: float, *, until: float | None = None) -> uuid.UUID:
        """A page is connected from `at`, and until `until` where its end was written."""
        connection = uuid.uuid4()
        self.say(events.SocketOpened(connection=connection), at=at, about=member)
        if until is not None:
            self.say(events.SocketClosed(connection=connection, code=1006), at=until, about=member)
        return connection

    def _set(self, **changes: object) -> None:
        LiveSession.objects.filter(pk=self.session.pk).update(**changes)
        self.session.refresh_from_db()
