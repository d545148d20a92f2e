"""A real Chromium in front of a real server: windows for the cast, each watched for what a browser complains about."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect, sync_playwright

from sessions_app import enrolment
from sessions_app.models import LiveSession, Student, StudentSession, User
from tests.cast import join
from tests.sessions_app.live.conftest import Server, on_amazon, server, web_process  # noqa: F401

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
# A refused request and a lost network are what some tests are about; the pages are judged by what they do then.
EXPECTED = ("Failed to load resource", "WebSocket connection to")
PATIENCE = 30_000
"""Milliseconds until what does not come is missing: the machine that runs these tests may be busy."""

expect.set_options(timeout=PATIENCE)


@contextmanager
def next_page(page: Page) -> Iterator[None]:
    """What is pressed within leads to another page: when this ends, its scripts listen to what is done on it."""
    with page.expect_navigation(wait_until="load"):
        yield


def soon(page: Page, holds: Callable[[], Any]) -> None:
    """What a page has begun holds before long, in the database or on another page."""
    until = monotonic() + PATIENCE / 1000
    while not holds():
        assert monotonic() < until, "it did not come about"
        page.wait_for_timeout(50)


class Diary:
    """All that a place on a page has said since, in order: also what was there for less than a moment."""

    KEEP = """selector => {
      const said = ((window.diaries ??= {})[selector] ??= []);
      const look = () => {
        const text = document.querySelector(selector)?.innerText?.trim() ?? "";
        if (text && said.at(-1) !== text) said.push(text);
      };
      look();
      new MutationObserver(look).observe(document.body, {
        subtree: true, childList: true, characterData: true, attributes: true });
    }"""

    def __init__(self, page: Page, selector: str) -> None:
        self.page = page
        self.selector = selector
        page.evaluate(self.KEEP, selector)

    @property
    def said(self) -> list[str]:
        return self.page.evaluate("selector => window.diaries[selector]", self.selector)

    def soon_says(self, text: str) -> None:
        soon(self.page, lambda: text in self.said)


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """One for these tests: its event loop runs in this thread until they are over, and other tests need their own."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    # Playwright's loop runs in this thread, so that Django takes the ORM in a test for a call from a coroutine.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as running:
        yield running
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
    yield browser
    browser.close()


class Windows:
    """Opens windows, and collects what the browser says about their pages."""

    def __init__(self, browser: Browser, origin: str) -> None:
        self.browser = browser
        self.origin = origin
        self.complaints: list[str] = []
        self._contexts: list[BrowserContext] = []

    def desk(self, user: User, *, width: int = 1280) -> Page:
        """A signed-in user's window."""
        client = Client()
        client.force_login(user)
        page = self._open(width, 900)
        self._give(page, settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value)
        return page

    def phone(self) -> Page:
        """A small phone that nobody has signed in on."""
        return self._open(320, 640)

    def open_phone(self, *, width: int = 320, height: int = 640, **more: Any) -> Page:
        """A phone of another size, with what a browser context may have besides (a geolocation, permissions)."""
        return self._open(width, height, **more)

    def give_ticket(self, page: Page, member: StudentSession) -> None:
        """Let a phone hold a student's ticket."""
        self._give(page, enrolment.cookie_name(member.pk), enrolment.ticket_sign(member))

    def student(self, session: LiveSession, student: Student) -> Page:
        """A phone on which the student has joined."""
        page = self.phone()
        member = join(session, student)
        self.give_ticket(page, member)
        page.goto(f"/s/{member.pk}/")
        page.wait_for_selector("body[data-link=live]")
        return page

    def board(self, user: User, session: LiveSession) -> Page:
        page = self.desk(user)
        page.goto(f"/teach/sessions/{session.pk}/")
        page.wait_for_selector("body[data-link=live]")
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def _open(self, width: int, height: int, **more: Any) -> Page:
        viewport = {"width": width, "height": height}
        context = self.browser.new_context(base_url=self.origin, viewport=viewport, **more)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def _give(self, page: Page, cookie: str, value: str) -> None:
        page.context.add_cookies([{"name": cookie, "value": value, "url": self.origin}])

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(EXPECTED):
            self.complaints.append(f"{message.location.get('url')}: {message.text}")


@pytest.fixture
def windows(chromium: Browser, server: Server) -> Iterator[Windows]:  # noqa: F811
    """The windows of one test. A script that fails, or a page that breaks its security policy, fails the test."""
    opened = Windows(chromium, server.origin)
    yield opened
    opened.close()
    assert opened.complaints == []
