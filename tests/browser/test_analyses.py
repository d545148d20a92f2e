"""An analysis in a real browser: from an insight back to the words, and coding by keyboard."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from analytics_app.models import Analysis
from analytics_app.qualitative import runs, texts
from analytics_app.qualitative.pipeline import run
from sessions_app.models import Coding, User
from tests.browser.conftest import Windows, next_page
from tests.browser.test_every_page import look_over

pytestmark = pytest.mark.browser

CHAPTER = Path(__file__).parent.parent / "analytics_app" / "qualitative" / "data" / "douglass_1845_chapter_7.txt"


@pytest.fixture
def chapter(server: Any, rosa: User, settings: Any) -> Analysis:
    """A chapter that Rosa had analysed; the result lies where the server looks for it."""
    options = {"location": settings.LYCEUM_HOME / "analyses", "base_url": None, "allow_overwrite": True}
    kept = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "analyses": kept}
    corpus = texts.corpus_of_files(rosa, [("Douglass 1845, chapter VII.txt", CHAPTER.read_bytes())])
    analysis = run(runs.analysis_create(corpus, seed=1, defer=False).pk)
    assert analysis is not None
    return analysis


def test_an_insight_leads_back_to_the_words(windows: Windows, rosa: User, chapter: Analysis) -> None:
    page = windows.desk(rosa)
    page.goto(f"/research/analyses/{chapter.pk}/")
    page.locator(".tells .items a", has_text="making friends of all the little white boys whom I").click()
    page.wait_for_url("**/?at=i*")
    expect(page.locator(".words mark").first).to_be_visible()
    assert "making friends of all the little white boys" in page.locator(".words").inner_text()
    expect(page.locator(".pattern.linked")).to_have_count(1)
    page.locator(".pattern.linked .items li.linked a").first.click()
    expect(page.locator(".words mark")).to_have_count(1)
    assert windows.complaints == []


def test_codes_are_given_by_keyboard(windows: Windows, rosa: User, chapter: Analysis) -> None:
    page = windows.desk(rosa)
    page.goto(f"/research/analyses/{chapter.pk}/codes/")
    with next_page(page):
        page.get_by_role("button", name="Start from the draft").click()
    expect(page.locator("[data-mine]")).to_have_text("31")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    with page.expect_response("**/codes/assign"):
        page.keyboard.press("Backspace")
    expect(page.locator("[data-mine]")).to_have_text("30")
    with page.expect_response("**/codes/assign"):
        page.keyboard.press("2")
    expect(page.locator("[data-mine]")).to_have_text("31")
    assert Coding.objects.filter(coder=rosa).count() == 31
    assert windows.complaints == []


@pytest.mark.parametrize("address", ["", "{pk}/", "{pk}/?at=p1", "{pk}/codes/", "new/"])
def test_every_page_of_analyses_holds_on_a_phone(windows: Windows, rosa: User, chapter: Analysis, address: str) -> None:
    look_over(windows.desk(rosa, width=390), f"/research/analyses/{address.format(pk=chapter.pk)}")


def test_on_a_phone_the_menu_shows_where_one_is_and_the_page_stays_at_its_anchor(
    windows: Windows, rosa: User, chapter: Analysis
) -> None:
    page = windows.desk(rosa, width=390)
    page.goto(f"/research/analyses/{chapter.pk}/?at=p2#texts")
    assert page.evaluate("document.querySelector('.masthead nav').scrollLeft") > 0
    expect(page.locator("#texts")).to_be_in_viewport()
