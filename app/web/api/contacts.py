"""Alarm contacts: where alarms go. A contact counts once its code came back."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, StringConstraints
from starlette.requests import Request

from app.store import contacts
from app.store.contacts import Contact
from app.web.access import Needs, wrong_try
from app.web.api.shapes import API, Done, Entered, Page, StrictRoute, Text
from app.web.errors import Answer
from app.web.house import House, house_of

router = APIRouter(prefix=API, route_class=StrictRoute, tags=["contacts"])
READ, WRITE = Depends(Needs("contacts:read")), Depends(Needs("contacts:write"))


class NewContact(Entered):
    """``secret`` signs the posts of a webhook (Standard Webhooks); leave out for mail."""

    channel: Literal["mail", "webhook"]
    address: Text
    secret: Text = ""
    label: Text = ""


class Code(Entered):
    """The code that was sent to the contact."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=40)]


class ContactOut(BaseModel):
    """A contact without its secret. It counts once ``confirmed_at`` is set."""

    id: str
    channel: str
    address: str
    label: str
    created_at: datetime | None
    confirmed_at: datetime | None


@router.get("/contacts", dependencies=[READ])
async def list_contacts(request: Request) -> Page[ContactOut]:
    """Every alarm contact."""
    house = house_of(request)
    found: list[Contact] = await house.store.read(
        lambda db: contacts.listed(db, house.store)
    )
    return Page(items=[_out(contact) for contact in found])


@router.post("/contacts", status_code=201, dependencies=[WRITE])
async def add_contact(request: Request, entered: NewContact) -> ContactOut:
    """Enter a contact and send them a code."""
    house, now = house_of(request), house_of(request).clock.now()
    contact = Contact(**entered.model_dump())
    may_be_here = house.settings.allow_test_hosts
    contact_id, code = await house.store.write(
        lambda db: contacts.add(
            db, house.store, contact, now, allow_test_hosts=may_be_here
        )
    )
    await _send(house, contact_id, code)
    found: Contact = await house.store.read(
        lambda db: contacts.get(db, house.store, contact_id)
    )
    return _out(found)


@router.post("/contacts/{contact_id}/code", dependencies=[WRITE])
async def send_code(request: Request, contact_id: str) -> Done:
    """Send a new code; the earlier one no longer works."""
    house = house_of(request)
    code: str = await house.store.write(
        lambda db: contacts.new_code(db, house.store, contact_id)
    )
    await _send(house, contact_id, code)
    return Done()


@router.post("/contacts/{contact_id}/confirm", dependencies=[WRITE])
async def confirm(request: Request, contact_id: str, entered: Code) -> Done:
    """The code came back: from now on alarms go there."""
    house, now = house_of(request), house_of(request).clock.now()
    right = await house.store.write(
        lambda db: contacts.confirm(db, house.store, contact_id, entered.code, now)
    )
    if not right:
        sentence = "That is not the code that was sent."
        raise wrong_try(house, request, "contact_code", sentence, 422)
    return Done()


@router.delete("/contacts/{contact_id}", dependencies=[WRITE])
async def remove_contact(request: Request, contact_id: str) -> Done:
    """Take a contact off the list."""
    await house_of(request).store.write(lambda db: contacts.remove(db, contact_id))
    return Done()


async def _send(house: House, contact_id: str, code: str) -> None:
    if house.send_code is None:
        raise Answer(503, "The contact is kept, but no way to send the code is set up.")
    await house.send_code(contact_id, code)


def _out(contact: Contact) -> ContactOut:
    return ContactOut(
        id=contact.id,
        channel=contact.channel,
        address=contact.address,
        label=contact.label,
        created_at=contact.created_at,
        confirmed_at=contact.confirmed_at,
    )
