"""How a student met the content, measured from what the player and the page said (facts of the timeline).

Play time is the wall time in which the content advanced; a stretch counts as far as it can have been played in that
time at the speed chosen. Attended time is play time with the page in front. Of a segment: `played_share` = the share of
its seconds that were played at least once; engagement = attended / play time × played share, 0 to 1. A segment is
completed at a share of 0.9. One that was reached without that ended sooner than it can be played: it is flagged, and
the student goes on. Pauses and rewinds are the student's own; where the content pauses by itself, none is counted.
Elapsed time is from the first second to the end, whatever came between.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal

import msgspec
from django.db import connection

from sessions_app.models import (
    Assignment,
    ContentDelivery,
    Intervention,
    QualityFlag,
    Segment,
    SegmentDelivery,
    StudentSession,
)
from sessions_app.refusals import Refused
from sessions_app.study import material, quality
from sessions_app.study.pauses import Pause, Stretch, stretches
from sessions_app.study.validation import all_validated, validated

PLAYBACK: Final = "playback"
PRESENCE: Final = "presence"
COMPLETED_FROM: Final = 0.9
SLACK_SECONDS: Final = 1.5
"""How far a player's clock may be from the border that it says it has come to."""
HURRY: Final = 1.1
"""What a player may be ahead of the wall clock, as timers are coarse."""

Did = Literal["play", "pause", "rewind", "speed", "captions", "tick", "end"]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that the player said: at which moment, at which second of the content. `to`: where a rewind went."""

    at: datetime
    did: Did
    position: float
    speed: float = 1.0
    to: float | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """The page came to the front, or went to the back."""

    at: datetime
    visible: bool


@dataclass(slots=True)
class Measured:
    """One stretch of the content as it was met; times in seconds. `ended_at` is when its end was first reached."""

    stretch: Stretch
    started_at: datetime | None = None
    ended_at: datetime | None = None
    play_seconds: float = 0.0
    attended_seconds: float = 0.0
    pause_count: int = 0
    rewind_count: int = 0
    covered: list[tuple[float, float]] = field(default_factory=list)

    @property
    def played_share(self) -> float:
        return min(1.0, _union(self.covered) / self.stretch.duration)

    @property
    def engagement(self) -> float | None:
        """None where nothing was played."""
        if self.play_seconds <= 0:
            return None
        return min(1.0, self.attended_seconds / self.play_seconds) * self.played_share

    @property
    def completed(self) -> bool:
        return self.played_share >= COMPLETED_FROM


def measure(
    parts: Sequence[Stretch], marks: Iterable[Mark], looks: Iterable[Look] = (), *, stops: Sequence[float] = ()
) -> list[Measured]:
    """What the marks amount to, for each stretch. `stops` are the positions at which the content pauses by itself."""
    found = [Measured(part) for part in parts]
    if not found:
        return []
    ends = [part.ends for part in parts]
    hidden = _hidden(looks)
    borders = [*stops, *ends]

    def at(position: float) -> Measured:
        return found[min(bisect_left(ends, position), len(found) - 1)]

    position, speed, playing, since = 0.0, 1.0, False, None
    for mark in sorted(marks, key=lambda mark: mark.at):
        if playing and since is not None:
            _played(found, (since, mark.at), (position, mark.position), speed, hidden)
        here = at(mark.position)
        if mark.did == "pause" and not any(abs(mark.position - border) <= SLACK_SECONDS for border in borders):
            here.pause_count += 1
        if mark.did == "rewind":
            here.rewind_count += 1
        if mark.did in {"play", "tick"}:
            playing = True
        elif mark.did in {"pause", "end"}:
            playing = False
        position = mark.to if mark.did == "rewind" and mark.to is not None else mark.position
        speed, since = mark.speed or speed, mark.at
    return found


def _played(
    found: Sequence[Measured],
    span: tuple[datetime, datetime],
    positions: tuple[float, float],
    speed: float,
    hidden: Sequence[tuple[datetime, datetime]],
) -> None:
    """Credit a span of playing, from one position to another, to the segments that it touched."""
    (since, until), (position, reached) = span, positions
    advanced = reached - position
    wall = (until - since).total_seconds()
    if advanced <= 0 or wall <= 0:
        return
    covered = min(advanced, wall * speed * HURRY + SLACK_SECONDS)
    # Where the device slept, the content did not advance: what counts is the time that the advance takes.
    playing = min(wall, covered / speed)
    for part in found:
        begins, ends = max(position, part.stretch.begins), min(position + covered, part.stretch.ends)
        if ends <= begins:
            continue
        share = (ends - begins) / covered
        starts = since + timedelta(seconds=playing * (begins - position) / covered)
        stops = starts + timedelta(seconds=playing * share)
        part.started_at = part.started_at or starts
        part.play_seconds += playing * share
        part.attended_seconds += max(0.0, playing * share - _overlap(starts, stops, hidden))
        part.covered.append((begins, ends))
        if part.ended_at is None and ends >= part.stretch.ends - SLACK_SECONDS:
            part.ended_at = stops


def _hidden(looks: Iterable[Look]) -> list[tuple[datetime, datetime]]:
    """The spans in which the page was not in front."""
    spans: list[tuple[datetime, datetime]] = []
    since: datetime | None = None
    for look in sorted(looks, key=lambda look: look.at):
        if not look.visible:
            since = since or look.at
        elif since is not None:
            spans.append((since, look.at))
            since = None
    if since is not None:
        spans.append((since, since + timedelta(days=1)))
    return spans


def _overlap(begins: datetime, ends: datetime, spans: Sequence[tuple[datetime, datetime]]) -> float:
    return sum(max(0.0, (min(ends, end) - max(begins, begin)).total_seconds()) for begin, end in spans)


def _union(spans: Iterable[tuple[float, float]]) -> float:
    total, until = 0.0, float("-inf")
    for begins, ends in sorted(spans):
        total += max(0.0, ends - max(begins, until))
        until = max(until, ends)
    return total


# -- The records


@dataclass(frozen=True, slots=True)
class Reached:
    """Where a player has come to: the intervention that opens there, whether it was the content's end, and how many
    pauses the whole content has.
    """

    assignment: Assignment
    delivery: ContentDelivery
    pause: Pause | None
    finished: bool
    pauses: int


def content_begin(
    student_session: StudentSession, *, format_chosen: str, speed: float, captions: bool, at: datetime
) -> ContentDelivery:
    """The student begins the content, or goes on with it in another way. Called with the student's session held."""
    content_id = _assignment(student_session).content_id
    assert content_id is not None
    content = material.content(content_id)
    delivery = ContentDelivery.objects.filter(student_session=student_session).first()
    fresh = delivery is None
    if delivery is None:
        delivery = ContentDelivery(
            student_session=student_session, content=content, language=content.language, started_at=at
        )
    elif delivery.ended_at is not None:
        raise Refused("other_step")
    delivery.format_chosen = format_chosen
    delivery.playback_speed = Decimal(str(round(speed, 2)))
    delivery.captions_enabled = captions
    validated(delivery).save(force_insert=fresh)
    return delivery


