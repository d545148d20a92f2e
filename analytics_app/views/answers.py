"""What one student answered to the forms of a study, and the points that the teacher gives instead of the scorer's."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from analytics_app.dashboards.estimates import number
from analytics_app.reports.written import forms_of
from sessions_app import access
from sessions_app.models import AssessmentAnswer, AssessmentItem, StudentSession, User
from sessions_app.refusals import Refused
from sessions_app.study import assessments
from sessions_app.study.validation import Invalid
from sessions_app.views.desk import DeskRequest, at_desk


class PointsForm(forms.Form):
    """Other points than the scorer's, and why."""

    points = forms.DecimalField(
        max_digits=4, decimal_places=2, error_messages={"required": gettext_lazy("Say how many points.")}
    )
    note = forms.CharField(required=False, max_length=300)


@require_safe
@at_desk
def page(request: DeskRequest, run_id: UUID) -> HttpResponse:
    """Both forms of one run, answer by answer."""
    run = _run(request, run_id, action="answers")
    return render(
        request,
        "teach/answers.html",
        {
            "run": run,
            "live_session": run.session,
            "forms": [(form, form.answers.all(), number(form.absolute_gain)) for form in forms_of(run)],
        },
    )


@require_POST
@at_desk
def points(request: DeskRequest, run_id: UUID, answer_id: UUID) -> HttpResponse:
    """Give a written answer other points, or (take_back) leave it to the scorer again."""
    run = _run(request, run_id, action="points")
    by = access.require_teacher(request.user)
    written = AssessmentAnswer.objects.filter(item__kind=AssessmentItem.Kind.SHORT_ANSWER)
    answer = written.filter(pk=answer_id, assessment__student_session=run).select_related("item").first()
    if answer is None:
        raise access.Hidden
    given = PointsForm(request.POST)
    back = "take_back" in request.POST
    if not back and not given.is_valid():
        messages.warning(request, " ".join(str(text) for texts in given.errors.values() for text in texts))
        return _back(run, answer)
    chosen = None if back else given.cleaned_data["points"]
    note = "" if back else given.cleaned_data["note"]
    try:
        assessments.answer_override(answer, points=chosen, by=by, note=note, at=timezone.now())
    except Refused as refused:
        messages.warning(request, refused.problem if isinstance(refused, Invalid) else refused.message)
    else:
        messages.success(
            request,
            _("The scorer’s points count again.") if back else _("Your points count. The scorer’s stay on record."),
        )
    return _back(run, answer)


def _run(request: HttpRequest, pk: UUID, *, action: str) -> StudentSession:
    return access.run(access.require_role(request.user, User.Role.TEACHER, User.Role.ADMINISTRATOR), pk, action=action)


def _back(run: StudentSession, answer: AssessmentAnswer) -> HttpResponse:
    return HttpResponseRedirect(f"{reverse('teach_answers', args=[run.pk])}#answer-{answer.pk}")
