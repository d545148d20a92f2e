"""Join codes: eight characters that nobody misreads, and a brake on guessing them."""

import secrets
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.utils import timezone

from sessions_app.refusals import Refused
from sessions_app.throttling import hashed

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LENGTH = 8
WINDOW = timedelta(minutes=10)
FAILURES_ALLOWED = 60
"""A school often has one address, so the brake is loose: at 60 wrong codes in ten minutes a guess at one of a thousand
live codes among 31^8 succeeds after about 270 years."""


def new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def normalise(text: str) -> str:
    """What a person typed as a code: upper case, only letters and digits. Any text is possible, also a wrong one.

    >>> normalise(" k7mq-4rxd")
    'K7MQ4RXD'
    """
    return "".join(character for character in text.upper() if character.isalnum())[:64]


def readable(code: str) -> str:
    """The code as it is shown: two groups of four.

    >>> readable("K7MQ4RXD")
    'K7MQ 4RXD'
    """
    return f"{code[:4]} {code[4:]}"


def _window() -> datetime:
    seconds = int(WINDOW.total_seconds())
    return datetime.fromtimestamp(int(timezone.now().timestamp()) // seconds * seconds, UTC)


def count_failure(address: str) -> int:
    """Count one wrong code from a network address, in one statement; the number in this window is returned."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO sessions_app_joinfailures AS f (address, "window", failures) VALUES (%s, %s, 1)
            ON CONFLICT (address, "window") DO UPDATE SET failures = f.failures + 1 RETURNING failures
            """,
            (hashed(address), _window()),
        )
        row = cursor.fetchone()
    return int(row[0])


def check_guesses(address: str) -> None:
    """Refuse an address that guessed wrong too often in this window."""
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT failures FROM sessions_app_joinfailures WHERE address = %s AND "window" = %s',
            (hashed(address), _window()),
        )
        row = cursor.fetchone()
    if row and row[0] >= FAILURES_ALLOWED:
        raise Refused("too_many_guesses")
