"""`work`: the worker. Jobs by the clock and from the queue, and the outbox."""

import asyncio
import logging
import signal
import threading
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError, CommandParser
from procrastinate import exceptions
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector

from analytics_app.mirror import outbox

log = logging.getLogger(__name__)

PAUSE = 2.0  # seconds before the queue is tried again after the database was away
LAST_WORD = 20.0  # seconds that the outbox may take to settle what it has sent


class Command(BaseCommand):
    help = (
        "Run the worker: the rollup at five past each hour, the end of idle sessions, the removal of what was kept "
        "long enough, queued jobs, and the outbox that mirrors changes to DynamoDB. SIGTERM or Ctrl-C ends it after "
        "what it holds is written."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-mirror", action="store_true", help="leave the outbox to other workers")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        asyncio.run(_work(stop, mirror=not options["no_mirror"]))
        if not stop.is_set():
            raise CommandError("The mirror ended by itself; what it said is above.")


async def _work(stop: threading.Event, *, mirror: bool) -> None:
    """Work off the queue and the outbox until a signal comes, which sets `stop`, or until the outbox breaks."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        stop.set()
        stopped.set()

    for wanted in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(wanted, end)

    def drain() -> None:
        try:
            outbox.run(stop)
        finally:
            loop.call_soon_threadsafe(stopped.set)

    mirroring = threading.Thread(target=drain, name="outbox", daemon=True)
    if mirror:
        mirroring.start()
    await _jobs(stopped)
    if mirroring.is_alive():
        await asyncio.to_thread(mirroring.join, LAST_WORD)


async def _jobs(stopped: asyncio.Event) -> None:
    """Work off the queue until `stopped` is set, also across a database that was away."""
    while not stopped.is_set():
        worker = asyncio.create_task(_queue())
        waiting = asyncio.create_task(stopped.wait())
        await asyncio.wait({worker, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        while stopped.is_set() and not worker.done():
            # One that is just connecting may miss the first word; one that is at work is given its time.
            worker.cancel()
            await asyncio.wait({worker}, timeout=LAST_WORD + PAUSE)
        try:
            await worker
        except asyncio.CancelledError:
            return
        except (psycopg.Error, exceptions.ConnectorException) as error:
            log.warning("the queue cannot be read at the moment: %s", error)
            await asyncio.wait({asyncio.create_task(stopped.wait())}, timeout=PAUSE)


async def _queue() -> None:
    connector = app.connector
    assert isinstance(connector, DjangoConnector)
    with app.replace_connector(connector.get_worker_connector()) as worker:
        async with worker.open_async():
            await worker.run_worker_async(
                concurrency=2,
                install_signal_handlers=False,
                shutdown_graceful_timeout=LAST_WORD,
                delete_jobs="successful",
            )
