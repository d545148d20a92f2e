"""What a student's page knows of their reading: how it stands, what may be recorded, and what it came to."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Max

from sessions_app.models import (
    AudioStream,
    Consent,
    LiveSession,
    Passage,
    Reading,
    SessionSummary,
    StudentSession,
)
from sessions_app.speech.words import words_of

AUDIO_VERSION = "audio-2026-1"
"""The version of the text that students agree to before they are recorded (templates/student/reading.html)."""
AUDIO, KEEP_AUDIO = Consent.Purpose.AUDIO.value, Consent.Purpose.KEEP_AUDIO.value


def reads(session: LiveSession) -> bool:
    """Whether students read or speak in a session."""
    return session.activity != LiveSession.Activity.SOCRATIC


def reading_states(
    members: Sequence[StudentSession], consents: Mapping[UUID, Mapping[str, bool]]
) -> dict[UUID, dict[str, Any]]:
    """The `reading` of a student's `state` frame, in three queries however many they are.

    `members` are of one session; `consents` says of each student which purposes are decided, and how.
    """
    readings = {
        reading.student_session_id: reading
        for reading in Reading.objects.filter(
            student_session__in=members, passage=members[0].session.passage_id if members else None
        )
    }
    streams = dict(
        AudioStream.objects.filter(reading__in=readings.values())
        .order_by("reading")
        .values("reading")
        .annotate(last=Max("number"))
        .values_list("reading", "last")
    )
    summaries = {s.student_session_id: s for s in SessionSummary.objects.filter(student_session__in=members)}
    return {
        member.pk: _state(
            readings.get(member.pk),
            consents.get(member.student_id, {}) if member.student_id else {},
            streams,
            summaries.get(member.pk),
        )
        for member in members
    }


def _state(
    reading: Reading | None,
    consents: Mapping[str, bool],
    streams: Mapping[UUID, int],
    summary: SessionSummary | None,
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "consents": {purpose: consents.get(purpose) for purpose in (AUDIO, KEEP_AUDIO)},
        "consent_version": AUDIO_VERSION,
        "state": reading.state if reading else None,
        "id": reading.pk if reading else None,
        "reached": reading.position if reading else 0,
        "next_stream": streams.get(reading.pk, -1) + 1 if reading else 0,
        "summary": None,
    }
    if reading is not None and reading.settled_at is not None and summary is not None:
        found["summary"] = {
            "words": summary.words,
            "seconds": round(summary.seconds),
            "correct": summary.correct,
            "attempted": summary.attempted,
        }
    return found


def passage_shown(passage: Passage | None) -> dict[str, Any] | None:
    """A passage as a student's page shows it: paragraphs of `[text, word]`, where `word` is the place of a word.

    What stands between words has None. Of prompts, each line is a paragraph.
    """
    if passage is None:
        return None
    paragraphs: list[list[tuple[str, int | None]]] = [[]]
    at = 0
    gap = "\n\n" if passage.kind == Passage.Kind.PASSAGE else "\n"
    last: tuple[int, int] | None = None

    def between(text: str) -> None:
        first, *rest = text.split(gap)
        if first:
            paragraphs[-1].append((first, None))
        for part in rest:
            paragraphs.append([])
            if part.strip():
                paragraphs[-1].append((part.lstrip("\n"), None))

    for index, word in enumerate(words_of(passage.text)):
        if (word.start, word.end) == last:  # the second word of "25": it stands in the same place
            continue
        between(passage.text[at : word.start])
        paragraphs[-1].append((passage.text[word.start : word.end], index))
        at, last = word.end, (word.start, word.end)
    between(passage.text[at:])
    return {
        "title": passage.title,
        "kind": passage.kind,
        "language": passage.language,
        "paragraphs": [parts for parts in paragraphs if parts],
        "words": passage.words,
    }
