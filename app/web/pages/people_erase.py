"""Erase a person from a page: what goes, what stays and why, and their name typed."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.responses import Response

from app.privacy import erasure
from app.privacy.erasure import Erased, Stays
from app.store import people
from app.store.people import Person
from app.store.refusals import Refused
from app.web import erasing
from app.web.pages.forms import Refusal
from app.web.pages.people import shown
from app.web.pages.visit import Visit

FORM = "erase"
GOES: Mapping[str, str] = {
    "people": "Name, contacts, notes about them: what was entered on their page",
    "accounts": "Their account",
    "web_sessions": "Browsers they are signed in with",
    "sign_in_links": "Single-use ways in",
    "sign_in_tries": "Tries to sign in",
    "links": "Personal links into sessions",
    "consents": "Consents, with the names of who gave them",
    "dossiers": "Needs or papers",
    "drafts": "Notes somebody has not saved yet",
    "one_to_ones": "What was said in one-to-ones; that they were held stays",
    "log_personal": "What they typed, and where a sentence about the room names them",
    "deliveries": "The platform's raw messages about them",
    "actions": "Words that were to be sent to them",
    "sessions": "Their name in plans of sessions",
    "notes": "Their name in session notes",
    "groups": "Their name in the names of groups",
    "ground_rules": "Their name in who made ground rules",
    "holds": "Their name in reasons of holds",
    "contacts": "Their name on alarm contacts",
    "policy_versions": "Their name in reasons of the policy",
}
STAYS: Mapping[str, str] = {
    "records": "Confirmed records",
    "log": "Facts of the log",
    "meetings": "Meetings at the platform",
    "sessions": "Sessions",
    "concerns": "Concerns",
    "backups": "Backups",
    erasure.IN_MEMORY: "",
}
FIRST_LEAVE = (
    "They still take part. Go back to their page and press that they take no part any "
    "more; then they can be erased."
)


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that stays, in words."""

    what: str
    stays: Stays


async def page(visit: Visit) -> Response:
    """``GET /people/{person_id}/erase``."""
    person_id = _person_id(visit)
    store = visit.house.store

    def look(db: Connection) -> tuple[Person, object]:
        return people.get(db, store, person_id), erasure.erased_at(db, person_id)

    one, erased_at = await visit.read(look)
    made: Erased | None = None
    refused = FIRST_LEAVE if one.active else ""
    if not refused:
        try:
            made = await erasure.look(store, person_id, visit.now)
        except Refused as why:
            refused = " ".join(why.faults.values())
    return await visit.show(
        "person_erase.html",
        one=one,
        name=shown(one.name, one.id),
        erased_at=erased_at if not one.name else None,
        refused=refused,
        goes=_goes(made),
        stays=_stays(made),
    )


def _goes(made: Erased | None) -> list[tuple[str, int]]:
    if made is None:
        return []
    return [(GOES.get(table, table), made.counts[table]) for table in _order(made)]


def _order(made: Erased) -> list[str]:
    known = [table for table in GOES if table in made.counts]
    return [*known, *(table for table in made.counts if table not in GOES)]


def _stays(made: Erased | None) -> list[Kept]:
    """What stays; a running service forgets by itself what it holds in memory."""
    if made is None:
        return []
    return [
        Kept(STAYS.get(one.what, one.what), one)
        for one in made.stays
        if one.what != erasure.IN_MEMORY
    ]


async def erase(visit: Visit) -> Response:
    """``POST /people/{person_id}/erase``: only with the name typed as it stands there."""
    person_id, house = _person_id(visit), visit.house
    one: Person = await visit.read(lambda db: people.get(db, house.store, person_id))
    typed = visit.text("name", people.LONGEST_TEXT)
    if not one.name:
        raise Refusal({"": "This person was erased already."}, FORM)
    if one.active:
        raise Refusal({"": FIRST_LEAVE}, FORM)
    if _plain(typed) != _plain(shown(one.name, one.id)):
        sentence = "That is not the name above, so nothing was erased. Type it again."
        raise Refusal({"name": sentence}, FORM)
    try:
        await erasing.erase(house, person_id, visit.person_id)
    except Refused as refused:
        raise Refusal(refused.faults, FORM) from refused
    return visit.go(f"/people/{person_id}/erase")


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def _person_id(visit: Visit) -> str:
    return str(visit.request.path_params["person_id"])
