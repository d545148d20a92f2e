"""The access patterns of requirements 000 and 002: what can be asked of the mirrored tables, declared once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from analytics_app.mirror import keys
from analytics_app.mirror.writer import Tables


class BadArgument(ValueError):
    """An argument of a pattern that cannot be meant; the text says why."""


@dataclass(frozen=True, slots=True)
class AccessPattern:
    """One question: the partition of a table or of an index that answers it.

    `arguments` are the names of the words that it takes, `partition` makes the partition key of them; only sort keys
    that begin with `sort` are returned, in order.
    """

    name: str
    arguments: tuple[str, ...]
    answers: str
    table: str
    partition: Callable[..., str]
    index: str = ""
    sort: Callable[..., str] = lambda *_: ""

    def ask(self, tables: Tables, arguments: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The items, page after page. Raises `BadArgument`."""
        if len(arguments) != len(self.arguments):
            raise BadArgument(f"{self.name} takes {' '.join(self.arguments) or 'nothing'}.")
        pk, sort = self.partition(*arguments), self.sort(*arguments)
        for page in tables.query(self.table, pk=pk, index=self.index, sk_begins=sort):
            yield from page


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise BadArgument(f"{text!r} is no id.") from None


def _day(text: str) -> str:
    try:
        return f"DATE#{date.fromisoformat(text)}"
    except ValueError:
        raise BadArgument(f"{text!r} is no day, such as 2026-10-20.") from None


def _session(session_id: str) -> str:
    return keys.session(_uuid(session_id))


def _student(student_id: str) -> str:
    return keys.student(_uuid(student_id))


def _condition(location: str, minutes: str, intervention_type: str) -> str:
    try:
        interval = Decimal(minutes)
    except InvalidOperation:
        raise BadArgument(f"{minutes!r} is no number of minutes.") from None
    return keys.condition(location=location, minutes=interval, intervention_type=intervention_type)


PATTERNS: Mapping[str, AccessPattern] = {
    pattern.name: pattern
    for pattern in (
        AccessPattern("session", ("ID",), "everything of one session", keys.SOCRATIC, _session),
        AccessPattern(
            "condition", ("LOCATION", "MINUTES", "INTERVENTION"), "the sessions of a condition",
            keys.SOCRATIC, _condition, "GSI1",
        ),
        AccessPattern("student", ("ID",), "a student's profile and sessions", keys.SOCRATIC, _student, "GSI2"),
        AccessPattern("location", ("LOCATION",), "the sessions at a location", keys.SOCRATIC, keys.location, "GSI3"),
        AccessPattern(
            "intervention", ("TYPE",), "what is of an intervention type", keys.SOCRATIC, keys.intervention, "GSI4"
        ),
        AccessPattern("date", ("DAY",), "the sessions of a day (UTC)", keys.SOCRATIC, _day, "GSI5"),
        AccessPattern(
            "session-interventions", ("ID",), "the interventions of a session", keys.SOCRATIC, _session,
            sort=lambda _: "INTERVENTION#",
        ),
        AccessPattern(
            "session-assessments", ("ID",), "the assessments of a session", keys.SOCRATIC, _session,
            sort=lambda _: "ASSESSMENT#",
        ),
        AccessPattern("reading-session", ("ID",), "everything of one speaking session", keys.READING, _session),
        AccessPattern(
            "reading-date", ("DAY",), "the speaking sessions of a day (UTC)", keys.READING, lambda _: "SESSION",
            "GSI1", _day,
        ),
        AccessPattern("reading-student", ("ID",), "a student's speaking sessions", keys.READING, _student, "GSI2"),
        AccessPattern(
            "reading-client", ("ID",), "the sessions of a device without a known student", keys.READING,
            lambda device: keys.client(str(_uuid(device))), "GSI2",
        ),
        AccessPattern(
            "batch-date", ("DAY",), "the minutes of reading of a day (UTC)", keys.READING, lambda _: "BATCH_METRICS",
            "GSI1", _day,
        ),
    )
}  # fmt: skip
