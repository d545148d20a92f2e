"""The definitions of the mirrored tables, as DynamoDB's CreateTable takes them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analytics_app.mirror import keys


@dataclass(frozen=True, slots=True)
class Table:
    """A table with text keys `PK` and `SK` and numbered indexes on `GSI<n>PK` and `GSI<n>SK` that hold whole items.

    `primary` names the keys otherwise: a partition key, and a sort key where there is one.
    """

    name: str
    indexes: int
    stream: bool = False
    point_in_time_recovery: bool = False
    ttl: str | None = None
    primary: tuple[str, ...] = ("PK", "SK")

    def key_in(self, item: Mapping[str, Any]) -> keys.Key:
        """The place of an item."""
        return keys.Key(self.name, *(item[name] for name in self.primary), *[""] * (2 - len(self.primary)))

    def attributes_of(self, key: keys.Key) -> dict[str, str]:
        """The key attributes of the item at a place.

        >>> Table("t", indexes=0, primary=("request_id",)).attributes_of(keys.Key("t", "analysis_ab", ""))
        {'request_id': 'analysis_ab'}
        """
        return dict(zip(self.primary, (key.pk, key.sk), strict=False))

    @property
    def key_attributes(self) -> tuple[str, ...]:
        """Every attribute that is part of a key, of the table or of an index.

        >>> Table("t", indexes=1).key_attributes
        ('PK', 'SK', 'GSI1PK', 'GSI1SK')
        """
        numbered = (f"GSI{n}{part}" for n in range(1, self.indexes + 1) for part in ("PK", "SK"))
        return (*self.primary, *numbered)

    def definition(self, name: str) -> dict[str, Any]:
        """The arguments of CreateTable for this table under the name that it has in the deployment.

        Paid by request: a class that starts writes thirty items at once, and then none for minutes.
        """
        definition: dict[str, Any] = {
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in self.key_attributes],
            "KeySchema": _key_schema(*self.primary),
            "Tags": [{"Key": "Project", "Value": self.name}],
        }
        if self.indexes:
            definition["GlobalSecondaryIndexes"] = [
                {
                    "IndexName": f"GSI{n}",
                    "KeySchema": _key_schema(f"GSI{n}PK", f"GSI{n}SK"),
                    "Projection": {"ProjectionType": "ALL"},
                }
                for n in range(1, self.indexes + 1)
            ]
        if self.stream:
            definition["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        return definition


def _key_schema(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=False)]


TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        Table(keys.SOCRATIC, indexes=5, stream=True, point_in_time_recovery=True),
        Table(keys.READING, indexes=2, ttl="TTL"),
        Table(keys.TRACKING, indexes=0, point_in_time_recovery=True, primary=("request_id",)),
    )
}
