"""The materialised statistics of conditions: each condition in each month (UTC), over all studies, kept as a table.

A refresh computes months anew from Postgres, whoever asks, and writes only what became another one; the mirror follows
those rows. It needs no marks of what changed, so nothing that changes can be forgotten, and it undoes what was edited.
"""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone

from analytics_app.mirror import keys
from analytics_app.models.statistics import ConditionStatistics
from analytics_app.reports.condition_statistics import Cell, figures_told
from analytics_app.reports.conditions import margins_of
from analytics_app.reports.rows import hidden_keys
from analytics_app.reports.runs import Scope, scope_of_all
from analytics_app.reports.summaries import EVERYTHING, Key, Part, Summary, summaries
from sessions_app.models import Condition, StudentSession

BY: Final = ("code", "month")
_AT_ONCE: Final = 500
_WRITTEN: Final = ("condition", "start", "end", "sessions", "suppressed", "figures", "changed_at", "checked_at")


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did: months of conditions that are new, that became other ones, that are gone, and all of them."""

    added: int
    changed: int
    removed: int
    rows: int


@dataclass(slots=True)
class Verdict:
    """How stored months compare with newly computed ones; months are named by their keys.

    `pending` are those that differ and in which a class has been at work since they were computed: the next refresh
    writes them.
    """

    compared: int = 0
    pending: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        return not (self.missing or self.extra or self.different)


@transaction.atomic
def refresh(*, since: date | None = None, until: date | None = None, now: datetime | None = None) -> Refreshed:
    """Compute the months that the days from `since` to `until` meet (unset: all), and write what differs.

    Refreshes wait for each other, so that an older computation never overwrites a newer one; readers wait for none.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {ConditionStatistics._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")
    moment = now or timezone.now()
    computed = {row.pk: row for row in _computed(since, until, moment)}
    stored = {row.pk: row for row in _stored(since, until)}
    added = [row for pk, row in computed.items() if pk not in stored]
    changed = [row for pk, row in computed.items() if pk in stored and not _alike(row, stored[pk])]
    gone = stored.keys() - computed.keys()
    ConditionStatistics.objects.bulk_create(added, batch_size=_AT_ONCE)
    ConditionStatistics.objects.bulk_update(changed, _WRITTEN, batch_size=_AT_ONCE)
    ConditionStatistics.objects.filter(pk__in=gone).delete()
    ConditionStatistics.objects.filter(pk__in=computed).update(checked_at=moment)
    return Refreshed(len(added), len(changed), len(gone), len(computed))


def verify(*, since: date | None = None, until: date | None = None) -> Verdict:
    """Compare what is stored of these months with what their runs give now."""
    found = Verdict()
    with transaction.atomic():
        computed = {row.pk: row for row in _computed(since, until, timezone.now())}
        stored = {row.pk: row for row in _stored(since, until)}
        at_work = _months_at_work(min((row.checked_at for row in stored.values()), default=None))
    found.compared = len(computed.keys() | stored.keys())
    for pk, row in sorted((computed | stored).items(), key=lambda one: _name(one[1])):
        if pk in computed and pk in stored and _alike(computed[pk], stored[pk]):
            continue
        kind = "extra" if pk not in computed else "missing" if pk not in stored else "different"
        getattr(found, "pending" if row.start in at_work else kind).append(_name(row))
    return found


def _months_at_work(since: datetime | None) -> set[date]:
    """The first days of the months of which a run has been under way since then: their figures may have changed."""
    if since is None:
        return set()
    running = Q(session__ended_at=None) | Q(session__ended_at__gte=since)
    runs = StudentSession.objects.filter(running, condition__isnull=False, session__started_at__isnull=False)
    began = runs.annotate(began=Greatest("joined_at", "session__started_at")).values_list("began", flat=True)
    return {month_of(moment.astimezone(UTC).date())[0] for moment in began}


def month_of(day: date) -> tuple[date, date]:
    """The first and the last day of a day's month.

    >>> month_of(date(2028, 2, 9))
    (datetime.date(2028, 2, 1), datetime.date(2028, 2, 29))
    """
    return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])


def _stored(since: date | None, until: date | None) -> QuerySet[ConditionStatistics]:
    wanted = Q()
    if since:
        wanted &= Q(start__gte=month_of(since)[0])
    if until:
        wanted &= Q(end__lte=month_of(until)[1])
    return ConditionStatistics.objects.filter(wanted)


def _computed(since: date | None, until: date | None, now: datetime) -> Iterator[ConditionStatistics]:
    """The rows of these months as they should be."""
    first, last = (month_of(since)[0] if since else None), (month_of(until)[1] if until else None)
    # A class may begin before midnight and a student come after it.
    scope = scope_of_all(since=first - timedelta(days=1) if first else None, until=last)
    [by_month] = summaries(scope, BY, parts=EVERYTHING)
    [ever] = summaries(scope_of_all(), BY, parts=(Part.STUDENTS,)) if first or last else [by_month]
    wanted: dict[Key, tuple[date, date]] = {}
    for key in by_month:
        days = month_of(date.fromisoformat(f"{key[1]}-01"))
        if (first is None or days[0] >= first) and (last is None or days[1] <= last):
            wanted[key] = days
    conditions = {condition.code: condition for condition in Condition.objects.all()}
    cells = {code: Cell(code, c.location, c.interval_minutes, c.intervention_type) for code, c in conditions.items()}
    hidden = _hidden(ever, cells, scope)
    for (code, month), (start, end) in sorted(wanted.items()):
        condition, found = conditions[code], by_month[code, month]
        partition = keys.statistics(
            location=condition.location,
            minutes=condition.interval_minutes,
            intervention_type=condition.intervention_type,
        )
        sort = keys.date_range(start, end)
        is_hidden = (code, month) in hidden
        yield ConditionStatistics(
            id=keys.named_id(partition, sort),
            partition_key=partition,
            sort_key=sort,
            condition=condition,
            start=start,
            end=end,
            sessions=found.sessions,
            suppressed=is_hidden,
            figures=figures_told(
                cells[code], found, start=start, end=end, hidden=is_hidden, threshold=scope.threshold
            ),
            changed_at=now,
            checked_at=now,
        )  # fmt: skip


def _hidden(found: Mapping[Key, Summary], cells: Mapping[str, Cell], scope: Scope) -> frozenset[Key]:
    """The months of conditions that are suppressed, given that totals over conditions are told for each month, and
    totals over months for each condition."""
    months = sorted({month for _, month in found})
    totals = [[(code, month) for (code,) in margin] for margin in margins_of(list(cells.values())) for month in months]
    totals += [[(code, month) for month in months] for code in cells]
    return hidden_keys(found, threshold=scope.threshold, totals=totals)


def _alike(row: ConditionStatistics, other: ConditionStatistics) -> bool:
    return all(getattr(row, name) == getattr(other, name) for name in ("condition_id", "figures", "start", "end"))


def _name(row: ConditionStatistics) -> str:
    return f"{row.partition_key} {row.sort_key}"
