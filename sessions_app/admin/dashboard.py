"""The first page of the data management: what there is, and what needs a look."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from sessions_app import access
from sessions_app.models import Consent, LiveSession, SchoolClass, Student, User


def counts(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Adds the title, and `counts` of the rows that the administrator may see: label, number, address, the rule."""

    def mine(model: Any, school: str = "school") -> Any:
        return access.administered(request.user, model.objects.all(), school=school)

    students = mine(Student).filter(archived_at=None)
    consented = students.filter(consent_states__purpose=Consent.Purpose.PARTICIPATION, consent_states__granted=True)
    classes = mine(SchoolClass).filter(archived_at=None)
    sessions = mine(LiveSession)
    week_ago = timezone.now() - timedelta(days=7)
    counted = [
        (_("Students"), students.count(), "sessions_app_student", _("not archived")),
        (
            _("Without consent to take part"), students.count() - consented.count(), "sessions_app_consent",
            _("no live consent for taking part: they can join, and nothing they do is kept"),
        ),
        (_("Classes"), classes.count(), "sessions_app_schoolclass", _("not archived")),
        (_("Users"), mine(User).filter(is_active=True).count(), "sessions_app_user", _("who can sign in")),
        (
            _("Open sessions"), sessions.filter(status__in=["configured", "started"]).count(),
            "sessions_app_livesession", _("waiting to start, or running"),
        ),
        (
            _("Sessions this week"), sessions.filter(status="ended", ended_at__gt=week_ago).count(),
            "sessions_app_livesession", _("ended in the last seven days"),
        ),
    ]  # fmt: skip
    context["title"] = _("Data management")
    context["counts"] = [
        {"label": label, "number": number, "url": reverse(f"admin:{name}_changelist"), "rule": rule}
        for label, number, name, rule in counted
    ]
    return context
