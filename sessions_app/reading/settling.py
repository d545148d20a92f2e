"""A reading is over: its minutes, its miscues and the summary are computed from the words that were heard.

Everything here is a function of the transcripts and of the teacher's decisions, so it may be done again: after sound
that came late, and after each decision. What a teacher decided about stays, also where the machine thinks better of it.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from sessions_app import events, timeline
from sessions_app.models import LiveSession, Miscue, Reading, SessionSummary, SpokenResult, StudentSession
from sessions_app.reading import figures, speaking
from sessions_app.reading.course import attempted_of, end, expected_of, heard_of, may_record
from sessions_app.reading.figures import Figures
from sessions_app.reading.moments import window_keep
from sessions_app.speech import alignment, norms, pipeline
from sessions_app.speech.passage import Passage as Expected
from sessions_app.speech.transcriber import HeardWord
from sessions_app.speech.windows import MiscueCounts, Window, mean_confidence

NO_PASSAGE = "no_passage"


def reading_settle(reading_id: UUID, *, at: datetime, holder: UUID | None = None) -> bool:
    """Compute a reading, end it where it is still open, and let go of it.

    False where it is listened to elsewhere: `holder` is who listened to it until now.
    """
    with transaction.atomic():
        reading = (
            Reading.objects.select_for_update(no_key=True, of=("self",))
            .select_related("student_session__session__school", "student_session__student", "passage")
            .filter(pk=reading_id, held_by=holder)
            .first()
        )
        if reading is None:
            return False
        heard = heard_of(reading)
        windows = _compute(reading, heard, at=at)
        if reading.state == Reading.State.OPEN:
            end(reading, reason=_why_over(reading), at=at)
        reading.settled_at, reading.held_by, reading.held_until = at, None, None
        reading.save(update_fields=["settled_at", "held_by", "held_until", "updated_at"])
        summary = summary_compute(reading.student_session, at=at)
        if windows:
            _record_end(reading, summary, at)
    return True


def _compute(reading: Reading, heard: Sequence[Sequence[HeardWord]], *, at: datetime) -> tuple[Window, ...]:
    """The windows of a reading, its miscues or its result as free speech, written; the windows are returned."""
    expected = expected_of(reading.passage)
    seconds = reading.heard_seconds
    of_passage = isinstance(expected, Expected)
    if isinstance(expected, Expected):
        result = pipeline.Reading(expected, utterances=heard, seconds=seconds).result()
        windows = result.windows
        reading.position = result.alignment.reached
        reading.save(update_fields=["position", "updated_at"])
        _keep_miscues(reading, result.alignment.miscues, at=at)
    else:
        windows = speaking.windows_of(heard, seconds=seconds)
        _keep_result(reading, [word for words in heard for word in words], at=at)
    if may_record(reading.student_session):
        for window in windows:
            window_keep(reading, window, at=at, of_passage=of_passage)
    return windows


def _keep_miscues(reading: Reading, found: Sequence[alignment.Miscue], *, at: datetime) -> None:
    """The machine's marks in the place of its former ones; those that a teacher decided about stay."""
    decided = list(Miscue.objects.filter(reading=reading).exclude(decision=Miscue.Decision.OPEN))
    Miscue.objects.filter(reading=reading, decision=Miscue.Decision.OPEN).delete()
    known = {(mark.type, mark.index, mark.heard) for mark in decided}
    at_word = {mark.index for mark in decided if mark.type in {"", *figures.AT_A_WORD}}
    Miscue.objects.bulk_create(
        Miscue(
            reading=reading,
            type=miscue.kind.value,
            index=miscue.index,
            expected=(miscue.expected or "")[:200],
            heard=(miscue.heard or "")[:200],
            starts=miscue.at,
            confidence=miscue.confidence,
            counted=miscue.counted,
            created_at=at,
        )
        for miscue in found
        if (miscue.kind.value, miscue.index, (miscue.heard or "")[:200]) not in known
        and not (miscue.kind.value in figures.AT_A_WORD and miscue.index in at_word)
    )


