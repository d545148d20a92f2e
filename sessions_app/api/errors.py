"""One shape for every error of every API: `{"error": {"code", "message", "fields"}}`."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, JsonResponse
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from sessions_app.refusals import Refused
from sessions_app.wire import Malformed


def body(code: str, message: str, fields: dict[str, list[str]] | None = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "fields": fields}}


STATUS = {
    "unknown_code": 404, "no_such_session": 404, "no_such_student": 404, "no_such_group": 404, "no_such_request": 409,
    "not_possible_now": 409, "session_over": 410, "removed": 403, "consent_missing": 403, "not_leader": 403,
    "key_reused": 409, "label_taken": 409, "session_full": 409, "other_device": 409, "too_many_guesses": 429,
    "left": 409, "no_such_check": 404, "asked_already": 429, "code_not_good": 404, "linked_already": 409,
    "token_invalid": 401, "token_expired": 401, "account_gone": 401, "locked_out": 429,
    "requested_already": 409, "copy_not_ready": 409,
}  # fmt: skip


def refused(error: Refused) -> JsonResponse:
    """A rule that was not met, as a response."""
    return JsonResponse(body(error.code, error.message, error.fields), status=STATUS.get(error.code, 400))


def malformed(error: Malformed) -> JsonResponse:
    return JsonResponse(body(error.code, error.message), status=413 if error.code == "too_large" else 400)


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exceptions in the one shape; what is not expected rises."""
    if isinstance(error, Refused):
        set_rollback()
        return Response(body(error.code, error.message, error.fields), status=STATUS.get(error.code, 400))
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    if getattr(error, "wait", None):
        headers["Retry-After"] = f"{error.wait:.0f}"
    if isinstance(error, exceptions.ValidationError):
        fields = _fields(error.detail)
        return Response(
            body("invalid", "Some of the values cannot be taken.", fields), status=status.HTTP_400_BAD_REQUEST
        )
    code = error.get_codes()
    return Response(
        body(code if isinstance(code, str) else error.default_code, str(error.detail)),
        status=error.status_code,
        headers=headers,
    )


def _fields(detail: Any, prefix: str = "") -> dict[str, list[str]]:
    """DRF's nested details as flat names with their messages: `topics.2` for the third topic."""
    if isinstance(detail, dict):
        found: dict[str, list[str]] = {}
        for name, inner in detail.items():
            found |= _fields(inner, f"{prefix}.{name}" if prefix else str(name))
        return found
    if isinstance(detail, list) and any(isinstance(item, (dict, list)) for item in detail):
        found = {}
        for index, inner in enumerate(detail):
            if inner:
                found |= _fields(inner, f"{prefix}.{index}" if prefix else str(index))
        return found
    messages = detail if isinstance(detail, list) else [detail]
    return {prefix or "non_field_errors": [str(message) for message in messages]}
