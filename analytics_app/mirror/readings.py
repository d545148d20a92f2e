"""The items of readings, attribute for attribute as requirement 000 gives them: chunks, transcripts, help, minutes,
the summary. The session's METADATA is `items.reading_session`.

Each row is an item of its own, written once. Its key holds the time at which it was made, and `TTL` is when the
school's retention is over. Texts are what was heard and what helped; no name is in any of them.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet

from analytics_app.mirror import keys
from analytics_app.mirror.items import Built, measure
from analytics_app.mirror.source import Items, reading_session_ids
from sessions_app.models import AudioChunk, BatchMetrics, HelpEvent, SessionSummary, Transcript

CHUNK: Final = keys.Named(keys.READING, "SESSION#", "CHUNK#")
TRANSCRIPT: Final = keys.OfRow(keys.READING, "SESSION#", "TRANS#")
HELP: Final = keys.OfRow(keys.READING, "SESSION#", "HELP#")
BATCH: Final = keys.OfRow(keys.READING, "SESSION#", "BATCH#")
SUMMARY: Final = keys.Pattern(keys.READING, "SESSION#", "SUMMARY")

_SECONDS: Final = 3
_SHARE: Final = 4


def _mirrored(path: str) -> Q:
    """Rows whose session has an item in the table of readings; `path` leads to the student's session."""
    return Q(**{f"{path}__in": reading_session_ids().values("pk")})


def chunk_ids() -> QuerySet[AudioChunk]:
    return AudioChunk.objects.filter(_mirrored("stream__reading__student_session"))


def transcript_ids() -> QuerySet[Transcript]:
    return Transcript.objects.filter(_mirrored("reading__student_session"))


def help_ids() -> QuerySet[HelpEvent]:
    return HelpEvent.objects.filter(_mirrored("reading__student_session"))


def batch_ids() -> QuerySet[BatchMetrics]:
    return BatchMetrics.objects.filter(_mirrored("reading__student_session"))


def summary_ids() -> QuerySet[Any]:
    """Sessions with a summary: the entity is the student's session, which has one."""
    return reading_session_ids().filter(summary__isnull=False)


def chunks(ids: Collection[UUID]) -> Items:
    """The items of chunks of sound; never the sound itself."""
    rows = chunk_ids().filter(pk__in=ids).select_related("stream__reading__school").defer("data")
    found = {}
    for chunk in rows:
        reading = chunk.stream.reading
        sk = f"CHUNK#{keys.fraction(chunk.received_at)}#{chunk.number}"
        found[chunk.pk] = [
            {
                **_head(reading.student_session_id, sk, "AUDIO_CHUNK"),
                "Timestamp": keys.fraction(chunk.received_at),
                "Stream": Decimal(chunk.stream.number),
                "Sequence": Decimal(chunk.number),
                "SizeBytes": Decimal(chunk.bytes),
                "StartSeconds": measure(chunk.starts, _SECONDS),
                "DurationSeconds": measure(chunk.seconds, _SECONDS),
                "Lost": chunk.lost,
                "TTL": _ttl(chunk.received_at, reading.school.retention_days),
            }
        ]
    return found


def transcripts(ids: Collection[UUID]) -> Items:
    rows = transcript_ids().filter(pk__in=ids).select_related("reading__school")
    return {
        row.pk: [
            {
                **_head(
                    row.reading.student_session_id, f"TRANS#{keys.fraction(row.created_at)}#{row.pk}", "TRANSCRIPT"
                ),
                "Timestamp": keys.fraction(row.created_at),
                "Text": row.text,
                "StartSeconds": measure(row.starts, _SECONDS),
                "EndSeconds": measure(row.ends, _SECONDS),
                "Confidence": measure(row.confidence, _SHARE),
                "Words": [
                    {
                        "Word": word,
                        "Start": measure(starts, _SECONDS),
                        "End": measure(ends, _SECONDS),
                        "Confidence": measure(confidence, _SHARE),
                    }
                    for word, starts, ends, confidence in row.words
                ],
                "Engine": row.engine,
                "TTL": _ttl(row.created_at, row.reading.school.retention_days),
            }
        ]
        for row in rows
    }


