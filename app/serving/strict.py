"""One connection, read strictly.

httptools (llhttp) refuses by itself what desynchronises servers: a length beside chunked
coding, bare LF, spaces before a colon, doubled lengths. It has no limit for the header
block, takes `Transfer-Encoding: , chunked`, HTTP/0.9 and absolute addresses, and waits for
ever for a head; `StrictProtocol` adds these (assurance W39-W42). tests/test_serving.py
sends each of them.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 16 * 1024
HEAD_LINES = 100
HEAD_SECONDS = 10.0

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain; charset=utf-8\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class RefusedHead(Exception):
    """This request line or header block is not served."""


class StrictProtocol(HttpToolsProtocol):
    """One connection. Whatever is refused is answered 400 or 431, and closed."""

    head_seconds = HEAD_SECONDS

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._in_head = True
        self._head_bytes = self._head_lines = 0
        self._not_body = self._arrived = 0
        self._too_large = False
        self._give_up: asyncio.TimerHandle | None = None
        self._be_patient()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose_patience()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._arrived = len(data)
        self._not_body += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._not_body > HEAD_BYTES:
            # An unfinished line, of head or trailer, grows inside the parser.
            self._too_large = True
            self.send_400_response("")
        elif self._in_head and self._give_up is None:
            self._be_patient()

    def send_400_response(self, msg: str) -> None:
        if not self._too_large:
            super().send_400_response(msg)
            return
        self.transport.write(_TOO_LARGE)
        self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = self._head_lines = 0
        # All of this piece that was not the body of the request before.
        self._not_body, self._arrived = self._arrived, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            # A trailer is never one of the headers that were checked (RFC 9110 §6.5.1).
            self._count(len(name) + len(value) + 4, lines=1)
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._read_head()
        self._lose_patience()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._not_body -= len(body)
        self._arrived -= len(body)
        super().on_body(body)

    def _read_head(self) -> None:
        version = self.parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise RefusedHead("version")
        if not self.url.startswith(b"/"):
            raise RefusedHead("absolute address")
        size = len(self.url)
        for name, value in self.headers:
            size += len(name) + len(value) + 4
            if name == b"transfer-encoding" and (
                version != "1.1" or value.strip().lower() != b"chunked"
            ):
                raise RefusedHead("transfer coding")
        self._count(size, lines=len(self.headers))
        self._in_head = False
        self._not_body = 0

    def _count(self, size: int, *, lines: int) -> None:
        self._head_bytes += size
        self._head_lines += lines
        if self._head_bytes > HEAD_BYTES or self._head_lines > HEAD_LINES:
            self._too_large = True
            raise RefusedHead("too large")

    def _be_patient(self) -> None:
        self._give_up = self.loop.call_later(self.head_seconds, self._close_slow)

    def _lose_patience(self) -> None:
        if self._give_up is not None:
            self._give_up.cancel()
            self._give_up = None

    def _close_slow(self) -> None:
        self._give_up = None
        if self._in_head and not self.transport.is_closing():
            self.transport.close()
