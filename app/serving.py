"""The web server as the service runs it: fast parser, strict limits, no chatter.

httptools (llhttp) refuses by itself what desynchronises servers: a length beside chunked
coding, bare LF, spaces before a colon, doubled lengths. It has no limit for the header
block, takes `Transfer-Encoding: , chunked`, HTTP/0.9 and absolute addresses, and waits for
ever for a head; `StrictProtocol` adds these (assurance W39-W42). tests/test_serving.py
sends each of them.
"""

import asyncio
import gc
import socket
import sys
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 16 * 1024
HEAD_LINES = 100
HEAD_SECONDS = 10.0
IDLE_SECONDS = 75  # longer than a proxy's own 60, so that it never meets a closed one
GOODBYE_SECONDS = 10
CONNECTIONS = 1000
BACKLOG = 1024

# A third of a busy service's time went into looking through everything that was imported
# for garbage (`chaperone bench --only intake`): what is there at the start is left out,
# and young objects are looked through once in 20,000 instead of 700.
GARBAGE_AFTER = (20_000, 20, 50)
# The store's thread asks for the interpreter after each disk flush; the default makes it
# and everybody who waits for that commit wait 5 ms.
SWITCH_SECONDS = 0.0005

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

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(len(url), lines=0)

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._count(len(name) + len(value) + 4, lines=1)

    def on_headers_complete(self) -> None:
        self._check_head()
        self._in_head = False
        self._not_body = 0
        self._lose_patience()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._not_body -= len(body)
        self._arrived -= len(body)
        super().on_body(body)

    def _check_head(self) -> None:
        version = self.parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise RefusedHead("version")
        if not self.url.startswith(b"/"):
            raise RefusedHead("absolute address")
        for name, value in self.headers:
            if name == b"transfer-encoding" and (
                version != "1.1" or value.strip().lower() != b"chunked"
            ):
                raise RefusedHead("transfer coding")

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


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError with the system's own words."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def config_of(
    app: Any,
    *,
    lifespan: bool = True,
    protocol: type[StrictProtocol] = StrictProtocol,
) -> uvicorn.Config:
    """How the service is served; forwarded headers are app.web.gate's business."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=protocol,
        ws="none",
        lifespan="on" if lifespan else "off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        backlog=BACKLOG,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=GOODBYE_SECONDS,
    )


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GARBAGE_AFTER)
        sys.setswitchinterval(SWITCH_SECONDS)


def serve(app: Any, listener: socket.socket) -> bool:
    """Run until a signal says stop; False when the application did not start."""
    server = _Server(config_of(app))
    server.run(sockets=[listener])
    return bool(server.started)
