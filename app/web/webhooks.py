"""``POST /webhooks/{platform}``: the road every safety fact takes. Kept as short as it can.

A plain Starlette route: FastAPI's own routing would cost about as much as checking the
signature and storing the event together (DESIGN §5, line 19). Answers are constant; no
reason, no echo, nothing personal in the log (assurance §7.1).
"""

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.web.access import open_to_all
from app.web.house import house_of
from app.web.shell import Counted
from integrations.base import BadWebhook

log = structlog.get_logger("chaperone")

_REFUSED = b'{"error":"refused"}'
_LATER = b'{"error":"later"}'
_JSON = "application/json"


@open_to_all("The platform's signature over the raw bytes is the credential.")
async def receive_webhook(request: Request) -> Response:
    """204 once it is durable; 503 with Retry-After, and nothing kept, if it cannot be."""
    house = house_of(request)
    platform: str = request.path_params["platform"]
    if platform not in house.platforms:
        return Response(_REFUSED, 404, media_type=_JSON)
    body = await request.body()
    try:
        answer = await house.engine.accept_webhook(
            platform, request.scope["headers"], body
        )
    except BadWebhook as problem:
        house.counts.refuse(platform, problem.counter)
        return Response(_REFUSED, problem.status, media_type=_JSON)
    except (SQLAlchemyError, TimeoutError) as problem:
        house.counts.refuse(platform, "not_stored")
        log.error("webhook not stored", platform=platform, error=type(problem).__name__)
        headers = {"Retry-After": "5"}
        return Response(_LATER, 503, headers=headers, media_type=_JSON)
    if answer.body is not None:
        return JSONResponse(
            dict(answer.body), answer.status, headers=dict(answer.headers)
        )
    return Response(status_code=answer.status, headers=dict(answer.headers))


routes = [Counted("/webhooks/{platform:path}", receive_webhook, methods=["POST"])]
