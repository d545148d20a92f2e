"""What a student knew before: three statements, each answered from 1 (not at all) to 5 (very much).

The mean of the three is the `prior_knowledge_score`, from 1 to 5.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.utils.translation import gettext as _

from sessions_app.models import PriorKnowledge, StudentSession
from sessions_app.refusals import Refused
from sessions_app.study.validation import Invalid, validated

STATEMENTS: Final = 3
HIGHEST: Final = 5


def statements(topic: str) -> list[str]:
    """The three statements about a content's topic, in the order in which they are answered."""
    return [
        _("I know a lot about this already: %(topic)s.") % {"topic": topic},
        _("I have read, heard or seen something about this before: %(topic)s.") % {"topic": topic},
        _("I could explain to a friend what this is about: %(topic)s.") % {"topic": topic},
    ]


def prior_knowledge_give(student_session: StudentSession, *, answers: Sequence[int], at: datetime) -> PriorKnowledge:
    """Keep the three answers. Refuses a second time. Called with the student's session held."""
    if len(answers) != STATEMENTS:
        raise Invalid("answers", _("Answer each of the three statements."))
    if PriorKnowledge.objects.filter(student_session=student_session).exists():
        raise Refused("answered_already")
    first, second, third = answers
    given = PriorKnowledge(
        student_session=student_session, answer_1=first, answer_2=second, answer_3=third, answered_at=at
    )
    validated(given).save(force_insert=True)
    return given
