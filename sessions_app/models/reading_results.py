"""What a reading came to: minutes, miscues with the teacher's word on them, help, the summary, results of speaking.

The formulas are in `sessions_app.speech`; a number that is undefined is null, with a reason where it is shown.
"""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.models.identity import TimeOrderedModel
from sessions_app.models.people import User
from sessions_app.models.reading import Reading, heard
from sessions_app.models.session import StudentSession


def _share(name: str) -> Q:
    return Q(**{name: None}) | Q(**{f"{name}__gte": 0, f"{name}__lte": 1})


class BatchMetrics(TimeOrderedModel):
    """One window of a reading: a minute of its sound, or the rest of it."""

    PERSONAL = ("transcripts",)
    NOT_PERSONAL = (
        "reading", "number", "starts", "ends", "words", "attempted", "correct", "wpm", "wcpm", "omissions",
        "insertions", "substitutions", "repetitions", "self_corrections", "confidence", "created_at",
    )  # fmt: skip

    reading = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="windows")
    number = models.PositiveIntegerField(_("number"))
    starts = models.FloatField(_("from, s"))
    ends = models.FloatField(_("until, s"))
    words = models.PositiveIntegerField(_("words spoken"))
    attempted = models.PositiveIntegerField(_("passage words reached"), null=True)
    correct = models.PositiveIntegerField(_("passage words read correctly"), null=True)
    wpm = models.FloatField(_("words a minute"), null=True)
    wcpm = models.FloatField(_("words correct a minute"), null=True)
    omissions = models.PositiveIntegerField(_("left out"), default=0)
    insertions = models.PositiveIntegerField(_("added"), default=0)
    substitutions = models.PositiveIntegerField(_("said otherwise"), default=0)
    repetitions = models.PositiveIntegerField(_("repeated"), default=0)
    self_corrections = models.PositiveIntegerField(_("self-corrected"), default=0)
    confidence = models.FloatField(_("mean confidence"), null=True)
    transcripts = models.JSONField(_("transcripts"), default=list)
    created_at = models.DateTimeField(_("computed"), default=timezone.now)

    class Meta:
        ordering = ("reading", "number")
        verbose_name = _("minute of a reading")
        verbose_name_plural = _("minutes of readings")
        constraints = [
            models.UniqueConstraint(fields=["reading", "number"], name="batch_metrics_once"),
            models.CheckConstraint(name="batch_metrics_in_order", condition=Q(ends__gt=F("starts"), starts__gte=0)),
            models.CheckConstraint(name="batch_metrics_confidence", condition=_share("confidence")),
        ]
        triggers = heard()

    def __str__(self) -> str:
        return f"{self.number}"


class MiscueType(models.TextChoices):
    OMISSION = "omission", _("left out")
    INSERTION = "insertion", _("added")
    SUBSTITUTION = "substitution", _("said otherwise")
    REPETITION = "repetition", _("repeated")
    SELF_CORRECTION = "self_correction", _("self-corrected")


