"""What every page of a signed-in user has in common."""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from sessions_app.models import User

P = ParamSpec("P")


class PageRequest(HttpRequest):
    """A request of a browser, also for a part of a page."""

    htmx: HtmxDetails


class DeskRequest(PageRequest):
    """A request of somebody who has signed in."""

    user: User


def at_desk(
    view: Callable[Concatenate[DeskRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A page for whoever is signed in, kept by no cache, as it may show students.

    Times are read and shown in the zone of the user's school. A part of a page that is asked for after the sign-in has
    ended sends the whole page to the sign-in.
    """

    @functools.wraps(view)
    def shown(request: DeskRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        school = request.user.school
        with timezone.override(school.zone if school else None):
            return view(request, *args, **kwargs)

    @functools.wraps(view)
    def shown_or_sign_in(request: PageRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.htmx and not request.user.is_authenticated:
            there = request.htmx.current_url_abs_path or request.get_full_path()
            return HttpResponseClientRedirect(redirect_to_login(there).url)
        return login_required(shown)(cast("DeskRequest", request), *args, **kwargs)

    return never_cache(shown_or_sign_in)  # type: ignore[return-value]
