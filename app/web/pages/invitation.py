"""A link from a mail: an invitation, or a way to a new password. Looking uses nothing up."""

import structlog
from sqlalchemy import Connection
from starlette.background import BackgroundTask
from starlette.responses import Response

from app.store import accounts, people, sign_in_tries
from app.store.accounts import Account
from app.web import access
from app.web.pages import account_letters as letters
from app.web.pages import door
from app.web.pages.forms import Refusal
from app.web.pages.visit import Visit
from integrations.base import PlatformFailure

log = structlog.get_logger("chaperone")

FORM = "password"
NO_LONGER = (
    "This link does not work: it was used already, or its time is over. Ask for a new "
    "password on the sign-in page, or ask whoever invited you for another invitation."
)
BOTH = "The two do not match. Type the same password into both fields."


async def page(visit: Visit) -> Response:
    """``GET /password/{token}``."""
    account, kind = await _opens(visit)
    provider = visit.house.provider
    visit.visitor = None
    return await visit.show(
        "invite.html",
        account=account,
        invited=kind == accounts.INVITE,
        token=visit.request.path_params["token"],
        provider=provider.title if provider is not None else "",
    )


async def choose(visit: Visit) -> Response:
    """``POST /password/{token}``: keep the password, and let this browser in."""
    house, now = visit.house, visit.now
    account, _ = await _opens(visit)
    kept = await new_password(visit, account, FORM)

    def keep(db: Connection) -> str | None:
        if accounts.use_link(db, house.store, token_of(visit), now) is None:
            return None
        accounts.set_password(db, house.store, account.id, kept, now)
        sign_in_tries.forgive(db, house.store, account.email)
        return door.open_door(db, visit, account)

    cookie = await house.store.write(keep)
    if cookie is None:
        raise _wrong(visit)
    log.info("password chosen", person=account.person_id)
    answer = door.signed_in(visit, account, cookie, "/")
    answer.background = BackgroundTask(tell, visit, account)
    return answer


async def new_password(visit: Visit, account: Account, form: str) -> str:
    """The new password of a form, as it is kept. Raises Refusal."""
    password, again = visit.form.get("new", ""), visit.form.get("again", "")
    known = await visit.read(
        lambda db: people.named(db, visit.house.store, [account.person_id])
    )
    about = [account.email, *known.values(), visit.house.settings.organisation_name]
    fault = await visit.house.passwords.fault(password, about)
    if fault:
        raise Refusal({"new": fault}, form)
    if password != again:
        raise Refusal({"again": BOTH}, form)
    return await visit.house.passwords.hashed(password)


async def tell(visit: Visit, account: Account) -> None:
    """Tell them by mail that their way in has changed; nothing depends on it."""
    house = visit.house
    if house.send_letter is None:
        return
    try:
        await house.send_letter(account.email, *letters.changed(house.settings))
    except PlatformFailure as failure:
        log.error("change of a password not told", why=str(failure))


def token_of(visit: Visit) -> str:
    """The link's secret; mail programs glue a full stop to it."""
    text: str = visit.request.path_params["token"].rstrip(".)>,;")
    return text if len(text) <= 200 else ""


async def _opens(visit: Visit) -> tuple[Account, str]:
    store, text, now = visit.house.store, token_of(visit), visit.now
    found: tuple[Account, str] | None = await visit.read(
        lambda db: accounts.link_opens(db, store, text, now)
    )
    if found is None:
        raise _wrong(visit)
    return found


def _wrong(visit: Visit) -> Exception:
    return access.wrong_try(visit.house, visit.request, "account_link", NO_LONGER, 401)
