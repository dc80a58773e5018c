"""A browser before anybody is signed in with it: its form token, and whether it is known.

The sign-in form carries a token that hangs on a cookie given with it, so that a browser
which sends neither Sec-Fetch-Site nor Origin cannot be made to sign in as somebody else.
A browser somebody signed in with keeps a mark for that address
(:mod:`app.store.sign_in_tries` says what for).
"""

from datetime import timedelta
from secrets import token_urlsafe

from starlette.requests import Request
from starlette.responses import Response

from app.store.access_rows import same
from app.store.sign_in_tries import browser_digest
from app.web.access.browsers import cookie_called, set_cookie
from app.web.house import House, house_of

BEFORE, KNOWN = "chaperone-before", "chaperone-known"
BEFORE_LASTS = timedelta(hours=12)
KNOWN_LASTS = timedelta(days=180)
_LONGEST = 200


def _cookie(request: Request, name: str) -> str:
    text = request.cookies.get(cookie_called(house_of(request), name), "")
    return text if len(text) <= _LONGEST else ""


def form_token(request: Request) -> tuple[str, str]:
    """The token for a form, and the cookie it hangs on (to be given with the form)."""
    house = house_of(request)
    cookie = _cookie(request, BEFORE) or token_urlsafe(32)
    return house.store.keys.digest("sign-in-form", cookie), cookie


def give_before(house: House, response: Response, cookie: str) -> None:
    """Give the cookie of :func:`form_token`."""
    set_cookie(house, response, BEFORE, cookie, BEFORE_LASTS)


def form_token_holds(request: Request, token: str) -> bool:
    """Whether the form was given to this browser."""
    cookie = _cookie(request, BEFORE)
    digests = house_of(request).store.keys.digests("sign-in-form", cookie)
    return bool(cookie) and any(same(one, token) for one in digests)


def known_as(request: Request, email: str) -> str:
    """What this browser is counted by under the address; "" when it is not known."""
    house = house_of(request)
    mark, _, proof = _cookie(request, KNOWN).partition(".")
    digests = house.store.keys.digests("known-mark", _marked(email, mark))
    if not mark or not any(same(one, proof) for one in digests):
        return ""
    return browser_digest(house.store, email, mark)


def remember(request: Request, response: Response, email: str) -> None:
    """This browser is known for the address from now on."""
    house = house_of(request)
    if not known_as(request, email):
        mark = token_urlsafe(16)
        proof = house.store.keys.digest("known-mark", _marked(email, mark))
        set_cookie(house, response, KNOWN, f"{mark}.{proof}", KNOWN_LASTS)


def _marked(email: str, mark: str) -> str:
    return f"{email.strip().casefold()} {mark}"
