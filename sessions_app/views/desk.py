"""What every page of a signed-in user has in common."""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django_htmx.middleware import HtmxDetails

from sessions_app.models import User

P = ParamSpec("P")


class DeskRequest(HttpRequest):
    """A request of somebody who has signed in."""

    user: User
    htmx: HtmxDetails


def at_desk(
    view: Callable[Concatenate[DeskRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A page for whoever is signed in, kept by no cache, as it may show students.

    Times are read and shown in the zone of the user's school.
    """

    @functools.wraps(view)
    def shown(request: DeskRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        school = request.user.school
        with timezone.override(school.zone if school else None):
            return view(request, *args, **kwargs)

    return never_cache(login_required(shown))  # type: ignore[return-value]
