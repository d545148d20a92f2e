"""What was consented to: record a decision, withdraw it, and read how it stands.

Decisions are only ever added. A purpose is live when somebody granted it and nobody's latest decision is against it:
a guardian's withdrawal beats a student's yes, and the reverse. A trigger keeps that in `ConsentState`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

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


def consent_withdraw(
    student: Student, *, purpose: str, given_by: str, how_obtained: str, recorded_by: User, note: str = ""
) -> Consent:
    """Take a consent back, in the words of the version that it was given in."""
    before = history(student, purpose=purpose, given_by=given_by).first()
    return consent_record(
        student,
        purpose=purpose,
        decision=Consent.Decision.WITHDRAWN,
        given_by=given_by,
        version=before.version if before else VERSION_ON_PAPER,
        how_obtained=how_obtained,
        recorded_by=recorded_by,
        note=note,
    )


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


def live_purposes(students: Iterable[Student]) -> dict[UUID, set[str]]:
    """The purposes that are live for each of some students, in one query."""
    found: dict[UUID, set[str]] = {student.pk: set() for student in students}
    granted = ConsentState.objects.filter(student__in=list(found), granted=True)
    for student_id, purpose in granted.values_list("student_id", "purpose"):
        found[student_id].add(purpose)
    return found
