"""What was kept long enough is removed, and nothing else; the hours that were counted stay."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from axes.models import AccessAttempt
from axes.models import AccessLog as SignIn
from django.apps import apps
from django.contrib.sessions.models import Session as SignedIn
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Model
from procrastinate.contrib.django.models import ProcrastinateJob

from analytics_app import health, jobs
from analytics_app.models import ChangedHour, DashboardMetricsHourly, HourlyPeople, OutboxItem, RolledPosition
from analytics_app.retention import EXPIRIES, purge
from analytics_app.rollups.fill import fill_between, fill_changed
from analytics_app.rollups.seal import seal_hours_of
from analytics_app.rollups.verify import verify
from sessions_app import events, learners
from sessions_app.models import (
    AccessLog,
    JoinFailures,
    Learner,
    LearnerCode,
    LiveSession,
    RequestCount,
    School,
    SchoolClass,
    SessionEvent,
    SessionResult,
    Student,
    StudentSession,
    User,
)
from tests.analytics_app.lesson import Lesson, minutes
from tests.cast import consent
from tests.sessions_app.live.conftest import database_url

pytestmark = pytest.mark.django_db

KEPT = timedelta(days=60)
ENDED = minutes(90)
DAY = timedelta(days=1)
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "operator-guide.md"


@pytest.fixture(autouse=True)
def sixty_days(school: School) -> None:
    School.objects.filter(pk=school.pk).update(retention_days=KEPT.days)


@pytest.fixture
def lesson(alice: User, grade_four: SchoolClass, sam: Student) -> Lesson:
    """From 14:05 to 15:30, with Sam; a ping comes in at 16:10, late."""
    lesson = Lesson(alice, grade_four, groups=1)
    lesson.start(at=5)
    member = lesson.join(sam, at=6, group=1)
    lesson.connect(member, at=6, until=89)
    lesson.say(events.Ready(), at=7, about=member)
    lesson.end(at=90)
    lesson.say(events.Latency(rtt_ms=9), at=130, received=130, about=member)
    return lesson


def removed(name: str, done: Any) -> int:
    return next(each.removed for each in done if each.name == name)


def counted() -> list[dict[str, Any]]:
    unlike = {"sealed", "calculated_at"}
    rows = DashboardMetricsHourly.objects.order_by("school", "metric_hour").values()
    return [{name: value for name, value in row.items() if name not in unlike} for row in rows]


def what_hangs_on(sessions: list[Any], runs: list[Any]) -> dict[str, int]:
    """How many rows of each kind point to one of these, by whatever field."""
    found: dict[str, int] = {}
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            ids = {LiveSession: sessions, StudentSession: runs}.get(field.related_model)  # type: ignore[arg-type]
            if ids and not model._meta.proxy:
                found[f"{model.__name__}.{field.name}"] = model._default_manager.filter(
                    **{f"{field.name}__in": ids}
                ).count()
    return {name: count for name, count in found.items() if count}


def test_a_session_is_removed_whole_when_its_time_is_over(lesson: Lesson):
    sessions, runs = [lesson.session.pk], list(lesson.session.student_sessions.values_list("pk", flat=True))
    before = what_hangs_on(sessions, runs)
    assert {"SessionEvent.session", "StudentSession.session", "Group.session", "LiveSessionVersion.pgh_obj"} <= set(
        before
    )
    assert removed("sessions", purge(now=ENDED + KEPT)) == 0
    assert what_hangs_on(sessions, runs) == before
    assert removed("sessions", purge(now=ENDED + KEPT + timedelta(seconds=1))) == 1
    assert what_hangs_on(sessions, runs) == {}
    assert not LiveSession.objects.exists()
    assert not RolledPosition.objects.exists()


def test_the_hours_of_a_removed_session_keep_their_numbers(lesson: Lesson):
    fill_changed(now=ENDED + DAY)
    before, people = counted(), set(HourlyPeople.objects.values_list("hour", "role", "person"))
    assert [row["metric_hour"] for row in before] == [minutes(-60), minutes(0), minutes(60), minutes(120)]
    purge(now=ENDED + KEPT + DAY)
    assert ChangedHour.objects.exists()
    fill_changed(now=ENDED + KEPT + DAY)
    fill_between(None, None, now=ENDED + KEPT + DAY)
    assert counted() == before
    assert set(HourlyPeople.objects.values_list("hour", "role", "person")) == people
    assert set(DashboardMetricsHourly.objects.values_list("sealed", flat=True)) == {True}
    verdict = verify(now=ENDED + KEPT + DAY)
    assert (verdict.differences, verdict.waiting, verdict.sealed) == ((), 0, 4)


def test_hours_that_were_not_counted_yet_are_counted_before_they_are_sealed(lesson: Lesson):
    purge(now=ENDED + KEPT + DAY)
    rows = DashboardMetricsHourly.objects.order_by("metric_hour")
    assert [(row.sessions_active, row.students_active, row.sealed) for row in rows] == [
        (0, 0, True), (1, 1, True), (1, 1, True), (0, 1, True),
    ]  # fmt: skip


def test_a_school_that_keeps_longer_keeps_its_own(
    lesson: Lesson, charlie: User, other_school: School, class_elsewhere: SchoolClass
):
    theirs = Lesson(charlie, class_elsewhere, span=(5, 90))
    School.objects.filter(pk=other_school.pk).update(retention_days=KEPT.days + 1)
    purge(now=ENDED + KEPT + timedelta(hours=1))
    assert list(LiveSession.objects.all()) == [theirs.session]
    assert set(DashboardMetricsHourly.objects.values_list("school", flat=True)) == {lesson.session.school_id}


def test_what_runs_or_was_never_started_is_not_removed(alice: User, grade_four: SchoolClass):
    Lesson(alice, grade_four)
    assert removed("sessions", purge(now=ENDED + 20 * KEPT)) == 0


def test_the_mirror_is_told_of_what_is_removed(lesson: Lesson):
    run = lesson.session.student_sessions.get()
    OutboxItem.objects.all().delete()
    purge(now=ENDED + KEPT + DAY)
    assert any(str(run.pk) in str(vars(item)) for item in OutboxItem.objects.all())


def test_hours_are_sealed_only_with_the_removal(lesson: Lesson):
    with pytest.raises(RuntimeError, match="in the transaction"):
        _outside(lambda: seal_hours_of([lesson.session.pk], now=ENDED + KEPT))


def _outside(work: Any) -> None:
    """As if no transaction were open."""
    from django.db import connection

    was, connection.in_atomic_block = connection.in_atomic_block, False
    try:
        work()
    finally:
        connection.in_atomic_block = was


@pytest.mark.django_db(transaction=True)
def test_a_session_that_another_runner_is_at_is_left_to_it(lesson: Lesson):
    with psycopg.connect(database_url()) as other:
        other.execute("SELECT FROM sessions_app_livesession FOR UPDATE")
        assert removed("sessions", purge(now=ENDED + KEPT + DAY)) == 0
    assert removed("sessions", purge(now=ENDED + KEPT + DAY)) == 1


def make_each(school: School, sam: Student, alice: User) -> dict[str, tuple[Model, Any]]:
    """One thing of each kind of plain row, and the moment until which it is kept."""
    at = ENDED
    failure = JoinFailures.objects.create(address="hash", window=at, failures=1)
    count = RequestCount.objects.create(caller="hash", scope="practice", window=int(at.timestamp()), requests=9)
    code = LearnerCode.objects.create(student=sam, code="hash", made_by=alice, expires_at=at)
    exercise = {"session_type": "roleplay", "duration_seconds": 60, "created_at": at}
    result = SessionResult.objects.create(learner=learners.learner_of(sam), **exercise)
    account = Learner.objects.create(issuer="elsewhere", subject="lena")
    of_no_school = SessionResult.objects.create(learner=account, **exercise)
    browser = SignedIn.objects.create(session_key="key", session_data="", expire_date=at)
    failed = AccessAttempt.objects.create(username="alice", ip_address="127.0.0.1", failures_since_start=1)
    sign_in = SignIn.objects.create(username="alice", ip_address="127.0.0.1")
    AccessAttempt.objects.update(attempt_time=at)
    SignIn.objects.update(attempt_time=at)
    reading = AccessLog.objects.create(user=alice, school=school, action="board", at=at)
    of_none = AccessLog.objects.create(user=alice, school=None, action="board", at=at)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('default', 'x') RETURNING id")
        job = ProcrastinateJob.objects.get(pk=cursor.fetchone()[0])
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing'")
        cursor.execute("UPDATE procrastinate_events SET at = %s", [at])
    return {
        "jobs": (job, at + 30 * DAY),
        "join_failures": (failure, at + DAY),
        "request_counts": (count, at + DAY),
        "learner_codes": (code, at),
        "practice_results": (result, at + KEPT),
        "practice_results of no school": (of_no_school, at + 730 * DAY),
        "browsers": (browser, at),
        "failed_sign_ins": (failed, at + 90 * DAY),
        "sign_ins": (sign_in, at + 90 * DAY),
        "access_log": (reading, at + KEPT + 365 * DAY),
        "access_log of no school": (of_none, at + 4015 * DAY),
    }


@pytest.mark.parametrize(
    "kind",
    [
        "join_failures", "request_counts", "learner_codes", "practice_results", "practice_results of no school",
        "browsers", "failed_sign_ins", "sign_ins", "jobs", "access_log", "access_log of no school",
    ],
)  # fmt: skip
def test_each_kind_goes_when_its_time_is_over_and_not_before(kind: str, school: School, sam: Student, alice: User):
    row, until = make_each(school, sam, alice)[kind]
    there = type(row)._default_manager.filter(pk=row.pk)
    purge(now=until)
    assert there.exists()
    assert removed(kind.partition(" ")[0], purge(now=until + timedelta(seconds=1))) == 1
    assert not there.exists()


def test_a_recording_goes_with_its_session(lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    stream = keep_a_recording(lesson, tmp_path, monkeypatch)
    path = tmp_path / stream.kept.name
    assert path.exists()
    purge(now=ENDED + KEPT + DAY)
    assert not path.exists()
    assert not LiveSession.objects.exists()


def test_a_file_that_cannot_be_deleted_keeps_its_session_and_nothing_else(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    JoinFailures.objects.create(address="hash", window=ENDED, failures=1)
    keep_a_recording(lesson, tmp_path, monkeypatch)
    monkeypatch.setattr(FileSystemStorage, "delete", refuse)
    monkeypatch.setattr("django.utils.timezone.now", lambda: ENDED + KEPT + DAY)
    out = StringIO()
    with pytest.raises(CommandError, match="Not everything could be removed: recordings, sessions") as raised:
        call_command("purge_expired", stdout=out)
    assert raised.value.returncode == 1
    assert "sessions with all their records: 0 removed, then PermissionError" in out.getvalue()
    assert LiveSession.objects.get() == lesson.session
    assert not DashboardMetricsHourly.objects.filter(sealed=True).exists()
    assert not JoinFailures.objects.exists()


def refuse(self: FileSystemStorage, name: str) -> None:
    raise PermissionError(name)


def keep_a_recording(lesson: Lesson, place: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sam's reading in this session has kept sound."""
    from sessions_app.models import AudioStream, Reading

    storage = FileSystemStorage(place)
    monkeypatch.setattr(AudioStream._meta.get_field("kept"), "storage", storage)
    run = lesson.session.student_sessions.get()
    consent(run.student, purpose="audio")
    consent(run.student, purpose="keep_audio")
    reading = Reading.objects.create(student_session=run, school=run.school)
    return AudioStream.objects.create(
        reading=reading, number=0, codec="webm", kept=storage.save("sound.webm", ContentFile(b"sound")),
        delete_on=(ENDED + DAY).date(),
    )  # fmt: skip


