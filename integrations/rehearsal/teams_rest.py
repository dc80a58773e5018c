"""One call's way through the simulated Microsoft: host, record, trouble, token, work."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, unquote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.clock import Clock
from integrations.rehearsal import (
    teams_calls,
    teams_chat,
    teams_gate,
    teams_meetings,
    teams_subscriptions,
)
from integrations.rehearsal.faults import Dice, Trouble
from integrations.rehearsal.rooms import Refused
from integrations.rehearsal.teams_desk import Answer, Ask, Desk, GraphError, Operation
from integrations.rehearsal.teams_keys import ACTIVITIES, CALLBACKS, NOTIFICATIONS
from integrations.rehearsal.zoom_rest import Call

LOGIN_HOST, GRAPH_HOST = "login.microsoftonline.com", "graph.microsoft.com"
CALL_KEYS_HOST, CHAT_KEYS_HOST = "api.aps.skype.com", "login.botframework.com"
CHAT_HOST = "smba.trafficmanager.net"
HOSTS = (LOGIN_HOST, GRAPH_HOST, CALL_KEYS_HOST, CHAT_KEYS_HOST, CHAT_HOST)
GRAPH_OPERATIONS = (
    *teams_meetings.OPERATIONS,
    *teams_calls.OPERATIONS,
    *teams_subscriptions.OPERATIONS,
    *teams_chat.OPERATIONS,
)
_TENANT = re.compile(r"/([^/]+)(/.*)")
_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]


class TeamsRest:
    """Answers at `app`; the host stands in the Host header or first in the path."""

    def __init__(
        self,
        desk: Desk,
        gate: teams_gate.TeamsGate,
        dice: Dice,
        clock: Clock,
        wake: Callable[[], None],
    ) -> None:
        self.calls: list[Call] = []
        self.desk, self.gate, self.dice = desk, gate, dice
        self._clock, self._wake = clock, wake
        self._scripts: list[tuple[str, str, Trouble]] = []
        self.app = Starlette(
            routes=[Route("/{rest:path}", self._serve, methods=_METHODS)]
        )

    def go_wrong(self, method: str, part: str, trouble: Trouble, times: int) -> None:
        self._scripts += [(method, part, trouble)] * times

    async def _serve(self, request: Request) -> Response:
        raw, now = await request.body(), self._clock.now()
        whole = request.scope.get("raw_path", request.url.path.encode()).decode()
        host, base, path = _aimed(request, whole.partition("?")[0])
        number = len(self.calls)
        self.calls.append(
            Call(now, request.method, whole, request.url.query, _decoded(raw))
        )
        trouble = self._trouble(request.method, path)
        seconds = self.dice.slowness(f"{request.method} {path}")
        if seconds:
            await self._clock.sleep(seconds)
        self.desk.world.catch_up()
        try:
            answer = await self._answer(request, host, base, path, raw, trouble)
        except GraphError as error:
            answer = error.answer
        except Refused as refusal:
            answer = GraphError(400, "BadRequest", str(refusal)).answer
        finally:
            self._wake()
        if trouble is Trouble.UNANSWERED:
            await self._clock.sleep(self.dice.faults.hangs_for.total_seconds())
            answer = Answer(504)
        self.calls[number] = replace(
            self.calls[number], status=answer.status, trouble=trouble
        )
        return self._sent(answer, trouble)

    def _trouble(self, method: str, path: str) -> Trouble | None:
        drawn = self.dice.trouble(f"{method} {path}", self._clock.now())
        for script in self._scripts:
            if script[0] == method and script[1] in path:
                self._scripts.remove(script)
                return script[2]
        return drawn

    async def _answer(
        self,
        request: Request,
        host: str,
        base: str,
        path: str,
        raw: bytes,
        trouble: Trouble | None,
    ) -> Answer:
        now = self._clock.now()
        if host == LOGIN_HOST and self.dice.is_down(
            self.dice.faults.token_outages, now
        ):
            return Answer(503)
        if trouble is not None and (refusal := self._refusal(trouble)):
            return refusal
        if host in (LOGIN_HOST, CALL_KEYS_HOST, CHAT_KEYS_HOST):
            return self._login(host, base, path, raw)
        version, path = _version(host, path)
        table = GRAPH_OPERATIONS if host == GRAPH_HOST else teams_chat.CONNECTOR
        operation, parts = _operation(table, request.method, path)
        audience = teams_gate.GRAPH if host == GRAPH_HOST else teams_gate.CONNECTOR
        authorization = request.headers.get("authorization", "")
        self.gate.check(authorization, audience, operation.permission, now)
        if trouble is Trouble.GHOST and operation.ghost:
            return Answer(operation.ghost)
        body = _decoded(raw)
        if not isinstance(body, dict):
            raise GraphError(400, "BadRequest", "Unable to read JSON request payload.")
        query = {
            name: values[-1] for name, values in parse_qs(request.url.query).items()
        }
        headers = {name.lower(): value for name, value in request.headers.items()}
        return await operation.run(
            self.desk, Ask(parts, query, body, headers, version, now)
        )

    def _login(self, host: str, base: str, path: str, raw: bytes) -> Answer:
        """Discovery, tokens and the three key documents."""
        signers = self.desk.courier.signers
        if host in (CALL_KEYS_HOST, CHAT_KEYS_HOST):
            channel = CALLBACKS if host == CALL_KEYS_HOST else ACTIVITIES
            if path.casefold() == "/v1/.well-known/openidconfiguration":
                issuer, uri = teams_gate.CONNECTOR, base + "/v1/.well-known/keys"
                return Answer(200, teams_gate.key_document(issuer, uri))
            return teams_gate.keys(signers[channel])
        match = _TENANT.fullmatch(path)
        tenant, rest = (match[1], match[2]) if match else ("", "")
        if rest in ("/discovery/v2.0/keys", "/discovery/keys"):
            return teams_gate.keys(signers[NOTIFICATIONS])
        if rest.endswith("/.well-known/openid-configuration"):
            return self.gate.discovery(tenant, base)
        if rest == "/oauth2/v2.0/token":
            form = parse_qs(raw.decode(errors="replace"))
            fields = {name: values[0] for name, values in form.items()}
            return self.gate.issue(tenant, fields, self._clock.now())
        return Answer(404)

    def _refusal(self, trouble: Trouble) -> Answer | None:
        """What a trouble looks like at Graph; None = the call has its effect."""
        until = format_datetime(self._clock.now() + timedelta(minutes=5))
        waits = {
            Trouble.RATE_LIMITED: {"Retry-After": "10"},
            Trouble.RATE_LIMITED_BARE: {},
            Trouble.RATE_LIMITED_HUGE: {"Retry-After": "3600"},
            Trouble.RATE_LIMITED_DATE: {"Retry-After": until.replace("+0000", "GMT")},
        }
        if trouble in waits:
            bare = trouble is Trouble.RATE_LIMITED_BARE
            text = "" if bare else "Please retry again later."
            return GraphError(429, "TooManyRequests", text, waits[trouble]).answer
        refusals = {
            Trouble.EXPIRED: (401, "InvalidAuthenticationToken", "Expired."),
            Trouble.FORBIDDEN: (403, "Forbidden", "Not allowed."),
            Trouble.NOT_FOUND: (404, "NotFound", "Not found."),
            Trouble.CONFLICT: (409, "Conflict", "Conflict."),
            Trouble.SERVER_ERROR: (500, "InternalServerError", "Internal error."),
            Trouble.BAD_GATEWAY: (502, "BadGateway", "Bad gateway."),
            Trouble.UNAVAILABLE: (503, "ServiceUnavailable", "Unavailable."),
        }
        if trouble in refusals:
            return GraphError(*refusals[trouble]).answer
        if trouble is Trouble.HTML:
            return Answer(200)
        return None

    def _sent(self, answer: Answer, trouble: Trouble | None) -> Response:
        at = format_datetime(self._clock.now()).replace("+0000", "GMT")
        headers = {**answer.headers, "date": at}
        if trouble is Trouble.HTML or answer.status == 504:
            page = "<html><body>Sign in</body></html>"
            return Response(page, answer.status, headers, media_type="text/html")
        if answer.body is None:
            return Response(None, answer.status, headers)
        text = json.dumps(answer.body, ensure_ascii=False, separators=(",", ":"))
        if trouble is Trouble.TRUNCATED:
            text = text[: len(text) // 2]
        return Response(text, answer.status, headers, media_type="application/json")


def _aimed(request: Request, path: str) -> tuple[str, str, str]:
    """(Microsoft's host, the base its own links begin with, the path there)."""
    host = request.headers.get("host", "").partition(":")[0]
    if host in HOSTS:
        return host, f"https://{host}", path
    first, _, rest = path.lstrip("/").partition("/")
    base = f"{request.url.scheme}://{request.headers.get('host', '')}/{first}"
    return first, base, "/" + rest


def _version(host: str, path: str) -> tuple[str, str]:
    """(v1.0, beta or the connector's region; the path behind it)."""
    first, _, rest = path.lstrip("/").partition("/")
    if host == GRAPH_HOST:
        return first, "/" + rest
    return ("", path) if first in ("v1", "v3") else (first, "/" + rest)


def _operation(
    table: tuple[Operation, ...], method: str, path: str
) -> tuple[Operation, tuple[str, ...]]:
    for each in table:
        match = re.fullmatch(each.pattern, path)
        if match and each.method == method:
            return each, tuple(unquote(part) for part in match.groups())
    raise GraphError(404, "BadRequest", "Resource not found for the segment.")


def _decoded(raw: bytes) -> object:
    if not raw:
        return {}
    try:
        found: object = json.loads(raw)
    except ValueError:
        return None
    return found
