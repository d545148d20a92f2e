"""One student's reading as the miscue desk shows it, a session's readings, and a student's readings over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from sessions_app.models import (
    BatchMetrics,
    HelpEvent,
    LiveSession,
    Miscue,
    MiscueType,
    Passage,
    Reading,
    SessionSummary,
    SpokenResult,
    Student,
)
from sessions_app.reading import figures, sound
from sessions_app.reading.course import attempted_of, expected_of
from sessions_app.reading.figures import AT_A_WORD, Agreement, Figures
from sessions_app.reading.state import passage_shown
from sessions_app.speech import norms
from sessions_app.speech.passage import Passage as Expected
from sessions_app.speech.summary import ReadingLevel, level_of

UNSURE = 0.75
"""Marks with less confidence are to be looked at first."""
MARGIN = 1.0
"""Seconds of sound that are played around a word."""


@dataclass(frozen=True, slots=True)
class DeskWord:
    """A word of the passage with the marks at it and before it, or what stands between words (`index` None)."""

    text: str
    index: int | None
    marks: tuple[Miscue, ...] = ()
    before: tuple[Miscue, ...] = ()
    reached: bool = True

    @property
    def at(self) -> Miscue | None:
        """The mark at the word itself, as it stands."""
        return next((mark for mark in self.marks if mark.stands_as in AT_A_WORD), None)


@dataclass(frozen=True)
class ReadingReport:
    """A reading with its minutes, marks and help.

    `machine` are the engine's figures, `decided` those with the teacher's decisions; both are None in free speech.
    """

    reading: Reading
    summary: SessionSummary | None
    result: SpokenResult | None
    paragraphs: tuple[tuple[DeskWord, ...], ...]
    marks: tuple[Miscue, ...]
    windows: tuple[BatchMetrics, ...]
    helps: tuple[HelpEvent, ...]
    machine: Figures | None
    decided: Figures | None
    agreement: Agreement
    kept_until: date | None

    @property
    def level(self) -> ReadingLevel | None:
        return level_of(self.decided.accuracy) if self.decided else None

    @property
    def to_look_at(self) -> list[Miscue]:
        """Open marks, the least certain first."""
        waiting = [mark for mark in self.marks if mark.decision == Miscue.Decision.OPEN and mark.type]
        return sorted(waiting, key=lambda mark: (mark.confidence is None, mark.confidence or 0, mark.index))

    @property
    def is_settled(self) -> bool:
        return self.reading.settled_at is not None


def reading_report(reading: Reading) -> ReadingReport:
    """The report of a reading, whose `student_session` and `passage` are selected. Seven queries."""
    marks = tuple(Miscue.objects.filter(reading=reading).select_related("decided_by").order_by("index", "starts", "id"))
    windows = tuple(BatchMetrics.objects.filter(reading=reading).order_by("number"))
    attempted = attempted_of(reading)
    of_passage = isinstance(expected_of(reading.passage), Expected)
    seconds = reading.heard_seconds
    kept = sound.audible(reading, today=timezone.now().date()).values_list("delete_on", flat=True)
    return ReadingReport(
        reading=reading,
        summary=SessionSummary.objects.filter(student_session=reading.student_session_id).first(),
        result=SpokenResult.objects.filter(reading=reading).first(),
        paragraphs=_paragraphs(reading, marks),
        marks=marks,
        windows=windows,
        helps=tuple(HelpEvent.objects.filter(reading=reading).order_by("at")),
        machine=figures.by_the_machine(marks, attempted=attempted, seconds=seconds) if of_passage else None,
        decided=figures.as_decided(marks, attempted=attempted, seconds=seconds) if of_passage else None,
        agreement=figures.agreement(marks),
        kept_until=min((day for day in kept if day is not None), default=None),
    )


def _paragraphs(reading: Reading, marks: Sequence[Miscue]) -> tuple[tuple[DeskWord, ...], ...]:
    shown = passage_shown(reading.passage)
    if shown is None or reading.passage is None or reading.passage.kind != Passage.Kind.PASSAGE:
        return ()
    at_word: dict[int, list[Miscue]] = {}
    before: dict[int, list[Miscue]] = {}
    for mark in marks:
        kind = mark.stands_as or mark.type
        place = at_word if kind in AT_A_WORD else before
        place.setdefault(mark.index, []).append(mark)
    shown_at = [word for paragraph in shown["paragraphs"] for _text, word in paragraph if word is not None]
    after = dict(zip(shown_at, [*shown_at[1:], shown["words"]], strict=True))

    def of(places: dict[int, list[Miscue]], word: int | None) -> tuple[Miscue, ...]:
        """The marks of a word; those of all words that a number is spoken as."""
        return () if word is None else tuple(m for index in range(word, after[word]) for m in places.get(index, ()))

    return tuple(
        tuple(
            DeskWord(text, word, of(at_word, word), of(before, word), word is None or word < reading.position)
            for text, word in paragraph
        )
        for paragraph in shown["paragraphs"]
    )


def readings_of(session: LiveSession) -> list[tuple[Reading, SessionSummary | None]]:
    """The readings of a session with what they came to, by the student's label."""
    readings = Reading.objects.filter(student_session__session=session).select_related("student_session", "passage")
    summaries = {s.student_session_id: s for s in SessionSummary.objects.filter(student_session__session=session)}
    return [(r, summaries.get(r.student_session_id)) for r in readings.order_by("student_session__label")]


@dataclass(frozen=True, slots=True)
class ReadOn:
    """A session in which a student read: what it came to, and the norm of the grade and season, where there is one."""

    session: LiveSession
    reading_id: UUID
    at: datetime
    summary: SessionSummary
    band: norms.Band | None


def readings_over_time(student: Student, sessions: "QuerySet[LiveSession]") -> list[ReadOn]:
    """A student's sessions with reading, oldest first, of those that the reader may see. Two queries."""
    summaries = (
        SessionSummary.objects.filter(
            student_session__student=student, student_session__session__in=sessions, wcpm__isnull=False
        )
        .select_related("student_session__session__school")
        .order_by("student_session__session__started_at")
    )
    readings = dict(
        Reading.objects.filter(student_session__student=student, settled_at__isnull=False).values_list(
            "student_session_id", "pk"
        )
    )
    found = []
    for summary in summaries:
        session = summary.student_session.session
        at = session.started_at or summary.created_at
        season = norms.season_of(at.astimezone(session.school.zone).date())
        reading_id = readings.get(summary.student_session_id)
        if reading_id is not None:
            found.append(ReadOn(session, reading_id, at, summary, norms.band_of(student.grade, season)))
    return found


def kind_names() -> dict[str, str]:
    """What the kinds of miscue are called; empty for "read correctly"."""
    return {kind.value: str(kind.label) for kind in MiscueType}
