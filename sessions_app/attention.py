"""The teacher asks whether somebody is there."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from sessions_app import events, grouping, timeline
from sessions_app.models import AttentionCheck, LiveSession, User
from sessions_app.refusals import Refused


def attention_ask(
    session: LiveSession, *, by: User, student_session: UUID | None = None, text: str = ""
) -> AttentionCheck:
    """Show a question on every student's page, or on one, until it is answered there."""
    now = timezone.now()
    printable = "".join(character for character in text if character.isprintable()).strip()[:300]
    wording = printable or _("Are you there? Tap to show that you are.")
    with transaction.atomic():
        session = grouping.hold_open(session)
        about = None
        if student_session is not None:
            about = grouping.present(session).filter(pk=student_session).first()
            if about is None:
                raise Refused("no_such_student")
        check = AttentionCheck(session=session, student_session=about, text=wording, asked_at=now)
        appended = timeline.record(session, events.AttentionCheck(text=wording), at=now, about=about, by=by)[0]
        check.seq = appended.seq or 0
        check.save(force_insert=True)
    return check
