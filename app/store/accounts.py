"""Accounts: who may sign in and as what. An account belongs to a worker.

The address is the one they were invited by; it is compared in one writing and never
shown to anybody but themselves and administrators. Links by mail are kept as digests.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from app.crypto import new_token
from app.store import access_rows
from app.store.database import Store
from app.store.ids import new_id
from app.store.people import people
from app.store.refusals import Refused, Unknown
from app.store.tables_accounts import AccountLinkRow, AccountRow, IdentityRow

accounts = AccountRow.__table__  # type: ignore[attr-defined]
account_links = AccountLinkRow.__table__  # type: ignore[attr-defined]
identities = IdentityRow.__table__  # type: ignore[attr-defined]

INVITE, RESET = "invite", "reset"
INVITATION_LASTS = timedelta(days=7)
RESET_LASTS = timedelta(hours=1)
RESETS_AN_HOUR = 3
ADMINISTRATOR = "administrator"
_LASTS = {INVITE: INVITATION_LASTS, RESET: RESET_LASTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account. ``roles``: the first is what they sign in as.

    ``password``: as :mod:`app.store.passwords` keeps it, None before one is set.
    """

    id: str
    person_id: str
    email: str
    roles: tuple[str, ...]
    password: str | None
    password_set_at: datetime | None
    active: bool
    created_at: datetime

    @property
    def role(self) -> str:
        """What they sign in as."""
        return self.roles[0]


def email_digest(store: Store, email: str) -> str:
    """What an address is looked up by; one writing for all of a person's spellings."""
    return store.keys.digest("account-email", email.strip().casefold())


# --- making and finding -------------------------------------------------------------


def invite(
    db: Connection,
    store: Store,
    person_id: str,
    email: str,
    roles: Sequence[str],
    now: datetime,
) -> tuple[Account, str]:
    """Make an account for a worker, and the text of their invitation.

    Raises Unknown for somebody who is no active worker, Refused when they or the address
    have an account already or no role is given.
    """
    if not access_rows.is_active_worker(db, person_id):
        raise Unknown("worker", person_id)
    faults: dict[str, str] = {}
    if not roles:
        faults["roles"] = "Choose at least one role."
    if of_person(db, store, person_id) is not None:
        faults["person_id"] = "This person has an account already."
    elif by_email(db, store, email) is not None:
        faults["email"] = "This address belongs to another account already."
    if faults:
        raise Refused(faults)
    made = new_id("account")
    db.execute(
        accounts.insert().values(
            id=made,
            person_id=person_id,
            email_digest=email_digest(store, email),
            email_sealed=store.seal(email.strip().encode(), f"accounts:email:{made}"),
            roles=list(roles),
            active=True,
            created_at=now,
            updated_at=now,
        )
    )
    return get(db, store, made), new_link(db, store, made, INVITE, now)


def get(db: Connection, store: Store, account_id: str) -> Account:
    """One account. Raises Unknown."""
    found = _one(db, store, accounts.c.id == account_id)
    if found is None:
        raise Unknown("account", account_id)
    return found


def of_person(db: Connection, store: Store, person_id: str) -> Account | None:
    """The account of a person."""
    return _one(db, store, accounts.c.person_id == person_id)


def by_email(db: Connection, store: Store, email: str) -> Account | None:
    """The account of an address."""
    digests = store.keys.digests("account-email", email.strip().casefold())
    return _one(db, store, accounts.c.email_digest.in_(digests))


def listed(db: Connection, store: Store) -> list[Account]:
    """Every account, oldest first."""
    rows = db.execute(select(accounts).order_by(accounts.c.created_at, accounts.c.id))
    return [_account(store, row) for row in rows]


def open_to(db: Connection, account: Account | None) -> bool:
    """Whether anybody may come in by this account now."""
    if account is None or not account.active:
        return False
    return access_rows.is_active_worker(db, account.person_id)


def waiting(db: Connection, now: datetime) -> set[str]:
    """Ids of the accounts whose invitation is open."""
    rows = db.execute(
        select(account_links.c.account_id).where(
            account_links.c.kind == INVITE,
            account_links.c.used_at.is_(None),
            account_links.c.expires_at > now,
        )
    )
    return {row.account_id for row in rows}


# --- links by mail ------------------------------------------------------------------


def new_link(
    db: Connection, store: Store, account_id: str, kind: str, now: datetime
) -> str:
    """A fresh single-use link; earlier ones of its kind no longer work."""
    db.execute(
        account_links.update()
        .where(
            account_links.c.account_id == account_id,
            account_links.c.kind == kind,
            account_links.c.used_at.is_(None),
        )
        .values(used_at=now)
    )
    text = new_token()
    db.execute(
        account_links.insert().values(
            digest=store.keys.digest("account-link", text),
            account_id=account_id,
            kind=kind,
            created_at=now,
            expires_at=now + _LASTS[kind],
        )
    )
    return text


def resets_since(db: Connection, account_id: str, since: datetime) -> int:
    """How many ways to a new password were sent since then."""
    found = db.execute(
        select(func.count())
        .select_from(account_links)
        .where(
            account_links.c.account_id == account_id,
            account_links.c.kind == RESET,
            account_links.c.created_at > since,
        )
    )
    return int(found.scalar_one())


