"""`python -m config.server` as a process: how it starts, refuses and ends."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest

from tests.config.conftest import ROOT


def start(*arguments: str) -> subprocess.Popen[str]:
    """A server in the suite's own stack."""
    command = [sys.executable, "-m", "config.server", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def server() -> Iterator[subprocess.Popen[str]]:
    process = start("--port", "0")
    yield process
    process.kill()
    process.communicate()


def address_of(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    line = server.stdout.readline()
    assert line.startswith("Lyceum answers at http://127.0.0.1:")
    return line.split()[-1]


def test_it_says_where_it_answers(server: subprocess.Popen[str]) -> None:
    with urllib.request.urlopen(address_of(server) + "accounts/login/") as answer:
        assert answer.status == 200


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order_and_in_silence(server: subprocess.Popen[str], how: signal.Signals) -> None:
    address_of(server)
    os.kill(server.pid, how)
    assert server.communicate(timeout=30) == ("", "")
    assert server.returncode == 0


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start("--port", str(port))
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said == f"lyceum: 127.0.0.1:{port} cannot be used: Address already in use.\n"


def test_a_port_that_is_none_is_a_bad_argument() -> None:
    process = start("--port=65536")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "a port is a number from 0 to 65535, not '65536'" in said
