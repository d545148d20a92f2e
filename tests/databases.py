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
from django.db import OperationalError, connection, transaction
from django.test import TransactionTestCase

ROOT = Path(__file__).resolve().parent.parent
_LOCK = 0x4C594345  # any number of our own
_MOST_DEADLOCKS = 5

_KEEP_ROWS = """
CREATE SCHEMA migrated;

DO $$
DECLARE it regclass; filled boolean;
BEGIN
    FOR it IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', it) INTO filled;
        IF filled THEN
            EXECUTE format('CREATE TABLE migrated.%1$s AS TABLE public.%1$s', it);
        END IF;
    END LOOP;
END $$;

CREATE FUNCTION migrated.await_writers() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE (
        SELECT format('LOCK TABLE %s IN EXCLUSIVE MODE', string_agg(oid::regclass::text, ', ' ORDER BY oid))
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    );
END $$;

CREATE FUNCTION migrated.restore() RETURNS void LANGUAGE plpgsql SET session_replication_role = replica AS $$
DECLARE it regclass; kept regclass; differs boolean;
BEGIN
    FOR it, kept IN
        SELECT c.oid, to_regclass(format('migrated.%I', c.relname)) FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
    LOOP
        IF kept IS NULL THEN
            EXECUTE format('SELECT EXISTS (SELECT FROM %s)', it) INTO differs;
        ELSE
            EXECUTE format(
                'SELECT EXISTS ((TABLE %1$s EXCEPT TABLE %2$s) UNION ALL (TABLE %2$s EXCEPT TABLE %1$s))', it, kept
            ) INTO differs;
        END IF;
        IF differs THEN
            EXECUTE format('DELETE FROM %s', it);
            IF kept IS NOT NULL THEN
                EXECUTE format('INSERT INTO %s TABLE %s', it, kept);
            END IF;
        END IF;
    END LOOP;
END $$;
"""
"""Keeps the rows that the migrations wrote, and makes a function that brings the database back to them. Locking what is
written by others first lets it see what they committed."""


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
            with psycopg.connect(database_url(unfinished)) as made:
                made.execute(_KEEP_ROWS)
            server.execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')
    return name


def restore_after_each_test() -> None:
    """From now on a test with transactions of its own leaves the rows of the migrations behind, and no others.

    Django empties and fills all tables instead, which takes longer than most of these tests.
    """
    TransactionTestCase._fixture_teardown = lambda _test: restore()


def restore() -> None:
    """Bring the database back to what the migrations wrote: once more where a server under test got in the way."""
    for tries_left in reversed(range(_MOST_DEADLOCKS)):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT migrated.await_writers()")
                cursor.execute("SELECT migrated.restore()")
        except OperationalError as error:
            if not (tries_left and isinstance(error.__cause__, psycopg.errors.DeadlockDetected)):
                raise
        else:
            return


def _fingerprint() -> str:
    """Changes with the migrations, with what is installed, and with what the database takes from the settings."""
    digest = hashlib.sha256((ROOT / "requirements.lock").read_bytes())
    digest.update(_KEEP_ROWS.encode())
    digest.update(repr((settings.INSTALLED_APPS, connection.settings_dict["OPTIONS"].get("options"))).encode())
    for app in apps.get_app_configs():
        if Path(app.path).is_relative_to(ROOT) and ".venv" not in Path(app.path).relative_to(ROOT).parts:
            for migration in sorted(Path(app.path, "migrations").glob("*.py")):
                digest.update(migration.name.encode() + migration.read_bytes())
    return digest.hexdigest()[:12]
