"""Who read student data, and how often a join code was guessed wrong."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.models.identity import TimeOrderedModel
from sessions_app.models.people import School, User


class AccessLog(TimeOrderedModel):
    """One reading of student data by one user: the page or socket, and whose or what data it showed."""

    PERSONAL = ("user", "object_id")
    NOT_PERSONAL = ("school", "action", "object_type", "at")

    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    school = models.ForeignKey(School, on_delete=models.CASCADE, null=True, related_name="+")
    action = models.CharField(_("action"), max_length=64)
    object_type = models.CharField(_("kind of object"), max_length=32)
    object_id = models.UUIDField(_("object"), null=True)
    at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("entry of the access log")
        verbose_name_plural = _("access log")
        indexes = [models.Index(fields=["school", "-id"], name="access_log_by_school")]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type}"


class JoinFailures(models.Model):
    """Wrong join codes from one address within one window of time, counted in one statement."""

    PERSONAL = ("address",)
    NOT_PERSONAL = ("id", "window", "failures")

    id = models.BigAutoField(primary_key=True)
    address = models.CharField(max_length=64, help_text=_("A keyed hash of the network address."))
    window = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("wrong join codes")
        verbose_name_plural = _("wrong join codes")
        constraints = [models.UniqueConstraint(fields=["address", "window"], name="join_failures_once")]

    def __str__(self) -> str:
        return f"{self.failures}"
