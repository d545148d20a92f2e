"""The forms of the pages about classes."""

from datetime import datetime, time
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app import access, csv_files
from sessions_app.models import ClassMembership, Consent, SchoolClass, Student, User


def drawn(form: forms.BaseForm) -> None:
    for field in form.fields.values():
        field.widget.attrs["class"] = "input"


class ClassForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    class Meta:
        model = SchoolClass
        fields = ("name", "room")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        drawn(self)


class StudentForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """One student, added by hand."""

    class Meta:
        model = Student
        fields = ("label", "name", "grade")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        drawn(self)


class ListForm(forms.Form):
    """A class list as a file, or as rows pasted from a spreadsheet."""

    file = forms.FileField(
        label=_("File"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv,text/plain"}),
        help_text=_("CSV, at most 500 rows and 1 MB."),
    )
    text = forms.CharField(
        label=_("Or rows pasted from a spreadsheet"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text=_("With the row that names the columns."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        drawn(self)

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        if self.errors:
            return said
        file, text = said.get("file"), said.get("text", "")
        if file is None and not text.strip():
            self.add_error("file", _("Choose a file, or paste the rows."))
        elif file is not None and file.size > csv_files.MAX_BYTES:
            self.add_error(
                "file", _("The file is larger than 1 MB. A class list is much smaller: is it the right file?")
            )
        else:
            said["content"] = file.read() if file is not None else text.encode()
        return said


class MoveForm(forms.Form):
    """Another class that the user may see, of the same school."""

    to = forms.ModelChoiceField(SchoolClass.objects.none(), label=_("Class"))

    def __init__(self, *args: Any, user: User, membership: ClassMembership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = access.classes(user).filter(school=membership.school_class.school_id, archived_at=None)
        self.fields["to"].queryset = others.exclude(pk=membership.school_class_id)  # type: ignore[attr-defined]
        drawn(self)


class ConsentForm(forms.Form):
    """One decision, as somebody at the school heard or read it."""

    purpose = forms.ChoiceField(label=_("What for"), choices=Consent.Purpose.choices)
    decision = forms.ChoiceField(label=_("Decision"), choices=Consent.Decision.choices)
    given_by = forms.ChoiceField(label=_("By whom"), choices=Consent.Giver.choices)
    how_obtained = forms.ChoiceField(label=_("How"), choices=Consent.Method.choices)
    given_on = forms.DateField(
        label=_("On"), initial=timezone.localdate, widget=forms.DateInput(attrs={"type": "date"})
    )
    note = forms.CharField(label=_("Note"), max_length=500, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        drawn(self)

    def clean_given_on(self) -> datetime:
        """When the decision holds from: the moment itself for today, else the beginning of its day at the school."""
        day = self.cleaned_data["given_on"]
        today = timezone.localdate()
        if day > today:
            raise forms.ValidationError(_("A consent cannot be given in the future."))
        return timezone.now() if day == today else timezone.make_aware(datetime.combine(day, time.min))
