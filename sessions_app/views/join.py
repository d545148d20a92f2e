"""How a student comes in: the code, "press start", the name, and, on a second device, the teacher's yes.

Opening a link changes nothing, because chat apps open links by themselves. The names of a class are shown only to a
device that has pressed start; a signed cookie says so for half an hour.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from sessions_app import enrolment, join_codes
from sessions_app.api.errors import STATUS
from sessions_app.models import LiveSession, TakeoverRequest
from sessions_app.refusals import Refused
from sessions_app.views.problems import closed
from sessions_app.views.tickets import ticket_give, tickets_held

JOINING = "joining"
JOINING_FOR = timedelta(minutes=30)
LONGEST_CODE = 64


@dataclass(frozen=True, slots=True)
class Joining:
    """A device between start and its name: a random word for it, the session, and what it asked the teacher."""

    device: str
    session: UUID
    request: UUID | None = None

    def give(self, response: HttpResponseBase) -> None:
        response.set_cookie(
            JOINING,
            signing.dumps([self.device, self.session.hex, self.request and self.request.hex], salt=JOINING),
            max_age=JOINING_FOR,
            path=reverse("join"),
            httponly=True,
            samesite="Lax",
            secure=settings.JOIN_COOKIE_SECURE,
        )

    @classmethod
    def of(cls, request: HttpRequest) -> "Joining | None":
        try:
            device, session, asked = signing.loads(request.COOKIES.get(JOINING, ""), salt=JOINING, max_age=JOINING_FOR)
        except signing.BadSignature:
            return None
        return cls(device, UUID(session), UUID(asked) if asked else None)


@require_http_methods(["GET", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Enter the code."""
    if request.method == "GET":
        return render(request, "join/code.html", {"code": "", "error": ""})
    typed = request.POST.get("code", "")
    try:
        session = enrolment.session_by_code(typed, address=request.META["REMOTE_ADDR"])
    except Refused as refused:
        return _code_again(request, typed, refused)
    return redirect("join_start", session.join_code)


@never_cache
@require_http_methods(["GET", "POST"])
def start(request: HttpRequest, code: str) -> HttpResponse:
    """Say which class it is; start goes on to the names."""
    try:
        session = enrolment.session_by_code(code, address=request.META["REMOTE_ADDR"])
    except Refused as refused:
        return _code_again(request, code, refused)
    if request.method == "GET":
        member = enrolment.member_among(session, tickets_held(request))
        return render(
            request, "join/start.html", {"live_session": session, "code": session.join_code, "member": member}
        )
    response = redirect("join_label", session.join_code)
    before = Joining.of(request)
    device = before.device if before else secrets.token_hex(8)
    Joining(device, session.pk).give(response)
    return response


@never_cache
@require_http_methods(["GET", "POST"])
def label(request: HttpRequest, code: str) -> HttpResponse:
    """Choose one's name, or, where it is taken, ask the teacher to let this device in."""
    joining = Joining.of(request)
    session = _started(joining, code)
    if joining is None or session is None:
        return redirect("join_start", code)
    if not session.is_open:
        return closed(request, "session_over")
    if request.method == "GET":
        return _names(request, session)
    return _chosen(request, session, joining)


def _chosen(request: HttpRequest, session: LiveSession, joining: Joining) -> HttpResponse:
    seat = _seat(request.POST.get("seat", ""))
    try:
        if seat is None:
            raise Refused("not_in_class")
        if request.POST.get("takeover"):
            asked = enrolment.takeover_request(session, membership=seat, device=joining.device)
            response = redirect("join_waiting", session.join_code)
            replace(joining, request=asked.pk).give(response)
            return response
        member = enrolment.member_join(session, membership=seat, device=joining.device)
    except Refused as refused:
        if refused.code == "session_over":
            return closed(request, refused.code)
        return _names(request, session, refused, chosen=seat)
    response = redirect("student_session", member.pk)
    ticket_give(response, member)
    return response


@never_cache
@require_safe
def waiting(request: HttpRequest, code: str) -> HttpResponse:
    """Wait for the teacher's answer; a yes opens the student's page."""
    joining = Joining.of(request)
    session = _started(joining, code)
    if joining is None or session is None or joining.request is None:
        return redirect("join_start", code)
    try:
        asked = enrolment.takeover_claim(joining.request)
    except Refused as refused:
        return closed(request, refused.code)
    if asked.decision == TakeoverRequest.Decision.GRANTED:
        response = redirect("student_session", asked.student_session_id)
        ticket_give(response, asked.student_session)
        return response
    context = {
        "live_session": session,
        "label": asked.student_session.label,
        "decision": asked.decision,
        "check_url": reverse("join_waiting_check", args=[session.join_code]),
    }
    return render(request, "join/waiting.html", context)


@never_cache
@require_safe
def waiting_check(request: HttpRequest, code: str) -> HttpResponse:
    """What the waiting page asks every few seconds: the teacher's decision, and where to go on.

    `over` where there is nothing to wait for any more: the page is loaded again and says why.
    """
    joining = Joining.of(request)
    if joining is None or joining.request is None:
        return JsonResponse({"decision": "over", "next": None})
    try:
        asked = enrolment.takeover_claim(joining.request)
    except Refused:
        return JsonResponse({"decision": "over", "next": None})
    if asked.decision != TakeoverRequest.Decision.GRANTED:
        return JsonResponse({"decision": asked.decision, "next": None})
    response = JsonResponse(
        {"decision": asked.decision, "next": reverse("student_session", args=[asked.student_session_id])}
    )
    ticket_give(response, asked.student_session)
    return response


def _started(joining: Joining | None, code: str) -> LiveSession | None:
    """The session that this device pressed start for, where the address is still about it."""
    if joining is None:
        return None
    return LiveSession.objects.filter(pk=joining.session, join_code=join_codes.normalise(code)).first()


def _seat(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _code_again(request: HttpRequest, typed: str, refused: Refused) -> HttpResponse:
    context = {"code": typed[:LONGEST_CODE], "error": refused.message}
    return render(request, "join/code.html", context, status=STATUS[refused.code])


def _names(
    request: HttpRequest, session: LiveSession, refused: Refused | None = None, *, chosen: UUID | None = None
) -> HttpResponse:
    """The names to choose from; after a refusal, its sentence, or the question whether that is the student."""
    seats = enrolment.seats(session)
    taken = None
    if refused and refused.code == "label_taken":
        taken = next((seat for seat in seats if seat.membership == chosen), None)
    context = {
        "live_session": session,
        "seats": seats,
        "taken": taken,
        "error": refused.message if refused and not taken else "",
    }
    return render(request, "join/label.html", context, status=STATUS.get(refused.code, 400) if refused else 200)
