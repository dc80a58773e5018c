"""Entering somebody, changing what is on file, and that they left."""

from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from app.store import consents, dossiers, people
from app.store.consents import Consent
from app.store.dossiers import Dossier
from app.store.people import Person
from app.web.pages.entered import Fields, ticked
from app.web.pages.forms import BadForm
from app.web.pages.people import MOST, worker_choices
from app.web.pages.visit import Visit

FORM = "person"
AGE = "Enter an age from 0 to 120, or leave it out."
_TEXTS = {
    "client": (
        "name",
        "register_name",
        "email",
        "phone",
        "contact",
        "referrer",
        "emergency_note",
        "reference",
        "known_to",
    ),
    "worker": (
        "name",
        "register_name",
        "email",
        "phone",
        "reference",
        "platform_user_id",
    ),
}


def _kind(visit: Visit) -> str:
    kind = visit.form.get("kind") or visit.request.query_params.get("kind", "client")
    if kind not in people.KINDS:
        raise BadForm(400, "Say whether this is a worker or a client.")
    return kind


async def new(visit: Visit) -> Response:
    """``GET /people/new?kind=client``: an empty form."""
    kind = _kind(visit)
    nobody = Person(kind=kind, name="")
    return await _form(visit, nobody, Dossier(person_id=""))


async def change_form(visit: Visit) -> Response:
    """``GET /people/{person_id}/change``."""
    person_id = visit.request.path_params["person_id"]
    one, papers = await visit.read(lambda db: _both(db, visit, person_id))
    return await _form(visit, one, papers)


def _both(db: Connection, visit: Visit, person_id: str) -> tuple[Person, Dossier]:
    store = visit.house.store
    one = people.get(db, store, person_id)
    return one, dossiers.of(db, store, [person_id])[person_id]


async def _form(visit: Visit, one: Person, papers: Dossier) -> Response:
    workers = await visit.read(
        lambda db: people.listed(db, visit.house.store, kind="worker", limit=MOST)
    )
    return await visit.show(
        "person_form.html",
        one=one,
        papers=papers,
        workers=worker_choices(workers),
        levels=dossiers.DISCLOSURE,
        givers=consents.GIVERS,
        methods=consents.METHODS,
    )


async def add(visit: Visit) -> Response:
    """``POST /people``."""
    kind, house = _kind(visit), visit.house
    fields = Fields(visit, FORM)
    entered, papers = _person(fields, kind), _papers(fields, kind)
    consent = consent_of(fields, "take_part") if fields.text("given_on") else None
    fields.settle()

    def work(db: Connection) -> Person:
        made = people.add(db, house.store, Person(kind=kind, **entered), visit.now)
        dossiers.keep(db, house.store, Dossier(person_id=made.id, **papers), visit.now)
        if consent is not None:
            given = for_person(consent, made.id)
            consents.add(db, house.store, given, visit.now)
        return made

    made: Person = await house.store.write(work)
    if kind == "worker":
        # A look-alike is told from every worker's name (N02).
        await house.engine.person_changed(made.id)
    return visit.go(f"/people/{made.id}?saved=1")


async def change(visit: Visit) -> Response:
    """``POST /people/{person_id}/change``."""
    person_id, house = visit.request.path_params["person_id"], visit.house
    before = await visit.read(lambda db: people.get(db, house.store, person_id))
    fields = Fields(visit, FORM)
    entered, papers = _person(fields, before.kind), _papers(fields, before.kind)
    fields.settle()

    def work(db: Connection) -> None:
        people.change(db, house.store, person_id, entered, visit.now)
        kept = Dossier(person_id=person_id, **papers)
        dossiers.keep(db, house.store, kept, visit.now)

    await house.store.write(work)
    await house.engine.person_changed(person_id, visit.person_id)
    return visit.go(f"/people/{person_id}?saved=1")


def _person(fields: Fields, kind: str) -> dict[str, Any]:
    entered: dict[str, Any] = {name: fields.text(name) for name in _TEXTS[kind]}
    if kind == "worker":
        return entered | {"shared_login": ticked(fields.visit, "shared_login")}
    return entered | {
        "age_years": fields.number("age_years", AGE),
        "high_risk": ticked(fields.visit, "high_risk"),
        "risk_reviewed_on": fields.day("risk_reviewed_on"),
    }


def _papers(fields: Fields, kind: str) -> dict[str, Any]:
    if kind == "client":
        return {"needs": fields.text("needs")}
    texts = {name: fields.text(name) for name in ("job", "disclosure", "training")}
    return {**texts, **{name: fields.day(name) for name in dossiers.DATES}}


def consent_of(fields: Fields, scope: str) -> Consent:
    """The consent in a form; its faults are among those of the form."""
    given_on = fields.day("given_on", needed="Enter the day it was given.")
    consent = Consent(
        person_id="",
        scope=scope,
        given_on=given_on or date.min,
        giver=fields.text("giver"),
        given_by=fields.text("given_by"),
        method=fields.text("method"),
        entered_by=fields.visit.person_id,
    )
    fields.faults |= consents.faults_of(consent, fields.visit.now.date())
    return consent


def for_person(consent: Consent, person_id: str) -> Consent:
    return Consent(**{**asdict(consent), "person_id": person_id})


# --- leaving ----------------------------------------------------------------------


async def leave(visit: Visit) -> Response:
    """``POST /people/{person_id}/leave``: no part any more; every sign-in ends at once."""
    return await _leave_or_return(visit, leaves=True)


async def come_back(visit: Visit) -> Response:
    """``POST /people/{person_id}/return``: undo that they left."""
    return await _leave_or_return(visit, leaves=False)


async def _leave_or_return(visit: Visit, *, leaves: bool) -> Response:
    person_id, house = visit.request.path_params["person_id"], visit.house
    do = people.deactivate if leaves else dossiers.take_part_again
    await house.store.write(lambda db: do(db, person_id, visit.now))
    await house.engine.person_changed(person_id, visit.person_id)
    return visit.go(f"/people/{person_id}?saved=1")
