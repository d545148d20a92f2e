"""A Bedrock for tests: a loopback server of the Converse API that answers as it is told.

    def test_…(bedrock: BedrockStandIn):
        bedrock.answers({"question": "Why?"}, throttled(), "nonsense")   # one after the other
        bedrock.always(lambda request: {"heard": request.prompt})         # whatever is not in the script
        bedrock.down()                                                    # nobody listens any more

A reply is a dict or list (sent as JSON), a text, a `Fault`, or a function of the request that gives one of these.
"""

import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import pytest
from django.conf import LazySettings

MODEL = "stand-in.model-v1:0"


@dataclass(frozen=True)
class Request:
    """What the product sent."""

    model: str
    body: dict[str, Any]

    @property
    def system(self) -> str:
        return "".join(part["text"] for part in self.body.get("system", ()))

    @property
    def messages(self) -> list[str]:
        return ["".join(part["text"] for part in message["content"]) for message in self.body["messages"]]

    @property
    def prompt(self) -> str:
        """What the user says last."""
        return self.messages[-1]


@dataclass(frozen=True)
class Fault:
    """Something else than an answer. `seconds`: how long to say nothing first."""

    status: int = 200
    code: str = ""
    seconds: float = 0
    reply: Any = ""
    stop_reason: str = "end_turn"
    raw: bytes | None = None


Reply = dict[str, Any] | list[Any] | str | Fault
Scripted = Reply | Callable[[Request], Reply]


def throttled() -> Fault:
    return Fault(429, "ThrottlingException")


def failing(status: int = 500, code: str = "InternalServerException") -> Fault:
    return Fault(status, code)


def slow(seconds: float, reply: Reply = "at last") -> Fault:
    return Fault(seconds=seconds, reply=reply)


def refusing() -> Fault:
    return Fault(reply="I would rather not.", stop_reason="content_filtered")


def cut_short(reply: Reply = '{"half": ') -> Fault:
    return Fault(reply=reply, stop_reason="max_tokens")


def gibberish() -> Fault:
    """Not even the form of Converse."""
    return Fault(raw=b'{"unexpected": true}')


class BedrockStandIn:
    """The server, its script, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.most_at_once = 0
        self._script: deque[Scripted] = deque()
        self._otherwise: Scripted = "yes"
        self._lock = threading.Lock()
        self._under_way = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._serving = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._serving.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def answers(self, *replies: Scripted) -> None:
        """Give these, one after the other."""
        self._script.extend(replies)

    def always(self, reply: Scripted) -> None:
        """Give this whenever the script is at its end."""
        self._otherwise = reply

    def down(self) -> None:
        """Stop listening: connections are refused from now on."""
        if self._serving.is_alive():
            self._server.shutdown()
            self._serving.join()
            self._server.server_close()

    def up(self) -> None:
        """Listen again, at the same address."""
        address = self._server.server_address
        self._server = ThreadingHTTPServer(address, self._handler())  # type: ignore[arg-type]
        self._serving = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._serving.start()

    def _next(self, request: Request) -> Fault:
        with self._lock:
            self.asked.append(request)
            reply = self._script.popleft() if self._script else self._otherwise
        while callable(reply):
            reply = reply(request)
        return reply if isinstance(reply, Fault) else Fault(reply=reply)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                path = re.fullmatch(r"/model/([^/]+)/converse", self.path)
                assert path and body["messages"][-1]["role"] == "user"
                with stand_in._lock:
                    stand_in._under_way += 1
                    stand_in.most_at_once = max(stand_in.most_at_once, stand_in._under_way)
                try:
                    reply = stand_in._next(Request(unquote(path[1]), body))
                    time.sleep(reply.seconds)
                finally:
                    with stand_in._lock:
                        stand_in._under_way -= 1
                self._send(reply, sum(map(len, Request("", body).messages)))

            def _send(self, reply: Fault, sent: int) -> None:
                text = reply.reply if isinstance(reply.reply, str) else json.dumps(reply.reply)
                answer = {
                    "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
                    "stopReason": reply.stop_reason,
                    "usage": {"inputTokens": sent // 4 + 1, "outputTokens": len(text) // 4 + 1, "totalTokens": 0},
                    "metrics": {"latencyMs": 1},
                }
                content = reply.raw or json.dumps({"message": "as the test wants"} if reply.code else answer).encode()
                try:
                    self.send_response(reply.status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(content)))
                    if reply.code:
                        self.send_header("x-amzn-ErrorType", reply.code)
                    self.end_headers()
                    self.wfile.write(content)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                return

        return Handler


@pytest.fixture
def bedrock(settings: LazySettings) -> Iterator[BedrockStandIn]:
    """A Bedrock that answers as it is told, and settings that lead there. 3 and 15 USD for a million tokens."""
    stand_in = BedrockStandIn()
    settings.BEDROCK_MODEL_ID = MODEL
    settings.BEDROCK_ENDPOINT_URL = stand_in.url
    settings.BEDROCK_PRICES = (Decimal(3), Decimal(15))
    yield stand_in
    stand_in.down()
