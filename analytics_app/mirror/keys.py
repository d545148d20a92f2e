"""How keys are spelled, in one place (requirements 000, 002 and 004). Pure.

Keys of both tables are text. A key holds ids, times and words of our own only: free text never. Those that the triggers
of `models.marks` note down, so that an item can be found after its row has changed, are spelled in SQL there alike.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import date as day
from decimal import Decimal
from uuid import NAMESPACE_OID, UUID, uuid5

SOCRATIC = "SocraticBenchmarks"
READING = "reading_sessions"
TRACKING = "design-analysis-tracking"


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """An item's place: the table (as here, not as deployed), partition key, and sort key (empty: it has none)."""

    table: str
    pk: str
    sk: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """The key of a kind of item of which each entity has exactly one.

    >>> profile = Pattern(SOCRATIC, "STUDENT#", "PROFILE")
    >>> profile.key(UUID("550e8400-e29b-41d4-a716-446655440000")).pk
    'STUDENT#550e8400-e29b-41d4-a716-446655440000'
    >>> profile.entity(Key(SOCRATIC, "STUDENT#550e8400-e29b-41d4-a716-446655440000", "PROFILE"))
    UUID('550e8400-e29b-41d4-a716-446655440000')
    >>> profile.entity(Key(SOCRATIC, "STUDENT#550e8400-e29b-41d4-a716-446655440000", "METADATA")) is None
    True
    """

    table: str
    prefix: str
    sk: str

    def key(self, entity_id: UUID) -> Key:
        return Key(self.table, f"{self.prefix}{entity_id}", self.sk)

    def lasting(self, entity_id: UUID) -> tuple[Key, ...]:
        """The keys that an entity has whatever it is like: where it is gone, its item must be."""
        return (self.key(entity_id),)

    def entity(self, key: Key) -> UUID | None:
        """The entity whose item this key is, or None where it is not one of this kind, spelled as we spell it."""
        if key.table != self.table or key.sk != self.sk or not key.pk.startswith(self.prefix):
            return None
        try:
            entity_id = UUID(key.pk.removeprefix(self.prefix))
        except ValueError:
            return None
        return entity_id if self.key(entity_id) == key else None


@dataclass(frozen=True, slots=True)
class Listed:
    """The keys of a kind of which an entity has any number, each with more in its sort key.

    >>> interventions = Listed(SOCRATIC, "SESSION#", "INTERVENTION#")
    >>> interventions.entity(Key(SOCRATIC, "SESSION#7f3e8b2a-1c4d-4e9f-b2a1-9d8e7c6b5a4f", "INTERVENTION#x#1"))
    UUID('7f3e8b2a-1c4d-4e9f-b2a1-9d8e7c6b5a4f')
    """

    table: str
    prefix: str
    sk: str

    def key(self, entity_id: UUID, rest: str) -> Key:
        return Key(self.table, f"{self.prefix}{entity_id}", f"{self.sk}{rest}")

    def lasting(self, _entity_id: UUID) -> tuple[Key, ...]:
        """None: which keys an entity had is noted in the outbox when it changes."""
        return ()

    def entity(self, key: Key) -> UUID | None:
        """The entity to which the item at this key belongs, or None where it is not one of this kind."""
        if key.table != self.table or not key.sk.startswith(self.sk) or not key.pk.startswith(self.prefix):
            return None
        try:
            entity_id = UUID(key.pk.removeprefix(self.prefix))
        except ValueError:
            return None
        return entity_id if key.pk == f"{self.prefix}{entity_id}" else None


