"""Administrators look at study material as a student sees it, in a real browser; nothing is sent."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from sessions_app.models import Assessment, Exchange, SessionEvent, Study, User
from tests.browser.conftest import Windows

pytestmark = pytest.mark.browser

LOOKS = os.environ.get("LYCEUM_LOOKS", "")
"""A directory to keep a picture of every preview in; nothing is kept without it."""


@pytest.fixture
def desk(transactional_db: None, windows: Windows, ironworks: Study, ada: User) -> Page:
    for material in (ironworks.content, ironworks.final_form, ironworks.question_set, ironworks.survey):
        assert material is not None
        material.school = ada.school
        material.save(update_fields=["school"])
    return windows.desk(ada, width=390)


def look(page: Page, what: str) -> None:
    for scheme in ("light", "dark"):
        if LOOKS:
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=Path(LOOKS) / f"preview-{what}-{scheme}.png")


def test_every_kind_is_shown_as_on_a_students_page(desk: Page, windows: Windows, ironworks: Study):
    def open_preview(material: object, kind: str) -> None:
        desk.goto(f"{windows.origin}/admin/sessions_app/{kind}/{material.pk}/preview")

    open_preview(ironworks.content, "content")
    expect(desk.locator(".passage")).to_be_visible()
    expect(desk.locator(".passage")).to_contain_text("The river drove the wheels of part 1.")
    look(desk, "content")

    open_preview(ironworks.final_form, "assessmentform")
    expect(desk.get_by_role("heading", name="What did the works make? (1)")).to_be_visible()
    look(desk, "form")
    for _ in range(3):
        desk.get_by_label("iron").check()
        desk.locator("#go").click()
    desk.locator("#pager-fields textarea").fill("The river.")
    desk.locator("#go").click()
    desk.get_by_role("button", name="Hand in").click()
    expect(desk.locator("#preview-over")).to_contain_text("Nothing was kept")
    look(desk, "over")

    open_preview(ironworks.question_set, "questionset")
    for number in (1, 2, 3):
        expect(desk.locator("main")).to_contain_text(f"Question 1.{number}?")
        look(desk, f"questions-{number}")
        desk.locator("textarea:visible").fill("Because of the river.")
        desk.locator("#go").click()
    expect(desk.locator("#preview-over")).to_be_visible()
    desk.get_by_role("link", name="After part 2").click()
    expect(desk.locator("main")).to_contain_text("Question 2.1?")

    open_preview(ironworks.survey, "surveyform")
    expect(desk.locator("#pager-title")).to_be_visible()
    look(desk, "survey")
    assert not (Assessment.objects.exists() or Exchange.objects.exists() or SessionEvent.objects.exists())
