"""One server of the embedded stack, shared by every process that uses it.

Who uses a server holds a share of its `use` lock. The server's keeper (`config.local.keeper`) holds the `keeper`
lock while it runs, and ends itself and the server when it gets the `use` lock alone. Shares are taken under the
stack's one start lock, so two processes never start the same keeper.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

from config.local import locks

_ROOT = Path(__file__).resolve().parent.parent.parent
_FIRST_START_SECONDS = 120.0  # initdb on a slow disk
_STOP_SECONDS = 60.0


class StackError(RuntimeError):
    """The embedded stack cannot run; the text is one sentence for the person who started Lyceum."""


class Server(Protocol):
    """A program that a keeper runs."""

    name: str
    home: Path
    fact_names: tuple[str, ...]

    def prepare(self) -> None:
        """Make ready to launch, removing what a killed keeper left. Raises `StackError`."""

    def launch(self, log: int) -> subprocess.Popen[bytes]:
        """Start the program with its output going to the file descriptor `log`."""

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """End the program in order and wait for it."""

    def clean_up(self) -> None:
        """Called at the very end, when nobody uses the server and the program has stopped."""

    def facts(self, process: subprocess.Popen[bytes]) -> dict[str, str | int]:
        """What stack.json says of the program just launched: a value for each of `fact_names`."""

    def is_ready(self) -> bool:
        """Whether it answers a real request; asked by those who use it."""


def log_path(home: Path, name: str) -> Path:
    return home / f"{name}.log"


def last_line(home: Path, name: str) -> str:
    log = log_path(home, name)
    lines = log.read_text(errors="replace").split("\n") if log.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "it left no message")


class Share:
    """This process's share of a server. `take` and `wait` are called under the stack's start lock."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._process = os.getpid()
        self._use = locks.open_lock(server.home, f"{server.name}.use")

    def take(self) -> None:
        """Hold a share, and start a keeper where none runs."""
        locks.share(self._use)
        if not self._is_kept():
            subprocess.run(
                [sys.executable, "-m", "config.local.keeper", self.server.name, str(self.server.home)],
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=True,
            )

    def wait(self) -> None:
        """Until the server answers. Raises `StackError` when its keeper gives up."""
        home, name = self.server.home, self.server.name
        log = log_path(home, name)
        end = time.monotonic() + _FIRST_START_SECONDS
        while not self.server.is_ready():
            if not self._is_kept():
                raise StackError(f"The embedded {name} did not start: {last_line(home, name)} (all of it: {log})")
            if time.monotonic() > end:
                raise StackError(f"The embedded {name} did not answer within {_FIRST_START_SECONDS:.0f} s; see {log}.")
            time.sleep(0.05)

    def leave(self) -> None:
        """Give the share back; the last one out returns when the server has stopped."""
        self._use.close()
        if os.getpid() != self._process:  # a forked child, whose parent goes on holding the same share
            return
        end = time.monotonic() + _STOP_SECONDS
        while self._is_kept() and not self._has_users() and time.monotonic() < end:
            time.sleep(0.02)

    def _is_kept(self) -> bool:
        return locks.is_held_alone(self.server.home, f"{self.server.name}.keeper")

    def _has_users(self) -> bool:
        with locks.open_lock(self.server.home, f"{self.server.name}.use") as file:
            if locks.try_alone(file):
                return False
        return not locks.is_held_alone(self.server.home, f"{self.server.name}.use")
