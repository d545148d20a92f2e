"""What holds on every page: one heading, a name for every control, no inline style, and room on a phone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from sessions_app.models import LiveSession, SchoolClass, Student, Study, User
from tests.browser.conftest import Windows, next_page

pytestmark = pytest.mark.browser

CONTROLS = "button|link|textbox|combobox|checkbox|radio|spinbutton"
NAMELESS = re.compile(rf"^\s*- (?:{CONTROLS})(?: \[[^\]]*\])*:?$", re.MULTILINE)
TWICE = """() => {
  const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
  return ids.filter((id, at) => ids.indexOf(id) !== at);
}"""


def look_over(page: Page, address: str) -> None:
    answer = page.goto(address)
    assert answer is not None
    assert " style=" not in answer.text()
    page.wait_for_load_state("networkidle")
    expect(page.locator("h1:visible")).to_have_count(1)
    assert NAMELESS.findall(page.locator("body").aria_snapshot()) == []
    assert page.evaluate(TWICE) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.evaluate("document.documentElement.lang") == "en"


TEACHERS: dict[str, Callable[[LiveSession, SchoolClass], str]] = {
    "home": lambda session, school_class: "/teach/",
    "sessions": lambda session, school_class: "/teach/sessions/",
    "new session": lambda session, school_class: "/teach/sessions/new/",
    "board": lambda session, school_class: f"/teach/sessions/{session.pk}/",
    "code": lambda session, school_class: f"/teach/sessions/{session.pk}/code/",
    "classes": lambda session, school_class: "/teach/classes/",
    "class": lambda session, school_class: f"/teach/classes/{school_class.pk}/",
    "import": lambda session, school_class: f"/teach/classes/{school_class.pk}/import/",
    "password": lambda session, school_class: "/accounts/password/",
    "no such page": lambda session, school_class: "/teach/nothing/",
}


@pytest.mark.usefixtures("sam_in")
@pytest.mark.parametrize("name", TEACHERS)
def test_a_teachers_page(
    windows: Windows, session: LiveSession, alice: User, grade_four: SchoolClass, name: str
) -> None:
    look_over(windows.desk(alice, width=390), TEACHERS[name](session, grade_four))


@pytest.mark.parametrize("name", ["", "{code}/", "{code}/name/"])
def test_a_page_of_joining(windows: Windows, session: LiveSession, name: str) -> None:
    page = windows.phone()
    page.goto(f"/join/{session.join_code}/")
    with next_page(page):
        page.get_by_role("button", name="Press start").click()
    look_over(page, "/join/" + name.format(code=session.join_code))


def test_signing_in(windows: Windows) -> None:
    look_over(windows.phone(), "/accounts/login/")


def test_a_researchers_page(windows: Windows, rosa: User, study: Study) -> None:
    look_over(windows.desk(rosa, width=390), "/research/")


def test_a_figure_is_drawn_again_when_the_colour_scheme_changes(
    windows: Windows, started: LiveSession, alice: User, sam: Student
) -> None:
    windows.student(started, sam)
    page = windows.desk(alice)
    page.emulate_media(color_scheme="light")
    look_over(page, f"/teach/sessions/{started.pk}/report/")
    expect(page.locator("[data-figure]")).to_have_attribute("data-drawn", "light")
    page.emulate_media(color_scheme="dark")
    expect(page.locator("[data-figure]")).to_have_attribute("data-drawn", "dark")
    expect(page.locator("[data-figure] .canvas svg").first).to_be_visible()