def test_a_dry_run_counts_and_removes_nothing(lesson: Lesson, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: ENDED + KEPT + DAY)
    out = StringIO()
    call_command("purge_expired", "--dry-run", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert told["dry_run"] is True
    assert told["kinds"]["sessions"] == {"due": 1, "removed": 0, "error": None}
    assert list(told["kinds"]) == [expiry.name for expiry in EXPIRIES]
    assert LiveSession.objects.exists()
    out = StringIO()
    call_command("purge_expired", "--dry-run", stdout=out)
    assert (
        "sessions with all their records: 1 due (kept for: the school's retention, after their end)" in out.getvalue()
    )


def test_the_command_removes_and_says_how_many(lesson: Lesson, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: ENDED + KEPT + DAY)
    out = StringIO()
    call_command("purge_expired", stdout=out)
    assert "sessions with all their records: 1 removed" in out.getvalue()
    assert not SessionEvent.objects.exists()


def test_the_worker_does_it_and_health_says_when_it_did_not(lesson: Lesson, monkeypatch: pytest.MonkeyPatch):
    late = ENDED + KEPT + 3 * DAY
    assert health.kept_too_long(ENDED + KEPT + DAY).ok
    assert health.kept_too_long(late).said == "1 sessions are past their retention."
    monkeypatch.setattr("django.utils.timezone.now", lambda: late)
    jobs.purge_expired(0)
    assert health.kept_too_long(late).ok


def test_the_operator_guide_says_how_long_each_kind_is_kept():
    guide = GUIDE.read_text()
    for expiry in EXPIRIES:
        assert f"| {expiry.label} | {expiry.kept} |" in guide
