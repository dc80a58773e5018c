"""Requests other sites make a browser send, and addresses they would lead it to (S01, S15).

Fetch Metadata where the browser sends it (https://www.w3.org/TR/fetch-metadata/), Origin
against the configured address, and a hidden token in every form: of the signed-in browser
(:func:`csrf_holds`), or of a cookie given with the sign-in form (:mod:`.before`).
"""

import base64
import binascii
import secrets
from urllib.parse import urlsplit

from starlette.requests import Request

from app.store import access_rows
from app.store.access_rows import SignIn
from app.web.house import house_of


def from_our_page(request: Request) -> bool:
    """Whether the browser says that one of our own pages sent this (S01)."""
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


def says_where_from(request: Request) -> bool:
    """Whether the browser said anything at all; one that does not needs the token."""
    said = request.headers.get("origin", "null") != "null"
    return said or "sec-fetch-site" in request.headers


def _origin(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None


def csrf_shown(signed_in: SignIn) -> str:
    """The session's token as a page shows it: masked anew each time.

    Pages are compressed; a secret that stood in each of them the same way could be told
    from their lengths (https://www.breachattack.com/).
    """
    token = signed_in.csrf.encode()
    mask = secrets.token_bytes(len(token))
    return base64.urlsafe_b64encode(mask + _xor(mask, token)).decode()


def csrf_holds(signed_in: SignIn, token: str) -> bool:
    """Whether the form's hidden token is this session's, compared in constant time."""
    try:
        both = base64.b64decode(token, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return False
    half = len(both) // 2
    found = _xor(both[:half], both[half:])
    return access_rows.same(signed_in.csrf, found.decode("latin-1"))


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=False))


_OURS = (
    "/sessions",
    "/people",
    "/groups",
    "/plan",
    "/records",
    "/concern",
    "/concerns",
    "/account",
    "/accounts",
    "/settings",
    "/contacts",
    "/help",
    "/practise",
)


def safe_next(path: str) -> str:
    """Where to go after signing in: a path of ours, else the front page (S15)."""
    plain = path.isascii() and path.isprintable() and not set(path) & set("\\:@%")
    if plain and any(path == own or path.startswith(f"{own}/") for own in _OURS):
        return path if "//" not in path and "/../" not in f"{path}/" else "/"
    return "/"
