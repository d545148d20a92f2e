"""Joining from a browser: code, start, name; and a second device."""

import pytest
from django.test import Client

from sessions_app import enrolment, join_codes, lifecycle
from sessions_app.models import JoinFailures, LiveSession, StudentSession, TakeoverRequest, User
from tests.cast import make_session, story

pytestmark = pytest.mark.django_db


def seat(session: LiveSession, label: str) -> str:
    return str(session.school_class.memberships.get(label=label).pk)


def press_start(client: Client, session: LiveSession) -> None:
    response = client.post(f"/join/{session.join_code}/")
    assert response.status_code == 302


def choose(client: Client, session: LiveSession, label: str, **more: str):
    return client.post(f"/join/{session.join_code}/name/", {"seat": seat(session, label), **more})


def join_by_browser(client: Client, session: LiveSession, label: str):
    press_start(client, session)
    return choose(client, session, label)


def test_the_code_page_asks_for_a_code(client: Client):
    response = client.get("/join/")
    assert (response.status_code, response.templates[0].name) == (200, "join/code.html")


def test_a_code_leads_to_its_session_however_it_is_typed(client: Client, session: LiveSession):
    typed = join_codes.readable(session.join_code).lower()
    assert client.post("/join/", {"code": typed}).url == f"/join/{session.join_code}/"


def test_a_wrong_code_stays_in_the_field(client: Client, session: LiveSession):
    response = client.post("/join/", {"code": "WRONG <b>"})
    assert (response.status_code, response.context["code"]) == (404, "WRONG <b>")
    assert b"There is no session with that code" in response.content
    assert b"<b>" not in response.content.split(b'name="code"')[1].split(b">")[0]
    assert JoinFailures.objects.get().failures == 1


def test_the_code_of_a_session_that_ended_says_so(client: Client, started: LiveSession):
    lifecycle.session_end(started, by=started.teacher)
    response = client.post("/join/", {"code": started.join_code})
    assert (response.status_code, b"This session has ended" in response.content) == (410, True)
    assert client.get(f"/join/{started.join_code}/").status_code == 410


def test_too_many_wrong_codes_are_a_pause(client: Client, session: LiveSession, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(join_codes, "FAILURES_ALLOWED", 1)
    client.get("/join/ZZZZZZZZ/")
    for response in (client.get(f"/join/{session.join_code}/"), client.post("/join/", {"code": session.join_code})):
        assert (response.status_code, b"Wait ten minutes" in response.content) == (429, True)


@pytest.mark.parametrize("code", ["%00", "%F0%9F%99%82", "x" * 500, "..%2f"])
def test_what_cannot_be_a_code_is_a_wrong_code(client: Client, session: LiveSession, code: str):
    assert client.get(f"/join/{code}/").status_code == 404


def test_opening_a_link_changes_nothing(client: Client, session: LiveSession):
    response = client.get(f"/join/{session.join_code}/")
    assert (response.status_code, response.templates[0].name) == (200, "join/start.html")
    assert not response.cookies.keys() & {"joining"}
    assert story(session) == ["configured"]


def test_names_are_not_shown_to_whoever_merely_has_a_link(client: Client, session: LiveSession):
    response = client.get(f"/join/{session.join_code}/name/")
    assert (response.status_code, response.url) == (302, f"/join/{session.join_code}/")


def test_start_leads_to_the_names(client: Client, session: LiveSession, sam_in: StudentSession):
    press_start(client, session)
    response = client.get(f"/join/{session.join_code}/name/")
    assert [(s.label, s.taken) for s in response.context["seats"]] == [("Sam", True), ("Tia", False)]
    assert b"Canary" not in response.content


def test_starting_one_session_does_not_show_the_names_of_another(client: Client, session: LiveSession, charlie, umi):
    theirs = make_session(charlie, umi.classes.get())
    press_start(client, session)
    assert client.get(f"/join/{theirs.join_code}/name/").status_code == 302
    assert client.get("/join/%00/name/").status_code == 302


def test_a_name_leads_to_the_students_page_with_a_ticket(client: Client, session: LiveSession):
    response = join_by_browser(client, session, "Sam")
    member = StudentSession.objects.get()
    assert (response.status_code, response.url, member.label) == (302, f"/s/{member.pk}/", "Sam")
    cookie = response.cookies[enrolment.cookie_name(member.pk)]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["secure"]) == (True, "Lax", "/", "")
    assert cookie["max-age"] == 2 * 24 * 3600
    assert client.get(response.url).status_code == 200


def test_the_ticket_is_secure_where_the_site_is(client: Client, session: LiveSession, settings):
    settings.JOIN_COOKIE_SECURE = True
    response = join_by_browser(client, session, "Sam")
    assert response.cookies[enrolment.cookie_name(StudentSession.objects.get().pk)]["secure"] is True


def test_a_name_that_is_pressed_twice_is_joined_once(client: Client, session: LiveSession):
    first = join_by_browser(client, session, "Sam")
    assert choose(client, session, "Sam").url == first.url
    assert story(session) == ["configured", "member_join"]


def test_a_device_that_has_joined_may_go_on(client: Client, session: LiveSession):
    page = join_by_browser(client, session, "Sam").url
    response = client.get(f"/join/{session.join_code}/")
    assert response.context["member"].label == "Sam"
    assert f'href="{page}"'.encode() in response.content