def content_reached(
    student_session: StudentSession, *, position: float, happened_at: datetime, at: datetime
) -> Reached:
    """The player has come to second `position`: measure what was played so far, and say what comes.

    `happened_at` is the student's moment by our clock, `at` that of the receipt. Called with the session held, after
    the facts that were sent before it are in the timeline.
    """
    assignment = _assignment(student_session)
    delivery = ContentDelivery.objects.filter(student_session=student_session).first()
    if delivery is None:
        raise Refused("other_step")
    segments = material.segments(delivery.content_id)
    parts = stretches(segments)
    total = parts[-1].ends
    position = min(max(0.0, position), total)
    planned = material.pauses_of(delivery.content_id, float(assignment.condition.interval_minutes))
    marks, looks = facts(student_session)
    end = max([happened_at, *(mark.at for mark in marks)])
    marks.append(Mark(end, "end", position))
    measured = measure(parts, marks, looks, stops=[pause.position for pause in planned])
    finished = position >= total - SLACK_SECONDS
    _keep(delivery, segments, measured, position=position, ended_at=max(end, delivery.started_at), finished=finished)
    hurried = [m for m in measured if m.stretch.ends <= position + SLACK_SECONDS and not m.completed]
    quality.flags_raise(
        student_session,
        [(QualityFlag.Code.SEGMENT_TOO_FAST, f"segment {part.stretch.number}") for part in hurried],
        at=at,
    )
    had = Intervention.objects.filter(student_session=student_session).count()
    due = [pause for pause in planned if pause.position <= position + SLACK_SECONDS]
    return Reached(assignment, delivery, due[had] if had < len(due) else None, finished, len(planned))


