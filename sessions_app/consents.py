"""What was consented to: record a decision, also one that takes another back, and read how it stands.

Decisions are only ever added. A purpose is live when somebody granted it and nobody's latest decision is against it:
a guardian's withdrawal beats a student's yes, and the reverse. A trigger keeps that in `ConsentState`.
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet
from django.utils import timezone

from sessions_app.models import Consent, ConsentState, Student, User

VERSION_ON_PAPER = "paper"
"""The version of the text where the school keeps the signed papers and its list does not say which text it was."""


def consent_record(
    student: Student,
    *,
    purpose: str,
    decision: str,
    given_by: str,
    version: str,
    how_obtained: str,
    recorded_by: User | None = None,
    given_at: datetime | None = None,
    irb_date: date | None = None,
    note: str = "",
) -> Consent:
    """Add one decision. `recorded_by` is None where the student decided on their own page."""
    return Consent.objects.create(
        student=student,
        purpose=purpose,
        decision=decision,
        given_by=given_by,
        version=version,
        how_obtained=how_obtained,
        recorded_by=recorded_by,
        given_at=given_at or timezone.now(),
        irb_date=irb_date,
        note=note,
    )


def version_on_paper(student: Student, *, purpose: str, decision: str, given_by: str) -> str:
    """The version of the text that a decision on paper is about: a withdrawal takes back what was agreed to."""
    before = history(student, purpose=purpose, given_by=given_by).first()
    return before.version if before and decision == Consent.Decision.WITHDRAWN else VERSION_ON_PAPER


def history(student: Student, **about: str) -> QuerySet[Consent]:
    """A student's decisions, the newest first; `about` narrows them to a purpose or a giver."""
    return Consent.objects.filter(student=student, **about).order_by("-given_at", "-id")


@dataclass(frozen=True, slots=True)
class PurposeState:
    """How one purpose stands: `live` is None while nobody has decided. `latest` holds each giver's last decision."""

    purpose: str
    live: bool | None
    latest: tuple[Consent, ...]

    @property
    def label(self) -> str:
        return str(Consent.Purpose(self.purpose).label)


def states(student: Student) -> list[PurposeState]:
    """How every purpose stands for a student, in the order of `Consent.Purpose`."""
    live = dict(ConsentState.objects.filter(student=student).values_list("purpose", "granted"))
    latest = list(
        Consent.objects.filter(student=student)
        .order_by("purpose", "given_by", "-given_at", "-id")
        .distinct("purpose", "given_by")
        .select_related("recorded_by")
    )
    return [
        PurposeState(purpose, live.get(purpose), tuple(c for c in latest if c.purpose == purpose))
        for purpose in Consent.Purpose.values
    ]
