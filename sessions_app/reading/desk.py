"""The miscue desk: a teacher accepts or corrects what the machine heard. Both stay on record, each with its figures."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from sessions_app.models import Miscue, MiscueType, Reading, User
from sessions_app.reading import settling
from sessions_app.reading.course import expected_of
from sessions_app.reading.figures import AT_A_WORD
from sessions_app.refusals import Refused
from sessions_app.speech.passage import Passage as Expected

LONGEST_REASON = 300


def miscue_accept(mark: Miscue, *, by: User, at: datetime) -> Miscue:
    """The machine heard right."""
    return _decide(mark, Miscue.Decision.ACCEPTED, by=by, at=at)


def miscue_correct(mark: Miscue, *, to: str, reason: str, by: User, at: datetime) -> Miscue:
    """It was something else: `to` is a kind of miscue, or empty for "read correctly". Says why, or is refused."""
    if to and to not in MiscueType.values:
        raise Refused("no_such_mark")
    if not reason.strip():
        raise Refused("reason_missing")
    if to == mark.type:
        return miscue_accept(mark, by=by, at=at)
    return _decide(mark, Miscue.Decision.CORRECTED, by=by, at=at, to=to, reason=reason)


def miscue_reopen(mark: Miscue, *, by: User, at: datetime) -> Miscue | None:
    """Take a decision back. A mark that only the teacher made is gone with it (None)."""
    if not mark.type:
        with transaction.atomic():
            reading = _settled(mark.reading_id)
            mark.delete()
            settling.summary_compute(reading.student_session, at=at)
        return None
    return _decide(mark, Miscue.Decision.OPEN, by=by, at=at)


def miscue_add(reading: Reading, *, index: int, to: str, heard: str, reason: str, by: User, at: datetime) -> Miscue:
    """A word that the machine took as read, and the teacher did not."""
    expected = expected_of(reading.passage)
    if to not in MiscueType.values:
        raise Refused("no_such_mark")
    if not isinstance(expected, Expected) or not 0 <= index < len(expected.words) or not expected.scored[index]:
        raise Refused("no_such_word")
    if not reason.strip():
        raise Refused("reason_missing")
    with transaction.atomic():
        held = _settled(reading.pk)
        if to in AT_A_WORD and Miscue.objects.filter(reading=held, index=index, type__in=AT_A_WORD).exists():
            raise Refused("marked_already")
        made = Miscue.objects.create(
            reading=held,
            type="",
            index=index,
            expected="" if to == MiscueType.INSERTION else expected.spoken[index][:200],
            heard=heard.strip()[:200],
            decision=Miscue.Decision.CORRECTED,
            corrected_type=to,
            reason=reason.strip()[:LONGEST_REASON],
            decided_by=by,
            decided_at=at,
        )
        settling.summary_compute(held.student_session, at=at)
    return made


def _decide(
    mark: Miscue, decision: Miscue.Decision, *, by: User, at: datetime, to: str = "", reason: str = ""
) -> Miscue:
    with transaction.atomic():
        reading = _settled(mark.reading_id)
        open_again = decision == Miscue.Decision.OPEN
        mark.decision, mark.corrected_type = decision, to
        mark.reason = reason.strip()[:LONGEST_REASON]
        mark.decided_by = None if open_again else by
        mark.decided_at = None if open_again else at
        mark.save(update_fields=["decision", "corrected_type", "reason", "decided_by", "decided_at"])
        settling.summary_compute(reading.student_session, at=at)
    return mark


def _settled(reading_id: UUID) -> Reading:
    """The reading, held until the transaction ends. Refuses one that is still listened to."""
    reading = (
        Reading.objects.select_for_update(no_key=True, of=("self",))
        .select_related("student_session__session__school", "student_session__student")
        .get(pk=reading_id)
    )
    if reading.settled_at is None:
        raise Refused("not_settled")
    return reading
