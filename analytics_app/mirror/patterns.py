"""The access patterns of requirements 000 and 002: what can be asked of the mirrored tables, declared once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from analytics_app.mirror import keys
from analytics_app.mirror.comparisons import intervention_quality
from analytics_app.mirror.keys import Key
from analytics_app.mirror.records import ASSESSMENTS
from analytics_app.mirror.writer import Tables
from analytics_app.models import IndexUse
from sessions_app.models import Condition

MOST_DAYS: Final = 366
_LAST: Final = "~"
"""Comes after every character that our sort keys have."""
_FIRST_MOMENT: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MOMENT: Final = datetime(9999, 12, 31, tzinfo=UTC)


class BadArgument(ValueError):
    """An argument of a pattern that cannot be meant; the text says why."""


@dataclass(frozen=True, slots=True)
class Span:
    """From one moment to another, both included; None: without an end on that side."""

    since: datetime | None = None
    until: datetime | None = None

    def __bool__(self) -> bool:
        return self.since is not None or self.until is not None


EVER: Final = Span()


@dataclass(frozen=True, slots=True)
class AccessPattern:
    """One question: the partitions of a table or of an index that answer it.

    `arguments` are the names of the words that it takes (in brackets: that may be left out), `partitions` makes the
    partition keys of them; only sort keys that begin with `sort` are returned, in order. `spelled` is how a sort key
    begins that belongs to a moment: a pattern that has it can be narrowed to a `Span`.
    """

    name: str
    arguments: tuple[str, ...]
    answers: str
    table: str
    partitions: Callable[..., Sequence[str]]
    index: str = ""
    sort: Callable[..., str] = lambda *_: ""
    spelled: Callable[[datetime], str] | None = None

    def ask(self, tables: Tables, arguments: Sequence[str], span: Span = EVER) -> Iterator[dict[str, Any]]:
        """The items, page after page, each counted as a use of the index. Raises `BadArgument`."""
        self.check(arguments, span)
        begins = self.sort(*arguments)
        for pk in self.partitions(*arguments):
            between = self._between(begins, span) if span else None
            for page in tables.query(self.table, pk=pk, index=self.index, sk_begins=begins, sk_between=between):
                self._count(len(page))
                yield from page

    def check(self, arguments: Sequence[str], span: Span) -> None:
        least = sum(not name.startswith("[") for name in self.arguments)
        if not least <= len(arguments) <= len(self.arguments):
            raise BadArgument(f"{self.name} takes {' '.join(self.arguments) or 'nothing'}.")
        if span and self.spelled is None:
            raise BadArgument(f"{self.name} is not ordered by time: --since and --until do not go with it.")
        if span.since and span.until and span.since > span.until:
            raise BadArgument("--since comes after --until.")

    def _between(self, begins: str, span: Span) -> tuple[str, str]:
        """The first and the last sort key of the span, within those that begin with `begins`."""
        assert self.spelled is not None
        low, high = (self.spelled(at) for at in (span.since or _FIRST_MOMENT, span.until or _LAST_MOMENT))
        return max(low, begins), min(high + _LAST, begins + _LAST) if begins else high + _LAST

    def _count(self, items: int) -> None:
        today = timezone.now().date()
        about = {"table": self.table, "index": self.index}
        use, _ = IndexUse.objects.get_or_create(day=today, pattern=self.name, defaults=about)
        IndexUse.objects.filter(pk=use.pk).update(queries=F("queries") + 1, items=F("items") + items)


@dataclass(frozen=True, slots=True)
class Pair(AccessPattern):
    """The baseline and the final assessment of a session, each got by its whole key. Times that are not given are those
    of the keys that the session has."""

    def ask(self, tables: Tables, arguments: Sequence[str], span: Span = EVER) -> Iterator[dict[str, Any]]:
        self.check(arguments, span)
        session = _uuid(arguments[0])
        if len(arguments) == 1:
            pages = tables.query(self.table, pk=keys.session(session), sk_begins=ASSESSMENTS.sk, only_keys=True)
            places = [Key(self.table, item["PK"], item["SK"]) for page in pages for item in page]
        elif len(arguments) == 3:
            moments = zip(("baseline", "final"), map(moment_from, arguments[1:]), strict=True)
            places = [ASSESSMENTS.key(session, keys.assessment_sort(kind, at)) for kind, at in moments]
        else:
            raise BadArgument(f"{self.name} takes both times, or none.")
        found = tables.get(places)
        self._count(len(found))
        yield from (found[place] for place in sorted(places) if place in found)


@dataclass(frozen=True, slots=True)
class Quality(AccessPattern):
    """Both kinds of interventions compared, as one answer."""

    def ask(self, tables: Tables, arguments: Sequence[str], span: Span = EVER) -> Iterator[dict[str, Any]]:
        self.check(arguments, span)
        given = [span_from(*arguments), span]
        since = max((each.since for each in given if each.since), default=None)
        until = min((each.until for each in given if each.until), default=None)

        def of(kind: str) -> Iterator[dict[str, Any]]:
            return PATTERNS["intervention"].ask(tables, (kind,), Span(since, until))

        yield intervention_quality(of)


def moment_from(text: str, *, ends: bool = False) -> datetime:
    """A moment in UTC of a day or a time of ISO 8601 (without a zone: UTC); `ends`: the last one that is meant.

    >>> moment_from("2025-10-23").isoformat(), moment_from("2025-10-23", ends=True).isoformat()
    ('2025-10-23T00:00:00+00:00', '2025-10-23T23:59:59.999999+00:00')
    >>> moment_from("2025-10-23T10:30:00-04:00", ends=True).isoformat()
    '2025-10-23T14:30:00.999999+00:00'
    """
    try:
        return datetime.combine(date.fromisoformat(text), time.max if ends else time.min, UTC)
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadArgument(f"{text!r} is no day and no time, such as 2026-10-20 or 2026-10-20T14:30:00Z.") from None
    found = found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    return found.replace(microsecond=999_999) if ends and not found.microsecond else found


def span_from(since: str | None = None, until: str | None = None) -> Span:
    """Raises `BadArgument`."""
    return Span(moment_from(since) if since else None, moment_from(until, ends=True) if until else None)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise BadArgument(f"{text!r} is no id.") from None


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadArgument(f"{text!r} is no day, such as 2026-10-20.") from None


def _day(text: str) -> str:
    return f"DATE#{_date(text)}"


def _days(first: str, last: str = "") -> Sequence[str]:
    """The partitions of each day, in order."""
    start, end = _date(first), _date(last or first)
    days = (end - start).days
    if days < 0:
        raise BadArgument(f"{first} comes after {last}.")
    if days >= MOST_DAYS:
        raise BadArgument(f"{MOST_DAYS} days are the most.")
    return [f"DATE#{start + timedelta(days=n)}" for n in range(days + 1)]


def _session(session_id: str, *_: str) -> Sequence[str]:
    return (keys.session(_uuid(session_id)),)


def _student(student_id: str) -> Sequence[str]:
    return (keys.student(_uuid(student_id)),)


def _known(text: str, values: Sequence[str], what: str) -> str:
    if text not in values:
        raise BadArgument(f"{text!r} is no {what}: use one of {', '.join(values)}.")
    return text


def _location(name: str) -> Sequence[str]:
    return (keys.location(_known(name, Condition.Location.values, "location")),)


def _kind(name: str) -> Sequence[str]:
    return (keys.intervention(_known(name, Condition.InterventionType.values, "intervention type")),)


def _cell(location: str, minutes: str, intervention_type: str) -> dict[str, Any]:
    try:
        interval = Decimal(minutes)
    except InvalidOperation:
        interval = Decimal("NaN")
    if not interval.is_finite():
        raise BadArgument(f"{minutes!r} is no number of minutes.")
    return {
        "location": _known(location, Condition.Location.values, "location"),
        "minutes": interval,
        "intervention_type": _known(intervention_type, Condition.InterventionType.values, "intervention type"),
    }


def _condition(*cell: str) -> Sequence[str]:
    return (keys.condition(**_cell(*cell)),)


def _statistics(*cell: str) -> Sequence[str]:
    return (keys.statistics(**_cell(*cell)),)


def _of_session(moment: datetime) -> str:
    return f"SESSION#{keys.timestamp(moment)}"


def _of_intervention(moment: datetime) -> str:
    return f"INTERVENTION#{keys.timestamp(moment)}"


PATTERNS: Mapping[str, AccessPattern] = {
    pattern.name: pattern
    for pattern in (
        AccessPattern("session", ("ID",), "everything of one session", keys.SOCRATIC, _session),
        AccessPattern(
            "condition", ("LOCATION", "MINUTES", "INTERVENTION"), "the sessions of a condition",
            keys.SOCRATIC, _condition, "GSI1", spelled=keys.timestamp,
        ),
        AccessPattern(
            "student", ("ID",), "a student's profile and sessions", keys.SOCRATIC, _student, "GSI2",
            spelled=_of_session,
        ),
        AccessPattern(
            "location", ("LOCATION",), "the sessions at a location", keys.SOCRATIC, _location, "GSI3",
            spelled=keys.timestamp,
        ),
        AccessPattern(
            "intervention", ("TYPE",), "sessions and interventions of a type", keys.SOCRATIC, _kind, "GSI4",
            spelled=keys.timestamp,
        ),
        AccessPattern(
            "date", ("DAY", "[LAST]"), "the sessions of a day (UTC), or of several", keys.SOCRATIC, _days, "GSI5",
            spelled=keys.timestamp,
        ),
        AccessPattern(
            "session-interventions", ("ID",), "the interventions of a session", keys.SOCRATIC, _session,
            sort=lambda *_: "INTERVENTION#", spelled=_of_intervention,
        ),
        Pair(
            "session-assessments", ("ID", "[BASELINE]", "[FINAL]"), "the assessments of a session, by their times",
            keys.SOCRATIC, _session,
        ),
        AccessPattern(
            "statistics", ("LOCATION", "MINUTES", "INTERVENTION"), "the statistics of a condition, month by month",
            keys.SOCRATIC, _statistics,
        ),
        Quality(
            "intervention-quality", ("[START]", "[END]"), "static and dynamic interventions compared",
            keys.SOCRATIC, lambda *_: (), spelled=keys.timestamp,
        ),
        AccessPattern("reading-session", ("ID",), "everything of one speaking session", keys.READING, _session),
        AccessPattern(
            "reading-date", ("DAY",), "the speaking sessions of a day (UTC)", keys.READING, lambda _: ("SESSION",),
            "GSI1", _day, keys.date_and_moment,
        ),
        AccessPattern(
            "reading-student", ("ID",), "a student's speaking sessions", keys.READING, _student, "GSI2",
            spelled=keys.date_and_moment,
        ),
        AccessPattern(
            "reading-client", ("ID",), "the sessions of a device without a known student", keys.READING,
            lambda device: (keys.client(str(_uuid(device))),), "GSI2", spelled=keys.date_and_moment,
        ),
        AccessPattern(
            "batch-date", ("DAY",), "the minutes of reading of a day (UTC)", keys.READING, lambda _: ("BATCH_METRICS",),
            "GSI1", _day, keys.date_and_moment,
        ),
    )
}  # fmt: skip

NUMBERED: Mapping[str, str] = {
    str(number): name
    for number, name in enumerate(
        ("session", "condition", "student", "location", "intervention", "date", "session-interventions",
         "session-assessments"), 1,
    )
}  # fmt: skip
"""The access patterns of requirement 002 by their numbers."""
