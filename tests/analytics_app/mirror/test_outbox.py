"""The outbox: what is marked arrives in DynamoDB as it is now."""

import pytest

from analytics_app.mirror import items, keys
from analytics_app.mirror.outbox import Outbox
from analytics_app.mirror.writer import Tables
from analytics_app.models import OutboxItem
from sessions_app.models import StudentSession

pytestmark = pytest.mark.django_db


def mirrored(tables: Tables, key: keys.Key) -> dict | None:
    return tables.get([key]).get(key)


def test_what_is_marked_arrives_and_the_outbox_is_empty(outbox: Outbox, tables: Tables, sam_in: StudentSession):
    assert outbox.drain() == 0
    assert mirrored(tables, items.SESSION.key(sam_in.pk))["student_id"] == str(sam_in.student_id)
    assert mirrored(tables, items.STUDENT_PROFILE.key(sam_in.student_id))["metadata"]["total_sessions"] == 1
    assert not OutboxItem.objects.exists()
