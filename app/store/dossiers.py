"""What is on file about a person beside the list of people, and what a talk covered.

A client's communication needs; a worker's disclosure check and training (guidance §4).
All of it lies sealed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, select

from app.store.bulk import insert_once
from app.store.database import Store
from app.store.people import LONGEST_LINE, LONGEST_TEXT, people, text_faults
from app.store.refusals import Refused, Unknown
from app.store.tables_dossiers import DossierRow, TalkPointsRow

dossiers = DossierRow.__table__  # type: ignore[attr-defined]
points = TalkPointsRow.__table__  # type: ignore[attr-defined]

DISCLOSURE = {
    "basic": "Basic",
    "standard": "Standard",
    "enhanced": "Enhanced",
    "enhanced_barred": "Enhanced, with barred list",
}
COVERED = {
    "child_protection": "How we keep young people safe, and when we must tell somebody",
    "consent": "What they consent to",
    "ground_rules": "The group's ground rules",
    "platform": "How the platform works, how to get help in it",
    "identity": "How we will know it is them",
}
DATES = ("disclosure_on", "disclosure_renew_on", "training_on", "training_renew_on")
_LINES = ("job", "training")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """``needs``: how to communicate well with a client. The rest is a worker's.

    ``disclosure``: a key of :data:`DISCLOSURE`, "" for none on file.
    """

    person_id: str
    needs: str = ""
    job: str = ""
    disclosure: str = ""
    disclosure_on: date | None = None
    disclosure_renew_on: date | None = None
    training: str = ""
    training_on: date | None = None
    training_renew_on: date | None = None


def keep(db: Connection, store: Store, dossier: Dossier, now: datetime) -> None:
    """Keep what is on file about somebody. Raises Refused."""
    faults = _faults(dossier, now.date())
    if faults:
        raise Refused(faults)
    row = {"person_id": dossier.person_id, **_sealed(store, dossier, now)}
    db.execute(insert_once(db, dossiers), row)
    db.execute(
        dossiers.update()
        .where(dossiers.c.person_id == dossier.person_id)
        .values(_sealed(store, dossier, now))
    )


def of(db: Connection, store: Store, person_ids: Collection[str]) -> dict[str, Dossier]:
    """Person id -> what is on file; an empty one where nothing is."""
    found = {one: Dossier(person_id=one) for one in person_ids}
    rows = db.execute(select(dossiers).where(dossiers.c.person_id.in_(list(found))))
    for row in rows:
        place = f"dossiers:details:{row.person_id}"
        details: dict[str, Any] = orjson.loads(store.open(row.details_sealed, place))
        for name in DATES:
            if details.get(name):
                details[name] = date.fromisoformat(details[name])
        found[row.person_id] = Dossier(person_id=row.person_id, **details)
    return found


def forget(db: Connection, person_id: str) -> None:
    """Erase what is on file about somebody, and what their talks covered."""
    db.execute(dossiers.delete().where(dossiers.c.person_id == person_id))
    db.execute(points.delete().where(points.c.client_id == person_id))


def take_part_again(db: Connection, person_id: str, now: datetime) -> None:
    """Undo that somebody left; who was erased stays so. Raises Unknown, Refused."""
    row = db.execute(
        select(people.c.details_sealed).where(people.c.id == person_id)
    ).first()
    if row is None:
        raise Unknown("person", person_id)
    if row.details_sealed is None:
        raise Refused({"": "This person was erased. Enter them anew."})
    db.execute(
        people.update()
        .where(people.c.id == person_id)
        .values(active=True, updated_at=now)
    )


# --- what a one-to-one covered ----------------------------------------------------


def cover(db: Connection, talk_id: str, client_id: str, covered: Sequence[str]) -> None:
    """Keep what a talk covered. Raises Refused."""
    if set(covered) - set(COVERED):
        raise Refused({"covered": "Choose from what is listed."})
    row = {"talk_id": talk_id, "client_id": client_id, "covered": list(covered)}
    db.execute(points.insert().values(row))


def covered_in(db: Connection, client_id: str) -> dict[str, list[str]]:
    """Talk id -> what it covered, of the talks with this client."""
    rows = db.execute(select(points).where(points.c.client_id == client_id))
    return {row.talk_id: list(row.covered) for row in rows}


def uncover(db: Connection, talk_id: str) -> None:
    """The talk was taken back."""
    db.execute(points.delete().where(points.c.talk_id == talk_id))


def _sealed(store: Store, dossier: Dossier, now: datetime) -> dict[str, Any]:
    details = {
        name: getattr(dossier, name)
        for name in Dossier.__dataclass_fields__
        if name != "person_id"
    }
    place = f"dossiers:details:{dossier.person_id}"
    return {
        "details_sealed": store.seal(orjson.dumps(details), place),
        "updated_at": now,
    }


def _faults(dossier: Dossier, today: date) -> dict[str, str]:
    faults = text_faults({"needs": dossier.needs}, LONGEST_TEXT)
    lines = {name: getattr(dossier, name) for name in _LINES}
    faults |= text_faults(lines, LONGEST_LINE, lines=False)
    if dossier.disclosure and dossier.disclosure not in DISCLOSURE:
        faults["disclosure"] = "Choose a level of disclosure check."
    for name in ("disclosure_on", "training_on"):
        at = getattr(dossier, name)
        if at is not None and at > today:
            faults[name] = "Enter today or an earlier day."
    return faults


def lapsed(dossier: Dossier, today: date) -> tuple[str, ...]:
    """What of a worker's papers has run out or is not on file, in plain words."""
    found = []
    if not dossier.disclosure or dossier.disclosure_on is None:
        found.append("no disclosure check on file")
    elif dossier.disclosure_renew_on and dossier.disclosure_renew_on < today:
        found.append("disclosure check due again")
    if dossier.training_on is None:
        found.append("no safeguarding training on file")
    elif dossier.training_renew_on and dossier.training_renew_on < today:
        found.append("safeguarding training due again")
    return tuple(found)


def with_id(dossier: Dossier, person_id: str) -> Dossier:
    """The same for somebody who was just given an id."""
    return replace(dossier, person_id=person_id)
