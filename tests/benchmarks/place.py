"""A database of a benchmark's own, dropped afterwards, and clocks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from django.db import connection


@contextmanager
def own_database(name: str) -> Iterator[str]:
    """A migrated database, as Django's default one until it is dropped; its name."""
    before = connection.settings_dict["NAME"]
    kept = connection.settings_dict["TEST"]["NAME"]
    connection.settings_dict["TEST"]["NAME"] = f"bench_{name}"
    _disconnect()
    try:
        yield connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    finally:
        _disconnect()
        connection.creation.destroy_test_db(before, verbosity=0)
        _disconnect()
        connection.settings_dict["TEST"]["NAME"] = kept


def _disconnect() -> None:
    """The pool goes on giving out connections to the database that it was opened for."""
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]


def fastest_of(rounds: int, *works: Callable[[], object]) -> list[float]:
    """The least seconds that each of `works` took, taken in turn, so that a busy moment hits all of them."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, seconds in zip(works, taken, strict=True):
            started = perf_counter()
            work()
            seconds.append(perf_counter() - started)
    return [min(seconds) for seconds in taken]
