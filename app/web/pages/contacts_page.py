"""Alarm contacts: enter two people, each gives their code back, and only then it is done."""

from dataclasses import dataclass

import structlog
from sqlalchemy import Connection
from starlette.responses import Response

from app.store import contacts
from app.store.contacts import Contact
from app.web.access import address_of, wrong_try
from app.web.errors import Answer
from app.web.pages.forms import Refusal
from app.web.pages.visit import CONTACTS_NEEDED, Visit
from app.web.words import Tag
from integrations.base import PlatformFailure
from integrations.outgoing.sign import BadSecret, key_of

log = structlog.get_logger("chaperone")

FORM = "contact"
CONFIRMED = Tag("good", "✓", "Confirmed")
WAITING = Tag("bad", "✕", "Waits for the code")
CHANNELS = (("mail", "Mail"), ("webhook", "A text-message or chat gateway (webhook)"))
LONGEST_CODE = 40
WHICH = {"mail": "by mail", "webhook": "through a gateway"}


@dataclass(frozen=True, slots=True)
class Line:
    """One contact as it is listed. ``form``: the id of the form for its code."""

    contact: Contact
    tag: Tag
    how: str
    form: str


async def page(visit: Visit) -> Response:
    """``GET /contacts``."""
    store = visit.house.store
    found: list[Contact] = await visit.read(lambda db: contacts.listed(db, store))
    lines = [
        Line(
            contact=one,
            tag=CONFIRMED if one.confirmed_at else WAITING,
            how=WHICH[one.channel],
            form=_form(one.id),
        )
        for one in found
    ]
    return await visit.show(
        "office_contacts.html",
        lines=lines,
        confirmed=sum(one.confirmed_at is not None for one in found),
        needed=CONTACTS_NEEDED,
        channels=CHANNELS,
        mails=visit.house.settings.smtp_host is not None,
        sent=visit.request.query_params.get("sent", ""),
    )


async def add(visit: Visit) -> Response:
    """``POST /contacts``: enter somebody, and send them a code."""
    house = visit.house
    entered = Contact(
        channel=visit.form.get("channel", ""),
        address=visit.text("address", contacts.LONGEST_ADDRESS),
        secret=visit.text("secret", 200),
        label=visit.text("label", 120),
    )
    _check(entered)

    def make(db: Connection) -> tuple[str, str]:
        same = entered.address.casefold()
        if any(c.address.casefold() == same for c in contacts.listed(db, house.store)):
            sentence = "This address is on the list already: two people are needed."
            raise Refusal({"address": sentence}, FORM)
        return contacts.add(
            db,
            house.store,
            entered,
            visit.now,
            allow_test_hosts=house.settings.allow_test_hosts,
        )

    contact_id, code = await house.store.write(make)
    log.warning("alarm contact entered", by=visit.person_id, contact=contact_id)
    await _send(visit, contact_id, code)
    return visit.go(f"/contacts?sent={contact_id}")


def _check(entered: Contact) -> None:
    faults = {}
    if not entered.label:
        faults["label"] = "Enter whose address it is."
    if entered.channel == "webhook":
        try:
            key_of(entered.secret)
        except BadSecret:
            sentence = "Enter the secret the gateway shows: it begins with whsec_."
            faults["secret"] = sentence
    if faults:
        raise Refusal(faults, FORM)


async def send_code(visit: Visit) -> Response:
    """``POST /contacts/{contact_id}/code``: the earlier code no longer works."""
    contact_id, store = _contact_id(visit), visit.house.store
    code: str = await store.write(lambda db: contacts.new_code(db, store, contact_id))
    await _send(visit, contact_id, code)
    return visit.go(f"/contacts?sent={contact_id}")


async def _send(visit: Visit, contact_id: str, code: str) -> None:
    if visit.house.send_code is None:
        sentence = "The contact is kept, but no way to send the code is set up."
        raise Refusal({"code": sentence}, _form(contact_id))
    try:
        await visit.house.send_code(contact_id, code)
    except PlatformFailure as failure:
        fix = getattr(failure, "fix", "")
        sentence = f"The contact is kept, but the code did not leave. {failure} {fix}"
        raise Refusal({"code": sentence.strip()}, _form(contact_id)) from failure


async def confirm(visit: Visit) -> Response:
    """``POST /contacts/{contact_id}/confirm``: the code came back."""
    contact_id, house = _contact_id(visit), visit.house
    code = visit.text("code", LONGEST_CODE).replace(" ", "")
    if not code:
        raise Refusal({"code": "Enter the code they were sent."}, _form(contact_id))
    if house.tries.wait(address_of(visit.request)) > 0:
        raise Answer(429, "Too many wrong tries. Wait a minute.")
    right = await house.store.write(
        lambda db: contacts.confirm(db, house.store, contact_id, code, visit.now)
    )
    if not right:
        sentence = "That is not the code that was sent last."
        told = wrong_try(house, visit.request, "contact_code", sentence, 422)
        if told.status_code != 422:
            raise told
        raise Refusal({"code": sentence}, _form(contact_id))
    log.warning("alarm contact confirmed", by=visit.person_id, contact=contact_id)
    return visit.go("/contacts")


async def remove(visit: Visit) -> Response:
    """``POST /contacts/{contact_id}/remove``."""
    contact_id = _contact_id(visit)
    await visit.house.store.write(lambda db: contacts.remove(db, contact_id))
    log.warning("alarm contact removed", by=visit.person_id, contact=contact_id)
    return visit.go("/contacts")


def _contact_id(visit: Visit) -> str:
    return str(visit.request.path_params["contact_id"])


def _form(contact_id: str) -> str:
    return f"code-{contact_id}"
