"""A small study of the cast's: two segments, forms of four questions, a question set, a survey, and two places.

`ironworks` is the study, complete and running in Alice's class; `sam_assigned` is Sam in it, assigned to a condition.
The factories make what a test needs more of.
"""

from decimal import Decimal

import pytest

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


def make_form(kind: str, *, slug: str | None = None) -> AssessmentForm:
    """Three multiple choices of 1 point and a short answer of 3 points: 6 in all."""
    form = AssessmentForm.objects.create(slug=slug or f"iron-{kind}", title=kind, kind=kind, topic="iron")
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


def make_question_set(*, segments: int = 2) -> QuestionSet:
    questions = QuestionSet.objects.create(slug="iron-questions", title="Iron")
    PredefinedQuestion.objects.bulk_create(
        PredefinedQuestion(
            question_set=questions, after_segment=after, number=number, text=f"Question {after}.{number}?"
        )
        for after in range(1, segments + 1)
        for number in (1, 2, 3)
    )
    return questions


def make_survey() -> SurveyForm:
    survey = SurveyForm.objects.create(slug="iron-survey", title="How was it?")
    asked = (
        ("location_impact_rating", True), ("would_recommend_location", False), ("intervention_helpful_rating", True),
        ("preferred_intervention_type", False), ("overall_experience_rating", True), ("most_valuable_aspect", False),
    )  # fmt: skip
    SurveyItem.objects.bulk_create(
        SurveyItem(survey=survey, number=number, attribute=attribute, text=f"{attribute}?", required=required)
        for number, (attribute, required) in enumerate(asked, 1)
    )
    return survey


def complete_study(study: Study, *, target: int = 10) -> Study:
    """Give a study all that its students need: material, places, and the 24 cells with a target."""
    study.content = make_content()
    study.baseline_form = make_form("baseline")
    study.final_form = make_form("final")
    study.question_set = make_question_set()
    study.survey = make_survey()
    study.seed = 2026
    study.save()
    latitude, longitude = TREDEGAR
    Site.objects.create(
        study=study, location="on-site", name="Iron works", address="500 Tredegar St", radius_m=200,
        latitude=latitude, longitude=longitude,
    )  # fmt: skip
    Site.objects.create(study=study, location="classroom", name="Room 204")
    StudyCondition.objects.bulk_create(
        StudyCondition(study=study, condition=condition, target=target) for condition in Condition.objects.all()
    )
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
