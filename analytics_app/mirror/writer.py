"""DynamoDB: the one module that talks to it.

Writes are sent once and their fate is told; trying again is the outbox's affair. Reads are tried again here.
"""

import enum
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
)
from botocore.parsers import ResponseParserError
from django.conf import settings

from analytics_app.mirror import keys
from analytics_app.mirror.guards import Item
from analytics_app.mirror.keys import Key
from analytics_app.mirror.schema import TABLES, Table

log = logging.getLogger(__name__)

MOST_WRITES: Final = 25
MOST_READS: Final = 100
CONNECT_SECONDS: Final = 3.0
ANSWER_SECONDS: Final = 10.0

_NEVER = {"ValidationException", "SerializationException", "ItemCollectionSizeLimitExceededException"}
_REFUSALS = {"ValidationError", "ItemCollectionSizeLimitExceeded"}
_NOT_US = {
    "AccessDeniedException", "ExpiredTokenException", "InvalidSignatureException", "MissingAuthenticationToken",
    "MissingAuthenticationTokenException", "UnrecognizedClientException",
}  # fmt: skip
_NOT_SENT = (EndpointConnectionError, ConnectTimeoutError, NoCredentialsError)


class Verdict(enum.Enum):
    """The fate of one write. UNSURE: it may have been done, or may yet be. REFUSED: it will never be taken."""

    DONE = "done"
    AGAIN = "again"
    UNSURE = "unsure"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Write:
    """Put `item` at `key`, or, where it is None, delete what is there."""

    key: Key
    item: Item | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a write. `code` and `message` are DynamoDB's; empty where it is done."""

    write: Write
    verdict: Verdict
    code: str = ""
    message: str = ""


class TableMissing(Exception):
    """A table is not there."""

    def __init__(self, table: str) -> None:
        super().__init__(f"The table {table} does not exist.")
        self.table = table


