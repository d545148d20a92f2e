"""One student reading aloud: the reading, its sound as it came in, and the words that were heard.

The record of the words are the transcripts: alignment, miscues, windows and the summary are computed of them
(`models.reading_results`). Sound is kept in Postgres only until the reading is through, so that what was acknowledged
can be transcribed also after a crash; beyond that it stays in `STORAGES["audio"]`, and only where a consent says so.
"""

from collections.abc import Sequence

import pgtrigger
from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.models.consented import consented
from sessions_app.models.identity import TimeOrderedModel
from sessions_app.models.passage import Passage
from sessions_app.models.people import Consent, School
from sessions_app.models.session import StudentSession

_READING = "JOIN sessions_app_reading reading ON reading.id = {row}.reading_id"


def heard(*captured: str, row: str = "record", join: str = "") -> Sequence[pgtrigger.Trigger]:
    """The check of the consent to the voice, for rows of a reading: `row`, reached by `join`, has its id."""
    return consented(
        *captured,
        purpose=Consent.Purpose.AUDIO,
        student_session="reading.student_session_id",
        join=f"{join} {_READING.format(row=row)}",
    )


def audio_storage() -> Storage:
    """Where kept sound lies; a setting of the deployment."""
    return storages["audio"]


class Reading(TimeOrderedModel):
    """One student reading one passage (or, without one, speaking freely) in one session.

    `held_by` is the process that listens to it now, until `held_until`: what another one writes is refused, so that a
    reading that went on elsewhere has one writer. `heard_seconds` is how far its sound has been turned into words.
    """

    PERSONAL = ("student_session",)
    NOT_PERSONAL = (
        "school", "passage", "engine", "state", "end_reason", "started_at", "ended_at", "audio_seconds",
        "heard_seconds", "position", "held_by", "held_until", "settled_at", "is_simulated", "created_at", "updated_at",
    )  # fmt: skip

    class State(models.TextChoices):
        OPEN = "open", _("going on")
        ENDED = "ended", _("ended")

    class EndReason(models.TextChoices):
        FINISHED = "finished", _("finished by the student")
        SESSION_OVER = "session_over", _("the session ended")
        STOPPED = "stopped", _("the student left, or took the consent back")

    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="+")
    student_session = models.ForeignKey(
        StudentSession, verbose_name=_("student's session"), on_delete=models.CASCADE, related_name="readings"
    )
    passage = models.ForeignKey(
        Passage, verbose_name=_("passage"), on_delete=models.PROTECT, null=True, blank=True, related_name="readings"
    )
    engine = models.CharField(_("engine"), max_length=64, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.OPEN)
    end_reason = models.CharField(_("how it ended"), max_length=16, choices=EndReason.choices, blank=True)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    audio_seconds = models.FloatField(_("sound, s"), default=0)
    heard_seconds = models.FloatField(_("heard, s"), default=0)
    position = models.PositiveIntegerField(_("passage words reached"), default=0)
    held_by = models.UUIDField(null=True, editable=False)
    held_until = models.DateTimeField(null=True, editable=False)
    settled_at = models.DateTimeField(_("computed"), null=True, editable=False)
    is_simulated = models.BooleanField(_("simulated"), default=False, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        ordering = ("id",)
        verbose_name = _("reading")
        verbose_name_plural = _("readings")
        indexes = [
            models.Index(fields=["passage"], name="reading_of_passage"),
            models.Index(fields=["updated_at"], name="reading_unsettled", condition=Q(settled_at=None)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["student_session", "passage"], name="reading_once", nulls_distinct=False),
            models.CheckConstraint(
                name="reading_times_fit_state",
                condition=Q(state="open", ended_at=None, end_reason="")
                | (Q(state="ended", ended_at__gte=F("started_at")) & ~Q(end_reason="")),
            ),
            models.CheckConstraint(
                name="reading_heard_what_came_in",
                condition=Q(heard_seconds__gte=0, audio_seconds__gte=0),
            ),
        ]
        triggers = consented(purpose=Consent.Purpose.AUDIO)

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"


class AudioStream(TimeOrderedModel):
    """What one recorder sent: a page that is loaded again, or a microphone that is changed, is a new stream.

    All chunks below `received` are in. `chunks` is how many there are, once the recorder has said so. Where the sound
    is kept, `kept` is the recorder's own bytes as a file, and `delete_on` the day on which it is deleted.
    """

    PERSONAL = ("kept",)
    NOT_PERSONAL = ("reading", "number", "codec", "opened_at", "received", "chunks", "bytes", "starts", "seconds",
                    "delete_on", "deleted_at")  # fmt: skip

    class Codec(models.TextChoices):
        WEBM = "webm", "WebM/Opus"
        PCM = "pcm", "PCM"

    reading = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="streams")
    number = models.PositiveIntegerField(_("number"))
    codec = models.CharField(_("format"), max_length=8, choices=Codec.choices)
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    received = models.PositiveIntegerField(_("chunks received without a gap"), default=0)
    chunks = models.PositiveIntegerField(_("chunks recorded"), null=True)
    bytes = models.PositiveBigIntegerField(_("bytes"), default=0)
    starts = models.FloatField(_("starts at, s of the reading"), null=True)
    seconds = models.FloatField(_("sound, s"), default=0)
    kept = models.FileField(_("kept sound"), storage=audio_storage, max_length=200, blank=True)
    delete_on = models.DateField(_("deleted on"), null=True, blank=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)

    class Meta:
        ordering = ("reading", "number")
        verbose_name = _("recording")
        verbose_name_plural = _("recordings")
        constraints = [
            models.UniqueConstraint(fields=["reading", "number"], name="audio_stream_once"),
            models.CheckConstraint(
                name="audio_stream_kept_has_a_day",
                condition=Q(kept="") | Q(delete_on__isnull=False),
                violation_error_message=_("Kept sound has a day on which it is deleted."),
            ),
        ]
        indexes = [models.Index(fields=["delete_on"], name="audio_stream_kept", condition=~Q(kept=""))]
        triggers = heard()

    def __str__(self) -> str:
        return f"{self.number}"