def helps(ids: Collection[UUID]) -> Items:
    rows = help_ids().filter(pk__in=ids).select_related("reading__school")
    return {
        row.pk: [
            {
                **_head(row.reading.student_session_id, f"HELP#{keys.fraction(row.created_at)}#{row.pk}", "HELP_EVENT"),
                "Timestamp": keys.fraction(row.created_at),
                "Word": row.word,
                "WordIndex": Decimal(row.index),
                "Reason": row.reason,
                "HelpMessage": row.text,
                "Author": row.author,
                "Voice": row.voice,
                "PlayedAt": keys.fraction(row.played_at) if row.played_at else None,
                "TTL": _ttl(row.created_at, row.reading.school.retention_days),
            }
        ]
        for row in rows
    }


def batches(ids: Collection[UUID]) -> Items:
    rows = batch_ids().filter(pk__in=ids).select_related("reading__school")
    return {
        row.pk: [
            {
                **_head(
                    row.reading.student_session_id, f"BATCH#{keys.fraction(row.created_at)}#{row.pk}", "BATCH_METRICS"
                ),
                "GSI1PK": "BATCH_METRICS",
                "GSI1SK": keys.date_and_moment(row.created_at),
                "Timestamp": keys.fraction(row.created_at),
                "WindowNumber": Decimal(row.number),
                "StartSeconds": measure(row.starts, _SECONDS),
                "EndSeconds": measure(row.ends, _SECONDS),
                "WordCount": Decimal(row.words),
                "WordsPerMinute": measure(row.wpm),
                "WordsCorrectPerMinute": measure(row.wcpm),
                "MiscueCounts": _miscues(row),
                "AverageConfidence": measure(row.confidence, _SHARE),
                "Transcriptions": list(row.transcripts),
                "TTL": _ttl(row.created_at, row.reading.school.retention_days),
            }
        ]
        for row in rows
    }


def summaries(ids: Collection[UUID]) -> Items:
    rows = SessionSummary.objects.filter(student_session__in=reading_session_ids().filter(pk__in=ids))
    return {
        row.student_session_id: [
            {
                **_head(row.student_session_id, "SUMMARY", "SESSION_SUMMARY"),
                "GSI1PK": "SESSION_SUMMARY",
                "GSI1SK": keys.date_and_moment(row.created_at),
                "Timestamp": keys.fraction(row.created_at),
                "TotalWords": Decimal(row.words),
                "AverageWpm": measure(row.wpm),
                "AverageWcpm": measure(row.wcpm),
                "OverallAccuracy": measure(row.accuracy),
                "TotalMiscueCounts": _miscues(row),
                "AverageConfidence": measure(row.confidence, _SHARE),
                "FullTranscript": row.transcript,
                "Insights": {
                    "reading_speed": row.insights.get("reading_speed"),
                    "total_miscues": Decimal(row.insights.get("total_miscues", 0)),
                    "miscue_rate": measure(row.insights.get("miscue_rate"), 3),
                },
                "TTL": _ttl(row.created_at, row.student_session.school.retention_days),
            }
        ]
        for row in rows.select_related("student_session__school")
    }


def _head(student_session_id: UUID, sk: str, kind: str) -> Built:
    return {"PK": keys.session(student_session_id), "SK": sk, "Type": kind}


def _miscues(row: BatchMetrics | SessionSummary) -> Mapping[str, Decimal]:
    return {
        "Omissions": Decimal(row.omissions),
        "Insertions": Decimal(row.insertions),
        "Substitutions": Decimal(row.substitutions),
        "Total": Decimal(row.omissions + row.insertions + row.substitutions),
    }


def _ttl(moment: datetime, days: int) -> Decimal:
    return Decimal(int((moment + timedelta(days=days)).timestamp()))
