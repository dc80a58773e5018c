"""A Zoom that answers exactly what a test tells it, and remembers what it was asked."""

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.clock import ManualClock
from integrations.http import AsyncClient, MockTransport, Request, Response
from integrations.zoom.account import ZoomSettings
from integrations.zoom.client import Zoom
from tests.integrations.zoom.recorded import ACCOUNT, SECRET, load

JSON = {"content-type": "application/json;charset=UTF-8"}
Reply = Response | Exception | Callable[[Request], Awaitable[Response]]

ALL_SCOPES = " ".join(
    (
        "meeting:read:meeting:admin meeting:read:list_meetings:admin",
        "meeting:write:meeting:admin meeting:update:meeting:admin",
        "meeting:update:status:admin meeting:update:in_meeting_controls:admin",
        "meeting:write:registrant:admin meeting:read:list_registrants:admin",
        "meeting:update:registrant_status:admin user:read:settings:admin",
        "user:update:settings:admin user:read:user:admin",
        "meeting:update:livestream_status:admin",
        "dashboard:read:list_meeting_participants:admin",
        "report:read:list_meeting_participants:admin",
        "meeting:read:list_past_participants:admin",
        "meeting:read:past_meeting:admin",
    )
)


@dataclass(frozen=True)
class Asked:
    """One call: path and query as sent, JSON decoded, the token it carried."""

    method: str
    target: str
    body: Any
    token: str


def said(
    status: int, body: Any = None, headers: Mapping[str, str] | None = None
) -> Response:
    if body is None:
        return Response(status, headers=dict(headers or {}))
    return Response(
        status, headers={**JSON, **(headers or {})}, content=json.dumps(body).encode()
    )


def token(number: int = 1, **more: Any) -> Response:
    return said(
        200,
        {
            "access_token": f"TOKEN-{number}",
            "token_type": "bearer",
            "expires_in": 3600,
            "scope": ALL_SCOPES,
            "api_url": "https://api.zoom.us",
            **more,
        },
    )


@dataclass
class Scripted:
    """Replies stand in line for `METHOD /path?query` (below /v2); the last one stays."""

    clock: ManualClock
    asked: list[Asked] = field(default_factory=list)
    tokens: list[Request] = field(default_factory=list)
    _replies: dict[str, list[Reply]] = field(default_factory=lambda: defaultdict(list))

    def on(self, call: str, *replies: Reply) -> "Scripted":
        self._replies[call] = list(replies)
        return self

    def recorded(self, *names: str) -> "Scripted":
        """Answer as the recorded calls did, whatever their page size."""
        for name in names:
            call = load(f"rest.{name}.json")
            request = call["request"]
            target = (
                request["path"].replace("page_size=3&", "").replace("&page_size=3", "")
            )
            reply = said(call["status"], call["body"], call["headers"])
            self._replies[f"{request['method']} {_bare(target)}"].append(reply)
        return self

    async def answer(self, request: Request) -> Response:
        target = request.url.raw_path.decode()
        if target == "/oauth/token":
            self.tokens.append(request)
            line = self._replies["TOKEN"]
            reply: Reply = _first(line) if line else token(len(self.tokens))
        else:
            raw = request.content
            self.asked.append(
                Asked(
                    request.method,
                    target.removeprefix("/v2"),
                    json.loads(raw) if raw else None,
                    request.headers["authorization"].removeprefix("Bearer "),
                )
            )
            key = f"{request.method} {_bare(target.removeprefix('/v2'))}"
            line = self._replies[key] or self._replies["*"]
            assert line, f"nobody told what to answer to {key}"
            reply = _first(line)
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, Response):
            return Response(
                reply.status_code, headers=reply.headers, content=reply.content
            )
        return await reply(request)

    def zoom(self, **settings: Any) -> Zoom:
        return Zoom(zoom_settings(**settings), self.http(), self.clock)

    def http(self) -> AsyncClient:
        return AsyncClient(transport=MockTransport(self.answer))

    @property
    def targets(self) -> list[str]:
        return [f"{each.method} {_bare(each.target)}" for each in self.asked]


def _first(line: list[Reply]) -> Reply:
    return line.pop(0) if len(line) > 1 else line[0]


def _bare(target: str) -> str:
    """Without the page size, and with the query in alphabetical order."""
    path, _, query = target.partition("?")
    kept = sorted(
        part for part in query.split("&") if part and not part.startswith("page_size=")
    )
    return f"{path}?{'&'.join(kept)}" if kept else path


def zoom_settings(**changed: Any) -> ZoomSettings:
    return ZoomSettings(
        **{
            "account_id": ACCOUNT,
            "client_id": "client",
            "client_secret": "secret",
            "webhook_secrets": (SECRET,),
            "host_user": "anna.price@charity.example",
            **changed,
        }
    )
