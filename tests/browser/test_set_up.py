"""Setting a session up in a browser: a draft is kept while it is typed, and ends on its code."""

import pytest
from playwright.sync_api import expect

from sessions_app.models import LiveSession, Passage, School, SchoolClass, Student, User
from tests.browser.conftest import Windows, next_page

pytestmark = pytest.mark.browser


def test_a_draft_is_kept_while_it_is_typed_and_ends_on_the_code(
    windows: Windows, alice: User, grade_four: SchoolClass, sam: Student
) -> None:
    Passage.objects.create(school=alice.school, title="Boats", text="Boats come.")
    page = windows.desk(alice)
    page.goto("/teach/sessions/new/")
    page.get_by_label("Title").fill("Canals")
    page.get_by_label("Activity").select_option("reading")
    page.get_by_label("Class").select_option(label=grade_four.name)
    with next_page(page):
        page.get_by_role("button", name="Keep as a draft").click()
    with page.expect_response("**/draft/"):
        page.get_by_label("Room").fill("204")
    expect(page.locator("#kept")).to_contain_text("Kept at")
    draft = LiveSession.objects.get()
    assert draft.room == "204"
    with next_page(page):
        page.get_by_role("button", name="Finish and show the code").click()
    expect(page.get_by_role("main")).to_contain_text("passage")
    page.get_by_label("Passage").select_option(index=1)
    page.get_by_role("button", name="Finish and show the code").click()
    page.wait_for_selector("body[data-link=live]")
    draft.refresh_from_db()
    assert page.locator(".invite .code").inner_text().replace(" ", "") == draft.join_code


def test_a_value_that_cannot_be_kept_is_said_beside_the_rest(windows: Windows, school: School, alice: User) -> None:
    draft = LiveSession.objects.create(school=school, teacher=alice, title="Canals", activity="reading")
    page = windows.desk(alice)
    page.goto(f"/teach/sessions/{draft.pk}/draft/")
    page.get_by_label("Places").fill("900")
    expect(page.locator("#kept")).to_contain_text("Not all of it is kept")


def test_signing_in_by_hand_opens_the_home_of_the_role(windows: Windows, alice: User) -> None:
    page = windows.phone()
    page.goto("/accounts/login/")
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill("wrong")
    with next_page(page):
        page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not match")
    page.get_by_label("Password").fill("a long enough passphrase")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/teach/")
