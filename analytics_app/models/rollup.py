"""Hour by hour: the counted hours, the people in them, and what says which hours have to be counted again."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.models import School
from sessions_app.models.identity import TimeOrderedModel


def _count(label: Any) -> "models.IntegerField[Any, Any]":
    return models.IntegerField(label, null=True)


def _measure(label: Any) -> "models.FloatField[Any, Any]":
    return models.FloatField(label, null=True)


class DashboardMetricsHourly(TimeOrderedModel):
    """One school in one hour (UTC). Each column is defined in `analytics_app.rollups.metrics`.

    An hour in which nothing happened has no row. A number with nothing under it, or whose source does not exist yet,
    is NULL. The columns behind `calculated_at` are what the averages are made of, so that a window of hours is averaged
    as one hour is. A sealed row stays as it is: its source is gone.
    """

    NOT_PERSONAL = (
        "school", "metric_hour", "sessions_active", "sessions_completed", "teachers_active", "students_active",
        "total_groups", "ready_groups", "avg_session_quality", "avg_engagement_score", "avg_participation_rate",
        "avg_collaboration_score", "avg_audio_quality", "avg_connection_stability", "total_errors", "avg_response_time",
        "websocket_connections", "avg_latency_ms", "error_rate", "total_prompts_generated", "total_prompts_used",
        "total_interventions", "total_alerts", "ai_analyses_completed", "avg_ai_processing_time",
        "ai_analysis_success_rate", "total_transcription_minutes", "total_storage_gb", "estimated_compute_cost",
        "data_sources_count", "calculation_method", "calculated_at", "created_at", "sealed", "sessions_started",
        "students_joined", "students_contributing", "minutes_present", "minutes_contributing", "groups_compared",
        "evenness_sum", "connected_seconds", "seconds_expected", "latency_count", "latency_sum_ms", "events_total",
        "words_weighed", "confidence_sum", "responses", "response_seconds", "ai_calls", "ai_seconds",
    )  # fmt: skip

    school = models.ForeignKey(School, verbose_name=_("school"), on_delete=models.CASCADE, related_name="+")
    metric_hour = models.DateTimeField(_("hour"))

    sessions_active = _count(_("sessions active"))
    sessions_completed = _count(_("sessions completed"))
    teachers_active = _count(_("teachers active"))
    students_active = _count(_("students active"))
    total_groups = _count(_("groups"))
    ready_groups = _count(_("groups ready"))
    avg_session_quality = _measure(_("session quality, %"))
    avg_engagement_score = _measure(_("engagement, %"))
    avg_participation_rate = _measure(_("participation, %"))
    avg_collaboration_score = _measure(_("collaboration, %"))
    avg_audio_quality = _measure(_("audio quality, %"))
    avg_connection_stability = _measure(_("connection stability, %"))
    total_errors = _count(_("errors"))
    avg_response_time = _measure(_("response time, s"))
    websocket_connections = _count(_("connections opened"))
    avg_latency_ms = _measure(_("latency, ms"))
    error_rate = _measure(_("errors per event"))
    total_prompts_generated = _count(_("prompts made"))
    total_prompts_used = _count(_("prompts used"))
    total_interventions = _count(_("interventions"))
    total_alerts = _count(_("alerts"))
    ai_analyses_completed = _count(_("AI analyses"))
    avg_ai_processing_time = _measure(_("AI processing time, s"))
    ai_analysis_success_rate = _measure(_("AI success rate, %"))
    total_transcription_minutes = _measure(_("minutes transcribed"))
    total_storage_gb = _measure(_("storage, GB"))
    estimated_compute_cost = _measure(_("estimated cost"))
    data_sources_count = _count(_("sources with data"))
    calculation_method = models.CharField(_("method"), max_length=32)
    calculated_at = models.DateTimeField(_("counted"))
    created_at = models.DateTimeField(_("first counted"), default=timezone.now)

    sealed = models.BooleanField(_("sealed"), default=False)
    sessions_started = _count(_("sessions started"))
    students_joined = _count(_("students joined"))
    students_contributing = _count(_("students contributing"))
    minutes_present = _count(_("student-minutes present"))
    minutes_contributing = _count(_("student-minutes with a contribution"))
    groups_compared = _count(_("groups with contributions"))
    evenness_sum = _measure(_("sum of evenness"))
    connected_seconds = _measure(_("seconds connected"))
    seconds_expected = _measure(_("seconds connected or dropped"))
    latency_count = _count(_("pings"))
    latency_sum_ms = _measure(_("sum of round trips, ms"))
    events_total = _count(_("events"))
    words_weighed = _count(_("words with a confidence"))
    confidence_sum = _measure(_("sum of confidences"))
    responses = _count(_("answers with a time"))
    response_seconds = _measure(_("sum of response times, s"))
    ai_calls = _count(_("calls of language models"))
    ai_seconds = _measure(_("sum of the times of answered calls, s"))

    class Meta:
        db_table = "dashboard_metrics_hourly"
        ordering = ("-metric_hour", "school")
        verbose_name = _("hour of a school")
        verbose_name_plural = _("hours of schools")
        constraints = [
            models.UniqueConstraint(fields=["school", "metric_hour"], name="dashboard_metrics_hourly_once"),
            models.CheckConstraint(
                name="dashboard_metrics_hourly_full_hour",
                condition=Q(metric_hour__minute=0, metric_hour__second=0),
                violation_error_message=_("An hour begins at minute 0."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric_hour:%Y-%m-%d %H:%M}"


class HourlyPeople(models.Model):
    """Who is behind an hour's counts of people, so that those of a window are distinct people and no sums of hours.

    `person` is a user for a teacher, a student for a student, and a student's session for the other roles.
    """

    PERSONAL = ("pk", "person")
    NOT_PERSONAL = ("school", "hour", "role")

    class Role(models.TextChoices):
        TEACHER = "teacher", _("teacher active")
        STUDENT = "student", _("student active")
        JOINED = "joined", _("student's session in the hour")
        CONTRIBUTED = "contributed", _("student's session with a contribution")

    pk = models.CompositePrimaryKey("school_id", "hour", "role", "person")
    school = models.ForeignKey(School, on_delete=models.CASCADE, related_name="+", db_index=False)
    hour = models.DateTimeField()
    role = models.CharField(max_length=12, choices=Role.choices)
    person = models.UUIDField()

    class Meta:
        db_table = "hourly_people"
        verbose_name = _("person in an hour")
        verbose_name_plural = _("people in hours")

    def __str__(self) -> str:
        return f"{self.role} {self.hour:%Y-%m-%d %H:%M}"


class RolledPosition(models.Model):
    """How far a session's timeline has been looked through for changed hours.

    There is no database foreign key: its check would lock the session's row, for which joining students wait.
    """

    NOT_PERSONAL = ("session_id", "epoch", "seq")

    session_id = models.UUIDField(primary_key=True)
    epoch = models.UUIDField()
    seq = models.BigIntegerField()

    class Meta:
        verbose_name = _("position of the rollup")
        verbose_name_plural = _("positions of the rollup")

    def __str__(self) -> str:
        return f"{self.session_id}: {self.seq}"


class ChangedHour(models.Model):
    """A mark: this hour of this school has to be counted again. Append-only, so that whoever marks never waits.

    The fill removes the marks that it sees before it counts; one that is made meanwhile stays for the next run.
    """

    NOT_PERSONAL = ("id", "school_id", "hour")

    id = models.BigAutoField(primary_key=True)
    school_id = models.UUIDField()
    hour = models.DateTimeField()

    class Meta:
        verbose_name = _("changed hour")
        verbose_name_plural = _("changed hours")
        indexes = [models.Index(fields=["school_id", "hour"], name="changed_hour_of_school")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H:%M}"


class RollupRun(TimeOrderedModel):
    """One run of the rollup, for the administrator and the monitor. One without an end is running, or was killed."""

    NOT_PERSONAL = ("scope", "started_at", "finished_at", "hours", "skipped", "error")

    class Scope(models.TextChoices):
        CHANGED = "changed", _("changed hours")
        CHOSEN = "chosen", _("chosen hours")
        ALL = "all", _("all hours")

    scope = models.CharField(_("hours"), max_length=8, choices=Scope.choices)
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("finished"), null=True)
    hours = models.IntegerField(_("hours counted"), default=0)
    skipped = models.IntegerField(_("left to another runner"), default=0)
    error = models.CharField(_("error"), max_length=300, blank=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("run of the rollup")
        verbose_name_plural = _("runs of the rollup")

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"
