"""One Zoom body while it is being understood, and the words in it.

Read leniently: null, "" and absent are the same, ids come as number or text. Address
and device fields are never looked at.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.core import events as e
from integrations.platform_time import read_time

PLATFORM = "zoom"
_MOST_CHARACTERS = 1000

Json = Mapping[str, Any]

_PHONE_NAME = re.compile(r"call[- ]?in[ _]user.*", re.IGNORECASE)
_PHONE_FILL = re.compile(r"[\s()+.\-]")
_DIGIT = re.compile(r"[0-9]")
_MASKED_NUMBER = re.compile(r"(?=.*[0-9]{2})[0-9*xX\u2022]{7,}")


def as_text(value: Any) -> str:
    """Ids and words as text; "" for null, absent and what is neither."""
    if type(value) is str:
        return value[:_MOST_CHARACTERS]
    if type(value) is int:
        return str(value)
    if type(value) is float and value.is_integer():
        return str(int(value))
    return ""


def as_object(value: Any) -> Json:
    """The JSON object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


class Story:
    """One body while it is being understood.

    `doubts`: something a safety fact needs was not there or not readable (W21).
    `look`: the roster should be read at once.
    """

    __slots__ = (
        "about", "doubts", "look", "meeting", "name", "now", "payload", "person",
        "sent_at", "whole",
    )  # fmt: skip

    def __init__(self, name: str, whole: Json, payload: Json, now: datetime) -> None:
        self.name = name
        self.whole = whole
        self.payload = payload
        self.now = now
        self.sent_at = read_time(whole.get("event_ts", payload.get("event_ts")))
        self.about = as_object(payload.get("object"))
        self.meeting = e.MeetingRef(
            platform=PLATFORM,
            meeting_id=as_text(self.about.get("id")).strip(),
            instance=as_text(self.about.get("uuid")),
        )
        self.person: Json = as_object(self.about.get("participant"))
        self.doubts = False
        self.look = False

    @property
    def base(self) -> dict[str, Any]:
        """What every event says, but its time."""
        return {"meeting": self.meeting, "heard_at": self.now}

    def at(self, *values: Any, needed: bool = False) -> datetime:
        """The first readable time, else when it was sent, else when we received it."""
        for value in values:
            if value is not None and (at := read_time(value)) is not None:
                return at
        if needed or self.sent_at is None:
            self.doubts = True
        return self.sent_at or self.now

    def needs_instance(self) -> None:
        """Doubt a fact that belongs to no room we could name."""
        if not (self.meeting.meeting_id and self.meeting.instance):
            self.doubts = True


def seat_fields(person: Json) -> dict[str, Any]:
    """The flat fields of a SeatEvent.

    `participant.id` is the older twin of `participant_user_id`.
    """
    name = as_text(person.get("user_name"))
    called = looks_like_a_caller(name)
    phone = mask(as_text(person.get("phone_number")))
    registrant_id = as_text(person.get("registrant_id"))
    platform_user_id = as_text(person.get("participant_user_id")) or as_text(
        person.get("id")
    )
    proven = registrant_id or platform_user_id
    return {
        "uuid": as_text(person.get("participant_uuid")),
        "user_id": as_text(person.get("user_id")),
        "parent_user_id": as_text(person.get("parent_user_id")),
        "registrant_id": registrant_id,
        "platform_user_id": platform_user_id,
        "name": mask(name) if called else name,
        "email": as_text(person.get("email")),
        "phone": phone,
        "by_phone": bool(phone) or (called and not proven),
    }


def looks_like_a_caller(name: str) -> bool:
    """A number, masked or not, or the name Zoom gives to callers."""
    if _PHONE_NAME.fullmatch(name):
        return True
    bare = _PHONE_FILL.sub("", name[:40])
    return bool(_MASKED_NUMBER.fullmatch(bare))


def shown_name(name: str) -> str:
    """The name as typed; a telephone number in its place is masked (N20)."""
    return mask(name) if looks_like_a_caller(name) else name


def mask(number: str) -> str:
    """A telephone number with its last four digits only, enough to tell callers apart."""
    if not number:
        return ""
    hidden = _DIGIT.sub("\u2022", number[:-4])
    return hidden + number[-4:]


# Free English text with the name inside, in several spellings; the longer ones first.
_LEAVE_CAUSES: tuple[tuple[str, e.LeaveCause], ...] = (
    ("removed by host", e.LeaveCause.REMOVED),
    ("host ended", e.LeaveCause.ENDED),
    ("host closed", e.LeaveCause.ENDED),
    ("host started a new meeting", e.LeaveCause.ENDED),
    ("host did not join", e.LeaveCause.ENDED),
    ("exceeded free meeting", e.LeaveCause.ENDED),
    ("network connection error", e.LeaveCause.DROPPED),
    ("got disconnected", e.LeaveCause.DROPPED),
    ("unknown reason", e.LeaveCause.UNKNOWN),
    ("leave waiting room", e.LeaveCause.LEFT),
    ("left the meeting", e.LeaveCause.LEFT),
)


def leave_cause(reason: str, name: str = "") -> e.LeaveCause:
    """Sort Zoom's words. The name stands in them and is taken out first.

    Otherwise somebody called "removed by host" would write our record.
    """
    words = (reason.removeprefix(name) if name else reason).lower()
    for part, cause in _LEAVE_CAUSES:
        if part in words:
            return cause
    return e.LeaveCause.UNKNOWN
