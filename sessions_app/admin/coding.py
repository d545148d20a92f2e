"""Texts that are analysed and the codes that people gave them, to be read. They are worked on in the analyses.

Texts may come from several schools: for administrators of the whole installation.
"""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from sessions_app.admin.scope import ReadOnlyAdmin, ReadOnlyInline, Section
from sessions_app.models import Code, Coding, Corpus, CorpusText


class TextsOfCorpus(ReadOnlyInline):
    model = CorpusText
    school_path = None
    fields = ("number", "name", "bytes", "encoding", "encoding_assumed")
    show_change_link = True


@admin.register(Corpus)
class CorpusAdmin(ReadOnlyAdmin):
    section = Section.RESEARCH
    school_path = None
    shows_students = True
    list_display = ("name", "kind", "owner", "study", "left_out", "is_simulated", "created_at")
    list_filter = ("kind", "is_simulated", "study")
    list_select_related = ("owner", "study")
    search_fields = ("name", "owner__username")
    inlines = (TextsOfCorpus,)


@admin.register(CorpusText)
class CorpusTextAdmin(ReadOnlyAdmin):
    section = Section.RESEARCH
    school_path = None
    shows_students = True
    list_display = ("name", "corpus", "number", "bytes", "encoding")
    list_select_related = ("corpus",)
    search_fields = ("name", "corpus__name")
    ordering = ("-id",)


@admin.register(Code)
class CodeAdmin(ReadOnlyAdmin):
    section = Section.RESEARCH
    school_path = None
    list_display = ("name", "corpus", "made_by", "merged_into", "split_from", "created_at")
    list_select_related = ("corpus", "made_by", "merged_into", "split_from")
    search_fields = ("name", "corpus__name")
    ordering = ("-id",)


@admin.register(Coding)
class CodingAdmin(ReadOnlyAdmin):
    section = Section.RESEARCH
    school_path = None
    list_display = ("passage", "code", "coder", "updated_at")
    list_select_related = ("text", "code", "coder")
    search_fields = ("text__name", "code__name")
    ordering = ("-id",)

    @admin.display(description=_("passage"))
    def passage(self, coding: Coding) -> str:
        return f"{coding.text}: {coding.start}–{coding.end}"
