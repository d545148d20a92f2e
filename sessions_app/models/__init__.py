"""What happens while a class is running, and the record of it."""

from sessions_app.models.event import SessionCounter, SessionEvent
from sessions_app.models.history import LiveSessionVersion, SchoolVersion, StudentVersion, StudyVersion, UserVersion
from sessions_app.models.people import ClassMembership, Consent, ConsentState, School, SchoolClass, Student, User
from sessions_app.models.session import AttentionCheck, Group, LiveSession, StudentSession, TakeoverRequest
from sessions_app.models.study import Condition, Study, StudyCondition
from sessions_app.models.watch import AccessLog, JoinFailures

__all__ = [
    "AccessLog",
    "AttentionCheck",
    "ClassMembership",
    "Condition",
    "Consent",
    "ConsentState",
    "Group",
    "JoinFailures",
    "LiveSession",
    "LiveSessionVersion",
    "School",
    "SchoolClass",
    "SchoolVersion",
    "SessionCounter",
    "SessionEvent",
    "Student",
    "StudentSession",
    "StudentVersion",
    "Study",
    "StudyCondition",
    "StudyVersion",
    "TakeoverRequest",
    "User",
    "UserVersion",
]