def _keep(
    delivery: ContentDelivery,
    segments: Sequence[Segment],
    measured: Sequence[Measured],
    *,
    position: float,
    ended_at: datetime,
    finished: bool,
) -> None:
    kept = {row.number: row for row in SegmentDelivery.objects.filter(delivery=delivery)}
    before = {number: _measures(row) for number, row in kept.items()}
    rows = []
    for segment, part in zip(segments, measured, strict=True):
        reached = part.stretch.ends <= position + SLACK_SECONDS
        if part.started_at is None and not reached:
            continue
        row = kept.get(segment.number) or SegmentDelivery(delivery=delivery, number=segment.number)
        row.segment = segment
        row.started_at = max(part.started_at or ended_at, delivery.started_at)
        row.ended_at = max(part.ended_at or row.ended_at or ended_at, row.started_at) if reached else None
        row.play_seconds = round(part.play_seconds, 3)
        row.attended_seconds = round(part.attended_seconds, 3)
        row.elapsed_seconds = round(((row.ended_at or ended_at) - row.started_at).total_seconds(), 3)
        row.pause_count, row.rewind_count = part.pause_count, part.rewind_count
        row.played_share = round(part.played_share, 6)
        row.completed = part.completed
        row.engagement = part.engagement
        rows.append(row)
    all_validated(rows)
    SegmentDelivery.objects.bulk_create(
        [row for row in rows if before.get(row.number) != _measures(row)],
        update_conflicts=True,
        unique_fields=["delivery", "segment"],
        update_fields=_MEASURED,
    )
    delivery_sum(delivery, rows, seconds=sum(segment.duration_seconds for segment in segments))
    if finished and delivery.ended_at is None:
        delivery.ended_at = ended_at
    delivery.elapsed_seconds = ((delivery.ended_at or ended_at) - delivery.started_at).total_seconds()
    validated(delivery).save()


_MEASURED: Final = (
    "started_at", "ended_at", "play_seconds", "attended_seconds", "elapsed_seconds", "pause_count", "rewind_count",
    "played_share", "completed", "engagement",
)  # fmt: skip


def _measures(row: SegmentDelivery) -> list[Any]:
    return [getattr(row, name) for name in _MEASURED]


def delivery_sum(delivery: ContentDelivery, rows: Sequence[SegmentDelivery], *, seconds: float) -> None:
    """The sums of a delivery over its segments; `seconds` is the length of the whole content.

    Completion is the covered share of the content in %; engagement the mean over segments, weighted by play time.
    """
    delivery.play_seconds = sum(row.play_seconds for row in rows)
    delivery.pause_count = sum(row.pause_count for row in rows)
    delivery.rewind_count = sum(row.rewind_count for row in rows)
    delivery.segments_completed = sum(row.completed for row in rows)
    covered = sum(row.played_share * row.segment.duration_seconds for row in rows)
    delivery.completion = min(100.0, 100 * covered / seconds)
    weighed = [(row.engagement, row.play_seconds) for row in rows if row.engagement is not None]
    weight = sum(play for _engagement, play in weighed)
    delivery.engagement = sum(e * play for e, play in weighed) / weight if weight else None


def position_of(student_session: StudentSession) -> float:
    """The second of the content at which a student goes on, on any device: where the player last was."""
    marks, _looks = facts(student_session)
    if not marks:
        return 0.0
    last = max(marks, key=lambda mark: mark.at)
    return last.to if last.did == "rewind" and last.to is not None else last.position


_FACTS = """
SELECT event_type, event_time, payload FROM session_events
WHERE session_id = %s AND sender = %s AND key IS NOT NULL AND event_type IN (%s, %s) ORDER BY seq
"""


def facts(student_session: StudentSession) -> tuple[list[Mark], list[Look]]:
    """What a student's player and page said so far."""
    with connection.cursor() as cursor:
        cursor.execute(_FACTS, (student_session.session_id, student_session.pk, PLAYBACK, PRESENCE))
        rows = cursor.fetchall()
    marks: list[Mark] = []
    looks: list[Look] = []
    for kind, at, payload in rows:
        data: dict[str, Any] = msgspec.json.decode(payload) if isinstance(payload, (str, bytes)) else payload or {}
        if kind == PRESENCE:
            looks.append(Look(at, bool(data.get("visible", True))))
        else:
            marks.append(Mark(at, data["did"], data["position"], data.get("speed") or 1.0, data.get("to")))
    return marks, looks


def _assignment(student_session: StudentSession) -> Assignment:
    found = Assignment.objects.select_related("condition").filter(student_session=student_session).first()
    if found is None:
        raise Refused("other_step")
    return found
