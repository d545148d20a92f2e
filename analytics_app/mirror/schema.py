"""The definitions of the mirrored tables, as DynamoDB's CreateTable takes them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analytics_app.mirror import keys


@dataclass(frozen=True, slots=True)
class Table:
    """A table with text keys `PK` and `SK` and numbered indexes on `GSI<n>PK` and `GSI<n>SK` that hold whole items."""

    name: str
    indexes: int
    stream: bool = False
    point_in_time_recovery: bool = False
    ttl: str | None = None

    @property
    def key_attributes(self) -> tuple[str, ...]:
        """Every attribute that is part of a key, of the table or of an index.

        >>> Table("t", indexes=1).key_attributes
        ('PK', 'SK', 'GSI1PK', 'GSI1SK')
        """
        numbered = (f"GSI{n}{part}" for n in range(1, self.indexes + 1) for part in ("PK", "SK"))
        return ("PK", "SK", *numbered)

    def definition(self, prefix: str) -> dict[str, Any]:
        """The arguments of CreateTable for this table under its prefixed name.

        Paid by request: a class that starts writes thirty items at once, and then none for minutes.
        """
        definition: dict[str, Any] = {
            "TableName": prefix + self.name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in self.key_attributes],
            "KeySchema": _key_schema(""),
            "GlobalSecondaryIndexes": [
                {"IndexName": f"GSI{n}", "KeySchema": _key_schema(f"GSI{n}"), "Projection": {"ProjectionType": "ALL"}}
                for n in range(1, self.indexes + 1)
            ],
            "Tags": [{"Key": "Project", "Value": self.name}],
        }
        if self.stream:
            definition["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        return definition


def _key_schema(index: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": f"{index}PK", "KeyType": "HASH"},
        {"AttributeName": f"{index}SK", "KeyType": "RANGE"},
    ]


TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        Table(keys.SOCRATIC, indexes=5, stream=True, point_in_time_recovery=True),
        Table(keys.READING, indexes=2, ttl="TTL"),
    )
}
