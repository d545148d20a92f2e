"""Passages to read and prompts to say: the list, one of them, a new one, and texts from files."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sessions_app import access
from sessions_app.models import LiveSession, Passage, User
from sessions_app.reading import passages, readability
from sessions_app.refusals import Refused
from sessions_app.views.desk import DeskRequest, at_desk

MOST_FILES = 20
FIELD_OF = {"title_missing": "title"}


class PassageForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    class Meta:
        model = Passage
        fields = ("title", "kind", "grade", "text")
        widgets = {"text": forms.Textarea(attrs={"rows": 14, "lang": "en"})}
        help_texts = {"text": gettext_lazy("A blank line parts paragraphs. Of prompts, each line is one.")}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk and not self.instance._state.adding:
            del self.fields["kind"]
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"


class Files(forms.FileField):
    """Several files in one field."""

    def __init__(self, **options: Any) -> None:
        widget = forms.ClearableFileInput(attrs={"accept": ".txt,text/plain", "class": "input"})
        widget.allow_multiple_selected = True
        widget.attrs["multiple"] = True
        super().__init__(widget=widget, **options)

    def clean(self, data: Any, initial: Any = None) -> Any:
        return [super(Files, self).clean(one, initial) for one in data or [None]]


class ImportForm(forms.Form):
    """Text files, one passage each."""

    texts = Files(
        label=gettext_lazy("Text files"),
        help_text=gettext_lazy("One passage in each. A first line with a blank one after it is the title."),
    )
    grade = forms.IntegerField(
        label=gettext_lazy("Grade level of all of them"), min_value=0, max_value=12, required=False
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["grade"].widget.attrs["class"] = "input"

    def clean_texts(self) -> list[Any]:
        files: list[Any] = self.cleaned_data["texts"]
        if len(files) > MOST_FILES:
            raise forms.ValidationError(_("At most %(most)s files at a time.") % {"most": MOST_FILES})
        return files


@require_safe
@at_desk
def passage_list(request: DeskRequest) -> HttpResponse:
    """What can be read aloud or said at the school; what was put away by ?archived=1."""
    user = _reader(request)
    archived = request.GET.get("archived") == "1"
    newest = access.passages(user).filter(superseded_at=None, archived_at__isnull=not archived)
    found = newest.annotate(sessions_of=_sessions()).order_by("kind", "title")
    away = access.passages(user).filter(superseded_at=None, archived_at__isnull=False).count()
    context = {"passages": found, "archived": archived, "away": away, "here": "passages"}
    return render(request, "teach/passages.html", context)


@require_http_methods(["GET", "POST"])
@at_desk
def passage_new(request: DeskRequest) -> HttpResponse:
    """A new passage of the user's school, or, by an administrator of the whole installation, of all schools."""
    user = _reader(request)
    form = PassageForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made = passages.passage_make(by=user, school=user.school, **form.cleaned_data)
        except Refused as refused:
            form.add_error(FIELD_OF.get(refused.code, "text"), refused.message)
        else:
            return redirect("teach_passage", made.pk)
    context = {"form": form, "here": "passages"}
    return render(request, "teach/passage_new.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@at_desk
def passage_import(request: DeskRequest) -> HttpResponse:
    """Passages from text files. Each file is looked at by itself: a bad one does not keep the others out."""
    user = _reader(request)
    form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    if form.is_valid():
        made = 0
        for file in form.cleaned_data["texts"]:
            try:
                found = passages.file_read(file.read(), name=file.name or "")
                passages.passage_make(
                    by=user, school=user.school, title=found.title, text=found.text, grade=form.cleaned_data["grade"]
                )
            except Refused as refused:
                form.add_error("texts", f"{file.name}: {refused.message}")
            else:
                made += 1
        if made:
            said = ngettext("%d passage was imported.", "%d passages were imported.", made)
            messages.success(request, said % made)
        if not form.errors:
            return redirect("teach_passages")
    context = {"form": form, "here": "passages"}
    return render(request, "teach/passage_import.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@at_desk
def passage_detail(request: DeskRequest, passage_id: UUID) -> HttpResponse:
    """One version of a passage, with the form that changes it where it is the newest and the user may."""
    user = _reader(request)
    passage = access.passage(user, passage_id)
    mine = access.changeable_passages(user).filter(pk=passage.pk).exists()
    changeable = mine and passage.superseded_at is None
    form = PassageForm(request.POST if request.method == "POST" else None, instance=passage) if changeable else None
    if request.method == "POST":
        if form is None:
            raise access.Forbidden
        if form.is_valid():
            try:
                now = passages.passage_change(access.passage(user, passage_id), by=user, **form.cleaned_data)
            except Refused as refused:
                form.add_error(FIELD_OF.get(refused.code, "text"), refused.message)
            else:
                _say_what_changed(request, passage, now)
                return redirect("teach_passage", now.pk)
    context = {
        "passage": passage,
        "paragraphs": passage.text.split("\n\n" if passage.kind == Passage.Kind.PASSAGE else "\n"),
        "form": form,
        "mine": mine,
        "used": passages.is_used(passage),
        "versions": passages.versions(passage),
        "sessions": access.live_sessions(user)
        .filter(passage__lineage=passage.lineage)
        .exclude(status=LiveSession.Status.DRAFT)
        .select_related("school_class")[:10],
        "readability_how": {
            "id": "readability",
            "title": _("Readability"),
            "definition": _(
                "The Flesch-Kincaid grade level: 0.39 · words / sentences + 11.8 · syllables / words − 15.59. "
                "Not computed for fewer than %(least)s words, or for prompts."
            )
            % {"least": readability.LEAST_WORDS},
        },
        "here": "passages",
    }
    return render(request, "teach/passage.html", context, status=400 if form is not None and form.errors else 200)


@require_POST
@at_desk
def passage_archive(request: DeskRequest, passage_id: UUID) -> HttpResponse:
    """Put a passage away, or take it out again (archived=0)."""
    user = _reader(request)
    passage = access.changeable_passages(user).filter(pk=passage_id).first()
    if passage is None:
        raise access.Hidden
    archived = request.POST.get("archived", "1") == "1"
    passages.passage_archive(passage, archived=archived)
    messages.success(request, _("It is put away.") if archived else _("It is offered again."))
    return redirect("teach_passages")


def _say_what_changed(request: DeskRequest, before: Passage, now: Passage) -> None:
    if now.pk == before.pk:
        messages.success(request, _("The passage is changed."))
    else:
        said = _("This is version %(version)s. What was read stays as it was read.")
        messages.success(request, said % {"version": now.version})


def _reader(request: DeskRequest) -> User:
    return access.require_role(request.user, User.Role.TEACHER, User.Role.ADMINISTRATOR)


def _sessions() -> Count:
    return Count("sessions", filter=~Q(sessions__status=LiveSession.Status.DRAFT), distinct=True)
