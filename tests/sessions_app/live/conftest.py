"""A real server on the test database, and clients that speak to it over real sockets."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from pytest_django.plugin import DjangoDbBlocker

from tests.databases import database_url
from tests.transcribe_stand_in import KEY_ID, REGION, SECRET, TranscribeStandIn

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Server:
    """A web process of its own."""

    process: subprocess.Popen[str]
    port: int
    log: Path

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def url(self, path: str) -> str:
        return f"ws://127.0.0.1:{self.port}{path}"

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self._gone()

    def stop(self) -> int:
        """End it as an operator would; its exit status."""
        self.process.terminate()
        return self._gone()

    def _gone(self) -> int:
        status = self.process.wait(15)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status


def serve(log: Path, *arguments: str, program: str = "config.server", port: int = 0, **environment: str) -> Server:
    """Start a web process, which is the module `program` given `arguments` and a port, and wait for its address."""
    with log.open("a") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", program, *arguments, "--port", str(port)],
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": database_url(),
                "SECRET_KEY": settings.SECRET_KEY,
                "HTTPS": "false",
                "PYTHONUNBUFFERED": "1",
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r":(\d+)/", line)
    if found is None:
        process.kill()
        raise RuntimeError(f"the server did not start: {line}{log.read_text()}")
    return Server(process, int(found[1]), log)


@pytest.fixture(scope="session")
def web_process(django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: Any) -> Iterator[Server]:
    with django_db_blocker.unblock():
        running = serve(tmp_path_factory.mktemp("server") / "server.log")
    yield running
    assert running.stop() == 0


@contextmanager
def without_traceback(running: Server) -> Iterator[None]:
    """A traceback in the server's log fails the test that caused it."""
    before = running.log.stat().st_size
    yield
    with running.log.open() as log:
        log.seek(before)
        said = log.read()
    assert "Traceback" not in said, said


@pytest.fixture
def server(transactional_db: None, web_process: Server) -> Iterator[Server]:
    """The web process that the tests of a worker share."""
    with without_traceback(web_process):
        yield web_process


@pytest.fixture
def on_amazon(transactional_db: None, tmp_path: Path, transcribe: TranscribeStandIn) -> Iterator[Server]:
    """A web process whose readings are heard by Amazon Transcribe, as far as it can tell."""
    running = serve(
        tmp_path / "server.log", TRANSCRIBER="amazon", AWS_ENDPOINT_URL_TRANSCRIBE_STREAMING=transcribe.endpoint,
        AWS_ACCESS_KEY_ID=KEY_ID, AWS_SECRET_ACCESS_KEY=SECRET, AWS_REGION=REGION,
    )  # fmt: skip
    with without_traceback(running):
        yield running
        assert running.stop() == 0
