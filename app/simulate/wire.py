"""The wires: calls to the platform and webhooks to the bot, in process, no sockets.

What has reached the other side goes on there, whatever becomes of the sender.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any

from integrations.http import (
    AsyncBaseTransport,
    ConnectError,
    Request,
    Response,
    TransportError,
)

Told = MutableMapping[str, Any]
App = Callable[
    [Told, Callable[[], Awaitable[Told]], Callable[[Told], Awaitable[None]]],
    Awaitable[None],
]
Spawn = Callable[[Coroutine[Any, Any, Any]], "asyncio.Task[Any]"]


class ToPlatform(AsyncBaseTransport):
    """Calls reach `app` as tasks of the platform's own (`spawn`)."""

    def __init__(
        self,
        app: App,
        spawn: Spawn,
        passed: Callable[[str], None],
        lost: Callable[[], str],
    ) -> None:
        self._app = app
        self._spawn = spawn
        self._passed = passed
        self._lost = lost

    async def handle_async_request(self, request: Request) -> Response:
        self._passed("before call")
        lost = self._lost()
        if lost == "refused":
            raise ConnectError("refused")
        asked = asyncio.shield(self._spawn(answered(self._app, request)))
        status, headers, body = await asked
        self._passed("after call")
        if lost == "reset":
            raise TransportError("reset")
        return Response(status, headers=headers, content=body)


Heard = tuple[int, list[tuple[bytes, bytes]], bytes]


async def answered(app: App, request: Request) -> Heard:
    """One ASGI exchange."""
    url = request.url
    raw_path, _, query = url.raw_path.partition(b"?")
    scope: Told = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(k.lower(), v) for k, v in request.headers.raw],
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": raw_path,
        "query_string": query,
        "server": (url.host, url.port),
        "client": ("127.0.0.1", 1),
        "root_path": "",
    }
    return await exchanged(app, scope, request.content)


async def exchanged(app: App, scope: Told, content: bytes) -> Heard:
    """Ask an ASGI app and gather its answer."""
    status, headers, parts = 500, list[tuple[bytes, bytes]](), list[bytes]()

    async def receive() -> Told:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Told) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message["headers"])
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return status, headers, b"".join(parts)


class Heeded:
    """An answer as the courier reads it."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status_code = status
        self._body = body

    def json(self) -> Any:
        return json.loads(self._body)


Take = Callable[[list[tuple[bytes, bytes]], bytes], Awaitable[tuple[int, bytes]]]


class ToBot:
    """What the courier posts through; `take` is the bot, or raises ConnectError."""

    def __init__(self, take: Take) -> None:
        self._take = take

    async def post(
        self,
        target: str,
        *,
        content: bytes,
        headers: dict[str, str],
        timeout: float,  # noqa: ASYNC109 - as httpx has it
    ) -> Heeded:
        pairs = [(k.encode(), v.encode()) for k, v in headers.items()]
        try:
            async with asyncio.timeout(timeout):
                return Heeded(*await self._take(pairs, content))
        except TimeoutError:
            raise TransportError("nobody answered in time") from None
