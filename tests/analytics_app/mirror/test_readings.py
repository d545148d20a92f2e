"""What was read, in the table of readings: items, marks, keys of what is gone, and both sides agreeing."""

import json
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import call_command
from django.utils import timezone

from analytics_app import health
from analytics_app.mirror import agreement, keys, readings
from analytics_app.mirror.kinds import KINDS
from analytics_app.mirror.outbox import Outbox
from analytics_app.mirror.writer import Tables, Write
from analytics_app.models import IndexUse, OutboxItem
from sessions_app.models import (
    AudioChunk,
    BatchMetrics,
    HelpEvent,
    LiveSession,
    Reading,
    School,
    SessionSummary,
    Student,
    StudentSession,
    Transcript,
)
from sessions_app.reading import moments
from tests.reading_cast import HOLDER, TEXT, Listener, Read

pytestmark = pytest.mark.django_db

PARTS = {"audio_chunk", "transcript", "help", "batch_metrics"}


def clean() -> None:
    OutboxItem.objects.all().delete()


def marked() -> set[tuple[str, UUID]]:
    return {(item.kind, item.entity_id) for item in OutboxItem.objects.all()}


@pytest.fixture
def has_all(reading: Reading, listener: Listener, has_read: Read) -> Reading:
    """Sam's reading with two chunks of sound, what was heard, one help, its minutes and its summary."""
    listener.receives(b"first", b"second")
    moments.help_record(
        reading.pk,
        moments.NewHelp(
            index=8, word="canal", reason="pause", at=4.0, text="A canal is water.", parts="ca·nal",
            author="rules", voice="browser", latency_ms=None,
        ),
        holder=HOLDER,
        at=timezone.now(),
    )  # fmt: skip
    return has_read(TEXT[:40], TEXT[40:90], seconds=30)


def test_a_chunk_is_when_and_how_much_never_the_sound(has_all: Reading):
    first = AudioChunk.objects.get(number=0)
    moment = keys.fraction(first.received_at)
    assert readings.chunks([first.pk])[first.pk] == [
        {
            "PK": f"SESSION#{has_all.student_session_id}",
            "SK": f"CHUNK#{moment}#0",
            "Type": "AUDIO_CHUNK",
            "Timestamp": moment,
            "Stream": 0,
            "Sequence": 0,
            "SizeBytes": 5,
            "StartSeconds": 0,
            "DurationSeconds": Decimal("0.5"),
            "Lost": False,
            "TTL": int(first.received_at.timestamp()) + has_all.school.retention_days * 86400,
        }
    ]


def test_a_transcript_has_its_words_with_their_times(has_all: Reading):
    first = Transcript.objects.get(number=0)
    [item] = readings.transcripts([first.pk])[first.pk]
    assert item["SK"] == f"TRANS#{keys.fraction(first.created_at)}#{first.pk}"
    assert (item["Type"], item["Text"]) == ("TRANSCRIPT", first.text)
    assert item["Words"][1] == {
        "Word": "the", "Start": Decimal("0.5"), "End": Decimal("0.9"), "Confidence": Decimal("0.9")
    }  # fmt: skip


def test_help_is_the_word_and_what_was_said(has_all: Reading):
    help_ = HelpEvent.objects.get()
    [item] = readings.helps([help_.pk])[help_.pk]
    assert item["SK"] == f"HELP#{keys.fraction(help_.created_at)}#{help_.pk}"
    assert (item["Word"], item["WordIndex"], item["Reason"]) == ("canal", 8, "pause")
    assert (item["HelpMessage"], item["Author"], item["PlayedAt"]) == ("A canal is water.", "rules", None)


def test_a_minute_is_found_by_type_and_day(has_all: Reading):
    minute = BatchMetrics.objects.get()
    [item] = readings.batches([minute.pk])[minute.pk]
    assert item["SK"] == f"BATCH#{keys.fraction(minute.created_at)}#{minute.pk}"
    assert (item["GSI1PK"], item["GSI1SK"]) == ("BATCH_METRICS", keys.date_and_moment(minute.created_at))
    assert item["WordCount"] == minute.words
    assert item["WordsPerMinute"] == round(Decimal(str(minute.wpm)), 2)
    counts = item["MiscueCounts"]
    assert counts["Total"] == counts["Omissions"] + counts["Insertions"] + counts["Substitutions"]
    assert len(item["Transcriptions"]) == len(minute.transcripts) > 0


def test_the_summary_has_the_figures_and_the_whole_text(has_all: Reading):
    summary = SessionSummary.objects.get()
    [item] = readings.summaries([summary.student_session_id])[summary.student_session_id]
    assert (item["SK"], item["Type"], item["GSI1PK"]) == ("SUMMARY", "SESSION_SUMMARY", "SESSION_SUMMARY")
    assert item["TotalWords"] == summary.words > 0
    assert item["FullTranscript"] == summary.transcript
    assert set(item["Insights"]) == {"reading_speed", "total_miscues", "miscue_rate"}


