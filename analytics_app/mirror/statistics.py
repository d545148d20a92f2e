"""Entity 8 of requirement 002: a condition's statistics, of the rows that `condition_months` keeps."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from analytics_app.mirror import keys
from analytics_app.mirror.items import Built, measure
from analytics_app.mirror.source import Items
from analytics_app.models.mirror import ItemKind
from analytics_app.models.statistics import ConditionStatistics
from analytics_app.reports.condition_statistics import PLACES, metadata_told

STATISTICS: Final = keys.Named(keys.SOCRATIC, "STATS#CONDITION#", "AGGREGATE#")


def month_ids() -> QuerySet[ConditionStatistics]:
    return ConditionStatistics.objects.all()


def months(ids: Collection[UUID]) -> Items:
    """The items of conditions' months."""
    return {row.pk: [statistics_item(row)] for row in ConditionStatistics.objects.filter(pk__in=ids)}


def statistics_item(row: ConditionStatistics) -> Built:
    return {
        "PK": row.partition_key,
        "SK": row.sort_key,
        "entity_type": ItemKind.CONDITION_STATISTICS.value,
        **_plain(row.figures),
        "metadata": metadata_told(row.changed_at),
    }


def _plain(part: Any) -> Any:
    """Numbers as DynamoDB holds them."""
    if isinstance(part, Mapping):
        return {name: _plain(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_plain(value) for value in part]
    if isinstance(part, bool) or not isinstance(part, int | float):
        return part
    return measure(Decimal(str(part)), PLACES)
