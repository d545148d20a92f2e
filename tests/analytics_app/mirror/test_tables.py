"""The tables themselves, as requirements 000 and 002 define them."""

from unittest import mock

import boto3
import pytest

from analytics_app.mirror.outbox import provide_tables
from analytics_app.mirror.writer import TableMissing, Tables
from analytics_app.models import OutboxItem

pytestmark = pytest.mark.django_db


def described(tables: Tables, name: str) -> dict:
    return boto3.client("dynamodb").describe_table(TableName=tables.prefix + name)["Table"]


def test_the_benchmarks_table_has_five_indexes_a_stream_and_backups(tables: Tables):
    table = described(tables, "SocraticBenchmarks")
    assert {index["IndexName"] for index in table["GlobalSecondaryIndexes"]} == {f"GSI{n}" for n in range(1, 6)}
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    backups = boto3.client("dynamodb").describe_continuous_backups(TableName=table["TableName"])
    recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"


def test_the_reading_table_has_two_indexes_and_lets_items_expire(tables: Tables):
    table = described(tables, "reading_sessions")
    assert {index["IndexName"] for index in table["GlobalSecondaryIndexes"]} == {"GSI1", "GSI2"}
    expiry = boto3.client("dynamodb").describe_time_to_live(TableName=table["TableName"])["TimeToLiveDescription"]
    assert (expiry["AttributeName"], expiry["TimeToLiveStatus"]) == ("TTL", "ENABLED")


def test_every_key_is_text(tables: Tables):
    table = described(tables, "SocraticBenchmarks")
    assert {attribute["AttributeType"] for attribute in table["AttributeDefinitions"]} == {"S"}
    assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [("PK", "HASH"), ("SK", "RANGE")]


def test_creating_again_changes_nothing(tables: Tables):
    before = described(tables, "SocraticBenchmarks")
    tables.create_missing()
    assert described(tables, "SocraticBenchmarks") == before


def test_a_process_killed_between_marking_and_creating_leaves_the_marks(settings, sam, monkeypatch):
    tables = Tables(prefix="nowhere_")
    OutboxItem.objects.all().delete()
    monkeypatch.setattr(tables, "create_missing", mock.Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        provide_tables(tables)
    assert OutboxItem.objects.get().entity_id == sam.pk


def test_tables_that_are_missing_are_missed(settings):
    with pytest.raises(TableMissing, match="SocraticBenchmarks"):
        Tables(prefix="nowhere_").check()
