"""`python -m tests.sessions_app.live.altered_server WHAT --port N`: a web process with one thing different."""

import sys
from collections.abc import Callable

import config.asgi  # noqa: F401  starts Django
from config import server
from sessions_app.live import broadcast, ingest, teacher
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


ALTERATIONS: dict[str, Callable[[], None]] = {
    "acknowledge-before-commit": acknowledge_before_commit,
    "brisk": brisk,
}

if __name__ == "__main__":
    ALTERATIONS[sys.argv.pop(1)]()
    server.main()
