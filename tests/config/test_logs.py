"""What the log leaves out."""

import logging

import pytest
from django.test import Client

from sessions_app.models import User

pytestmark = pytest.mark.django_db


def test_a_refusal_is_one_line_without_a_traceback(client: Client, alice: User, caplog: pytest.LogCaptureFixture):
    client.force_login(alice)
    assert client.get("/research/").status_code == 403
    [line] = [record for record in caplog.records if record.name == "django.request"]
    assert (line.levelno, line.exc_info) == (logging.WARNING, None)


def test_a_fault_keeps_its_traceback(client: Client, alice: User, caplog: pytest.LogCaptureFixture, monkeypatch):
    def break_down(*_about: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr("sessions_app.access.require_researcher", break_down)
    client.force_login(alice)
    client.raise_request_exception = False
    assert client.get("/research/").status_code == 500
    [line] = [record for record in caplog.records if record.name == "django.request"]
    assert line.exc_info
