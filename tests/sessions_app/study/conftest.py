"""Sam in a study: in classes with the one or the other kind of questions, and in the middle of the way."""

import pytest

from sessions_app import events
from sessions_app.models import Student, StudentSession, User
from sessions_app.study import asking
from tests.sessions_app.study.deeds import act, decide, hand_in, know, reach
from tests.study_cast import study_session, take_part


@pytest.fixture
def dynamic(alice: User, grade_four, ironworks, sam: Student) -> StudentSession:
    """Sam in a class with questions every 2.5 minutes that follow the answers."""
    return take_part(study_session(alice, grade_four, ironworks, condition="L3-I1-D"), sam)


@pytest.fixture
def static(alice: User, grade_four, ironworks, sam: Student) -> StudentSession:
    return take_part(study_session(alice, grade_four, ironworks, condition="L3-I1-S"), sam)


@pytest.fixture
def on_site(alice: User, grade_four, ironworks, sam: Student) -> StudentSession:
    return take_part(study_session(alice, grade_four, ironworks, condition="L1-I1-D"), sam)


@pytest.fixture
def in_content(dynamic: StudentSession) -> StudentSession:
    decide(dynamic)
    know(dynamic)
    hand_in(dynamic, "baseline")
    act(dynamic, events.ContentBegun(format="text"))
    return dynamic


@pytest.fixture
def asked(in_content: StudentSession) -> StudentSession:
    """Sam at the first question of the first pause."""
    reach(in_content, 150)
    asking.question_next(in_content.pk)
    return in_content
