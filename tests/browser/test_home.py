"""The teacher's home changes while it is looked at."""

import pytest
from playwright.sync_api import expect

from sessions_app import lifecycle
from sessions_app.models import LiveSession, Student, User
from tests.browser.conftest import Windows

pytestmark = pytest.mark.browser

LOOKED_AT_AGAIN = "document.dispatchEvent(new Event('visibilitychange'))"


def test_what_runs_is_shown_anew_without_loading_the_page(
    windows: Windows, started: LiveSession, alice: User, sam: Student
) -> None:
    home = windows.desk(alice)
    home.goto("/teach/")
    expect(home.locator(".live-now")).to_contain_text("0 of 0")
    home.get_by_role("link", name="Open the board").focus()
    windows.student(started, sam)
    home.evaluate(LOOKED_AT_AGAIN)
    expect(home.locator(".live-now")).to_contain_text("1 of 1")
    expect(home.get_by_role("link", name="Open the board")).to_be_focused()
    lifecycle.session_end(started, by=alice)
    home.evaluate(LOOKED_AT_AGAIN)
    expect(home.get_by_text("No session is running.")).to_be_visible()
    expect(home.locator("#running")).to_have_text("0 sessions running")


def test_a_home_whose_teacher_has_signed_out_asks_to_sign_in(
    windows: Windows, started: LiveSession, alice: User
) -> None:
    home = windows.desk(alice)
    home.goto("/teach/")
    home.context.clear_cookies()
    home.evaluate(LOOKED_AT_AGAIN)
    home.wait_for_url("**/accounts/login/?next=/teach/")
