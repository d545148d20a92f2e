"""Hours as the rollup counts them: whole, in UTC, half-open (14:00 belongs to the hour that it begins)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One school in one hour: what one row of `dashboard_metrics_hourly` counts."""

    hour: datetime
    school_id: UUID


def hour_of(moment: datetime) -> datetime:
    """The hour that an aware moment lies in.

    >>> hour_of(datetime(2026, 10, 20, 14, 59, 59, tzinfo=UTC)).isoformat()
    '2026-10-20T14:00:00+00:00'
    """
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hours_between(start: datetime, end: datetime) -> Iterator[datetime]:
    """The hours from the one that `start` lies in up to `end`, which is not included.

    >>> noon = datetime(2026, 10, 20, 12, tzinfo=UTC)
    >>> [hour.hour for hour in hours_between(noon, noon + 2 * HOUR)]
    [12, 13]
    """
    hour = hour_of(start)
    while hour < end:
        yield hour
        hour += HOUR


def hour_from_text(text: str) -> datetime:
    """The hour in which an ISO 8601 moment lies; one without an offset is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return hour_of(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
