"""The web server: `python -m config.server [--host H] [--port N]`, Daphne on uvloop.

It prints one line with its address when it accepts connections, and ends with exit status 0 on SIGTERM or SIGINT after
the sockets were told and everything acknowledged was written.
"""

import asyncio

import uvloop

from config import reactor as our_reactor

# Before the first import of Daphne, which otherwise installs a reactor of its own when it is imported (by Django).
asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
asyncio.set_event_loop(asyncio.new_event_loop())
our_reactor.install(asyncio.get_event_loop())

import argparse
import gc
import resource
import sys
from collections.abc import Callable
from typing import Any

from daphne import http_protocol
from daphne.server import Server
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError

from config.bounds import BoundedRequest
from config.local.stack import StackError
from config.websocket import EXTENSION, DirectWebSocket

MAX_FRAME_BYTES = 1024 * 1024
_BACKLOG = 1024  # a school reconnects all at once
_SHUTDOWN_SECONDS = 10.0

http_protocol.WebRequest = BoundedRequest


class WebServer(Server):
    """Daphne, with a short way for messages and an orderly end."""

    def listen_success(self, port: Any) -> None:
        super().listen_success(port)
        self.ws_factory.protocol = DirectWebSocket
        self._port = port
        address = port.getHost()
        host = f"[{address.host}]" if ":" in address.host else address.host
        # Signals are handled from then on, so whoever reads the line may send one.
        reactor.callWhenRunning(print, f"Lyceum answers at http://{host}:{address.port}/", flush=True)

    def listen_error(self, failure: Any) -> None:
        failure.trap(CannotListenError)
        reason = failure.value.socketError.strerror
        print(f"lyceum: {failure.value.interface}:{failure.value.port} cannot be used: {reason}.", file=sys.stderr)
        self.stop()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if isinstance(protocol, DirectWebSocket):
            scope["extensions"] = {EXTENSION: protocol}
        return super().create_application(protocol, scope)

    def kill_all_applications(self) -> "Deferred[None]":
        """What Daphne does before its loop ends. Twisted waits for the result."""
        return Deferred.fromFuture(asyncio.ensure_future(self._end()))

    async def _end(self) -> None:
        """Take no new connection, let the live part flush and close its sockets, then cancel what is left."""
        from sessions_app.live import services

        self._port.stopListening()
        await asyncio.wait_for(services.shutdown(), _SHUTDOWN_SECONDS)
        running = [found for details in self.connections.values() if (found := details.get("application_instance"))]
        for application in running:
            application.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def serve(application: Callable[..., Any], *, host: str, port: int) -> bool:
    """Answer until a signal ends it. Returns whether the address could be used."""
    _allow_many_sockets()
    interface = host.strip("[]").replace(":", r"\:")
    server = WebServer(
        application=application,
        endpoints=[f"tcp:port={port}:interface={interface}:backlog={_BACKLOG}"],
        http_timeout=120,
        ping_interval=20,
        websocket_handshake_timeout=20,
        websocket_max_message_size=MAX_FRAME_BYTES,
        websocket_max_frame_size=MAX_FRAME_BYTES,
        verbosity=0,
        server_name="lyceum",
    )
    server.run()
    return not server.abort_start


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m config.server", description="Serve Lyceum over HTTP and WebSockets."
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", default=8000, type=_port, help="0 takes a free one (default: %(default)s)")
    options = parser.parse_args()
    try:
        from config.asgi import application
    except StackError as error:
        sys.exit(f"lyceum: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    _collect_less()
    if not serve(application, host=options.host, port=options.port):
        sys.exit(1)


def _collect_less() -> None:
    """What was loaded stays: it is not looked through again. Events make no cycles, so that collecting can wait."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _port(value: str) -> int:
    if not value.isdecimal() or int(value) > 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {value!r}")
    return int(value)


def _allow_many_sockets() -> None:
    """As many open files as the system lets us have; the usual soft limit of 1,024 ends before 1,000 sockets do."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    main()