class AudioChunk(TimeOrderedModel):
    """One chunk of a stream: when it came, how long it is, or that it never came (`lost`).

    `data` is the recorder's bytes until the reading is through. The key is made of the chunk's place (session, moment,
    number), so that a mirrored item tells whose it is.
    """

    PERSONAL = ("data",)
    NOT_PERSONAL = ("stream", "number", "bytes", "starts", "seconds", "received_at", "lost")

    stream = models.ForeignKey(AudioStream, on_delete=models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField(_("number"))
    bytes = models.PositiveIntegerField(_("bytes"))
    starts = models.FloatField(_("starts at, s of the reading"), null=True)
    seconds = models.FloatField(_("duration, s"), null=True)
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    lost = models.BooleanField(_("never came"), default=False)
    data = models.BinaryField(null=True, editable=False)

    class Meta:
        ordering = ("stream", "number")
        verbose_name = _("chunk of sound")
        verbose_name_plural = _("chunks of sound")
        constraints = [
            models.UniqueConstraint(fields=["stream", "number"], name="audio_chunk_once"),
            models.CheckConstraint(name="audio_chunk_lost_is_empty", condition=Q(lost=False) | Q(bytes=0, data=None)),
        ]
        triggers = heard(row="stream", join="JOIN sessions_app_audiostream stream ON stream.id = record.stream_id")

    def __str__(self) -> str:
        return f"{self.number}"


class Transcript(TimeOrderedModel):
    """Words of one stretch of sound, as the engine settled on them. Append-only.

    `words` is a list of `[word, start, end, confidence]`, times in seconds of the reading's sound; a confidence is
    from 0 to 1, or null where the engine gives none.
    """

    PERSONAL = ("text", "words")
    NOT_PERSONAL = ("reading", "number", "starts", "ends", "confidence", "engine", "created_at")

    reading = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="transcripts")
    number = models.PositiveIntegerField(_("number"))
    starts = models.FloatField(_("from, s"))
    ends = models.FloatField(_("until, s"))
    text = models.TextField(_("text"))
    words = models.JSONField(_("words"))
    confidence = models.FloatField(_("mean confidence"), null=True)
    engine = models.CharField(_("engine"), max_length=64)
    created_at = models.DateTimeField(_("heard"), default=timezone.now)

    class Meta:
        ordering = ("reading", "number")
        verbose_name = _("transcript")
        verbose_name_plural = _("transcripts")
        constraints = [
            models.UniqueConstraint(fields=["reading", "number"], name="transcript_once"),
            models.CheckConstraint(name="transcript_in_order", condition=Q(ends__gte=F("starts"), starts__gte=0)),
        ]
        triggers = heard()

    def __str__(self) -> str:
        return f"{self.number}"
