"""The live board's page, the code for the projector, and what a teacher decides on the board.

A decision answers 204, or 4xx with the one error shape; what it changed comes back over the board's socket.
"""

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, cast
from uuid import UUID

import segno
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from sessions_app import access, attention, enrolment, grouping, lifecycle
from sessions_app.api import errors
from sessions_app.models import ClassMembership, LiveSession, TakeoverRequest, User
from sessions_app.refusals import Refused
from sessions_app.study import assignment, moving, way
from sessions_app.views.desk import DeskRequest, at_desk

P = ParamSpec("P")
DECISIONS = (
    "start", "end", "groups", "move", "leader", "remove", "let_back", "attention", "condition", "move_on", "move_back",
)  # fmt: skip


def page(request: DeskRequest, live_session: LiveSession) -> HttpResponse:
    """The board of a session that is open; all that moves on it comes over the socket."""
    listed = ClassMembership.objects.filter(school_class=live_session.school_class_id, student__archived_at=None)
    urls = {name: reverse(f"teach_board_{name}", args=[live_session.pk]) for name in DECISIONS}
    context = {
        "live_session": live_session,
        **invitation(request, live_session),
        "expected": listed.count(),
        "of_study": way.is_of_study(live_session),
        "conditions": list(assignment.conditions_of(live_session)) if way.is_of_study(live_session) else [],
        "config": {
            "socket": f"/ws/sessions/{live_session.pk}/teacher/",
            "csrf_token": get_token(request),
            "urls": urls | {"requests": f"{reverse('teach_session', args=[live_session.pk])}requests/"},
            "steps": steps(),
            "stopped": {
                "signed-out": _("Your sign-in has ended. Sign in again, then load this page again."),
                "not-allowed": _("You may not see this session any more."),
                "no-session": _("This session does not exist any more."),
                "other": _("The connection was ended. Load this page again."),
            },
        },
    }
    return render(request, "teach/board.html", context)


def steps() -> dict[str, str]:
    """What a student's step (`roster.step`) is called on a row."""
    return {
        "consent": _("asked to take part"),
        "waiting": _("waiting"),
        "ready": _("ready"),
        "in_session": _("at work"),
        "agree": _("asked to take part"),
        "prior_knowledge": _("what they know"),
        "place": _("place"),
        "baseline": _("questions before"),
        "content": _("content"),
        "intervention": _("pause"),
        "final": _("questions after"),
        "survey": _("survey"),
        "done": _("done"),
        "ended": _("finished"),
        "left": _("left"),
        "removed": _("taken out"),
    }


def invitation(request: HttpRequest, live_session: LiveSession) -> dict[str, Any]:
    """How students come in: the address to type, and the QR code of the address that holds the code."""
    address = request.build_absolute_uri(reverse("join_start", args=[live_session.join_code]))
    return {"join_url": request.build_absolute_uri(reverse("join")), "qr": qr_code(address)}


def qr_code(text: str) -> SafeString:
    """A QR code as an <svg> without size, dark modules only, with two modules of the quiet zone."""
    drawn = segno.make(text, error="m", micro=False)
    return mark_safe(drawn.svg_inline(omitsize=True, border=2, svgclass=None, lineclass=None))  # noqa: S308


@require_safe
@at_desk
def code(request: DeskRequest, session_id: UUID) -> HttpResponse:
    """The code alone, large, for the projector: nothing on it is about a student."""
    live_session = access.live_session(request.user, session_id, action="code")
    if not live_session.is_open:
        return redirect("teach_session", live_session.pk)
    return render(request, "teach/code.html", {"live_session": live_session, **invitation(request, live_session)})


