"""Pages for what went wrong before a view was reached."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was older than the sign-in, or came from elsewhere: say so, and that nothing was changed."""
    return render(request, "problems/csrf.html", status=403)
