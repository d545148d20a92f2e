"""Rosa at her desk."""

import pytest
from django.test import Client

from sessions_app.models import User


@pytest.fixture
def at_desk(client: Client, rosa: User) -> Client:
    client.force_login(rosa)
    return client
