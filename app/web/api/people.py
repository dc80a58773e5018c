"""People and one-to-ones."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from sqlalchemy import Connection
from starlette.requests import Request

from app.privacy.erasure import Erased
from app.store import people
from app.store.access_rows import Token
from app.store.people import Person, Talk
from app.web import erasing
from app.web.access import Needs
from app.web.api.shapes import (
    API,
    After,
    Done,
    Entered,
    Id,
    IsoDate,
    Limit,
    Page,
    StrictRoute,
    Text,
    page,
)
from app.web.house import house_of

router = APIRouter(prefix=API, route_class=StrictRoute, tags=["people"])
READ, WRITE = Depends(Needs("people:read")), Depends(Needs("people:write"))


class PersonFields(Entered):
    """What is kept about a person; texts are encrypted in the store."""

    name: Text = ""
    register_name: Text = ""
    email: Text = ""
    phone: Text = ""
    contact: Text = ""
    referrer: Text = ""
    emergency_note: Text = ""
    reference: Text = ""
    platform_user_id: Text = ""
    shared_login: bool = False
    consent_to_take_part: bool = False
    recording_consent: bool = False
    high_risk: bool = False
    risk_reviewed_on: IsoDate | None = None
    known_to: Text = ""
    age_years: int | None = None


class NewPerson(PersonFields):
    """A worker or a client."""

    kind: Literal["worker", "client"]
    name: Text


class NewTalk(Entered):
    """A one-to-one that was held (guidance T9)."""

    client_id: Id
    worker_id: Id
    held_on: IsoDate
    channel: Text = ""
    outcome: Text = ""


@router.get("/people", dependencies=[READ])
async def list_people(
    request: Request,
    kind: Literal["", "worker", "client"] = "",
    inactive: bool = False,
    after: After = "",
    limit: Limit = 100,
) -> Page[Person]:
    """Workers and clients, those who left only with ``inactive``."""
    house = house_of(request)
    found: list[Person] = await house.store.read(
        lambda db: people.listed(
            db,
            house.store,
            kind=kind,
            active_only=not inactive,
            after=after,
            limit=limit + 1,
        )
    )
    return page(found, limit, lambda person: person.id)


@router.post("/people", status_code=201, dependencies=[WRITE])
async def add_person(request: Request, entered: NewPerson) -> Person:
    """Enter a worker or a client."""
    house = house_of(request)
    now = house.clock.now()
    person = Person(**entered.model_dump())
    made: Person = await house.store.write(
        lambda db: people.add(db, house.store, person, now)
    )
    if made.kind == "worker":
        # A look-alike is told from every worker's name (N02).
        await house.engine.person_changed(made.id)
    return made


@router.get("/people/{person_id}", dependencies=[READ])
async def get_person(request: Request, person_id: str) -> Person:
    """One person."""
    house = house_of(request)
    found: Person = await house.store.read(
        lambda db: people.get(db, house.store, person_id)
    )
    return found


@router.patch("/people/{person_id}", dependencies=[WRITE])
async def change_person(
    request: Request, person_id: str, entered: PersonFields
) -> Person:
    """Change the fields that are sent; the others stay."""
    house = house_of(request)
    now, changes = house.clock.now(), entered.given()
    changed: Person = await house.store.write(
        lambda db: people.change(db, house.store, person_id, changes, now)
    )
    await house.engine.person_changed(person_id)
    return changed


@router.post("/people/{person_id}/deactivate", dependencies=[WRITE])
async def deactivate_person(request: Request, person_id: str) -> Done:
    """They no longer take part; every sign-in of theirs ends at once."""
    house = house_of(request)
    now = house.clock.now()
    await house.store.write(lambda db: people.deactivate(db, person_id, now))
    await house.engine.person_changed(person_id)
    return Done()


@router.post("/people/{person_id}/erase")
async def erase_person(
    request: Request,
    person_id: str,
    token: Annotated[Token, Depends(Needs("people:write"))],
) -> Erased:
    """Erase what names or describes them; the answer says what stays, and why."""
    return await erasing.erase(house_of(request), person_id, token.id)


@router.get("/one-to-ones", dependencies=[READ])
async def list_talks(request: Request, client_id: str) -> Page[Talk]:
    """The one-to-ones of a client, oldest first."""
    house = house_of(request)

    def work(db: Connection) -> list[Talk]:
        people.get(db, house.store, client_id)
        return people.talks_of(db, house.store, [client_id])[client_id]

    return Page(items=await house.store.read(work))


@router.post("/one-to-ones", status_code=201, dependencies=[WRITE])
async def add_talk(request: Request, entered: NewTalk) -> Talk:
    """Put a one-to-one on file."""
    house = house_of(request)
    now, talk = house.clock.now(), Talk(**entered.model_dump())
    made: Talk = await house.store.write(
        lambda db: people.add_talk(db, house.store, talk, now)
    )
    await house.engine.person_changed(made.client_id)
    return made


@router.delete("/one-to-ones/{talk_id}", dependencies=[WRITE])
async def take_talk_back(request: Request, talk_id: str) -> Done:
    """Take back a one-to-one that was entered by mistake."""
    house = house_of(request)
    client = await house.store.write(lambda db: people.take_talk_back(db, talk_id))
    await house.engine.person_changed(client)
    return Done()
