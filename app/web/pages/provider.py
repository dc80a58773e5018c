"""The way in by the organisation's own accounts: there, and back.

The flow - state, nonce and the verifier of PKCE - travels in a sealed cookie of this very
browser, so that nobody else's answer fits and nothing is stored for who never returns.
"""

import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import structlog
from sqlalchemy import Connection
from starlette.background import BackgroundTask
from starlette.responses import RedirectResponse, Response

from app.crypto import CannotDecrypt
from app.store import accounts, sign_in_tries
from app.store.accounts import Account
from app.store.refusals import Refused
from app.web import access
from app.web.house import House
from app.web.pages import door, errors, invitation
from app.web.pages.visit import Visit
from integrations.base import PermanentFailure, PlatformFailure
from integrations.oidc.provider import Provider, SignInRefused
from integrations.oidc.token import Identity

log = structlog.get_logger("chaperone")

FLOW = "chaperone-flow"
FLOW_LASTS = timedelta(minutes=10)
BACK = "/sign-in/organisation/back"
START_AGAIN = (
    "That sign-in did not come to an end here. Start again from the sign-in page, in this "
    "browser, and finish within ten minutes."
)
CANCELLED = "You were not signed in there. Start again from the sign-in page."
NOT_INVITED = (
    "Your organisation's account is fine, but nobody has invited it to Chaperone yet. Ask "
    "whoever looks after Chaperone for an invitation, and open the link in that mail."
)
NOT_NOW = (
    "Your organisation's sign-in does not answer. Try again in a minute, or sign in with a "
    "password."
)
MISSET = (
    "Your organisation's sign-in is not set up rightly. Tell whoever looks after Chaperone; "
    "the log says what to mend. Until then sign in with a password."
)


async def leave(visit: Visit) -> Response:
    """``GET /sign-in/organisation``: on to the provider."""
    asked = visit.request.query_params
    invited_by = asked.get("invitation", "")[:200]
    if invited_by and not access.from_our_page(visit.request):
        # Else a stranger's link could join your account there to theirs here.
        return await _refused(visit, "led from elsewhere", START_AGAIN)
    place = access.safe_next(asked.get("next", "/"))

    async def go(flow: dict[str, Any]) -> Response:
        return RedirectResponse(flow["auth_uri"], status_code=303)

    return await _begin(visit, go, {"next": place, "invitation": invited_by})


async def join(visit: Visit) -> Response:
    """``POST /account/join``: from now on the account there opens the account here.

    The answer is a page with a link: our policy lets no form lead to another site.
    """

    async def page(flow: dict[str, Any]) -> Response:
        title = visit.house.provider.title if visit.house.provider is not None else ""
        return await visit.show("account_join.html", to=flow["auth_uri"], title=title)

    return await _begin(visit, page, {"next": "/account", "join": visit.person_id})


async def _begin(
    visit: Visit,
    show: Callable[[dict[str, Any]], Awaitable[Response]],
    purpose: dict[str, str],
) -> Response:
    house = visit.house
    if house.provider is None:
        return await errors.page(visit, 404)
    try:
        flow = await house.provider.begin(f"{house.settings.base_url}{BACK}")
    except PlatformFailure as failure:
        return await _down(visit, failure)
    kept = {"flow": flow, "at": visit.now.timestamp(), **purpose}
    answer = await show(flow)
    access.set_cookie(house, answer, FLOW, _sealed(house, kept), FLOW_LASTS)
    return answer


async def back(visit: Visit) -> Response:
    """``GET /sign-in/organisation/back``: who came back, and as whom they are let in."""
    provider, kept = visit.house.provider, _flow_of(visit)
    if provider is None or kept is None:
        return await _refused(visit, "no flow", START_AGAIN)
    try:
        answer = await _let_in(visit, provider, kept)
    except SignInRefused as refused:
        sentence = CANCELLED if refused.by_person else START_AGAIN
        answer = await _refused(visit, refused.why, sentence)
    except PlatformFailure as failure:
        answer = await _down(visit, failure)
    access.drop_cookie(visit.house, answer, FLOW)
    return answer


