"""Leads the browsers that practise to the process of their practice, and all others on.

A browser practises while it carries the practice's cookie; its real sign-in stays where
it is and is never sent along. Webhooks, programs and health checks never come this way.
"""

import asyncio
import json
import os
import secrets
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import structlog
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.pretending import PracticeRefused
from integrations.http import AsyncClient, HTTPError, InvalidURL, Timeout

MOST = 3
"""So many at once; each is a process of about 150 MB."""
BEGINS_WITHIN = 30.0  # seconds
LONGEST_BODY = 256 * 1024
NOT_HERE = ("/webhooks/", "/api/", "/healthz", "/readyz", "/metrics")
PROGRAM = (sys.executable, "-m", "app.practice.room")
FULL = "Others practise just now. Try again in half an hour, or with them."
NO_START = "The practice could not be started. Whoever looks after Chaperone finds why in its log."

Pair = tuple[bytes, bytes]
_HOP = frozenset(
    (b"connection", b"keep-alive", b"transfer-encoding", b"upgrade", b"te", b"trailer")
)
_NOT_BACK = _HOP | {b"date", b"server"}  # our own server says them
_NOT_ON = _HOP | {b"host", b"cookie", b"content-length", b"authorization"}

log = structlog.get_logger("chaperone")


@dataclass(frozen=True, slots=True)
class _Room:
    """``reading``: takes what it still says, or a full pipe would stop it."""

    port: int
    person_id: str
    process: asyncio.subprocess.Process
    reading: "asyncio.Task[bytes]"