class Away(Exception):
    """DynamoDB cannot be reached, or does not let us in. `sent`: the request may be under way."""

    def __init__(self, code: str, message: str, *, sent: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.sent = sent


class Tables:
    """The mirrored tables of one deployment. `prefix` and `endpoint` are the settings' unless given."""

    def __init__(
        self, *, prefix: str | None = None, endpoint: str | None = None, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self.prefix = settings.DYNAMODB_TABLE_PREFIX if prefix is None else prefix
        self.endpoint = endpoint
        self.answer_seconds = answer_seconds
        self._serialize = TypeSerializer().serialize
        self._deserialize = TypeDeserializer().deserialize

    @property
    def request_seconds(self) -> float:
        """The longest that a write can take before its fate is told."""
        return CONNECT_SECONDS + self.answer_seconds

    def write(self, writes: Sequence[Write]) -> list[Outcome]:
        """Send at most 25 writes to one table in one request, each key once.

        A request that is refused as a whole is halved until the bad write is alone. Raises `Away`, `TableMissing`.
        """
        [table] = {write.key.table for write in writes}
        assert len(writes) <= MOST_WRITES and len({write.key for write in writes}) == len(writes)
        name = self.name_of(table)
        try:
            reply = self._near(table)._once.batch_write_item(
                RequestItems={name: [self._request(write) for write in writes]}
            )
        except ClientError as error:
            return self._refused(writes, error)
        except ParamValidationError as error:
            return self._halved(writes, "ParamValidation", str(error))
        except _NOT_SENT as error:
            raise Away(type(error).__name__, str(error)) from None
        except (BotoCoreError, ResponseParserError) as error:
            raise Away(type(error).__name__, str(error), sent=True) from None
        left = {self._key_of(table, request) for request in reply.get("UnprocessedItems", {}).get(name, ())}
        return [
            Outcome(write, Verdict.AGAIN, "UnprocessedItems", "DynamoDB had no room for it.")
            if write.key in left
            else Outcome(write, Verdict.DONE)
            for write in writes
        ]

    def write_together(self, writes: Sequence[Write]) -> list[Outcome]:
        """Send writes to one table, at most a hundred and each key once, of which all are done or none.

        Where one of them will never be taken, or they are too much for one transaction, the rest go by themselves.
        Raises `Away`, `TableMissing`.
        """
        try:
            self._near(writes[0].key.table)._once.transact_write_items(
                TransactItems=[self._action(write) for write in writes]
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "TransactionCanceledException":
                return self._cancelled(writes, error)
            if error.response["Error"]["Code"] in _NEVER:
                return self._apart(writes)
            return self._refused(writes, error)
        except ParamValidationError:
            return self._apart(writes)
        except _NOT_SENT as error:
            raise Away(type(error).__name__, str(error)) from None
        except (BotoCoreError, ResponseParserError) as error:
            raise Away(type(error).__name__, str(error), sent=True) from None
        return [Outcome(write, Verdict.DONE) for write in writes]

    def scan(self, table: str) -> Iterator[list[dict[str, Any]]]:
        """Every item of a table, page by page, as it is now (consistent reads)."""
        arguments: dict[str, Any] = {"TableName": self.name_of(table), "ConsistentRead": True}
        yield from self._pages(self._near(table)._patient.scan, table, arguments)

    def query(
        self,
        table: str,
        *,
        pk: str,
        index: str = "",
        sk_begins: str = "",
        sk_between: tuple[str, str] | None = None,
        only_keys: bool = False,
    ) -> Iterator[list[dict[str, Any]]]:
        """The items of one partition of a table or of one of its indexes (`GSI1`), in order of the sort key.

        `sk_between` is the first and the last sort key that is meant, and goes before `sk_begins`. `only_keys`: of each
        item the primary key alone.
        """
        names = {"#pk": f"{index}PK" if index else TABLES[table].primary[0]}
        values = {":pk": {"S": pk}}
        condition = "#pk = :pk"
        if sk_between:
            names["#sk"] = f"{index}SK"
            values[":low"], values[":high"] = ({"S": bound} for bound in sk_between)
            condition += " AND #sk BETWEEN :low AND :high"
        elif sk_begins:
            names["#sk"] = f"{index}SK"
            values[":sk"] = {"S": sk_begins}
            condition += " AND begins_with(#sk, :sk)"
        arguments: dict[str, Any] = {
            "TableName": self.name_of(table),
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
        if index:
            arguments["IndexName"] = index
        if only_keys:
            arguments["ProjectionExpression"] = ", ".join(TABLES[table].primary)
        yield from self._pages(self._near(table)._patient.query, table, arguments)

    def get(self, places: Iterable[Key]) -> dict[Key, dict[str, Any]]:
        """The items of one table at `places`, as they are now; a place with no item is left out."""
        wanted = sorted(set(places))
        found: dict[Key, dict[str, Any]] = {}
        for start in range(0, len(wanted), MOST_READS):
            table = wanted[start].table
            name = self.name_of(table)
            asked = [self._place(key) for key in wanted[start : start + MOST_READS]]
            request = {name: {"Keys": asked, "ConsistentRead": True}}
            while request:
                reply = self._read(self._near(table)._patient.batch_get_item, table, {"RequestItems": request})
                for item in map(self._plain, reply["Responses"].get(name, ())):
                    found[TABLES[table].key_in(item)] = item
                request = reply.get("UnprocessedKeys") or {}
        return found

    def missing(self) -> list[str]:
        """The names of the tables that are not there."""
        return [table.name for table in TABLES.values() if not self._exists(table)]

    def create_missing(self) -> None:
        """Create the tables that are not there, and give each its stream, backups and TTL where it lacks them."""
        for table in TABLES.values():
            if not self._exists(table):
                self._create(table)
            self._await_active(table)
            self._equip(table)

    def check(self) -> None:
        """Ask for each table, quickly. Raises `Away` or `TableMissing`."""
        for name in TABLES:
            self._read(self._near(name)._quick.describe_table, name, {"TableName": self.name_of(name)})

    def name_of(self, table: str) -> str:
        """The name of a table in this deployment."""
        return self.prefix + (settings.DYNAMODB_TABLE_NAME if table == keys.TRACKING else table)

    @cached_property
    def _once(self) -> Any:
        return self._client(settings.AWS_REGION, attempts=1, answer_seconds=self.answer_seconds)

    @cached_property
    def _patient(self) -> Any:
        return self._client(settings.AWS_REGION, attempts=8, answer_seconds=30)

    @cached_property
    def _quick(self) -> Any:
        return self._client(settings.AWS_REGION, attempts=1, answer_seconds=1.5)

    def _describe(self, table: Table) -> Any:
        asked = {"TableName": self.name_of(table.name)}
        return self._read(self._near(table.name)._patient.describe_table, table.name, asked)

    def _near(self, table: str) -> "Tables":
        """This, or the same for the region in which the table lies, where that is another one."""
        there = settings.DYNAMODB_REGION if table == keys.TRACKING else settings.AWS_REGION
        return self if there == settings.AWS_REGION else self._elsewhere

    @cached_property
    def _elsewhere(self) -> "Tables":
        found = Tables(prefix=self.prefix, endpoint=self.endpoint, answer_seconds=self.answer_seconds)
        found._once, found._patient, found._quick = (
            self._client(settings.DYNAMODB_REGION, attempts=attempts, answer_seconds=seconds)
            for attempts, seconds in ((1, self.answer_seconds), (8, 30.0), (1, 1.5))
        )
        return found

    def _client(self, region: str, *, attempts: int, answer_seconds: float) -> Any:
        config = Config(
            connect_timeout=min(CONNECT_SECONDS, answer_seconds),
            read_timeout=answer_seconds,
            retries={"mode": "standard", "total_max_attempts": attempts},
        )
        return boto3.client("dynamodb", region_name=region, endpoint_url=self.endpoint, config=config)

    def _cancelled(self, writes: Sequence[Write], error: ClientError) -> list[Outcome]:
        """A reason stands for each write in its order; those that had none would have been done."""
        reasons = [reason.get("Code", "None") for reason in error.response.get("CancellationReasons", ())]
        if len(reasons) == len(writes) and _REFUSALS.intersection(reasons):
            told = [
                Outcome(write, Verdict.REFUSED, reason, "A transaction was cancelled because of it.")
                for write, reason in zip(writes, reasons, strict=True)
                if reason in _REFUSALS
            ]
            refused = {outcome.write.key for outcome in told}
            return told + self._apart([write for write in writes if write.key not in refused])
        code = next((reason for reason in reasons if reason != "None"), "TransactionCanceledException")
        return [Outcome(write, Verdict.AGAIN, code, "The transaction was cancelled.") for write in writes]

    def _apart(self, writes: Sequence[Write]) -> list[Outcome]:
        parts = (writes[start : start + MOST_WRITES] for start in range(0, len(writes), MOST_WRITES))
        return [outcome for part in parts for outcome in self.write(part)]

    def _action(self, write: Write) -> dict[str, Any]:
        [(name, request)] = self._request(write).items()
        return {name.removesuffix("Request"): {"TableName": self.name_of(write.key.table), **request}}

    def _request(self, write: Write) -> dict[str, Any]:
        if write.item is None:
            return {"DeleteRequest": {"Key": self._place(write.key)}}
        return {"PutRequest": {"Item": {name: self._serialize(value) for name, value in write.item.items()}}}

    def _key_of(self, table: str, request: Mapping[str, Any]) -> Key:
        at = request["PutRequest"]["Item"] if "PutRequest" in request else request["DeleteRequest"]["Key"]
        return TABLES[table].key_in({name: at[name]["S"] for name in TABLES[table].primary})

    def _place(self, key: Key) -> dict[str, dict[str, str]]:
        return {name: {"S": value} for name, value in TABLES[key.table].attributes_of(key).items()}

    def _refused(self, writes: Sequence[Write], error: ClientError) -> list[Outcome]:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        if code == "ResourceNotFoundException":
            raise TableMissing(writes[0].key.table) from None
        if code in _NOT_US:
            raise Away(code, message) from None
        if code in _NEVER:
            return self._halved(writes, code, message)
        answered = error.response["ResponseMetadata"]["HTTPStatusCode"]
        verdict = Verdict.UNSURE if answered >= 500 else Verdict.AGAIN
        return [Outcome(write, verdict, code, message) for write in writes]

    def _halved(self, writes: Sequence[Write], code: str, message: str) -> list[Outcome]:
        if len(writes) == 1:
            return [Outcome(writes[0], Verdict.REFUSED, code, message)]
        half = len(writes) // 2
        return self.write(writes[:half]) + self.write(writes[half:])

    def _pages(self, operation: Any, table: str, arguments: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
        while True:
            reply = self._read(operation, table, arguments)
            yield [self._plain(item) for item in reply["Items"]]
            if not reply.get("LastEvaluatedKey"):
                return
            arguments = {**arguments, "ExclusiveStartKey": reply["LastEvaluatedKey"]}

    def _read(self, operation: Any, table: str, arguments: Mapping[str, Any]) -> Any:
        try:
            return operation(**arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                raise TableMissing(table) from None
            raise Away(error.response["Error"]["Code"], str(error)) from None
        except (BotoCoreError, ResponseParserError) as error:
            raise Away(type(error).__name__, str(error)) from None

    def _plain(self, item: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._deserialize(value) for name, value in item.items()}

    def _exists(self, table: Table) -> bool:
        try:
            self._describe(table)
        except TableMissing:
            return False
        return True

    def _create(self, table: Table) -> None:
        try:
            self._read(
                self._near(table.name)._patient.create_table, table.name, table.definition(self.name_of(table.name))
            )
        except Away as error:
            if error.code != "ResourceInUseException":  # somebody else is creating it
                raise

    def _await_active(self, table: Table) -> None:
        for _ in range(120):
            reply = self._describe(table)
            if reply["Table"]["TableStatus"] in {"ACTIVE", "UPDATING"}:
                return
            time.sleep(0.5)
        raise Away("TableNotActive", f"The table {table.name} has not become active within a minute.")

    def _equip(self, table: Table) -> None:
        """Set backups and TTL, which a creation cannot; where that is not allowed, the table goes without."""
        named = {"TableName": self.name_of(table.name)}
        try:
            if table.ttl and self._read(self._near(table.name)._patient.describe_time_to_live, table.name, named)[
                "TimeToLiveDescription"
            ].get("TimeToLiveStatus") in {None, "DISABLED"}:
                wanted = {"Enabled": True, "AttributeName": table.ttl}
                self._read(
                    self._near(table.name)._patient.update_time_to_live,
                    table.name,
                    {**named, "TimeToLiveSpecification": wanted},
                )
            if table.point_in_time_recovery:
                backups = {"PointInTimeRecoveryEnabled": True}
                self._read(
                    self._near(table.name)._patient.update_continuous_backups,
                    table.name,
                    {**named, "PointInTimeRecoverySpecification": backups},
                )
        except Away as error:
            log.warning("the table %s goes without TTL or backups: %s", table.name, error)
