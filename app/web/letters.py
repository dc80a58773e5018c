"""One mail to one person, from a page. What goes to many, or must not be lost, has the outbox."""

from typing import Protocol

from app.clock import Clock
from app.crypto import new_token
from integrations.base import PermanentFailure
from integrations.mail import client
from integrations.mail.message import BadAddress, Mail
from integrations.mail.settings import MailSettings


class SendLetter(Protocol):
    """Sends one letter, with a calendar object where ``ics`` is one."""

    async def __call__(
        self, to: str, subject: str, text: str, *, ics: str | None = None
    ) -> None:
        """Raises PlatformFailure."""


def letter_sender(mail: MailSettings | None, clock: Clock) -> SendLetter | None:
    """How to send a letter; None when no mail server is set."""
    if mail is None:
        return None

    async def send(to: str, subject: str, text: str, *, ics: str | None = None) -> None:
        letter = Mail(
            to=to,
            subject=subject,
            text=text,
            message_id_seed=f"letter~{new_token()}",
            written_at=clock.now(),
            ics=ics,
        )
        try:
            await client.send(mail, letter)
        except BadAddress as bad:
            raise PermanentFailure(f"The mail was not sent: {bad}") from bad

    return send
