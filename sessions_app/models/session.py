"""One class period (`LiveSession`), its groups, and one student's run in it (`StudentSession`)."""

from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.models.identity import TimeOrderedModel
from sessions_app.models.passage import Passage
from sessions_app.models.people import School, SchoolClass, Student, User
from sessions_app.models.study import Condition, Site, Study

LATE_EVENTS_FOR = timedelta(hours=24)
"""How long after the end facts are still taken, and a join cookie still opens the student's page."""


class LiveSession(TimeOrderedModel):
    """A class period run by a teacher. It owns the timeline. `draft > configured > started > ended`."""

    PERSONAL = ("teacher",)
    NOT_PERSONAL = (
        "school", "school_class", "title", "activity", "status", "join_code", "capacity", "planned_groups", "room",
        "scheduled_for", "study", "location", "site", "condition", "passage", "is_simulated", "created_at",
        "updated_at", "configured_at", "started_at", "ended_at", "end_reason",
    )  # fmt: skip

    class Activity(models.TextChoices):
        SOCRATIC = "socratic", _("Socratic study")
        READING = "reading", _("Reading aloud")
        CONVERSATION = "conversation", _("Conversation")
        PRONUNCIATION = "pronunciation", _("Pronunciation")
        ROLEPLAY = "roleplay", _("Role play")

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        CONFIGURED = "configured", _("waiting to start")
        STARTED = "started", _("running")
        ENDED = "ended", _("ended")

    class EndReason(models.TextChoices):
        TEACHER = "teacher", _("ended by the teacher")
        IDLE = "idle", _("ended after three idle hours")
        ADMINISTRATOR = "administrator", _("ended by an administrator")

    school = models.ForeignKey(School, verbose_name=_("school"), on_delete=models.PROTECT, related_name="sessions")
    teacher = models.ForeignKey(User, verbose_name=_("teacher"), on_delete=models.PROTECT, related_name="sessions")
    school_class = models.ForeignKey(
        SchoolClass, verbose_name=_("class"), on_delete=models.PROTECT, null=True, blank=True, related_name="sessions"
    )
    title = models.CharField(_("title"), max_length=120)
    activity = models.CharField(_("activity"), max_length=16, choices=Activity.choices)
    status = models.CharField(_("state"), max_length=16, choices=Status.choices, default=Status.DRAFT)
    join_code = models.CharField(_("join code"), max_length=8, blank=True, editable=False)
    capacity = models.PositiveSmallIntegerField(
        _("places"), default=40, validators=[MinValueValidator(1), MaxValueValidator(200)]
    )
    planned_groups = models.PositiveSmallIntegerField(
        _("groups"),
        default=0,
        validators=[MaxValueValidator(20)],
        help_text=_("Made when the code is made; 0 for none."),
    )
    room = models.CharField(_("room"), max_length=40, blank=True)
    scheduled_for = models.DateTimeField(_("planned for"), null=True, blank=True)
    study = models.ForeignKey(
        Study, verbose_name=_("study"), on_delete=models.PROTECT, null=True, blank=True, related_name="sessions"
    )
    location = models.CharField(
        _("where it takes place"),
        max_length=16,
        choices=Condition.Location.choices,
        blank=True,
        help_text=_("The location within which conditions are assigned."),
    )
    site = models.ForeignKey(
        Site, verbose_name=_("site"), on_delete=models.PROTECT, null=True, blank=True, related_name="sessions"
    )
    condition = models.ForeignKey(
        Condition,
        verbose_name=_("condition"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="sessions",
        help_text=_("Fixed for the whole class. Leave empty to have one assigned to each student."),
    )
    passage = models.ForeignKey(
        Passage,
        verbose_name=_("passage or prompts"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="sessions",
        help_text=_("What is read aloud, or said."),
    )
    is_simulated = models.BooleanField(_("simulated"), default=False, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    configured_at = models.DateTimeField(_("configured"), null=True, blank=True, editable=False)
    started_at = models.DateTimeField(_("started"), null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True, editable=False)
    end_reason = models.CharField(
        _("how it ended"), max_length=16, choices=EndReason.choices, blank=True, editable=False
    )

    class Meta:
        ordering = ("-id",)
        verbose_name = _("live session")
        verbose_name_plural = _("live sessions")
        indexes = [
            models.Index(fields=["school", "-started_at"], name="live_session_by_start"),
            models.Index(fields=["teacher", "status"], name="live_session_by_teacher"),
            models.Index(fields=["status"], name="live_session_open", condition=~Q(status="ended")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["join_code"], name="live_session_join_code", condition=~Q(join_code="") & ~Q(status="ended")
            ),
            models.CheckConstraint(
                name="live_session_times_fit_status",
                condition=(
                    Q(status="draft", configured_at=None, started_at=None, ended_at=None)
                    | Q(status="configured", configured_at__isnull=False, started_at=None, ended_at=None)
                    | Q(status="started", configured_at__isnull=False, started_at__isnull=False, ended_at=None)
                    | Q(status="ended", configured_at__isnull=False, ended_at__isnull=False)
                ),
            ),
            models.CheckConstraint(
                name="live_session_times_in_order",
                condition=(Q(started_at=None) | Q(started_at__gte=F("configured_at")))
                & (Q(ended_at=None) | Q(ended_at__gte=F("configured_at"))),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        """Students may join and act: configured or started."""
        return self.status in {self.Status.CONFIGURED, self.Status.STARTED}


class Group(TimeOrderedModel):
    """A group of students within a session, with a leader who says when it is ready."""

    PERSONAL = ("leader",)
    NOT_PERSONAL = ("session", "number", "ready_at")

    session = models.ForeignKey(LiveSession, on_delete=models.CASCADE, related_name="groups")
    number = models.PositiveSmallIntegerField(_("number"))
    leader = models.ForeignKey(
        "StudentSession",
        verbose_name=_("leader"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="leads",
    )
    ready_at = models.DateTimeField(_("ready since"), null=True, blank=True)

    class Meta:
        ordering = ("number",)
        verbose_name = _("group")
        verbose_name_plural = _("groups")
        constraints = [models.UniqueConstraint(fields=["session", "number"], name="group_number_in_session")]

    def __str__(self) -> str:
        return f"{self.number}"


class StudentSession(TimeOrderedModel):
    """One student's run in a live session: the `SESSION#<id>` of the mirror, and the unit of analysis.

    `cookie_version` is part of the join cookie: raising it (a newer device, a removal) makes older cookies worthless.
    """

    PERSONAL = ("student", "label", "device")
    NOT_PERSONAL = (
        "school", "session", "group", "condition", "condition_randomised", "cookie_version", "joined_at", "ready_at",
        "left_at", "removed_at", "help_asked_at", "attention_confirmed", "is_simulated", "created_at", "updated_at",
    )  # fmt: skip

    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="+")
    session = models.ForeignKey(
        LiveSession, verbose_name=_("live session"), on_delete=models.PROTECT, related_name="student_sessions"
    )
    student = models.ForeignKey(
        Student, verbose_name=_("student"), on_delete=models.SET_NULL, null=True, related_name="student_sessions"
    )
    label = models.CharField(_("label"), max_length=40)
    group = models.ForeignKey(
        Group, verbose_name=_("group"), on_delete=models.SET_NULL, null=True, blank=True, related_name="members"
    )
    condition = models.ForeignKey(
        Condition,
        verbose_name=_("condition"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="student_sessions",
    )
    condition_randomised = models.BooleanField(_("condition drawn at random"), default=False)
    cookie_version = models.PositiveIntegerField(default=1, editable=False)
    device = models.CharField(_("device"), max_length=80, blank=True, editable=False)
    joined_at = models.DateTimeField(_("joined"), default=timezone.now)
    ready_at = models.DateTimeField(_("ready since"), null=True, blank=True)
    left_at = models.DateTimeField(_("left"), null=True, blank=True)
    removed_at = models.DateTimeField(_("taken out"), null=True, blank=True)
    help_asked_at = models.DateTimeField(_("asked for help"), null=True, blank=True)
    attention_confirmed = models.BigIntegerField(default=0, editable=False)
    is_simulated = models.BooleanField(_("simulated"), default=False, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        ordering = ("label",)
        verbose_name = _("student's session")
        verbose_name_plural = _("students' sessions")
        constraints = [models.UniqueConstraint(fields=["session", "student"], name="student_session_once")]
        indexes = [models.Index(fields=["student", "-id"], name="student_session_by_student")]

    def __str__(self) -> str:
        return self.label


class AttentionCheck(TimeOrderedModel):
    """The teacher asked whether everybody, or one student, is there. `seq` is its place in the timeline."""

    PERSONAL = ("student_session", "text")
    NOT_PERSONAL = ("session", "seq", "asked_at")

    session = models.ForeignKey(LiveSession, on_delete=models.CASCADE, related_name="attention_checks")
    student_session = models.ForeignKey(StudentSession, on_delete=models.CASCADE, null=True, related_name="+")
    text = models.CharField(max_length=300)
    seq = models.BigIntegerField()
    asked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("attention check")
        verbose_name_plural = _("attention checks")
        indexes = [models.Index(fields=["session", "-seq"], name="attention_check_latest")]

    def __str__(self) -> str:
        return self.text


class TakeoverRequest(TimeOrderedModel):
    """Somebody on a new device says that they are a student who has already joined. The teacher decides."""

    PERSONAL = ("student_session", "device", "decided_by")
    NOT_PERSONAL = ("session", "decision", "requested_at", "decided_at")

    class Decision(models.TextChoices):
        PENDING = "pending", _("waiting")
        GRANTED = "granted", _("granted")
        REFUSED = "refused", _("refused")

    session = models.ForeignKey(LiveSession, on_delete=models.CASCADE, related_name="takeover_requests")
    student_session = models.ForeignKey(StudentSession, on_delete=models.CASCADE, related_name="takeover_requests")
    device = models.CharField(max_length=80, blank=True)
    decision = models.CharField(max_length=8, choices=Decision.choices, default=Decision.PENDING)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    requested_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        verbose_name = _("request to change device")
        verbose_name_plural = _("requests to change device")
        indexes = [
            models.Index(fields=["session"], name="takeover_pending", condition=Q(decision="pending")),
        ]

    def __str__(self) -> str:
        return self.get_decision_display()
