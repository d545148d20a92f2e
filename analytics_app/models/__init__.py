"""What is computed from the record of the sessions; deletable and recomputable."""

from analytics_app.models.analysis import AnalysedText, Analysis, AnalysisStep
from analytics_app.models.mirror import DeadLetter, ItemKind, MirrorHour, OutboxItem
from analytics_app.models.mirrored import (
    MirroredCondition,
    MirroredConsent,
    MirroredConsentState,
    MirroredLiveSession,
    MirroredSchool,
    MirroredStudent,
    MirroredStudentSession,
)
from analytics_app.models.mirrored_records import (
    MirroredAnswer,
    MirroredAssessment,
    MirroredDelivery,
    MirroredExchange,
    MirroredFlag,
    MirroredIntervention,
    MirroredPriorKnowledge,
    MirroredScore,
    MirroredSegment,
    MirroredSurvey,
    MirroredVerification,
)
from analytics_app.models.rolled import RolledEvent, RolledSession, RolledStudentSession
from analytics_app.models.rollup import ChangedHour, DashboardMetricsHourly, HourlyPeople, RolledPosition, RollupRun

__all__ = [
    "AnalysedText",
    "Analysis",
    "AnalysisStep",
    "ChangedHour",
    "DashboardMetricsHourly",
    "DeadLetter",
    "HourlyPeople",
    "ItemKind",
    "MirrorHour",
    "MirroredAnswer",
    "MirroredAssessment",
    "MirroredCondition",
    "MirroredConsent",
    "MirroredConsentState",
    "MirroredDelivery",
    "MirroredExchange",
    "MirroredFlag",
    "MirroredIntervention",
    "MirroredLiveSession",
    "MirroredPriorKnowledge",
    "MirroredSchool",
    "MirroredScore",
    "MirroredSegment",
    "MirroredStudent",
    "MirroredStudentSession",
    "MirroredSurvey",
    "MirroredVerification",
    "OutboxItem",
    "RolledEvent",
    "RolledPosition",
    "RolledSession",
    "RolledStudentSession",
    "RollupRun",
]