@dataclass(frozen=True, slots=True)
class Named:
    """The keys of a kind whose entities have ids that follow from their keys (uuid5 of both parts).

    >>> statistics = Named(SOCRATIC, "STATS#CONDITION#", "AGGREGATE#")
    >>> statistics.entity(Key(SOCRATIC, "STATS#CONDITION#on-site#2.5#dynamic", "AGGREGATE#2025-10-01_2025-10-31"))
    UUID('99090a69-dd62-5d36-b6ee-8a48b4e13227')
    """

    table: str
    prefix: str
    sk: str

    def lasting(self, _entity_id: UUID) -> tuple[Key, ...]:
        """None, as a key does not follow from its id."""
        return ()

    def entity(self, key: Key) -> UUID | None:
        """The id of the entity whose item this key is, or None where it is not one of this kind."""
        if key.table != self.table or not key.pk.startswith(self.prefix) or not key.sk.startswith(self.sk):
            return None
        return named_id(key.pk, key.sk)


@dataclass(frozen=True, slots=True)
class OfRow:
    """The keys of a kind whose sort keys end in the entity's id, with a time before it.

    >>> batch = OfRow(READING, "SESSION#", "BATCH#")
    >>> sk = "BATCH#2026-01-14T13:43:00.000000#7f3e8b2a-1c4d-4e9f-b2a1-9d8e7c6b5a4f"
    >>> batch.entity(Key(READING, "SESSION#550e8400-e29b-41d4-a716-446655440000", sk))
    UUID('7f3e8b2a-1c4d-4e9f-b2a1-9d8e7c6b5a4f')
    >>> batch.entity(Key(READING, "SESSION#550e8400-e29b-41d4-a716-446655440000", "BATCH#x")) is None
    True
    """

    table: str
    prefix: str
    sk: str

    def lasting(self, _entity_id: UUID) -> tuple[Key, ...]:
        """None, as the time is not known where the entity is gone: its key is noted in the outbox."""
        return ()

    def entity(self, key: Key) -> UUID | None:
        """The entity whose item this key is, or None where it is not one of this kind."""
        if key.table != self.table or not key.pk.startswith(self.prefix) or not key.sk.startswith(self.sk):
            return None
        try:
            return UUID(key.sk.rpartition("#")[2])
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Request:
    """The key of a kind in a table without a sort key: a word, and the entity's id without dashes.

    >>> analysis = Request(TRACKING, "analysis_")
    >>> analysis.key(UUID("7f3e8b2a-1c4d-4e9f-b2a1-9d8e7c6b5a4f")).pk
    'analysis_7f3e8b2a1c4d4e9fb2a19d8e7c6b5a4f'
    >>> analysis.entity(Key(TRACKING, "analysis_7f3e8b2a1c4d4e9fb2a19d8e7c6b5a4f", ""))
    UUID('7f3e8b2a-1c4d-4e9f-b2a1-9d8e7c6b5a4f')
    >>> analysis.entity(Key(TRACKING, "analysis_abc123", "")) is None
    True
    """

    table: str
    prefix: str

    def key(self, entity_id: UUID) -> Key:
        return Key(self.table, f"{self.prefix}{entity_id.hex}", "")

    def lasting(self, entity_id: UUID) -> tuple[Key, ...]:
        """The key that an entity has whatever it is like."""
        return (self.key(entity_id),)

    def entity(self, key: Key) -> UUID | None:
        """The entity whose item this key is, or None where it is not one of this kind, spelled as we spell it."""
        try:
            entity_id = UUID(key.pk.removeprefix(self.prefix))
        except ValueError:
            return None
        return entity_id if self.key(entity_id) == key else None


Keys = Pattern | Listed | Named | OfRow | Request


def timestamp(moment: datetime) -> str:
    """A moment in `SocraticBenchmarks`: UTC, whole seconds.

    >>> timestamp(datetime(2025, 10, 23, 14, 30, 0, 999_999, tzinfo=UTC))
    '2025-10-23T14:30:00Z'
    """
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def fraction(moment: datetime) -> str:
    """A moment in `reading_sessions`: UTC with six digits of a second, always, so that text sorts as time does.

    >>> fraction(datetime(2026, 1, 14, 13, 42, 49, 167510, tzinfo=UTC))
    '2026-01-14T13:42:49.167510'
    >>> fraction(datetime(2026, 1, 14, 13, 42, 49, tzinfo=UTC))
    '2026-01-14T13:42:49.000000'
    """
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"


