"""The way in by an address and a password, and the way to a new password.

Whoever has no account gets the same answers after the same work as somebody who mistyped,
so that nobody learns here who works for the organisation (assurance §9, V6.3.8).
"""

import math
from datetime import timedelta

import structlog
from sqlalchemy import Connection
from starlette.background import BackgroundTask
from starlette.responses import RedirectResponse, Response

from app.store import access_rows, accounts, sign_in_tries
from app.store.accounts import Account
from app.store.passwords import LONGEST
from app.web import access
from app.web.house import House
from app.web.pages import account_letters as letters
from app.web.pages.forms import Refusal
from app.web.pages.visit import Visit
from integrations.base import PlatformFailure

log = structlog.get_logger("chaperone")

FORM, FORGOTTEN = "sign-in", "forgotten"
WRONG = (
    "The address and the password do not belong together. Check both; capitals and small "
    "letters count."
)
LONGEST_ADDRESS = 254


async def page(visit: Visit) -> Response:
    """``GET /sign-in``."""
    if visit.visitor is not None:
        return visit.go(_next(visit))
    return await form(visit)


async def form(visit: Visit, status: int = 200, kept: str = "") -> Response:
    """The form, with what was typed (never the password). ``kept``: a text given back."""
    token, cookie = access.form_token(visit.request)
    provider = visit.house.provider
    visit.visitor = None
    answer = await visit.show(
        "sign_in_form.html",
        status,
        before=token,
        next=_next(visit),
        provider=provider.title if provider is not None else "",
        kept=kept,
    )
    access.give_before(visit.house, answer, cookie)
    return answer


def _next(visit: Visit) -> str:
    given = visit.form.get("next") or visit.request.query_params.get("next", "")
    return access.safe_next(given or visit.request.url.path)


async def enter(visit: Visit) -> Response:
    """``POST /sign-in``."""
    email, password = _entered(visit)
    wait = await _wait(visit, email)
    if wait:
        visit.house.counts.refuse("web", "password_wait")
        log.warning("sign-in refused", why="too many wrong tries")
        return await _again(visit, 429, _too_many(wait), wait)
    house = visit.house
    account = await visit.read(lambda db: _usable(db, house, email))
    kept = account.password if account is not None else None
    if not await house.passwords.matches(kept, password):
        account = None
    opened = await house.store.write(lambda db: _decide(db, visit, email, account))
    if account is None or opened is None:
        house.tries.wrong(access.address_of(visit.request))
        house.counts.refuse("web", "password")
        log.warning("sign-in refused", why="wrong")
        return await _again(visit, 401, WRONG)
    log.info("signed in", person=account.person_id, mode="password", role=account.role)
    return signed_in(visit, account, opened, _next(visit))


def signed_in(visit: Visit, account: Account, cookie: str, place: str) -> Response:
    """Let this browser in; it is known for this address from now on."""
    answer = RedirectResponse(place, status_code=303)
    access.give_cookie(visit.house, answer, cookie)
    access.remember(visit.request, answer, account.email)
    return answer


def open_door(db: Connection, visit: Visit, account: Account) -> str | None:
    """A new session with a new id (S04) in place of this browser's; None when closed."""
    store = visit.house.store
    if not accounts.open_to(db, accounts.get(db, store, account.id)):
        return None
    access_rows.close_web_session(db, store, access.cookie_of(visit.request))
    _, cookie = access_rows.open_web_session(
        db, store, account.person_id, account.role, visit.now
    )
    return cookie


def _entered(visit: Visit) -> tuple[str, str]:
    email, password = (
        visit.text("email", LONGEST_ADDRESS),
        visit.form.get("password", ""),
    )
    faults = {}
    if not email:
        faults["email"] = "Enter your e-mail address."
    if not password:
        faults["password"] = "Enter your password."  # noqa: S105 - a sentence
    elif len(password) > LONGEST:
        faults["password"] = f"A password has at most {LONGEST} characters."
    if faults:
        raise Refusal(faults, FORM)
    return email, password


async def _wait(visit: Visit, email: str) -> timedelta:
    house = visit.house
    browser = access.known_as(visit.request, email)
    address = house.tries.wait(access.address_of(visit.request))
    of_account: timedelta = await visit.read(
        lambda db: sign_in_tries.wait_of(db, house.store, email, browser, visit.now)
    )
    return max(of_account, timedelta(seconds=address))


def _usable(db: Connection, house: House, email: str) -> Account | None:
    account = accounts.by_email(db, house.store, email)
    return account if accounts.open_to(db, account) else None


def _decide(
    db: Connection, visit: Visit, email: str, account: Account | None
) -> str | None:
    browser = access.known_as(visit.request, email)
    right = account is not None
    sign_in_tries.note(
        db, visit.house.store, email, browser, "password", right, visit.now
    )
    return open_door(db, visit, account) if account is not None else None


async def _again(
    visit: Visit, status: int, sentence: str, wait: timedelta = timedelta(0)
) -> Response:
    visit.refusal = Refusal({"email": sentence}, FORM)
    answer = await form(visit, status)
    if wait:
        seconds = math.ceil(wait / timedelta(seconds=1))
        answer.headers["Retry-After"] = str(seconds)
    return answer


def _too_many(wait: timedelta) -> str:
    minutes = math.ceil(wait / timedelta(minutes=1))
    length = "a minute" if minutes == 1 else f"{minutes} minutes"
    return (
        f"Too many wrong tries. Wait {length}, or choose a new password with the link "
        "below: then you can come in at once."
    )


# --- a new password -----------------------------------------------------------------


async def forgotten(visit: Visit) -> Response:
    """``GET /sign-in/forgotten``."""
    return await _forgotten(visit, sent=False)


async def send_link(visit: Visit) -> Response:
    """``POST /sign-in/forgotten``: the same answer for everybody, at the same pace."""
    email = visit.text("email", LONGEST_ADDRESS)
    if not email:
        raise Refusal({"email": "Enter your e-mail address."}, FORGOTTEN)
    if visit.house.tries.wrong(f"forgotten {access.address_of(visit.request)}"):
        raise Refusal({"email": "That was asked for often. Wait a minute."}, FORGOTTEN)
    answer = await _forgotten(visit, sent=True)
    answer.background = BackgroundTask(_send_link, visit, email)
    return answer


async def _forgotten(visit: Visit, *, sent: bool) -> Response:
    token, cookie = access.form_token(visit.request)
    visit.visitor = None
    mails = visit.house.send_letter is not None
    answer = await visit.show(
        "sign_in_forgotten.html", before=token, sent=sent, mails=mails
    )
    access.give_before(visit.house, answer, cookie)
    return answer


async def _send_link(visit: Visit, email: str) -> None:
    """After the answer has left, so that its time tells nothing."""
    house, now = visit.house, visit.now

    def make(db: Connection) -> str:
        account = _usable(db, house, email)
        hour_ago = now - timedelta(hours=1)
        if account is None or house.send_letter is None:
            return ""
        if accounts.resets_since(db, account.id, hour_ago) >= accounts.RESETS_AN_HOUR:
            return ""
        return accounts.new_link(db, house.store, account.id, accounts.RESET, now)

    text = await house.store.write(make)
    if not text or house.send_letter is None:
        log.info("no link to a new password", why="nobody to send it to")
        return
    try:
        await house.send_letter(email, *letters.reset(house.settings, text))
    except PlatformFailure as failure:
        log.error("link to a new password not sent", why=str(failure))
