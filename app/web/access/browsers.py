"""People's browsers: the cookie, who is signed in with it, and the way out."""

from datetime import timedelta

import structlog
from starlette.requests import Request
from starlette.responses import Response

from app.store import access_rows
from app.store.access_rows import SignIn
from app.web.access.forgery import from_our_page
from app.web.access.policy import Policy
from app.web.access.roles import Role
from app.web.errors import Answer
from app.web.house import House, house_of

log = structlog.get_logger("chaperone")


def secure(house: House) -> bool:
    """Whether cookies may be tied to https; a rehearsal on this machine has none."""
    return house.settings.base_url.startswith("https://")


def cookie_called(house: House, name: str) -> str:
    """``__Host-`` binds a cookie to this host and https; a rehearsal has no https."""
    return f"__Host-{name}" if secure(house) else name


def cookie_name(house: House) -> str:
    """The cookie that signs a browser in."""
    return cookie_called(house, "chaperone")


def set_cookie(
    house: House, response: Response, name: str, text: str, lasts: timedelta
) -> None:
    """A cookie of ours: for this host alone, never for scripts, never from elsewhere."""
    response.set_cookie(
        cookie_called(house, name),
        text,
        max_age=int(lasts / timedelta(seconds=1)),
        path="/",
        secure=secure(house),
        httponly=True,
        samesite="lax",
    )


def drop_cookie(house: House, response: Response, name: str) -> None:
    """Take a cookie of ours away."""
    response.delete_cookie(
        cookie_called(house, name),
        path="/",
        secure=secure(house),
        httponly=True,
        samesite="lax",
    )


def give_cookie(house: House, response: Response, cookie: str) -> None:
    """Sign this browser in."""
    set_cookie(house, response, "chaperone", cookie, access_rows.ABSOLUTE)


def cookie_of(request: Request) -> str:
    """The secret this browser came with, "" for none that can be one."""
    cookie = request.cookies.get(cookie_name(house_of(request)), "")
    return cookie if len(cookie) <= 200 else ""


async def visitor(request: Request) -> SignIn | None:
    """Who is signed in with this browser, None for nobody."""
    house, cookie = house_of(request), cookie_of(request)
    if not cookie:
        return None
    now, store, idle = house.clock.now(), house.store, idle_on(request.url.path)
    found: SignIn | None = await store.read(
        lambda db: access_rows.web_session_of(db, store, cookie, now, idle)
    )
    if found is not None and access_rows.needs_touch(found, now):
        await store.write(
            lambda db: access_rows.touch_web_session(db, store, cookie, now)
        )
    return found


def idle_on(path: str) -> timedelta:
    """How long a browser may be silent: longer where a room is being watched."""
    parts = path.split("/")
    live = len(parts) > 3 and parts[1] == "sessions" and parts[3] == "live"
    return access_rows.IDLE_LIVE if live else access_rows.IDLE


async def sign_out(request: Request, response: Response) -> None:
    """End this browser's session on the server and take its cookie away (S03)."""
    house, cookie = house_of(request), cookie_of(request)
    if cookie:
        await house.store.write(
            lambda db: access_rows.close_web_session(db, house.store, cookie)
        )
    drop_cookie(house, response, "chaperone")


class NeedsRole:
    """A dependency: somebody with one of these roles is signed in.

    A request that may change something must also come from a page of ours.
    """

    def __init__(self, *roles: Role) -> None:
        self.policy = Policy(roles=frozenset(roles or Role))

    async def __call__(self, request: Request) -> SignIn:
        signed_in = await visitor(request)
        if signed_in is None:
            raise Answer(401, "Sign in first.")
        if signed_in.role not in self.policy.roles:
            house_of(request).counts.refuse("web", "role")
            log.info("role not enough", person=signed_in.person_id)
            raise Answer(403, "Your role does not include this page.")
        if request.method not in ("GET", "HEAD") and not from_our_page(request):
            house_of(request).counts.refuse("web", "cross_site")
            raise Answer(403, "This did not come from a page of this service.")
        return signed_in
