"""Who may do what. Every route carries a policy, or the application does not start.

Programs come with a bearer token that has scopes; people come with a single-use link that
opens a browser session with a role (assurance §11.1). Deny by default; nothing is decided
by a request's own address or Host.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog
from fastapi.routing import APIRoute
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from app.store import access_rows, groups, sessions
from app.store.access_rows import SignIn, Token
from app.store.refusals import Unknown
from app.web.errors import Answer
from app.web.house import House, house_of

log = structlog.get_logger("chaperone")


class Role(StrEnum):
    """What a signed-in person is here as (assurance §11.1)."""

    WORKER = "worker"
    SESSION_LEAD = "session_lead"
    SAFEGUARDING_LEAD = "safeguarding_lead"
    ADMINISTRATOR = "administrator"


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


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may use a route: anybody (``why`` says the reason), a scope, or some roles."""

    scope: str = ""
    roles: frozenset[Role] = frozenset()
    why: str = ""


T = TypeVar("T", bound=Callable[..., Any])


def open_to_all(why: str) -> Callable[[T], T]:
    """Mark an endpoint that needs no credentials, with the reason."""
    return marked(Policy(why=why))


def marked(policy: Policy) -> Callable[[T], T]:
    """Mark an endpoint that enforces its policy itself (pages with their own frame)."""

    def mark(endpoint: T) -> T:
        endpoint.policy = policy  # type: ignore[attr-defined]
        return endpoint

    return mark


# --- programs: bearer tokens ------------------------------------------------------


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
    address = request.client.host if request.client is not None else ""
    wait = house.tries.wrong(address)
    if wait > 0:
        retry = {"Retry-After": str(int(wait) + 1)}
        return Answer(429, "Too many wrong tries. Wait a minute.", headers=retry)
    headers = _BEARER if what == "token" else {}
    return Answer(status, sentence, headers=headers)


# --- people: browser sessions -----------------------------------------------------


def cookie_name(house: House) -> str:
    """``__Host-`` binds the cookie to this host and https; a rehearsal has no https."""
    secure = house.settings.base_url.startswith("https://")
    return "__Host-chaperone" if secure else "chaperone"


def give_cookie(house: House, response: Response, cookie: str) -> None:
    """Sign this browser in."""
    response.set_cookie(
        cookie_name(house),
        cookie,
        max_age=int(access_rows.ABSOLUTE / timedelta(seconds=1)),
        path="/",
        secure=house.settings.base_url.startswith("https://"),
        httponly=True,
        samesite="lax",
    )


async def visitor(request: Request) -> SignIn | None:
    """Who is signed in with this browser, None for nobody."""
    house = house_of(request)
    cookie = request.cookies.get(cookie_name(house), "")
    if not 0 < len(cookie) <= 200:
        return None
    now, store = house.clock.now(), house.store
    found: SignIn | None = await store.read(
        lambda db: access_rows.web_session_of(db, store, cookie, now)
    )
    if found is not None and access_rows.needs_touch(found, now):
        await store.write(
            lambda db: access_rows.touch_web_session(db, store, cookie, now)
        )
    return found


async def sign_out(request: Request, response: Response) -> None:
    """End this browser's session on the server and take its cookie away (S03)."""
    house = house_of(request)
    cookie = request.cookies.get(cookie_name(house), "")
    if cookie:
        await house.store.write(
            lambda db: access_rows.close_web_session(db, house.store, cookie)
        )
    response.delete_cookie(
        cookie_name(house),
        path="/",
        secure=house.settings.base_url.startswith("https://"),
        httponly=True,
        samesite="lax",
    )


