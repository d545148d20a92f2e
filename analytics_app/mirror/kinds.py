"""Each kind of mirrored item, declared once. A new one is a line here, its facts and form in `source` and `items`, and
the triggers in `models.marks` that say when it is out of date."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from analytics_app.mirror import items, source
from analytics_app.mirror.keys import Key, Pattern
from analytics_app.mirror.schema import TABLES, Table
from analytics_app.models.mirror import ItemKind


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of item: where it lies, how its newest state is loaded, and which entities should have one now."""

    name: ItemKind
    pattern: Pattern
    load: Callable[[Collection[UUID]], source.Items]
    everything: Callable[[], QuerySet[Any]]

    @property
    def table(self) -> Table:
        return TABLES[self.pattern.table]


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(ItemKind.STUDENT_PROFILE, items.STUDENT_PROFILE, source.profiles, source.profile_ids),
        Kind(ItemKind.SESSION, items.SESSION, source.sessions, source.session_ids),
        Kind(ItemKind.READING_SESSION, items.READING_SESSION, source.reading_sessions, source.reading_session_ids),
    )
}


def recognise(key: Key) -> tuple[Kind, UUID] | None:
    """Whose item a key is, or None where no kind spells its keys so."""
    for kind in KINDS.values():
        entity_id = kind.pattern.entity(key)
        if entity_id is not None:
            return kind, entity_id
    return None
