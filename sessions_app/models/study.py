"""The experiment: its 24 conditions, and the studies that run them."""

from decimal import Decimal

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.models.identity import TimeOrderedModel
from sessions_app.models.people import School, User


class Condition(TimeOrderedModel):
    """One cell of the design: a location, an interval between interventions, and a kind of questioning."""

    NOT_PERSONAL = ("code", "location", "interval_minutes", "intervention_type")

    class Location(models.TextChoices):
        ON_SITE = "on-site", _("on site")
        LEARNING_SPACE = "learning-space", _("learning space")
        CLASSROOM = "classroom", _("classroom")
        HOME = "home", _("home")

    class InterventionType(models.TextChoices):
        STATIC = "static", _("static")
        DYNAMIC = "dynamic", _("dynamic")

    code = models.CharField(_("code"), max_length=16, unique=True)
    location = models.CharField(_("location"), max_length=16, choices=Location.choices)
    interval_minutes = models.DecimalField(_("interval in minutes"), max_digits=4, decimal_places=1)
    intervention_type = models.CharField(_("questioning"), max_length=8, choices=InterventionType.choices)

    class Meta:
        ordering = ("code",)
        verbose_name = _("condition")
        verbose_name_plural = _("conditions")
        constraints = [
            models.UniqueConstraint(fields=["location", "interval_minutes", "intervention_type"], name="condition_cell")
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def interval_key(self) -> str:
        """The interval as keys write it: the shortest decimal, `2.5`, `5`, `10`."""
        return format(Decimal(self.interval_minutes).normalize(), "f")


class Study(TimeOrderedModel):
    """A piece of research: the schools in it, the researchers who may read it, and how many students it plans for."""

    NOT_PERSONAL = ("name", "planned_n", "is_simulated", "created_at")

    name = models.CharField(_("name"), max_length=200, unique=True)
    schools = models.ManyToManyField(School, verbose_name=_("schools"), related_name="studies", blank=True)
    researchers = models.ManyToManyField(User, verbose_name=_("researchers"), related_name="studies", blank=True)
    conditions = models.ManyToManyField(
        Condition, verbose_name=_("conditions"), through="StudyCondition", related_name="studies"
    )
    planned_n = models.PositiveIntegerField(_("planned number of sessions"), default=0)
    is_simulated = models.BooleanField(_("simulated"), default=False, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        ordering = ("name",)
        verbose_name = _("study")
        verbose_name_plural = _("studies")

    def __str__(self) -> str:
        return self.name


class StudyCondition(TimeOrderedModel):
    """How many analysed sessions a study wants in a cell."""

    NOT_PERSONAL = ("study", "condition", "target")

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="cells")
    condition = models.ForeignKey(Condition, on_delete=models.PROTECT, related_name="cells")
    target = models.PositiveIntegerField(_("target"), default=0)

    class Meta:
        ordering = ("condition__code",)
        verbose_name = _("cell of a study")
        verbose_name_plural = _("cells of a study")
        constraints = [models.UniqueConstraint(fields=["study", "condition"], name="study_condition_once")]

    def __str__(self) -> str:
        return f"{self.condition_id}: {self.target}"