def date(moment: datetime) -> str:
    """The UTC day.

    >>> date(datetime(2025, 10, 23, 23, 59, tzinfo=UTC))
    'DATE#2025-10-23'
    """
    return f"DATE#{moment.astimezone(UTC):%Y-%m-%d}"


def date_and_moment(moment: datetime) -> str:
    """The sort key of both indexes of `reading_sessions`.

    >>> date_and_moment(datetime(2026, 1, 14, 13, 42, 49, 167510, tzinfo=UTC))
    'DATE#2026-01-14#2026-01-14T13:42:49.167510'
    """
    return f"{date(moment)}#{fraction(moment)}"


def interval(minutes: Decimal) -> str:
    """The shortest decimal.

    >>> [interval(Decimal(text)) for text in ("2.5", "5.0", "10.0")]
    ['2.5', '5', '10']
    """
    return format(minutes.normalize(), "f")


def condition(*, location: str, minutes: Decimal, intervention_type: str) -> str:
    """
    >>> condition(location="on-site", minutes=Decimal("2.5"), intervention_type="dynamic")
    'CONDITION#on-site#2.5#dynamic'
    """
    return f"CONDITION#{location}#{interval(minutes)}#{intervention_type}"


def intervention_sort(opened_at: datetime, segment: int) -> str:
    """
    >>> intervention_sort(datetime(2025, 10, 23, 14, 34, 30, tzinfo=UTC), 1)
    '2025-10-23T14:34:30Z#1'
    """
    return f"{timestamp(opened_at)}#{segment}"


def assessment_sort(kind: str, started_at: datetime) -> str:
    """
    >>> assessment_sort("baseline", datetime(2025, 10, 23, 14, 30, tzinfo=UTC))
    'baseline#2025-10-23T14:30:00Z'
    """
    return f"{kind}#{timestamp(started_at)}"


def statistics(*, location: str, minutes: Decimal, intervention_type: str) -> str:
    """
    >>> statistics(location="on-site", minutes=Decimal("2.5"), intervention_type="dynamic")
    'STATS#CONDITION#on-site#2.5#dynamic'
    """
    return f"STATS#{condition(location=location, minutes=minutes, intervention_type=intervention_type)}"


def date_range(start: day, end: day) -> str:
    """
    >>> date_range(day(2025, 10, 1), day(2025, 10, 31))
    'AGGREGATE#2025-10-01_2025-10-31'
    """
    return f"AGGREGATE#{start}_{end}"


def named_id(pk: str, sk: str) -> UUID:
    """The id of an entity that is known by its key.

    >>> named_id("STATS#CONDITION#on-site#2.5#dynamic", "AGGREGATE#2025-10-01_2025-10-31").version
    5
    """
    return uuid5(NAMESPACE_OID, f"{pk} {sk}")


def student(student_id: UUID) -> str:
    """
    >>> student(UUID("550e8400-e29b-41d4-a716-446655440000"))
    'STUDENT#550e8400-e29b-41d4-a716-446655440000'
    """
    return f"STUDENT#{student_id}"


def session(student_session_id: UUID) -> str:
    """
    >>> session(UUID("7f3e8b2a-1c4d-4e9f-b2a1-9d8e7c6b5a4f"))
    'SESSION#7f3e8b2a-1c4d-4e9f-b2a1-9d8e7c6b5a4f'
    """
    return f"SESSION#{student_session_id}"


def location(name: str) -> str:
    """
    >>> location("on-site")
    'LOCATION#on-site'
    """
    return f"LOCATION#{name}"


def intervention(kind: str) -> str:
    """
    >>> intervention("dynamic")
    'INTERVENTION#dynamic'
    """
    return f"INTERVENTION#{kind}"


def client(device: str) -> str:
    """A device whose student is not known.

    >>> client("018f3c1e-7b7a-7c3e-9b1d-6a1f2e3d4c5b")
    'CLIENT#018f3c1e-7b7a-7c3e-9b1d-6a1f2e3d4c5b'
    """
    return f"CLIENT#{device}"
