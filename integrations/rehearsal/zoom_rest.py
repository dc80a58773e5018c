"""The REST side of the Zoom server: an ASGI app over the operations.

One call goes: recorded, troubled (when a fault says so), slowed, checked at the gate,
answered by its operation. The Date header is the platform's own clock.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.clock import Clock
from integrations.rehearsal import (
    zoom_control,
    zoom_logs,
    zoom_meetings,
    zoom_registrants,
    zoom_rosters,
    zoom_users,
)
from integrations.rehearsal.faults import Dice, Trouble
from integrations.rehearsal.zoom_desk import (
    Answer,
    ApiError,
    Ask,
    Desk,
    Operation,
)
from integrations.rehearsal.zoom_gate import Gate, too_many, too_many_today

OPERATIONS = (
    *zoom_control.OPERATIONS,
    *zoom_logs.OPERATIONS,
    *zoom_meetings.OPERATIONS,
    *zoom_registrants.OPERATIONS,
    *zoom_rosters.OPERATIONS,
    *zoom_users.OPERATIONS,
)
LOGIN_PAGE = "<!doctype html><title>Sign in</title><p>Sign in to continue."
GATEWAY_PAGE = "<html><head><title>504 Gateway Time-out</title></head></html>"
_UUID_PATHS = ("/metrics/", "/past_meetings/", "/report/")
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Call:
    """One call the server received. `path` is percent-encoded as it was sent; `body`
    is the decoded JSON (or form); `status` is what it answered, 0 while it has not;
    `trouble` is the fault that was played on it."""

    at: datetime
    method: str
    path: str
    query: str
    body: object
    status: int = 0
    trouble: Trouble | None = None


@dataclass(slots=True)
class _Script:
    method: str
    part: str
    trouble: Trouble
    times: int

    def plays(self, method: str, path: str) -> bool:
        return self.times > 0 and self.method == method and self.part in path


class RestSide:
    """Answers calls at `app`, remembers them in `calls`."""

    def __init__(
        self,
        desk: Desk,
        gate: Gate,
        dice: Dice,
        clock: Clock,
        clock_offset: timedelta,
        wake: Callable[[], None],
    ) -> None:
        self.calls: list[Call] = []
        self.clock_offset = clock_offset
        self._desk = desk
        self._gate = gate
        self._dice = dice
        self._clock = clock
        self._wake = wake
        self._scripts: list[_Script] = []
        routes = [Route("/oauth/token", self._issue_token, methods=["POST"])]
        # The longest paths first: a uuid in a path may hold slashes.
        for operation in sorted(OPERATIONS, key=lambda each: -each.path.count("/")):
            path = "/v2" + operation.path
            if operation.path.startswith(_UUID_PATHS):
                path = path.replace("{meeting_id}", "{meeting_id:path}")
            endpoint = self._endpoint(operation)
            routes.append(Route(path, endpoint, methods=[operation.method]))
        self.app = Starlette(routes=routes)

    def go_wrong(self, method: str, part: str, trouble: Trouble, times: int) -> None:
        self._scripts.append(_Script(method, part, trouble, times))

    async def _issue_token(self, request: Request) -> Response:
        now, form = self._clock.now(), await request.body()
        number = self._record(request, parse_qs(form.decode(errors="replace")))
        trouble = self._trouble(request)
        if self._dice.is_down(self._dice.faults.token_outages, now):
            trouble = Trouble.UNAVAILABLE
        answer = _refusal(trouble, now) if trouble else None
        if answer is None:
            authorization = request.headers.get("authorization", "")
            answer = self._gate.issue(authorization, form)
        return self._send(number, answer, trouble)

    def _endpoint(self, operation: Operation) -> Endpoint:
        async def answer(request: Request) -> Response:
            raw = await request.body()
            number = self._record(request, _decoded(raw))
            trouble = self._trouble(request)
            await self._slow_down(request)
            self._desk.world.catch_up()
            try:
                found = self._answer(operation, request, raw, trouble)
            except ApiError as error:
                found = error.answer
            finally:
                self._wake()
            if trouble is Trouble.UNANSWERED:
                await self._clock.sleep(self._dice.faults.hangs_for.total_seconds())
                found = Answer(504)
            return self._send(number, found, trouble)

        return answer

    def _answer(
        self,
        operation: Operation,
        request: Request,
        raw: bytes,
        trouble: Trouble | None,
    ) -> Answer:
        now = self._clock.now()
        refusal = _refusal(trouble, now) if trouble else None
        if refusal is not None:
            return refusal
        self._gate.check(request.headers.get("authorization", ""), operation)
        body = _decoded(raw)
        if not isinstance(body, dict):
            raise ApiError(400, 300, "Request Body should be a valid JSON object.")
        query = {
            name: values[-1] for name, values in parse_qs(request.url.query).items()
        }
        ask = Ask(_parts(operation, request), query, body, now)
        if trouble is Trouble.GHOST and operation.ok in (202, 204):
            return Answer(operation.ok)
        return operation.run(self._desk, ask)

    def _trouble(self, request: Request) -> Trouble | None:
        drawn = self._dice.trouble(
            f"{request.method} {request.url.path}", self._clock.now()
        )
        for script in self._scripts:
            if script.plays(request.method, request.url.path):
                script.times -= 1
                return script.trouble
        return drawn

    async def _slow_down(self, request: Request) -> None:
        seconds = self._dice.slowness(f"{request.method} {request.url.path}")
        if seconds:
            await self._clock.sleep(seconds)

    def _record(self, request: Request, body: object) -> int:
        path = request.scope.get("raw_path", request.url.path.encode()).decode()
        call = Call(self._clock.now(), request.method, path, request.url.query, body)
        self.calls.append(call)
        return len(self.calls) - 1

    def _send(self, number: int, answer: Answer, trouble: Trouble | None) -> Response:
        self.calls[number] = replace(
            self.calls[number], status=answer.status, trouble=trouble
        )
        at = (self._clock.now() + self.clock_offset).astimezone(UTC)
        headers = {**answer.headers, "date": format_datetime(at, usegmt=True)}
        if trouble is Trouble.HTML or answer.status == 504:
            page = LOGIN_PAGE if trouble is Trouble.HTML else GATEWAY_PAGE
            return Response(page, answer.status, headers, media_type="text/html")
        if answer.body is None:
            return Response(None, answer.status, headers)
        text = json.dumps(answer.body, ensure_ascii=False, separators=(",", ":"))
        if trouble is Trouble.TRUNCATED:
            text = text[: len(text) // 2]
        return Response(
            text, answer.status, headers, media_type="application/json;charset=UTF-8"
        )


def _decoded(raw: bytes) -> object:
    """The JSON of a body; {} for none, None for what is not JSON."""
    try:
        return json.loads(raw) if raw else {}
    except ValueError:
        return None


def _parts(operation: Operation, request: Request) -> dict[str, str]:
    """The path's variables as they were written, percent signs and all."""
    raw = request.scope.get("raw_path", request.url.path.encode()).decode()
    written = raw.split("/")
    names = ("/v2" + operation.path).split("/")
    if len(names) != len(written):
        return {name.strip("{}"): "" for name in names if name.startswith("{")}
    return {
        name.strip("{}"): value
        for name, value in zip(names, written, strict=True)
        if name.startswith("{")
    }


