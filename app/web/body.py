"""Reads a body within its size and time before anybody else does (W11-W13, S08)."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.patience import Patience, TooSlow
from app.web.plain import Answer, plain, send_answer

BODY_SECONDS = 10.0
WEBHOOK_BYTES = 256 * 1024
OTHER_BYTES = 1024 * 1024


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
            await send_answer(send, too_slow())
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
    await send_answer(send, _refused(status, text))


def _refused(status: int, text: str) -> Answer:
    # The rest of the body was not read, so this connection cannot be used again.
    return plain(status, text, [(b"connection", b"close")])


def too_slow() -> Answer:
    """The body did not come within BODY_SECONDS."""
    return _refused(408, "That took too long.\n")
