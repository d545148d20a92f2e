"""`simulate`, against a real server."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from sessions_app.models import (
    Assessment,
    Assignment,
    Intervention,
    LiveSession,
    SchoolClass,
    SessionEvent,
    Study,
    SurveyResponse,
)
from tests.cast import make_student
from tests.sessions_app.live.conftest import Server
from tests.study_cast import make_brief

pytestmark = pytest.mark.django_db(transaction=True)


def simulate(*arguments: str) -> str:
    out = StringIO()
    call_command("simulate", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def full_class(grade_four: SchoolClass) -> SchoolClass:
    for number in range(5):
        make_student(grade_four, f"Student {number}", consented=number > 0)
    return grade_four


def test_a_class_takes_part_through_real_sockets_and_everything_is_answered(server: Server, full_class: SchoolClass):
    told = simulate(
        "--url", server.origin, "--students", "5", "--speed", "200", "--minutes", "10", "--school",
        full_class.school.name, "--json",
    )  # fmt: skip
    ledger = json.loads(told)
    session = LiveSession.objects.get()
    assert ledger["unanswered"] == 0
    assert ledger["acknowledged"] > 50
    assert (session.status, session.is_simulated) == ("ended", True)
    kinds = set(SessionEvent.objects.values_list("event_type", flat=True))
    assert {"configured", "member_join", "socket_opened", "consent", "ready", "started", "progress", "ended"} <= kinds


def test_a_class_goes_through_its_study_to_the_survey(server: Server, full_class: SchoolClass, ironworks: Study):
    make_brief(ironworks, seconds=20)
    told = simulate(
        "--url", server.origin, "--students", "4", "--speed", "60", "--minutes", "25", "--school",
        full_class.school.name, "--json",
    )  # fmt: skip
    assert json.loads(told)["unanswered"] == 0
    assert Assignment.objects.count() == 4
    assert Assessment.objects.filter(kind="baseline", submitted_at__isnull=False).count() >= 3
    assert Intervention.objects.filter(status="validated").count() >= 4
    assert SurveyResponse.objects.exists()


@pytest.mark.parametrize(
    "wrong", [["--students", "0"], ["--speed", "-1"], ["--school", "Nowhere"], ["--students", "99"]]
)
def test_what_cannot_be_simulated_is_said_with_exit_status_2(full_class: SchoolClass, wrong: list[str]):
    with pytest.raises(CommandError) as refused:
        simulate("--school", full_class.school.name, *wrong)
    assert refused.value.returncode == 2
    assert not LiveSession.objects.exists()
