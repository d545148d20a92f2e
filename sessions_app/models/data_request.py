"""What somebody asked about their own data, and how far the answer has come in every store."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.models.identity import TimeOrderedModel
from sessions_app.models.people import School, Student, User
from sessions_app.models.practice import Learner


class DataRequest(TimeOrderedModel):
    """A request for a copy of one's data, or for its deletion. `waiting > accepted > running > done`, or `refused`.

    `subject` says by ids whose data it is while it is being answered (`sessions_app.personal_data.Person`): records
    that are gone cannot. After a deletion it is emptied, and what stays is that there was one.
    """

    PERSONAL = ("student", "learner", "subject", "note", "recorded_by", "decided_by")
    NOT_PERSONAL = (
        "school", "kind", "asked_by", "status", "requested_at", "decided_at", "started_at", "attempted_at",
        "finished_at", "expires_at",
    )  # fmt: skip

    class Kind(models.TextChoices):
        COPY = "copy", _("a copy")
        DELETION = "deletion", _("deletion")

    class AskedBy(models.TextChoices):
        LEARNER = "learner", _("the learner")
        GUARDIAN = "guardian", _("a guardian")
        SCHOOL = "school", _("the school")

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting for the administrator")
        ACCEPTED = "accepted", _("accepted")
        RUNNING = "running", _("being answered")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")

    OPEN = (Status.WAITING, Status.ACCEPTED, Status.RUNNING)

    school = models.ForeignKey(School, verbose_name=_("school"), on_delete=models.CASCADE, null=True, related_name="+")
    student = models.ForeignKey(
        Student, verbose_name=_("student"), on_delete=models.SET_NULL, null=True, related_name="data_requests"
    )
    learner = models.ForeignKey(
        Learner, verbose_name=_("learner"), on_delete=models.SET_NULL, null=True, related_name="data_requests"
    )
    kind = models.CharField(_("asked for"), max_length=8, choices=Kind.choices)
    asked_by = models.CharField(_("asked by"), max_length=8, choices=AskedBy.choices)
    status = models.CharField(_("state"), max_length=8, choices=Status.choices)
    subject = models.JSONField(null=True, editable=False)
    note = models.CharField(_("note"), max_length=500, blank=True)
    recorded_by = models.ForeignKey(
        User, verbose_name=_("recorded by"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    decided_by = models.ForeignKey(
        User, verbose_name=_("decided by"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    requested_at = models.DateTimeField(_("asked"), default=timezone.now)
    decided_at = models.DateTimeField(_("decided"), null=True)
    started_at = models.DateTimeField(_("begun"), null=True)
    attempted_at = models.DateTimeField(_("last worked on"), null=True)
    finished_at = models.DateTimeField(_("done"), null=True)
    expires_at = models.DateTimeField(_("copy kept until"), null=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("request about one’s own data")
        verbose_name_plural = _("requests about one’s own data")
        indexes = [models.Index(fields=["attempted_at"], name="data_request_open", condition=~Q(status="done"))]
        constraints = [
            models.UniqueConstraint(
                fields=["student", "kind"],
                name="data_request_once_for_student",
                condition=Q(status__in=["waiting", "accepted", "running"]),
            ),
            models.UniqueConstraint(
                fields=["learner", "kind"],
                name="data_request_once_for_learner",
                condition=Q(status__in=["waiting", "accepted", "running"]),
            ),
            models.CheckConstraint(
                name="data_request_finished_when_over",
                condition=Q(status__in=["done", "refused"], finished_at__isnull=False)
                | (~Q(status__in=["done", "refused"]) & Q(finished_at=None)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.requested_at:%Y-%m-%d}"


class DataRequestStep(TimeOrderedModel):
    """One store of one request. `pending > running > done`; `waiting` and `failed` are tried again.

    `rows` counts what was deleted or copied; `message` says what is waited for, or what went wrong, and names nobody.
    """

    NOT_PERSONAL = (
        "request",
        "store",
        "position",
        "status",
        "rows",
        "message",
        "attempts",
        "started_at",
        "finished_at",
    )

    class Status(models.TextChoices):
        PENDING = "pending", _("to do")
        RUNNING = "running", _("at work")
        WAITING = "waiting", _("waiting")
        FAILED = "failed", _("failed, to be tried again")
        DONE = "done", _("done")

    request = models.ForeignKey(DataRequest, on_delete=models.CASCADE, related_name="steps")
    store = models.CharField(_("store"), max_length=32)
    position = models.PositiveSmallIntegerField()
    status = models.CharField(_("state"), max_length=8, choices=Status.choices, default=Status.PENDING)
    rows = models.PositiveIntegerField(_("rows"), default=0)
    message = models.CharField(_("message"), max_length=300, blank=True)
    attempts = models.PositiveIntegerField(_("tries"), default=0)
    started_at = models.DateTimeField(_("begun"), null=True)
    finished_at = models.DateTimeField(_("done"), null=True)

    class Meta:
        ordering = ("request", "position")
        verbose_name = _("step of a request")
        verbose_name_plural = _("steps of a request")
        constraints = [models.UniqueConstraint(fields=["request", "store"], name="data_request_step_once")]

    def __str__(self) -> str:
        return f"{self.store}: {self.get_status_display()}"


class DataCopyPart(TimeOrderedModel):
    """One table of a copy: its rows as they were when the copy was made. Gone when the copy expires."""

    PERSONAL = ("content",)
    NOT_PERSONAL = ("request", "store", "table")

    request = models.ForeignKey(DataRequest, on_delete=models.CASCADE, related_name="parts")
    store = models.CharField(max_length=32)
    table = models.CharField(max_length=64)
    content = models.JSONField()

    class Meta:
        ordering = ("request", "id")
        verbose_name = _("part of a copy")
        verbose_name_plural = _("parts of a copy")
        constraints = [models.UniqueConstraint(fields=["request", "table"], name="data_copy_part_once")]

    def __str__(self) -> str:
        return self.table
