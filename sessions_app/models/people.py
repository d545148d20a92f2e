"""Schools and the people in them: users who sign in, students who join with a code, and what was consented to."""

from typing import Any, ClassVar
from zoneinfo import ZoneInfo, available_timezones

import pgtrigger
from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.models.identity import TimeOrderedModel


def validate_time_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(_("%(name)s is not a time zone, such as America/New_York."), params={"name": name})


class School(TimeOrderedModel):
    """The tenant: every row of data belongs to one school, and nobody sees another's."""

    NOT_PERSONAL = ("name", "time_zone", "retention_days", "audio_days", "small_cell_threshold", "is_sample",
                    "created_at")  # fmt: skip

    name = models.CharField(_("name"), max_length=200)
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="America/New_York", validators=[validate_time_zone]
    )
    retention_days = models.PositiveIntegerField(
        _("retention in days"), default=730, validators=[MinValueValidator(30), MaxValueValidator(3650)]
    )
    audio_days = models.PositiveSmallIntegerField(
        _("days that recordings are kept"),
        default=30,
        validators=[MaxValueValidator(365)],
        help_text=_("Of students for whom that is agreed to. 0: no recording outlives its reading."),
    )
    small_cell_threshold = models.PositiveSmallIntegerField(
        _("small-cell threshold"),
        default=10,
        validators=[MinValueValidator(5), MaxValueValidator(30)],
        help_text=_("Results of fewer distinct students than this are not shown to researchers."),
    )
    is_sample = models.BooleanField(_("sample school"), default=False, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        ordering = ("name",)
        verbose_name = _("school")
        verbose_name_plural = _("schools")

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class LyceumUserManager(UserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        """Signing in is the same however the name is capitalised; two names never differ in that alone."""
        return self.get(username__iexact=username)

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra: Any
    ) -> "User":
        """A superuser administrates: without a school, they see every school's data in the admin site."""
        extra.setdefault("role", User.Role.ADMINISTRATOR)
        return super().create_superuser(username, email, password, **extra)


class User(AbstractUser, TimeOrderedModel):
    """A teacher or administrator of one school, or a researcher who is granted studies. Students have no account."""

    PERSONAL = ("username", "first_name", "last_name", "email", "password", "last_login")
    NOT_PERSONAL = ("is_superuser", "is_staff", "is_active", "date_joined", "role", "school")

    class Role(models.TextChoices):
        TEACHER = "teacher", _("teacher")
        RESEARCHER = "researcher", _("researcher")
        ADMINISTRATOR = "administrator", _("administrator")

    role = models.CharField(_("role"), max_length=16, choices=Role.choices)
    school = models.ForeignKey(
        School, verbose_name=_("school"), on_delete=models.PROTECT, null=True, blank=True, related_name="users"
    )

    objects: ClassVar[LyceumUserManager] = LyceumUserManager()

    class Meta(AbstractUser.Meta):
        ordering = ("username",)
        constraints = [
            models.CheckConstraint(
                name="user_teacher_has_school",
                condition=~models.Q(role="teacher") | models.Q(school__isnull=False),
                violation_error_message=_("A teacher belongs to a school."),
            ),
            models.CheckConstraint(
                name="user_researcher_has_no_school",
                condition=~models.Q(role="researcher") | models.Q(school__isnull=True),
                violation_error_message=_("A researcher belongs to studies, not to a school."),
            ),
            models.CheckConstraint(
                name="user_staff_administrates",
                condition=models.Q(role="administrator", is_staff=True)
                | (~models.Q(role="administrator") & models.Q(is_staff=False, is_superuser=False)),
                violation_error_message=_("Administrators, and they alone, use the data management."),
            ),
            models.UniqueConstraint(Lower("username"), name="user_username_any_case"),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def save(self, **options: Any) -> None:
        self.is_staff = self.role == self.Role.ADMINISTRATOR
        fields = options.get("update_fields")
        if fields is not None and "role" in fields:
            options["update_fields"] = {*fields, "is_staff"}
        super().save(**options)


class Student(TimeOrderedModel):
    """A pupil of a school. The name never leaves Postgres; the id stands for the student everywhere else."""

    PERSONAL = (
        "name", "label", "grade", "age", "richmond_resident", "depth_preference", "learning_style",
        "prior_knowledge_topics", "external_id",
    )  # fmt: skip
    NOT_PERSONAL = ("school", "pseudonym", "is_simulated", "archived_at", "created_at", "updated_at")

    class DepthPreference(models.TextChoices):
        SURFACE = "surface", _("surface")
        MODERATE = "moderate", _("moderate")
        DEEP = "deep", _("deep")

    school = models.ForeignKey(School, verbose_name=_("school"), on_delete=models.PROTECT, related_name="students")
    name = models.CharField(_("name"), max_length=200, blank=True, help_text=_("Never leaves this database."))
    label = models.CharField(
        _("label"), max_length=40, help_text=_("What the class sees: first name and initial, or an alias.")
    )
    pseudonym = models.CharField(_("pseudonym"), max_length=16, editable=False, help_text=_("What researchers see."))
    external_id = models.CharField(_("school's own number"), max_length=64, blank=True)
    grade = models.PositiveSmallIntegerField(_("grade"), null=True, blank=True, validators=[MaxValueValidator(12)])
    age = models.PositiveSmallIntegerField(
        _("age"), null=True, blank=True, validators=[MinValueValidator(4), MaxValueValidator(21)]
    )
    richmond_resident = models.BooleanField(_("lives in Richmond"), null=True, blank=True)
    depth_preference = models.CharField(
        _("depth preference"), max_length=16, choices=DepthPreference.choices, blank=True
    )
    learning_style = models.CharField(_("learning style"), max_length=64, blank=True)
    prior_knowledge_topics = ArrayField(
        models.CharField(max_length=64), verbose_name=_("prior knowledge"), default=list, blank=True
    )
    is_simulated = models.BooleanField(_("simulated"), default=False, editable=False)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        ordering = ("label",)
        verbose_name = _("student")
        verbose_name_plural = _("students")
        constraints = [
            models.UniqueConstraint(fields=["school", "pseudonym"], name="student_pseudonym_in_school"),
            models.UniqueConstraint(
                fields=["school", "external_id"], name="student_external_id", condition=~models.Q(external_id="")
            ),
        ]

    def __str__(self) -> str:
        return self.label

    def save(self, **options: Any) -> None:
        if not self.pseudonym:
            self.pseudonym = pseudonym_for(self.id.hex)
        super().save(**options)


def pseudonym_for(hexadecimal: str) -> str:
    """The name under which researchers meet a student: made from the random end of the id, not from the person."""
    return f"S-{hexadecimal[-10:].upper()}"


class SchoolClass(TimeOrderedModel):
    """A class list: the students who may join a session of this class."""

    NOT_PERSONAL = ("school", "name", "room", "archived_at", "created_at")

    school = models.ForeignKey(School, verbose_name=_("school"), on_delete=models.PROTECT, related_name="classes")
    name = models.CharField(_("name"), max_length=100)
    room = models.CharField(_("room"), max_length=40, blank=True)
    teachers = models.ManyToManyField(User, verbose_name=_("teachers"), related_name="classes", blank=True)
    students = models.ManyToManyField(
        Student, verbose_name=_("students"), through="ClassMembership", related_name="classes"
    )
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        ordering = ("name",)
        verbose_name = _("class")
        verbose_name_plural = _("classes")
        constraints = [models.UniqueConstraint(fields=["school", "name"], name="school_class_name")]

    def __str__(self) -> str:
        return self.name


class ClassMembership(TimeOrderedModel):
    """A student's place in a class list, under a label that is unique there."""

    PERSONAL = ("student", "label")
    NOT_PERSONAL = ("school_class", "created_at")

    school_class = models.ForeignKey(SchoolClass, on_delete=models.CASCADE, related_name="memberships")
    student = models.ForeignKey(Student, on_delete=models.CASCADE, related_name="memberships")
    label = models.CharField(_("label"), max_length=40)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        ordering = ("label",)
        verbose_name = _("place in a class")
        verbose_name_plural = _("places in classes")
        constraints = [
            models.UniqueConstraint(fields=["school_class", "student"], name="membership_once"),
            models.UniqueConstraint("school_class", Lower("label"), name="membership_label"),
        ]

    def __str__(self) -> str:
        return self.label

    def clean(self) -> None:
        if self.student_id and self.school_class_id and self.student.school_id != self.school_class.school_id:
            raise ValidationError({"student": _("A student of another school cannot be in this class.")})


class Consent(TimeOrderedModel):
    """One decision of one giver about one purpose. Append-only: a change of mind is a new row.

    A purpose is live for a student when somebody granted it and nobody's latest decision is against it; a trigger
    keeps that in `ConsentState`, which the writers of contributions read. The latest is the one given last, so that a
    paper that is recorded late does not undo a withdrawal. The trigger locks the student, so that of two decisions at
    the same moment each is weighed against the other.
    """

    PERSONAL = ("student", "recorded_by", "note")
    NOT_PERSONAL = (
        "purpose", "decision", "given_by", "version", "how_obtained", "irb_date", "given_at", "created_at",
    )  # fmt: skip

    class Purpose(models.TextChoices):
        PARTICIPATION = "participation", _("taking part")
        AUDIO = "audio", _("recording the voice")
        LOCATION = "location", _("checking the place")
        SURVEY = "survey", _("answering the survey")
        RESEARCH = "research", _("use in research")
        DATA_SHARING = "data_sharing", _("sharing with other researchers")
        KEEP_AUDIO = "keep_audio", _("keeping the recording for a while")

    class Decision(models.TextChoices):
        GRANTED = "granted", _("granted")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Giver(models.TextChoices):
        GUARDIAN = "guardian", _("guardian")
        STUDENT = "student", _("student")
        SCHOOL = "school", _("school")

    class Method(models.TextChoices):
        PAPER = "paper", _("signed paper")
        ONLINE = "online", _("online form")
        IN_SESSION = "in_session", _("asked in the session")
        AUTHORISATION = "authorisation", _("the school's authorisation")

    student = models.ForeignKey(Student, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(_("purpose"), max_length=16, choices=Purpose.choices)
    decision = models.CharField(_("decision"), max_length=16, choices=Decision.choices)
    given_by = models.CharField(_("given by"), max_length=16, choices=Giver.choices)
    version = models.CharField(_("version of the text"), max_length=32)
    how_obtained = models.CharField(_("how obtained"), max_length=16, choices=Method.choices)
    irb_date = models.DateField(_("date of the ethics approval"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=500, blank=True)
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    given_at = models.DateTimeField(_("given"), default=timezone.now)
    created_at = models.DateTimeField(_("recorded"), default=timezone.now, editable=False)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        indexes = [models.Index(fields=["student", "purpose", "given_by", "-given_at", "-id"], name="consent_latest")]
        constraints = [
            models.CheckConstraint(
                name="consent_given_before_recorded",
                condition=models.Q(given_at__lte=models.F("created_at")),
                violation_error_message=_("A consent cannot be given in the future."),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update),
            pgtrigger.Trigger(
                name="keep_state",
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                func="""
                    PERFORM FROM sessions_app_student WHERE id = NEW.student_id FOR NO KEY UPDATE;
                    INSERT INTO sessions_app_consentstate (student_id, purpose, granted)
                    SELECT NEW.student_id, NEW.purpose, bool_and(decision = 'granted')
                    FROM (
                        SELECT DISTINCT ON (given_by) decision FROM sessions_app_consent
                        WHERE student_id = NEW.student_id AND purpose = NEW.purpose
                        ORDER BY given_by, given_at DESC, id DESC
                    ) latest
                    ON CONFLICT (student_id, purpose) DO UPDATE SET granted = excluded.granted;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}: {self.get_decision_display()}"


class ConsentState(models.Model):
    """Whether a purpose is live for a student now. Written by a trigger on `Consent` alone."""

    PERSONAL = ("student", "granted")
    NOT_PERSONAL = ("id", "purpose")

    id = models.BigAutoField(primary_key=True)
    student = models.ForeignKey(Student, on_delete=models.CASCADE, related_name="consent_states")
    purpose = models.CharField(max_length=16, choices=Consent.Purpose.choices)
    granted = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["student", "purpose"], name="consent_state_once")]

    def __str__(self) -> str:
        return f"{self.purpose}: {self.granted}"
