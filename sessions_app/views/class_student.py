"""One student's place in a class: their label, their class, whether they are still there, and what was consented to."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from sessions_app import access, class_members, consents
from sessions_app.models import ClassMembership, User
from sessions_app.refusals import Refused
from sessions_app.views.class_forms import ConsentForm, MoveForm
from sessions_app.views.desk import DeskRequest, at_desk


@require_safe
@at_desk
def page(request: DeskRequest, class_id: UUID, membership_id: UUID) -> HttpResponse:
    return _page(request, _membership(request, class_id, membership_id, action="class_student"))


def _membership(request: DeskRequest, class_id: UUID, membership_id: UUID, *, action: str) -> ClassMembership:
    access.require_role(request.user, User.Role.TEACHER, User.Role.ADMINISTRATOR)
    return access.membership(request.user, class_id, membership_id, action=action)


def _page(
    request: DeskRequest,
    membership: ClassMembership,
    *,
    move: MoveForm | None = None,
    consent: ConsentForm | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "school_class": membership.school_class,
        "membership": membership,
        "student": membership.student,
        "states": consents.states(membership.student),
        "move": move or MoveForm(user=request.user, membership=membership),
        "consent": consent or ConsentForm(),
        "here": "classes",
    }
    return render(request, "teach/class_student.html", context, status=status)


@require_POST
@at_desk
def rename(request: DeskRequest, class_id: UUID, membership_id: UUID) -> HttpResponse:
    membership = _membership(request, class_id, membership_id, action="class_student_rename")
    label = request.POST.get("label", "")[:40]
    try:
        class_members.student_rename(membership, label=label, by=request.user)
    except Refused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, _("The class now sees “%s”.") % membership.label)
    return redirect("teach_class_student", class_id, membership_id)


@require_POST
@at_desk
def move(request: DeskRequest, class_id: UUID, membership_id: UUID) -> HttpResponse:
    membership = _membership(request, class_id, membership_id, action="class_student_move")
    form = MoveForm(request.POST, user=request.user, membership=membership)
    if form.is_valid():
        try:
            class_members.student_move(membership, to=form.cleaned_data["to"])
        except Refused as refused:
            form.add_error("to", refused.message)
        else:
            messages.success(request, _("%(label)s is now in %(class)s.") % {
                "label": membership.label, "class": membership.school_class.name})  # fmt: skip
            return redirect("teach_class_student", membership.school_class_id, membership_id)
    return _page(request, membership, move=form, status=400)


@require_POST
@at_desk
def take_out(request: DeskRequest, class_id: UUID, membership_id: UUID) -> HttpResponse:
    membership = _membership(request, class_id, membership_id, action="class_student_take_out")
    class_members.student_take_out(membership)
    messages.success(request, _("%s is no longer in this class. Their record stays.") % membership.label)
    return redirect("teach_class", class_id)


@require_POST
@at_desk
def archive(request: DeskRequest, class_id: UUID, membership_id: UUID) -> HttpResponse:
    """Archive a student, or restore one: `archived` is `yes` or `no`."""
    membership = _membership(request, class_id, membership_id, action="class_student_archive")
    if request.POST.get("archived") == "no":
        class_members.student_restore(membership.student, by=request.user)
        messages.success(request, _("%s may join sessions again.") % membership.label)
    else:
        class_members.student_archive(membership.student, by=request.user)
        messages.success(request, _("%s is archived: what was recorded stays.") % membership.label)
    return redirect("teach_class_student", class_id, membership_id)


@require_POST
@at_desk
def consent(request: DeskRequest, class_id: UUID, membership_id: UUID) -> HttpResponse:
    """Record a decision that somebody at the school heard or read."""
    membership = _membership(request, class_id, membership_id, action="class_student_consent")
    form = ConsentForm(request.POST)
    if not form.is_valid():
        return _page(request, membership, consent=form, status=400)
    said = form.cleaned_data
    about = {name: said[name] for name in ("purpose", "decision", "given_by")}
    consents.consent_record(
        membership.student,
        **about,
        version=consents.version_on_paper(membership.student, **about),
        how_obtained=said["how_obtained"],
        given_at=said["given_on"],
        note=said["note"],
        recorded_by=request.user,
    )
    messages.success(request, _("Recorded."))
    return redirect("teach_class_student", class_id, membership_id)
