"""What every page of a signed-in user has in common."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone
from django_htmx.middleware import HtmxDetails

from sessions_app.models import User
from sessions_app.views.desk import DeskRequest, at_desk

pytestmark = pytest.mark.django_db


@at_desk
def clock(request: DeskRequest) -> HttpResponse:
    return HttpResponse(timezone.localtime(datetime(2026, 10, 20, 14, 0, tzinfo=UTC)).strftime("%H:%M"))


def ask(rf: RequestFactory, user: User | AnonymousUser) -> HttpResponse:
    request = rf.get("/clock/")
    request.user = user
    request.htmx = HtmxDetails(request)
    return clock(request)


def test_times_are_those_of_the_users_school(rf: RequestFactory, alice: User, charlie: User):
    assert [ask(rf, user).content for user in (alice, charlie)] == [b"10:00", b"16:00"]


def test_times_of_whoever_has_no_school_are_utc(rf: RequestFactory, rosa: User):
    assert ask(rf, rosa).content == b"14:00"


def test_the_zone_of_one_request_is_not_the_next_ones(rf: RequestFactory, alice: User):
    ask(rf, alice)
    assert timezone.get_current_timezone_name() == "UTC"


def test_a_page_that_may_show_students_is_kept_by_no_cache(rf: RequestFactory, alice: User):
    assert {"no-store", "private"} <= set(ask(rf, alice).headers["Cache-Control"].split(", "))


def test_whoever_is_not_signed_in_is_sent_to_the_door(rf: RequestFactory):
    assert ask(rf, AnonymousUser()).headers["Location"] == "/accounts/login/?next=/clock/"