def _keep_result(reading: Reading, words: Sequence[HeardWord], *, at: datetime) -> None:
    result = speaking.result_of(words, seconds=reading.heard_seconds)
    SpokenResult.objects.update_or_create(
        reading=reading,
        defaults={
            "words": result.words,
            "seconds": result.seconds,
            "speaking_seconds": result.speaking_seconds,
            "pauses": result.pauses,
            "wpm": result.wpm,
            "fluency": result.fluency,
            "fluency_reason": result.fluency_reason,
            "pronunciation": result.pronunciation,
            "pronunciation_reason": result.pronunciation_reason,
            "transcript": " ".join(word.word for word in words),
            "created_at": at,
        },
    )


def _why_over(reading: Reading) -> Reading.EndReason:
    if reading.student_session.session.status == LiveSession.Status.ENDED:
        return Reading.EndReason.SESSION_OVER
    return Reading.EndReason.STOPPED


def summary_compute(member: StudentSession, *, at: datetime) -> SessionSummary:
    """The summary of a student's speaking session, over all readings, in the caller's transaction."""
    readings = list(Reading.objects.filter(student_session=member).select_related("passage").order_by("pk"))
    of_passage = [r for r in readings if isinstance(expected_of(r.passage), Expected)]
    heard = [word for reading in readings for words in heard_of(reading) for word in words]
    seconds = sum(reading.heard_seconds for reading in readings)
    machine = decided = Figures(0, 0, MiscueCounts(), 0.0)
    marks: list[Miscue] = []
    windows = 0
    for reading in of_passage:
        own = list(Miscue.objects.filter(reading=reading))
        attempted = attempted_of(reading)
        windows += reading.windows.count()
        machine += figures.by_the_machine(own, attempted=attempted, seconds=reading.heard_seconds)
        decided += figures.as_decided(own, attempted=attempted, seconds=reading.heard_seconds)
        marks += own
    level, reason = _grade_level(member, decided.wcpm if of_passage else None, windows, of_passage=bool(of_passage))
    agreed = figures.agreement(marks)
    found = {
        "words": len(heard),
        "attempted": decided.attempted if of_passage else None,
        "correct": decided.correct if of_passage else None,
        "seconds": seconds,
        "wpm": len(heard) * 60 / seconds if seconds else None,
        "wcpm": decided.wcpm if of_passage else None,
        "accuracy": decided.accuracy if of_passage else None,
        "machine_wcpm": machine.wcpm if of_passage else None,
        "machine_accuracy": machine.accuracy if of_passage else None,
        "omissions": decided.counts.omissions,
        "insertions": decided.counts.insertions,
        "substitutions": decided.counts.substitutions,
        "repetitions": decided.counts.repetitions,
        "self_corrections": decided.counts.self_corrections,
        "confidence": mean_confidence(heard),
        "transcript": " ".join(word.word for word in heard),
        "insights": {
            "reading_speed": level,
            "total_miscues": decided.counts.total,
            "miscue_rate": round(decided.counts.total / len(heard), 3) if heard else None,
        },
        "grade_level": level or "",
        "grade_level_reason": reason or "",
        "decided": agreed.decided,
        "agreed": agreed.accepted,
        "updated_at": at,
    }
    summary, _made = SessionSummary.objects.update_or_create(
        student_session=member, defaults=found, create_defaults=found | {"created_at": at}
    )
    return summary


def _grade_level(
    member: StudentSession, wcpm: float | None, windows: int, *, of_passage: bool
) -> tuple[str | None, str | None]:
    if not of_passage:
        return None, NO_PASSAGE
    started = member.session.started_at or member.joined_at
    season = norms.season_of(started.astimezone(member.session.school.zone).date())
    grade = member.student.grade if member.student else None
    level, reason = norms.grade_level(wcpm, windows=windows, grade=grade, season=season)
    return (level.value if level else None), reason


def _record_end(reading: Reading, summary: SessionSummary, at: datetime) -> None:
    member = reading.student_session
    event = events.ReadingEnded(
        reading=reading.pk,
        reason=reading.end_reason,
        seconds=round(summary.seconds, 1),
        words=summary.words,
        wcpm=None if summary.wcpm is None else round(summary.wcpm, 1),
        accuracy=None if summary.accuracy is None else round(summary.accuracy, 1),
    )
    timeline.append(
        [
            timeline.NewEvent(
                session_id=member.session_id,
                event=event,
                received_at=at,
                happened_at=at,
                student_session_id=member.pk,
            )
        ]
    )
