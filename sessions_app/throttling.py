"""How often somebody asks, counted in Postgres in one statement, so that no two requests are taken for one.

Windows are of fixed length and begin at multiples of it since 1970; they go by the second in which they begin. A caller
is an account or an address, kept as a keyed hash.
"""

import hashlib
import hmac
import time
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

COUNT = """
INSERT INTO sessions_app_requestcount AS c (caller, scope, "window", requests)
VALUES (%(caller)s, %(scope)s, %(window)s, 1)
ON CONFLICT (caller, scope) DO UPDATE SET
    requests = CASE WHEN c."window" = excluded."window" THEN c.requests + 1 ELSE 1 END, "window" = excluded."window"
RETURNING requests
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `requests` in each window of `seconds`, counted under the name `scope`."""

    scope: str
    requests: int
    seconds: int

    def window(self, now: float) -> int:
        """
        >>> Rate("x", 10, 60).window(125.0)
        120
        """
        return int(now) // self.seconds * self.seconds

    def wait(self, counted: int, now: float) -> float | None:
        """Seconds until another request is taken, or None where this one is.

        >>> Rate("x", 10, 60).wait(10, 125.0) is None, Rate("x", 10, 60).wait(11, 125.0)
        (True, 55.0)
        """
        return None if counted <= self.requests else self.window(now) + self.seconds - now


def hashed(text: str) -> str:
    """A keyed hash of an address or an account: the same for the same, and of no use to whoever lacks the key."""
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def wait_after_counting(caller: str, rate: Rate) -> float | None:
    """Count one request of `caller`; seconds to wait where it is one too many, else None."""
    now = time.time()
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"caller": hashed(caller), "scope": rate.scope, "window": rate.window(now)})
        [counted] = cursor.fetchone()
    return rate.wait(counted, now)
