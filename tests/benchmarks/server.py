"""A web process on the benchmark's database."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from django.db import connections

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class WebProcess:
    """`host` is its address with the port."""

    process: psutil.Process
    host: str


@contextmanager
def web_process() -> Iterator[WebProcess]:
    """Started as an operator starts it, with a log of warnings only, and ended afterwards."""
    connections.close_all()
    started = subprocess.Popen(
        [sys.executable, "-m", "config.server", "--port", "0"],
        cwd=ROOT, env=os.environ | {"LOG_LEVEL": "WARNING"}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert started.stdout is not None
        port = re.search(r":(\d+)/", started.stdout.readline())
        assert port is not None
        yield WebProcess(psutil.Process(started.pid), f"127.0.0.1:{port[1]}")
    finally:
        started.terminate()
        started.wait(30)
