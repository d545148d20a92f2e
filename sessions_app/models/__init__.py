"""What happens while a class is running, and the record of it."""

from sessions_app.models.answers import (
    Assessment,
    AssessmentAnswer,
    Exchange,
    ExchangeScore,
    Intervention,
    Preference,
    SurveyResponse,
)
from sessions_app.models.coding import Code, Coding, Corpus, CorpusText
from sessions_app.models.coding_history import CodeVersion, CodingVersion
from sessions_app.models.content import Content, PredefinedQuestion, QuestionSet, Segment
from sessions_app.models.data_request import DataCopyPart, DataRequest, DataRequestStep
from sessions_app.models.event import SessionCounter, SessionEvent
from sessions_app.models.forms import AssessmentForm, AssessmentItem, RubricConcept, SurveyForm, SurveyItem
from sessions_app.models.history import LiveSessionVersion, SchoolVersion, StudentVersion, StudyVersion, UserVersion
from sessions_app.models.model_call import ModelCall
from sessions_app.models.passage import Passage
from sessions_app.models.people import ClassMembership, Consent, ConsentState, School, SchoolClass, Student, User
from sessions_app.models.practice import ErasedAccount, Learner, LearnerCode, RequestCount, SessionResult
from sessions_app.models.reading import AudioChunk, AudioStream, Reading, Transcript
from sessions_app.models.reading_results import (
    BatchMetrics,
    HelpEvent,
    Miscue,
    MiscueType,
    SessionSummary,
    SpokenResult,
)
from sessions_app.models.records import (
    Assignment,
    ContentDelivery,
    LocationVerification,
    MovedOn,
    PriorKnowledge,
    QualityFlag,
    SegmentDelivery,
)
from sessions_app.models.refused import RefusedSubmission
from sessions_app.models.session import AttentionCheck, Group, LiveSession, StudentSession, TakeoverRequest
from sessions_app.models.study import Condition, Site, Study, StudyCondition
from sessions_app.models.study_history import (
    AssessmentAnswerVersion,
    AssessmentFormVersion,
    AssessmentItemVersion,
    ContentVersion,
    PredefinedQuestionVersion,
    QuestionSetVersion,
    RubricConceptVersion,
    SegmentVersion,
    SiteVersion,
    StudyConditionVersion,
    SurveyFormVersion,
    SurveyItemVersion,
)
from sessions_app.models.watch import AccessLog, JoinFailures

__all__ = [
    "AccessLog",
    "Assessment",
    "AssessmentAnswer",
    "AssessmentAnswerVersion",
    "AssessmentForm",
    "AssessmentFormVersion",
    "AssessmentItem",
    "AssessmentItemVersion",
    "Assignment",
    "AttentionCheck",
    "AudioChunk",
    "AudioStream",
    "BatchMetrics",
    "ClassMembership",
    "Code",
    "CodeVersion",
    "Coding",
    "CodingVersion",
    "Condition",
    "Consent",
    "ConsentState",
    "Content",
    "ContentDelivery",
    "ContentVersion",
    "Corpus",
    "CorpusText",
    "DataCopyPart",
    "DataRequest",
    "DataRequestStep",
    "ErasedAccount",
    "Exchange",
    "ExchangeScore",
    "Group",
    "HelpEvent",
    "Intervention",
    "JoinFailures",
    "Learner",
    "LearnerCode",
    "LiveSession",
    "LiveSessionVersion",
    "LocationVerification",
    "Miscue",
    "MiscueType",
    "ModelCall",
    "MovedOn",
    "Passage",
    "PredefinedQuestion",
    "PredefinedQuestionVersion",
    "Preference",
    "PriorKnowledge",
    "QualityFlag",
    "QuestionSet",
    "QuestionSetVersion",
    "Reading",
    "RefusedSubmission",
    "RequestCount",
    "RubricConcept",
    "RubricConceptVersion",
    "School",
    "SchoolClass",
    "SchoolVersion",
    "Segment",
    "SegmentDelivery",
    "SegmentVersion",
    "SessionCounter",
    "SessionEvent",
    "SessionResult",
    "SessionSummary",
    "Site",
    "SiteVersion",
    "SpokenResult",
    "Student",
    "StudentSession",
    "StudentVersion",
    "Study",
    "StudyCondition",
    "StudyConditionVersion",
    "StudyVersion",
    "SurveyForm",
    "SurveyFormVersion",
    "SurveyItem",
    "SurveyItemVersion",
    "SurveyResponse",
    "TakeoverRequest",
    "Transcript",
    "User",
    "UserVersion",
]
