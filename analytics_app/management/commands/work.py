"""`work`: the worker. Jobs by the clock and from the queue, and the outbox."""

import asyncio
import logging
import signal
import threading
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandParser
from procrastinate import exceptions
from procrastinate.contrib.django import app

from analytics_app.mirror import outbox

log = logging.getLogger(__name__)

PAUSE = 2.0  # seconds before the queue is tried again after the database was away
LAST_WORD = 20.0  # seconds that the outbox may take to settle what it has sent


class Command(BaseCommand):
    help = (
        "Run the worker: the rollup at five past each hour, the end of idle sessions, queued jobs, and the outbox that "
        "mirrors changes to DynamoDB. SIGTERM or Ctrl-C ends it after what it holds is written."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-mirror", action="store_true", help="leave the outbox to other workers")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        mirroring = threading.Thread(target=outbox.run, args=(stop,), name="outbox")
        if not options["no_mirror"]:
            mirroring.start()
        try:
            asyncio.run(_jobs())
        finally:
            stop.set()
            if mirroring.is_alive():
                mirroring.join(LAST_WORD)


async def _jobs() -> None:
    """Work off the queue until a signal comes, also across a database that was away."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(wanted, stopped.set)
    while not stopped.is_set():
        worker = asyncio.create_task(_queue())
        waiting = asyncio.create_task(stopped.wait())
        await asyncio.wait({worker, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if stopped.is_set():
            worker.cancel()
        try:
            await worker
        except asyncio.CancelledError:
            return
        except (psycopg.Error, exceptions.ConnectorException) as error:
            log.warning("the queue cannot be read at the moment: %s", error)
            await asyncio.wait({asyncio.create_task(stopped.wait())}, timeout=PAUSE)


async def _queue() -> None:
    with app.replace_connector(app.connector.get_worker_connector()) as worker:
        async with worker.open_async():
            await worker.run_worker_async(
                concurrency=2,
                install_signal_handlers=False,
                shutdown_graceful_timeout=LAST_WORD,
                delete_jobs="successful",
            )
