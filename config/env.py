"""Readers for the settings that come from the environment.

Each reader returns a checked value or raises `BadSetting`, whose text is the one sentence that a person
who starts the server with a wrong value gets to see.
"""

import os
from collections.abc import Collection
from decimal import Decimal, InvalidOperation
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit


class BadSetting(ValueError):
    """A value in the environment that Lyceum cannot start with."""


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise BadSetting(f"{name} must be true or false, not {value!r}.")


def choice(name: str, allowed: Collection[str], default: str) -> str:
    value = text(name, default)
    if value not in allowed:
        raise BadSetting(f"{name} must be one of {', '.join(sorted(allowed))}, not {value!r}.")
    return value


def words(name: str, default: Collection[str] = ()) -> list[str]:
    """A comma-separated list."""
    value = text(name)
    return [word.strip() for word in value.split(",") if word.strip()] if value else list(default)


def number(name: str, default: float, *, low: float, high: float) -> float:
    value = text(name)
    if not value:
        return default
    try:
        found = float(value)
    except ValueError:
        raise BadSetting(f"{name} must be a number, not {value!r}.") from None
    if not low <= found <= high:
        raise BadSetting(f"{name} must be between {low:g} and {high:g}, not {value}.")
    return found


def price(name: str) -> Decimal | None:
    """An amount of money, or None where it is not known."""
    value = text(name)
    if not value:
        return None
    try:
        found = Decimal(value)
    except InvalidOperation:
        raise BadSetting(f"{name} must be a number, not {value!r}.") from None
    if not (found.is_finite() and 0 <= found <= 1_000_000):
        raise BadSetting(f"{name} must be between 0 and 1000000, not {value}.")
    return found


def url(name: str, schemes: Collection[str]) -> str:
    """A URL with one of `schemes`, or an empty string where the variable is unset."""
    value = text(name)
    if value and (urlsplit(value).scheme not in schemes or "//" not in value):
        raise BadSetting(f"{name} must be a URL that begins with {' or '.join(s + '://' for s in schemes)}.")
    return value


def secret(name: str, *, least: int) -> str:
    """A key for signing, of at least `least` characters, or an empty string where the variable is unset."""
    value = text(name)
    if value and len(value) < least:
        raise BadSetting(f"{name} must have at least {least} characters.")
    return value


def origins(name: str) -> list[str]:
    """Web origins with commas between: a scheme, a host, perhaps a port, and nothing behind it."""
    found = words(name)
    for origin in found:
        parts = urlsplit(origin)
        try:
            whole = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
        except ValueError:
            whole = ""
        if parts.scheme not in {"http", "https"} or not parts.hostname or whole != origin.lower():
            raise BadSetting(f"{name} must list origins such as https://app.example.org, not {origin!r}.")
    return found


def mail(name: str, folder: Path) -> dict[str, object]:
    """Django's settings for the mail server at `name`, `smtp://user:password@host:587` (STARTTLS) or `smtps://…`.

    Where the variable is unset, mail is written into files in `folder`.
    """
    value = url(name, ("smtp", "smtps"))
    if not value:
        return {"BACKEND": "django.core.mail.backends.filebased.EmailBackend", "FILE_PATH": folder}
    parts = urlsplit(value)
    try:
        port = parts.port
    except ValueError:
        raise BadSetting(f"{name} has a port that is not a number.") from None
    encrypted = parts.scheme == "smtps"
    return {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "HOST": parts.hostname or "localhost",
        "PORT": port or (465 if encrypted else 587 if parts.username else 25),
        "HOST_USER": unquote(parts.username or ""),
        "HOST_PASSWORD": unquote(parts.password or ""),
        "USE_SSL": encrypted,
        "USE_TLS": bool(parts.username) and not encrypted,
    }


def database(name: str, default_url: str) -> dict[str, object]:
    """Django's description of the Postgres at `name` (a postgresql:// URL), or at `default_url`."""
    value = url(name, ("postgres", "postgresql")) or default_url
    parts = urlsplit(value)
    try:
        port = parts.port
    except ValueError:
        raise BadSetting(f"{name} has a port that is not a number.") from None
    options = dict(parse_qsl(parts.query))
    database_name = unquote(parts.path.lstrip("/"))
    if not database_name:
        raise BadSetting(f"{name} must name a database, as in postgresql://user:password@host/name.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database_name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or "") or options.pop("host", ""),
        "PORT": str(port or ""),
        "OPTIONS": dict(options),
    }


def home(root: Path) -> Path:
    """Where embedded data lives: `LYCEUM_HOME`, or `.lyceum` beside manage.py."""
    value = text("LYCEUM_HOME")
    path = Path(value).expanduser() if value else root / ".lyceum"
    if path.exists() and not path.is_dir():
        raise BadSetting(f"LYCEUM_HOME must be a directory, and {path} is a file.")
    return path.absolute()
