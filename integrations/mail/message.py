"""Write one mail to one person, whatever is in the names. Pure.

A name may hold line breaks, commas, angle brackets or half a character; none of it
may become a header, a second recipient or a failed alarm. Sources: RFC 5322
(headers), RFC 3834 §5 (Auto-Submitted), RFC 5545 and RFC 6047 (calendar parts).
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import idna

LONGEST_SUBJECT = 200
LONGEST_NAME = 100

# Seven bits: every server takes it, with or without 8BITMIME.
_POLICY = SMTP.clone(cte_type="7bit")
_LOCAL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
)
# What gives an address line its structure. The standard library quotes it in a short
# name and, in older patch releases, forgets the quotes when it folds a long one:
# https://github.com/python/cpython/issues/80222
_STRUCTURE = re.compile(r'[,;:<>@()\[\]"\\]')


class BadAddress(ValueError):
    """Not one mail address; the text says why and does not repeat it."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to exactly one person.

    `to` is a bare address. `message_id_seed` names the message for good: sending the
    same seed again is a repeat that mail systems may drop, so a retry after a doubt
    keeps the seed and a reminder that must be seen gets a new one. `ics` is a
    calendar object. `written_at` is aware and becomes the Date header.
    """

    to: str
    subject: str
    text: str
    message_id_seed: str
    written_at: datetime
    html: str | None = None
    ics: str | None = None
    to_name: str = ""


def check_address(address: str) -> str:
    """The address as it goes over the wire: ASCII, one `@`, a domain with a dot.

    Letters outside ASCII are turned into punycode in the domain and refused before
    the `@`, where few servers take them. Raises BadAddress.
    """
    local, _, domain = address.rpartition("@")
    if len(address) > 254 or not _LOCAL.fullmatch(local) or len(local) > 64:
        raise BadAddress("this is not one mail address in plain letters.")
    try:
        host = idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError:
        raise BadAddress("the part after the @ is not a domain.") from None
    if "." not in host or host.endswith("."):
        raise BadAddress("the part after the @ is not a domain.")
    return f"{local}@{host}"


def message_id(seed: str, sender: str) -> str:
    """The Message-ID of a seed: always the same, and nothing can be read from it."""
    digest = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).hexdigest()
    return f"<{digest[:32]}@{check_address(sender).rpartition('@')[2]}>"


def write(mail: Mail, sender: str, sender_name: str = "") -> bytes:
    """The mail as bytes for the DATA command, CRLF and seven bits throughout.

    Raises BadAddress, and ValueError for a time without a zone.
    """
    if mail.written_at.tzinfo is None:
        raise ValueError("The time of a mail needs a zone.")
    message = EmailMessage(policy=_POLICY)
    message["From"] = _address(sender_name, sender)
    message["To"] = _address(mail.to_name, mail.to)
    message["Subject"] = one_line(mail.subject)[:LONGEST_SUBJECT]
    message["Date"] = format_datetime(mail.written_at.astimezone(UTC))
    message["Message-ID"] = message_id(mail.message_id_seed, sender)
    message["Auto-Submitted"] = "auto-generated"
    # Exchange answers with absence notes in spite of Auto-Submitted without this:
    # https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxcmail
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    message.set_content(_whole(mail.text))
    if mail.html is not None:
        message.add_alternative(_whole(mail.html), subtype="html")
    if mail.ics is not None:
        message.add_attachment(
            _whole(mail.ics),
            subtype="calendar",
            filename="session.ics",
            params={"method": _method(mail.ics)},
        )
    return message.as_bytes()


def one_line(text: str) -> str:
    """Text for a header: no control, format or broken characters, single spaces."""
    seen = (letter if letter.isprintable() else " " for letter in _whole(text))
    # A typed "=?" would begin an encoded word, whose letters come to life in the
    # reader's mail program (RFC 2047 §2).
    return " ".join("".join(seen).replace("=?", "= ?").split())


def _address(name: str, address: str) -> Address:
    shown = one_line(_STRUCTURE.sub(" ", name))[:LONGEST_NAME]
    return Address(shown.strip(), addr_spec=check_address(address))


def _whole(text: str) -> str:
    """Half surrogate pairs become question marks; they cannot be encoded."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _method(ics: str) -> str:
    found = re.search(r"^METHOD:([A-Z]+)\s*$", ics, re.MULTILINE)
    return found.group(1) if found else "PUBLISH"
