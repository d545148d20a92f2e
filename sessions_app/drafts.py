"""Drafts: a session while the teacher sets it up, kept at every step. Nobody else knows of it until it has a code."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from sessions_app.models import LiveSession, User
from sessions_app.reading import passages
from sessions_app.refusals import Refused

FIELDS = (
    "title", "activity", "school_class", "room", "scheduled_for", "capacity", "planned_groups", "study", "condition",
    "location", "passage",
)  # fmt: skip
"""What a teacher decides in a draft."""


def draft_make(teacher: User, **chosen: Any) -> LiveSession:
    """A new draft of a teacher, with what is chosen so far."""
    draft = LiveSession(school=teacher.school, teacher=teacher, activity=LiveSession.Activity.SOCRATIC)
    _choose(draft, chosen)
    draft.save(force_insert=True)
    return draft


def draft_keep(draft: LiveSession, **chosen: Any) -> datetime:
    """Keep what was chosen; the rest stays. Refuses what is no draft any more. The moment of keeping is returned."""
    _choose(draft, chosen)
    draft.updated_at = timezone.now()
    changes = {name: getattr(draft, name) for name in {*chosen, "condition", "location", "passage"}}
    changed = LiveSession.objects.filter(pk=draft.pk, status=LiveSession.Status.DRAFT).update(
        **changes, updated_at=draft.updated_at
    )
    if not changed:
        raise Refused("not_possible_now")
    return draft.updated_at


def draft_discard(draft: LiveSession) -> None:
    """Delete a draft. Refuses a session that students may have seen."""
    deleted, _by_model = LiveSession.objects.filter(pk=draft.pk, status=LiveSession.Status.DRAFT).delete()
    if not deleted:
        raise Refused("not_possible_now")


def draft_copy(session: LiveSession, *, by: User) -> LiveSession:
    """A new draft that is set up like `session`, whatever its state, for another time: without date and code."""
    title = _("%(title)s (copy)") % {"title": session.title}
    longest = LiveSession._meta.get_field("title").max_length
    chosen = {name: getattr(session, name) for name in FIELDS}
    return draft_make(by, **chosen | {"title": title[:longest], "scheduled_for": None})


def _choose(draft: LiveSession, chosen: dict[str, Any]) -> None:
    """Put choices into a draft. A condition belongs to a Socratic study, and a passage or prompts to an activity that
    uses them: with another activity there are none.
    """
    for name, value in chosen.items():
        if name not in FIELDS:
            raise TypeError(f"{name} is nothing that a draft decides")
        setattr(draft, name, value)
    if draft.activity != LiveSession.Activity.SOCRATIC:
        draft.condition = None
        draft.location = ""
    if draft.passage is not None and draft.passage.kind != passages.kind_for(draft.activity):
        draft.passage = None
