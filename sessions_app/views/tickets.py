"""The join cookie: a device holds one for each student session that it may open."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from sessions_app import enrolment
from sessions_app.enrolment import Ticket
from sessions_app.models import StudentSession

KEPT_FOR = timedelta(days=2)
"""Longer than any ticket is good for (24 hours after the end), so the server can say that it is over."""


def ticket_give(response: HttpResponseBase, member: StudentSession) -> None:
    """Let the device that gets this response open a student's page."""
    response.set_cookie(
        enrolment.cookie_name(member.pk),
        enrolment.ticket_sign(member),
        max_age=KEPT_FOR,
        httponly=True,
        samesite="Lax",
        secure=settings.JOIN_COOKIE_SECURE,
    )


def ticket_for(request: HttpRequest, student_session: UUID) -> Ticket | None:
    """The ticket that this device holds for a student session, or None."""
    ticket = enrolment.ticket_read(request.COOKIES.get(enrolment.cookie_name(student_session), ""))
    return ticket if ticket is not None and ticket.student_session == student_session else None


def tickets_held(request: HttpRequest) -> list[Ticket]:
    """Every ticket that this device holds."""
    read = (enrolment.ticket_read(value) for name, value in request.COOKIES.items() if name.startswith("join_"))
    return [ticket for ticket in read if ticket is not None]
