"""Who may come in: API tokens, single-use sign-in links, signed-in browsers.

Only keyed digests are stored, so that a stolen database opens no door.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from app.crypto import new_token
from app.store.database import Store
from app.store.ids import new_id
from app.store.people import people
from app.store.refusals import Unknown
from app.store.tables import SignInLinkRow, TokenRow, WebSessionRow
from app.store.tables_accounts import AccountLinkRow, SignInTryRow

tokens = TokenRow.__table__  # type: ignore[attr-defined]
sign_in_links = SignInLinkRow.__table__  # type: ignore[attr-defined]
web_sessions = WebSessionRow.__table__  # type: ignore[attr-defined]
account_links = AccountLinkRow.__table__  # type: ignore[attr-defined]
tries = SignInTryRow.__table__  # type: ignore[attr-defined]

# ASVS 5.0 V7.3: a forgotten browser is signed out after a quarter of an hour, one on the
# live page after half an hour, any after 8 hours.
IDLE = timedelta(minutes=15)
IDLE_LIVE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=8)
LINK_LASTS = timedelta(minutes=30)
TRIES_KEPT = timedelta(days=90)
_SEEN_EVERY = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An API token; its secret is shown once, when it is made."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A signed-in browser. ``csrf`` stands hidden in every form it is given."""

    person_id: str
    role: str
    csrf: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


# --- tokens -----------------------------------------------------------------------


def make_token(
    db: Connection, store: Store, name: str, scopes: Sequence[str], now: datetime
) -> tuple[Token, str]:
    """A new token and its secret text, which is not stored."""
    text = new_token()
    made = Token(
        id=new_id("token"), name=name, scopes=tuple(sorted(set(scopes))), created_at=now
    )
    db.execute(
        tokens.insert().values(
            id=made.id,
            name=name,
            digest=store.keys.digest("token", text),
            scopes=list(made.scopes),
            created_at=now,
        )
    )
    return made, text


def token_of(db: Connection, store: Store, text: str) -> Token | None:
    """The token of that secret, unless it is unknown or revoked."""
    digests = store.keys.digests("token", text)
    row = db.execute(
        select(tokens).where(
            tokens.c.digest.in_(digests), tokens.c.revoked_at.is_(None)
        )
    ).first()
    return None if row is None else _token(row)


def tokens_listed(db: Connection) -> list[Token]:
    """Every token ever made, oldest first."""
    rows = db.execute(select(tokens).order_by(tokens.c.created_at, tokens.c.id))
    return [_token(row) for row in rows]


def token_used(db: Connection, token_id: str, now: datetime) -> None:
    """Remember when a token last came."""
    db.execute(tokens.update().where(tokens.c.id == token_id).values(last_used_at=now))


def revoke_token(db: Connection, token_id: str, now: datetime) -> None:
    """Never again. Raises Unknown."""
    done = db.execute(
        tokens.update().where(tokens.c.id == token_id).values(revoked_at=now)
    )
    if done.rowcount == 0:
        raise Unknown("token", token_id)


def _token(row: Any) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )


# --- sign-in links ----------------------------------------------------------------


def make_sign_in_link(
    db: Connection,
    store: Store,
    person_id: str,
    role: str,
    now: datetime,
    lasts: timedelta = LINK_LASTS,
) -> str:
    """The secret part of a single-use way in for an active worker. Raises Unknown."""
    if not is_active_worker(db, person_id):
        raise Unknown("worker", person_id)
    text = new_token()
    db.execute(
        sign_in_links.insert().values(
            digest=store.keys.digest("sign-in", text),
            person_id=person_id,
            role=role,
            created_at=now,
            expires_at=now + lasts,
        )
    )
    return text


def sign_in_link_holds(db: Connection, store: Store, text: str, now: datetime) -> bool:
    """Whether the link would still work; looking does not use it up (K04)."""
    return _unused(db, store, text, now) is not None


def sign_in(
    db: Connection, store: Store, text: str, now: datetime
) -> tuple[SignIn, str] | None:
    """Use the link up and open a browser session: it and its cookie's secret.

    None when the link is unknown, used, out of date or of somebody who has left.
    """
    link = _unused(db, store, text, now)
    if link is None:
        return None
    used = db.execute(
        sign_in_links.update()
        .where(sign_in_links.c.digest == link.digest, sign_in_links.c.used_at.is_(None))
        .values(used_at=now)
    )
    if used.rowcount != 1 or not is_active_worker(db, link.person_id):
        return None
    return open_web_session(db, store, link.person_id, link.role, now)


