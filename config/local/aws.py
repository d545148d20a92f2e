"""DynamoDB, its streams and S3 on this machine: a moto server as a process of ours, on a loopback port.

moto keeps everything in memory, so what it held is gone after each start. `aws_generation` in stack.json is another
one then, and whoever mirrors to it must rebuild the mirror before calling it ready.

The keeper holds the listening socket: the port stays the same when moto is started again, and requests that come
meanwhile wait.
"""

import copy
import http.client
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config.local import record

_ROOT = Path(__file__).resolve().parent.parent.parent
_LOOPBACK = "127.0.0.1"
_LIST_TABLES = {
    "X-Amz-Target": "DynamoDB_20120810.ListTables",
    "Content-Type": "application/x-amz-json-1.0",
    # moto reads which service is meant from the scope and checks no signature.
    "Authorization": "AWS4-HMAC-SHA256 Credential=embedded/20250101/us-east-1/dynamodb/aws4_request",
}


class Moto:
    """The server under one home, as its keeper runs it and its users ask for it (`config.local.server.Server`)."""

    name = "aws"
    fact_names: tuple[str, ...] = ("aws_endpoint", "aws_pid", "aws_generation")

    def __init__(self, home: Path) -> None:
        self.home = home

    def prepare(self) -> None:
        self._socket = socket.create_server((_LOOPBACK, 0), backlog=128)

    def launch(self, log: int) -> subprocess.Popen[bytes]:
        # It ends when its standard input does, so a killed keeper leaves no server behind.
        return subprocess.Popen(
            [sys.executable, "-m", "config.local.aws", str(self._socket.fileno())],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            pass_fds=[self._socket.fileno()],
        )

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """Killed, as there is nothing that it could keep."""
        process.kill()
        process.wait()
        if process.stdin:
            process.stdin.close()

    def clean_up(self) -> None:
        self._socket.close()

    def facts(self, process: subprocess.Popen[bytes]) -> dict[str, str | int]:
        endpoint = f"http://{_LOOPBACK}:{self._socket.getsockname()[1]}"
        return {"aws_endpoint": endpoint, "aws_pid": process.pid, "aws_generation": uuid.uuid4().hex}

    def is_ready(self) -> bool:
        """Whether it answers DynamoDB's ListTables."""
        endpoint = record.read(self.home).get("aws_endpoint")
        return isinstance(endpoint, str) and _lists_tables(endpoint)


def _lists_tables(endpoint: str) -> bool:
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=30)
    try:
        connection.request("POST", "/", body="{}", headers=_LIST_TABLES)
        answer = connection.getresponse()
        return answer.status == 200 and "TableNames" in json.loads(answer.read())
    except (OSError, http.client.HTTPException, json.JSONDecodeError):
        return False
    finally:
        connection.close()


def serve(listening: int) -> None:
    """Answer on the listening socket of that file descriptor until standard input ends."""
    from moto.dynamodb.models.table import Table
    from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    Table.__deepcopy__ = _snapshot
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server(_LOOPBACK, 0, application, threaded=True, request_handler=MotoRequestHandler, fd=listening)
    threading.Thread(target=_end_with_input, daemon=True).start()
    server.serve_forever()


def _snapshot(table: Any, _memo: dict[int, Any]) -> Any:
    """What moto puts back when a transaction fails: it copies the table for every action of every transaction.

    Puts and deletes exchange whole items, so the dictionaries that hold them are copied and the items are not. A copy
    of every attribute of every item would take seconds at some thousand items.
    """
    kept = copy.copy(table)
    kept.items = type(table.items)(dict)
    for key, found in table.items.items():
        kept.items[key] = dict(found) if isinstance(found, dict) else found
    return kept


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
