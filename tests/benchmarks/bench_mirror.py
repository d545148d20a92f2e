"""The outbox against DynamoDB: as fast as DynamoDB takes the same items from a bare client."""

import uuid
from collections.abc import Iterator

from django.utils import timezone

from analytics_app.mirror import agreement, leases
from analytics_app.mirror.kinds import KINDS
from analytics_app.mirror.outbox import Outbox
from analytics_app.mirror.writer import MOST_WRITES, Tables, Verdict, Write
from analytics_app.models import OutboxItem
from sessions_app.models import LiveSession, School, Student, StudentSession, User
from tests.benchmarks.place import fastest_of, own_database
from tests.benchmarks.runner import Result, at_least, benchmark, bounded, durable

STUDENTS = 1000
ROUNDS = 3


@benchmark("mirror.")
def mirror() -> Iterator[Result]:
    """Drain a thousand profiles and a thousand sessions, with marks, leases, newest state, guards and settling."""
    with own_database("mirror"):
        durable()
        tables = Tables(prefix=f"bench_{uuid.uuid4().hex[:8]}_")
        tables.create_missing()
        _fill()
        drain = Outbox(tables)
        writes = [
            Write(key, item)
            for kind in KINDS.values()
            for newest in kind.newest(list(kind.everything().values_list("pk", flat=True))).values()
            for key, item in newest.items()
        ]

        def ours() -> None:
            leases.mark_everything()
            assert drain.drain() == 0

        def limit() -> None:
            for start in range(0, len(writes), MOST_WRITES):
                outcomes = tables.write(writes[start : start + MOST_WRITES])
                assert all(outcome.verdict is Verdict.DONE for outcome in outcomes)

        ours_s, limit_s = fastest_of(ROUNDS, ours, limit)
        yield at_least("mirror.drain", len(writes) / ours_s, "items/s", limit=len(writes) / limit_s, ratio=0.5)
        found = agreement.compare(tables)
        assert found.compared == len(writes)
        yield bounded("mirror.disagreeing", len(found.disagreeing), "items", most=0)


def _fill() -> None:
    now = timezone.now()
    school = School.objects.create(name="Bench")
    teacher = User.objects.create(username="bench", role=User.Role.TEACHER, school=school)
    session = LiveSession.objects.create(
        school=school, teacher=teacher, title="Bench", activity=LiveSession.Activity.SOCRATIC,
        status=LiveSession.Status.STARTED, configured_at=now, started_at=now,
    )  # fmt: skip
    students = Student.objects.bulk_create(
        Student(school=school, label=f"{n}", pseudonym=f"S-{n}", grade=4, age=10) for n in range(STUDENTS)
    )
    StudentSession.objects.bulk_create(
        StudentSession(school=school, session=session, student=student, label=student.label) for student in students
    )
    OutboxItem.objects.all().delete()
