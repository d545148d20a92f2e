"""The student's page: for the device that holds the ticket."""

import json
import uuid
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import AsyncRequestFactory, Client
from django.utils import timezone

from sessions_app import enrolment, lifecycle
from sessions_app.live.ingest import Busy
from sessions_app.models import LiveSession, StudentSession, User
from sessions_app.views import student

pytestmark = pytest.mark.django_db


@pytest.fixture
def sams_device(sam_in: StudentSession) -> Client:
    client = Client()
    client.cookies[enrolment.cookie_name(sam_in.pk)] = enrolment.ticket_sign(sam_in)
    return client


def test_the_page_shows_where_the_student_is(sams_device: Client, sam_in: StudentSession):
    response = sams_device.get(f"/s/{sam_in.pk}/")
    config = response.context["config"]
    assert (response.status_code, response.context["label"]) == (200, "Sam")
    assert (config["socket"], config["events"]) == (f"/ws/sessions/{sam_in.pk}/student/", f"/s/{sam_in.pk}/events")
    assert (config["state"]["me"]["step"], config["state"]["me"]["group"]["number"]) == ("waiting", 1)
    assert response.headers["Cache-Control"].startswith("max-age=0")


def test_the_page_says_what_is_kept_and_how_long(sams_device: Client, sam_in: StudentSession):
    consent = sams_device.get(f"/s/{sam_in.pk}/").context["consent"]
    assert consent["until"].date() == (timezone.now() + timedelta(days=730)).date()
    assert len(consent["kept"]) == 3
    assert all(sentence.endswith(".") for sentence in consent["kept"])


def test_the_page_never_shows_the_name(sams_device: Client, sam_in: StudentSession):
    assert b"Canary" not in sams_device.get(f"/s/{sam_in.pk}/").content


def test_the_page_is_four_queries(sams_device: Client, sam_in: StudentSession, django_assert_num_queries):
    with django_assert_num_queries(4):
        sams_device.get(f"/s/{sam_in.pk}/")


def test_a_device_that_has_not_joined_is_shown_the_way(client: Client, sam_in: StudentSession):
    response = client.get(f"/s/{sam_in.pk}/")
    assert (response.status_code, response.templates[0].name) == (404, "join/closed.html")
    assert client.get(f"/s/{uuid.uuid4()}/").status_code == 404


def test_a_ticket_opens_one_page_only(sams_device: Client, sam_in: StudentSession, tia_in: StudentSession):
    assert sams_device.get(f"/s/{tia_in.pk}/").status_code == 404
    sams_device.cookies[enrolment.cookie_name(tia_in.pk)] = enrolment.ticket_sign(sam_in)
    assert sams_device.get(f"/s/{tia_in.pk}/").status_code == 404


def test_an_older_device_is_told(sams_device: Client, sam_in: StudentSession):
    StudentSession.objects.filter(pk=sam_in.pk).update(cookie_version=2)
    response = sams_device.get(f"/s/{sam_in.pk}/")
    assert (response.status_code, b"You go on with another device" in response.content) == (409, True)


def test_who_was_taken_out_is_told(sams_device: Client, session: LiveSession, alice: User, sam_in: StudentSession):
    enrolment.member_remove(session, student_session=sam_in.pk, by=alice)
    response = sams_device.get(f"/s/{sam_in.pk}/")
    assert (response.status_code, b"You are no longer in this class" in response.content) == (403, True)


def test_after_the_end_the_page_says_so_for_a_day(sams_device: Client, session: LiveSession, sam_in: StudentSession):
    lifecycle.session_end(session, by=session.teacher)
    assert sams_device.get(f"/s/{sam_in.pk}/").context["config"]["state"]["me"]["step"] == "ended"
    long_ago = "2020-01-01T00:00:00Z"
    LiveSession.objects.filter(pk=session.pk).update(configured_at=long_ago, started_at=None, ended_at=long_ago)
    assert sams_device.get(f"/s/{sam_in.pk}/").status_code == 410


def test_the_page_is_only_read(sams_device: Client, sam_in: StudentSession):
    assert sams_device.post(f"/s/{sam_in.pk}/").status_code == 405


class Serving:
    """A server at its bounds: nothing more is taken."""

    def __init__(self, failure: type[Exception]) -> None:
        self._failure = failure

    async def in_thread(self, *_work: object) -> None:
        raise self._failure


@pytest.mark.parametrize("failure", [Busy, OperationalError])
async def test_a_post_that_the_server_cannot_take_now_is_to_come_again(
    monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
):
    member = StudentSession(pk=uuid.uuid4())
    request = AsyncRequestFactory().post(
        f"/s/{member.pk}/events",
        '{"events": []}',
        content_type="application/json",
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    request.COOKIES[enrolment.cookie_name(member.pk)] = enrolment.ticket_sign(member)
    monkeypatch.setattr(student, "services", lambda: Serving(failure))
    response = await student.events(request, member.pk)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert json.loads(response.content)["error"]["code"] == "busy"
