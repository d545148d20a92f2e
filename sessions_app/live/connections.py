"""The direct connections of a web process to Postgres: one writes batches, one reads gaps, one listens.

They bypass the ORM and its one shared thread. A connection that is lost is made again, with a pause that grows.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import psycopg
from django.db import connections

log = logging.getLogger(__name__)

# A server that went without a word (a failover, a cut cable) is noticed in seconds; a unix socket ignores these.
NOTICE_LOSS = {
    "connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}  # fmt: skip

Connection = psycopg.AsyncConnection[Any]
T = TypeVar("T")
LONGEST_PAUSE = 2.0  # seconds


def _conninfo() -> dict[str, Any]:
    settings = connections["default"].get_connection_params()
    for not_libpq in ("pool", "cursor_factory", "context", "prepare_threshold", "server_side_binding"):
        settings.pop(not_libpq, None)
    return NOTICE_LOSS | settings


async def connect(name: str) -> Connection:
    """A connection of its own, in autocommit, that prepares every statement it sees."""
    made = await psycopg.AsyncConnection.connect(
        **_conninfo(), autocommit=True, prepare_threshold=0, application_name=f"lyceum {name}"
    )
    await made.execute("SET TIME ZONE 'UTC'")
    return made


async def pauses(first: float = 0.05) -> AsyncIterator[None]:
    """Wait between attempts: doubled each time, with jitter, up to two seconds."""
    pause = first
    while True:
        await asyncio.sleep(pause * (0.5 + random.random() / 2))  # noqa: S311
        pause = min(pause * 2, LONGEST_PAUSE)
        yield


class Lasting:
    """A connection that is opened when it is needed and again after it was lost."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._connection: Connection | None = None
        self._one_at_a_time = asyncio.Lock()

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do `work` on the connection, one after the other. `psycopg.OperationalError` where it was lost."""
        async with self._one_at_a_time:
            if self._connection is None or self._connection.closed:
                self._connection = await connect(self.name)
            try:
                return await work(self._connection)
            except BaseException:
                if self._connection is not None and (
                    self._connection.broken
                    or self._connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE
                ):
                    await self._connection.close()
                    self._connection = None
                raise

    async def close(self) -> None:
        async with self._one_at_a_time:
            if self._connection is not None:
                await self._connection.close()
                self._connection = None
