"""The sound of a help, for the student who got it."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from sessions_app import enrolment, speech_choice
from sessions_app.live.wording import said
from sessions_app.models import HelpEvent
from sessions_app.refusals import Refused
from sessions_app.speech.voice import VoiceFailed
from sessions_app.views.tickets import ticket_for

DAY = 24 * 3600


@require_safe
@cache_control(private=True, max_age=DAY)
def sound(request: HttpRequest, student_session: UUID, help_id: UUID) -> HttpResponse:
    """A help spoken by the server's voice; nothing (404) where the browser's own speaks, which it then does."""
    ticket = ticket_for(request, student_session)
    try:
        if ticket is None:
            raise Refused("no_such_session")
        member = enrolment.member_by_ticket(ticket)
        given = HelpEvent.objects.get(pk=help_id, reading__student_session=member)
        voice = speech_choice.voice()
        if voice is None:
            raise Http404
        spoken = voice.speak(said(given.word, given.text))
    except (Refused, HelpEvent.DoesNotExist, VoiceFailed):
        raise Http404 from None
    return HttpResponse(spoken.content, content_type=spoken.content_type)
