"""A bound on what a request may send, held before its body is kept anywhere.

Daphne takes a body to its end before the application hears of it. Here a request that announces more than the bound,
or turns out to send more, is answered with 413 at once, and what still comes of it is thrown away as it comes. A
browser gets a page, a program the one shape of errors.
"""

import json
from typing import Any

from daphne.http_protocol import WebRequest
from django.template.loader import render_to_string

MOST_BYTES = 24_000_000
"""A little more than the largest file that is taken (`analytics_app.qualitative.files.MOST_BYTES`)."""

_SENTENCE = f"This request is larger than {MOST_BYTES // 1_000_000} MB. Nothing of it was kept."


class BoundedRequest(WebRequest):
    """Daphne's request, with the bound."""

    _taken = 0
    _refused = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802  # Twisted's name
        super().gotLength(min(length, MOST_BYTES) if length else length)
        if length and length > MOST_BYTES:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        self._taken += len(data)
        if self._taken > MOST_BYTES:
            self._refuse()
        if not self._refused:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802
        if self._refused:
            self.channel.loseConnection()
        else:
            super().requestReceived(command, path, version)

    def _refuse(self) -> None:
        if self._refused:
            return
        self._refused = True
        kind, body = self._told()
        transport: Any = self.channel.transport
        transport.write(
            b"HTTP/1.1 413 Content Too Large\r\nContent-Type: %s\r\nContent-Length: %d\r\n"
            b"Content-Security-Policy: default-src 'self'\r\nConnection: close\r\n\r\n%s" % (kind, len(body), body)
        )

    def _told(self) -> tuple[bytes, bytes]:
        """The type of the answer, and the answer."""
        wanted = b",".join(self.requestHeaders.getRawHeaders(b"accept") or ())
        if b"text/html" in wanted:
            page = render_to_string("413.html", {"most_mb": MOST_BYTES // 1_000_000})
            return b"text/html; charset=utf-8", page.encode()
        error = {"code": "too_large", "message": _SENTENCE, "fields": None}
        return b"application/json", json.dumps({"error": error}).encode()
