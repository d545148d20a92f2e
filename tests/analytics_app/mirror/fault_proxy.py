"""A small server in front of the local DynamoDB that fails as the real one and its network do, by rates.

Faults fall on writes only (BatchWriteItem). `late` is the worst of them: the client hears nothing, and the write
arrives when the client has long gone on.
"""

import http.client
import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

KINDS = ("unprocessed", "throttled", "error", "error_after", "dropped", "dropped_after", "late")


@dataclass
class Faults:
    """`rate` is the share of writes that meet one of `kinds`; `late_seconds` how late a late one arrives.

    `held` keeps the late ones back until `let_go`.
    """

    rate: float = 0.0
    kinds: tuple[str, ...] = KINDS
    late_seconds: float = 0.5
    held: bool = False
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    met: list[str] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    written: list[tuple[str, bool]] = field(default_factory=list)
    """Partition key of each write that was passed on at once, and whether it was a put."""
    under_way: list[threading.Thread] = field(default_factory=list)
    may_arrive: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        if not self.held:
            self.may_arrive.set()

    def let_go(self) -> None:
        self.may_arrive.set()
        self.wait_for_late_ones()

    def choose(self) -> str | None:
        if self.chance.random() >= self.rate:
            return None
        self.met.append(self.chance.choice(self.kinds))
        return self.met[-1]

    def wait_for_late_ones(self) -> None:
        while self.under_way:
            self.under_way.pop().join()


@contextmanager
def proxy(upstream: str, faults: Faults) -> Iterator[str]:
    """Serve on a free port while the block runs; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not self.headers["X-Amz-Target"].endswith("BatchWriteItem"):
                self._answer(*self._pass_on(body))
                return
            fault = faults.choose()
            faults.batches.append(sum(map(len, json.loads(body)["RequestItems"].values())))
            if fault == "unprocessed":
                self._take_some(body)
            elif fault == "throttled":
                self._refuse(400, "ProvisionedThroughputExceededException")
            elif fault in {"error", "error_after"}:
                if fault == "error_after":
                    self._pass_on(body)
                self._refuse(500, "InternalServerError")
            elif fault in {"dropped", "dropped_after"}:
                if fault == "dropped_after":
                    self._pass_on(body)
                self.close_connection = True
            elif fault == "late":
                late = threading.Thread(target=self._pass_on_late, args=(body,))
                faults.under_way.append(late)
                late.start()
                time.sleep(faults.late_seconds)
                self.close_connection = True
            else:
                self._note(body)
                self._answer(*self._pass_on(body))

        def _take_some(self, body: bytes) -> None:
            """Write about half of the batch, or none of it, and give the rest back."""
            request = json.loads(body)
            [(table, writes)] = request["RequestItems"].items()
            taken = [write for write in writes if faults.chance.random() < 0.5]
            left = [write for write in writes if write not in taken]
            if taken:
                part = json.dumps({"RequestItems": {table: taken}}).encode()
                self._note(part)
                self._pass_on(part)
            self._answer(200, json.dumps({"UnprocessedItems": {table: left} if left else {}}).encode())

        def _note(self, body: bytes) -> None:
            for writes in json.loads(body)["RequestItems"].values():
                for write in writes:
                    put = "PutRequest" in write
                    at = write["PutRequest"]["Item"] if put else write["DeleteRequest"]["Key"]
                    faults.written.append((at["PK"]["S"], put))

        def _pass_on_late(self, body: bytes) -> None:
            time.sleep(faults.late_seconds)
            faults.may_arrive.wait()
            self._pass_on(body)

        def _pass_on(self, body: bytes) -> tuple[int, bytes]:
            connection = http.client.HTTPConnection(urlsplit(upstream).netloc, timeout=30)
            headers = {k: v for k, v in self.headers.items() if k.lower() not in {"host", "content-length"}}
            connection.request("POST", "/", body=body, headers=headers)
            reply = connection.getresponse()
            content = reply.read()
            connection.close()
            return reply.status, content

        def _refuse(self, status: int, code: str) -> None:
            error = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "as the test wants"}
            self._answer(status, json.dumps(error).encode())

        def _answer(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        faults.let_go()
        server.shutdown()
        serving.join()
        server.server_close()
