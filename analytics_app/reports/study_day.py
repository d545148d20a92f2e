"""A study's day, against what is usual for the weekday; its week; and its pace."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from statistics import fmean
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from analytics_app.reports.daily import DayCounts, daily_counts
from analytics_app.reports.definitions import told
from analytics_app.reports.runs import RUNS, Scope

USUAL_WEEKS: Final = 4
COUNTED: Final = ("sessions", "started", "completed", "analysed", "verified", "asked")
DEFINED: Final = ("sessions", "analysed", "completion", "response_median", "model_cost", "usual")

_ANSWERED: Final = f"""
WITH {RUNS}
SELECT (coalesce(r.began_at, r.joined_at) AT TIME ZONE %(zone)s)::date, count(e.answered_at),
    sum(e.cost_usd)::float8, percentile_cont(0.5) WITHIN GROUP (ORDER BY e.response_seconds)
FROM runs r
JOIN sessions_app_intervention i ON i.student_session_id = r.id
JOIN sessions_app_exchange e ON e.intervention_id = i.id
WHERE kept GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Day:
    """What happened on one day: students' sessions, those begun, completed and analysed, places verified of those asked
    for, and answers. `response_seconds` is a median; None where nothing was answered. `cost` is in US dollars."""

    day: date
    sessions: int = 0
    started: int = 0
    completed: int = 0
    analysed: int = 0
    verified: int = 0
    asked: int = 0
    exchanges: int = 0
    response_seconds: float | None = None
    cost: float | None = None

    @property
    def completion(self) -> float | None:
        """Completed / begun, in %."""
        return 100 * self.completed / self.started if self.started else None


@dataclass(frozen=True, slots=True)
class StudyDay:
    """A day, the week up to it, the usual figures of its weekday, and how many were analysed in each week."""

    scope: Scope
    as_of: datetime
    day: Day
    week: Day
    usual: Mapping[str, float]
    by_condition: Mapping[str, int]
    by_location: Mapping[str, int]
    pace: tuple[tuple[date, int], ...]
    """The first day of each week, and the analysed sessions of it."""

    def as_json(self) -> dict[str, Any]:
        return {
            "study": self.scope.study.name if self.scope.study else None,
            "date": self.day.day.isoformat(),
            "total_sessions": self.day.sessions,
            "completed_sessions": self.day.completed,
            "completion_rate": 100 * self.day.completed / self.day.sessions if self.day.sessions else None,
            "sessions_by_condition": dict(self.by_condition),
            "sessions_by_location": dict(self.by_location),
            "day": asdict(self.day),
            "week": asdict(self.week),
            "usual": dict(self.usual),
            "pace": [{"week": week.isoformat(), "analysed": n} for week, n in self.pace],
            "sample": self.scope.as_json(),
            "as_of": self.as_of.isoformat(),
            "definitions": told(DEFINED),
        }


def study_day(
    scope: Scope,
    *,
    day: date | None = None,
    counts: Sequence[DayCounts] | None = None,
    now: datetime | None = None,
) -> StudyDay:
    """The report of a day in the study's zone (today); `counts` where its days are counted already. Six queries, and
    one for the counts."""
    moment = now or timezone.now()
    wanted = day or moment.astimezone(scope.zone).date()
    week = [wanted - timedelta(days=back) for back in range(wanted.weekday(), -1, -1)]
    before = [wanted - timedelta(weeks=weeks) for weeks in range(1, USUAL_WEEKS + 1)]
    found = daily_counts(scope) if counts is None else counts
    days = {each: _day(each, found) for each in (*week, *before)}
    answered = {each: _answered(scope, each) for each in (wanted, *(each for each in before if days[each].sessions))}
    days |= {each: replace(days[each], **more) for each, more in answered.items()}
    today = [each for each in found if each.day == wanted]
    by_location: Counter[str] = Counter()
    for each in today:
        by_location[each.location] += each.sessions
    return StudyDay(
        scope=scope,
        as_of=moment,
        day=days[wanted],
        week=_together(week[0], [days[each] for each in week]),
        usual=_usual([days[each] for each in before if days[each].sessions]),
        by_condition={each.code: each.sessions for each in today},
        by_location=dict(by_location),
        pace=tuple(_pace(found)),
    )


def _day(day: date, counts: Sequence[DayCounts]) -> Day:
    mine = [each for each in counts if each.day == day]
    return Day(day, **{name: sum(getattr(each, name) for each in mine) for name in COUNTED})


def _answered(scope: Scope, day: date) -> dict[str, Any]:
    """What was answered on one day, and what the model cost."""
    first = max(day, scope.since) if scope.since else day
    last = min(day, scope.until) if scope.until else day
    if last < first:
        return {}
    parameters = replace(scope, since=first, until=last).parameters() | {"zone": scope.zone.key}
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERED, parameters)
        found = {row[0]: row[1:] for row in cursor.fetchall()}.get(day)
    return dict(zip(("exchanges", "cost", "response_seconds"), found, strict=True)) if found else {}


def _together(first: date, days: list[Day]) -> Day:
    """Several days as one; a median of several days is not had from theirs, so there is none."""
    costs = [day.cost for day in days if day.cost is not None]
    return Day(
        first,
        **{name: sum(getattr(day, name) for day in days) for name in COUNTED},
        cost=sum(costs) if costs else None,
    )


def _usual(days: list[Day]) -> dict[str, float]:
    """Means over those days on which there was anything."""
    if not days:
        return {}
    found = {name: fmean(getattr(day, name) for day in days) for name in ("started", "completed", "analysed")}
    costs = [day.cost for day in days if day.cost is not None]
    return found | ({"cost": fmean(costs)} if costs else {})


def _pace(counts: Sequence[DayCounts]) -> list[tuple[date, int]]:
    weeks: Counter[date] = Counter()
    for each in counts:
        if each.analysed:
            weeks[each.day - timedelta(days=each.day.weekday())] += each.analysed
    return sorted(weeks.items())
