"""What is read aloud, and what was heard. Passages are written on their own pages, where they are checked on saving."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from sessions_app.admin.scope import ReadOnlyAdmin, ReadOnlyInline, Section, administers, administers_all
from sessions_app.models import (
    AudioChunk,
    AudioStream,
    BatchMetrics,
    HelpEvent,
    Miscue,
    Passage,
    Reading,
    SessionSummary,
    SpokenResult,
    Transcript,
)


@admin.register(Passage)
class PassageAdmin(ReadOnlyAdmin):
    """Every version of the school's passages, and of those that all schools share."""

    section = Section.SESSIONS
    list_display = ("title", "version", "kind", "grade", "words", "readability", "language_model", "superseded_at")
    list_filter = ("kind", "language_model", "grade")
    search_fields = ("title",)
    fields = (
        "title", "version", "kind", "school", "grade", "language", "words", "readability", "unknown_words",
        "language_model", "text", "made_by", "superseded_at", "archived_at", "created_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Passage]:
        rows = Passage.objects.select_related("school", "made_by")
        if administers_all(request):
            return rows
        school = request.user.school_id  # type: ignore[union-attr]
        return rows.filter(Q(school=school) | Q(school=None)) if administers(request) else rows.none()


class OfReading(ReadOnlyInline):
    school_path = "reading__school"


class StreamsOfReading(OfReading):
    model = AudioStream
    fields = ("number", "codec", "received", "chunks", "bytes", "seconds", "delete_on", "deleted_at")


class TranscriptsOfReading(OfReading):
    model = Transcript
    fields = ("number", "starts", "ends", "text", "confidence", "engine")


class MinutesOfReading(OfReading):
    model = BatchMetrics
    fields = ("number", "words", "wpm", "wcpm", "omissions", "insertions", "substitutions", "confidence")


class MiscuesOfReading(OfReading):
    model = Miscue
    fields = ("index", "expected", "heard", "type", "confidence", "decision", "corrected_type", "reason", "decided_by")


class HelpOfReading(OfReading):
    model = HelpEvent
    fields = ("at", "word", "reason", "text", "author", "voice", "played_at", "dismissed_at")


class SpokenResultOfReading(OfReading):
    model = SpokenResult
    fields = ("words", "seconds", "wpm", "fluency", "pronunciation")


@admin.register(Reading)
class ReadingAdmin(ReadOnlyAdmin):
    section = Section.SESSIONS
    shows_students = True
    list_display = ("student_session", "passage", "engine", "state", "audio_seconds", "heard_seconds", "started_at")
    list_filter = ("state", "end_reason", "is_simulated")
    list_select_related = ("student_session", "passage")
    search_fields = ("student_session__label", "passage__title")
    inlines = (
        StreamsOfReading, TranscriptsOfReading, MinutesOfReading, MiscuesOfReading, HelpOfReading,
        SpokenResultOfReading,
    )  # fmt: skip


@admin.register(SessionSummary)
class SessionSummaryAdmin(ReadOnlyAdmin):
    section = Section.SESSIONS
    school_path = "student_session__school"
    shows_students = True
    list_display = ("student_session", "words", "wcpm", "accuracy", "grade_level", "decided", "agreed", "updated_at")
    list_filter = ("grade_level",)
    list_select_related = ("student_session",)
    search_fields = ("student_session__label",)


@admin.register(AudioChunk)
class AudioChunkAdmin(ReadOnlyAdmin):
    """What came in of sound, chunk by chunk; never the sound itself."""

    section = Section.WATCH
    school_path = "stream__reading__school"
    list_display = ("stream", "number", "bytes", "starts", "seconds", "lost", "received_at")
    list_filter = ("lost",)
    list_select_related = ("stream",)
    search_fields = ("stream__reading__id",)
    fields = list_display
