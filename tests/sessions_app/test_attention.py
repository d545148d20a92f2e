"""The teacher asks whether somebody is there."""

import uuid

import pytest

from sessions_app import attention, enrolment, lifecycle, timeline
from sessions_app.models import AttentionCheck, LiveSession, StudentSession, User
from sessions_app.refusals import Refused

pytestmark = pytest.mark.django_db


def test_everybody_is_asked(session: LiveSession, alice: User):
    check = attention.attention_ask(session, by=alice, text="  Eyes on the board? ")
    asked = timeline.read(session.pk)[-1]
    assert (asked.event, asked.student, asked.data) == ("attention_check", None, {"text": "Eyes on the board?"})
    assert (check.seq, check.text, check.student_session) == (asked.seq, "Eyes on the board?", None)


def test_one_student_is_asked(session: LiveSession, alice: User, sam_in: StudentSession):
    check = attention.attention_ask(session, by=alice, student_session=sam_in.pk)
    assert (check.student_session, timeline.read(session.pk)[-1].student) == (sam_in, sam_in.pk)


@pytest.mark.parametrize(
    ("text", "shown"), [("", "Are you there?"), ("a\x00b\nc", "abc"), ("\ud800", "Are you there?")]
)
def test_the_question_is_one_line_that_can_be_stored(session: LiveSession, alice: User, text: str, shown: str):
    attention.attention_ask(session, by=alice, text=text)
    assert AttentionCheck.objects.get().text.startswith(shown)


def test_a_long_question_is_cut(session: LiveSession, alice: User):
    assert len(attention.attention_ask(session, by=alice, text="x" * 900).text) == 300


def test_nobody_else_is_asked(session: LiveSession, alice: User, sam_in: StudentSession):
    enrolment.member_remove(session, student_session=sam_in.pk, by=alice)
    for stranger in (sam_in.pk, uuid.uuid4()):
        with pytest.raises(Refused, match="no_such_student"):
            attention.attention_ask(session, by=alice, student_session=stranger)
    assert not AttentionCheck.objects.exists()


def test_nobody_is_asked_after_the_end(session: LiveSession, alice: User):
    lifecycle.session_end(session, by=alice)
    with pytest.raises(Refused, match="session_over"):
        attention.attention_ask(session, by=alice)
