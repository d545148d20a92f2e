"""Language practice in a browser: a teacher hands out a code, a student opens their page; and the page of the API."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from sessions_app import learners
from sessions_app.models import SchoolClass, SessionResult, Student, User
from tests.browser.conftest import Windows
from tests.browser.test_every_page import look_over

pytestmark = pytest.mark.browser


@pytest.fixture
def practised(sam: Student) -> Student:
    """Sam practised yesterday and the day before."""
    learner = learners.learner_of(sam)
    for days, score in ((2, 70), (1, 80)):
        SessionResult.objects.create(
            learner=learner, session_type="conversation", duration_seconds=300, words_spoken=90, fluency_score=score,
            topics=["travel"], vocabulary_learned=["river"], areas_to_improve=["articles"],
            created_at=timezone.now() - timedelta(days=days),
        )  # fmt: skip
    return sam


def test_a_code_opens_the_students_own_page(
    windows: Windows, alice: User, grade_four: SchoolClass, practised: Student
) -> None:
    page = windows.desk(alice)
    look_over(page, f"/teach/classes/{grade_four.pk}/practice/")
    expect(page.locator("[data-figure][data-drawn] .canvas svg").first).to_be_visible()
    page.get_by_role("button", name="Code for Sam").click()
    code = page.locator(".slips .code").inner_text()
    phone = windows.phone()
    look_over(phone, "/practice/")
    phone.get_by_label("Code from your teacher").fill(code)
    phone.get_by_role("button", name="Open my page").click()
    expect(phone.get_by_role("heading", name="Your practice")).to_be_visible()
    look_over(phone, "/practice/progress/?period=month")
    expect(phone.locator(".figures")).to_contain_text("180")
    phone.get_by_role("button", name="Close my page").click()
    expect(phone.get_by_label("Code from your teacher")).to_be_visible()


@pytest.mark.parametrize("path", ["practice", "data"])
def test_a_students_pages_fit_a_phone(windows: Windows, alice: User, practised: Student, path: str) -> None:
    look_over(windows.desk(alice, width=390), f"/teach/students/{practised.pk}/{path}/")


def test_the_description_of_the_api_is_drawn_under_the_security_policy(windows: Windows, db: None) -> None:
    page = windows.open_phone(width=1280, height=900)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/docs")
    expect(page.locator(".opblock-tag", has_text="Sessions").first).to_be_visible()
    page.locator("#operations-Sessions-sessions_save .opblock-summary-control").click()
    expect(page.locator("#operations-Sessions-sessions_save")).to_contain_text("Idempotency-Key")
    assert [url for url in asked if not url.startswith((windows.origin, "data:"))] == []
