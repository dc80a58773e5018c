"""Alarm contacts: where an alarm goes when nobody looks at a page.

A contact counts only after a code sent to it came back.
"""

from dataclasses import dataclass
from datetime import datetime
from secrets import randbelow
from typing import Any

from sqlalchemy import Connection, select

from app.store import queue
from app.store.access_rows import same
from app.store.database import Store
from app.store.ids import new_id
from app.store.people import has_letters, text_faults
from app.store.refusals import Refused, Unknown
from app.store.tables import ContactRow

contacts = ContactRow.__table__  # type: ignore[attr-defined]

CHANNELS = ("mail", "webhook")
LONGEST_ADDRESS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Where alarms go. ``secret`` signs the posts of a webhook, "" for mail."""

    id: str = ""
    channel: str
    address: str
    secret: str = ""
    label: str = ""
    created_at: datetime | None = None
    confirmed_at: datetime | None = None


def add(
    db: Connection,
    store: Store,
    contact: Contact,
    now: datetime,
    *,
    allow_test_hosts: bool = False,
) -> tuple[str, str]:
    """Keep a contact; returns its id and the code to send there. Raises Refused.

    ``allow_test_hosts``: a webhook may stand on this machine (rehearsal, tests).
    """
    faults = text_faults(
        {"address": contact.address, "label": contact.label},
        LONGEST_ADDRESS,
        lines=False,
    )
    if contact.channel not in CHANNELS:
        faults["channel"] = "Choose mail or webhook."
    if not has_letters(contact.address):
        faults["address"] = "Enter where the alarm should go."
    elif contact.channel == "mail" and "@" not in contact.address:
        faults["address"] = "Enter one e-mail address."
    elif contact.channel == "webhook" and not contact.address.startswith(
        ("https://", "http://127.0.0.1:") if allow_test_hosts else "https://"
    ):
        faults["address"] = "Enter an address that begins with https://."
    if faults:
        raise Refused(faults)
    row_id, code = new_id("contact"), _code()
    db.execute(
        contacts.insert().values(
            id=row_id,
            channel=contact.channel,
            label_sealed=_seal(store, "label", row_id, contact.label)
            if contact.label
            else None,
            address_sealed=_seal(store, "address", row_id, contact.address),
            secret_sealed=_seal(store, "secret", row_id, contact.secret)
            if contact.secret
            else None,
            created_at=now,
            code_digest=store.keys.digest("contact-code", f"{row_id}:{code}"),
        )
    )
    return row_id, code


def new_code(db: Connection, store: Store, contact_id: str) -> str:
    """Another code, for one that got lost; the old one no longer works."""
    get(db, store, contact_id)
    code = _code()
    digest = store.keys.digest("contact-code", f"{contact_id}:{code}")
    db.execute(
        contacts.update().where(contacts.c.id == contact_id).values(code_digest=digest)
    )
    return code


def confirm(
    db: Connection, store: Store, contact_id: str, code: str, now: datetime
) -> bool:
    """Whether the code came back right; then the contact counts. Raises Unknown.

    It hears of the red alarms that are open, too.
    """
    row = db.execute(select(contacts).where(contacts.c.id == contact_id)).first()
    if row is None:
        raise Unknown("contact", contact_id)
    digests = store.keys.digests("contact-code", f"{contact_id}:{code.strip()}")
    if not any(same(row.code_digest, digest) for digest in digests):
        return False
    if row.confirmed_at is None:
        db.execute(
            contacts.update()
            .where(contacts.c.id == contact_id)
            .values(confirmed_at=now)
        )
        queue.tell_of_open_alarms(db, contact_id, now)
    return True


def get(db: Connection, store: Store, contact_id: str) -> Contact:
    """One contact. Raises Unknown."""
    row = db.execute(select(contacts).where(contacts.c.id == contact_id)).first()
    if row is None:
        raise Unknown("contact", contact_id)
    return _contact(store, row)


def listed(
    db: Connection, store: Store, *, confirmed_only: bool = False
) -> list[Contact]:
    """Contacts, oldest first."""
    query = _CONFIRMED if confirmed_only else _LISTED
    return [_contact(store, row) for row in db.execute(query)]


_LISTED = select(contacts).order_by(contacts.c.created_at, contacts.c.id)
_CONFIRMED = _LISTED.where(contacts.c.confirmed_at.is_not(None))


def remove(db: Connection, contact_id: str) -> None:
    """Take a contact off the list. Raises Unknown."""
    if db.execute(contacts.delete().where(contacts.c.id == contact_id)).rowcount == 0:
        raise Unknown("contact", contact_id)


def _code() -> str:
    return f"{randbelow(10**8):08}"


def _seal(store: Store, column: str, row_id: str, text: str) -> bytes:
    return store.seal(text.encode(), f"contacts:{column}:{row_id}")


def _open(store: Store, column: str, row: Any) -> str:
    sealed = getattr(row, f"{column}_sealed")
    if sealed is None:
        return ""
    return store.open(sealed, f"contacts:{column}:{row.id}").decode()


def _contact(store: Store, row: Any) -> Contact:
    return Contact(
        id=row.id,
        channel=row.channel,
        address=_open(store, "address", row),
        secret=_open(store, "secret", row),
        label=_open(store, "label", row),
        created_at=row.created_at,
        confirmed_at=row.confirmed_at,
    )
