"""A student with a phone: joining, and losing nothing."""

import re

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from sessions_app.models import Consent, ConsentState, LiveSession, SchoolClass, SessionEvent, Student, User
from tests.browser.conftest import Windows, next_page, soon
from tests.cast import make_student

pytestmark = pytest.mark.browser


def kept(page: Page) -> Locator:
    """The line that says where the student's work is."""
    return page.locator("#kept b")


def written(kind: str) -> int:
    return SessionEvent.objects.filter(event_type=kind).count()


def saved(page: Page, kind: str) -> None:
    """What was done on the page is in the timeline, once, and the page says so."""
    soon(page, lambda: written(kind))
    expect(kept(page)).to_have_text("Saved")
    assert written(kind) == 1


def test_a_student_joins_with_a_code_and_says_that_they_are_ready(
    windows: Windows, session: LiveSession, sam: Student
) -> None:
    page = windows.phone()
    page.goto("/join/")
    page.get_by_label("Code on the board").fill(f"{session.join_code[:4].lower()} {session.join_code[4:]}")
    with next_page(page):
        page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Press start").click()
    page.get_by_text("Sam", exact=True).click()
    page.get_by_role("button", name="That is me").click()
    page.get_by_role("button", name="I am ready").click()
    expect(page.get_by_role("heading", name="You are ready")).to_be_visible()
    saved(page, "ready")


def test_a_code_that_nobody_has_is_answered_in_words_and_stays_in_the_field(
    windows: Windows, session: LiveSession
) -> None:
    page = windows.phone()
    page.goto("/join/")
    page.get_by_label("Code on the board").fill("2222 2222")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("no session with that code")
    assert page.get_by_label("Code on the board").input_value() == "2222 2222"


def test_a_link_that_a_chat_app_opens_joins_nobody(windows: Windows, session: LiveSession) -> None:
    page = windows.phone()
    page.goto(f"/join/{session.join_code}/")
    expect(page.get_by_role("button", name="Press start")).to_be_visible()
    assert written("member_join") == 0


def test_a_student_without_consent_is_asked_first(
    windows: Windows, session: LiveSession, grade_four: SchoolClass
) -> None:
    vera = make_student(grade_four, "Vera", consented=False)
    page = windows.student(session, vera)
    page.get_by_role("button", name="Yes, I take part").click()
    expect(page.get_by_role("heading", name="You are in")).to_be_visible()
    assert ConsentState.objects.get(student=vera, purpose=Consent.Purpose.PARTICIPATION).granted


def test_who_only_listens_may_change_their_mind(
    windows: Windows, session: LiveSession, grade_four: SchoolClass
) -> None:
    page = windows.student(session, make_student(grade_four, "Vera", consented=False))
    page.get_by_role("button", name="No, I only listen").click()
    page.get_by_role("button", name="I do want to take part").click()
    expect(page.get_by_role("heading", name="You are in")).to_be_visible()


def test_what_is_done_in_a_dead_zone_arrives_when_it_is_over(
    windows: Windows, started: LiveSession, sam: Student
) -> None:
    page = windows.student(started, sam)
    page.context.set_offline(True)
    page.wait_for_selector("body[data-link=lost]")
    page.get_by_role("button", name="About half").click()
    expect(kept(page)).to_have_text("Kept on this device")
    assert written("progress") == 0
    page.context.set_offline(False)
    saved(page, "progress")


def test_what_was_not_acknowledged_survives_a_reload(windows: Windows, started: LiveSession, sam: Student) -> None:
    page = windows.student(started, sam)
    deaf = True

    def pass_on(route: WebSocketRoute) -> None:
        there = route.connect_to_server()
        route.on_message(lambda message: None if deaf and "progress" in str(message) else there.send(message))

    page.route_web_socket(re.compile("/student/"), pass_on)
    page.reload()
    page.wait_for_selector("body[data-link=live]")
    page.get_by_role("button", name="Done", exact=True).click()
    expect(kept(page)).to_have_text("Kept on this device")
    assert written("progress") == 0
    deaf = False
    page.reload()
    saved(page, "progress")


def test_the_student_sees_the_start_and_the_end_of_the_class(
    windows: Windows, session: LiveSession, alice: User, sam: Student
) -> None:
    page = windows.student(session, sam)
    board = windows.board(alice, session)
    board.get_by_role("button", name="Start session").click()
    expect(page.get_by_role("heading", name="The class has begun")).to_be_visible()
    board.get_by_role("button", name="End session").click()
    board.locator("#end").get_by_role("button", name="End session").click()
    expect(page.get_by_role("heading", name="The class is over")).to_be_visible()
    expect(kept(page)).to_have_text("Saved")


def test_an_attention_check_takes_the_focus_and_is_answered(
    windows: Windows, started: LiveSession, alice: User, sam: Student
) -> None:
    page = windows.student(started, sam)
    windows.board(alice, started).get_by_role("button", name="Attention check").click()
    answer = page.get_by_role("button", name="I am here")
    expect(answer).to_be_focused()
    answer.press("Enter")
    expect(answer).to_be_hidden()
    saved(page, "attention_confirmed")


def test_no_page_of_a_student_is_wider_than_a_small_phone(windows: Windows, session: LiveSession, sam: Student) -> None:
    page = windows.student(session, sam)
    for address in (page.url, "/join/", f"/join/{session.join_code}/", f"/join/{session.join_code}/name/"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), address
