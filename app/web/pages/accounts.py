"""The administrator's list of accounts: invite, change roles, close and open again.

Every change leaves a line in the log: who, whose account, what. Break-glass and the audit
chain hang themselves in at :func:`_audit`.
"""

from dataclasses import dataclass

import structlog
from sqlalchemy import Connection
from starlette.responses import Response

from app.core.names import display
from app.store import accounts, people, sign_in_tries
from app.store.accounts import Account
from app.store.people import Person
from app.web.access import ROLE_TITLES, Role
from app.web.pages import account_letters as letters
from app.web.pages.forms import Refusal
from app.web.pages.visit import Visit
from app.web.words import Tag
from integrations.base import PlatformFailure
from integrations.mail.message import BadAddress, check_address

log = structlog.get_logger("chaperone")

FORM = "invite"
OPEN = Tag("good", "✓", "Open")
INVITED = Tag("wait", "●", "Invited")
LATE = Tag("bad", "✕", "Invitation out of date")
CLOSED = Tag("calm", "•", "Closed")
# The first one chosen is what they sign in as.
ORDER = (
    Role.SESSION_LEAD,
    Role.SAFEGUARDING_LEAD,
    Role.WORKER,
    Role.ADMINISTRATOR,
)


@dataclass(frozen=True, slots=True)
class Line:
    """One account as it is listed."""

    account: Account
    name: str
    roles: str
    tag: Tag
    last: sign_in_tries.Try | None


async def page(visit: Visit) -> Response:
    """``GET /accounts``."""
    lines, free = await visit.read(lambda db: _look(db, visit))
    return await visit.show(
        "accounts.html",
        lines=lines,
        free=free,
        roles=[(str(role), ROLE_TITLES[role]) for role in ORDER],
        mails=visit.house.send_letter is not None,
    )


def _look(db: Connection, visit: Visit) -> tuple[list[Line], list[tuple[str, str]]]:
    store = visit.house.store
    found, free = accounts.listed(db, store), accounts.without_account(db)
    names = people.named(db, store, [*(a.person_id for a in found), *free])
    waiting = accounts.waiting(db, visit.now)
    lines = []
    for account in found:
        tries = sign_in_tries.last_of(db, store, account)
        proved = account.password or accounts.has_identity(db, account.id)
        tag = OPEN if proved else INVITED if account.id in waiting else LATE
        lines.append(
            Line(
                account=account,
                name=display(names.get(account.person_id, account.person_id)),
                roles=", ".join(ROLE_TITLES[Role(role)] for role in account.roles),
                tag=tag if accounts.open_to(db, account) else CLOSED,
                last=next((one for one in tries if one.right), None),
            )
        )
    lines.sort(key=lambda line: line.name.casefold())
    others = [(one, display(names.get(one, one))) for one in free]
    return lines, sorted(others, key=lambda other: other[1].casefold())


async def invite(visit: Visit) -> Response:
    """``POST /accounts/invite``: a worker on the list, or a new one by name."""
    person_id, name = visit.text("person_id", 80), visit.text("name", 120)
    email, roles = visit.text("email", 254), _roles(visit)
    faults = {}
    if not person_id and not people.has_letters(name):
        faults["person_id"] = "Choose a worker, or enter the name of a new one."
    if person_id and name:
        faults["name"] = "Choose a worker or enter a new name, not both."
    if not roles:
        faults["roles"] = "Choose at least one role."
    try:
        check_address(email)
    except BadAddress:
        faults["email"] = "Enter one e-mail address, such as anna@example.org."
    if faults:
        raise Refusal(faults, FORM)
    house = visit.house

    def make(db: Connection) -> tuple[Account, str]:
        whose = person_id
        if not whose:
            new = Person(kind="worker", name=name, email=email)
            whose = people.add(db, house.store, new, visit.now).id
        return accounts.invite(db, house.store, whose, email, roles, visit.now)

    account, text = await house.store.write(make)
    _audit(visit, "account invited", account)
    return await _send(visit, account, text)


async def invite_again(visit: Visit) -> Response:
    """``POST /accounts/{account_id}/invite``: the earlier link no longer works."""
    house, account_id = visit.house, visit.request.path_params["account_id"]

    def make(db: Connection) -> tuple[Account, str]:
        account = accounts.get(db, house.store, account_id)
        if not accounts.open_to(db, account):
            raise Refusal({"": "This account is closed. Open it first."})
        text = accounts.new_link(
            db, house.store, account_id, accounts.INVITE, visit.now
        )
        return account, text

    account, text = await house.store.write(make)
    _audit(visit, "account invited again", account)
    return await _send(visit, account, text)


async def _send(visit: Visit, account: Account, text: str) -> Response:
    """Send the link, or show it once to be handed over."""
    house, failed = visit.house, ""
    if house.send_letter is not None:
        try:
            letter = letters.invitation(house.settings, text)
            await house.send_letter(account.email, *letter)
            return await visit.show("account_invited.html", account=account, link="")
        except PlatformFailure as failure:
            failed = f"{failure} {getattr(failure, 'fix', '')}".strip()
    return await visit.show(
        "account_invited.html",
        account=account,
        link=letters.address(house.settings, text),
        failed=failed,
    )


async def change_roles(visit: Visit) -> Response:
    """``POST /accounts/{account_id}/roles``: they are signed out everywhere."""
    house, account_id = visit.house, visit.request.path_params["account_id"]
    roles = _roles(visit)
    account = await house.store.write(
        lambda db: accounts.change_roles(db, house.store, account_id, roles, visit.now)
    )
    _audit(visit, "account roles changed", account)
    return visit.go("/accounts")


async def close(visit: Visit) -> Response:
    """``POST /accounts/{account_id}/close``: nothing opens it from this moment on."""
    return await _set_active(visit, "account closed", active=False)


async def open_again(visit: Visit) -> Response:
    """``POST /accounts/{account_id}/open``."""
    return await _set_active(visit, "account opened", active=True)


async def _set_active(visit: Visit, what: str, *, active: bool) -> Response:
    house, account_id = visit.house, visit.request.path_params["account_id"]
    account = await house.store.write(
        lambda db: accounts.set_active(db, house.store, account_id, active, visit.now)
    )
    _audit(visit, what, account)
    return visit.go("/accounts")


def _roles(visit: Visit) -> list[str]:
    return [str(role) for role in ORDER if visit.form.get(f"role_{role}")]


def _audit(visit: Visit, what: str, account: Account) -> None:
    log.warning(
        what,
        by=visit.person_id,
        account=account.id,
        person=account.person_id,
        roles=",".join(account.roles),
    )
