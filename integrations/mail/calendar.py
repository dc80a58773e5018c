"""One session as a calendar object (RFC 5545), for the calendar of whoever is invited. Pure.

A calendar is often shared with a family or a school, so it says when and with which
organisation, never what about and never the link.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

PRODUCT = "-//Chaperone//Group sessions//EN"
_OCTETS = 75  # RFC 5545 3.1: a line folds after 75 octets


@dataclass(frozen=True, slots=True)
class Appointment:
    """``uid`` stays the same for one session, ``sequence`` rises with each change."""

    uid: str
    sequence: int
    starts_at: datetime
    ends_at: datetime
    summary: str
    description: str
    written_at: datetime
    cancelled: bool = False


def write(appointment: Appointment) -> str:
    """The object as text with CRLF. Raises ValueError for a time without a zone."""
    one = appointment
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODUCT}",
        f"METHOD:{'CANCEL' if one.cancelled else 'PUBLISH'}",
        "BEGIN:VEVENT",
        f"UID:{_text(one.uid)}",
        f"SEQUENCE:{one.sequence}",
        f"DTSTAMP:{_moment(one.written_at)}",
        f"DTSTART:{_moment(one.starts_at)}",
        f"DTEND:{_moment(one.ends_at)}",
        f"SUMMARY:{_text(one.summary)}",
        f"DESCRIPTION:{_text(one.description)}",
        f"STATUS:{'CANCELLED' if one.cancelled else 'CONFIRMED'}",
        "CLASS:PRIVATE",
        "TRANSP:OPAQUE",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _moment(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("The time of an appointment needs a zone.")
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    """RFC 5545 3.3.11: four characters are escaped, control characters are not allowed."""
    whole = text.replace("\r\n", "\n").encode("utf-8", "replace").decode("utf-8")
    kept = "".join(c for c in whole if c == "\n" or c.isprintable())
    for plain, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        kept = kept.replace(plain, written)
    return kept


def _folded(line: str) -> str:
    """No part longer than 75 octets, and no letter cut in two."""
    parts, now, size = [], "", 0
    for letter in line:
        octets = len(letter.encode())
        if size + octets > _OCTETS:
            parts.append(now)
            now, size = " ", 1
        now, size = now + letter, size + octets
    return "\r\n".join([*parts, now])
