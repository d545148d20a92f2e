"""Processes that use a stack of their own, in a home of their own."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from config.local import record

ROOT = Path(__file__).resolve().parent.parent.parent
USE = "import sys; from config.local import stack; stack.ensure(aws={aws}); print('in', flush=True); sys.stdin.read()"


def environment(home: Path, **settings: str) -> dict[str, str]:
    """The environment of a fresh process: nothing of the suite's own stack in it."""
    foreign = ("AWS_", "LYCEUM_", "DATABASE_URL", "DJANGO_", "DYNAMODB_", "COVERAGE_", "COV_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "LYCEUM_HOME": str(home), **settings}


def run(home: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """`python` with those arguments, to its end."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment(home, **settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def eventually(true: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@dataclass
class Client:
    """A process that uses the stack under `home` until `leave`."""

    home: Path
    process: subprocess.Popen[str]

    def is_in(self) -> bool:
        """Waits until the process holds its share; False when it ended instead."""
        assert self.process.stdout is not None
        return self.process.stdout.readline() == "in\n"

    def leave(self) -> None:
        self.process.communicate("", timeout=60)


@pytest.fixture
def clients(home: Path) -> Iterator[Callable[..., Client]]:
    """Starts clients; whoever is still in at the end of the test leaves."""
    started: list[Client] = []

    def start(*, aws: bool = False) -> Client:
        process = subprocess.Popen(
            [sys.executable, "-c", USE.format(aws=aws)],
            cwd=ROOT,
            env=environment(home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(Client(home, process))
        return started[-1]

    yield start
    for client in started:
        client.process.kill()
        client.process.communicate()
    assert eventually(lambda: not record.read(home))


def runs(pid: int) -> bool:
    """Whether that process lives; one that ended and was not reaped does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def remove_aside(home: Path) -> None:
    """Remove the data that root's server keeps outside a closed home."""
    data = home / "postgres-18"
    if data.is_symlink():
        shutil.rmtree(data.resolve().parent)
