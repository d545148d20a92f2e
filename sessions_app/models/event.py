"""The timeline: one row for everything that happened in a session, in the order in which it was committed."""

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.models.identity import TimeOrderedModel
from sessions_app.models.people import School, User
from sessions_app.models.session import LiveSession, StudentSession


class SessionCounter(models.Model):
    """A session's place in its timeline, in a narrow row of its own: every append locks it.

    It carries what an append needs to know of its session, so that the hot path reads nothing else.
    """

    PERSONAL = ("teacher",)
    NOT_PERSONAL = ("session", "epoch", "last_seq", "school", "opened_at", "ended_at")

    session = models.OneToOneField(LiveSession, primary_key=True, on_delete=models.CASCADE, related_name="counter")
    epoch = models.UUIDField(default=uuid.uuid4)
    last_seq = models.BigIntegerField(default=0)
    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="+", db_index=False)
    teacher = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    opened_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("timeline counter")
        verbose_name_plural = _("timeline counters")

    def __str__(self) -> str:
        return f"{self.last_seq}"


class SessionEvent(TimeOrderedModel):
    """One row of the timeline. Append-only; `sessions_app.timeline` is its only writer.

    `event_time` is when it happened (the client's clock, corrected and clamped), `client_time` what the client said,
    `created_at` when it was received. `seq` is gapless and in commit order within the session. There are no database
    foreign keys: an append holds the counter row, which has them.
    """

    PERSONAL = ("teacher", "student_session", "sender", "payload")
    NOT_PERSONAL = ("session", "school", "event_type", "event_time", "client_time", "created_at", "seq", "key", "late")

    session = models.ForeignKey(
        LiveSession, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="events"
    )
    school = models.ForeignKey(
        School, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    teacher = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    student_session = models.ForeignKey(
        StudentSession,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="events",
    )
    seq = models.BigIntegerField()
    event_type = models.CharField(_("event"), max_length=32)
    event_time = models.DateTimeField(_("time"))
    client_time = models.DateTimeField(_("time on the device"), null=True)
    payload = models.JSONField(_("data"), null=True)
    late = models.BooleanField(_("after the end"), default=False)
    sender = models.UUIDField(null=True)
    key = models.UUIDField(null=True)
    created_at = models.DateTimeField(_("received"), default=timezone.now)

    class Meta:
        db_table = "session_events"
        ordering = ("session", "seq")
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.UniqueConstraint(fields=["session", "seq"], name="session_events_seq"),
            models.UniqueConstraint(
                fields=["session", "sender", "key"], name="session_events_key", condition=Q(key__isnull=False)
            ),
        ]
        indexes = [models.Index(fields=["school", "event_time"], name="session_events_hour")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.seq} {self.event_type}"
