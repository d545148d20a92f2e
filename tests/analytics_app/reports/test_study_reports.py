"""The reports of a study: every number against the same number counted by hand, run by run."""

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from statistics import fmean, median, stdev
from uuid import UUID

import pytest
from django.utils import timezone

from analytics_app.reports.condition_statistics import Cell, statistics_told
from analytics_app.reports.conditions import condition_report, conditions_report
from analytics_app.reports.coverage import coverage_report
from analytics_app.reports.interventions import comparison_report
from analytics_app.reports.places import places_report
from analytics_app.reports.runs import Scope, scope_of, scorer_of
from analytics_app.reports.session_list import SORTS, STATES, SessionList
from analytics_app.reports.statistics import Reason
from analytics_app.reports.student_runs import student_runs
from analytics_app.reports.study_day import study_day
from analytics_app.reports.summaries import EVERYTHING, summaries
from sessions_app.models import (
    Assessment,
    Condition,
    Intervention,
    LocationVerification,
    School,
    SchoolClass,
    StudentSession,
    Study,
    User,
)
from tests.cast import TIME_ZERO, consent, join, make_session, make_student

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("study reports")]  # one study, one worker


def by_hand(runs: Iterable[StudentSession], *, analysed: bool) -> dict[UUID, tuple[float, float]]:
    """Scores before and after of runs with both assessments, or of those that are analysed."""
    found = {}
    for run in runs:
        scores = {a.kind: a.score_percentage for a in Assessment.objects.filter(student_session=run)}
        place = run.location_verification
        done = hasattr(run, "content_delivery") and (place.location != "on-site" or place.outcome == "verified")
        if {"baseline", "final"} <= scores.keys() and (done or not analysed):
            found[run.pk] = (scores["baseline"], scores["final"])
    return found


def in_condition(code: str) -> list[StudentSession]:
    return list(StudentSession.objects.filter(condition__code=code))


def near(value: float) -> object:
    return pytest.approx(value, rel=1e-9)


def test_a_condition_has_the_moments_of_its_analysed_runs(scope: Scope):
    for each in conditions_report(scope).rows:
        pairs = list(by_hand(in_condition(each.cell.code), analysed=True).values())
        assert each.row.analysed == len(pairs)
        if not each.row.hidden and len(pairs) > 1:
            gains = [after - before for before, after in pairs]
            assert each.row.baseline.value == near(fmean(before for before, _ in pairs))
            assert each.row.final.value == near(fmean(after for _, after in pairs))
            assert (each.row.gain.value, each.row.gain_sd.value) == (near(fmean(gains)), near(stdev(gains)))


def test_the_gain_of_both_is_of_all_runs_with_both_assessments(scope: Scope):
    for each in conditions_report(scope).rows:
        pairs = by_hand(in_condition(each.cell.code), analysed=False).values()
        assert each.row.with_both == len(pairs)
        if not each.row.hidden and pairs:
            assert each.row.gain_of_both.value == near(fmean(after - before for before, after in pairs))


def test_an_on_site_run_whose_place_is_not_verified_is_not_analysed(scope: Scope):
    LocationVerification.objects.filter(location="on-site").update(outcome="low_accuracy")
    rows = {each.cell.code: each.row for each in conditions_report(scope).rows}
    assert (rows["L1-I1-D"].analysed, rows["L1-I1-D"].with_both > 0) == (0, True)
    assert rows["L3-I1-D"].analysed > 0


def test_the_json_of_a_condition_has_the_attributes_of_entity_8(scope: Scope):
    told = conditions_report(replace(scope, threshold=1), whole=True).as_json()
    assert set(told) == {"conditions", "sample", "as_of", "definitions"}
    assert all(math.isfinite(number) for number in numbers(told))
    [one] = [c for c in told["conditions"] if c["condition"]["condition_code"] == "L2-I2-S"]
    assert {name: set(part) for name, part in one.items() if name not in {"undefined", "analysed"}} == {
        "condition": {"location", "interval", "intervention", "condition_code"},
        "date_range": {"start_date", "end_date", "days_elapsed"},
        "sample_statistics": {
            "total_sessions", "completed_sessions", "completion_rate", "unique_students",
            "avg_session_duration_seconds",
        },
        "learning_outcomes": {"baseline_assessment", "final_assessment", "learning_gain"},
        "intervention_metrics": {
            "avg_interventions_per_session", "avg_intervention_duration_seconds", "avg_questions_per_intervention",
            "avg_response_time_seconds", "avg_question_quality_score", "avg_answer_depth_score",
            "avg_progression_quality",
        },
        "engagement_metrics": {
            "avg_content_completion_rate", "avg_pause_count", "avg_rewind_count", "avg_engagement_score",
        },
        "survey_results": {
            "avg_location_impact", "avg_intervention_helpful", "avg_overall_experience", "would_recommend_pct",
        },
        "metadata": {"last_updated", "aggregation_version", "auto_generated"},
    }  # fmt: skip
    pairs = list(by_hand(in_condition("L2-I2-S"), analysed=False).values())
    gains = [after - before for before, after in pairs]
    outcomes = one["learning_outcomes"]
    assert outcomes["baseline_assessment"]["median_score"] == pytest.approx(median(b for b, _ in pairs), abs=1e-4)
    assert outcomes["final_assessment"]["max_score"] == max(after for _, after in pairs)
    assert outcomes["learning_gain"]["mean_absolute_gain"] == pytest.approx(fmean(gains), abs=1e-4)
    assert outcomes["learning_gain"]["median_absolute_gain"] == pytest.approx(median(gains), abs=1e-4)
    assert outcomes["learning_gain"]["students_with_gains"] == sum(gain > 0 for gain in gains)
    interventions = Intervention.objects.filter(student_session__condition__code="L2-I2-S")
    depth = fmean(i.average_answer_depth for i in interventions)
    assert one["intervention_metrics"]["avg_answer_depth_score"] == pytest.approx(depth, abs=1e-4)


