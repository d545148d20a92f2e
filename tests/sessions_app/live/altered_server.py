"""`python -m tests.sessions_app.live.altered_server WHAT --port N`: a web process with one thing different."""

import asyncio
import sys
from collections.abc import Callable
from uuid import UUID

from config import server  # before Django, which imports Daphne

# isort: split
import config.asgi  # noqa: F401  starts Django
from sessions_app.live import broadcast, hub, ingest, student, teacher
from sessions_app.timeline import Appended, NewEvent


def acknowledge_before_commit() -> None:
    """The control of the crash test: what a careless ingest does."""
    write = ingest.Ingest._write

    async def careless(self: ingest.Ingest, batch: list[tuple[NewEvent, list[ingest.Report]]]) -> None:
        for event, reports in batch:
            for report in reports:
                report(event, Appended("new", 0, event.received_at, late=False, stored_type=None))
        await write(self, [(event, []) for event, _ in batch])

    ingest.Ingest._write = careless  # type: ignore[method-assign]


def brisk() -> None:
    """Looks ten times a second at what is otherwise looked at now and then."""
    teacher.CHECK_EVERY = broadcast.POSITION_EVERY = 0.1


def plain() -> None:
    """Nothing is offered beside ASGI, as by any other server."""
    server.WebServer.create_application = server.Server.create_application  # type: ignore[method-assign]


def slow_to_watch() -> None:
    """Much can happen between the moment in which a page's state is read and the one from which it is told."""
    open_watch = hub.Hub.open

    async def slow(self: hub.Hub, session_id: UUID) -> broadcast.Watch | None:
        found = await open_watch(self, session_id)
        await asyncio.sleep(1)
        return found

    hub.Hub.open = slow  # type: ignore[method-assign]


def failing() -> None:
    """A page of which every message is too much."""

    def fail(self: student.StudentSocket, raw: str) -> None:
        raise ZeroDivisionError

    student.StudentSocket.text = fail  # type: ignore[method-assign]


ALTERATIONS: dict[str, Callable[[], None]] = {
    "acknowledge-before-commit": acknowledge_before_commit,
    "brisk": brisk,
    "failing": failing,
    "plain": plain,
    "slow-to-watch": slow_to_watch,
}

if __name__ == "__main__":
    ALTERATIONS[sys.argv.pop(1)]()
    server.main()
