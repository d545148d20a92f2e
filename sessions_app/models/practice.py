"""Language practice: who practises, what each exercise came to, and how somebody without an account gets in."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.models.identity import TimeOrderedModel
from sessions_app.models.people import Student, User


class Learner(TimeOrderedModel):
    """Somebody who practises: an account of `issuer`, who calls it `subject`; linked to a school's student when known.

    `version` is part of the tokens that Lyceum itself gives a learner: raising it makes the older ones worthless.
    """

    PERSONAL = ("issuer", "subject", "student")
    NOT_PERSONAL = ("version", "created_at")

    issuer = models.CharField(_("account of"), max_length=255)
    subject = models.CharField(_("account"), max_length=255)
    student = models.ForeignKey(
        Student, verbose_name=_("student"), on_delete=models.CASCADE, null=True, blank=True, related_name="learners"
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("first seen"), default=timezone.now, editable=False)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("learner")
        verbose_name_plural = _("learners")
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="learner_account")]

    def __str__(self) -> str:
        return self.student.label if self.student else f"{self.pk}"


class ErasedAccount(models.Model):
    """An account whose data was deleted on request: its tokens, which others sign, open nothing any more.

    `account` is a keyed hash of issuer and subject. Removing the row lets the account begin anew.
    """

    NOT_PERSONAL = ("account", "erased_at")

    account = models.CharField(_("account"), primary_key=True, max_length=64)
    erased_at = models.DateTimeField(_("deleted"), default=timezone.now)

    class Meta:
        ordering = ("-erased_at",)
        verbose_name = _("deleted account")
        verbose_name_plural = _("deleted accounts")

    def __str__(self) -> str:
        return self.account[:12]


class SessionResult(TimeOrderedModel):
    """What one finished exercise came to. Scores are from 0 to 100, null where the exercise has none.

    Of a learner who is a school's student, nothing is kept without a live consent to take part.
    """

    PERSONAL = (
        "learner", "session_type", "duration_seconds", "words_spoken", "pronunciation_score", "fluency_score",
        "grammar_score", "topics", "vocabulary_learned", "areas_to_improve", "metadata", "idempotency_key",
    )  # fmt: skip
    NOT_PERSONAL = ("created_at", "updated_at")

    class Type(models.TextChoices):
        CONVERSATION = "conversation", _("conversation")
        PRONUNCIATION = "pronunciation", _("pronunciation")
        ROLEPLAY = "roleplay", _("role play")

    learner = models.ForeignKey(
        Learner,
        verbose_name=_("learner"),
        db_column="user_id",
        on_delete=models.CASCADE,
        db_index=False,
        related_name="results",
    )
    session_type = models.CharField(_("exercise"), max_length=16, choices=Type.choices)
    duration_seconds = models.PositiveIntegerField(_("seconds"))
    words_spoken = models.PositiveIntegerField(_("words spoken"), db_default=0)
    pronunciation_score = models.FloatField(_("pronunciation"), null=True, blank=True)
    fluency_score = models.FloatField(_("fluency"), null=True, blank=True)
    grammar_score = models.FloatField(_("grammar"), null=True, blank=True)
    topics = ArrayField(models.TextField(), verbose_name=_("topics"), default=list, blank=True)
    vocabulary_learned = ArrayField(models.TextField(), verbose_name=_("words learned"), default=list, blank=True)
    areas_to_improve = ArrayField(models.TextField(), verbose_name=_("to improve"), default=list, blank=True)
    metadata = models.JSONField(_("more"), default=dict, blank=True)
    idempotency_key = models.CharField(max_length=200, null=True, editable=False)
    created_at = models.DateTimeField(_("saved"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("updated"), db_default=Now(), editable=False)

    class Meta:
        db_table = "session_results"
        ordering = ("-created_at", "-id")
        verbose_name = _("practice result")
        verbose_name_plural = _("practice results")
        indexes = [
            models.Index(fields=["learner", "-created_at", "-id"], name="session_results_newest"),
            models.Index(fields=["learner", "session_type", "-created_at", "-id"], name="session_results_of_type"),
            models.Index(fields=["created_at"], name="session_results_age"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["learner", "idempotency_key"],
                name="session_results_key",
                condition=Q(idempotency_key__isnull=False),
            ),
            models.CheckConstraint(
                name="session_results_type",
                condition=Q(session_type__in=["conversation", "pronunciation", "roleplay"]),
            ),
            *(
                models.CheckConstraint(
                    name=f"session_results_{score}", condition=Q(**{f"{score}_score__range": (0, 100)})
                )
                for score in ("pronunciation", "fluency", "grammar")
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="touch",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="NEW.updated_at = now(); RETURN NEW;",
            ),
            pgtrigger.Trigger(
                name="consented",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    IF EXISTS (
                        SELECT FROM sessions_app_learner l WHERE l.id = NEW.user_id AND l.student_id IS NOT NULL
                        AND NOT EXISTS (
                            SELECT FROM sessions_app_consentstate c
                            WHERE c.student_id = l.student_id AND c.purpose = 'participation' AND c.granted
                        )
                    ) THEN
                        RAISE EXCEPTION 'no live consent to take part'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'session_results_consent';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_session_type_display()} {self.created_at:%Y-%m-%d %H:%M}"


class LearnerCode(TimeOrderedModel):
    """A code that a teacher gives a student, good once and for a day: it opens their practice. Kept as a hash."""

    PERSONAL = ("student", "made_by")
    NOT_PERSONAL = ("code", "made_at", "expires_at", "used_at")

    student = models.ForeignKey(
        Student, verbose_name=_("student"), on_delete=models.CASCADE, related_name="practice_codes"
    )
    code = models.CharField(max_length=64, unique=True, editable=False)
    made_by = models.ForeignKey(User, verbose_name=_("given by"), on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(_("given"), default=timezone.now)
    expires_at = models.DateTimeField(_("good until"))
    used_at = models.DateTimeField(_("used"), null=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("practice code")
        verbose_name_plural = _("practice codes")

    def __str__(self) -> str:
        return f"{self.made_at:%Y-%m-%d %H:%M}"


class RequestCount(models.Model):
    """How many requests a caller has made in the current window, counted in one statement (`sessions_app.throttling`).

    `caller` is a keyed hash of an account or an address, `window` the second since 1970 in which it began. The table is
    unlogged: a count need not survive a crash.
    """

    PERSONAL = ("pk", "caller")
    NOT_PERSONAL = ("scope", "window", "requests")

    pk = models.CompositePrimaryKey("caller", "scope")
    caller = models.CharField(max_length=64)
    scope = models.CharField(max_length=16)
    window = models.BigIntegerField()
    requests = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("counted requests")
        verbose_name_plural = _("counted requests")

    def __str__(self) -> str:
        return f"{self.scope}: {self.requests}"
