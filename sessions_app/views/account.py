"""Signing in and out, and the page that everybody starts from.

There is one way in, also to the data management. Wrong passwords are counted by user name and address (django-axes);
the address is the peer's (`REMOTE_ADDR`), never a header that a client can write.
"""

import math
from datetime import datetime, timedelta
from typing import Any

from axes.models import AccessAttempt
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.views import LoginView, PasswordChangeView, redirect_to_login
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app import access
from sessions_app.api import errors
from sessions_app.models import User
from sessions_app.refusals import Refused

HOMES = {
    User.Role.TEACHER: "teach_home",
    User.Role.RESEARCHER: "research_overview",
    User.Role.ADMINISTRATOR: "admin:index",
}


def home(request: HttpRequest) -> HttpResponse:
    """The first page of whoever is signed in."""
    if not isinstance(request.user, User):
        return redirect("login")
    return redirect(HOMES[User.Role(request.user.role)])


class SignInForm(AuthenticationForm):
    remember = forms.BooleanField(label=_("Stay signed in for a week"), required=False)


class SignIn(LoginView):
    """A sign-in lasts until the browser closes, or a week where that was asked for."""

    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        if not form.cleaned_data["remember"]:
            self.request.session.set_expiry(0)
        return response


class PasswordForm(PasswordChangeForm):
    """Django's form, its fields drawn as ours."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"


class PasswordChange(PasswordChangeView):
    """Whoever is signed in sets another password; their other browsers are signed out."""

    template_name = "registration/password_change.html"
    form_class = PasswordForm
    success_url = reverse_lazy("home")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, _("The new password holds from now on. Other browsers are signed out."))
        return super().form_valid(form)


def data_management_sign_in(request: HttpRequest) -> HttpResponse:
    """In place of the admin site's own sign-in: whoever is signed in already has no business there."""
    if isinstance(request.user, User):
        raise access.Forbidden
    return redirect_to_login(request.GET.get("next") or str(reverse_lazy("admin:index")))


def counted_name(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """The name under which wrong passwords are counted: one count, however it is capitalised."""
    given = (credentials or {}).get("username") or request.POST.get("username") or ""
    return str(given).strip().lower()[:150]


def paused(request: HttpRequest, *_about: object) -> HttpResponse:
    """Too many wrong passwords: say when to try again, to a person or to a program."""
    ends_at = _pause_ends_at(request)
    minutes = max(1, math.ceil((ends_at - timezone.now()).total_seconds() / 60))
    response: HttpResponse
    if request.path.startswith("/api/"):
        response = errors.refused(Refused("locked_out"))
    else:
        response = render(request, "registration/locked.html", {"minutes": minutes, "ends_at": ends_at}, status=429)
    response["Retry-After"] = str(minutes * 60)
    return response


def _pause_ends_at(request: HttpRequest) -> datetime:
    name = counted_name(request, getattr(request, "axes_credentials", None))
    tries = AccessAttempt.objects.filter(username=name, ip_address=request.META.get("REMOTE_ADDR"))
    latest: datetime = tries.aggregate(latest=Max("attempt_time"))["latest"] or timezone.now()
    return latest + timedelta(hours=settings.AXES_COOLOFF_TIME)