def link_opens(
    db: Connection, store: Store, text: str, now: datetime
) -> tuple[Account, str] | None:
    """The account a link is for and its kind; looking does not use it up (K04)."""
    row = db.execute(
        select(account_links).where(
            account_links.c.digest.in_(store.keys.digests("account-link", text)),
            account_links.c.used_at.is_(None),
            account_links.c.expires_at > now,
        )
    ).first()
    if row is None:
        return None
    account = get(db, store, row.account_id)
    return (account, str(row.kind)) if open_to(db, account) else None


def use_link(
    db: Connection, store: Store, text: str, now: datetime
) -> tuple[Account, str] | None:
    """Use a link up, and every other one of the account. None when it does not work."""
    found = link_opens(db, store, text, now)
    if found is None:
        return None
    use_links(db, found[0].id, now)
    return found


def use_links(db: Connection, account_id: str, now: datetime) -> None:
    """Use every open link of an account up."""
    db.execute(
        account_links.update()
        .where(
            account_links.c.account_id == account_id, account_links.c.used_at.is_(None)
        )
        .values(used_at=now)
    )


# --- what proves a person -----------------------------------------------------------


def set_password(
    db: Connection, store: Store, account_id: str, kept: str, now: datetime
) -> None:
    """Keep a new password; every browser is signed out (S03). Raises Unknown."""
    account = get(db, store, account_id)
    place = f"accounts:password:{account_id}"
    db.execute(
        accounts.update()
        .where(accounts.c.id == account_id)
        .values(
            password_sealed=store.seal(kept.encode(), place),
            password_set_at=now,
            updated_at=now,
        )
    )
    access_rows.close_web_sessions_of(db, account.person_id)


def join_identity(
    db: Connection,
    store: Store,
    account_id: str,
    issuer: str,
    subject: str,
    now: datetime,
) -> None:
    """From now on whoever the provider calls this is this account. Raises Refused."""
    known = by_identity(db, store, issuer, subject)
    if known is not None and known.id != account_id:
        raise Refused(
            {"": "That account of your organisation belongs to somebody else."}
        )
    if known is None:
        text = _who(issuer, subject)
        db.execute(
            identities.insert().values(
                digest=store.keys.digest("identity", text),
                account_id=account_id,
                created_at=now,
            )
        )


def by_identity(
    db: Connection, store: Store, issuer: str, subject: str
) -> Account | None:
    """The account of whom the provider calls this: never by their address (S17)."""
    digests = store.keys.digests("identity", _who(issuer, subject))
    row = db.execute(
        select(identities.c.account_id).where(identities.c.digest.in_(digests))
    ).first()
    return None if row is None else get(db, store, row.account_id)


def has_identity(db: Connection, account_id: str) -> bool:
    """Whether the organisation's own sign-in opens this account."""
    found = select(identities.c.digest).where(identities.c.account_id == account_id)
    return db.execute(found).first() is not None


def _who(issuer: str, subject: str) -> str:
    return f"{len(issuer)}:{issuer}:{subject}"


# --- roles and closing --------------------------------------------------------------


def change_roles(
    db: Connection, store: Store, account_id: str, roles: Sequence[str], now: datetime
) -> Account:
    """What they may be here as; they are signed out everywhere. Raises Unknown, Refused."""
    account = get(db, store, account_id)
    if not roles:
        raise Refused({"roles": "Choose at least one role."})
    if ADMINISTRATOR not in roles:
        _keep_an_administrator(db, store, account)
    _write(db, account, now, roles=list(roles))
    return get(db, store, account_id)


def set_active(
    db: Connection, store: Store, account_id: str, active: bool, now: datetime
) -> Account:
    """Close an account at once, or open it again. Raises Unknown, Refused."""
    account = get(db, store, account_id)
    if not active:
        _keep_an_administrator(db, store, account)
        db.execute(
            account_links.delete().where(account_links.c.account_id == account_id)
        )
    _write(db, account, now, active=active)
    return get(db, store, account_id)


def _write(db: Connection, account: Account, now: datetime, **values: Any) -> None:
    db.execute(
        accounts.update()
        .where(accounts.c.id == account.id)
        .values(updated_at=now, **values)
    )
    access_rows.close_web_sessions_of(db, account.person_id)


def _keep_an_administrator(db: Connection, store: Store, account: Account) -> None:
    others = [
        one
        for one in listed(db, store)
        if one.id != account.id and ADMINISTRATOR in one.roles and open_to(db, one)
    ]
    if ADMINISTRATOR in account.roles and account.active and not others:
        sentence = "This is the last administrator. Make somebody else one first."
        raise Refused({"": sentence})


def without_account(db: Connection) -> list[str]:
    """Ids of active workers who have no account yet."""
    having = select(accounts.c.person_id)
    rows = db.execute(
        select(people.c.id)
        .where(
            people.c.kind == "worker",
            people.c.active.is_(True),
            people.c.id.not_in(having),
        )
        .order_by(people.c.id)
    )
    return [row.id for row in rows]


def _one(db: Connection, store: Store, condition: Any) -> Account | None:
    row = db.execute(select(accounts).where(condition)).first()
    return None if row is None else _account(store, row)


def _account(store: Store, row: Any) -> Account:
    password = None
    if row.password_sealed is not None:
        place = f"accounts:password:{row.id}"
        password = store.open(row.password_sealed, place).decode()
    return Account(
        id=row.id,
        person_id=row.person_id,
        email=store.open(row.email_sealed, f"accounts:email:{row.id}").decode(),
        roles=tuple(row.roles),
        password=password,
        password_set_at=row.password_set_at,
        active=row.active,
        created_at=row.created_at,
    )
