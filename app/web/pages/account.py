"""My account: who I am here, what I may be here as, when I came, and the way out everywhere.

A place for passkeys and a second factor is the list of ways to sign in.
"""

from dataclasses import dataclass

import structlog
from sqlalchemy import Connection
from starlette.background import BackgroundTask
from starlette.responses import Response

from app.store import access_rows, accounts, sign_in_tries
from app.store.accounts import Account
from app.store.passwords import LONGEST
from app.web import access
from app.web.access import ROLE_TITLES, Permission, Role, may
from app.web.pages import invitation
from app.web.pages.forms import BadForm, Refusal
from app.web.pages.visit import Visit

log = structlog.get_logger("chaperone")

FORM = "change"
NOT_YOURS = "That is not your present password."
WAIT = "Too many wrong tries. Wait a quarter of an hour."


@dataclass(frozen=True, slots=True)
class Mine:
    """``account`` None: signed in by a single-use link, without an account."""

    account: Account | None
    joined: bool
    tries: list[sign_in_tries.Try]
    browsers: list[access_rows.SignIn]


async def page(visit: Visit) -> Response:
    """``GET /account``."""
    mine: Mine = await visit.read(lambda db: _mine(db, visit))
    signed_in = visit.visitor
    role = signed_in.role if signed_in is not None else ""
    provider = visit.house.provider
    others = [
        one for one in (mine.account.roles if mine.account else ()) if one != role
    ]
    return await visit.show(
        "account.html",
        mine=mine,
        role=ROLE_TITLES[Role(role)],
        other_roles=[(one, ROLE_TITLES[Role(one)]) for one in others],
        provider=provider.title if provider is not None else "",
        manages=may(signed_in, Permission.MANAGE_ACCOUNTS),
        changed="changed" in visit.request.query_params,
    )


def _mine(db: Connection, visit: Visit) -> Mine:
    store, person_id = visit.house.store, visit.person_id
    account = accounts.of_person(db, store, person_id)
    return Mine(
        account=account,
        joined=account is not None and accounts.has_identity(db, account.id),
        tries=sign_in_tries.last_of(db, store, account) if account is not None else [],
        browsers=access_rows.browsers_of(db, person_id, visit.now),
    )


async def _own(visit: Visit) -> Account:
    account: Account | None = await visit.read(
        lambda db: accounts.of_person(db, visit.house.store, visit.person_id)
    )
    if account is None:
        raise BadForm(
            404, "You are signed in by a link; there is no account to change."
        )
    return account


async def change_password(visit: Visit) -> Response:
    """``POST /account/password``: every other browser is signed out."""
    account = await _own(visit)
    if account.password is not None:
        await _prove(visit, account)
    kept = await invitation.new_password(visit, account, FORM)
    house, now = visit.house, visit.now
    role = visit.visitor.role if visit.visitor is not None else account.role

    def keep(db: Connection) -> str:
        accounts.set_password(db, house.store, account.id, kept, now)
        opened = access_rows.open_web_session(
            db, house.store, account.person_id, role, now
        )
        return opened[1]

    cookie = await house.store.write(keep)
    log.info("password changed", person=account.person_id)
    answer = visit.go("/account?changed=1")
    access.give_cookie(house, answer, cookie)
    answer.background = BackgroundTask(invitation.tell, visit, account)
    return answer


async def _prove(visit: Visit, account: Account) -> None:
    """The present password, counted like any other try. Raises Refusal."""
    house, password = visit.house, visit.form.get("password", "")
    browser = access.known_as(visit.request, account.email)
    wait = await visit.read(
        lambda db: sign_in_tries.wait_of(
            db, house.store, account.email, browser, visit.now
        )
    )
    if wait:
        raise Refusal({"password": WAIT}, FORM)
    if len(password) > LONGEST or not await house.passwords.matches(
        account.password, password
    ):
        await house.store.write(
            lambda db: sign_in_tries.note(
                db, house.store, account.email, browser, "password", False, visit.now
            )
        )
        raise Refusal({"password": NOT_YOURS}, FORM)


async def leave_everywhere(visit: Visit) -> Response:
    """``POST /account/sign-out-everywhere``: this browser too."""
    person_id = visit.person_id
    await visit.house.store.write(
        lambda db: access_rows.close_web_sessions_of(db, person_id)
    )
    log.info("signed out everywhere", person=person_id)
    visit.visitor = None
    answer = await visit.show("signed_out.html", everywhere=True)
    access.drop_cookie(visit.house, answer, "chaperone")
    return answer


async def change_role(visit: Visit) -> Response:
    """``POST /account/role``: be here as another of one's roles, under a new id (S04)."""
    account, signed_in = await _own(visit), visit.visitor
    role = visit.text("role", 40)
    if signed_in is None or role not in account.roles:
        raise Refusal({"": "That is not one of your roles."})
    house = visit.house

    def switch(db: Connection) -> str:
        access_rows.close_web_session(db, house.store, access.cookie_of(visit.request))
        opened = access_rows.open_web_session(
            db, house.store, account.person_id, role, visit.now, signed_in.expires_at
        )
        return opened[1]

    cookie = await house.store.write(switch)
    log.info("role taken", person=account.person_id, role=role)
    answer = visit.go("/account")
    access.give_cookie(house, answer, cookie)
    return answer
