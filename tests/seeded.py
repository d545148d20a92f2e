"""Many recorded runs of a study, written fast: whole, plausible, and with a known effect built in.

Dynamic questions raise the gain by `EFFECT` points and the depth of answers by `DEEPER`. The same seed gives the same
numbers. Every seventh student comes twice; some runs stop on the way, and some on-site runs are not at the site.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection

from sessions_app.models import (
    Assessment,
    AssessmentAnswer,
    AssessmentItem,
    Assignment,
    Condition,
    Consent,
    ConsentState,
    ContentDelivery,
    Exchange,
    ExchangeScore,
    Intervention,
    LiveSession,
    LocationVerification,
    PriorKnowledge,
    School,
    SegmentDelivery,
    Student,
    StudentSession,
    Study,
    SurveyResponse,
    User,
)
from sessions_app.models.identity import uuid7
from sessions_app.models.people import pseudonym_for
from tests.cast import TIME_ZERO

EFFECT = 5.0
DEEPER = 0.6
CLASS_SIZE = 20
LONG = timedelta(minutes=34)


@dataclass(frozen=True)
class Run:
    """What happens to one student's session; `stage` is how far it comes: 0 joined … 4 surveyed."""

    member: StudentSession
    condition: Condition
    began: datetime
    stage: int
    verified: bool
    baseline: float
    final: float
    chance: random.Random


def seed_runs(
    study: Study,
    school: School,
    teacher: User,
    *,
    sessions: int,
    seed: int = 1,
    since: datetime = TIME_ZERO - timedelta(days=40),
    until: datetime = TIME_ZERO,
    simulated: bool = False,
    whole: bool = True,
) -> list[StudentSession]:
    """Write so many students' sessions, the class periods spread evenly from `since` to `until`.

    Without `whole` only what reports read is written: the answers themselves are left out, and no trigger runs, so that
    nothing is marked for the mirror.
    """
    with nullcontext() if whole else _no_triggers():
        return _write(study, school, teacher, sessions, random.Random(seed), since, until, simulated, whole=whole)


@contextmanager
def _no_triggers() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("SET session_replication_role = DEFAULT")


