"""Pages for what went wrong."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sessions_app.api.errors import STATUS
from sessions_app.refusals import MESSAGES

CLOSED: dict[str, Promise] = {
    "other_device": gettext_lazy("You go on with another device"),
    "removed": gettext_lazy("You are no longer in this class"),
    "session_over": gettext_lazy("This class is over"),
}


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was older than the sign-in, or came from elsewhere: say so, and that nothing was changed."""
    return render(request, "problems/csrf.html", status=403)


def closed(request: HttpRequest, code: str) -> HttpResponse:
    """Why a student's place in a class cannot be opened, for the code of a refusal, with the way back."""
    if code == "no_such_session":
        title = _("You have not joined on this device")
        text = _("This page belongs to the device that joined. Join with the code on the board.")
    else:
        title = str(CLOSED.get(code, _("This is not possible now")))
        text = str(MESSAGES[code])
    return render(request, "join/closed.html", {"title": title, "text": text}, status=STATUS.get(code, 400))
