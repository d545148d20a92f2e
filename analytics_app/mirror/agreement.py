"""Whether DynamoDB holds what Postgres says, item by item and both ways; and how to bring it back to that."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, TypeVar
from uuid import UUID

from django.utils import timezone

from analytics_app.mirror import leases
from analytics_app.mirror.keys import Key
from analytics_app.mirror.kinds import KINDS, recognise
from analytics_app.mirror.schema import TABLES
from analytics_app.mirror.writer import MOST_WRITES, Tables, Write
from analytics_app.models import OutboxItem

_AT_ONCE: Final = 1000
_LOOKS: Final = 2
"""How often a disagreement is looked at again: one that was only a change under way is gone the next time."""

Seen = Callable[[int], None]
Pair = tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]
T = TypeVar("T")


@dataclass(slots=True)
class Agreement:
    """What a comparison found. `pending` items disagree, and are marked in the outbox: they are on their way."""

    compared: int = 0
    missing: list[Key] = field(default_factory=list)
    extra: list[Key] = field(default_factory=list)
    different: dict[Key, list[str]] = field(default_factory=dict)
    """The paths of the attributes that differ."""
    pending: list[Key] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        return not (self.missing or self.extra or self.different)

    @property
    def disagreeing(self) -> list[Key]:
        return [*self.missing, *self.extra, *self.different]


def compare(tables: Tables, *, seen: Seen = lambda _: None) -> Agreement:
    """Read both tables to the end and compare each item with its newest state; `seen` is told how many were read."""
    agreement = Agreement()
    suspects: set[Key] = set()
    there = defaultdict[str, set[UUID]](set)
    for table in TABLES:
        for page in tables.scan(table):
            suspects |= _suspects_of_page(table, page, there)
            agreement.compared += len(page)
            seen(len(page))
    for kind in KINDS.values():
        everything = kind.everything().order_by("pk").values_list("pk", flat=True)
        for ids in _in_parts(everything.iterator(_AT_ONCE)):
            absent = [entity_id for entity_id in ids if entity_id not in there[kind.name]]
            expected = {key for found in kind.newest(absent).values() for key in found} if absent else set()
            suspects |= expected
            agreement.compared += len(expected)
            seen(len(expected))
    _settle_suspects(tables, suspects, agreement)
    return agreement


def repair(tables: Tables, agreement: Agreement) -> None:
    """Mark what disagrees, so that it is written again, and delete what no kind knows."""
    marks = defaultdict[str, dict[UUID, list[Key]]](lambda: defaultdict(list))
    strangers: list[Key] = []
    for key in agreement.disagreeing:
        known = recognise(key)
        if known is None:
            strangers.append(key)
        else:
            marks[known[0].name][known[1]].append(key)
    for name in sorted(marks):
        leases.mark(name, marks[name])
    for table in TABLES:
        ours = [Write(key, None) for key in strangers if key.table == table]
        for start in range(0, len(ours), MOST_WRITES):
            tables.write(ours[start : start + MOST_WRITES])


def _suspects_of_page(table: str, page: Sequence[Mapping[str, Any]], there: dict[str, set[UUID]]) -> set[Key]:
    """The keys of a page whose items are not what they should be; `there` collects the entities that were met."""
    suspects: set[Key] = set()
    found: dict[str, dict[Key, tuple[UUID, Mapping[str, Any]]]] = defaultdict(dict)
    for item in page:
        key = TABLES[table].key_in(item)
        known = recognise(key)
        if known is None:
            suspects.add(key)
        else:
            found[known[0].name][key] = known[1], item
            there[known[0].name].add(known[1])
    for name, items in found.items():
        expected = KINDS[name].newest({entity_id for entity_id, _ in items.values()})
        wanted = {key: item for newest in expected.values() for key, item in newest.items()}
        suspects |= {key for key, (_, item) in items.items() if item != wanted.get(key)}
        suspects |= wanted.keys() - items.keys()
    return suspects


def _settle_suspects(tables: Tables, suspects: Collection[Key], agreement: Agreement) -> None:
    """Look at suspects again, and file those that still disagree. Those that wait in the outbox are pending."""
    for keys in _in_parts(iter(sorted(suspects))):
        left, pending = keys, set[Key]()
        state: Mapping[Key, Pair] = {}
        for _ in range(_LOOKS):
            pending |= _pending(left)
            state = _look(left, tables)
            pending |= _pending(left)
            left = [key for key in left if not _alike(*state[key])]
        for key in left:
            if key in pending:
                agreement.pending.append(key)
            else:
                _file(key, state[key], agreement)


def _file(key: Key, pair: Pair, agreement: Agreement) -> None:
    expected, found = pair
    if found is None:
        agreement.missing.append(key)
    elif expected is None:
        agreement.extra.append(key)
    else:
        agreement.different[key] = sorted(_paths(expected, found))


def _look(keys: Sequence[Key], tables: Tables) -> dict[Key, Pair]:
    """For each key the item that should be there, and the one that is."""
    found: dict[Key, Any] = {}
    for table in TABLES:
        found |= tables.get(key for key in keys if key.table == table)
    wanted = defaultdict[str, list[UUID]](list)
    for key in keys:
        if known := recognise(key):
            wanted[known[0].name].append(known[1])
    expected: dict[Key, Any] = {}
    for name, ids in wanted.items():
        for items in KINDS[name].newest(ids).values():
            expected |= items
    return {key: (expected.get(key), found.get(key)) for key in keys}


def _alike(expected: Mapping[str, Any] | None, found: Mapping[str, Any] | None) -> bool:
    """Equal, or gone because its time to live is over."""
    if expected is not None and found is None and (lives_until := expected.get("TTL")) is not None:
        return bool(lives_until <= timezone.now().timestamp())
    return expected == found


def _paths(expected: Any, found: Any, path: str = "") -> Iterator[str]:
    """Where two items differ: `timeline.session_end`."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for name in expected.keys() | found.keys():
            yield from _paths(expected.get(name, ...), found.get(name, ...), f"{path}.{name}" if path else name)
    elif expected != found:
        yield path


def _pending(keys: Collection[Key]) -> set[Key]:
    """Those of `keys` whose items are marked as changed."""
    owners = {key: (known[0].name.value, known[1]) for key in keys if (known := recognise(key))}
    marked = OutboxItem.objects.filter(marked_at__isnull=False, entity_id__in={entity for _, entity in owners.values()})
    waiting = set(marked.values_list("kind", "entity_id"))
    return {key for key, owner in owners.items() if owner in waiting}


def _in_parts(things: Iterator[T]) -> Iterator[list[T]]:
    while part := list(islice(things, _AT_ONCE)):
        yield part
