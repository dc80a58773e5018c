"""What surrounds every request: pure ASGI layers, outermost first.

``Headers`` puts the security headers on every answer (assurance §10); ``LastResort``
answers what nobody expected; ``gate.Gate`` refuses what is not addressed to us and finds
out who really called; ``body.Body`` reads the body within its limits; pages and files
are compressed where the browser says it can read that.
"""

import secrets
from collections.abc import Iterable
from typing import Any

import structlog
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.body import Body
from app.web.counts import Counts
from app.web.gate import Gate
from app.web.patience import Patience
from app.web.plain import Answer, Pair, plain, send_answer

COMPRESSION = 5
"""Nearly as small as 9, in half the time."""

AS_THEY_ARE = (
    *DEFAULT_EXCLUDED_CONTENT_TYPES,  # among them the live stream, which must not wait
    "application/pdf",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
)

log = structlog.get_logger("chaperone")


class LastResort:
    """Whatever was not foreseen ends here: logged under an id, told without details."""

    def __init__(self, app: ASGIApp, counts: Counts) -> None:
        self._app = app
        self._counts = counts

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
            answer = unforeseen(error, _template(scope))
            if not status:
                await send_answer(send, answer)
                status = 500
        self._counts.answered(_template(scope), status)


def unforeseen(error: BaseException, route: str) -> Answer:
    """Log it under a number, and the answer that tells the number."""
    number = secrets.token_hex(6)
    # The message of an exception may quote a person's words: type and place only.
    log.error(
        "unforeseen",
        number=number,
        route=route,
        error=type(error).__name__,
        at=_place(error),
    )
    return plain(500, f"Something went wrong here. Number for the log: {number}.\n")


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


def always(*, https: bool) -> tuple[Pair, ...]:
    """The headers of every answer."""
    hsts = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
    return (*_FIXED, hsts) if https else _FIXED


def dressed(headers: Iterable[Pair], fixed: Iterable[Pair]) -> list[Pair]:
    """An answer's own headers, with those of every answer."""
    said = list(headers)
    if not any(name == b"cache-control" for name, _ in said):
        said.append(_NO_STORE)
    said.extend(fixed)
    return said


class Headers:
    """Security headers on every answer, and ``no-store`` unless the answer says else."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._always = always(https=https)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def dress(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = dressed(message.get("headers", ()), self._always)
            await send(message)

        await self._app(scope, receive, dress)


def put_around(
    app: Any, *, counts: Counts, patience: Patience, base_url: str, trusted: Any
) -> None:
    """Add the layers to a Starlette application; the last one added is outermost."""
    app.add_middleware(
        GZipMiddleware, compresslevel=COMPRESSION, exclude_content_types=AS_THEY_ARE
    )
    app.add_middleware(Body, patience=patience)
    app.add_middleware(Gate, base_url=base_url, trusted=trusted)
    app.add_middleware(LastResort, counts=counts)
    app.add_middleware(Headers, https=base_url.startswith("https://"))
