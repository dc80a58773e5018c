"""``POST /webhooks/{platform}``: the road every safety fact takes. Kept as short as it can.

A plain Starlette route, and a short road past all layers for what needs none of them
(app.serving.lane): FastAPI's own routing would cost about as much as checking the signature
and storing the event together (DESIGN §5, line 19).
Answers are constant; no reason, no echo, nothing personal in the log (assurance §7.1).
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response

from app.engine.contract import WebhookAnswer
from app.web.access import open_to_all
from app.web.body import too_slow
from app.web.gate import own_names
from app.web.house import House, house_of
from app.web.plain import Answer, Pair
from app.web.shell import Counted, always, dressed, unforeseen
from integrations.base import BadWebhook

log = structlog.get_logger("chaperone")

_REFUSED = b'{"error":"refused"}'
_LATER = b'{"error":"later"}'
_JSON = (b"content-type", b"application/json")
PREFIX = "/webhooks/"
MOST_BYTES = 64 * 1024  # what uvicorn reads without being asked


# (status, header lines as they stand on the wire, body)
Answering = Callable[[int, bytes, bytes], None]
Outcome = Answer | BaseException


def _receive(
    house: House,
    platform: str,
    headers: Sequence[Pair],
    body: bytes,
    tell: Callable[[Outcome], None],
) -> None:
    """204 once it is durable; 503 with Retry-After, and nothing kept, if it cannot be.

    ``tell`` is called once, now or after the commit; with an exception nobody foresaw.
    """

    def kept(problem: BaseException | None) -> None:
        tell((204, b"", []) if problem is None else _failed(house, platform, problem))

    if platform not in house.platforms:
        tell(_json(404, _REFUSED))
        return
    try:
        answer = house.engine.take_webhook(platform, headers, body, kept)
    except Exception as problem:  # noqa: BLE001 - told to whoever answers
        tell(_failed(house, platform, problem))
        return
    if answer is not None:
        tell(_said(answer))


def _failed(house: House, platform: str, problem: BaseException) -> Outcome:
    if isinstance(problem, BadWebhook):
        house.counts.refuse(platform, problem.counter)
        return _json(problem.status, _REFUSED)
    if isinstance(problem, (SQLAlchemyError, TimeoutError)):
        house.counts.refuse(platform, "not_stored")
        log.error("webhook not stored", platform=platform, error=type(problem).__name__)
        return _json(503, _LATER, (b"retry-after", b"5"))
    return problem


def _said(answer: WebhookAnswer) -> Answer:
    more = [(k.lower().encode(), v.encode()) for k, v in answer.headers.items()]
    if answer.body is None:
        return answer.status, b"", more
    text = json.dumps(dict(answer.body), separators=(",", ":"))
    return _json(answer.status, text.encode(), *more)


def _json(status: int, body: bytes, *more: Pair) -> Answer:
    length = (b"content-length", b"%d" % len(body))
    return status, body, [length, _JSON, *more]


@open_to_all("The platform's signature over the raw bytes is the credential.")
async def receive_webhook(request: Request) -> Response:
    """The ordinary road: a route, with every layer around it."""
    told: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    body = await request.body()

    def tell(outcome: Outcome) -> None:
        if told.done():
            return  # the sender hung up
        if isinstance(outcome, BaseException):
            told.set_exception(outcome)
        else:
            told.set_result(outcome)

    platform = request.path_params["platform"]
    _receive(house_of(request), platform, request.scope["headers"], body, tell)
    status, text, headers = await told
    response = Response(text, status)
    response.raw_headers[:] = headers
    return response


routes = [Counted(f"{PREFIX}{{platform:path}}", receive_webhook, methods=["POST"])]


class ShortRoad:
    """What app.serving.lane asks: the same answers without the layers.

    It takes only requests for which every layer would do nothing: our own name said once
    and exactly, a plain length within the limit, no coding of any kind.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        base_url = house.settings.base_url
        self._hosts = frozenset(name.encode() for name in own_names(base_url))
        self._roads = {
            f"{PREFIX}{platform}".encode(): platform for platform in house.platforms
        }
        self._always = always(https=base_url.startswith("https://"))
        self._no_content = self._lines(204, b"", [])

    def takes(self, url: bytes, headers: Sequence[Pair]) -> bool:
        """See app.serving.lane.Lane."""
        if url not in self._roads:
            return False
        hosts, length = 0, 0
        for name, value in headers:
            if name == b"host":
                if value not in self._hosts:
                    return False
                hosts += 1
            elif name == b"content-length":
                if not value.isdigit() or len(value) > 6:
                    return False
                length = int(value)
            elif name in (b"transfer-encoding", b"content-encoding"):
                return False
        return hosts == 1 and 0 < length <= MOST_BYTES

    def drive(
        self, url: bytes, headers: Sequence[Pair], body: bytes, answer: Answering
    ) -> None:
        """See app.serving.lane.Lane."""
        tell = partial(self._tell, answer)
        _receive(self._house, self._roads[url], headers, body, tell)

    def too_slow(self, answer: Answering) -> None:
        """See app.serving.lane.Lane."""
        self._tell(answer, too_slow())

    def _tell(self, answer: Answering, outcome: Outcome) -> None:
        if isinstance(outcome, BaseException):
            outcome = unforeseen(outcome, routes[0].path)
        status, body, headers = outcome
        self._house.counts.answered(routes[0].path, status)
        if status == 204 and not headers:
            answer(status, self._no_content, b"")
            return
        answer(status, self._lines(status, body, headers), body)

    def _lines(self, status: int, body: bytes, headers: Sequence[Pair]) -> bytes:
        said = dressed(headers, self._always)
        return b"".join(name + b": " + value + b"\r\n" for name, value in said)
