"""The student's page, opened by the ticket that the device holds, and the post box for where no socket gets through."""

import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from sessions_app import enrolment, roster, wire
from sessions_app.api import errors
from sessions_app.live import protocol
from sessions_app.live.ingest import Busy
from sessions_app.live.intake import Intake
from sessions_app.live.services import services
from sessions_app.models import Consent, LiveSession, StudentSession
from sessions_app.reading import state as read_aloud
from sessions_app.refusals import Refused
from sessions_app.study import prior_knowledge
from sessions_app.study.way import PURPOSES, is_of_study
from sessions_app.views.problems import closed
from sessions_app.views.tickets import ticket_for

LONGEST_WAIT = 20.0
"""Seconds in which a post is answered; what has no answer by then is still on the device, and is sent again."""


@never_cache
@require_safe
def page(request: HttpRequest, student_session: UUID) -> HttpResponse:
    """The page of one student in one session; without a good ticket it says why not, and how to get back."""
    ticket = ticket_for(request, student_session)
    try:
        if ticket is None:
            raise Refused("no_such_session")
        member = enrolment.member_by_ticket(ticket)
    except Refused as refused:
        return closed(request, refused.code)
    state = roster.student_states([member])[member.pk]
    school = member.session.school
    context = {
        "live_session": member.session,
        "label": member.label,
        "purposes": what_is_asked(),
        "consent": {"kept": what_is_kept(), "until": timezone.now() + timedelta(days=school.retention_days)},
        "config": {
            "student_session": member.pk,
            "socket": f"/ws/sessions/{member.pk}/student/",
            "events": reverse("student_events", args=[member.pk]),
            "csrf_token": get_token(request),
            "questionnaire": questionnaire(member.session),
            "state": state,
            "reading": reading_config(member) if read_aloud.reads(member.session) else None,
        },
        "reading": reading_shown(member.session) if read_aloud.reads(member.session) else None,
    }
    with timezone.override(school.zone):
        return render(request, "student/session.html", context)


def reading_config(member: StudentSession) -> dict[str, Any]:
    """What the script of a student who reads aloud is told."""
    passage = member.session.passage
    return {
        "language": passage.language if passage else "en",
        "worklet": static("js/pcm_worklet.js"),
        "sounds": f"/s/{member.pk}/help/",
    }


def reading_shown(session: LiveSession) -> dict[str, Any]:
    """What is read, and what a student agrees to: the text of `reading.state.AUDIO_VERSION`."""
    in_the_cloud = settings.TRANSCRIBER == "amazon"
    return {
        "passage": read_aloud.passage_shown(session.passage),
        "keeps_days": session.school.audio_days,
        "listener": _("Your voice is sent to Amazon, which writes the words down and keeps nothing.")
        if in_the_cloud
        else _("Your voice goes to your school's own server, and to nobody else."),
    }


def what_is_kept() -> list[str]:
    """What a student agrees to: the text of `roster.CONSENT_VERSION`. Other words are another version."""
    return [
        _("That you are in this class, with which group, and when you come and go. This is kept in any case."),
        _("What you press on this page: that you are ready, how far you are, that you would like help."),
        _("Your teacher sees it with your name, researchers of your school's studies without it."),
    ]


def questionnaire(session: LiveSession) -> list[dict[str, Any]]:
    """The pages of the prior-knowledge questionnaire, in the reader's language; none without a study."""
    if not is_of_study(session):
        return []
    assert session.study is not None and session.study.content is not None
    statements = prior_knowledge.statements(session.study.content.topic)
    ends = {"kind": "scale", "required": True, "low": _("not at all"), "high": _("very much")}
    return [
        {"title": text, "fields": [{"id": str(number), "text": text} | ends]}
        for number, text in enumerate(statements, 1)
    ]


def what_is_asked() -> list[dict[str, str]]:
    """What a student of a study decides about: the texts of `roster.STUDY_CONSENT_VERSION`."""
    texts = {
        Consent.Purpose.PARTICIPATION: (
            _("Will you take part?"),
            _("You answer questions, take in a short piece, and answer questions about it. What you answer is kept."),
        ),
        Consent.Purpose.LOCATION: (
            _("May your browser say where you are?"),
            _("Once, to check the place of the study. You can take part without."),
        ),
        Consent.Purpose.SURVEY: (
            _("Will you say at the end how it was for you?"),
            _("A few questions about the place, the questions and your device."),
        ),
        Consent.Purpose.RESEARCH: (
            _("May researchers use your answers?"),
            _("They see them without your name."),
        ),
        Consent.Purpose.DATA_SHARING: (
            _("May these researchers share them with others?"),
            _("Also without your name, and only for research."),
        ),
    }
    return [{"purpose": purpose.value, "title": texts[purpose][0], "text": texts[purpose][1]} for purpose in PURPOSES]


@csrf_exempt
@require_POST
async def events(request: HttpRequest, student_session: UUID) -> HttpResponse:
    """Take events as a socket's frame would bring them: `{"events": […]}`, answered by
    `{"acks": [{"key", "seq"}], "errors": [{"code", "message", "key", "retry"}]}` after COMMIT. An event
    that is in neither list was not taken, and may be sent again.

    A page that is going away cannot send a CSRF header: that the post is of our own page is seen by the origin that the
    browser states.
    """
    if not _is_from_our_page(request):
        return JsonResponse(errors.body("not_allowed", _("This did not come from a page of ours.")), status=403)
    ticket = ticket_for(request, student_session)
    if ticket is None:
        return errors.refused(Refused("no_such_session"))
    serving = services()
    try:
        raw = wire.decode_events(request.body)
        member = await serving.in_thread(enrolment.member_by_ticket, ticket)
    except wire.Malformed as malformed:
        return errors.malformed(malformed)
    except Refused as refused:
        return errors.refused(refused)
    except (Busy, *protocol.DATABASE_AWAY):
        busy = errors.body("busy", _("The server is busy. What you did is kept on this device."))
        return JsonResponse(busy, status=503, headers={"Retry-After": "5"})
    acks: list[dict[str, Any]] = []
    complaints: list[dict[str, Any]] = []
    changed = asyncio.Event()

    def acknowledge(key: UUID, seq: int) -> None:
        acks.append({"key": key, "seq": seq})
        changed.set()

    def complain(error: dict[str, Any]) -> None:
        complaints.append(error)
        changed.set()

    intake = Intake(serving, ticket, member.session_id, acknowledge=acknowledge, complain=complain)
    try:
        async with asyncio.timeout(LONGEST_WAIT):
            intake.take(raw)
            while intake.unanswered:
                changed.clear()
                await changed.wait()
    except (Busy, TimeoutError):
        protocol.log.info("a post of events was answered in part")
    return JsonResponse({"acks": acks, "errors": complaints})


def _is_from_our_page(request: HttpRequest) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return urlsplit(request.headers.get("Origin", "")).netloc == request.get_host()