def _refusal(trouble: Trouble, now: datetime) -> Answer | None:
    """The answer of a call that has no effect at all."""
    tomorrow = f"{now.date() + timedelta(days=1)}T00:00:00Z"
    hour = {"retry-after": "3600"}
    refusals: dict[Trouble, Answer] = {
        Trouble.RATE_LIMITED: too_many("LIGHT").answer,
        Trouble.RATE_LIMITED_BARE: too_many("LIGHT", bare=True).answer,
        Trouble.RATE_LIMITED_HUGE: replace(too_many("HEAVY").answer, headers=hour),
        Trouble.RATE_LIMITED_DATE: too_many_today("HEAVY", 60_000, tomorrow).answer,
        Trouble.EXPIRED: ApiError(401, 124, "Access token is expired.").answer,
        Trouble.FORBIDDEN: ApiError(403, 2314, "No permission.").answer,
        Trouble.NOT_FOUND: ApiError(404, 3001, "Meeting does not exist.").answer,
        Trouble.CONFLICT: ApiError(409, 409, "Conflict.").answer,
        Trouble.SERVER_ERROR: ApiError(500, 500, "Internal error.").answer,
        Trouble.BAD_GATEWAY: ApiError(502, 502, "Bad gateway.").answer,
        Trouble.UNAVAILABLE: ApiError(503, 503, "Service unavailable.").answer,
        Trouble.HTML: Answer(200),
    }
    return refusals.get(trouble)
