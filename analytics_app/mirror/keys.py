"""How keys are spelled, in one place (requirements 000 and 002). Pure.

Keys of both tables are text. A key holds ids, times and words of our own only: free text never.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

SOCRATIC = "SocraticBenchmarks"
READING = "reading_sessions"


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """An item's place: the table (without the deployment's prefix), partition key and sort key."""

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

    def entity(self, key: Key) -> UUID | None:
        """The entity whose item this key is, or None where it is not one of this kind, spelled as we spell it."""
        if key.table != self.table or key.sk != self.sk or not key.pk.startswith(self.prefix):
            return None
        try:
            entity_id = UUID(key.pk.removeprefix(self.prefix))
        except ValueError:
            return None
        return entity_id if self.key(entity_id) == key else None


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
