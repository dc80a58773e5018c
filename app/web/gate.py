"""Refuses what is not addressed to us, and finds out who really called (W37-W41)."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from app.web.plain import Pair, plain_answer

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
HEADER_BYTES = 16_384
MOST_HEADERS = 100
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


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
        self._hosts = own_names(base_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _too_much(scope["headers"]):
            await plain_answer(send, 431, "These headers are too large.\n")
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


def own_names(base_url: str) -> frozenset[str]:
    """What a Host header may say for this address, in lower case."""
    url = urlsplit(base_url)
    port = 443 if url.scheme == "https" else 80
    names = {url.netloc, f"{url.hostname}:{url.port or port}"}
    if url.port in (None, port):
        names.add(url.hostname or "")
    return frozenset(names)


def _too_much(headers: Sequence[Pair]) -> bool:
    if len(headers) > MOST_HEADERS:
        return True
    return sum(len(name) + len(value) for name, value in headers) > HEADER_BYTES


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
