"""Mail: whether it is set up, and a test letter to oneself that says what was answered."""

from dataclasses import dataclass

import structlog
from sqlalchemy import Connection
from starlette.responses import Response

from app.store import accounts, people
from app.web.pages.forms import Refusal
from app.web.pages.visit import Visit

log = structlog.get_logger("chaperone")

FORM = "test"
NEEDED = ("smtp_host", "smtp_from")
MORE = ("smtp_port", "smtp_security", "smtp_username", "smtp_password")
SECRET = frozenset({"smtp_password"})
ABOUT = {
    "smtp_host": "the mail server",
    "smtp_from": "the sender's address",
    "smtp_port": "the server's port",
    "smtp_security": "how the way there is secured",
    "smtp_username": "who signs in there",
    "smtp_password": "the password for it, or an app password",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is shown; a secret never is."""

    name: str
    about: str
    value: str
    needed: bool


async def page(visit: Visit) -> Response:
    """``GET /settings/mail``."""
    address = await visit.read(lambda db: _address(db, visit))
    return await visit.show(
        "office_mail.html",
        settings=[_setting(visit, field) for field in (*NEEDED, *MORE)],
        address=address,
        mails=visit.house.send_letter is not None,
        sent="sent" in visit.request.query_params,
    )


async def send(visit: Visit) -> Response:
    """``POST /settings/mail/test``: to the visitor's own address and no other."""
    house = visit.house
    if house.send_letter is None:
        raise Refusal({"": "No mail server is set, so nothing can be sent."}, FORM)
    address: str = await visit.read(lambda db: _address(db, visit))
    if not address:
        sentence = "No address of yours is known: your account has none."
        raise Refusal({"": sentence}, FORM)
    name = house.settings.organisation_name
    text = (
        "This is a test letter. It shows that Chaperone can send mail: invitations, "
        "sign-in links and alarms take the same way.\n\n"
        "If it lies among the unwanted mail, ask whoever runs the mail server to look "
        "at SPF and DKIM of the sender's domain."
    )
    await house.send_letter(address, f"{name}: a test letter", text)
    log.info("test letter sent", by=visit.person_id)
    return visit.go("/settings/mail?sent=1")


def _address(db: Connection, visit: Visit) -> str:
    store = visit.house.store
    account = accounts.of_person(db, store, visit.person_id)
    if account is not None:
        return account.email
    return people.get(db, store, visit.person_id).email


def _setting(visit: Visit, field: str) -> Setting:
    value = getattr(visit.house.settings, field)
    shown = "" if value is None else "set" if field in SECRET else str(value)
    return Setting(
        f"CHAPERONE_{field.upper()}", ABOUT[field], shown, needed=field in NEEDED
    )
