"""Tables of their own for each test, in the real local DynamoDB."""

import uuid
from collections.abc import Iterator

import boto3
import pytest
from django.conf import LazySettings

from analytics_app.mirror.outbox import Outbox
from analytics_app.mirror.schema import TABLES
from analytics_app.mirror.writer import Tables


@pytest.fixture
def tables(settings: LazySettings) -> Iterator[Tables]:
    """The mirrored tables under a prefix of this test's own, which is also that of the settings."""
    settings.DYNAMODB_TABLE_PREFIX = f"{settings.DYNAMODB_TABLE_PREFIX}{uuid.uuid4().hex[:12]}_"
    made = Tables()
    made.create_missing()
    yield made
    client = boto3.client("dynamodb")
    for name in TABLES:
        client.delete_table(TableName=made.name_of(name))


@pytest.fixture
def drain(tables: Tables) -> Outbox:
    return Outbox(tables)
