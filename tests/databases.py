"""The databases of the tests: one with every migration applied, made once, and its copies, one per worker of a run."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import psycopg
from django.apps import apps
from django.conf import settings
from django.db import OperationalError, connection
from django.db.backends.postgresql.operations import DatabaseOperations

ROOT = Path(__file__).resolve().parent.parent
_LOCK = 0x4C594345  # any number of our own
_MOST_DEADLOCKS = 5


def database_url(name: str = "") -> str:
    """The address of the worker's own database, or of another one of its server."""
    db = connection.settings_dict
    host, path = quote(str(db["HOST"]), safe=""), quote(name or db["NAME"])
    if str(db["HOST"]).startswith("/"):
        return f"postgresql://{quote(db['USER'])}@/{path}?host={host}"
    password = f":{quote(db['PASSWORD'])}" if db["PASSWORD"] else ""
    port = f":{db['PORT']}" if db["PORT"] else ""
    return f"postgresql://{quote(db['USER'])}{password}@{host}{port}/{path}"


def migrated_template() -> str:
    """The name of the database to copy. Its name says of which migrations it is; those of others are dropped."""
    name = f"lyceum_migrated_{_fingerprint()}"
    with psycopg.connect(database_url("postgres"), autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        found = server.execute("SELECT datname FROM pg_database WHERE datname LIKE 'lyceum\\_migrated\\_%%'").fetchall()
        if (name,) not in found:
            for (other,) in found:
                server.execute(f'DROP DATABASE "{other}" WITH (FORCE)')
            unfinished = f"{name}_unfinished"
            server.execute(f'CREATE DATABASE "{unfinished}"')
            surroundings = {**os.environ, "DATABASE_URL": database_url(unfinished), "SECRET_KEY": settings.SECRET_KEY}
            subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], check=True, cwd=ROOT, env=surroundings)
            server.execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')
    return name


def flush_patiently() -> None:
    """From now on the tables are emptied once more where a server under test got in the way by reading them."""
    flush = DatabaseOperations.execute_sql_flush

    def flush_again(operations: DatabaseOperations, statements: list[str]) -> None:
        for _ in range(_MOST_DEADLOCKS):
            try:
                return flush(operations, statements)
            except OperationalError as error:
                if not isinstance(error.__cause__, psycopg.errors.DeadlockDetected):
                    raise
        return flush(operations, statements)

    DatabaseOperations.execute_sql_flush = flush_again


def _fingerprint() -> str:
    """Changes with the migrations, with what is installed, and with what the database takes from the settings."""
    digest = hashlib.sha256((ROOT / "requirements.lock").read_bytes())
    digest.update(repr((settings.INSTALLED_APPS, connection.settings_dict["OPTIONS"].get("options"))).encode())
    for app in apps.get_app_configs():
        if Path(app.path).is_relative_to(ROOT) and ".venv" not in Path(app.path).relative_to(ROOT).parts:
            for migration in sorted(Path(app.path, "migrations").glob("*.py")):
                digest.update(migration.name.encode() + migration.read_bytes())
    return digest.hexdigest()[:12]
