"""A small study of the cast's: two segments, forms of four questions, a question set, a survey, and two places.

`ironworks` is the study, complete and running in Alice's class; `sam_assigned` is Sam in it, assigned to a condition.
The factories make what a test needs more of.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from sessions_app import lifecycle
from sessions_app.models import (
    AssessmentForm,
    AssessmentItem,
    Assignment,
    Condition,
    Content,
    LiveSession,
    PredefinedQuestion,
    QuestionSet,
    RubricConcept,
    SchoolClass,
    Segment,
    Site,
    Student,
    StudentSession,
    Study,
    StudyCondition,
    SurveyForm,
    SurveyItem,
    User,
)
from sessions_app.study import (
    asking,
    assessments,
    delivery,
    interventions,
    journey,
    location,
    pauses,
    prior_knowledge,
    surveys,
)
from tests.cast import consent, join, make_session

TREDEGAR = (Decimal("37.535600"), Decimal("-77.445600"))


def make_content(slug: str = "iron", *, segments: int = 2, seconds: int = 150, **more: object) -> Content:
    content = Content.objects.create(slug=slug, title="Iron", topic="Iron on the James", **more)
    for number in range(1, segments + 1):
        Segment.objects.create(
            content=content,
            number=number,
            title=f"Part {number}",
            text=f"The river drove the wheels of part {number}. Coal came down the canal. Iron went out by rail.",
            duration_seconds=seconds,
            summary=f"How the river and the canal served part {number} of the works",
        )
    return content


def make_form(kind: str, *, slug: str | None = None, **more: object) -> AssessmentForm:
    """Three multiple choices of 1 point and a short answer of 3 points: 6 in all."""
    form = AssessmentForm.objects.create(slug=slug or f"iron-{kind}", title=kind, kind=kind, topic="iron", **more)
    for number in (1, 2, 3):
        AssessmentItem.objects.create(
            form=form,
            number=number,
            kind="multiple_choice",
            text=f"What did the works make? ({number})",
            options=["cloth", "iron", "tobacco"],
            correct_option=1,
        )
    short = AssessmentItem.objects.create(
        form=form, number=4, kind="short_answer", text="Why here?", points=3, difficulty="hard"
    )
    for key, terms in (
        ("mentions_river", ["river", "James"]),
        ("mentions_water_power", ["water power", "power of the water"]),
        ("mentions_transport", ["transport", "canal", "railroad"]),
    ):
        RubricConcept.objects.create(item=short, key=key, description=key.replace("_", " "), terms=terms)
    return form


def make_question_set(*, slug: str = "iron-questions", segments: int = 2, **more: object) -> QuestionSet:
    questions = QuestionSet.objects.create(slug=slug, title="Iron", **more)
    PredefinedQuestion.objects.bulk_create(
        PredefinedQuestion(
            question_set=questions, after_segment=after, number=number, text=f"Question {after}.{number}?"
        )
        for after in range(1, segments + 1)
        for number in (1, 2, 3)
    )
    return questions


def make_survey(*, slug: str = "iron-survey", **more: object) -> SurveyForm:
    survey = SurveyForm.objects.create(slug=slug, title="How was it?", **more)
    asked = (
        ("location_impact_rating", True), ("would_recommend_location", False), ("intervention_helpful_rating", True),
        ("preferred_intervention_type", False), ("overall_experience_rating", True), ("most_valuable_aspect", False),
    )  # fmt: skip
    SurveyItem.objects.bulk_create(
        SurveyItem(survey=survey, number=number, attribute=attribute, text=f"{attribute}?", required=required)
        for number, (attribute, required) in enumerate(asked, 1)
    )
    return survey


def complete_study(study: Study, *, target: int = 10, **owner: object) -> Study:
    """Give a study all that its students need: material, places, and the 24 cells with a target.

    `owner` may hold the `school` that the material belongs to.
    """
    study.content = make_content(**owner)
    study.baseline_form = make_form("baseline", **owner)
    study.final_form = make_form("final", **owner)
    study.question_set = make_question_set(**owner)
    study.survey = make_survey(**owner)
    study.seed = 2026
    study.save()
    latitude, longitude = TREDEGAR
    Site.objects.create(
        study=study, location="on-site", name="Iron works", address="500 Tredegar St", radius_m=200,
        latitude=latitude, longitude=longitude,
    )  # fmt: skip
    Site.objects.create(study=study, location="classroom", name="Room 204")
    StudyCondition.objects.bulk_create(
        (StudyCondition(study=study, condition=condition, target=target) for condition in Condition.objects.all()),
        update_conflicts=True,
        unique_fields=["study", "condition"],
        update_fields=["target"],
    )
    return study


def make_brief(study: Study, *, seconds: int = 6) -> Study:
    """Let a study's segments last some seconds, with a pause after each, in on-site and classroom cells."""
    Segment.objects.filter(content=study.content_id).update(duration_seconds=seconds)
    for place, where in (("L1", "on-site"), ("L3", "classroom")):
        for letter, kind in (("S", "static"), ("D", "dynamic")):
            cell = {"location": where, "intervention_type": kind, "interval_minutes": Decimal(seconds) / 60}
            condition, _ = Condition.objects.update_or_create(code=f"{place}-I1-{letter}", defaults=cell)
            StudyCondition.objects.get_or_create(study=study, condition=condition, defaults={"target": 10})
    return study


