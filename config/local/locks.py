"""File locks under `$LYCEUM_HOME/locks`. The kernel releases them when their holder ends, however it ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path


def open_lock(home: Path, name: str) -> FileIO:
    """The lock's file, not yet locked; closing it (or dying) releases what was taken."""
    folder = home / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return FileIO(folder / name, "a")


@contextmanager
def locked(home: Path, name: str) -> Iterator[None]:
    """Waits for the lock and holds it alone."""
    with open_lock(home, name) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def try_alone(file: FileIO) -> bool:
    """Take the lock alone if nobody else holds it. A share that `file` had is lost either way."""
    return _try(file, fcntl.LOCK_EX)


def share(file: FileIO) -> None:
    """Hold the lock together with others; waits while somebody holds it alone."""
    fcntl.flock(file, fcntl.LOCK_SH)


def is_held_alone(home: Path, name: str) -> bool:
    """Whether some process holds the lock alone at this moment."""
    with open_lock(home, name) as file:
        return not _try(file, fcntl.LOCK_SH)


def _try(file: FileIO, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
