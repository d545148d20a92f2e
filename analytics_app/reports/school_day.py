"""A school's last 24 hours, against the same hours a week before: what the teacher's home shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from analytics_app.rollups.hours import HOUR, hour_of
from analytics_app.rollups.metrics import BY_COLUMN
from analytics_app.rollups.router import WindowMetrics, metrics_between
from sessions_app.models import School

HOURS = 24
WEEK = timedelta(days=7)
FIGURES = (
    "students_active", "sessions_completed", "avg_participation_rate", "avg_engagement_score", "avg_session_quality",
    "avg_connection_stability",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the day. `value` and `before` are None where the metric is not defined; `unit` is `%` or empty."""

    column: str
    label: str
    unit: str
    value: float | None
    before: float | None
    definition: str
    undefined: str

    @property
    def change(self) -> float | None:
        """Against the week before: percentage points for a rate, else a difference."""
        return None if self.value is None or self.before is None else self.value - self.before


@dataclass(frozen=True, slots=True)
class SchoolDay:
    """24 hours, the last of which is running, and the 24 hours a week before them."""

    school: School
    today: WindowMetrics
    before: WindowMetrics
    figures: tuple[Figure, ...]

    @property
    def students_by_hour(self) -> list[tuple[datetime, float, float]]:
        """Each hour with the students active in it and in the same hour a week before."""
        return [
            (now.hour, now.values["students_active"] or 0, then.values["students_active"] or 0)
            for now, then in zip(self.today.hours, self.before.hours, strict=True)
        ]


def school_day(school: School, *, now: datetime | None = None) -> SchoolDay:
    """The day of a school, up to and with the hour that is running."""
    moment = now or timezone.now()
    end = hour_of(moment) + HOUR
    start = end - HOURS * HOUR
    today = metrics_between(school.pk, start, end, now=moment)
    before = metrics_between(school.pk, start - WEEK, end - WEEK, now=moment)
    return SchoolDay(school, today, before, tuple(_figure(column, today.totals, before.totals) for column in FIGURES))


def _figure(column: str, today: Mapping[str, float | None], before: Mapping[str, float | None]) -> Figure:
    metric = BY_COLUMN[column]
    return Figure(
        column=column,
        label=str(metric.label),
        unit=metric.unit,
        value=today[column],
        before=before[column],
        definition=str(metric.definition),
        undefined=str(metric.undefined),
    )