def test_the_sessions_own_item_gets_the_figures(has_all: Reading):
    summary = SessionSummary.objects.get()
    [item] = KINDS["reading_session"].load([summary.student_session_id])[summary.student_session_id]
    assert item["Metrics"]["TotalWords"] == summary.words
    assert item["Metrics"]["AverageConfidence"] == Decimal("0.9")


def test_what_is_read_is_marked_once_for_each_part(has_all: Reading):
    kinds = {kind for kind, _ in marked()}
    assert kinds >= PARTS | {"reading_summary", "reading_session"}


def test_emptying_a_chunk_of_its_sound_marks_nothing(has_all: Reading):
    clean()
    AudioChunk.objects.update(data=None)
    assert marked() == set()


def test_each_deleted_part_leaves_the_key_of_its_item_behind(has_all: Reading):
    built = {
        pk: (kind.name, keys.Key(keys.READING, item["PK"], item["SK"]))
        for kind in KINDS.values()
        if kind.name in PARTS
        for pk, found in kind.load(list(kind.everything().values_list("pk", flat=True))).items()
        for item in found
    }
    assert {kind for kind, _ in built.values()} == PARTS
    clean()
    has_all.student_session.delete()
    left = {(item.kind, item.entity_id): item.former_keys for item in OutboxItem.objects.all()}
    assert {(kind, pk): [f"{key.pk} {key.sk}"] for pk, (kind, key) in built.items()}.items() <= left.items()


def test_each_key_tells_whose_it_is(has_all: Reading):
    for kind in (KINDS[name] for name in PARTS):
        for pk, found in kind.load(list(kind.everything().values_list("pk", flat=True))).items():
            for item in found:
                assert kind.keys.entity(keys.Key(keys.READING, item["PK"], item["SK"])) == pk


def test_another_activity_takes_what_was_read_out_of_the_table(has_all: Reading):
    clean()
    LiveSession.objects.update(activity="socratic")
    assert {kind for kind, _ in marked()} >= PARTS | {"reading_summary"}
    assert readings.transcripts(list(Transcript.objects.values_list("pk", flat=True))) == {}


def test_a_schools_retention_marks_what_was_read(has_all: Reading, school: School):
    clean()
    School.objects.filter(pk=school.pk).update(retention_days=school.retention_days - 1)
    assert {kind for kind, _ in marked()} >= PARTS | {"reading_summary", "reading_session"}


def ask(*words: object) -> list[dict]:
    out = StringIO()
    call_command("query_mirror", *map(str, words), stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_the_four_questions_find_it(drain: Outbox, has_all: Reading, sam: Student):
    drain.drain()
    member = has_all.student_session
    everything = ask("reading-session", member.pk)
    assert {item["Type"] for item in everything} == {
        "SESSION", "AUDIO_CHUNK", "TRANSCRIPT", "HELP_EVENT", "BATCH_METRICS", "SESSION_SUMMARY"
    }  # fmt: skip
    assert [item["SK"] for item in ask("reading-student", sam.pk)] == ["METADATA"]
    assert [item["SK"] for item in ask("reading-date", timezone.now().date())] == ["METADATA"]
    minute = BatchMetrics.objects.get()
    assert [item["SK"].rpartition("#")[2] for item in ask("batch-date", minute.created_at.date())] == [str(minute.pk)]


def test_both_sides_agree_after_it_was_read_and_after_it_is_gone(drain: Outbox, tables: Tables, has_all: Reading):
    drain.drain()
    found = agreement.compare(tables)
    assert (found.agrees, found.missing, found.extra, found.different) == (True, [], [], {})
    StudentSession.objects.filter(pk=has_all.student_session_id).delete()
    drain.drain()
    found = agreement.compare(tables)
    assert (found.agrees, found.extra, found.pending) == (True, [], [])


def test_a_lost_transcript_is_found_and_put_back(drain: Outbox, tables: Tables, has_all: Reading):
    drain.drain()
    first = Transcript.objects.get(number=0)
    [item] = readings.transcripts([first.pk])[first.pk]
    key = keys.Key(keys.READING, item["PK"], item["SK"])
    tables.write([Write(key, None)])
    found = agreement.compare(tables)
    assert found.missing == [key]
    agreement.repair(tables, found)
    drain.drain()
    assert agreement.compare(tables).agrees


def test_the_monitor_tells_of_what_waits_what_is_asked_and_what_has_expired(
    has_all: Reading, reading_session: LiveSession
):
    def watched() -> health.Check:
        return next(check for check in health.tables() if check.name == "reading_sessions")

    IndexUse.objects.create(
        day=timezone.now().date(), table=keys.READING, index="GSI1", pattern="batch-date", queries=3
    )
    before = watched()
    assert before.ok
    assert before.figures["depth"] == OutboxItem.objects.exclude(kind="student_profile").count() > 5
    assert (before.figures["index_use_7_days"], before.figures["expired_items"]) == ({"GSI1": 3}, 0)
    kept = timedelta(days=reading_session.school.retention_days)
    over = timezone.now() - kept - timedelta(days=3)
    LiveSession.objects.update(status="ended", configured_at=over, started_at=over, ended_at=over)
    after = watched()
    assert not after.ok
    assert after.figures["expired_items"] == after.figures["overdue_items"] == 2 + 2 + 1 + 1 + 1
