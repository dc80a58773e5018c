"""What surrounds every request: pure ASGI layers, outermost first.

``Headers`` puts the security headers on every answer (assurance §10); ``LastResort``
answers what nobody expected; ``Gate`` refuses requests that are not addressed to us and finds
out who really called; ``Body`` reads the body within its limits before anybody else does.
"""

import secrets
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.counts import Counts
from app.web.patience import Patience, TooSlow

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
BODY_SECONDS = 10.0
WEBHOOK_BYTES = 256 * 1024
OTHER_BYTES = 1024 * 1024
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Pair = tuple[bytes, bytes]


async def plain_answer(
    send: Send, status: int, text: str, headers: Iterable[Pair] = ()
) -> None:
    """A short text, the same for everybody; nothing of the request in it."""
    body = text.encode()
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", str(len(body)).encode()),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


class LastResort:
    """Whatever was not foreseen ends here: logged under an id, told without details."""

    def __init__(self, app: ASGIApp, counts: Counts) -> None:
        self._app = app
        self._counts = counts
        self._log = structlog.get_logger("chaperone")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Exception as error:  # noqa: BLE001 - the last place that can answer
            await self._unforeseen(scope, send, error, started=bool(status))
            status = status or 500
        self._counts.answered(_template(scope), status)

    async def _unforeseen(
        self, scope: Scope, send: Send, error: Exception, *, started: bool
    ) -> None:
        number = secrets.token_hex(6)
        # The message of an exception may quote a person's words: type and place only.
        self._log.error(
            "unforeseen",
            number=number,
            route=_template(scope),
            error=type(error).__name__,
            at=_place(error),
        )
        if not started:
            sentence = f"Something went wrong here. Number for the log: {number}.\n"
            await plain_answer(send, 500, sentence)


class Counted(Route):
    """A plain route that the counts know by its path (FastAPI tells only its own)."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, found = super().matches(scope)
        if match is not Match.NONE:
            found["route"] = self
        return match, found


def _template(scope: Scope) -> str:
    route = scope.get("route")
    return str(getattr(route, "path", "")) or "(none)"


def _place(error: BaseException) -> str:
    """File and line of the innermost frame of ours."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "object-src 'none'; frame-ancestors 'none'"
)
_FIXED: tuple[Pair, ...] = (
    (b"content-security-policy", _CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-embedder-policy", b"require-corp"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
_NO_STORE = (b"cache-control", b"no-store")


class Headers:
    """Security headers on every answer, and ``no-store`` unless the answer says else."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        hsts = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
        self._always = (*_FIXED, hsts) if https else _FIXED

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def dress(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append(_NO_STORE)
                headers.extend(self._always)
                message["headers"] = headers
            await send(message)

        await self._app(scope, receive, dress)


class Gate:
    """Only requests to our own name, by plain methods, from whom they really are.

    A loopback Host is always ours: health checks and a proxy on this machine use it, no
    page on the internet can make a browser send it here, and no answer or permission is
    ever built from Host (W39).
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        base_url: str,
        trusted: Sequence[IPv4Network | IPv6Network],
    ) -> None:
        self._app = app
        self._trusted = tuple(trusted)
        url = urlsplit(base_url)
        port = 443 if url.scheme == "https" else 80
        self._hosts = {url.netloc, f"{url.hostname}:{url.port or port}"}
        if url.port in (None, port):
            self._hosts.add(url.hostname or "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not self._ours(hosts[0].decode("latin-1").lower()):
            await plain_answer(send, 400, "This address is not served here.\n")
            return
        if not scope["path"].startswith("/"):
            await plain_answer(send, 400, "This address is not served here.\n")
            return
        if scope["method"] not in _METHODS:
            allow = [(b"allow", b"GET, HEAD, POST, PUT, PATCH, DELETE")]
            await plain_answer(send, 405, "This method is not used here.\n", allow)
            return
        if self._trusted:
            self._believe_proxy(scope)
        await self._app(scope, receive, send)

    def _ours(self, host: str) -> bool:
        return host in self._hosts or _without_port(host) in LOOPBACK

    def _believe_proxy(self, scope: Scope) -> None:
        """Take address and scheme from a configured proxy, and from nobody else (W38)."""
        peer = scope.get("client")
        if peer is None or not self._is_trusted(peer[0]):
            return
        named = {name: value.decode("latin-1") for name, value in scope["headers"]}
        hops = named.get(b"x-forwarded-for", "").split(",")
        for hop in reversed([h.strip() for h in hops if h.strip()]):
            if not self._is_trusted(hop):
                if _is_address(hop):
                    scope["client"] = (hop, 0)
                break
        if named.get(b"x-forwarded-proto", "").strip() in ("http", "https"):
            scope["scheme"] = named[b"x-forwarded-proto"].strip()

    def _is_trusted(self, text: str) -> bool:
        if not _is_address(text):
            return False
        address = ip_address(text)
        return any(address in network for network in self._trusted)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


class Body:
    """Reads the whole body within its size and time, then hands it on (W11-W13, S08)."""

    def __init__(self, app: ASGIApp, patience: Patience) -> None:
        self._app = app
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length, chunked = b"", False
        for name, value in scope["headers"]:
            if name == b"content-length":
                length = value
            elif name == b"transfer-encoding":
                chunked = True
            elif name == b"content-encoding" and value.strip().lower() != b"identity":
                await _refuse(send, 415, "Send it without Content-Encoding.\n")
                return
        if not chunked and length in (b"", b"0") and scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        most = WEBHOOK_BYTES if scope["path"].startswith("/webhooks/") else OTHER_BYTES
        if length and (not length.isdigit() or int(length[:20]) > most):
            await _refuse(send, 413, "That is too large.\n")
            return
        try:
            body = await self._patience.within(_read(receive, most))
        except TooSlow:
            await _refuse(send, 408, "That took too long.\n")
        except _TooLarge:
            await _refuse(send, 413, "That is too large.\n")
        except _Gone:
            return
        else:
            await self._app(scope, _replay(body, receive), send)


class _TooLarge(Exception):
    """More bytes than the limit."""


class _Gone(Exception):
    """The sender hung up before the end."""


async def _read(receive: Receive, most: int) -> bytes:
    message = await receive()
    first: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body", False):
        if len(first) > most:
            raise _TooLarge
        return first
    parts, size = [first], len(first)
    while message["type"] == "http.request" and message.get("more_body", False):
        if size > most:
            raise _TooLarge
        message = await receive()
        part: bytes = message.get("body", b"")
        size += len(part)
        parts.append(part)
    if message["type"] != "http.request":
        raise _Gone
    if size > most:
        raise _TooLarge
    return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _refuse(send: Send, status: int, text: str) -> None:
    # The rest of the body was not read, so this connection cannot be used again.
    await plain_answer(send, status, text, [(b"connection", b"close")])


def put_around(
    app: Any, *, counts: Counts, patience: Patience, base_url: str, trusted: Any
) -> None:
    """Add the layers to a Starlette application; the last one added is outermost."""
    app.add_middleware(Body, patience=patience)
    app.add_middleware(Gate, base_url=base_url, trusted=trusted)
    app.add_middleware(LastResort, counts=counts)
    app.add_middleware(Headers, https=base_url.startswith("https://"))
