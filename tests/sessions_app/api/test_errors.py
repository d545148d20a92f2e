"""The one shape of every error."""

import json

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.parsers import ParseError

from sessions_app.api import errors
from sessions_app.api.parsing import StrictJSONParser
from sessions_app.refusals import Refused
from sessions_app.wire import Malformed


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Refused("session_over"), 410, "session_over"),
        (Refused("title_missing"), 400, "title_missing"),
        (Http404(), 404, "not_found"),
        (PermissionDenied(), 403, "permission_denied"),
        (exceptions.Throttled(wait=30), 429, "throttled"),
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
    ],
    ids=["over", "missing", "404", "403", "429", "401"],
)
def test_an_error_has_its_code_its_sentence_and_its_status(error: Exception, status: int, code: str):
    answer = errors.handle(error, {})
    assert answer is not None
    assert (answer.status_code, answer.data["error"]["code"]) == (status, code)
    assert answer.data["error"]["message"]


def test_a_throttled_client_is_told_when_to_come_back():
    answer = errors.handle(exceptions.Throttled(wait=30), {})
    assert answer is not None
    assert answer["Retry-After"] == "30"


def test_nested_problems_have_flat_names():
    detail = {"title": ["Missing."], "topics": [{}, {"name": ["Too long."]}], "plain": "Wrong."}
    answer = errors.handle(exceptions.ValidationError(detail), {})
    assert answer is not None
    assert answer.data["error"]["fields"] == {
        "title": ["Missing."], "topics.1.name": ["Too long."], "plain": ["Wrong."],
    }  # fmt: skip


def test_what_is_not_expected_rises():
    assert errors.handle(RuntimeError("a mistake of ours"), {}) is None


def test_a_body_that_is_too_large_is_a_413():
    assert errors.malformed(Malformed("too_large", "Too large.")).status_code == 413
    assert json.loads(errors.refused(Refused("key_reused")).content)["error"]["code"] == "key_reused"


@pytest.mark.parametrize(
    "body", [b'{"a": NaN}', b'{"a": "\\u0000"}', b"[" * 5000, b"{"], ids=["NaN", "NUL", "deep", "cut"]
)
def test_what_postgres_could_not_keep_is_not_parsed(body: bytes):
    import io

    with pytest.raises(ParseError):
        StrictJSONParser().parse(io.BytesIO(body))
