"""What is computed from the record of the sessions; deletable and recomputable."""

from analytics_app.models.rolled import RolledEvent, RolledSession, RolledStudentSession
from analytics_app.models.rollup import ChangedHour, DashboardMetricsHourly, HourlyPeople, RolledPosition, RollupRun

__all__ = [
    "ChangedHour",
    "DashboardMetricsHourly",
    "HourlyPeople",
    "RolledEvent",
    "RolledPosition",
    "RolledSession",
    "RolledStudentSession",
    "RollupRun",
]
