"""Texts that are analysed, and the codes that people give to their passages.

What a person uploads, and how a person codes it, is primary data: nothing can compute it again. What an engine makes
of the same texts is `analytics_app`'s, and can be thrown away.
"""

from typing import Final

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.models.identity import TimeOrderedModel
from sessions_app.models.people import Student, User
from sessions_app.models.session import StudentSession
from sessions_app.models.study import Study

LONGEST_TEXT: Final = 5_000_000
"""Characters of all texts of a corpus together."""


class Corpus(TimeOrderedModel):
    """The texts of one analysis: an upload, an object of S3, or what students of a study said.

    Its owner sees it, and, where it belongs to a study, every researcher of that study. One without an owner was
    brought in by a command. `location` is where the texts
    came from, as the tracking table names it.
    """

    PERSONAL = ("owner", "name", "location")
    NOT_PERSONAL = ("study", "kind", "left_out", "is_simulated", "created_at")

    class Kind(models.TextChoices):
        UPLOAD = "upload", _("upload")
        S3 = "s3", _("object of S3")
        SURVEY = "survey", _("open answers of the survey")
        INTERVENTIONS = "interventions", _("answers to the questions")
        TRANSCRIPTS = "transcripts", _("transcripts of reading aloud")

    owner = models.ForeignKey(
        User, verbose_name=_("owner"), on_delete=models.PROTECT, null=True, blank=True, related_name="corpora"
    )
    study = models.ForeignKey(
        Study, verbose_name=_("study"), on_delete=models.CASCADE, null=True, blank=True, related_name="corpora"
    )
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    name = models.CharField(_("name"), max_length=200)
    location = models.CharField(_("place"), max_length=1200, blank=True)
    left_out = models.PositiveIntegerField(_("students left out for want of consent"), default=0)
    is_simulated = models.BooleanField(_("simulated"), default=False, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("corpus")
        verbose_name_plural = _("corpora")
        constraints = [
            models.CheckConstraint(
                name="corpus_of_students_has_study",
                condition=Q(kind__in=("upload", "s3")) | Q(study__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CorpusText(TimeOrderedModel):
    """One text: a file, an interview, one student's answers. It goes with the student and the session it came from.

    `encoding` is that of the file, and `encoding_assumed` says that it was guessed.
    """

    PERSONAL = ("name", "text", "student_session", "student")
    NOT_PERSONAL = ("corpus", "number", "encoding", "encoding_assumed", "bytes")

    corpus = models.ForeignKey(Corpus, on_delete=models.CASCADE, related_name="texts")
    number = models.PositiveIntegerField(_("number"))
    name = models.CharField(_("name"), max_length=200)
    text = models.TextField(_("text"))
    student_session = models.ForeignKey(StudentSession, on_delete=models.CASCADE, null=True, related_name="+")
    student = models.ForeignKey(Student, on_delete=models.CASCADE, null=True, related_name="+")
    encoding = models.CharField(_("encoding"), max_length=40, blank=True)
    encoding_assumed = models.BooleanField(_("encoding guessed"), default=False)
    bytes = models.PositiveBigIntegerField(_("bytes"), default=0)

    class Meta:
        ordering = ("corpus", "number")
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        constraints = [
            models.UniqueConstraint(fields=["corpus", "number"], name="corpus_text_number"),
            models.CheckConstraint(name="corpus_text_not_empty", condition=~Q(text="")),
        ]

    def __str__(self) -> str:
        return self.name


class Code(TimeOrderedModel):
    """A name for what passages say. All coders of a corpus share its codes.

    `draft` is the pattern of an analysis that the code was taken from. A code that was merged stays, and points to the
    one that it is now part of; one that was split off points to where it came from.
    """

    PERSONAL = ("name", "note", "made_by")
    NOT_PERSONAL = ("corpus", "draft", "merged_into", "split_from", "created_at")

    corpus = models.ForeignKey(Corpus, on_delete=models.CASCADE, related_name="codes")
    name = models.CharField(_("name"), max_length=200)
    note = models.CharField(_("what belongs here"), max_length=1000, blank=True)
    draft = models.CharField(_("draft"), max_length=80, blank=True, editable=False)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged")
    split_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="split")
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        ordering = ("id",)
        verbose_name = _("code")
        verbose_name_plural = _("codes")
        constraints = [
            models.UniqueConstraint(
                fields=["corpus", "name"], name="code_name_in_corpus", condition=Q(merged_into=None)
            ),
            models.UniqueConstraint(fields=["corpus", "draft"], name="code_of_draft_once", condition=~Q(draft="")),
            models.CheckConstraint(name="code_not_into_itself", condition=~Q(merged_into=F("id"))),
        ]

    def __str__(self) -> str:
        return self.name


class Coding(TimeOrderedModel):
    """A coder's code for a passage: characters `start` to `end` of a text. One code per passage and coder."""

    PERSONAL = ("coder",)
    NOT_PERSONAL = ("text", "start", "end", "code", "created_at", "updated_at")

    text = models.ForeignKey(CorpusText, on_delete=models.CASCADE, related_name="codings")
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    code = models.ForeignKey(Code, verbose_name=_("code"), on_delete=models.CASCADE, related_name="codings")
    coder = models.ForeignKey(User, verbose_name=_("coder"), on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        ordering = ("text", "start")
        verbose_name = _("coding")
        verbose_name_plural = _("codings")
        constraints = [
            models.UniqueConstraint(fields=["coder", "text", "start", "end"], name="coding_once"),
            models.CheckConstraint(name="coding_has_length", condition=Q(end__gt=F("start"))),
        ]

    def __str__(self) -> str:
        return f"{self.start}–{self.end}"