def _unused(db: Connection, store: Store, text: str, now: datetime) -> Any:
    return db.execute(
        select(sign_in_links).where(
            sign_in_links.c.digest.in_(store.keys.digests("sign-in", text)),
            sign_in_links.c.used_at.is_(None),
            sign_in_links.c.expires_at > now,
        )
    ).first()


def is_active_worker(db: Connection, person_id: str) -> bool:
    found = db.execute(
        select(people.c.id).where(
            people.c.id == person_id,
            people.c.kind == "worker",
            people.c.active.is_(True),
        )
    )
    return found.first() is not None


# --- signed-in browsers -----------------------------------------------------------


def open_web_session(
    db: Connection,
    store: Store,
    person_id: str,
    role: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> tuple[SignIn, str]:
    """A new browser session with a new secret (S04) and its cookie's text.

    ``expires_at``: of the session it replaces, so that changing a role wins no time.
    """
    cookie = new_token()
    made = SignIn(
        person_id=person_id,
        role=role,
        csrf=new_token(),
        created_at=now,
        seen_at=now,
        expires_at=expires_at or now + ABSOLUTE,
    )
    db.execute(
        web_sessions.insert().values(
            digest=store.keys.digest("cookie", cookie),
            person_id=person_id,
            role=role,
            csrf=made.csrf,
            created_at=now,
            seen_at=now,
            expires_at=made.expires_at,
        )
    )
    return made, cookie


def web_session_of(
    db: Connection,
    store: Store,
    cookie: str,
    now: datetime,
    idle: timedelta = IDLE,
) -> SignIn | None:
    """The session of that cookie, unless it is over, silent for ``idle``, or they left."""
    row = db.execute(
        select(web_sessions).where(
            web_sessions.c.digest.in_(store.keys.digests("cookie", cookie))
        )
    ).first()
    if row is None or now >= row.expires_at or now - row.seen_at >= idle:
        return None
    if not is_active_worker(db, row.person_id):
        return None
    return _signed_in(row)


def _signed_in(row: Any) -> SignIn:
    return SignIn(
        person_id=row.person_id,
        role=row.role,
        csrf=row.csrf,
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
    )


def needs_touch(found: SignIn, now: datetime) -> bool:
    """Whether ``seen_at`` is old enough to be worth a write."""
    return now - found.seen_at >= _SEEN_EVERY


def touch_web_session(db: Connection, store: Store, cookie: str, now: datetime) -> None:
    """Somebody is still there."""
    db.execute(_of(store, cookie, web_sessions.update()).values(seen_at=now))


def close_web_session(db: Connection, store: Store, cookie: str) -> None:
    """Sign this browser out; its cookie opens nothing any more (S03)."""
    db.execute(_of(store, cookie, web_sessions.delete()))


def browsers_of(db: Connection, person_id: str, now: datetime) -> list[SignIn]:
    """A person's signed-in browsers, latest first."""
    rows = db.execute(
        select(web_sessions)
        .where(
            web_sessions.c.person_id == person_id,
            web_sessions.c.expires_at > now,
            web_sessions.c.seen_at > now - IDLE_LIVE,
        )
        .order_by(web_sessions.c.seen_at.desc(), web_sessions.c.digest)
    )
    return [_signed_in(row) for row in rows]


def close_web_sessions_of(db: Connection, person_id: str) -> None:
    """Sign a person out everywhere, for instance when their role changes (S03)."""
    for table in (web_sessions, sign_in_links):
        db.execute(table.delete().where(table.c.person_id == person_id))


def forget_old(db: Connection, now: datetime) -> None:
    """Delete browser sessions and links that can no longer be used, and old tries."""
    for table in (web_sessions, sign_in_links, account_links):
        db.execute(table.delete().where(table.c.expires_at <= now))
    db.execute(tries.delete().where(tries.c.at <= now - TRIES_KEPT))


def same(one: str, other: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


def _of(store: Store, cookie: str, statement: Any) -> Any:
    return statement.where(
        web_sessions.c.digest.in_(store.keys.digests("cookie", cookie))
    )
