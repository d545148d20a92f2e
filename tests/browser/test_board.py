"""The teacher's live board in a browser: what arrives, what the teacher does, and a connection that comes back."""

import pytest
from playwright.sync_api import Locator, Page, expect

from sessions_app.models import LiveSession, Student, StudentSession, User
from tests.browser.conftest import Windows
from tests.browser.test_student_page import saved

pytestmark = pytest.mark.browser


def row(page: Page, student: Student) -> Locator:
    return page.locator(".row", has_text=student.label)


def group(page: Page, number: int) -> Locator:
    return page.locator(".group", has=page.get_by_role("heading", name=f"Group {number}"))


def test_a_student_who_joins_appears_at_once(windows: Windows, session: LiveSession, alice: User, sam: Student) -> None:
    board = windows.board(alice, session)
    expect(board.get_by_role("heading", name="Nobody has joined yet")).to_be_visible()
    windows.student(session, sam)
    expect(row(board, sam)).to_be_visible()
    expect(board.locator("#timeline")).to_contain_text("Sam joined")


def test_the_board_says_that_it_is_lost_keeps_what_it_has_and_catches_up(
    windows: Windows, started: LiveSession, alice: User, sam: Student
) -> None:
    board, page = windows.board(alice, started), windows.student(started, sam)
    expect(row(board, sam)).to_be_visible()
    board.context.set_offline(True)
    expect(board.locator("#link-banner")).to_contain_text("Connection lost at")
    page.get_by_role("button", name="About half").click()
    saved(page, "progress")
    expect(row(board, sam)).to_be_visible()
    board.context.set_offline(False)
    expect(row(board, sam)).to_contain_text("50 %")
    expect(board.locator("#link-banner")).to_contain_text("came in meanwhile")


def test_a_reload_shows_the_same_timeline(
    windows: Windows, session: LiveSession, alice: User, sam_in: StudentSession
) -> None:
    board = windows.board(alice, session)
    before = board.locator("#timeline li").all_inner_texts()
    board.reload()
    board.wait_for_selector("body[data-link=live]")
    assert before
    expect(board.locator("#timeline li")).to_have_text(before, use_inner_text=True)


def test_a_student_is_moved_by_keyboard(
    windows: Windows, session: LiveSession, alice: User, sam: Student, sam_in: StudentSession
) -> None:
    board = windows.board(alice, session)
    board.keyboard.press("j")
    expect(row(board, sam)).to_be_focused()
    board.keyboard.press("m")
    board.keyboard.press("ArrowDown")
    expect(group(board, 1)).to_contain_text("Sam")
    board.keyboard.press("Enter")
    expect(group(board, 2)).to_contain_text("Sam")


def test_a_student_is_moved_by_dragging(
    windows: Windows, session: LiveSession, alice: User, sam: Student, sam_in: StudentSession
) -> None:
    board = windows.board(alice, session)
    expect(group(board, 1)).to_contain_text("Sam")
    row(board, sam).drag_to(group(board, 2))
    expect(group(board, 2)).to_contain_text("Sam")


def test_letters_can_be_turned_off(windows: Windows, session: LiveSession, alice: User, sam_in: StudentSession) -> None:
    board = windows.board(alice, session)
    board.get_by_label("Letters as keys").uncheck()
    board.locator("h1").click()
    board.keyboard.press("j")
    expect(board.locator(".row.sel")).to_have_count(0)


def test_groups_are_made_anew(windows: Windows, session: LiveSession, alice: User, sam_in: StudentSession) -> None:
    board = windows.board(alice, session)
    board.get_by_role("spinbutton", name="Groups").fill("3")
    board.get_by_role("button", name="Make groups").click()
    expect(board.get_by_role("heading", name="Group 3")).to_be_visible()


def test_a_second_device_takes_over_when_the_teacher_says_so(
    windows: Windows, session: LiveSession, alice: User, sam: Student
) -> None:
    first, board = windows.student(session, sam), windows.board(alice, session)
    second = windows.phone()
    second.goto(f"/join/{session.join_code}/")
    second.get_by_role("button", name="Press start").click()
    second.get_by_text("Sam", exact=True).click()
    second.get_by_role("button", name="That is me").click()
    second.get_by_role("button", name="That is me, on a new device").click()
    board.get_by_role("button", name="Yes, it is them").click()
    expect(second.get_by_role("heading", name="You are in")).to_be_visible()
    expect(first.get_by_role("heading", name="You go on somewhere else")).to_be_visible()


def test_a_student_who_is_taken_out_is_told_so(
    windows: Windows, session: LiveSession, alice: User, sam: Student
) -> None:
    page, board = windows.student(session, sam), windows.board(alice, session)
    row(board, sam).click()
    board.get_by_role("button", name="Take out").click()
    board.locator("#take-out").get_by_role("button", name="Take out").click()
    expect(page.get_by_role("heading", name="You are no longer in this class")).to_be_visible()
    expect(row(board, sam)).to_have_count(0)


def test_a_student_who_was_taken_out_is_let_back_in(
    windows: Windows, session: LiveSession, alice: User, sam: Student, sam_in: StudentSession
) -> None:
    board = windows.board(alice, session)
    row(board, sam).click()
    board.get_by_role("button", name="Take out").click()
    board.locator("#take-out").get_by_role("button", name="Take out").click()
    board.get_by_role("button", name="Let Sam back in").click()
    expect(board.locator("#removed")).to_be_hidden()
    expect(row(board, sam)).to_contain_text("left")
    expect(board.locator("#timeline")).to_contain_text("was let back in")
    windows.student(session, sam)
    expect(row(board, sam)).to_contain_text("waiting")


def test_a_refused_decision_is_said_in_words(windows: Windows, session: LiveSession, alice: User) -> None:
    board = windows.board(alice, session)
    board.route(
        "**/groups", lambda route: route.fulfill(status=409, json={"error": {"code": "x", "message": "Not now."}})
    )
    board.get_by_role("button", name="Make groups").click()
    expect(board.locator("#toasts")).to_contain_text("Not now.")


def test_the_board_fits_a_phone(windows: Windows, session: LiveSession, alice: User, sam_in: StudentSession) -> None:
    board = windows.desk(alice, width=390)
    board.goto(f"/teach/sessions/{session.pk}/")
    board.wait_for_selector(".row")
    assert board.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
