"""The form by which a teacher sets a session up."""

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from sessions_app import access, grouping
from sessions_app.models import Condition, LiveSession, Passage, User
from sessions_app.reading import passages


class ConditionField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """The 24 cells, in words."""

    def label_from_instance(self, condition: Condition) -> str:
        return condition.in_words


class PassageField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """What can be read aloud or said, with its length."""

    def label_from_instance(self, passage: Passage) -> str:
        if passage.kind == Passage.Kind.PROMPTS:
            return _("%(title)s (prompts)") % {"title": passage.title}
        length = ngettext("%(n)s word", "%(n)s words", passage.words) % {"n": passage.words}
        grade = _("grade %(grade)s") % {"grade": passage.grade} if passage.grade is not None else ""
        return f"{passage.title} ({', '.join(part for part in (grade, length) if part)})"


class FirstStep(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """Three choices make a draft."""

    class Meta:
        model = LiveSession
        fields = ("title", "activity", "school_class")

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        classes = access.classes(user).filter(archived_at=None)
        if self.instance.school_class_id:
            classes = classes | access.classes(user).filter(pk=self.instance.school_class_id)
        self._choose_from("school_class", classes, _("Choose a class"))
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"

    def _choose_from(self, name: str, rows: Any, nothing: str) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = rows
        field.empty_label = nothing

    def chosen(self) -> dict[str, Any]:
        """What was sent and can be kept; a field with a mistake, or one that was not sent, stays as it was."""
        return {self.column(name): value for name, value in self.cleaned_data.items() if name in self._sent()}

    def column(self, name: str) -> str:
        return name

    def _sent(self) -> Iterable[str]:
        return self.data


class SetUp(FirstStep):
    """All of a draft. A title and a class may be missing until it is finished."""

    groups = forms.IntegerField(
        label=gettext_lazy("Groups"),
        min_value=0,
        max_value=grouping.MOST_GROUPS,
        help_text=gettext_lazy("Students are spread over them as they join. 0: no groups yet."),
    )
    condition = ConditionField(
        label=gettext_lazy("Condition"),
        queryset=Condition.objects.all(),
        required=False,
        empty_label=gettext_lazy("Assigned to each student"),
        help_text=gettext_lazy("Only a Socratic study has one."),
    )

    passage = PassageField(
        label=gettext_lazy("Passage or prompts"),
        queryset=Passage.objects.none(),
        required=False,
        empty_label=gettext_lazy("Nothing chosen"),
        help_text=gettext_lazy("What is read aloud; for the other speaking activities the prompts."),
    )

    class Meta(FirstStep.Meta):
        fields = ("title", "activity", "school_class", "room", "scheduled_for", "capacity", "study", "location")  # type: ignore[assignment]
        widgets = {
            "scheduled_for": forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
        }

    def __init__(self, *args: Any, user: User, instance: LiveSession, **options: Any) -> None:
        initial = {
            "groups": instance.planned_groups,
            "condition": instance.condition_id,
            "passage": instance.passage_id,
        }
        super().__init__(*args, user=user, instance=instance, initial=initial, **options)
        self.fields["title"].required = False
        self._choose_from("study", instance.school.studies.all(), _("No study"))
        location = cast(forms.TypedChoiceField, self.fields["location"])
        location.required = False
        location.choices = [
            ("", _("Not said (in a study: its only place, or the classroom)")),
            *LiveSession._meta.get_field("location").flatchoices,
        ]
        chosen = LiveSession.objects.filter(pk=instance.pk).values("passage")
        offered = passages.current(access.passages(user)) | access.passages(user).filter(pk__in=chosen)
        self._choose_from("passage", offered.order_by("kind", "title"), _("Nothing chosen"))

    def column(self, name: str) -> str:
        return "planned_groups" if name == "groups" else name

    def clean(self) -> dict[str, Any]:
        """A condition is of a Socratic study, and of the cells that the chosen study runs."""
        cleaned = super().clean() or self.cleaned_data
        chosen = cleaned.get("passage")
        if chosen is not None and chosen.kind != passages.kind_for(cleaned.get("activity", "")):
            self.add_error("passage", _("That does not fit the activity: a passage is read aloud, prompts are said."))
        condition, study = cleaned.get("condition"), cleaned.get("study")
        if condition is None:
            return cleaned
        if cleaned.get("location") and cleaned["location"] != condition.location:
            self.add_error("location", _("The condition takes place somewhere else. It is the condition that counts."))
        if cleaned.get("activity") != LiveSession.Activity.SOCRATIC:
            self.add_error("condition", _("Only a Socratic study has a condition. It is left out."))
        elif study is not None and study.cells.exists() and not study.cells.filter(condition=condition).exists():
            self.add_error("condition", _("The study does not run this condition. Choose another one."))
        return cleaned
