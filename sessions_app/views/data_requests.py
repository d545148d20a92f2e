"""A student's data: what was asked about it, how far the answer is, the copy; guardians' requests are recorded."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as now_in
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from sessions_app import access, data_requests
from sessions_app.api.me import DataCopy, copy_response
from sessions_app.models import DataRequest, Student, User
from sessions_app.refusals import Refused
from sessions_app.views.class_forms import drawn
from sessions_app.views.desk import DeskRequest, at_desk


class RequestForm(forms.Form):
    """What somebody asked at the school."""

    kind = forms.ChoiceField(label=_("Asked for"), choices=DataRequest.Kind.choices)
    asked_by = forms.ChoiceField(label=_("By whom"), choices=DataRequest.AskedBy.choices, initial="guardian")
    note = forms.CharField(
        label=_("How you know who asked"), max_length=500, help_text=_("For example: signed letter, seen in person.")
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        drawn(self)


@require_http_methods(["GET", "POST"])
@at_desk
def of_student(request: DeskRequest, student_id: UUID) -> HttpResponse:
    """The requests about a student's data; POST records one that was made at the school."""
    user = access.require_role(request.user, User.Role.TEACHER, User.Role.ADMINISTRATOR)
    student = access.student(user, student_id, action="student data")
    form = RequestForm(request.POST or None)
    if form.is_valid():
        try:
            made = data_requests.request_make(student=student, recorded_by=user, **form.cleaned_data)
        except Refused as refused:
            form.add_error("kind", refused.message)
        else:
            messages.success(request, _said(made))
            return redirect("teach_student_data", student.pk)
    return _page(request, student, form)


def _said(made: DataRequest) -> str:
    if made.status == DataRequest.Status.WAITING:
        return now_in("Recorded. An administrator decides about a deletion, as it cannot be undone.")
    return now_in("Recorded. The copy is made within minutes; look here again.")


def _page(request: DeskRequest, student: Student, form: RequestForm) -> HttpResponse:
    asked = access.data_requests(request.user).filter(student=student).select_related("recorded_by", "decided_by")
    context = {
        "student": student,
        "requests": [
            {"request": each, "steps": data_requests.steps(each), "ready": data_requests.is_ready(each)}
            for each in asked
        ],
        "form": form,
        "kept_days": data_requests.COPY_KEPT_FOR.days,
    }
    return render(request, "teach/student_data.html", context, status=400 if form.errors else 200)


@require_safe
@at_desk
def copy(request: DeskRequest, request_id: UUID, copy_form: str) -> HttpResponse:
    """The copy of a student's data, to be handed to whoever asked for it."""
    user = access.require_role(request.user, User.Role.TEACHER, User.Role.ADMINISTRATOR)
    if copy_form not in DataCopy.FORMS:
        raise access.Hidden
    asked = access.data_request(user, request_id, action=f"student data copy {copy_form}")
    try:
        return copy_response(asked, copy_form)
    except Refused as refused:
        messages.error(request, refused.message)
        return redirect("teach_student_data", asked.student_id)
