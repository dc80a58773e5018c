"""Send an alarm contact the code that proves somebody reads what goes there."""

from collections.abc import Awaitable, Callable

from app.clock import Clock
from app.crypto import new_token
from app.store import contacts
from app.store.contacts import Contact
from app.store.database import Store
from integrations.address import RefusedAddress
from integrations.base import PermanentFailure
from integrations.mail import client as mail_client
from integrations.mail.message import BadAddress, Mail
from integrations.mail.settings import MailSettings
from integrations.outgoing import client as outgoing_client
from integrations.outgoing.settings import OutgoingTarget

SendCode = Callable[[str, str], Awaitable[None]]


def code_sender(
    store: Store,
    clock: Clock,
    mail: MailSettings | None,
    organisation: str,
    *,
    allow_test_hosts: bool = False,
) -> SendCode:
    """Returns ``send(contact id, code)``, which raises PlatformFailure and Unknown."""

    async def send(contact_id: str, code: str) -> None:
        contact: Contact = await store.read(
            lambda db: contacts.get(db, store, contact_id)
        )
        try:
            if contact.channel == "mail":
                await _by_mail(contact, code)
            else:
                await _by_webhook(contact, code)
        except (BadAddress, RefusedAddress) as problem:
            raise PermanentFailure(str(problem)) from problem

    async def _by_mail(contact: Contact, code: str) -> None:
        if mail is None:
            raise PermanentFailure(
                "No mail server is set, so the code cannot be sent by mail.",
                "Set CHAPERONE_SMTP_HOST and CHAPERONE_SMTP_FROM.",
            )
        letter = Mail(
            to=contact.address,
            subject=f"{organisation}: your code for alarms",
            text=_words(organisation, code),
            message_id_seed=f"code~{new_token()}",
            written_at=clock.now(),
        )
        await mail_client.send(mail, letter)

    async def _by_webhook(contact: Contact, code: str) -> None:
        target = OutgoingTarget(
            url=contact.address,
            secrets=(contact.secret,),
            allow_test_hosts=allow_test_hosts,
        )
        payload = {
            "type": "chaperone.contact_code",
            "timestamp": clock.now().isoformat(),
            "data": {"code": code, "text": _words(organisation, code)},
        }
        await outgoing_client.post(target, f"code_{new_token()}", payload, clock.now())

    return send


def _words(organisation: str, code: str) -> str:
    return (
        f"Your code is {code}.\n\n{organisation} wants to send alarms about its online "
        "group sessions here. Give the code to whoever asked you: it shows that somebody "
        "reads what arrives.\n\nIf you expect no such alarms, leave this unanswered."
    )
