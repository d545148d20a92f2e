"""What every test rests on: an untouched database, and company where something expensive is shared."""

import pytest

from sessions_app.models import Condition, School, SessionEvent
from tests.cast import make_user
from tests.databases import restore
from tests.together import TogetherByModule


@pytest.mark.django_db(transaction=True)
def test_the_database_is_as_the_migrations_left_it() -> None:
    conditions = list(Condition.objects.order_by("pk").values())
    School.objects.create(name="Shockoe Hill School", time_zone="America/New_York")
    make_user("alice", "teacher", School.objects.get())
    Condition.objects.filter(code="L1-I1-D").update(interval_minutes=7)
    Condition.objects.filter(code="L4-I3-S").delete()

    restore()

    assert not School.objects.exists() and not SessionEvent.objects.exists()
    assert list(Condition.objects.order_by("pk").values()) == conditions
    assert len(conditions) == 24


@pytest.mark.parametrize(
    ("test", "goes_with"),
    [
        ("tests/test_access_matrix.py::test_a_door_opens_for_whom_it_should[GET home]", "tests/test_access_matrix.py"),
        ("tests/test_surroundings.py::test_alone[a::b]", "tests/test_surroundings.py::test_alone[a::b]"),
    ],
)
def test_a_test_goes_with_its_module_where_that_asks_for_it(test: str, goes_with: str) -> None:
    assert TogetherByModule._split_scope(None, test) == goes_with  # type: ignore[arg-type]
