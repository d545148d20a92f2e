"""What still has to be written to DynamoDB, what could not be, and how the writing goes."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class ItemKind(models.TextChoices):
    """The kinds of items that are mirrored; `analytics_app.mirror.kinds` declares what each of them is."""

    STUDENT_PROFILE = "student_profile", _("student profile")
    SESSION = "session", _("session of a study")
    LOCATION_VERIFICATION = "location_verification", _("location verification")
    CONTENT_DELIVERY = "content_delivery", _("content delivery")
    INTERVENTIONS = "interventions", _("interventions of a session")
    ASSESSMENTS = "assessments", _("assessments of a session")
    POST_SURVEY = "post_survey", _("survey")
    CONDITION_STATISTICS = "condition_statistics", _("statistics of a condition")
    READING_SESSION = "reading_session", _("speaking session")
    AUDIO_CHUNK = "audio_chunk", _("chunk of sound")
    TRANSCRIPT = "transcript", _("transcript")
    HELP = "help", _("help")
    BATCH_METRICS = "batch_metrics", _("minute of a reading")
    READING_SUMMARY = "reading_summary", _("summary of a speaking session")
    ANALYSIS = "analysis", _("qualitative analysis")


MARK_AGAIN = """
    ON CONFLICT (kind, entity_id) DO UPDATE SET
        version = o.version + 1,
        marked_at = coalesce(o.marked_at, now()),
        next_attempt_at = CASE WHEN o.marked_at IS NULL THEN now() ELSE o.next_attempt_at END
"""
"""How an item that is already in the outbox (`AS o`) is marked: a time of waiting after a failure goes on."""
MARK_KEYS_AGAIN = f"""{MARK_AGAIN.rstrip()},
        former_keys = ARRAY(SELECT DISTINCT unnest(o.former_keys || excluded.former_keys))
"""
"""The same for items whose keys change: the keys that they had are added to those noted before."""


class OutboxItem(models.Model):
    """One item whose newest state is not yet known to be in DynamoDB. Marked by the triggers of `models.marks`.

    `version` is raised by each change, so that a change made during a write keeps the row. `marked_at` is the first
    change that may be missing in DynamoDB; null where none is. `unsure_until` is set after a write whose fate is
    unknown: it may still arrive and undo a later one, so the item is written once more after that moment.

    `former_keys` are the keys (both parts, with a space between) under which items of the entity stood before a change
    or a deletion; where nothing stands there now, what is left there goes.
    """

    PERSONAL = ("entity_id", "former_keys")
    NOT_PERSONAL = (
        "id", "kind", "version", "marked_at", "attempts", "next_attempt_at", "lease_id", "leased_until", "unsure_until",
        "last_error",
    )  # fmt: skip

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(_("kind"), max_length=32, choices=ItemKind.choices)
    entity_id = models.UUIDField(_("of"))
    version = models.BigIntegerField(_("version"), db_default=1)
    marked_at = models.DateTimeField(_("changed"), db_default=Now(), null=True)
    attempts = models.PositiveIntegerField(_("failed attempts"), db_default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), db_default=Now())
    lease_id = models.UUIDField(null=True, editable=False)
    leased_until = models.DateTimeField(_("being written until"), null=True)
    unsure_until = models.DateTimeField(_("to be confirmed after"), null=True)
    last_error = models.CharField(_("last error"), max_length=80, db_default="")
    former_keys = ArrayField(models.TextField(), verbose_name=_("former keys"), db_default=[])

    class Meta:
        ordering = ("id",)
        verbose_name = _("item to be mirrored")
        verbose_name_plural = _("items to be mirrored")
        constraints = [models.UniqueConstraint(fields=["kind", "entity_id"], name="outbox_item_once")]
        indexes = [models.Index(fields=["next_attempt_at"], name="outbox_item_due")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.entity_id}"


class DeadLetter(models.Model):
    """An item that DynamoDB will not take, with the reason. It goes when the item has been written after all.

    `item` is what was to be written (items hold no names), or null where it could not be built.
    """

    PERSONAL = ("entity_id", "item")
    NOT_PERSONAL = ("id", "kind", "reason", "error_code", "attempts", "died_at", "requeued_at")

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(_("kind"), max_length=32, choices=ItemKind.choices)
    entity_id = models.UUIDField(_("of"))
    error_code = models.CharField(_("error"), max_length=80)
    reason = models.TextField(_("reason"))
    item = models.JSONField(_("item"), null=True)
    attempts = models.PositiveIntegerField(_("attempts"))
    died_at = models.DateTimeField(_("given up"), db_default=Now())
    requeued_at = models.DateTimeField(_("tried again"), null=True)

    class Meta:
        ordering = ("-died_at",)
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")
        constraints = [models.UniqueConstraint(fields=["kind", "entity_id"], name="dead_letter_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.error_code}"


class MirrorHour(models.Model):
    """Counts of one hour (UTC) of writing to DynamoDB.

    `batch_seconds` is time spent waiting for DynamoDB, `delay_seconds` the sum over written items of the time from the
    change in Postgres to its arrival; `longest_delay_seconds` the longest of those.
    """

    NOT_PERSONAL = (
        "id", "hour", "written", "deleted", "retried", "died", "batches", "batch_seconds", "delay_seconds",
        "longest_delay_seconds", "failed_passes",
    )  # fmt: skip

    id = models.BigAutoField(primary_key=True)
    hour = models.DateTimeField(_("hour"), unique=True)
    written = models.PositiveBigIntegerField(_("written"), default=0)
    deleted = models.PositiveBigIntegerField(_("deleted"), default=0)
    retried = models.PositiveBigIntegerField(_("to be tried again"), default=0)
    died = models.PositiveBigIntegerField(_("given up"), default=0)
    batches = models.PositiveBigIntegerField(_("batches"), default=0)
    batch_seconds = models.FloatField(_("seconds in batches"), default=0)
    delay_seconds = models.FloatField(_("seconds of delay"), default=0)
    longest_delay_seconds = models.FloatField(_("longest delay in seconds"), default=0)
    failed_passes = models.PositiveBigIntegerField(_("passes without DynamoDB"), default=0)

    class Meta:
        ordering = ("-hour",)
        verbose_name = _("hour of mirroring")
        verbose_name_plural = _("hours of mirroring")

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}:00"


class IndexUse(models.Model):
    """What an access pattern asked of a mirrored table on a day (UTC): queries (one for each page), and items found.

    `index` is empty where the table's own keys answer.
    """

    NOT_PERSONAL = ("id", "day", "table", "index", "pattern", "queries", "items")

    id = models.BigAutoField(primary_key=True)
    day = models.DateField(_("day"))
    table = models.CharField(_("table"), max_length=64)
    index = models.CharField(_("index"), max_length=16, blank=True)
    pattern = models.CharField(_("access pattern"), max_length=64)
    queries = models.PositiveBigIntegerField(_("queries"), default=0)
    items = models.PositiveBigIntegerField(_("items"), default=0)

    class Meta:
        ordering = ("-day", "table", "index", "pattern")
        verbose_name = _("use of an index")
        verbose_name_plural = _("use of indexes")
        constraints = [models.UniqueConstraint(fields=["day", "pattern"], name="index_use_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.pattern}"
