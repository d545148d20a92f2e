"""How Lyceum is: the process, what it depends on, and the tables that are derived (the monitor of requirement 003)."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.utils import timezone

from analytics_app.mirror import keys
from analytics_app.mirror.writer import Away, TableMissing, Tables
from analytics_app.models import (
    ConditionStatistics,
    DashboardMetricsHourly,
    DeadLetter,
    IndexUse,
    ItemKind,
    MirrorHour,
    OutboxItem,
    RollupRun,
)
from analytics_app.rollups import changes
from analytics_app.rollups.hours import HOUR, hour_of
from sessions_app import retention
from sessions_app.models import (
    AudioChunk,
    BatchMetrics,
    HelpEvent,
    LiveSession,
    SessionEvent,
    SessionSummary,
    StudentSession,
    Transcript,
)

ROLLUP_DUE = timedelta(minutes=15)
"""After the end of an hour; the rollup runs at five past."""
ROLLUP_LONGEST = timedelta(minutes=2)
STATISTICS_DUE = timedelta(minutes=15)
"""They are computed every five minutes."""
OUTBOX_OLDEST = timedelta(minutes=5)
SILENT = timedelta(minutes=5)
LOOKED_BACK = timedelta(days=7)
PURGE_DUE = timedelta(days=2)
"""After the end of what is kept; what is due is removed every night."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: whether it is well, in one sentence, with its figures."""

    name: str
    ok: bool
    said: str
    figures: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def ready() -> list[Check]:
    """What the process needs to answer: the database, DynamoDB, and Redis where it is set."""
    checks = [database()]
    if checks[0].ok:
        checks.append(dynamodb())
    if settings.REDIS_URL:
        checks.append(redis())
    return checks


def tables(*, now: datetime | None = None) -> list[Check]:
    """The derived tables and the jobs that fill them."""
    moment = now or timezone.now()
    wanted: tuple[Callable[[datetime], Check], ...] = (
        dashboard_metrics_table, session_events_table, hourly_rollup_job, event_insertion_rate, condition_statistics,
        outbox, reading_sessions, dead_letters, kept_too_long,
    )  # fmt: skip
    return [check(moment) for check in wanted]


def database() -> Check:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return Check("database", ok=False, said="The database does not answer.")
    return Check("database", ok=True, said="The database answers.")


def dynamodb() -> Check:
    try:
        Tables().check()
    except TableMissing:
        return Check("dynamodb", ok=True, said="DynamoDB answers; its tables are created on first use.")
    except Away as error:
        return Check("dynamodb", ok=False, said=f"DynamoDB is away ({error.code}).")
    return Check("dynamodb", ok=True, said="DynamoDB answers.")


def redis() -> Check:
    from redis import Redis, RedisError

    try:
        Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2).ping()
    except RedisError:
        return Check("redis", ok=False, said="Redis does not answer.")
    return Check("redis", ok=True, said="Redis answers.")


def dashboard_metrics_table(now: datetime) -> Check:
    """Are the hours that are over, and were due, counted?"""
    due = hour_of(now - ROLLUP_DUE)
    waiting = changes.pending(start=due - LOOKED_BACK, end=due, now=now)
    found = DashboardMetricsHourly.objects.aggregate(rows=Count("pk"), newest=Max("metric_hour"))
    said = f"{len(waiting)} hours wait to be counted." if waiting else "Every hour that is due is counted."
    figures = {"rows": found["rows"], "newest": _iso(found["newest"]), "waiting": len(waiting)}
    return Check("dashboard_metrics_hourly", ok=not waiting, said=said, figures=figures)