def numbers(value: object) -> Iterable[object]:
    if isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from numbers(part)
    elif isinstance(value, float):
        yield value


@pytest.mark.parametrize(
    "make", [conditions_report, places_report, comparison_report, coverage_report, study_day], ids=lambda f: f.__name__
)
def test_no_report_says_nan(make: Callable, scope: Scope, ironworks: Study):
    for each in (scope, replace(scope, since=date(2000, 1, 1), until=date(2000, 1, 2)), replace(scope, arm="static")):
        assert all(math.isfinite(number) for number in numbers(make(each).as_json()))


def test_an_empty_study_has_a_reason_for_everything_that_it_lacks(ironworks: Study):
    StudentSession.objects.all().delete()
    told = conditions_report(scope_of(ironworks), whole=True).as_json()
    assert len(told["conditions"]) == 24
    assert told["conditions"][0]["learning_outcomes"] is None
    assert told["conditions"][0]["undefined"]["learning_outcomes"] == "no_students"
    compared = comparison_report(scope_of(ironworks))
    assert (compared.adjusted.difference.value, compared.adjusted.difference.reason) == (None, Reason.NO_STUDENTS)
    assert places_report(scope_of(ironworks)).omnibus.reason is Reason.NO_STUDENTS


def test_small_conditions_are_suppressed_and_no_margin_reveals_them(scope: Scope):
    strict = replace(scope, threshold=3)
    rows = conditions_report(strict).rows
    small = {each.cell.code for each in rows if 0 < each.row.analysed < 3}
    hidden = {each.cell.code for each in rows if each.row.hidden}
    assert small
    assert small <= hidden
    for place in ("on-site", "learning-space", "classroom", "home"):
        inside = [each for each in rows if each.cell.location == place and each.row.hidden]
        assert len(inside) != 1
    told = conditions_report(strict, whole=True).as_json()["conditions"]
    for each in told:
        if each["condition"]["condition_code"] in hidden:
            assert each["learning_outcomes"]["learning_gain"]["mean_absolute_gain"] is None
            assert each["learning_outcomes"]["baseline_assessment"]["min_score"] is None
            assert each["undefined"]["learning_outcomes.learning_gain.mean_absolute_gain"] == "suppressed"


def test_where_one_arm_is_suppressed_no_difference_is_told(scope: Scope):
    found = comparison_report(replace(scope, threshold=500))
    assert {found.adjusted.difference.reason, found.difference.difference.reason, found.hedges_g.reason} == {
        Reason.SUPPRESSED
    }
    assert found.questions["dynamic"].answer_depth.reason is Reason.SUPPRESSED


def test_one_condition_has_its_flow_and_whom_it_leaves_out(scope: Scope):
    found = condition_report(scope, Condition.objects.get(code="L1-I1-S"))
    assert found.found is not None
    flow = found.found.flow
    assert flow.assigned == 3
    assert flow.started >= flow.baseline >= flow.content >= flow.final >= flow.analysed
    assert sum(found.left_out.values()) == flow.assigned - flow.analysed
    assert found.as_json()["condition"]["condition"]["condition_code"] == "L1-I1-S"


def test_who_withdrew_or_was_taken_out_counts_nowhere_but_in_the_flow(scope: Scope):
    first, second = StudentSession.objects.filter(condition__code="L2-I1-S", assessments__kind="final").distinct()[:2]
    before = conditions_report(scope).whole
    consent(first.student, "research", "withdrawn")
    StudentSession.objects.filter(pk=second.pk).update(removed_at=timezone.now())
    after = conditions_report(scope).whole
    gone = StudentSession.objects.filter(student=first.student).count()
    assert (after.flow.withdrawn, after.flow.taken_out) == (gone, 1)
    assert after.sessions == before.sessions - gone - 1


