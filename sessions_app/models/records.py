"""The record of a student's run of a study, apart from what was asked and answered (`answers`).

Each hangs on the `StudentSession`. The assignment says what the run is made of: the condition, how it was come by, and
the versions of the material. The other rows say what the student did; the database writes none without a live consent.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.models.consented import consented
from sessions_app.models.content import Content, QuestionSet, Segment
from sessions_app.models.forms import AssessmentForm, SurveyForm
from sessions_app.models.identity import TimeOrderedModel
from sessions_app.models.people import Consent, User
from sessions_app.models.session import StudentSession
from sessions_app.models.study import Condition, Site, Study


class Assignment(TimeOrderedModel):
    """The condition and the material that a student's run has.

    Drawn at random: from block `block` of the study's `location`, at `position` (from 0) of the order `drawn_from`,
    which follows from `seed`, location and block alone and can be drawn again. Fixed by hand, for a student or for the
    whole class: `fixed_by` says by whom, and there is no block.
    """

    PERSONAL = ("student_session", "fixed_by")
    NOT_PERSONAL = (
        "study", "condition", "location", "randomised", "seed", "block", "position", "drawn_from", "content",
        "baseline_form", "final_form", "question_set", "survey", "assigned_at",
    )  # fmt: skip

    student_session = models.OneToOneField(StudentSession, on_delete=models.CASCADE, related_name="assignment")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="assignments")
    condition = models.ForeignKey(Condition, on_delete=models.PROTECT, related_name="assignments")
    location = models.CharField(_("location"), max_length=16, choices=Condition.Location.choices)
    randomised = models.BooleanField(_("drawn at random"))
    fixed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    seed = models.BigIntegerField(_("seed"), null=True)
    block = models.PositiveIntegerField(_("block"), null=True)
    position = models.PositiveSmallIntegerField(_("position in the block"), null=True)
    drawn_from = ArrayField(models.CharField(max_length=16), verbose_name=_("order of the block"), default=list)
    content = models.ForeignKey(Content, on_delete=models.PROTECT, null=True, related_name="+")
    baseline_form = models.ForeignKey(AssessmentForm, on_delete=models.PROTECT, null=True, related_name="+")
    final_form = models.ForeignKey(AssessmentForm, on_delete=models.PROTECT, null=True, related_name="+")
    question_set = models.ForeignKey(QuestionSet, on_delete=models.PROTECT, null=True, related_name="+")
    survey = models.ForeignKey(SurveyForm, on_delete=models.PROTECT, null=True, related_name="+")
    assigned_at = models.DateTimeField(_("assigned"), default=timezone.now)

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        constraints = [
            models.UniqueConstraint(
                fields=["study", "location", "block", "position"], name="assignment_place", condition=Q(randomised=True)
            ),
            models.CheckConstraint(
                name="assignment_random_or_fixed",
                condition=Q(
                    randomised=True, seed__isnull=False, block__isnull=False, position__isnull=False, fixed_by=None
                )
                | Q(randomised=False, seed=None, block=None, position=None, drawn_from__len=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.condition_id}"


class PriorKnowledge(TimeOrderedModel):
    """Three answers from 1 to 5 about what the student knew before; their mean is the `prior_knowledge_score`."""

    PERSONAL = ("student_session", "answer_1", "answer_2", "answer_3", "score")
    NOT_PERSONAL = ("answered_at",)

    student_session = models.OneToOneField(StudentSession, on_delete=models.CASCADE, related_name="prior_knowledge")
    answer_1 = models.PositiveSmallIntegerField(_("first answer"))
    answer_2 = models.PositiveSmallIntegerField(_("second answer"))
    answer_3 = models.PositiveSmallIntegerField(_("third answer"))
    score = models.GeneratedField(
        expression=(F("answer_1") + F("answer_2") + F("answer_3")) / 3.0,
        output_field=models.FloatField(),
        db_persist=True,
    )
    answered_at = models.DateTimeField(_("answered"), default=timezone.now)

    class Meta:
        verbose_name = _("prior knowledge")
        verbose_name_plural = _("prior knowledge")
        constraints = [
            models.CheckConstraint(
                name="prior_knowledge_range",
                condition=Q(answer_1__range=(1, 5), answer_2__range=(1, 5), answer_3__range=(1, 5)),
            )
        ]
        triggers = consented("answer_1", "answer_2", "answer_3")

    def __str__(self) -> str:
        return f"{self.answer_1} {self.answer_2} {self.answer_3}"


class LocationVerification(TimeOrderedModel):
    """Whether the student was where the condition says; the newest of `attempts`.

    What was compared with is kept beside the outcome, since a site may be moved later. Coordinates are there only with
    the student's consent to `location`. `reason` says more of an outcome that is not `verified`. `settled_at` is when
    the student went on with the outcome; until then they may try again.
    """

    PERSONAL = ("student_session", "latitude", "longitude", "accuracy_m", "distance_m", "device_type", "os", "browser",
                "user_agent")  # fmt: skip
    NOT_PERSONAL = (
        "location", "site", "site_name", "site_address", "site_latitude", "site_longitude", "radius_m", "outcome",
        "reason", "confidence", "attempts", "position_at", "verified_at", "settled_at", "created_at",
    )  # fmt: skip

    class Outcome(models.TextChoices):
        VERIFIED = "verified", _("verified")
        LOW_ACCURACY = "low_accuracy", _("low accuracy")
        OUTSIDE = "outside", _("outside")
        REFUSED = "refused", _("refused")
        NOT_ASKED = "not_asked", _("not asked")

    class Reason(models.TextChoices):
        NONE = "", _("none")
        DENIED = "denied", _("the student or the device refused")
        UNAVAILABLE = "unavailable", _("the device found no position")
        TIMEOUT = "timeout", _("the device took too long")
        IMPRECISE = "imprecise", _("the circle of uncertainty does not lie within the site")
        IMPLAUSIBLE = "implausible", _("the position is not a plausible one")
        STALE = "stale", _("the position is not of now")
        NO_SITE = "no_site", _("the study has no site for this location")

    class Confidence(models.TextChoices):
        HIGH = "high", _("high")
        MEDIUM = "medium", _("medium")
        LOW = "low", _("low")

    student_session = models.OneToOneField(
        StudentSession, on_delete=models.CASCADE, related_name="location_verification"
    )
    location = models.CharField(_("location"), max_length=16, choices=Condition.Location.choices)
    site = models.ForeignKey(Site, on_delete=models.SET_NULL, null=True, related_name="+")
    site_name = models.CharField(_("site"), max_length=200, blank=True)
    site_address = models.CharField(_("address"), max_length=300, blank=True)
    site_latitude = models.DecimalField(max_digits=9, decimal_places=6, null=True)
    site_longitude = models.DecimalField(max_digits=9, decimal_places=6, null=True)
    radius_m = models.PositiveIntegerField(_("radius in metres"), null=True)
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome.choices)
    reason = models.CharField(_("reason"), max_length=16, choices=Reason.choices, blank=True)
    confidence = models.CharField(_("confidence"), max_length=8, choices=Confidence.choices, blank=True)
    latitude = models.DecimalField(max_digits=9, decimal_places=6, null=True)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, null=True)
    accuracy_m = models.FloatField(_("accuracy in metres"), null=True)
    distance_m = models.FloatField(_("distance in metres"), null=True)
    position_at = models.DateTimeField(_("time of the position on the device"), null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=1)
    device_type = models.CharField(_("device"), max_length=16, blank=True)
    os = models.CharField(_("operating system"), max_length=64, blank=True)
    browser = models.CharField(_("browser"), max_length=64, blank=True)
    user_agent = models.CharField(_("user agent"), max_length=400, blank=True)
    verified_at = models.DateTimeField(_("checked"), default=timezone.now)
    settled_at = models.DateTimeField(_("settled"), null=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("location verification")
        verbose_name_plural = _("location verifications")
        constraints = [
            models.CheckConstraint(
                name="verification_verified_by_position",
                condition=~Q(outcome="verified")
                | Q(
                    distance_m__isnull=False,
                    radius_m__isnull=False,
                    distance_m__lte=F("radius_m"),
                    latitude__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="verification_position_on_earth",
                condition=Q(latitude=None, longitude=None, distance_m=None)
                | Q(
                    latitude__isnull=False,
                    longitude__isnull=False,
                    latitude__range=(-90, 90),
                    longitude__range=(-180, 180),
                ),
            ),
            models.CheckConstraint(
                name="verification_not_negative",
                condition=(Q(accuracy_m=None) | Q(accuracy_m__gte=0)) & (Q(distance_m=None) | Q(distance_m__gte=0)),
            ),
        ]
        triggers = [
            *consented("outcome"),
            *consented("latitude", purpose=Consent.Purpose.LOCATION, only_if="record.latitude IS NOT NULL"),
        ]

    def __str__(self) -> str:
        return self.get_outcome_display()


_ENGAGEMENT = Q(engagement=None) | Q(engagement__range=(0, 1))


class ContentDelivery(TimeOrderedModel):
    """How the content was met: what was chosen, and the sums of its segments (`study.delivery`), times in seconds."""

    PERSONAL = ("student_session", "engagement")
    NOT_PERSONAL = (
        "content", "format_chosen", "playback_speed", "captions_enabled", "language", "started_at", "ended_at",
        "play_seconds", "elapsed_seconds", "pause_count", "rewind_count", "segments_completed", "completion",
        "updated_at",
    )  # fmt: skip

    student_session = models.OneToOneField(StudentSession, on_delete=models.CASCADE, related_name="content_delivery")
    content = models.ForeignKey(Content, on_delete=models.PROTECT, related_name="deliveries")
    format_chosen = models.CharField(_("format"), max_length=8, choices=Segment.Kind.choices)
    playback_speed = models.DecimalField(_("speed"), max_digits=3, decimal_places=2, default=1)
    captions_enabled = models.BooleanField(_("captions"), default=True)
    language = models.CharField(_("language"), max_length=16, default="en-US")
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True)
    play_seconds = models.FloatField(_("play time"), default=0)
    elapsed_seconds = models.FloatField(_("elapsed time"), default=0)
    pause_count = models.PositiveIntegerField(_("pauses"), default=0)
    rewind_count = models.PositiveIntegerField(_("rewinds"), default=0)
    segments_completed = models.PositiveSmallIntegerField(_("segments completed"), default=0)
    completion = models.FloatField(_("completion in %"), default=0)
    engagement = models.FloatField(_("engagement"), null=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("content delivery")
        verbose_name_plural = _("content deliveries")
        constraints = [
            models.CheckConstraint(
                name="delivery_times_in_order", condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at"))
            ),
            models.CheckConstraint(
                name="delivery_ranges",
                condition=Q(
                    play_seconds__gte=0, elapsed_seconds__gte=0, completion__range=(0, 100),
                    playback_speed__range=("0.25", "4"),
                )
                & _ENGAGEMENT,
            ),
        ]  # fmt: skip
        triggers = consented("play_seconds", "ended_at")

    def __str__(self) -> str:
        return f"{self.completion:.0f} %"


class SegmentDelivery(TimeOrderedModel):
    """One segment as it was met. `played_share` (0 to 1) is how much of it was covered; `ended_at` None: not done."""

    PERSONAL = ("delivery", "engagement")
    NOT_PERSONAL = (
        "segment", "number", "started_at", "ended_at", "play_seconds", "attended_seconds", "elapsed_seconds",
        "pause_count", "rewind_count", "played_share", "completed",
    )  # fmt: skip

    delivery = models.ForeignKey(ContentDelivery, on_delete=models.CASCADE, related_name="segments")
    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, related_name="deliveries")
    number = models.PositiveSmallIntegerField(_("number"))
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"), null=True)
    play_seconds = models.FloatField(_("play time"), default=0)
    attended_seconds = models.FloatField(_("play time with the page in front"), default=0)
    elapsed_seconds = models.FloatField(_("elapsed time"), default=0)
    pause_count = models.PositiveIntegerField(_("pauses"), default=0)
    rewind_count = models.PositiveIntegerField(_("rewinds"), default=0)
    played_share = models.FloatField(_("share covered"), default=0)
    completed = models.BooleanField(_("completed"), default=False)
    engagement = models.FloatField(_("engagement"), null=True)

    class Meta:
        ordering = ("delivery", "number")
        verbose_name = _("segment as delivered")
        verbose_name_plural = _("segments as delivered")
        constraints = [
            models.UniqueConstraint(fields=["delivery", "segment"], name="segment_delivery_once"),
            models.CheckConstraint(
                name="segment_delivery_times_in_order", condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at"))
            ),
            models.CheckConstraint(
                name="segment_delivery_ranges",
                condition=Q(
                    play_seconds__gte=0, attended_seconds__gte=0, elapsed_seconds__gte=0, played_share__range=(0, 1)
                )
                & _ENGAGEMENT,
            ),
        ]
        triggers = consented(
            "play_seconds",
            student_session="d.student_session_id",
            join="JOIN sessions_app_contentdelivery d ON d.id = record.delivery_id",
        )

    def __str__(self) -> str:
        return f"{self.number}"


class MovedOn(TimeOrderedModel):
    """The teacher let a student go on past a step that was not finished. `number`: of the segment, else 0."""

    PERSONAL = ("student_session", "by")
    NOT_PERSONAL = ("step", "number", "at")

    student_session = models.ForeignKey(StudentSession, on_delete=models.CASCADE, related_name="moves_on")
    step = models.CharField(_("step"), max_length=16)
    number = models.PositiveSmallIntegerField(_("number"), default=0)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        verbose_name = _("step moved on from")
        verbose_name_plural = _("steps moved on from")
        constraints = [
            models.UniqueConstraint(fields=["student_session", "step", "number"], name="moved_on_once"),
        ]

    def __str__(self) -> str:
        return self.step


class QualityFlag(TimeOrderedModel):
    """What a researcher should know of a run before using it. `about` names the part, such as `segment 2`."""

    PERSONAL = ("student_session",)
    NOT_PERSONAL = ("code", "about", "raised_at")

    class Code(models.TextChoices):
        SEGMENT_TOO_FAST = "segment_too_fast", _("a segment ended sooner than it can be played")
        ANSWERS_TOO_FAST = "answers_too_fast", _("answers came sooner than anybody can think")
        LOCATION_NOT_VERIFIED = "location_not_verified", _("the place is not verified")
        POSITION_IMPLAUSIBLE = "position_implausible", _("the reported position is not plausible")
        CLOCK_OFF = "clock_off", _("the device's clock is off by more than an hour")
        GAP = "gap", _("nothing happened for more than five minutes")
        STRAIGHT_LINING = "straight_lining", _("all ratings, or all choices, are the same")
        INTERVENTION_ABANDONED = "intervention_abandoned", _("an intervention was left unfinished")
        INTERVENTION_MISSING = "intervention_missing", _("fewer interventions than the condition has")
        QUESTIONER_FELL_BACK = "questioner_fell_back", _("a question was made by the rules instead of the model")
        MOVED_ON = "moved_on", _("the teacher moved the student on")

    student_session = models.ForeignKey(StudentSession, on_delete=models.CASCADE, related_name="quality_flags")
    code = models.CharField(_("code"), max_length=32, choices=Code.choices)
    about = models.CharField(_("about"), max_length=40, blank=True)
    raised_at = models.DateTimeField(_("raised"), default=timezone.now)

    class Meta:
        ordering = ("id",)
        verbose_name = _("data-quality flag")
        verbose_name_plural = _("data-quality flags")
        constraints = [
            models.UniqueConstraint(fields=["student_session", "code", "about"], name="quality_flag_once"),
        ]

    def __str__(self) -> str:
        return self.code
