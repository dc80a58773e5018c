"""Programs come with a bearer token that has scopes."""

import structlog
from starlette.requests import Request

from app.store import access_rows
from app.store.access_rows import Token
from app.web.access.policy import Policy
from app.web.errors import Answer
from app.web.house import House, house_of

log = structlog.get_logger("chaperone")

SCOPES = {
    "people:read": "workers and clients with names, and their one-to-ones",
    "people:write": "enter, change and erase people and one-to-ones",
    "groups:read": "groups and their ground rules",
    "groups:write": "enter and change groups and their ground rules",
    "sessions:read": "plans, readiness, roster and timeline of sessions",
    "sessions:write": "plan, prepare and check sessions; ticks and exceptions",
    "links:read": "the personal links into a session (secrets)",
    "links:write": "issue a new personal link",
    "presses:write": "press for a worker while a session runs",
    "record:read": "attendance and record of sessions",
    "record:write": "confirm and correct the attendance",
    "notes:read": "session notes",
    "notes:write": "write session notes",
    "export:read": "records as files",
    "contacts:read": "alarm contacts",
    "contacts:write": "enter, confirm and remove alarm contacts",
}


class Needs:
    """A dependency: the request carries a token with this scope."""

    def __init__(self, scope: str) -> None:
        if scope not in SCOPES:
            raise ValueError(f"There is no scope {scope}.")
        self.policy = Policy(scope=scope)

    async def __call__(self, request: Request) -> Token:
        house = house_of(request)
        token = await _token(house, request)
        if self.policy.scope not in token.scopes:
            house.counts.refuse("api", "scope")
            log.info("token without scope", token=token.id, scope=self.policy.scope)
            raise Answer(403, f"This token lacks the scope {self.policy.scope}.")
        return token


_BEARER = {"WWW-Authenticate": "Bearer"}


async def _token(house: House, request: Request) -> Token:
    given = request.headers.getlist("authorization")
    if not given:
        raise Answer(401, "Send a bearer token.", headers=_BEARER)
    kind, _, text = given[0].partition(" ")
    token: Token | None = None
    if len(given) == 1 and kind.lower() == "bearer" and 0 < len(text) <= 200:
        token = await house.store.read(
            lambda db: access_rows.token_of(db, house.store, text.strip())
        )
    if token is None:
        raise wrong_try(house, request, "token", "This token is not known here.", 401)
    await _note_use(house, token)
    return token


async def _note_use(house: House, token: Token) -> None:
    """``last_used_at``, to the minute."""
    tick = house.clock.monotonic()
    if tick - house.token_used.get(token.id, -60.0) >= 60.0:
        house.token_used[token.id] = tick
        now = house.clock.now()
        await house.store.write(lambda db: access_rows.token_used(db, token.id, now))


def wrong_try(
    house: House, request: Request, what: str, sentence: str, status: int
) -> Answer:
    """The answer to a wrong secret: 429 after 20 a minute from one address (K03)."""
    house.counts.refuse("web", what)
    wait = house.tries.wrong(address_of(request))
    if wait > 0:
        retry = {"Retry-After": str(int(wait) + 1)}
        return Answer(429, "Too many wrong tries. Wait a minute.", headers=retry)
    headers = _BEARER if what == "token" else {}
    return Answer(status, sentence, headers=headers)


def address_of(request: Request) -> str:
    """Where the request came from, "" when nobody knows."""
    return request.client.host if request.client is not None else ""