def test_two_students_may_share_a_device(client: Client, session: LiveSession):
    pages = [join_by_browser(client, session, label).url for label in ("Sam", "Tia")]
    assert [client.get(page).context["label"] for page in pages] == ["Sam", "Tia"]


@pytest.mark.parametrize("chosen", ["", "nonsense", "0190b1f4-0000-7000-8000-000000000000"])
def test_a_name_that_is_not_on_the_list_is_refused(client: Client, session: LiveSession, chosen: str):
    press_start(client, session)
    response = client.post(f"/join/{session.join_code}/name/", {"seat": chosen})
    assert (response.status_code, len(response.context["seats"])) == (400, 2)
    assert b"That name is not in this class" in response.content


def test_a_full_session_says_so_and_keeps_the_names(client: Client, alice: User, grade_four, sam, tia):
    small = make_session(alice, grade_four, capacity=1)
    join_by_browser(Client(), small, "Sam")
    response = join_by_browser(client, small, "Tia")
    assert (response.status_code, b"This session is full" in response.content) == (409, True)
    assert [s.label for s in response.context["seats"]] == ["Sam", "Tia"]


def test_a_session_that_ended_meanwhile_says_so(client: Client, session: LiveSession):
    press_start(client, session)
    lifecycle.session_end(session, by=session.teacher)
    for response in (client.get(f"/join/{session.join_code}/name/"), choose(client, session, "Sam")):
        assert (response.status_code, response.templates[0].name) == (410, "join/closed.html")


def test_a_name_that_is_taken_asks_whether_that_is_you(client: Client, session: LiveSession, sam_in):
    response = join_by_browser(client, session, "Sam")
    assert (response.status_code, response.context["taken"].label) == (409, "Sam")
    assert not TakeoverRequest.objects.exists()


def ask_to_take_over(client: Client, session: LiveSession) -> TakeoverRequest:
    press_start(client, session)
    response = choose(client, session, "Sam", takeover="1")
    assert response.url == f"/join/{session.join_code}/waiting/"
    return TakeoverRequest.objects.latest("id")


def test_a_new_device_waits_for_the_teacher(client: Client, session: LiveSession, sam_in):
    ask_to_take_over(client, session)
    page = client.get(f"/join/{session.join_code}/waiting/")
    assert (page.context["decision"], page.context["label"]) == ("pending", "Sam")
    assert client.get(page.context["check_url"]).json() == {"decision": "pending", "next": None}


def test_a_new_device_goes_on_when_the_teacher_says_yes(client: Client, session: LiveSession, alice: User):
    older = Client()
    page = join_by_browser(older, session, "Sam").url
    asked = ask_to_take_over(client, session)
    enrolment.takeover_decide(session, request=asked.pk, granted=True, by=alice)
    answer = client.get(f"/join/{session.join_code}/waiting/check")
    assert answer.json() == {"decision": "granted", "next": page}
    assert client.get(page).status_code == 200
    refused = older.get(page)
    assert (refused.status_code, b"another device" in refused.content) == (409, True)


def test_without_javascript_the_waiting_page_itself_goes_on(client: Client, session: LiveSession, alice: User, sam_in):
    asked = ask_to_take_over(client, session)
    enrolment.takeover_decide(session, request=asked.pk, granted=True, by=alice)
    response = client.get(f"/join/{session.join_code}/waiting/")
    assert response.url == f"/s/{sam_in.pk}/"
    assert client.get(response.url).status_code == 200


def test_a_new_device_is_told_when_the_teacher_says_no(client: Client, session: LiveSession, alice: User, sam_in):
    asked = ask_to_take_over(client, session)
    enrolment.takeover_decide(session, request=asked.pk, granted=False, by=alice)
    assert client.get(f"/join/{session.join_code}/waiting/check").json()["decision"] == "refused"
    page = client.get(f"/join/{session.join_code}/waiting/")
    assert (page.context["decision"], b"Not on this device" in page.content) == ("refused", True)


def test_asking_twice_is_one_question(client: Client, session: LiveSession, sam_in):
    assert ask_to_take_over(client, session) == ask_to_take_over(client, session)
    assert TakeoverRequest.objects.count() == 1


def test_the_waiting_page_of_a_session_that_ended_says_so(client: Client, session: LiveSession, sam_in):
    ask_to_take_over(client, session)
    lifecycle.session_end(session, by=session.teacher)
    assert client.get(f"/join/{session.join_code}/waiting/check").json() == {"decision": "over", "next": None}
    assert client.get(f"/join/{session.join_code}/waiting/").status_code == 410


def test_who_asked_nothing_waits_for_nothing(client: Client, session: LiveSession):
    assert client.get(f"/join/{session.join_code}/waiting/").url == f"/join/{session.join_code}/"
    assert client.get(f"/join/{session.join_code}/waiting/check").json()["decision"] == "over"


def test_a_cookie_that_was_not_signed_here_shows_no_names(client: Client, session: LiveSession):
    client.cookies["joining"] = f'["4f1c","{session.pk.hex}",null]:1vXYZ:forged'
    assert client.get(f"/join/{session.join_code}/name/").status_code == 302


@pytest.mark.parametrize("step", ["", "name/", "waiting/"])
def test_joining_needs_no_other_verbs(client: Client, session: LiveSession, step: str):
    assert client.put(f"/join/{session.join_code}/{step}").status_code == 405


def test_a_form_from_elsewhere_joins_nobody(session: LiveSession):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(f"/join/{session.join_code}/").status_code == 403
    assert story(session) == ["configured"]
