"""What every page of a study starts from: which study, narrowed to what, in whose clock."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from analytics_app.dashboards.stats import how
from analytics_app.reports.definitions import DEFINITIONS
from analytics_app.reports.runs import Scope, scope_of
from sessions_app import access
from sessions_app.models import Condition, Study, User
from sessions_app.views.desk import DeskRequest

_OPTION = re.compile(r" (?=--)")
"""Where a command is broken into lines."""
GRADES = [("", _("all")), ("1-5", _("1 to 5")), ("6-8", _("6 to 8")), ("9-12", _("9 to 12"))]


class ScopeForm(forms.Form):
    """What a report may be narrowed to. What is not understood narrows nothing, and says so beside the field."""

    place = forms.ChoiceField(label=_("Place"), required=False)
    every = forms.ChoiceField(label=_("Interval"), required=False)
    arm = forms.ChoiceField(label=_("Questions"), required=False)
    grade = forms.ChoiceField(label=_("Grades"), required=False, choices=GRADES)
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    random = forms.BooleanField(label=_("Randomised only"), required=False)
    simulated = forms.BooleanField(label=_("With simulated sessions"), required=False)

    def __init__(self, data: QueryDict, *, leave_out: tuple[str, ...] = ()) -> None:
        super().__init__(data)
        self.fields["place"].choices = [("", _("all")), *Condition.Location.choices]  # type: ignore[attr-defined]
        self.fields["arm"].choices = [("", _("both")), *Condition.InterventionType.choices]  # type: ignore[attr-defined]
        self.fields["every"].choices = [  # type: ignore[attr-defined]
            ("", _("all")), ("2.5", _("2.5 min")), ("5", _("5 min")), ("10", _("10 min")),
        ]  # fmt: skip
        for name in leave_out:
            del self.fields[name]

    def narrowed(self) -> dict[str, Any]:
        """The keywords of `scope_of`."""
        self.is_valid()
        chosen = self.cleaned_data
        low, _dash, high = (chosen.get("grade") or "").partition("-")
        return {
            "location": chosen.get("place") or "",
            "interval": chosen.get("every") or "",
            "arm": chosen.get("arm") or "",
            "since": chosen.get("since"),
            "until": chosen.get("until"),
            "grades": (int(low), int(high)) if low else None,
            "randomised_only": bool(chosen.get("random")),
            "simulated": True if chosen.get("simulated") else None,
        }


@dataclass(frozen=True, slots=True)
class StudyDesk:
    """A researcher at one of their studies. `query` is the scope in the address's words, for links to go on with."""

    user: User
    studies: list[Study]
    study: Study
    scope: Scope
    form: ScopeForm
    query: str

    def context(self, **more: Any) -> dict[str, Any]:
        """What `templates/research/frame.html` takes."""
        if "command" in more:
            more["command"] = _OPTION.split(more["command"])
        return {
            "studies": self.studies,
            "study": self.study,
            "form": self.form,
            "scope": self.scope,
            "scope_query": self.query,
            "study_query": f"study={self.study.pk}",
            "narrowed": self.scope.is_narrowed,
            **more,
        }


def study_desk(request: DeskRequest, *, action: str, leave_out: tuple[str, ...] = ()) -> StudyDesk | None:
    """The desk at the study that the address names (the first one), or None where none is granted.

    The reading is logged as `action`. A study that was not granted is `Hidden`. Times are shown in the study's zone.
    """
    user = access.require_researcher(request.user)
    studies = list(access.studies(user).order_by("name"))
    study = _chosen(studies, request.GET.get("study", ""))
    if study is None:
        return None
    access.log_reading(user, action=action, about=study)
    # All of a simulated study is shown anyway.
    form = ScopeForm(request.GET, leave_out=(*leave_out, "simulated") if study.is_simulated else leave_out)
    scope = scope_of(study, **form.narrowed())
    timezone.activate(scope.zone)
    query = request.GET.copy()
    for name in ("page", "sort", "down"):
        query.pop(name, None)
    return StudyDesk(user, studies, study, scope, form, query.urlencode())


def _chosen(studies: list[Study], wanted: str) -> Study | None:
    try:
        pk = UUID(wanted) if wanted else None
    except ValueError:
        raise access.Hidden from None
    if pk is None:
        return studies[0] if studies else None
    found = next((study for study in studies if study.pk == pk), None)
    if found is None:
        raise access.Hidden
    return found


def explained(name: str, title: str, *, scope: Scope, as_of: Any, command: str) -> dict[str, Any]:
    """`parts/how.html` for one of the reports' definitions."""
    return how(
        name.replace("_", "-"),
        title,
        str(DEFINITIONS[name]),
        as_of=timezone.localtime(as_of),
        sample=sample_in_words(scope),
        command=f"python manage.py report {command} {scope.as_arguments()}",
    )


def sample_in_words(scope: Scope) -> str:
    simulated = _("with simulated sessions") if scope.simulated else _("without simulated sessions")
    return f"{scope.study}, {simulated}"
