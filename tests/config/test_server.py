"""`python -m config.server` as a process: how it starts, refuses and ends."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

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


def test_it_says_where_it_answers_and_keeps_nothing_of_what_is_too_large(server: subprocess.Popen[str]) -> None:
    address = address_of(server)
    with urllib.request.urlopen(address + "accounts/login/") as answer:
        assert answer.status == 200
    before = most_memory(server)
    told = send_megabytes(address, 200, accept="application/json")
    assert told.startswith(b"HTTP/1.1 413 ") and b'{"error": {"code": "too_large"' in told
    page = send_megabytes(address, 30, accept="text/html,*/*")
    assert page.startswith(b"HTTP/1.1 413 ") and b"That was too large</h1>" in page
    unannounced = send_megabytes(address, 30, accept="application/json", announced=False)
    assert unannounced.startswith(b"HTTP/1.1 413 ") and b"too_large" in unannounced
    assert most_memory(server) - before < 60, "MiB"
    with urllib.request.urlopen(address + "health/live") as answer:
        assert answer.status == 200


def send_megabytes(address: str, count: int, *, accept: str, announced: bool = True) -> bytes:
    """What the server answers to a body of that size, sent to its end."""
    host, _colon, port = address.removeprefix("http://").rstrip("/").partition(":")
    size = f"Content-Length: {count * 1_000_000}" if announced else "Transfer-Encoding: chunked"
    head = f"POST /research/analyses/new/ HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: {accept}\r\n{size}\r\n\r\n"
    piece = b"x" * 1_000_000 if announced else b"%x\r\n%s\r\n" % (1_000_000, b"x" * 1_000_000)
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(head.encode())
        for _ in range(count):
            connection.sendall(piece)
        if not announced:
            connection.sendall(b"0\r\n\r\n")
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def most_memory(server: subprocess.Popen[str]) -> float:
    """The most that the process has held so far, in MiB."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


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