def session_events_table(now: datetime) -> Check:
    """Do the positions of the sessions of the last day stand where their counters do, without a gap?"""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), count(*) FILTER (WHERE e.last IS DISTINCT FROM nullif(c.last_seq, 0) OR e.n <> c.last_seq)
            FROM sessions_app_sessioncounter c
            CROSS JOIN LATERAL (
                SELECT count(*) AS n, max(seq) AS last FROM session_events e
                WHERE e.session_id = c.session_id AND e.seq <= c.last_seq
            ) e
            WHERE c.opened_at > %s
            """,
            (now - timedelta(days=1),),
        )
        sessions, gaps = cursor.fetchone()
    said = f"{gaps} timelines have a gap." if gaps else "No timeline of the last day has a gap."
    return Check("session_events", ok=not gaps, said=said, figures={"sessions": sessions, "with_gaps": gaps})


def hourly_rollup_job(now: datetime) -> Check:
    """Did the last rollup that was due run, end, and end in time?"""
    last = RollupRun.objects.exclude(finished_at=None).order_by("-started_at").first()
    if last is None:
        nothing = not SessionEvent.objects.filter(event_time__lt=hour_of(now - ROLLUP_DUE)).exists()
        return Check("hourly_rollup", ok=nothing, said="No rollup has run yet.")
    took = (last.finished_at - last.started_at) if last.finished_at else timedelta()
    late = last.started_at < hour_of(now - ROLLUP_DUE) - HOUR
    figures = {"started_at": _iso(last.started_at), "seconds": took.total_seconds(), "hours": last.hours}
    if last.error:
        return Check("hourly_rollup", ok=False, said="The last rollup failed.", figures=figures)
    if late:
        return Check("hourly_rollup", ok=False, said="The rollup is more than an hour late.", figures=figures)
    slow = last.scope == RollupRun.Scope.CHANGED and took > ROLLUP_LONGEST
    said = "The last rollup took more than two minutes." if slow else "The last rollup ran in time."
    return Check("hourly_rollup", ok=not slow, said=said, figures=figures)


def event_insertion_rate(now: datetime) -> Check:
    """Do running sessions with students in them say something?"""
    running = LiveSession.objects.filter(status=LiveSession.Status.STARTED)
    events = SessionEvent.objects.filter(event_time__gt=now - SILENT).count()
    quiet = running.exists() and not events and running.filter(started_at__gt=now - 2 * HOUR).exists()
    said = "Sessions are running and nothing was recorded for five minutes." if quiet else "Events are recorded."
    figures = {"running_sessions": running.count(), "events_per_minute": events / (SILENT.total_seconds() / 60)}
    return Check("event_insertion_rate", ok=not quiet, said=said, figures=figures)


def condition_statistics(now: datetime) -> Check:
    """Are the statistics of conditions computed, where there are sessions with one?"""
    found = ConditionStatistics.objects.aggregate(rows=Count("pk"), newest=Max("checked_at"))
    late = found["newest"] is None or found["newest"] < now - STATISTICS_DUE
    wanted = StudentSession.objects.filter(
        condition__isnull=False, is_simulated=False, session__started_at__lt=now - STATISTICS_DUE
    )
    behind = late and wanted.exists()
    said = "The statistics of conditions are behind." if behind else "The statistics of conditions are computed."
    figures = {"rows": found["rows"], "newest": _iso(found["newest"])}
    return Check("condition_statistics", ok=not behind, said=said, figures=figures)


def outbox(now: datetime) -> Check:
    """How much waits to be mirrored, since when, and how the writing goes."""
    waiting = OutboxItem.objects.filter(marked_at__isnull=False).aggregate(depth=Count("pk"), oldest=Min("marked_at"))
    age = (now - waiting["oldest"]).total_seconds() if waiting["oldest"] else 0.0
    hour = MirrorHour.objects.order_by("-hour").first()
    done = hour.written + hour.deleted if hour else 0
    figures = {
        "depth": waiting["depth"],
        "oldest_seconds": round(age, 1),
        "mean_delay_seconds": round(hour.delay_seconds / done, 3) if hour and done else None,
        "mean_batch_size": round(done / hour.batches, 1) if hour and hour.batches else None,
        "mean_batch_seconds": round(hour.batch_seconds / hour.batches, 3) if hour and hour.batches else None,
        "retried_this_hour": hour.retried if hour else 0,
    }
    ok = age < OUTBOX_OLDEST.total_seconds()
    said = f"{waiting['depth']} items wait." if ok else "An item has waited for more than five minutes."
    return Check("outbox", ok=ok, said=said, figures=figures)


READING_KINDS = (
    ItemKind.READING_SESSION, ItemKind.AUDIO_CHUNK, ItemKind.TRANSCRIPT, ItemKind.HELP, ItemKind.BATCH_METRICS,
    ItemKind.READING_SUMMARY,
)  # fmt: skip


def reading_sessions(now: datetime) -> Check:
    """Of the items of readings: how many wait, which indexes were asked, and whether expired ones are removed.

    An item expires by its TTL when the school's retention is over; its row goes with the session, and takes along what
    DynamoDB has not dropped by itself.
    """
    waiting = Count("pk", filter=Q(marked_at__isnull=False, kind__in=READING_KINDS))
    used = IndexUse.objects.filter(table=keys.READING, day__gt=(now - LOOKED_BACK).date())
    by_index = used.values_list("index").annotate(asked=Sum("queries")).order_by("index")
    overdue = _expired_items(retention.sessions(now - PURGE_DUE))
    figures = {
        "depth": OutboxItem.objects.aggregate(waiting=waiting)["waiting"],
        "index_use_7_days": {index or "table": asked for index, asked in by_index},
        "expired_items": _expired_items(retention.sessions(now)),
        "overdue_items": overdue,
    }
    said = f"{overdue} expired items were not removed." if overdue else "Items that expire are removed."
    return Check("reading_sessions", ok=not overdue, said=said, figures=figures)


def _expired_items(sessions: QuerySet[LiveSession]) -> int:
    """Rows behind the items of these sessions' readings."""
    if not sessions.exists():
        return 0
    ids = sessions.values("pk")
    of_reading = [
        model.objects.filter(reading__student_session__session__in=ids).count()
        for model in (Transcript, HelpEvent, BatchMetrics)
    ]
    chunks = AudioChunk.objects.filter(stream__reading__student_session__session__in=ids).count()
    return sum(of_reading) + chunks + SessionSummary.objects.filter(student_session__session__in=ids).count()


def dead_letters(now: datetime) -> Check:
    """Items that were given up and need a person."""
    count = DeadLetter.objects.count()
    said = f"{count} items were given up." if count else "No item was given up."
    return Check("dead_letters", ok=not count, said=said, figures={"count": count})


def kept_too_long(now: datetime) -> Check:
    """Is what was kept long enough gone?"""
    count = retention.sessions(now - PURGE_DUE).count()
    said = f"{count} sessions are past their retention." if count else "Nothing is past its retention."
    return Check("retention", ok=not count, said=said, figures={"sessions": count})


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
