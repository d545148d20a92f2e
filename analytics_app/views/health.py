"""`/health/*`: for balancers and monitors. No personal data; details for administrators."""

from collections.abc import Sequence

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from analytics_app import health
from analytics_app.health import Check
from sessions_app.models import User


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"ok": True})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """What the process depends on answers; 503 where it does not."""
    return _answer(health.ready(), details=False)


@never_cache
@require_safe
def tables(request: HttpRequest) -> JsonResponse:
    """How the derived tables and their jobs stand; 503 where one is behind. Figures for administrators only."""
    user = request.user
    administrator = isinstance(user, User) and user.role == User.Role.ADMINISTRATOR
    return _answer(health.tables(), details=administrator)


def _answer(checks: Sequence[Check], *, details: bool) -> JsonResponse:
    ok = all(check.ok for check in checks)
    found = {check.name: check.as_json() if details else {"ok": check.ok} for check in checks}
    return JsonResponse({"ok": ok, "checks": found}, status=200 if ok else 503)