class Miscue(TimeOrderedModel):
    """What was read otherwise than it stands there, as the machine heard it, and what the teacher decided about it.

    `index` is the 0-based word of the passage (an insertion: the word that it stands before). `type` is empty where
    the machine heard the word as it stands and the teacher did not. A correction says what it is instead:
    `corrected_type` is empty for "read correctly". `counted` says whether the machine took it for an error: of what it
    is not sure of it does not.
    """

    PERSONAL = ("heard", "reason", "decided_by")
    NOT_PERSONAL = (
        "reading", "type", "index", "expected", "starts", "ends", "confidence", "counted", "decision",
        "corrected_type", "decided_at", "created_at",
    )  # fmt: skip

    class Decision(models.TextChoices):
        OPEN = "open", _("to look at")
        ACCEPTED = "accepted", _("accepted")
        CORRECTED = "corrected", _("corrected")

    reading = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="miscues")
    type = models.CharField(_("kind"), max_length=16, choices=MiscueType.choices, blank=True)
    index = models.PositiveIntegerField(_("word of the passage"))
    expected = models.CharField(_("in the passage"), max_length=200, blank=True)
    heard = models.CharField(_("heard"), max_length=200, blank=True)
    starts = models.FloatField(_("at, s"), null=True)
    ends = models.FloatField(_("until, s"), null=True)
    confidence = models.FloatField(_("confidence"), null=True)
    counted = models.BooleanField(_("counted as an error"), default=False)
    decision = models.CharField(_("decision"), max_length=10, choices=Decision.choices, default=Decision.OPEN)
    corrected_type = models.CharField(_("corrected to"), max_length=16, choices=MiscueType.choices, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    created_at = models.DateTimeField(_("computed"), default=timezone.now)

    class Meta:
        ordering = ("reading", "index", "starts", "id")
        verbose_name = _("miscue")
        verbose_name_plural = _("miscues")
        indexes = [models.Index(fields=["reading", "index"], name="miscue_in_passage")]
        constraints = [
            models.CheckConstraint(
                name="miscue_decision_has_a_time",
                condition=Q(decision="open", decided_at=None, corrected_type="")
                | (~Q(decision="open") & Q(decided_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="miscue_correction_corrects",
                condition=~Q(decision="corrected") | ~Q(corrected_type=F("type")),
                violation_error_message=_("That is what the machine heard: accept it instead."),
            ),
            models.CheckConstraint(
                name="miscue_accepted_as_heard", condition=~Q(decision="accepted") | Q(corrected_type="")
            ),
            models.CheckConstraint(name="miscue_confidence", condition=_share("confidence")),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.index}"

    @property
    def stands_as(self) -> str:
        """What it counts as now: the machine's word, or the teacher's where there is one."""
        return self.corrected_type if self.decision == self.Decision.CORRECTED else self.type


class HelpEvent(TimeOrderedModel):
    """Help for a word on which a student was stuck: why it was given, what it said, and whether it was listened to."""

    PERSONAL = ("text",)
    NOT_PERSONAL = (
        "reading", "index", "word", "reason", "at", "parts", "author", "voice", "latency_ms", "created_at",
        "played_at", "dismissed_at",
    )  # fmt: skip

    class Reason(models.TextChoices):
        SILENCE = "silence", _("silence")
        SECOND_ATTEMPT = "second_attempt", _("a second attempt at the word")
        LOW_CONFIDENCE = "low_confidence", _("unclear words")
        ASKED = "asked", _("asked for")

    reading = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="helps")
    index = models.PositiveIntegerField(_("word of the passage"))
    word = models.CharField(_("word"), max_length=100)
    reason = models.CharField(_("because of"), max_length=16, choices=Reason.choices)
    at = models.FloatField(_("at, s"))
    parts = models.CharField(_("parts of the word"), max_length=200, blank=True)
    text = models.TextField(_("text"), max_length=600)
    author = models.CharField(_("worded by"), max_length=100)
    voice = models.CharField(_("voice"), max_length=32)
    latency_ms = models.FloatField(_("time to make it, ms"), null=True)
    created_at = models.DateTimeField(_("given"), default=timezone.now)
    played_at = models.DateTimeField(_("listened to"), null=True, blank=True)
    dismissed_at = models.DateTimeField(_("gone on without"), null=True, blank=True)

    class Meta:
        ordering = ("reading", "at")
        verbose_name = _("help")
        verbose_name_plural = _("help")
        indexes = [models.Index(fields=["reading", "at"], name="help_in_reading")]
        triggers = heard()

    def __str__(self) -> str:
        return self.word


class SessionSummary(TimeOrderedModel):
    """What a student's speaking session came to: over all of its readings, by the ratio of sums.

    The `machine_` figures are the engine's own; the others follow the teacher's decisions. They are the same until the
    first correction.
    """

    PERSONAL = ("student_session", "transcript", "insights")
    NOT_PERSONAL = (
        "words", "attempted", "correct", "seconds", "wpm", "wcpm", "accuracy", "machine_wcpm",
        "machine_accuracy", "omissions", "insertions", "substitutions", "repetitions", "self_corrections",
        "confidence", "grade_level", "grade_level_reason", "decided", "agreed", "created_at", "updated_at",
    )  # fmt: skip

    class GradeLevel(models.TextChoices):
        BELOW = "below_grade_level", _("below grade level")
        AT = "at_grade_level", _("at grade level")
        ABOVE = "above_grade_level", _("above grade level")

    student_session = models.OneToOneField(StudentSession, on_delete=models.CASCADE, related_name="summary")
    words = models.PositiveIntegerField(_("words spoken"))
    attempted = models.PositiveIntegerField(_("passage words reached"), null=True)
    correct = models.PositiveIntegerField(_("passage words read correctly"), null=True)
    seconds = models.FloatField(_("sound, s"))
    wpm = models.FloatField(_("words a minute"), null=True)
    wcpm = models.FloatField(_("words correct a minute"), null=True)
    accuracy = models.FloatField(_("accuracy, %"), null=True)
    machine_wcpm = models.FloatField(_("words correct a minute, by the machine"), null=True)
    machine_accuracy = models.FloatField(_("accuracy by the machine, %"), null=True)
    omissions = models.PositiveIntegerField(_("left out"), default=0)
    insertions = models.PositiveIntegerField(_("added"), default=0)
    substitutions = models.PositiveIntegerField(_("said otherwise"), default=0)
    repetitions = models.PositiveIntegerField(_("repeated"), default=0)
    self_corrections = models.PositiveIntegerField(_("self-corrected"), default=0)
    confidence = models.FloatField(_("mean confidence"), null=True)
    transcript = models.TextField(_("transcript"))
    insights = models.JSONField(_("insights"), default=dict)
    grade_level = models.CharField(_("grade level"), max_length=20, choices=GradeLevel.choices, blank=True)
    grade_level_reason = models.CharField(_("why there is none"), max_length=32, blank=True)
    decided = models.PositiveIntegerField(_("marks decided by the teacher"), default=0)
    agreed = models.PositiveIntegerField(_("of them accepted"), default=0)
    created_at = models.DateTimeField(_("computed first"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("computed"), default=timezone.now)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("summary of a speaking session")
        verbose_name_plural = _("summaries of speaking sessions")
        constraints = [
            models.CheckConstraint(name="session_summary_confidence", condition=_share("confidence")),
            models.CheckConstraint(
                name="session_summary_level_or_reason",
                condition=Q(grade_level="") ^ Q(grade_level_reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.words}"


class SpokenResult(TimeOrderedModel):
    """What conversation, pronunciation or role play came to. A score that cannot be computed is null, with a reason."""

    PERSONAL = ("transcript",)
    NOT_PERSONAL = (
        "reading", "words", "seconds", "speaking_seconds", "pauses", "wpm", "fluency", "fluency_reason",
        "pronunciation", "pronunciation_reason", "created_at",
    )  # fmt: skip

    reading = models.OneToOneField(Reading, on_delete=models.CASCADE, related_name="spoken_result")
    words = models.PositiveIntegerField(_("words"))
    seconds = models.FloatField(_("sound, s"))
    speaking_seconds = models.FloatField(_("speaking, s"))
    pauses = models.PositiveIntegerField(_("pauses"))
    wpm = models.FloatField(_("words a minute"), null=True)
    fluency = models.FloatField(_("fluency"), null=True)
    fluency_reason = models.CharField(_("why there is no fluency"), max_length=32, blank=True)
    pronunciation = models.FloatField(_("pronunciation"), null=True)
    pronunciation_reason = models.CharField(_("why there is no pronunciation"), max_length=32, blank=True)
    transcript = models.TextField(_("transcript"))
    created_at = models.DateTimeField(_("computed"), default=timezone.now)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("result of speaking")
        verbose_name_plural = _("results of speaking")
        constraints = [
            models.CheckConstraint(
                name=f"spoken_result_{name}",
                condition=Q(**{name: None}) | Q(**{f"{name}__gte": 0, f"{name}__lte": 100}),
            )
            for name in ("fluency", "pronunciation")
        ]

    def __str__(self) -> str:
        return f"{self.words}"
