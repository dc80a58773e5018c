"""Tries to sign in, right and wrong, under addresses that are known here or not.

A wrong try costs the same for an address nobody has, so that nothing is learnt from it.
A browser somebody signed in with before is counted apart from all others: a stranger who
tries Anna's address all evening does not keep Anna out of her session (after the OWASP
"device cookies" page).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from app.store.accounts import Account, email_digest
from app.store.database import Store
from app.store.ids import new_id
from app.store.tables_accounts import SignInTryRow

tries = SignInTryRow.__table__  # type: ignore[attr-defined]

MOST_WRONG = 10
WITHIN = timedelta(minutes=15)
RIGHT, WRONG = "right", "wrong"


@dataclass(frozen=True, slots=True)
class Try:
    """One try: ``mode`` password, provider or link; ``right``: it opened the door."""

    at: datetime
    mode: str
    right: bool


def note(
    db: Connection,
    store: Store,
    email: str,
    browser: str,
    mode: str,
    right: bool,
    now: datetime,
) -> None:
    """Write a try down. ``browser``: what :func:`browser_digest` gave, "" for unknown."""
    db.execute(
        tries.insert().values(
            id=new_id("try"),
            email_digest=email_digest(store, email),
            browser_digest=browser,
            mode=mode,
            state=RIGHT if right else WRONG,
            at=now,
        )
    )


def wait_of(
    db: Connection, store: Store, email: str, browser: str, now: datetime
) -> timedelta:
    """How long until the next try under this address, from such a browser."""
    rows = db.execute(
        select(tries.c.at)
        .where(
            tries.c.email_digest == email_digest(store, email),
            tries.c.browser_digest == browser,
            tries.c.state == WRONG,
            tries.c.at > now - WITHIN,
        )
        .order_by(tries.c.at.desc())
        .limit(MOST_WRONG)
    )
    times = [row.at for row in rows]
    if len(times) < MOST_WRONG:
        return timedelta(0)
    wait: timedelta = times[-1] + WITHIN - now
    return wait


def forgive(db: Connection, store: Store, email: str) -> None:
    """The counting starts anew: they have a new password by their own mailbox."""
    db.execute(
        tries.delete().where(
            tries.c.email_digest == email_digest(store, email), tries.c.state == WRONG
        )
    )


def last_of(
    db: Connection, store: Store, account: Account, most: int = 10
) -> list[Try]:
    """The last tries of an account, latest first."""
    rows = db.execute(
        select(tries)
        .where(tries.c.email_digest == email_digest(store, account.email))
        .order_by(tries.c.at.desc(), tries.c.id)
        .limit(most)
    )
    return [Try(row.at, row.mode, row.state == RIGHT) for row in rows]


def browser_digest(store: Store, email: str, text: str) -> str:
    """What a browser known for this address is counted by."""
    return store.keys.digest("known-browser", f"{email.strip().casefold()} {text}")