def decision(
    decide: Callable[Concatenate[DeskRequest, LiveSession, P], None],
) -> Callable[..., HttpResponse]:
    """A teacher's decision about a session as an address to post to."""

    @functools.wraps(decide)
    def answered(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        session_id = cast("UUID", kwargs.pop("session_id"))  # addresses name their parts, so it comes by keyword
        if not isinstance(request.user, User):
            ended = errors.body("signed_out", _("Your sign-in has ended. Nothing was changed. Sign in again."))
            return JsonResponse(ended, status=401)
        try:
            live_session = access.live_session(request.user, session_id, action=f"board_{decide.__name__}")
            decide(cast("DeskRequest", request), live_session, *args, **kwargs)
        except access.Hidden:
            return errors.refused(Refused("no_such_session"))
        except Refused as refused:
            return errors.refused(refused)
        return HttpResponse(status=204)

    return require_POST(answered)


@decision
def start(request: DeskRequest, live_session: LiveSession) -> None:
    lifecycle.session_start(live_session, by=request.user)


@decision
def end(request: DeskRequest, live_session: LiveSession) -> None:
    administrates = request.user.role == User.Role.ADMINISTRATOR
    lifecycle.session_end(live_session, by=request.user, reason="administrator" if administrates else "teacher")


@decision
def groups(request: DeskRequest, live_session: LiveSession) -> None:
    count = request.POST.get("count", "")
    if not (count.isascii() and count.isdigit() and len(count) < 4):
        raise Refused("group_count")
    grouping.groups_make(live_session, count=int(count), by=request.user)


@decision
def move(request: DeskRequest, live_session: LiveSession) -> None:
    """An empty `group` takes the student out of all groups."""
    group = _id(request, "group", "no_such_group") if request.POST.get("group") else None
    student = _id(request, "student", "no_such_student")
    grouping.member_move(live_session, student_session=student, group=group, by=request.user)


@decision
def leader(request: DeskRequest, live_session: LiveSession) -> None:
    grouping.leader_choose(live_session, student_session=_id(request, "student", "no_such_student"), by=request.user)


@decision
def remove(request: DeskRequest, live_session: LiveSession) -> None:
    enrolment.member_remove(live_session, student_session=_id(request, "student", "no_such_student"), by=request.user)


@decision
def let_back(request: DeskRequest, live_session: LiveSession) -> None:
    student = _id(request, "student", "no_such_student")
    enrolment.member_let_back(live_session, student_session=student, by=request.user)


@decision
def ask(request: DeskRequest, live_session: LiveSession) -> None:
    """Without `student` everybody is asked."""
    student = _id(request, "student", "no_such_student") if request.POST.get("student") else None
    attention.attention_ask(live_session, by=request.user, student_session=student, text=request.POST.get("text", ""))


@decision
def move_on(request: DeskRequest, live_session: LiveSession) -> None:
    """`step` and `number` are where the student was when the teacher decided: one who has gone on is left alone."""
    number = request.POST.get("number", "0")
    moving.student_move_on(
        live_session,
        student_session=_id(request, "student", "no_such_student"),
        step=request.POST.get("step", ""),
        number=int(number) if number.isascii() and number.isdigit() and len(number) < 4 else 0,
        by=request.user,
    )


@decision
def condition(request: DeskRequest, live_session: LiveSession) -> None:
    """An empty `condition` lets the student have whichever falls to them."""
    moving.student_condition_fix(
        live_session,
        student_session=_id(request, "student", "no_such_student"),
        code=request.POST.get("condition", ""),
        by=request.user,
    )


@decision
def move_back(request: DeskRequest, live_session: LiveSession) -> None:
    moving.student_move_back(live_session, student_session=_id(request, "student", "no_such_student"), by=request.user)


@decision
def answer(request: DeskRequest, live_session: LiveSession, takeover: UUID) -> None:
    """Let a new device in (`granted`), or not (`refused`)."""
    decided = request.POST.get("decision")
    if decided not in {TakeoverRequest.Decision.GRANTED, TakeoverRequest.Decision.REFUSED}:
        raise Refused("no_such_request")
    granted = decided == TakeoverRequest.Decision.GRANTED
    enrolment.takeover_decide(live_session, request=takeover, granted=granted, by=request.user)


def _id(request: HttpRequest, name: str, otherwise: str) -> UUID:
    try:
        return UUID(request.POST.get(name, ""))
    except ValueError:
        raise Refused(otherwise) from None
