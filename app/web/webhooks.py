"""``POST /webhooks/{platform}``: the road every safety fact takes. Kept as short as it can.

A plain Starlette route, and a short cut to it: FastAPI's own routing would cost about as
much as checking the signature and storing the event together (DESIGN §5, line 19).
Answers are constant; no reason, no echo, nothing personal in the log (assurance §7.1).
"""

import json
from collections.abc import Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.web.access import open_to_all
from app.web.house import House, house_of
from app.web.plain import Pair
from app.web.shell import Counted
from integrations.base import BadWebhook

log = structlog.get_logger("chaperone")

_REFUSED = b'{"error":"refused"}'
_LATER = b'{"error":"later"}'
_JSON = (b"content-type", b"application/json")
PREFIX = "/webhooks/"


Answer = tuple[int, bytes, list[Pair]]


async def _answer(
    house: House, platform: str, headers: Sequence[Pair], body: bytes
) -> Answer:
    """204 once it is durable; 503 with Retry-After, and nothing kept, if it cannot be."""
    if platform not in house.platforms:
        return 404, _REFUSED, [_JSON]
    try:
        answer = await house.engine.accept_webhook(platform, headers, body)
    except BadWebhook as problem:
        house.counts.refuse(platform, problem.counter)
        return problem.status, _REFUSED, [_JSON]
    except (SQLAlchemyError, TimeoutError) as problem:
        house.counts.refuse(platform, "not_stored")
        log.error("webhook not stored", platform=platform, error=type(problem).__name__)
        return 503, _LATER, [_JSON, (b"retry-after", b"5")]
    more = [(k.lower().encode(), v.encode()) for k, v in answer.headers.items()]
    if answer.body is not None:
        text = json.dumps(dict(answer.body), separators=(",", ":"))
        return answer.status, text.encode(), [_JSON, *more]
    return answer.status, b"", more


@open_to_all("The platform's signature over the raw bytes is the credential.")
async def receive_webhook(request: Request) -> Response:
    """The road as a route, for the policies and for other methods' 405."""
    status, body, headers = await _answer(
        house_of(request),
        request.path_params["platform"],
        request.scope["headers"],
        await request.body(),
    )
    response = Response(body, status)
    response.raw_headers.extend(headers)
    return response


routes = [Counted(f"{PREFIX}{{platform:path}}", receive_webhook, methods=["POST"])]


class Road:
    """The innermost layer: takes webhooks before FastAPI looks at them.

    Routing, exit stack, request and response objects cost as much as reading and sealing
    the event. ``app.web.body.Body`` has read the whole body already.
    """

    def __init__(self, app: ASGIApp, house: House) -> None:
        self._app = app
        self._house = house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or scope["method"] != "POST"
            or not scope["path"].startswith(PREFIX)
        ):
            await self._app(scope, receive, send)
            return
        scope["route"] = routes[0]
        message = await receive()
        status, body, headers = await _answer(
            self._house,
            scope["path"].removeprefix(PREFIX),
            scope["headers"],
            message.get("body", b""),
        )
        if status != 204:  # RFC 9110 §8.6: none with a 204
            headers.append((b"content-length", str(len(body)).encode()))
        await send(
            {"type": "http.response.start", "status": status, "headers": headers}
        )
        await send({"type": "http.response.body", "body": body})