def test_simulated_runs_count_only_where_they_are_asked_for(scope: Scope, ironworks: Study):
    StudentSession.objects.update(is_simulated=True)
    assert conditions_report(scope).whole is None
    assert conditions_report(scope_of(ironworks, simulated=True)).whole.sessions == 72
    Study.objects.filter(pk=ironworks.pk).update(is_simulated=True)
    assert conditions_report(scope_of(Study.objects.get(pk=ironworks.pk))).whole.sessions == 72


@pytest.mark.parametrize(
    ("narrowed", "sessions"),
    [
        ({"location": "home"}, 18), ({"arm": "static"}, 36), ({"interval": "2.5"}, 24), ({"interval": "10"}, 24),
        ({"location": "home", "arm": "dynamic", "interval": "5"}, 3), ({"grades": (9, 12)}, 72),
        ({"grades": (1, 5)}, 0), ({"randomised_only": True}, 72), ({"until": date(2026, 9, 9)}, 0),
    ],
)  # fmt: skip
def test_a_scope_narrows_what_is_counted(scope: Scope, narrowed: dict, sessions: int):
    whole = conditions_report(replace(scope, **narrowed)).whole
    assert (whole.sessions if whole else 0) == sessions


def test_a_day_is_one_of_the_schools_zone(scope: Scope):
    assert scope.zone.key == "America/New_York"
    begun = StudentSession.objects.earliest("session__started_at").session.started_at
    day = begun.astimezone(scope.zone).date()
    assert conditions_report(replace(scope, since=day, until=day)).whole.sessions == 20


def test_places_have_the_means_that_the_example_computes(scope: Scope):
    for place, row in places_report(scope).rows:
        runs = StudentSession.objects.filter(condition__location=place)
        pairs = by_hand(runs, analysed=False).values()
        ratings = runs.filter(survey_response__isnull=False).values_list(
            "survey_response__location_impact_rating", flat=True
        )
        assert row.sessions == len(runs)
        assert row.gain_of_both.value == near(fmean(after - before for before, after in pairs))
        assert row.location_rating.value == near(fmean(ratings))


def test_every_pair_of_places_is_compared_and_adjusted_by_holm(scope: Scope):
    found = places_report(scope)
    assert len(found.pairs) == 6
    assert all(pair.p >= pair.welch.p for pair in found.pairs)
    assert found.widest in found.pairs
    assert found.omnibus.p is not None


def test_static_and_dynamic_interventions_have_the_means_that_the_example_computes(scope: Scope):
    found = comparison_report(scope)
    for arm in ("static", "dynamic"):
        mine = Intervention.objects.filter(kind=arm)
        assert found.questions[arm].interventions == mine.count()
        assert found.questions[arm].answer_depth.value == near(fmean(i.average_answer_depth for i in mine))
        assert found.questions[arm].response_seconds.value == near(fmean(i.average_response_seconds for i in mine))
    assert found.depth.difference.value > 0.2
    assert found.cohens_d.value > 0.2


def test_abandoned_interventions_are_in_no_mean(scope: Scope):
    before = comparison_report(scope).questions["dynamic"]
    Intervention.objects.filter(kind="dynamic", number=2).update(status="abandoned", average_answer_depth=5)
    after = comparison_report(scope).questions["dynamic"]
    assert after.interventions == before.interventions / 2
    assert after.answer_depth.value == near(
        fmean(i.average_answer_depth for i in Intervention.objects.filter(kind="dynamic", number=1))
    )


def test_a_comparison_never_mixes_scorers(scope: Scope):
    before = comparison_report(scope).questions["static"].answer_depth.value
    few = Intervention.objects.filter(kind="static").values("pk")[:3]
    Intervention.objects.filter(pk__in=list(few.values_list("pk", flat=True))).update(
        scorer="bedrock", scorer_version="a-model", average_answer_depth=5
    )
    assert (scorer_of(scope).name, scorer_of(scope).others) == ("rules", 1)
    assert comparison_report(scope).questions["static"].answer_depth.value != before
    assert comparison_report(scope).questions["static"].answer_depth.value < 4


def test_the_json_of_the_comparison_names_what_it_rests_on(scope: Scope):
    told = comparison_report(scope).as_json()
    assert set(told["arms"]) == {"static", "dynamic"}
    assert set(told["checks"]) >= {"balance", "parallel_p", "repeated", "without_final", "scorer"}
    assert told["gain"]["adjusted"]["ci"][0] <= told["gain"]["adjusted"]["value"] <= told["gain"]["adjusted"]["ci"][1]


