"""The administrator of the installation sees what was given up, and has it tried again."""

import pytest
from django.test import Client

from analytics_app.models import DeadLetter, OutboxItem
from sessions_app.models import Student, User
from tests.cast import make_user

pytestmark = pytest.mark.django_db
LETTERS = "/admin/analytics_app/deadletter/"


@pytest.fixture
def everywhere(client: Client, db: None) -> Client:
    """An administrator of the whole installation, signed in."""
    client.force_login(make_user("olu", User.Role.ADMINISTRATOR, None, is_staff=True))
    return client


@pytest.fixture
def letter(sam: Student) -> DeadLetter:
    OutboxItem.objects.all().delete()
    return DeadLetter.objects.create(
        kind="student_profile", entity_id=sam.pk, error_code="item_too_large", reason="Too large.", attempts=1
    )


@pytest.mark.parametrize(
    "model",
    [
        "outboxitem",
        "deadletter",
        "mirrorhour",
        "indexuse",
        "dashboardmetricshourly",
        "rolluprun",
        "conditionstatistics",
    ],
)
def test_each_list_opens(everywhere: Client, sam: Student, letter: DeadLetter, model: str):
    assert everywhere.get(f"/admin/analytics_app/{model}/").status_code == 200


def test_a_dead_letter_shows_its_reason(everywhere: Client, letter: DeadLetter):
    assert "Too large." in everywhere.get(f"{LETTERS}{letter.pk}/change/").content.decode()


def test_a_dead_letter_is_tried_again(everywhere: Client, letter: DeadLetter, sam: Student):
    everywhere.post(LETTERS, {"action": "requeue", "_selected_action": [letter.pk]})
    assert OutboxItem.objects.get().entity_id == sam.pk
    letter.refresh_from_db()
    assert letter.requeued_at is not None


def test_an_administrator_of_one_school_sees_no_letters(client: Client, ada: User, letter: DeadLetter):
    client.force_login(ada)
    assert "item_too_large" not in client.get(LETTERS).content.decode()
    client.post(LETTERS, {"action": "requeue", "_selected_action": [letter.pk]})
    assert not OutboxItem.objects.exists()


def test_a_teacher_sees_no_letters(client: Client, alice: User, letter: DeadLetter):
    client.force_login(alice)
    assert client.get(LETTERS).status_code in {302, 403}
