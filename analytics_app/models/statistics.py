"""Statistics of conditions, month by month: the materialised view of requirement 002 (entity 8)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from analytics_app.models.marks import mark_when_changed
from analytics_app.models.mirror import ItemKind
from sessions_app.models import Condition


class ConditionStatistics(models.Model):
    """One condition in one month (UTC), over all studies, as `mirror.condition_months` computes it.

    Both keys are those of the item in DynamoDB, from which the id follows; they stand here so that an item is found
    when its row goes. `changed_at` is when a figure became another one, `checked_at` when it was last computed.
    """

    NOT_PERSONAL = (
        "partition_key", "sort_key", "condition", "start", "end", "sessions", "suppressed", "figures", "changed_at",
        "checked_at",
    )  # fmt: skip

    id = models.UUIDField(primary_key=True)
    partition_key = models.CharField(max_length=120)
    sort_key = models.CharField(max_length=40)
    condition = models.ForeignKey(Condition, verbose_name=_("condition"), on_delete=models.CASCADE, related_name="+")
    start = models.DateField(_("first day"))
    end = models.DateField(_("last day"))
    sessions = models.PositiveIntegerField(_("sessions"))
    suppressed = models.BooleanField(_("suppressed"))
    figures = models.JSONField(_("figures"))
    changed_at = models.DateTimeField(_("changed"))
    checked_at = models.DateTimeField(_("computed"))

    class Meta:
        ordering = ("-start", "condition__code")
        verbose_name = _("month of a condition")
        verbose_name_plural = _("months of conditions")
        constraints = [
            models.UniqueConstraint(fields=["partition_key", "sort_key"], name="condition_statistics_once"),
            models.CheckConstraint(name="condition_statistics_days", condition=Q(end__gte=F("start"))),
        ]
        triggers = mark_when_changed(
            "statistics",
            f"""
            SELECT '{ItemKind.CONDITION_STATISTICS.value}', changed.id, changed.partition_key || ' ' || changed.sort_key
            """,
            columns=("partition_key", "sort_key", "figures", "changed_at"),
            with_keys=True,
        )

    def __str__(self) -> str:
        return f"{self.partition_key} {self.start:%Y-%m}"
