"""What a web process needs to run sessions: the queue, the hub, and a bounded pool of threads for what has rules.

Daphne has no lifespan, so they start on first use, in the loop that uses them.
"""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from django.db import connections as django_connections

from sessions_app.live.asking import Asking
from sessions_app.live.hub import Hub
from sessions_app.live.ingest import Busy, Ingest
from sessions_app.live.protocol import Close
from sessions_app.live.readers import Readers
from sessions_app.live.wording import wording

THREADS = 4
MOST_WAITING = 2000
STOP_WITHIN = 8.0  # seconds to write what is queued when the process ends

P = ParamSpec("P")
T = TypeVar("T")


class Services:
    """One per event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="actions")
        self._waiting = 0
        self.stopping = False
        self.hub = Hub(self.in_thread)
        self.ingest = Ingest(self.hub.committed)
        self.asking = Asking()
        self.readers = Readers(self.in_thread, wording=wording)

    async def in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function that uses the ORM, on a pooled connection. Raises `Busy` where too many are waiting."""
        if self._waiting >= MOST_WAITING:
            raise Busy
        self._waiting += 1
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, functools.partial(and_give_back, work, *args, **kwargs))
        finally:
            self._waiting -= 1

    def soon(self, work: Callable[[], None]) -> None:
        """Call `work` when the loop comes round: after everything that one commit reports."""
        self._loop.call_soon(work)

    async def stop(self) -> None:
        self.stopping = True
        await self.ingest.stop(within=STOP_WITHIN)
        await self.asking.stop()
        await self.readers.stop()
        await self.hub.stop()
        self._threads.shutdown(wait=False)


def and_give_back(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    try:
        return work(*args, **kwargs)
    finally:
        django_connections.close_all()


_running: WeakKeyDictionary[asyncio.AbstractEventLoop, Services] = WeakKeyDictionary()


def services() -> Services:
    """Those of the running loop."""
    loop = asyncio.get_running_loop()
    found = _running.get(loop)
    if found is None:
        found = _running[loop] = Services()
    return found


async def shutdown() -> None:
    """Tell every page that the server goes (4412), write what is queued, then stop. Nothing acknowledged is lost."""
    found = _running.get(asyncio.get_running_loop())
    if found is None or found.stopping:
        return
    found.stopping = True
    for page in list(found.hub.pages()):
        page.leave(Close.RESTARTING)
    await asyncio.sleep(0)
    await found.stop()
