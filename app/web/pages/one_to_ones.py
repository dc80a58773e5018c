"""One-to-ones and consents of a client: what opens the gate (guidance T9, B6)."""

from datetime import date

from sqlalchemy import Connection
from starlette.responses import Response

from app.store import consents, dossiers, people
from app.store.people import Talk
from app.web.pages.entered import Fields, chosen
from app.web.pages.people_forms import consent_of, for_person
from app.web.pages.visit import Visit

TALK, CONSENT = "talk", "consent"


def _client(visit: Visit) -> str:
    return str(visit.request.path_params["person_id"])


async def _done(visit: Visit, client_id: str, part: str) -> Response:
    await visit.house.engine.person_changed(client_id, visit.person_id)
    return visit.go(f"/people/{client_id}?saved=1#{part}")


async def add(visit: Visit) -> Response:
    """``POST /people/{person_id}/one-to-ones``."""
    client_id, store = _client(visit), visit.house.store
    fields = Fields(visit, TALK)
    held_on = fields.day("held_on", needed="Enter the day it was held.")
    fields.settle()
    talk = Talk(
        client_id=client_id,
        worker_id=fields.text("worker_id"),
        held_on=held_on or date.min,
        channel=fields.text("channel"),
        outcome=fields.text("outcome"),
    )
    covered = chosen(visit, "covered_")

    def work(db: Connection) -> None:
        made = people.add_talk(db, store, talk, visit.now)
        dossiers.cover(db, made.id, client_id, covered)

    await store.write(work)
    return await _done(visit, client_id, "talks")


async def take_back(visit: Visit) -> Response:
    """``POST /people/{person_id}/one-to-ones/{talk_id}/take-back``."""
    talk_id, store = visit.request.path_params["talk_id"], visit.house.store

    def work(db: Connection) -> str:
        dossiers.uncover(db, talk_id)
        return people.take_talk_back(db, talk_id)

    return await _done(visit, await store.write(work), "talks")


async def add_consent(visit: Visit) -> Response:
    """``POST /people/{person_id}/consents``."""
    client_id, store = _client(visit), visit.house.store
    fields = Fields(visit, CONSENT)
    consent = for_person(consent_of(fields, fields.text("scope")), client_id)
    fields.settle()

    def work(db: Connection) -> None:
        people.get(db, store, client_id)
        consents.add(db, store, consent, visit.now)

    await store.write(work)
    return await _done(visit, client_id, "consents")


async def withdraw(visit: Visit) -> Response:
    """``POST /people/{person_id}/consents/{consent_id}/withdraw``."""
    consent_id, store = visit.request.path_params["consent_id"], visit.house.store
    how = visit.text("how", 254)
    found = await store.write(
        lambda db: consents.withdraw(db, store, consent_id, how, visit.now)
    )
    return await _done(visit, found.person_id, "consents")


async def give_again(visit: Visit) -> Response:
    """``POST /people/{person_id}/consents/{consent_id}/undo``: not withdrawn after all."""
    consent_id, store = visit.request.path_params["consent_id"], visit.house.store
    found = await store.write(
        lambda db: consents.take_withdrawal_back(db, store, consent_id, visit.now)
    )
    return await _done(visit, found.person_id, "consents")
