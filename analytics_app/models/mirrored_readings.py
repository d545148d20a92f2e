"""Which change of what was read makes which mirrored item out of date. See `mirrored`.

Chunks and transcripts are many and are written once: each is an item of its own, so that a change marks one.
"""

import pgtrigger

from analytics_app.models.marks import READING, mark_when_changed
from analytics_app.models.mirror import ItemKind
from sessions_app.models import (
    AudioChunk,
    BatchMetrics,
    HelpEvent,
    LiveSession,
    School,
    SessionSummary,
    StudentSession,
    Transcript,
)

CHUNK, TRANSCRIPT, HELP, BATCH, SUMMARY = (
    f"'{kind.value}'"
    for kind in (
        ItemKind.AUDIO_CHUNK, ItemKind.TRANSCRIPT, ItemKind.HELP, ItemKind.BATCH_METRICS, ItemKind.READING_SUMMARY,
    )
)  # fmt: skip

KEPT = (pgtrigger.Insert, pgtrigger.Update)
GONE = (pgtrigger.Delete,)


def _instant(column: str) -> str:
    """As `keys.fraction` spells it."""
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')"""


def _key(sort: str, moment: str, last: str) -> str:
    return f"'SESSION#' || r.student_session_id || ' {sort}#' || {_instant(moment)} || '#' || {last}"


def _of_reading(name: str, kind: str, sort: str, *columns: str) -> list[pgtrigger.Trigger]:
    """A row of a reading is an item of its own; one that is deleted leaves its key behind."""
    return [
        *mark_when_changed(name, f"SELECT {kind}, changed.id", columns=columns, on=KEPT),
        *mark_when_changed(
            f"{name}_gone",
            f"""
            SELECT {kind}, changed.id, {_key(sort, "changed.created_at", "changed.id")}
            FROM sessions_app_reading r WHERE r.id = changed.reading_id
            """,
            with_keys=True,
            on=GONE,
        ),
    ]


def parts_of(session: str) -> str:
    """Marks for every part of what was read in a student's session."""
    of_reading = "JOIN sessions_app_reading r ON r.id = p.reading_id"
    parts = [
        f"SELECT {kind}, p.id FROM sessions_app_{table} p {of_reading} WHERE r.student_session_id = {session}"
        for kind, table in ((TRANSCRIPT, "transcript"), (HELP, "helpevent"), (BATCH, "batchmetrics"))
    ]
    parts.append(
        f"""
        SELECT {CHUNK}, p.id FROM sessions_app_audiochunk p
        JOIN sessions_app_audiostream a ON a.id = p.stream_id JOIN sessions_app_reading r ON r.id = a.reading_id
        WHERE r.student_session_id = {session}
        """
    )
    parts.append(
        f"SELECT {SUMMARY}, p.student_session_id FROM sessions_app_sessionsummary p"
        f" WHERE p.student_session_id = {session}"
    )
    return " UNION ALL ".join(parts)


class MirroredChunk(AudioChunk):
    """A chunk of sound: when it came and how long it is. Emptying its sound changes nothing that is mirrored."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = [
            *mark_when_changed(
                "item",
                f"SELECT {CHUNK}, changed.id",
                columns=("number", "bytes", "starts", "seconds", "received_at", "lost"),
                on=KEPT,
            ),
            *mark_when_changed(
                "item_gone",
                f"""
                SELECT {CHUNK}, changed.id, {_key("CHUNK", "changed.received_at", "changed.number")}
                FROM sessions_app_audiostream a JOIN sessions_app_reading r ON r.id = a.reading_id
                WHERE a.id = changed.stream_id
                """,
                with_keys=True,
                on=GONE,
            ),
        ]


class MirroredTranscript(Transcript):
    class Meta:
        proxy = True
        default_permissions = ()
        triggers = _of_reading("item", TRANSCRIPT, "TRANS")


class MirroredHelp(HelpEvent):
    class Meta:
        proxy = True
        default_permissions = ()
        triggers = _of_reading("item", HELP, "HELP")


class MirroredBatch(BatchMetrics):
    class Meta:
        proxy = True
        default_permissions = ()
        triggers = _of_reading("item", BATCH, "BATCH")


class MirroredSummary(SessionSummary):
    """A summary is an item, and its figures stand in its session's."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = mark_when_changed(
            "item",
            f"""
            SELECT {SUMMARY}, changed.student_session_id UNION ALL SELECT {READING}, changed.student_session_id
            """,
        )


class MirroredReader(StudentSession):
    """Whether what was read is mirrored at all follows from the student's session."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = mark_when_changed("read", parts_of("changed.id"), columns=("is_simulated",), on=(pgtrigger.Update,))


class MirroredReadSession(LiveSession):
    """And from the activity of the class."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = mark_when_changed(
            "read",
            f"""
            SELECT parts.* FROM sessions_app_studentsession s, LATERAL ({parts_of("s.id")}) parts (kind, entity_id)
            WHERE s.session_id = changed.id
            """,
            columns=("activity",),
            on=(pgtrigger.Update,),
        )


class MirroredReadSchool(School):
    """How long items live is the school's retention."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = mark_when_changed(
            "read",
            f"""
            SELECT parts.* FROM sessions_app_studentsession s, LATERAL ({parts_of("s.id")}) parts (kind, entity_id)
            WHERE s.school_id = changed.id
            """,
            columns=("retention_days", "is_sample"),
            on=(pgtrigger.Update,),
        )