def study_session(
    teacher: User, school_class: SchoolClass, study: Study, *, condition: str = "", location: str = "classroom"
) -> LiveSession:
    """A started session of a study; with `condition` (a code) it is fixed for the whole class."""
    fixed = Condition.objects.get(code=condition) if condition else None
    session = make_session(
        teacher, school_class, groups=0, study=study, condition=fixed, location=fixed.location if fixed else location
    )
    return lifecycle.session_start(session, by=teacher)


def take_part(session: LiveSession, student: Student) -> StudentSession:
    """Join with every consent that a run needs, given by the guardian and by the student."""
    for purpose in ("participation", "location", "survey"):
        consent(student, purpose, given_by="guardian")
        consent(student, purpose, given_by="student")
    return join(session, student)


def assign(member: StudentSession, code: str) -> Assignment:
    """A run with a condition fixed by hand, and the material of its session's study."""
    study = member.session.study
    assert study is not None
    condition = Condition.objects.get(code=code)
    StudentSession.objects.filter(pk=member.pk).update(condition=condition)
    return Assignment.objects.create(
        student_session=member,
        study=study,
        condition=condition,
        location=condition.location,
        randomised=False,
        content=study.content,
        baseline_form=study.baseline_form,
        final_form=study.final_form,
        question_set=study.question_set,
        survey=study.survey,
    )


def walk(member: StudentSession, *, until: str = "done", answer: str = "The river, because it drove wheels.") -> None:
    """Take a student through the study by its own rules, up to a step: to the end, or to the beginning of `until`."""
    at = timezone.now()
    with transaction.atomic():
        journey.run_begin(member, at=at)
    while True:
        here = journey.position(member)
        if here.step == until:
            return
        at += timedelta(seconds=60)
        with transaction.atomic():
            STEPS[here.step](member, at, answer)


def _know(member: StudentSession, at: datetime, _answer: str) -> None:
    prior_knowledge.prior_knowledge_give(member, answers=[1, 2, 4], at=at)


def _stand(member: StudentSession, at: datetime, _answer: str) -> None:
    latitude, longitude = map(float, TREDEGAR)
    report = location.Report(found="position", latitude=latitude, longitude=longitude, accuracy_m=9)
    location.place_verify(member, report=report, at=at, go_on=True)


def _fill_in(kind: str, right: int) -> Callable[[StudentSession, datetime, str], None]:
    def fill_in(member: StudentSession, at: datetime, answer: str) -> None:
        form = getattr(member.assignment, f"{kind}_form")
        answers = [
            assessments.Given(item.pk, answer if item.kind == "short_answer" else int(item.number <= right), 8)
            for item in form.items.order_by("number")
        ]
        assessments.assessment_submit(member, kind=kind, answers=answers, at=at)

    return fill_in


def _play(member: StudentSession, at: datetime, _answer: str) -> None:
    begun = delivery.content_begin(member, format_chosen="text", speed=1, captions=True, at=at)
    planned = pauses.pauses(
        list(begun.content.segments.all()), interval_minutes=float(member.assignment.condition.interval_minutes)
    )
    had = member.interventions.count()
    total = sum(segment.duration_seconds for segment in begun.content.segments.all())
    position = planned[had].position if had < len(planned) else total
    reached = delivery.content_reached(member, position=position, happened_at=at, at=at)
    if reached.pause is not None:
        interventions.intervention_open(member, assignment=member.assignment, pause=reached.pause, at=at)


def _reply(member: StudentSession, at: datetime, answer: str) -> None:
    wanted = interventions.question_wanted(member.pk)
    if wanted is not None:
        question = (
            interventions.predefined_question(wanted.predefined)
            if wanted.context is None
            else asking.question_make(wanted.context)
        )
        interventions.question_put(member, wanted=wanted, question=question, at=at)
    waiting = journey.position(member).exchange
    assert waiting is not None
    later = at + timedelta(seconds=30)
    interventions.answer_give(member, exchange_id=waiting, text=answer, happened_at=later, at=later)


def _rate(member: StudentSession, at: datetime, _answer: str) -> None:
    answers = {"location_impact_rating": 3, "intervention_helpful_rating": 4, "overall_experience_rating": 5}
    surveys.survey_submit(member, answers=answers, seconds=70, at=at)


STEPS: dict[str, Callable[[StudentSession, datetime, str], None]] = {
    "prior_knowledge": _know, "place": _stand, "baseline": _fill_in("baseline", 1), "content": _play,
    "intervention": _reply, "final": _fill_in("final", 3), "survey": _rate,
}  # fmt: skip
"""What a student does at each step, for `walk`."""


@pytest.fixture
def ironworks(study: Study) -> Study:
    return complete_study(study)


@pytest.fixture
def lesson_of_study(ironworks: Study, alice: User, grade_four: SchoolClass, sam: Student, tia: Student) -> LiveSession:
    """Alice's started session of the study, in the classroom; conditions are drawn."""
    return study_session(alice, grade_four, ironworks)


@pytest.fixture
def sam_assigned(lesson_of_study: LiveSession, sam: Student) -> StudentSession:
    """Sam takes part, in a classroom, with questions every 2.5 minutes that follow the answers (L3-I1-D)."""
    member = take_part(lesson_of_study, sam)
    assign(member, "L3-I1-D")
    return StudentSession.objects.select_related("assignment", "session").get(pk=member.pk)
