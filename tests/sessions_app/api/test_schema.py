"""The description of the APIs: served offline, and true for whatever a client makes of it."""

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from sessions_app.models import Student, User
from sessions_app.tokens import token_give
from tests.analyses import make_analysis
from tests.learners import EXERCISE, as_student, save

pytestmark = pytest.mark.django_db

PROMISES = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance, negative_data_rejection,
]  # fmt: skip
QUICKLY = settings(
    max_examples=12, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


SCHEMA = OpenApiJsonRenderer().render(SchemaGenerator().get_schema(public=True), renderer_context={})
DESCRIBED = schemathesis.openapi.from_dict(json.loads(SCHEMA))
DESCRIBED.app = get_wsgi_application()


@pytest.fixture
def one_transaction() -> Iterator[None]:
    """The test's transaction outlives each request, as with Django's own client."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@DESCRIBED.parametrize()
@QUICKLY
def test_whatever_is_sent_the_answer_is_as_described_and_never_a_500(
    case: Any, alice: User, rosa: User, one_transaction: None
):
    """Signed in as a researcher for the analyses, else as a teacher, who may also practise."""
    tags = set(case.operation.tags)
    case.call_and_validate(
        headers={"Authorization": f"Bearer {token_give(rosa if 'Analysis' in tags else alice).access}"},
        checks=PROMISES if tags & {"Sessions", "Tokens", "Analysis"} else [not_a_server_error],
        excluded_checks=[ignored_auth],
    )


def test_a_run_is_told_as_described(rosa: User, one_transaction: None):
    analysis = make_analysis(rosa)
    for path, given in (
        ("/analysis/status/{analysis_request}", {"path_parameters": {"analysis_request": analysis.request_id}}),
        ("/analysis/requests", {"query": {"limit": 1}}),
    ):
        case = DESCRIBED[path]["GET"].Case(headers={"Authorization": f"Bearer {token_give(rosa).access}"}, **given)
        answer = case.call_and_validate(checks=PROMISES)
        assert (answer.status_code, analysis.request_id in answer.text) == (200, True)


def operations(client: Client) -> dict[str, Any]:
    paths = client.get("/api/schema/?format=json").json()["paths"]
    return {path: operation for path, methods in paths.items() for operation in methods.values()}


def test_the_practice_api_is_under_its_tag_with_examples_and_errors(client: Client, db: None):
    sessions = {path: what for path, what in operations(client).items() if what["tags"] == ["Sessions"]}
    assert set(sessions) == {f"/api/sessions/{name}" for name in ("save", "history", "stats", "warmup")}
    for operation in sessions.values():
        answers = operation["responses"]
        assert all(answer["content"]["application/json"]["examples"] for answer in answers.values())
        assert {"401", "429"} <= set(answers)
        assert operation["security"] == [{"bearer": []}]
        assert operation["summary"]


def test_every_operation_says_which_errors_it_has_in_the_one_shape(client: Client, db: None):
    for path, operation in operations(client).items():
        errors = {k: answer for k, answer in operation["responses"].items() if k >= "400"}
        for answer in errors.values():
            assert answer["content"]["application/json"]["schema"]["$ref"].endswith("/Error"), path


def test_the_page_of_the_description_asks_no_other_host(client: Client, db: None):
    page = client.get("/docs").content.decode()
    assert "Lyceum" in page
    assert re.findall(r'(?:src|href)="(?:https?:)?//[^"]+"', page) == []


CURL = [
    """curl -X POST http://localhost:8000/api/sessions/save \\
  -H "Authorization: Bearer YOUR_JWT_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{
    "session_type": "conversation",
    "duration_seconds": 300,
    "words_spoken": 120,
    "pronunciation_score": 85.5,
    "fluency_score": 78.0,
    "grammar_score": 82.5,
    "topics": ["travel", "hotels"],
    "vocabulary_learned": ["reservation", "available"],
    "areas_to_improve": ["past tense", "prepositions"]
  }'""",
    """curl -X GET "http://localhost:8000/api/sessions/stats?period=week" \\
  -H "Authorization: Bearer YOUR_JWT_TOKEN\"""",
    """curl -X GET "http://localhost:8000/api/sessions/warmup" \\
  -H "Authorization: Bearer YOUR_JWT_TOKEN\"""",
]
"""The commands of requirement 001, letter by letter."""


def run_curl(command: str, client: Client) -> Any:
    """Do what a command line of curl says, but for its host and its token."""
    words = iter(shlex.split(command.replace("\\\n", " ")))
    asked: dict[str, Any] = {"headers": {}, "data": None}
    for word in words:
        if word == "-X":
            asked["method"] = next(words)
        elif word == "-H":
            name, _colon, value = next(words).partition(": ")
            asked["headers"][name] = value
        elif word == "-d":
            asked["data"] = next(words)
        elif word != "curl":
            asked["path"] = word.removeprefix("http://localhost:8000")
    asked["headers"].pop("Authorization")
    content_type = asked["headers"].pop("Content-Type", "")
    send = getattr(client, asked["method"].lower())
    return send(asked["path"], asked["data"], content_type=content_type) if content_type else send(asked["path"])


def test_the_requirements_examples_run_as_they_stand(sam: Student):
    client = as_student(sam)
    saved, stats, warm_up = (run_curl(command, client) for command in CURL)
    assert saved.status_code == 201
    assert {name: saved.json()[name] for name in EXERCISE} == EXERCISE
    assert (stats.json()["period"], stats.json()["total_words_spoken"]) == ("week", 120)
    assert warm_up.json()["last_session"] == saved.json()
    assert warm_up.json()["vocabulary_review"] == ["available", "reservation"]


def test_an_error_is_json_also_where_the_client_wants_a_page(lena: Client):
    answer = lena.get("/api/sessions/history?limit=0", headers={"Accept": "application/json, text/html"})
    assert json.loads(answer.content)["error"]["fields"]["limit"]
    assert save(lena).headers["Content-Type"] == "application/json"
