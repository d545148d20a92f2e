"""The command that hears and computes what nobody came back for, and prepares passages."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from sessions_app.models import Passage, Reading, SessionSummary
from tests.reading_cast import Listener

pytestmark = pytest.mark.django_db(transaction=True)  # readings are heard in threads of their own


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("settle_readings", *arguments, stdout=out)
    return out.getvalue().strip()


def test_it_prepares_the_passages_and_computes_the_readings_that_are_left_over_once(
    reading: Reading, listener: Listener, passage: Passage
):
    listener.hears("by the spring of the year a canal ran along the bank")
    long_ago = timezone.now() - timedelta(minutes=5)
    Reading.objects.update(
        state="ended", end_reason="finished", started_at=long_ago, ended_at=long_ago, updated_at=long_ago,
        held_by=None, held_until=None,
    )  # fmt: skip
    assert json.loads(run("--json")) == {"passages": 1, "readings": 1}
    assert SessionSummary.objects.get().attempted == 12
    assert Passage.objects.get(pk=passage.pk).language_model == "ready"
    assert run() == "0 passages prepared, 0 readings computed"