async def _let_in(visit: Visit, provider: Provider, kept: dict[str, Any]) -> Response:
    house = visit.house
    query = {k: v[:4_000] for k, v in visit.request.query_params.items()}
    who = await provider.finish(kept["flow"], query, visit.now)

    def decide(db: Connection) -> tuple[Account, bool, str | None] | None:
        account, joined = _whose(db, visit, who, kept)
        if account is None:
            return None
        cookie = door.open_door(db, visit, account)
        browser = access.known_as(visit.request, account.email)
        sign_in_tries.note(
            db,
            house.store,
            account.email,
            browser,
            "provider",
            cookie is not None,
            visit.now,
        )
        return account, joined, cookie

    try:
        found = await house.store.write(decide)
    except Refused as refused:
        return await _refused(
            visit, "joined elsewhere", " ".join(refused.faults.values())
        )
    if found is None or found[2] is None:
        return await _refused(visit, "not invited", NOT_INVITED, 403)
    account, joined, cookie = found
    log.info("signed in", person=account.person_id, mode="provider", role=account.role)
    answer = door.signed_in(visit, account, cookie, kept["next"])
    if joined:
        log.info("account joined to the provider", person=account.person_id)
        answer.background = BackgroundTask(invitation.tell, visit, account)
    return answer


def _whose(
    db: Connection, visit: Visit, who: Identity, kept: dict[str, Any]
) -> tuple[Account | None, bool]:
    """The account of this identity; True when it was joined now. Raises Refused."""
    store, now = visit.house.store, visit.now
    account = accounts.by_identity(db, store, who.issuer, who.subject)
    wanted: Account | None = None
    if "join" in kept:
        if kept["join"] != visit.person_id:
            return None, False
        wanted = accounts.of_person(db, store, visit.person_id)
    elif kept.get("invitation"):
        found = accounts.link_opens(db, store, kept["invitation"], now)
        wanted = found[0] if found is not None else None
    elif account is None and who.verified_email:
        wanted = _invited(db, visit, who.verified_email)
    if wanted is None:
        return account, False
    if not accounts.open_to(db, wanted):
        return None, False
    accounts.join_identity(db, store, wanted.id, who.issuer, who.subject, now)
    accounts.use_links(db, wanted.id, now)
    return wanted, True


def _invited(db: Connection, visit: Visit, email: str) -> Account | None:
    """An address alone counts once: while its invitation is open and nothing proves them."""
    account = accounts.by_email(db, visit.house.store, email)
    if account is None or account.password or accounts.has_identity(db, account.id):
        return None
    return account if account.id in accounts.waiting(db, visit.now) else None


# --- the flow in its cookie ---------------------------------------------------------


def _sealed(house: House, kept: dict[str, Any]) -> str:
    sealed = house.store.seal(orjson.dumps(kept), "cookie:flow:")
    return base64.urlsafe_b64encode(sealed).decode()


def _flow_of(visit: Visit) -> dict[str, Any] | None:
    text = visit.request.cookies.get(access.cookie_called(visit.house, FLOW), "")
    try:
        opened = visit.house.store.open(base64.urlsafe_b64decode(text), "cookie:flow:")
    except (ValueError, CannotDecrypt):
        return None
    kept: dict[str, Any] = orjson.loads(opened)
    began = datetime.fromtimestamp(kept["at"], UTC)
    return kept if visit.now - began < FLOW_LASTS else None


async def _refused(
    visit: Visit, why: str, sentence: str, status: int = 401
) -> Response:
    visit.house.counts.refuse("web", "provider")
    log.warning("sign-in refused", why=why, mode="provider")
    visit.visitor = None
    return await errors.page(visit, status, sentence)


async def _down(visit: Visit, failure: PlatformFailure) -> Response:
    fix = getattr(failure, "fix", "")
    log.error("sign-in provider failed", why=str(failure), fix=fix)
    lasting = isinstance(failure, PermanentFailure)
    visit.visitor = None
    return await errors.page(
        visit, 502 if lasting else 503, MISSET if lasting else NOT_NOW
    )
