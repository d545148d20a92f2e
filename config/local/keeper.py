"""Keeps one server of the embedded stack running for as long as any process uses it.

    python -m config.local.keeper postgres|aws HOME

returns as soon as a keeper holds the server's keeper lock. The keeper goes on in the background in a session of its
own, so that neither Ctrl-C in a terminal nor the end of whoever started it reaches it. It starts the server again
when that dies, and stops it when the last user is gone, even one that was killed.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from io import FileIO
from pathlib import Path

from config.local import locks, record
from config.local.aws import Moto
from config.local.postgres import Postgres
from config.local.server import Server, StackError, last_line, log_path

_SERVERS: dict[str, Callable[[Path], Server]] = {Postgres.name: Postgres, Moto.name: Moto}
_POLL_SECONDS = 0.1
_ATTEMPTS = 8
_STEADY_SECONDS = 5.0  # a server that lived this long did start
_KILLS = {-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGQUIT}


def keep(server: Server, use: FileIO, log: int) -> None:
    """Run the server until the lock `use` can be had alone. Raises `StackError` when it does not stay up."""
    failures = 0
    while failures < _ATTEMPTS:
        started = time.monotonic()
        process = server.launch(log)
        try:
            record.change(server.home, server.facts(process))
            while process.poll() is None:
                if locks.try_alone(use):
                    return
                time.sleep(_POLL_SECONDS)
        finally:
            server.stop(process)
        did_start = process.returncode in _KILLS or time.monotonic() - started > _STEADY_SECONDS
        failures = 0 if did_start else failures + 1
        time.sleep(min(0.05 * 2**failures, 1))
    raise StackError(f"it ended {failures} times, last saying: {last_line(server.home, server.name)}")


def main(name: str, home: Path) -> None:
    lock = _only_keeper(home, name)
    if lock is None:
        return
    server = _SERVERS[name](home)
    record.change(home, dict.fromkeys(server.fact_names))
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")
    log = _open_log(log_path(home, name))
    os.dup2(log, sys.stderr.fileno())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with locks.open_lock(home, f"{name}.use") as use:
        try:
            server.prepare()
            keep(server, use, log)
        except (StackError, OSError) as error:
            # Written before the lock is released, as whoever waits then reads why.
            sys.stderr.write(f"{error}\n")
            sys.stderr.flush()
        finally:
            server.clean_up()
            record.change(home, dict.fromkeys(server.fact_names))
            # Before `use`: whoever waits for a share must find no keeper.
            lock.close()


def _only_keeper(home: Path, name: str) -> FileIO | None:
    lock = locks.open_lock(home, f"{name}.keeper")
    for _ in range(20):  # someone who only looks holds the lock for a moment too
        if locks.try_alone(lock):
            return lock
        time.sleep(0.02)
    return None


def _open_log(path: Path) -> int:
    if path.exists():
        path.replace(path.with_suffix(".log.old"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
