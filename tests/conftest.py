"""The suite's surroundings: the embedded stack in a home of its own, a database and a table prefix per worker."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django.plugin import DjangoDbBlocker

os.environ.setdefault("LYCEUM_HOME", str(Path(__file__).resolve().parent.parent / ".lyceum" / "test"))
os.environ["DYNAMODB_TABLE_PREFIX"] = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_"
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

import django
import hypothesis
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection

from config.local import stack

# Where the suite runs in the background these are ignored, and what is ignored is inherited by every server under test.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

stack.ensure()
django.setup()

from tests.databases import migrated_template, restore_after_each_test

# How fast a loaded machine makes examples says nothing about what is tested.
hypothesis.settings.register_profile("lyceum", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("lyceum")
# A password's hash is slow on purpose; the cast signs in some thousand times. A server verifies it all the same.
PBKDF2PasswordHasher.iterations = 1
restore_after_each_test()
# Every test client would look for all static files; those that are wanted are served by a server under test.
settings.MIDDLEWARE.remove("servestatic.middleware.ServeStaticMiddleware")
# Results of analyses are thrown away with the process, but for the tests that look at them.
settings.STORAGES["analyses"] = {"BACKEND": "django.core.files.storage.InMemoryStorage"}

pytest_plugins = [
    "tests.bedrock_stand_in",
    "tests.cast",
    "tests.learners",
    "tests.reading_cast",
    "tests.study_cast",
    "tests.transcribe_stand_in",
    "tests.world",
]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Migrates the database that the workers will copy while they collect their tests."""
    if session.config.getoption("numprocesses", None):
        threading.Thread(target=migrated_template, name="migrating").start()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    if config.getvalue("dist") != "loadgroup":
        return None
    from tests.together import TogetherByModule

    return TogetherByModule(config, log)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    connection.settings_dict["TEST"]["TEMPLATE"] = migrated_template()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Ends what is still connected before the database is dropped: a server under test that was killed, a pool."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