class NeedsRole:
    """A dependency: somebody with one of these roles is signed in.

    A request that may change something must also come from a page of ours.
    """

    def __init__(self, *roles: Role) -> None:
        self.policy = Policy(roles=frozenset(roles or Role))

    async def __call__(self, request: Request) -> SignIn:
        signed_in = await visitor(request)
        if signed_in is None:
            raise Answer(401, "Sign in with a personal link first.")
        if signed_in.role not in self.policy.roles:
            house_of(request).counts.refuse("web", "role")
            log.info("role not enough", person=signed_in.person_id)
            raise Answer(403, "Your role does not include this page.")
        if request.method not in ("GET", "HEAD") and not from_our_page(request):
            house_of(request).counts.refuse("web", "cross_site")
            raise Answer(403, "This did not come from a page of this service.")
        return signed_in


def from_our_page(request: Request) -> bool:
    """Whether the browser says that one of our own pages sent this (S01).

    Sec-Fetch-Site where the browser sends it, Origin against the configured address; the
    hidden token of the form is checked where the form is read (:func:`csrf_holds`).
    """
    site = request.headers.get("sec-fetch-site")
    if site not in (None, "same-origin"):
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    if origin == "null":
        # Our Referrer-Policy makes browsers hide the origin of our own forms as well
        # (https://fetch.spec.whatwg.org/#append-a-request-origin-header).
        return site == "same-origin"
    base = house_of(request).settings.base_url
    return _origin(origin) == _origin(base)


def _origin(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None


def csrf_holds(signed_in: SignIn, token: str) -> bool:
    """Whether the form's hidden token is this session's, compared in constant time."""
    return access_rows.same(signed_in.csrf, token)


_OURS = ("/sessions", "/people", "/groups", "/settings", "/contacts", "/help")


def safe_next(path: str) -> str:
    """Where to go after signing in: a path of ours, else the front page (S15)."""
    plain = path.isascii() and path.isprintable() and not set(path) & set("\\:@%")
    if plain and any(path == own or path.startswith(f"{own}/") for own in _OURS):
        return path if "//" not in path and "/../" not in f"{path}/" else "/"
    return "/"


def in_reach(
    db: Connection, house: House, signed_in: SignIn, session_id: str
) -> sessions.SessionPlan:
    """The session, if this person may see it; else 404 and an audit line (S05).

    A worker or session lead sees the sessions they are rostered for and those of groups
    they lead; a safeguarding lead sees all; an administrator sees none by default.
    """
    try:
        plan = sessions.get(db, house.store, session_id)
    except Unknown:
        raise Answer(404, "There is no such page.") from None
    if signed_in.role == Role.SAFEGUARDING_LEAD:
        return plan
    if signed_in.role in (Role.WORKER, Role.SESSION_LEAD):
        rostered = any(w.person_id == signed_in.person_id for w in plan.workers)
        if rostered or signed_in.person_id in groups.get(db, plan.group_id).leads:
            return plan
    house.counts.refuse("web", "out_of_reach")
    log.warning("out of reach", person=signed_in.person_id, session=session_id)
    raise Answer(404, "There is no such page.")


# --- nothing without a policy -----------------------------------------------------


class NoPolicy(Exception):
    """Routes nobody decided about; the application must not start."""


def check_policies(routes: Iterable[BaseRoute]) -> dict[str, Policy]:
    """Route path (and methods) -> policy. Raises NoPolicy naming every bare route."""
    found = {name: _policy_of(route) for name, route in _named(routes)}
    bare = sorted(name for name, policy in found.items() if policy is None)
    if bare:
        raise NoPolicy(f"No policy for: {', '.join(bare)}.")
    return {name: policy for name, policy in found.items() if policy is not None}


def _named(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, BaseRoute]]:
    for route in routes:
        methods = ",".join(sorted(getattr(route, "methods", None) or ()))
        yield f"{methods} {getattr(route, 'path', route)}".strip(), route


def _policy_of(route: BaseRoute) -> Policy | None:
    if isinstance(route, APIRoute):
        for dependency in route.dependant.dependencies:
            policy = getattr(dependency.call, "policy", None)
            if isinstance(policy, Policy):
                return policy
    holder = route.app if isinstance(route, Mount) else None
    if isinstance(route, Route):
        holder = route.endpoint
    policy = getattr(holder, "policy", None)
    return policy if isinstance(policy, Policy) else None