class Hall:
    """Implements app.web.pretending.Practice. ``close`` ends every practice."""

    def __init__(
        self, base_url: str, *, program: tuple[str, ...] = PROGRAM, most: int = MOST
    ) -> None:
        self._base_url, self._program, self._most = base_url, program, most
        prefix = "__Host-" if base_url.startswith("https://") else ""
        self._ours = f"{prefix}chaperone"
        self._theirs = f"{prefix}chaperone-practice"
        self._rooms: dict[str, _Room] = {}
        self._starting = 0
        self._closed = False
        self._client: AsyncClient | None = None

    # --- beginning and ending -----------------------------------------------------------

    async def begin(self, person_id: str) -> str:
        """See Practice."""
        await self._forget_ended(person_id)
        if len(self._rooms) + self._starting >= self._most:
            raise PracticeRefused(FULL)
        self._starting += 1
        try:
            room, cookie = await self._started(person_id)
        finally:
            self._starting -= 1
        if self._closed:
            await _end(room.process)
            raise PracticeRefused(NO_START)
        name = secrets.token_urlsafe(16)
        self._rooms[name] = room
        log.info("practice begun", rooms=len(self._rooms))
        return f"{name}.{cookie}"

    async def _started(self, person_id: str) -> tuple[_Room, str]:
        environ = {
            k: v for k, v in os.environ.items() if not k.startswith("CHAPERONE_")
        }
        process = await asyncio.create_subprocess_exec(
            *self._program,
            json.dumps({"known_as": self._base_url}),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=environ,
        )
        try:
            assert process.stdout is not None  # noqa: S101 - asked for above
            async with asyncio.timeout(BEGINS_WITHIN):
                told = json.loads(await process.stdout.readline())
            port, cookie = int(told["port"]), str(told["cookie"])
            reading = asyncio.create_task(process.stdout.read())
            return _Room(port, person_id, process, reading), cookie
        except (TimeoutError, ValueError, KeyError, TypeError) as problem:
            log.error("practice not begun", why=repr(problem)[:200])
            await _end(process)
            raise PracticeRefused(NO_START) from problem
        except asyncio.CancelledError:
            process.kill()
            raise

    async def _forget_ended(self, person_id: str) -> None:
        """Those that are over, and the one this person left behind."""
        for name, room in list(self._rooms.items()):
            if room.process.returncode is None and room.person_id != person_id:
                continue
            del self._rooms[name]
            await _end(room.process)

    def let_go(self) -> None:
        """The service begins to stop: no practice begins, and those there are end, or the
        lines of their live pages would keep the server waiting."""
        self._closed = True
        for room in self._rooms.values():
            if room.process.stdin is not None:
                room.process.stdin.close()

    async def close(self) -> None:
        """End every practice; nothing of them is kept."""
        self.let_go()
        rooms, self._rooms = list(self._rooms.values()), {}
        await asyncio.gather(*(_end(room.process) for room in rooms))
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    # --- leading on ---------------------------------------------------------------------

    def around(self, app: ASGIApp) -> ASGIApp:
        """The same application, with the way into the practices before it."""

        async def led(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                try:
                    await app(scope, receive, send)
                finally:
                    await self.close()
                return
            cookie = self._practises(scope) if scope["type"] == "http" else ""
            if not cookie:
                await app(scope, receive, send)
                return
            name, _, theirs = cookie.partition(".")
            room = self._rooms.get(name)
            if room is None or room.process.returncode is not None:
                await self._over(send)
                return
            await self._pass_on(room, name, theirs, scope, receive, send)

        return led

    def _practises(self, scope: Scope) -> str:
        if scope["path"].startswith(NOT_HERE):
            return ""
        for name, value in scope["headers"]:
            if name == b"cookie" and self._theirs.encode() in value:
                # As browsers do: one odd cookie of others does not hide ours.
                # https://www.rfc-editor.org/rfc/rfc6265#section-5.2
                jar = cookie_parser(value.decode("latin-1"))
                if self._theirs in jar:
                    return jar[self._theirs]
        return ""

    async def _over(self, send: Send) -> None:
        """The practice has ended: back to what is real."""
        gone = _cookie(self._theirs, "", 0, self._base_url)
        headers = [
            (b"location", b"/practise?over=1"),
            (b"set-cookie", gone),
            (b"cache-control", b"no-store"),
            (b"content-length", b"0"),
        ]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _pass_on(
        self,
        room: _Room,
        name: str,
        theirs: str,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        path = scope["raw_path"].decode("latin-1")
        if not path.startswith("/"):
            # After a port, "@elsewhere" would name another machine (RFC 3986, 3.2).
            await _refuse(send, 400)
            return
        try:
            body = await _body(receive)
        except _Gone:
            return
        if body is None:
            await _refuse(send, 413)
            return
        url = f"http://127.0.0.1:{room.port}{path}"
        if scope["query_string"]:
            url += "?" + scope["query_string"].decode("latin-1")
        headers = [(k, v) for k, v in scope["headers"] if k not in _NOT_ON]
        headers.append((b"cookie", f"{self._ours}={theirs}".encode()))
        client = self._client = self._client or AsyncClient(
            trust_env=False, follow_redirects=False, timeout=Timeout(30)
        )
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        answering = asyncio.ensure_future(
            self._answer(client, name, scope["method"], url, headers, body, noted)
        )
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            answering.cancel()
        with suppress(asyncio.CancelledError, HTTPError, InvalidURL):
            await answering
        if not begun:
            await self._over(send)

    async def _answer(
        self,
        client: AsyncClient,
        name: str,
        method: str,
        url: str,
        headers: list[Pair],
        body: bytes,
        send: Send,
    ) -> None:
        async with client.stream(method, url, headers=headers, content=body) as answer:
            begun: Message = {
                "type": "http.response.start",
                "status": answer.status_code,
                "headers": list(self._headers_back(name, answer.headers.raw)),
            }
            await send(begun)
            async for part in answer.aiter_raw():
                await send(
                    {"type": "http.response.body", "body": part, "more_body": True}
                )
            await send({"type": "http.response.body", "body": b""})

    def _headers_back(self, name: str, headers: Iterable[Pair]) -> Iterable[Pair]:
        for key, value in headers:
            low = key.lower()
            if low in _NOT_BACK:
                continue
            if low != b"set-cookie":
                yield low, value
                continue
            cookie, _, rest = value.decode("latin-1").partition("=")
            if cookie == self._theirs:
                yield low, value
            elif cookie == self._ours:
                text = rest if rest.startswith('""') else f"{name}.{rest}"
                yield low, f"{self._theirs}={text}".encode("latin-1")


def _cookie(name: str, text: str, seconds: int, base_url: str) -> bytes:
    secure = "; Secure" if base_url.startswith("https://") else ""
    said = f"{name}={text}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=lax{secure}"
    return said.encode()


class _Gone(Exception):
    """The browser went away while it was still sending."""


async def _refuse(send: Send, status: int) -> None:
    headers = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _body(receive: Receive) -> bytes | None:
    """What was sent, None when it is too much. Raises _Gone: half a form is no form."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        part: bytes = message.get("body", b"")
        body += part
        if len(body) > LONGEST_BODY:
            return None
        if not message.get("more_body"):
            return body


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _end(process: asyncio.subprocess.Process) -> None:
    """Its standard input closes, and it ends by itself; if not, it is killed."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(5):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
