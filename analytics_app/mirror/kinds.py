"""Each kind of mirrored item, declared once. A new one is a line here, its form in `items` or `records`, its facts in
`source` or `record_source`, and the triggers in `models.mirrored` that say when it is out of date."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from analytics_app.mirror import analyses, items, readings, record_source, records, source, statistics
from analytics_app.mirror.keys import Key, Keys
from analytics_app.mirror.schema import TABLES, Table
from analytics_app.models.mirror import ItemKind

Partner = tuple[ItemKind, UUID]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of item: where it lies, how its newest state is loaded, and which entities should have one now.

    `written_with` gives, for entities of this kind, the items that are written in one transaction with theirs.
    """

    name: ItemKind
    keys: Keys
    load: Callable[[Collection[UUID]], source.Items]
    everything: Callable[[], QuerySet[Any]]
    written_with: Callable[[Collection[UUID]], Mapping[UUID, Collection[Partner]]] | None = None

    @property
    def table(self) -> Table:
        return TABLES[self.keys.table]

    def newest(self, ids: Collection[UUID]) -> dict[UUID, dict[Key, items.Built]]:
        """The items that these entities should have now, by entity and key. An entity that has none is left out."""
        return {
            entity_id: {self.table.key_in(item): item for item in built} for entity_id, built in self.load(ids).items()
        }


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(ItemKind.STUDENT_PROFILE, items.STUDENT_PROFILE, source.profiles, source.profile_ids),
        Kind(ItemKind.SESSION, items.SESSION, source.sessions, source.session_ids),
        Kind(
            ItemKind.LOCATION_VERIFICATION, records.LOCATION_VERIFICATION, record_source.verifications,
            record_source.verified_ids, record_source.beside_verifications,
        ),
        Kind(
            ItemKind.CONTENT_DELIVERY, records.CONTENT_DELIVERY, record_source.deliveries, record_source.delivered_ids,
        ),
        Kind(ItemKind.INTERVENTIONS, records.INTERVENTIONS, record_source.interventions, record_source.intervened_ids),
        Kind(ItemKind.ASSESSMENTS, records.ASSESSMENTS, record_source.assessments, record_source.assessed_ids),
        Kind(ItemKind.POST_SURVEY, records.POST_SURVEY, record_source.surveys, record_source.surveyed_ids),
        Kind(ItemKind.CONDITION_STATISTICS, statistics.STATISTICS, statistics.months, statistics.month_ids),
        Kind(ItemKind.READING_SESSION, items.READING_SESSION, source.reading_sessions, source.reading_session_ids),
        Kind(ItemKind.AUDIO_CHUNK, readings.CHUNK, readings.chunks, readings.chunk_ids),
        Kind(ItemKind.TRANSCRIPT, readings.TRANSCRIPT, readings.transcripts, readings.transcript_ids),
        Kind(ItemKind.HELP, readings.HELP, readings.helps, readings.help_ids),
        Kind(ItemKind.BATCH_METRICS, readings.BATCH, readings.batches, readings.batch_ids),
        Kind(ItemKind.READING_SUMMARY, readings.SUMMARY, readings.summaries, readings.summary_ids),
        Kind(ItemKind.ANALYSIS, analyses.ANALYSIS, analyses.analyses, analyses.analysis_ids),
    )
}  # fmt: skip


def recognise(key: Key) -> tuple[Kind, UUID] | None:
    """Whose item a key is, or None where no kind spells its keys so."""
    for kind in KINDS.values():
        entity_id = kind.keys.entity(key)
        if entity_id is not None:
            return kind, entity_id
    return None
