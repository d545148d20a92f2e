"""Entity 8: the statistics of a condition, month by month, kept as rows and mirrored as items."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from statistics import fmean, median

import pytest
from django.core.management import CommandError, call_command
from pytest_django.plugin import DjangoDbBlocker

from analytics_app.mirror import agreement, condition_months, keys
from analytics_app.mirror.kinds import KINDS
from analytics_app.mirror.outbox import Outbox
from analytics_app.mirror.writer import Tables
from analytics_app.models import ConditionStatistics, OutboxItem
from sessions_app.models import Assessment, Condition, LiveSession, School, StudentSession, Study
from tests.analytics_app import recorded
from tests.cast import consent

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("statistics")]  # one study, one worker

ironworks, school, alice, runs = recorded.ironworks, recorded.school, recorded.alice, recorded.runs


@pytest.fixture(scope="module")
def written(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Study]:
    """Three runs in each condition, over September and October; small cells are told from two students on."""
    with recorded.study_with_runs(django_db_blocker, sessions=72, whole=False, cell=2) as study:
        condition_months.refresh()
        yield study


def row_of(code: str) -> ConditionStatistics:
    """The month of a condition that has most runs."""
    return ConditionStatistics.objects.filter(condition__code=code).order_by("-sessions", "start").first()


def item_of(row: ConditionStatistics) -> dict:
    [item] = KINDS["condition_statistics"].newest([row.pk])[row.pk].values()
    return item


def mirrored(tables: Tables, pk: str) -> list[dict]:
    return [item for page in tables.query(keys.SOCRATIC, pk=pk) for item in page]


def command(*words: str) -> tuple[int, dict]:
    out, status = StringIO(), 0
    try:
        call_command("refresh_statistics", *words, "--json", stdout=out)
    except CommandError as error:
        status = error.returncode
    return status, json.loads(out.getvalue() or "{}")


def test_a_month_has_every_attribute_of_entity_8(runs: list[StudentSession]):
    row = next(each for each in ConditionStatistics.objects.filter(suppressed=False).select_related("condition"))
    item = item_of(row)
    condition = row.condition
    cell = f"{condition.location}#{condition.interval_key}#{condition.intervention_type}"
    assert (item["PK"], item["SK"]) == (f"STATS#CONDITION#{cell}", f"AGGREGATE#{row.start}_{row.end}")
    assert item["entity_type"] == "condition_statistics"
    assert item["condition"]["interval"] == Decimal(condition.interval_key)
    assert item["date_range"] == {
        "start_date": str(row.start), "end_date": str(row.end), "days_elapsed": Decimal((row.end - row.start).days)
    }  # fmt: skip
    attributes = {
        "sample_statistics": {"total_sessions", "completed_sessions", "completion_rate", "unique_students",
                              "avg_session_duration_seconds"},
        "intervention_metrics": {"avg_interventions_per_session", "avg_intervention_duration_seconds",
                                 "avg_questions_per_intervention", "avg_response_time_seconds",
                                 "avg_question_quality_score", "avg_answer_depth_score", "avg_progression_quality"},
        "engagement_metrics": {"avg_content_completion_rate", "avg_pause_count", "avg_rewind_count",
                               "avg_engagement_score"},
        "survey_results": {"avg_location_impact", "avg_intervention_helpful", "avg_overall_experience",
                           "would_recommend_pct"},
        "metadata": {"last_updated", "aggregation_version", "auto_generated"},
    }  # fmt: skip
    assert {block: set(item[block]) for block in attributes} == attributes
    scores = {"mean_score", "median_score", "std_dev", "min_score", "max_score", "n"}
    outcomes = item["learning_outcomes"]
    assert set(outcomes["baseline_assessment"]) == set(outcomes["final_assessment"]) == scores
    assert set(outcomes["learning_gain"]) >= {
        "mean_absolute_gain", "median_absolute_gain", "mean_normalized_gain", "effect_size_cohens_d",
        "students_with_gains", "students_with_no_change", "students_with_losses",
    }  # fmt: skip


def test_its_numbers_are_those_of_the_months_runs(runs: list[StudentSession]):
    row = next(iter(ConditionStatistics.objects.filter(suppressed=False).order_by("-sessions")))
    mine = StudentSession.objects.filter(
        condition=row.condition_id, session__started_at__date__range=(row.start, row.end)
    )
    pairs = [
        tuple(run.assessments.get(kind=kind).score_percentage for kind in ("baseline", "final"))
        for run in mine
        if run.assessments.count() == 2
    ]
    item = item_of(row)
    assert item["sample_statistics"]["total_sessions"] == mine.count()
    outcomes = item["learning_outcomes"]
    assert outcomes["baseline_assessment"]["n"] == len(pairs)
    assert float(outcomes["baseline_assessment"]["mean_score"]) == pytest.approx(fmean(b for b, _ in pairs), abs=1e-4)
    assert float(outcomes["final_assessment"]["median_score"]) == pytest.approx(median(f for _, f in pairs), abs=1e-4)
    gain = fmean(after - before for before, after in pairs)
    assert float(outcomes["learning_gain"]["mean_absolute_gain"]) == pytest.approx(gain, abs=1e-4)


def test_a_month_of_few_students_tells_no_result(runs: list[StudentSession]):
    School.objects.update(small_cell_threshold=10)
    condition_months.refresh()
    item = item_of(row_of("L1-I1-D"))
    assert item["sample_statistics"]["total_sessions"] > 0
    assert item["sample_statistics"]["unique_students"] is None
    assert item["learning_outcomes"]["learning_gain"]["mean_absolute_gain"] is None
    assert item["undefined"]["learning_outcomes.learning_gain.mean_absolute_gain"] == "suppressed"
    assert not ConditionStatistics.objects.filter(suppressed=False).exists()


def test_a_refresh_writes_only_what_became_another_one(runs: list[StudentSession]):
    OutboxItem.objects.all().delete()
    assert condition_months.refresh().changed == 0
    assert not OutboxItem.objects.exists()
    before = dict(ConditionStatistics.objects.values_list("pk", "changed_at"))
    row = ConditionStatistics.objects.filter(suppressed=False).first()
    final = Assessment.objects.filter(
        kind="final", student_session__condition=row.condition_id,
        student_session__session__started_at__date__range=(row.start, row.end),
    ).first()  # fmt: skip
    Assessment.objects.filter(pk=final.pk).update(score_percentage=1, absolute_gain=-40)
    OutboxItem.objects.all().delete()
    assert condition_months.refresh().changed == 1
    assert [(item.kind, item.entity_id) for item in OutboxItem.objects.all()] == [("condition_statistics", row.pk)]
    changed = dict(ConditionStatistics.objects.values_list("pk", "changed_at"))
    assert {pk for pk in before if before[pk] != changed[pk]} == {row.pk}


def test_the_mirror_follows_months_that_change_move_and_go(runs: list[StudentSession], drain: Outbox, tables: Tables):
    drain.drain()
    row = row_of("L1-I1-D")
    assert item_of(row) in mirrored(tables, row.partition_key)
    assert agreement.compare(tables).extra == []
    Condition.objects.filter(code="L1-I1-D").update(interval_minutes="3.5")
    condition_months.refresh()
    drain.drain()
    assert mirrored(tables, row.partition_key) == []
    moved = mirrored(tables, "STATS#CONDITION#on-site#3.5#dynamic")
    assert {item["condition"]["interval"] for item in moved} == {Decimal("3.5")}
    StudentSession.objects.filter(condition__code="L1-I1-D").delete()
    condition_months.refresh()
    drain.drain()
    assert mirrored(tables, "STATS#CONDITION#on-site#3.5#dynamic") == []


def test_who_withdraws_from_research_is_in_no_statistics_any_more(runs: list[StudentSession]):
    run = StudentSession.objects.filter(condition__code="L1-I1-D").first()
    total = sum(ConditionStatistics.objects.filter(condition__code="L1-I1-D").values_list("sessions", flat=True))
    consent(run.student, "research", "withdrawn")
    gone = StudentSession.objects.filter(condition__code="L1-I1-D", student=run.student).count()
    condition_months.refresh()
    now = sum(ConditionStatistics.objects.filter(condition__code="L1-I1-D").values_list("sessions", flat=True))
    assert now == total - gone


def test_some_months_are_computed_as_all_are(runs: list[StudentSession]):
    newest = ConditionStatistics.objects.order_by("-start").first().start
    stored = dict(ConditionStatistics.objects.values_list("pk", "figures"))
    for words in ((newest, None), (None, newest - timedelta(days=1)), (newest, newest)):
        done = condition_months.refresh(since=words[0], until=words[1])
        assert (done.added, done.changed, done.removed) == (0, 0, 0)
    assert dict(ConditionStatistics.objects.values_list("pk", "figures")) == stored
    LiveSession.objects.filter(started_at__date__lt=newest).update(is_simulated=False)
    ConditionStatistics.objects.filter(start__lt=newest).update(figures={})
    assert condition_months.refresh(since=newest).changed == 0
    assert condition_months.refresh().changed > 0


def test_the_command_computes_verifies_and_says_by_its_exit_status(runs: list[StudentSession]):
    rows = ConditionStatistics.objects.count()
    assert command() == (0, {"added": 0, "changed": 0, "removed": 0, "rows": rows})
    assert command("--verify")[0] == 0
    gone, edited = ConditionStatistics.objects.order_by("pk")[:2]
    ConditionStatistics.objects.filter(pk=edited.pk).update(figures={})
    gone.delete()
    status, found = command("--verify")
    assert (status, found["ok"]) == (1, False)
    assert found["missing"] == [f"{gone.partition_key} {gone.sort_key}"]
    assert found["different"] == [f"{edited.partition_key} {edited.sort_key}"]
    assert command()[1] | {"rows": 0} == {"added": 1, "changed": 1, "removed": 0, "rows": 0}
    assert command("--since", "2026-10-02", "--until", "2026-10-01")[0] == 2
    out = StringIO()
    call_command("refresh_statistics", "--since", str(date(2030, 1, 1)), stdout=out)
    assert out.getvalue().startswith("0 months of conditions computed")


def test_what_a_running_class_has_changed_is_not_an_error(runs: list[StudentSession]):
    newest = ConditionStatistics.objects.order_by("-start").first()
    older = ConditionStatistics.objects.filter(start__lt=newest.start).first()
    ConditionStatistics.objects.filter(pk=newest.pk).update(figures={})
    run = StudentSession.objects.filter(session__started_at__date__gte=newest.start).first()
    LiveSession.objects.filter(pk=run.session_id).update(status="started", ended_at=None, end_reason="")
    found = condition_months.verify()
    assert f"{newest.partition_key} {newest.sort_key}" in found.pending
    assert found.agrees
    ConditionStatistics.objects.filter(pk=older.pk).update(figures={})
    assert condition_months.verify().different == [f"{older.partition_key} {older.sort_key}"]


def test_writing_what_changed_computes_them_first(runs: list[StudentSession], tables: Tables):
    ConditionStatistics.objects.all().delete()
    call_command("mirror_dynamodb", "--once", "--json", stdout=StringIO())
    row = row_of("L4-I3-S")
    assert item_of(row) in mirrored(tables, row.partition_key)