def test_the_emptiest_condition_is_run_next_and_ties_go_to_the_arm_that_is_behind(scope: Scope):
    found = coverage_report(scope)
    assert [cell.next for cell in found.next_cells] == [1, 2, 3]
    assert found.next_cells[0].n == min(cell.n for cell in found.cells)
    assert found.analysed == conditions_report(scope).whole.flow.analysed
    assert all(cell.dropped == cell.started - cell.n for cell in found.cells)


def test_a_full_condition_is_not_run_next(scope: Scope, ironworks: Study):
    ironworks.cells.update(target=1)
    found = coverage_report(scope)
    assert all(cell.n == 0 for cell in found.next_cells)


def test_a_day_of_a_study_counts_what_the_example_counts(scope: Scope):
    session = StudentSession.objects.earliest("session__started_at").session
    day = session.started_at.astimezone(scope.zone).date()
    told = study_day(scope, day=day).as_json()
    members = StudentSession.objects.filter(session=session)
    assert told["total_sessions"] == 20
    assert told["sessions_by_condition"] == {
        code: members.filter(condition__code=code).count() for code in members.values_list("condition__code", flat=True)
    }
    done = members.filter(assessments__kind="final", content_delivery__isnull=False).count()
    assert told["completed_sessions"] == done
    assert sum(told["sessions_by_location"].values()) == 20


def test_the_usual_figures_are_those_of_the_same_weekday(scope: Scope):
    session = StudentSession.objects.earliest("session__started_at").session
    day = session.started_at.astimezone(scope.zone).date()
    later = study_day(scope, day=day + timedelta(weeks=2))
    assert later.usual["started"] == 20
    assert study_day(scope, day=day + timedelta(weeks=6)).usual == {}


def test_the_pace_adds_up_to_all_that_are_analysed(scope: Scope):
    found = study_day(scope)
    assert sum(n for _week, n in found.pace) == conditions_report(scope).whole.flow.analysed


def test_a_student_over_time_has_every_run_in_order(scope: Scope, runs: list[StudentSession]):
    times = Counter(run.student_id for run in runs)
    twice = next(run.student for run in runs if times[run.student_id] == 2)
    found = student_runs(scope, twice)
    assert len(found.runs) == 2
    assert found.runs[0].at < found.runs[1].at
    told = found.as_json()
    assert told["student"]["pseudonym"] == twice.pseudonym
    assert twice.label not in str(told)


@pytest.mark.parametrize("sort", SORTS)
def test_a_list_is_sorted_by_each_of_its_columns(scope: Scope, sort: str):
    names = {"time": "at", "condition": "code", "student": "pseudonym"}
    values = [getattr(each, names.get(sort, sort)) for each in SessionList(scope, sort=sort, descending=False)[0:72]]
    known = [value for value in values if value is not None]
    assert len(values) == 72
    assert known == sorted(known)
    assert values[: len(known)] == known


def test_a_list_is_narrowed_by_state(scope: Scope):
    counts = {state: len(SessionList(scope, state)) for state in STATES}
    assert counts[""] == 72 == counts["completed"] + counts["unfinished"] == counts["analysed"] + counts["left-out"]
    assert counts["flagged"] == 0


def test_a_run_that_never_started_is_assigned_and_nothing_else(
    scope: Scope, ironworks: Study, alice: User, grade_four: SchoolClass
):
    student = make_student(grade_four, "Late")
    late = join(make_session(alice, grade_four, study=ironworks), student)
    StudentSession.objects.filter(pk=late.pk).update(condition=Condition.objects.get(code="L4-I3-S"))
    whole = conditions_report(scope).whole
    assert (whole.flow.assigned, whole.sessions) == (73, 72)


def test_the_parts_that_are_not_asked_for_are_empty(scope: Scope):
    [found] = summaries(scope, (), parts=())
    assert (found[()].analysed.sessions, found[()].ratings.surveys, found[()].flow.analysed > 0) == (0, 0, True)
    [whole] = summaries(scope, (), parts=EVERYTHING)
    assert whole[()].ratings.surveys > 0
    assert 50 < whole[()].ratings.recommend_percentage <= 100
    assert 0 < whole[()].engagement.score < 1


def test_statistics_are_told_for_a_condition_without_runs():

    told = statistics_told(
        Cell("L1-I1-D", "on-site", Decimal("2.5"), "dynamic"), None, start=None, end=None, as_of=TIME_ZERO
    )
    assert told["sample_statistics"]["total_sessions"] == 0
    assert told["undefined"]["survey_results"] == "no_students"


def test_the_strictest_schools_threshold_and_a_shared_zone_hold_for_the_study(
    ironworks: Study, school: School, other_school: School
):
    School.objects.filter(pk=other_school.pk).update(small_cell_threshold=25)
    ironworks.schools.add(other_school)
    found = scope_of(ironworks)
    assert (found.threshold, found.zone.key) == (25, "UTC")
