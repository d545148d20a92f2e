"""The experiment: its 24 conditions, and the studies that run them."""

import secrets
from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sessions_app.models.content import Content, QuestionSet
from sessions_app.models.forms import AssessmentForm, SurveyForm
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
    def in_words(self) -> str:
        """The code and what it stands for."""
        return gettext("%(code)s: %(location)s, every %(minutes)s minutes, %(questions)s questions") % {
            "code": self.code,
            "location": self.get_location_display(),
            "minutes": self.interval_key,
            "questions": self.get_intervention_type_display(),
        }

    @property
    def interval_key(self) -> str:
        """The interval as keys write it: the shortest decimal, `2.5`, `5`, `10`."""
        return format(Decimal(self.interval_minutes).normalize(), "f")


def new_seed() -> int:
    """Where the random assignments of a study begin; kept, so that they can be drawn again."""
    return secrets.randbelow(2**31)


class Study(TimeOrderedModel):
    """A piece of research: the schools in it, the researchers who may read it, how many students it plans for, and
    what its students are given. A run keeps the versions that the study had when it was assigned.
    """

    NOT_PERSONAL = (
        "name", "planned_n", "content", "baseline_form", "final_form", "question_set", "survey", "seed",
        "is_simulated", "created_at",
    )  # fmt: skip

    name = models.CharField(_("name"), max_length=200, unique=True)
    schools = models.ManyToManyField(School, verbose_name=_("schools"), related_name="studies", blank=True)
    researchers = models.ManyToManyField(User, verbose_name=_("researchers"), related_name="studies", blank=True)
    conditions = models.ManyToManyField(
        Condition, verbose_name=_("conditions"), through="StudyCondition", related_name="studies"
    )
    planned_n = models.PositiveIntegerField(_("planned number of sessions"), default=0)
    content = models.ForeignKey(
        Content, verbose_name=_("content"), on_delete=models.PROTECT, null=True, blank=True, related_name="studies"
    )
    baseline_form = models.ForeignKey(
        AssessmentForm,
        verbose_name=_("baseline assessment"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        limit_choices_to={"kind": "baseline"},
    )
    final_form = models.ForeignKey(
        AssessmentForm,
        verbose_name=_("final assessment"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        limit_choices_to={"kind": "final"},
    )
    question_set = models.ForeignKey(
        QuestionSet, verbose_name=_("question set"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    survey = models.ForeignKey(
        SurveyForm, verbose_name=_("survey"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    seed = models.BigIntegerField(_("seed of the assignment"), default=new_seed, editable=False)
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


class Site(TimeOrderedModel):
    """A place of a study: where a location of its conditions is. Without coordinates it is not verified."""

    NOT_PERSONAL = ("study", "location", "name", "address", "latitude", "longitude", "radius_m")

    study = models.ForeignKey(Study, verbose_name=_("study"), on_delete=models.CASCADE, related_name="sites")
    location = models.CharField(_("location"), max_length=16, choices=Condition.Location.choices)
    name = models.CharField(_("name"), max_length=200)
    address = models.CharField(_("address"), max_length=300, blank=True)
    latitude = models.DecimalField(
        _("latitude"),
        max_digits=9,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(-90), MaxValueValidator(90)],
    )
    longitude = models.DecimalField(
        _("longitude"),
        max_digits=9,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(-180), MaxValueValidator(180)],
    )
    radius_m = models.PositiveIntegerField(
        _("radius in metres"), default=150, validators=[MinValueValidator(5), MaxValueValidator(10_000)]
    )

    class Meta:
        ordering = ("study", "location", "name")
        verbose_name = _("site")
        verbose_name_plural = _("sites")
        constraints = [
            models.UniqueConstraint(fields=["study", "location", "name"], name="site_once"),
            models.CheckConstraint(
                name="site_position",
                condition=Q(latitude=None, longitude=None)
                | Q(
                    latitude__isnull=False,
                    longitude__isnull=False,
                    latitude__range=(-90, 90),
                    longitude__range=(-180, 180),
                ),
                violation_error_message=_("A position has a latitude and a longitude."),
            ),
            models.CheckConstraint(name="site_radius", condition=Q(radius_m__range=(5, 10_000))),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def has_position(self) -> bool:
        return self.latitude is not None and self.longitude is not None
