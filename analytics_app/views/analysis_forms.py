"""The three forms that bring texts in. Each knows how to make its corpus."""

from typing import Any, ClassVar

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from analytics_app.mirror.objects import ObjectError
from analytics_app.models import Analysis
from analytics_app.qualitative import texts
from analytics_app.qualitative.files import KINDS, Unreadable
from sessions_app import bedrock
from sessions_app.models import Corpus, Study, User

MOST_FILES = 200


class _RunForm(forms.Form):
    """What every run is asked for with."""

    KIND: ClassVar[str]
    MAIN: ClassVar[str]
    """The field beside which it is said that a text cannot be read."""

    name = forms.CharField(
        label=_("Name"), max_length=200, required=False, help_text=_("Unless given, that of the texts.")
    )
    engine = forms.ChoiceField(label=_("Engine"), choices=Analysis.Engine.choices, initial=Analysis.Engine.OFFLINE)
    seed = forms.IntegerField(
        label=_("Seed"), min_value=0, max_value=2**31 - 1, initial=1,
        help_text=_("The same texts and seed give the same patterns."),
    )  # fmt: skip

    def __init__(self, *args: Any, studies: QuerySet[Study], **kwargs: Any) -> None:
        kwargs.setdefault("prefix", self.KIND)
        super().__init__(*args, **kwargs)
        if not bedrock.is_configured():
            engine = self.fields["engine"]
            assert isinstance(engine, forms.ChoiceField)
            engine.choices = [choice for choice in Analysis.Engine.choices if choice[0] != Analysis.Engine.BEDROCK]
            engine.help_text = _("No language model is set up here.")
        if isinstance(chosen := self.fields.get("study"), forms.ModelChoiceField):
            chosen.queryset = studies
            chosen.choices = [
                *([("", chosen.empty_label)] if chosen.empty_label else []),
                *((study.pk, study.name) for study in studies),
            ]
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"

    def corpus(self, owner: User) -> Corpus:
        """The texts, brought in. Raises `Unreadable`."""
        raise NotImplementedError


class _OfNoStudyForm(_RunForm):
    study = forms.ModelChoiceField(
        Study.objects.none(), label=_("Study"), required=False, empty_label=_("none: for me alone"),
        help_text=_("With a study, its other researchers see the analysis and can code it too."),
    )  # fmt: skip


class SeveralFiles(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files at once."""

    widget = SeveralFiles

    def clean(self, data: Any, initial: Any = None) -> list["UploadedFile[Any]"]:
        files = data if isinstance(data, list) else [data]
        if len(files) > MOST_FILES:
            raise forms.ValidationError(_("Choose at most %d files.") % MOST_FILES)
        # An empty file is refused by what reads it, with a better sentence.
        return [one for one in files if one is not None] or super().clean(None, initial)


class UploadForm(_OfNoStudyForm):
    KIND, MAIN = "upload", "documents"

    documents = FilesField(
        label=_("Files"),
        widget=SeveralFiles(attrs={"accept": ",".join(KINDS), "multiple": True}),
        help_text=_(
            "txt, md, csv, docx or pdf, at most 20 MB together. In a csv each row is a text. Take names out first."
        ),
    )
    field_order = ("documents", "name", "study", "engine", "seed")

    def corpus(self, owner: User) -> Corpus:
        documents = self.cleaned_data["documents"]
        if refused := texts.size_refused(documents[0].name, sum(file.size for file in documents)):
            raise refused
        given = [(file.name, file.read()) for file in documents]
        return texts.corpus_of_files(owner, given, study=self.cleaned_data["study"], name=self.cleaned_data["name"])


class StudyForm(_RunForm):
    KIND, MAIN = "study", "source"

    study = forms.ModelChoiceField(Study.objects.none(), label=_("Study"), empty_label=None)
    source = forms.ChoiceField(
        label=_("What was said"),
        choices=[(kind.value, kind.label) for kind in Corpus.Kind if kind not in {Corpus.Kind.UPLOAD, Corpus.Kind.S3}],
        help_text=_("Under pseudonyms, of students alone who agreed to the use of their words in research."),
    )
    field_order = ("study", "source", "name", "engine", "seed")

    def corpus(self, owner: User) -> Corpus:
        given = self.cleaned_data
        return texts.corpus_of_study(owner, given["study"], given["source"], name=given["name"])


class ObjectForm(_OfNoStudyForm):
    KIND, MAIN = "s3", "address"

    address = forms.CharField(
        label=_("Address"),
        max_length=1100,
        widget=forms.TextInput(attrs={"placeholder": "s3://bucket/folder/file.txt"}),
    )
    field_order = ("address", "name", "study", "engine", "seed")

    def corpus(self, owner: User) -> Corpus:
        given = self.cleaned_data
        try:
            return texts.corpus_of_object(owner, given["address"], study=given["study"], name=given["name"])
        except ObjectError as error:
            raise Unreadable(error.code, given["address"][:80], str(error)) from None
