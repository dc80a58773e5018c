"""The ways an alarm leaves the page: mail, and one signed webhook."""

import ssl
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from app.engine.alarms import Letter, Sender
from integrations.address import RefusedAddress
from integrations.base import PermanentFailure
from integrations.mail import client as mail_client
from integrations.mail.message import BadAddress, Mail
from integrations.mail.settings import MailSettings
from integrations.outgoing import client as outgoing_client
from integrations.outgoing.settings import OutgoingTarget

LEVELS = {"red": "Alarm", "amber": "Please look", "info": "For your information"}


def senders(
    mail: MailSettings | None,
    organisation: str,
    base_url: str,
    emergency_line: str,
    *,
    allow_test_hosts: bool = False,
) -> Mapping[str, Sender]:
    """Channel -> how to send. Mail only when a mail server is set."""
    found: dict[str, Sender] = {}
    # Reading the certificate store takes tens of milliseconds: once, not per alarm.
    tls = ssl.create_default_context()
    if mail is not None:
        settings = mail if mail.tls is not None else replace(mail, tls=tls)

        async def by_mail(letter: Letter, now: datetime) -> None:
            try:
                await mail_client.send(
                    settings,
                    compose(letter, now, organisation, base_url, emergency_line),
                )
            except BadAddress as problem:
                raise PermanentFailure(str(problem)) from problem

        found["mail"] = by_mail

    async def by_webhook(letter: Letter, now: datetime) -> None:
        target = OutgoingTarget(
            url=letter.address,
            secrets=(letter.secret,),
            allow_test_hosts=allow_test_hosts,
            tls=tls,
        )
        payload = {
            "type": "chaperone.alarm",
            "timestamp": now.isoformat(),
            "data": _facts(letter, base_url),
        }
        try:
            await outgoing_client.post(target, letter.round_id, payload, now)
        except RefusedAddress as problem:
            raise PermanentFailure(str(problem)) from problem

    found["webhook"] = by_webhook
    return found


def _facts(letter: Letter, base_url: str) -> dict[str, object]:
    return {
        "alarm": letter.alarm_id,
        "key": letter.key,
        "level": letter.level,
        "audience": letter.audience,
        "text": letter.text,
        "what_to_do": letter.what_to_do,
        "raised_at": letter.raised_at.isoformat(),
        "repeated": letter.repeated,
        "session": letter.session_id,
        "link": link_to(letter, base_url),
    }


def link_to(letter: Letter, base_url: str) -> str:
    """The page on which the alarm is taken; no names, nobody is let in by it."""
    if not letter.session_id:
        return base_url
    return f"{base_url.rstrip('/')}/sessions/{letter.session_id}/live"


def compose(
    letter: Letter,
    now: datetime,
    organisation: str,
    base_url: str,
    emergency_line: str,
) -> Mail:
    """The mail: what, what to do, where to take it. No names (guidance 004.6)."""
    again = f" (told {letter.repeated + 1} times)" if letter.repeated else ""
    head = LEVELS.get(letter.level, "Alarm")
    lines = [
        letter.text,
        "",
        f"What to do: {letter.what_to_do}" if letter.what_to_do else "",
        "",
        f"Raised at {letter.raised_at:%H:%M:%S} UTC on {letter.raised_at:%d %B %Y}.",
        "This is repeated until somebody presses “I take it” on this page:",
        link_to(letter, base_url),
        "",
        emergency_line,
    ]
    return Mail(
        to=letter.address,
        subject=f"{head}: {organisation}: {letter.text}{again}",
        text="\n".join(lines),
        message_id_seed=letter.round_id,
        written_at=now,
    )
