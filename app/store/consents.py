"""Consents: for what, by whom, how, when, and taken back when (guidance B6, §4).

The gate reads the flags on the person; they follow what is written here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, select

from app.store import people as people_rows
from app.store.database import Store
from app.store.ids import new_id
from app.store.people import LONGEST_LINE, has_letters, text_faults
from app.store.refusals import Refused, Unknown
from app.store.tables_dossiers import ConsentRow

consents = ConsentRow.__table__  # type: ignore[attr-defined]

SCOPES = {
    "take_part": "Take part in online group sessions",
    "recording": "Be recorded",
    "image": "Pictures",
}
METHODS = {
    "form": "Signed form",
    "mail": "By mail",
    "phone": "By telephone",
    "in_person": "Face to face",
}
GIVERS = {
    "client": "The young person",
    "parent": "A parent",
    "carer": "A carer or guardian",
    "corporate_parent": "The council as corporate parent",
    "social_worker": "A social worker",
}
_FLAGS = {"take_part": "consent_to_take_part", "recording": "recording_consent"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A consent of one client. ``giver`` and ``method`` are keys of the lists above.

    ``given_by``: the name of who gave it. ``withdrawn_on`` None: it holds.
    """

    id: str = ""
    person_id: str
    scope: str
    given_on: date
    giver: str
    given_by: str = ""
    method: str
    withdrawn_on: date | None = None
    withdrawn_how: str = ""
    entered_by: str = ""


def add(db: Connection, store: Store, consent: Consent, now: datetime) -> Consent:
    """Put a consent on file; the gate is open from now on. Raises Refused."""
    faults = faults_of(consent, now.date())
    if faults:
        raise Refused(faults)
    made = replace(consent, id=new_id("consent"), withdrawn_on=None, withdrawn_how="")
    db.execute(consents.insert().values(created_at=now, **_columns(store, made)))
    _follow(db, store, made, now)
    return made


def withdraw(
    db: Connection, store: Store, consent_id: str, how: str, now: datetime
) -> Consent:
    """It no longer holds: nobody is invited on it from now on. Raises Unknown, Refused."""
    faults = text_faults({"how": how}, LONGEST_LINE)
    if not has_letters(how):
        faults["how"] = "Write how you heard of it."
    if faults:
        raise Refused(faults)
    before = get(db, store, consent_id)
    return _change(
        db, store, replace(before, withdrawn_on=now.date(), withdrawn_how=how), now
    )


def take_withdrawal_back(
    db: Connection, store: Store, consent_id: str, now: datetime
) -> Consent:
    """The withdrawal was entered by mistake. Raises Unknown."""
    before = get(db, store, consent_id)
    return _change(db, store, replace(before, withdrawn_on=None, withdrawn_how=""), now)


def get(db: Connection, store: Store, consent_id: str) -> Consent:
    """One consent. Raises Unknown."""
    row = db.execute(select(consents).where(consents.c.id == consent_id)).first()
    if row is None:
        raise Unknown("consent", consent_id)
    return _consent(store, row)


def of(db: Connection, store: Store, person_id: str) -> list[Consent]:
    """The consents of a client, oldest first."""
    rows = db.execute(
        select(consents)
        .where(consents.c.person_id == person_id)
        .order_by(consents.c.given_on, consents.c.created_at)
    )
    return [_consent(store, row) for row in rows]


def forget(db: Connection, person_id: str) -> None:
    """Erase every consent of somebody."""
    db.execute(consents.delete().where(consents.c.person_id == person_id))


def faults_of(consent: Consent, today: date) -> dict[str, str]:
    """What is wrong with it: field -> sentence."""
    faults = text_faults({"given_by": consent.given_by}, LONGEST_LINE, lines=False)
    for field, known, sentence in (
        ("scope", SCOPES, "Choose what the consent is for."),
        ("giver", GIVERS, "Choose who gave it."),
        ("method", METHODS, "Choose how it was given."),
    ):
        if getattr(consent, field) not in known:
            faults[field] = sentence
    if consent.given_on > today:
        faults["given_on"] = "Enter today or an earlier day."
    return faults


def _change(db: Connection, store: Store, consent: Consent, now: datetime) -> Consent:
    db.execute(
        consents.update()
        .where(consents.c.id == consent.id)
        .values(_columns(store, consent))
    )
    _follow(db, store, consent, now)
    return consent


def _follow(db: Connection, store: Store, consent: Consent, now: datetime) -> None:
    """The flag the gate reads says whether a consent holds."""
    flag = _FLAGS.get(consent.scope)
    if flag is not None:
        held = _holds(of(db, store, consent.person_id), consent.scope)
        people_rows.change(db, store, consent.person_id, {flag: held}, now)


def _holds(found: Sequence[Consent], scope: str) -> bool:
    return any(one.scope == scope and one.withdrawn_on is None for one in found)


_DETAILS = ("giver", "given_by", "method", "withdrawn_how")


def _columns(store: Store, consent: Consent) -> dict[str, Any]:
    details = {name: getattr(consent, name) for name in _DETAILS}
    place = f"consents:details:{consent.id}"
    return {
        "id": consent.id,
        "person_id": consent.person_id,
        "scope": consent.scope,
        "given_on": consent.given_on,
        "withdrawn_on": consent.withdrawn_on,
        "entered_by": consent.entered_by,
        "details_sealed": store.seal(orjson.dumps(details), place),
    }


def _consent(store: Store, row: Any) -> Consent:
    place = f"consents:details:{row.id}"
    details: dict[str, str] = orjson.loads(store.open(row.details_sealed, place))
    return Consent(
        id=row.id,
        person_id=row.person_id,
        scope=row.scope,
        given_on=row.given_on,
        withdrawn_on=row.withdrawn_on,
        entered_by=row.entered_by,
        **details,
    )
