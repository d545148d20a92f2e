"""What is computed from the record of the sessions; deletable and recomputable."""

from analytics_app.models.analysis import Analysis, AnalysisStep
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
from analytics_app.models.rolled import RolledEvent, RolledSession, RolledStudentSession
from analytics_app.models.rollup import ChangedHour, DashboardMetricsHourly, HourlyPeople, RolledPosition, RollupRun

__all__ = [
    "Analysis",
    "AnalysisStep",
    "ChangedHour",
    "DashboardMetricsHourly",
    "DeadLetter",
    "HourlyPeople",
    "ItemKind",
    "MirrorHour",
    "MirroredCondition",
    "MirroredConsent",
    "MirroredConsentState",
    "MirroredLiveSession",
    "MirroredSchool",
    "MirroredStudent",
    "MirroredStudentSession",
    "OutboxItem",
    "RolledEvent",
    "RolledPosition",
    "RolledSession",
    "RolledStudentSession",
    "RollupRun",
]
