"""People: workers and clients, and the one-to-one talks between them.

Names, addresses and every free text lie sealed; the columns hold facts a rule needs.
"""

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, select

from app.store.database import Store
from app.store.ids import new_id
from app.store.refusals import Refused, Unknown
from app.store.tables import (
    LinkRow,
    OneToOneRow,
    PersonRow,
    SignInLinkRow,
    WebSessionRow,
)
from app.store.tables_accounts import AccountLinkRow, AccountRow, IdentityRow

people = PersonRow.__table__  # type: ignore[attr-defined]
talks = OneToOneRow.__table__  # type: ignore[attr-defined]
links = LinkRow.__table__  # type: ignore[attr-defined]
sign_in_links = SignInLinkRow.__table__  # type: ignore[attr-defined]
web_sessions = WebSessionRow.__table__  # type: ignore[attr-defined]
accounts = AccountRow.__table__  # type: ignore[attr-defined]
account_links = AccountLinkRow.__table__  # type: ignore[attr-defined]
identities = IdentityRow.__table__  # type: ignore[attr-defined]

KINDS = ("worker", "client")
LONGEST_NAME = 120
LONGEST_LINE = 254
LONGEST_TEXT = 2_000
SEALED = (
    "name",
    "register_name",
    "email",
    "phone",
    "contact",
    "referrer",
    "emergency_note",
    "reference",
)
# Fields, their greatest length, and whether they may have several lines.
_TEXTS = (
    (("name", "register_name"), LONGEST_NAME, False),
    (("email", "phone", "reference", "platform_user_id"), LONGEST_LINE, False),
    (("contact", "referrer", "emergency_note"), LONGEST_TEXT, True),
)
_ENTERED_ELSEWHERE = frozenset({"id", "active", "created_at", "updated_at"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A worker or a client (fields: guidance §4).

    ``name`` is what people call them: the preferred or work name. ``contact`` (parent or
    carer) and ``referrer`` say whom to turn to. ``platform_user_id`` is the directory or
    account id a manager entered; ``reference`` the organisation's own number.
    ``known_to`` is the id of a worker.
    """

    id: str = ""
    kind: str
    name: str
    register_name: str = ""
    email: str = ""
    phone: str = ""
    contact: str = ""
    referrer: str = ""
    emergency_note: str = ""
    reference: str = ""
    platform_user_id: str = ""
    shared_login: bool = False
    consent_to_take_part: bool = False
    recording_consent: bool = False
    high_risk: bool = False
    risk_reviewed_on: date | None = None
    known_to: str = ""
    age_years: int | None = None
    active: bool = True
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A dated one-to-one of a client with a worker (guidance T9)."""

    id: str = ""
    client_id: str
    worker_id: str
    held_on: date
    channel: str = ""
    outcome: str = ""


def add(db: Connection, store: Store, person: Person, now: datetime) -> Person:
    """Store somebody new and give them an id. Raises Refused."""
    made = replace(
        person, id=new_id("person"), active=True, created_at=now, updated_at=now
    )
    _check(db, made, now.date())
    db.execute(people.insert().values(_columns(store, made)))
    return made


def change(
    db: Connection,
    store: Store,
    person_id: str,
    changes: Mapping[str, Any],
    now: datetime,
) -> Person:
    """Change fields of a person. Raises Unknown, Refused."""
    kept = {k: v for k, v in changes.items() if k not in _ENTERED_ELSEWHERE}
    changed = replace(get(db, store, person_id), **kept, updated_at=now)
    _check(db, changed, now.date())
    db.execute(
        people.update().where(people.c.id == person_id).values(_columns(store, changed))
    )
    return changed


def get(db: Connection, store: Store, person_id: str) -> Person:
    """One person. Raises Unknown."""
    row = db.execute(select(people).where(people.c.id == person_id)).first()
    if row is None:
        raise Unknown("person", person_id)
    return _person(store, row)


def listed(
    db: Connection,
    store: Store,
    *,
    kind: str = "",
    active_only: bool = True,
    after: str = "",
    limit: int = 100,
) -> list[Person]:
    """People in the order of their ids, after an id (for paging)."""
    query = select(people).where(people.c.id > after).order_by(people.c.id)
    if kind:
        query = query.where(people.c.kind == kind)
    if active_only:
        query = query.where(people.c.active.is_(True))
    return [_person(store, row) for row in db.execute(query.limit(limit))]


def named(db: Connection, store: Store, ids: Collection[str]) -> dict[str, str]:
    """Person id -> name; an erased or unknown person is left out."""
    rows = db.execute(
        select(people.c.id, people.c.details_sealed).where(
            people.c.id.in_(list(ids)), people.c.details_sealed.is_not(None)
        )
    )
    return {row.id: _details(store, row)["name"] for row in rows}


def deactivate(db: Connection, person_id: str, now: datetime) -> None:
    """They no longer take part: no sign-in is left open (S03). Raises Unknown."""
    changed = db.execute(
        people.update()
        .where(people.c.id == person_id)
        .values(active=False, updated_at=now)
    )
    if changed.rowcount == 0:
        raise Unknown("person", person_id)
    for table in (web_sessions, sign_in_links):
        db.execute(table.delete().where(table.c.person_id == person_id))


def erase(db: Connection, person_id: str, now: datetime) -> None:
    """Erase what names or describes them; the pseudonymous rows stay. Raises Unknown."""
    deactivate(db, person_id, now)
    erase_account(db, person_id)
    db.execute(
        people.update()
        .where(people.c.id == person_id)
        .values(
            details_sealed=None,
            platform_user_id="",
            has_contact=False,
            has_referrer=False,
            age_years=None,
            known_to="",
        )
    )
    db.execute(
        talks.update()
        .where(talks.c.client_id == person_id)
        .values(outcome_sealed=None, channel_sealed=None)
    )
    db.execute(
        links.update()
        .where(links.c.person_id == person_id)
        .values(url_sealed=None, alias="")
    )


def erase_account(db: Connection, person_id: str) -> None:
    """Take their account away, with everything that opens it."""
    mine = select(accounts.c.id).where(accounts.c.person_id == person_id)
    for table in (account_links, identities):
        db.execute(table.delete().where(table.c.account_id.in_(mine)))
    db.execute(accounts.delete().where(accounts.c.person_id == person_id))


# --- one-to-ones ------------------------------------------------------------------


def add_talk(db: Connection, store: Store, talk: Talk, now: datetime) -> Talk:
    """Put a one-to-one on file. Raises Refused."""
    faults: dict[str, str] = {}
    if not _exists(db, talk.client_id, "client"):
        faults["client_id"] = "Choose a client who is on the list."
    if not _exists(db, talk.worker_id, "worker"):
        faults["worker_id"] = "Choose a worker who is on the list."
    if talk.held_on > now.date():
        faults["held_on"] = (
            "The talk must have been held: enter today or an earlier day."
        )
    elif talk.held_on.year < now.year - 5:
        faults["held_on"] = "Enter a day within the last five years."
    faults |= text_faults(
        {"channel": talk.channel, "outcome": talk.outcome}, LONGEST_TEXT
    )
    if faults:
        raise Refused(faults)
    made = replace(talk, id=new_id("talk"))
    db.execute(
        talks.insert().values(
            id=made.id,
            client_id=made.client_id,
            worker_id=made.worker_id,
            held_on=made.held_on,
            channel_sealed=_seal_talk(store, "channel", made.id, made.channel),
            outcome_sealed=_seal_talk(store, "outcome", made.id, made.outcome),
            created_at=now,
        )
    )
    return made


def talks_of(
    db: Connection, store: Store, client_ids: Collection[str]
) -> dict[str, list[Talk]]:
    """Client id -> their one-to-ones, oldest first."""
    found: dict[str, list[Talk]] = {client_id: [] for client_id in client_ids}
    rows = db.execute(
        select(talks)
        .where(talks.c.client_id.in_(list(client_ids)))
        .order_by(talks.c.held_on, talks.c.id)
    )
    for row in rows:
        found[row.client_id].append(
            Talk(
                id=row.id,
                client_id=row.client_id,
                worker_id=row.worker_id,
                held_on=row.held_on,
                channel=_open_talk(store, "channel", row),
                outcome=_open_talk(store, "outcome", row),
            )
        )
    return found


def take_talk_back(db: Connection, talk_id: str) -> str:
    """Delete a one-to-one entered by mistake; returns the client's id. Raises Unknown."""
    row = db.execute(select(talks.c.client_id).where(talks.c.id == talk_id)).first()
    if row is None:
        raise Unknown("one-to-one", talk_id)
    db.execute(talks.delete().where(talks.c.id == talk_id))
    return str(row.client_id)


def _seal_talk(store: Store, column: str, talk_id: str, text: str) -> bytes | None:
    place = f"one_to_ones:{column}:{talk_id}"
    return store.seal(text.encode(), place) if text else None


def _open_talk(store: Store, column: str, row: Any) -> str:
    sealed = getattr(row, f"{column}_sealed")
    if sealed is None:
        return ""
    return store.open(sealed, f"one_to_ones:{column}:{row.id}").decode()


# --- what may be entered ----------------------------------------------------------


def text_faults(
    texts: Mapping[str, str], longest: int, *, lines: bool = True
) -> dict[str, str]:
    """Texts that are too long or hold control characters: field -> sentence.

    Line breaks and tabs may be, unless ``lines`` is False.
    """
    faults: dict[str, str] = {}
    for field, text in texts.items():
        if len(text) > longest:
            faults[field] = f"Use at most {longest} characters; this is {len(text)}."
        elif any(_unprintable(c) for c in text):
            faults[field] = "Take out the control characters: they cannot be shown."
        elif not lines and any(c in text for c in "\n\r\t"):
            faults[field] = "Write this in one line."
    return faults


def has_letters(text: str) -> bool:
    """Whether anything is left when blanks and invisible characters are taken away."""
    return any(unicodedata.category(c)[0] not in "ZC" for c in text)


def _unprintable(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\r\t"


def _check(db: Connection, person: Person, today: date) -> None:
    faults: dict[str, str] = {}
    if person.kind not in KINDS:
        faults["kind"] = "Say whether this is a worker or a client."
    if not has_letters(person.name):
        faults["name"] = "Enter the name people call them."
    for names, longest, lines in _TEXTS:
        texts = {field: getattr(person, field) for field in names}
        faults |= text_faults(texts, longest, lines=lines)
    if person.age_years is not None and not 0 <= person.age_years <= 120:
        faults["age_years"] = "Enter an age from 0 to 120, or leave it out."
    if person.known_to and not _exists(db, person.known_to, "worker"):
        faults["known_to"] = "Choose a worker who is on the list."
    reviewed = person.risk_reviewed_on
    if reviewed is not None and reviewed > today:
        faults["risk_reviewed_on"] = "A review cannot lie in the future."
    if faults:
        raise Refused(faults)


def _exists(db: Connection, person_id: str, kind: str) -> bool:
    found = db.execute(
        select(people.c.id).where(
            people.c.id == person_id,
            people.c.kind == kind,
            people.c.active.is_(True),
        )
    )
    return found.first() is not None


def _columns(store: Store, person: Person) -> dict[str, Any]:
    details = {name: getattr(person, name) for name in SEALED}
    row = {
        f.name: getattr(person, f.name) for f in fields(person) if f.name not in SEALED
    }
    return {
        **row,
        "has_contact": has_letters(person.contact),
        "has_referrer": has_letters(person.referrer),
        "contacts_gone": False,
        "details_sealed": store.seal(
            orjson.dumps(details), f"people:details:{person.id}"
        ),
    }


def _details(store: Store, row: Any) -> dict[str, str]:
    if row.details_sealed is None:
        return {"name": ""}
    opened = store.open(row.details_sealed, f"people:details:{row.id}")
    details: dict[str, str] = orjson.loads(opened)
    return details


def _person(store: Store, row: Any) -> Person:
    columns = row._mapping
    facts: dict[str, Any] = {
        f.name: columns[f.name] for f in fields(Person) if f.name not in SEALED
    }
    return Person(**{**facts, **_details(store, row)})


def worker_by_account(db: Connection, platform_user_id: str) -> str:
    """The active worker with this account at the platform; "" when nobody has it."""
    found = db.execute(
        select(people.c.id).where(
            people.c.kind == "worker",
            people.c.active.is_(True),
            people.c.shared_login.is_(False),
            people.c.platform_user_id == platform_user_id,
        )
    ).scalar()
    return str(found or "")
