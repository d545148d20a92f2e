"""What was asked of a language model, in numbers: the source of the AI metrics and of the costs."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.models.identity import TimeOrderedModel
from sessions_app.models.people import School


class ModelCall(TimeOrderedModel):
    """One request to a language model and how it ended. Neither the words sent nor those answered are kept here.

    Tokens and cost are null where they are not known: the model did not answer, or no price is set.
    """

    NOT_PERSONAL = (
        "school", "purpose", "model", "outcome", "prompt_tokens", "completion_tokens", "cost_usd", "latency_ms", "at",
    )  # fmt: skip

    class Purpose(models.TextChoices):
        QUESTION = "question", _("question of an intervention")
        SCORING = "scoring", _("scoring of an answer")
        HELP = "help", _("help while reading")
        PRACTICE = "practice", _("language practice")
        ANALYSIS = "analysis", _("qualitative analysis")

    class Outcome(models.TextChoices):
        OK = "ok", _("answered")
        REFUSED = "refused", _("refused by the model")
        TIMEOUT = "timeout", _("no answer in time")
        INVALID = "invalid", _("answer not usable")
        ERROR = "error", _("failed")

    school = models.ForeignKey(School, verbose_name=_("school"), on_delete=models.CASCADE, null=True, related_name="+")
    purpose = models.CharField(_("purpose"), max_length=16, choices=Purpose.choices)
    model = models.CharField(_("model"), max_length=200)
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome.choices)
    prompt_tokens = models.PositiveIntegerField(_("tokens sent"), null=True)
    completion_tokens = models.PositiveIntegerField(_("tokens answered"), null=True)
    cost_usd = models.DecimalField(_("cost in USD"), max_digits=12, decimal_places=6, null=True)
    latency_ms = models.PositiveIntegerField(_("milliseconds"))
    at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("call of a language model")
        verbose_name_plural = _("calls of language models")
        indexes = [models.Index(fields=["school", "at"], name="model_call_by_school")]
        constraints = [
            models.CheckConstraint(
                name="model_call_answered_has_tokens",
                condition=~models.Q(outcome="ok")
                | models.Q(prompt_tokens__isnull=False, completion_tokens__isnull=False),
            ),
            models.CheckConstraint(
                name="model_call_cost_not_negative",
                condition=models.Q(cost_usd__isnull=True) | models.Q(cost_usd__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}: {self.get_outcome_display()}"
