"""What a student gave and what could not be taken: too late, twice, too long. Nothing that somebody wrote is lost."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.models.consented import consented
from sessions_app.models.identity import TimeOrderedModel
from sessions_app.models.session import StudentSession


class RefusedSubmission(TimeOrderedModel):
    """The content of one refused action; `action_refused` in the timeline says when and why."""

    PERSONAL = ("student_session", "content")
    NOT_PERSONAL = ("action", "reason", "key", "received_at")

    student_session = models.ForeignKey(StudentSession, on_delete=models.CASCADE, related_name="refused_submissions")
    action = models.CharField(_("action"), max_length=32)
    reason = models.CharField(_("why it was refused"), max_length=64)
    key = models.UUIDField()
    content = models.JSONField(_("content"))
    received_at = models.DateTimeField(_("received"), default=timezone.now)

    class Meta:
        ordering = ("id",)
        verbose_name = _("refused submission")
        verbose_name_plural = _("refused submissions")
        constraints = [models.UniqueConstraint(fields=["student_session", "key"], name="refused_submission_once")]
        triggers = consented("content")

    def __str__(self) -> str:
        return f"{self.action}: {self.reason}"