def _write(study, school, teacher, sessions, chance, since, until, simulated, *, whole) -> list[StudentSession]:
    conditions = list(Condition.objects.order_by("code"))
    periods = _periods(study, school, teacher, sessions, since, until, simulated)
    students = _students(school, sessions, simulated, whole=whole)
    runs: list[Run] = []
    for number in range(sessions):
        period = periods[number // CLASS_SIZE]
        condition = conditions[number % len(conditions)]
        runs.append(_run(period, students[number], condition, chance, simulated))
    StudentSession.objects.bulk_create([run.member for run in runs], batch_size=2000)
    _records(study, runs, whole=whole)
    return [run.member for run in runs]


def _periods(study, school, teacher, sessions, since, until, simulated) -> list[LiveSession]:
    count = -(-sessions // CLASS_SIZE)
    step = (until - since) / max(1, count)
    periods = [
        LiveSession(
            school=school, teacher=teacher, study=study, title=f"Period {n}", activity="socratic", status="ended",
            configured_at=since + n * step, started_at=since + n * step, ended_at=since + n * step + LONG,
            end_reason="teacher", is_simulated=simulated, created_at=since + n * step,
        )
        for n in range(count)
    ]  # fmt: skip
    return LiveSession.objects.bulk_create(periods, batch_size=2000)


def _students(school: School, sessions: int, simulated: bool, *, whole: bool) -> list[Student]:
    """A student for each session; every seventh is the one of half a class before, who comes again."""
    made: list[Student] = []
    found: list[Student] = []
    for n in range(sessions):
        if n % 7 == 6 and n >= CLASS_SIZE and n % CLASS_SIZE >= CLASS_SIZE // 2:
            found.append(found[n - CLASS_SIZE])
            continue
        pk = uuid7()
        student = Student(
            pk=pk, school=school, label=f"Pupil {n}", pseudonym=pseudonym_for(pk.hex), grade=9 + n % 4, age=14 + n % 4,
            is_simulated=simulated,
        )  # fmt: skip
        made.append(student)
        found.append(student)
    Student.objects.bulk_create(made, batch_size=2000)
    purposes = ("participation", "location", "survey", "research")
    if whole:
        Consent.objects.bulk_create(
            [
                Consent(student=student, purpose=purpose, decision="granted", given_by="guardian", version="1",
                        how_obtained="paper", given_at=TIME_ZERO - timedelta(days=100))
                for student in made
                for purpose in purposes
            ],
            batch_size=4000,
        )  # fmt: skip
    else:
        states = [
            ConsentState(student=student, purpose=purpose, granted=True) for student in made for purpose in purposes
        ]
        ConsentState.objects.bulk_create(states, batch_size=4000)
    return found


def _run(period: LiveSession, student: Student, condition: Condition, chance: random.Random, simulated: bool) -> Run:
    began = period.started_at
    assert began is not None
    member = StudentSession(
        school_id=period.school_id, session=period, student=student, label=student.label, condition=condition,
        condition_randomised=True, joined_at=began - timedelta(seconds=40), is_simulated=simulated,
        created_at=began - timedelta(seconds=40),
    )  # fmt: skip
    baseline = round(min(100.0, max(0.0, chance.gauss(52, 14))), 2)
    dynamic = condition.intervention_type == "dynamic"
    gain = chance.gauss(14 + (EFFECT if dynamic else 0), 11)
    return Run(
        member=member,
        condition=condition,
        began=began,
        stage=chance.choices((0, 1, 2, 3, 4), (1, 1, 2, 3, 93))[0],
        verified=condition.location != "on-site" or chance.random() < 0.93,
        baseline=baseline,
        final=round(min(100.0, max(0.0, baseline + gain)), 2),
        chance=chance,
    )


def _records(study: Study, runs: list[Run], *, whole: bool) -> None:
    segments = list(study.content.segments.order_by("number"))
    size = {"batch_size": 2000}
    Assignment.objects.bulk_create(
        [
            Assignment(student_session=r.member, study=study, condition=r.condition, location=r.condition.location,
                       randomised=True, seed=1, block=n, position=0, drawn_from=[r.condition.code],
                       content=study.content, baseline_form=study.baseline_form, final_form=study.final_form,
                       question_set=study.question_set, survey=study.survey, assigned_at=r.began)
            for n, r in enumerate(runs, Assignment.objects.count())
        ], **size,
    )  # fmt: skip
    LocationVerification.objects.bulk_create([_verification(r) for r in runs], **size)
    PriorKnowledge.objects.bulk_create(
        [
            PriorKnowledge(student_session=r.member, answer_1=2, answer_2=3, answer_3=r.chance.randint(1, 5))
            for r in runs
        ],
        **size,
    )
    begun = [r for r in runs if r.stage >= 1]
    learnt = [r for r in runs if r.stage >= 2]
    _assessments([(r, "baseline") for r in begun] + [(r, "final") for r in runs if r.stage >= 3], study, whole=whole)
    deliveries = {r.member.pk: _delivery(r, study) for r in learnt}
    ContentDelivery.objects.bulk_create(list(deliveries.values()), **size)
    SegmentDelivery.objects.bulk_create(
        [
            SegmentDelivery(delivery=deliveries[r.member.pk], segment=s, number=s.number,
                            started_at=r.began + timedelta(minutes=3 * s.number),
                            ended_at=r.began + timedelta(minutes=3 * s.number, seconds=150), play_seconds=150,
                            attended_seconds=140, elapsed_seconds=150, played_share=1, completed=True, engagement=0.9)
            for r in learnt for s in segments
        ], **size,
    )  # fmt: skip
    _interventions(learnt, study, segments, whole=whole)
    SurveyResponse.objects.bulk_create([_survey(r, study) for r in runs if r.stage >= 4], **size)


def _verification(run: Run) -> LocationVerification:
    if run.condition.location != "on-site":
        return LocationVerification(
            student_session=run.member, location=run.condition.location, outcome="not_asked", verified_at=run.began
        )
    return LocationVerification(
        student_session=run.member, location="on-site", site_name="Iron works", site_address="500 Tredegar St",
        site_latitude=Decimal("37.5356"), site_longitude=Decimal("-77.4456"), radius_m=200,
        outcome="verified" if run.verified else "outside", confidence="high" if run.verified else "low",
        latitude=Decimal("37.535612"), longitude=Decimal("-77.445634"), accuracy_m=8.5,
        distance_m=4.2 if run.verified else 900.0, device_type="mobile", os="iOS 17.1", browser="Safari 17.0",
        user_agent="Mozilla/5.0", verified_at=run.began,
    )  # fmt: skip


def _delivery(run: Run, study: Study) -> ContentDelivery:
    return ContentDelivery(
        student_session=run.member, content=study.content, format_chosen="text",
        started_at=run.began + timedelta(minutes=3), ended_at=run.began + timedelta(minutes=20), play_seconds=300,
        elapsed_seconds=1020, pause_count=run.chance.randint(0, 6), rewind_count=run.chance.randint(0, 3),
        segments_completed=2, completion=100, engagement=round(run.chance.uniform(0.7, 1), 3),
    )  # fmt: skip


def _assessments(wanted: list[tuple[Run, str]], study: Study, *, whole: bool) -> None:
    made: list[Assessment] = []
    for run, kind in wanted:
        form, after = (study.baseline_form, 1) if kind == "baseline" else (study.final_form, 22)
        started = run.began + timedelta(minutes=after)
        score = run.baseline if kind == "baseline" else run.final
        gain = round(run.final - run.baseline, 6)
        points = round(Decimal(score) * 6 / 100, 2)
        made.append(
            Assessment(
                student_session=run.member, kind=kind, form=form, started_at=started,
                submitted_at=started + timedelta(seconds=90), duration_seconds=90, total_questions=4,
                questions_answered=4, correct_answers=2, total_points=6, points_earned=points,
                score_percentage=score, multiple_choice_score=2, multiple_choice_possible=3, short_answer_score=1,
                short_answer_possible=3, average_response_seconds=20, grading_method="rules",
                absolute_gain=gain if kind == "final" else None,
                relative_gain=100 * gain / run.baseline if kind == "final" and run.baseline else None,
                normalized_gain=gain / (100 - run.baseline) if kind == "final" and run.baseline < 100 else None,
            )
        )  # fmt: skip
    Assessment.objects.bulk_create(made, batch_size=2000)
    if whole:
        items = {form.pk: list(form.items.order_by("number")) for form in (study.baseline_form, study.final_form)}
        AssessmentAnswer.objects.bulk_create(
            [_answer(each, item) for each in made for item in items[each.form_id]], batch_size=2000
        )


def _answer(assessment: Assessment, item: AssessmentItem) -> AssessmentAnswer:
    answered = {"answered_at": assessment.submitted_at, "response_seconds": 20, "points_possible": item.points}
    if item.kind == "multiple_choice":
        return AssessmentAnswer(
            assessment=assessment, item=item, chosen_option=1, is_correct=True, points_auto=1, scorer="key", **answered
        )
    return AssessmentAnswer(
        assessment=assessment, item=item, text="The river turned the wheels.", points_auto=1, scorer="rules",
        scorer_version="rules-1", breakdown={"mentions_river": 1.0, "mentions_transport": 0.0},
        feedback="Names the river.", **answered,
    )  # fmt: skip


def _interventions(runs: list[Run], study: Study, segments: list, *, whole: bool) -> None:
    made: list[Intervention] = []
    exchanges: list[Exchange] = []
    scores: list[ExchangeScore] = []
    for run in runs:
        dynamic = run.condition.intervention_type == "dynamic"
        for segment in segments:
            opened = run.began + timedelta(minutes=5 + 4 * segment.number)
            each = Intervention(
                student_session=run.member, number=segment.number, kind=run.condition.intervention_type,
                status="validated", segment=segment, question_set=None if dynamic else study.question_set,
                location=run.condition.location, location_aware=dynamic and run.condition.location == "on-site",
                questions_asked=3, scorer="rules", scorer_version="rules-1", opened_at=opened,
                closed_at=opened + timedelta(seconds=160),
                **_qualities(run.chance, dynamic=dynamic),
            )  # fmt: skip
            made.append(each)
            if whole:
                for exchange, score in _exchanges(each, dynamic=dynamic):
                    exchanges.append(exchange)
                    scores.append(score)
    Intervention.objects.bulk_create(made, batch_size=2000)
    Exchange.objects.bulk_create(exchanges, batch_size=2000)
    ExchangeScore.objects.bulk_create(scores, batch_size=2000)


def _qualities(chance: random.Random, *, dynamic: bool) -> dict[str, float | None]:
    depth = min(5.0, max(1.0, chance.gauss(2.8 + (DEEPER if dynamic else 0), 0.7)))
    return {
        "duration_seconds": round(chance.uniform(100, 220), 1),
        "average_response_seconds": round(chance.uniform(20, 70), 2),
        "average_question_quality": round(chance.uniform(3.8, 4.9), 2),
        "average_answer_depth": round(depth, 2),
        "progression_quality": round(chance.uniform(3, 5), 2) if dynamic else None,
    }


def _exchanges(intervention: Intervention, *, dynamic: bool) -> Iterator[tuple[Exchange, ExchangeScore]]:
    for number in (1, 2, 3):
        asked = intervention.opened_at + timedelta(seconds=50 * (number - 1))
        exchange = Exchange(
            intervention=intervention, number=number, question=f"Why did the river matter? ({number})",
            author="rules" if dynamic else "set", author_version="rules-1" if dynamic else "iron-questions-v1",
            generation_ms=3.5 if dynamic else None, builds_on_previous=dynamic and number > 1,
            synthesis=dynamic and number == 3, uses_place=intervention.location_aware, asked_at=asked,
            answer="Because it drove the wheels.", answered_at=asked + timedelta(seconds=40), response_seconds=40,
            word_count=5, character_count=28,
        )  # fmt: skip
        score = ExchangeScore(
            exchange=exchange, scorer="rules", scorer_version="rules-1", question_clarity=Decimal("4.5"),
            question_relevance=Decimal("4.8"), answer_depth=Decimal("3.0"), answer_accuracy=Decimal("4.0"),
            engagement_level=Decimal("4.0"), builds_on_previous=Decimal("4.8") if exchange.builds_on_previous else None,
        )  # fmt: skip
        yield exchange, score


def _survey(run: Run, study: Study) -> SurveyResponse:
    started = run.began + timedelta(minutes=27)
    return SurveyResponse(
        student_session=run.member, survey=study.survey, started_at=started,
        submitted_at=started + timedelta(seconds=120), duration_seconds=120,
        location_impact_rating=run.chance.randint(2, 5), intervention_helpful_rating=run.chance.randint(2, 5),
        overall_experience_rating=run.chance.randint(2, 5), would_recommend_experience=run.chance.random() < 0.85,
        preferred_intervention_type=run.condition.intervention_type, most_valuable_aspect="The wheels.",
    )  # fmt: skip
