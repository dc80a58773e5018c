"""The permissions of the organisation's app: what each one is for.

Names: the granular `:admin` scopes of Zoom's API reference. Permissions can vanish
without a word when the administrator who made the app loses a role, so every new
token is compared.
"""

import re
from collections.abc import Iterable, Mapping

from integrations.base import Scopes

READ_MEETING = "meeting:read:meeting:admin"
LIST_MEETINGS = "meeting:read:list_meetings:admin"
WRITE_MEETING = "meeting:write:meeting:admin"
UPDATE_MEETING = "meeting:update:meeting:admin"
END_MEETING = "meeting:update:status:admin"
CONTROL_MEETING = "meeting:update:in_meeting_controls:admin"
ADD_REGISTRANT = "meeting:write:registrant:admin"
LIST_REGISTRANTS = "meeting:read:list_registrants:admin"
CHANGE_REGISTRANT = "meeting:update:registrant_status:admin"
READ_SETTINGS = "user:read:settings:admin"
UPDATE_SETTINGS = "user:update:settings:admin"
READ_USER = "user:read:user:admin"
STOP_STREAM = "meeting:update:livestream_status:admin"
LIVE_LIST = "dashboard:read:list_meeting_participants:admin"
REPORT = "report:read:list_meeting_participants:admin"
PAST_LIST = "meeting:read:list_past_participants:admin"
PAST_MEETING = "meeting:read:past_meeting:admin"
POST_CHAT = "team_chat:write:user_message:admin"
# Nobody documents the permission of the webhook log; Zoom's refusal names it.
WEBHOOK_LOG = ""

NEEDED: Mapping[str, str] = {
    READ_MEETING: "see whether a meeting runs and how it is set",
    LIST_MEETINGS: "find meetings it made, and meetings that run unplanned",
    WRITE_MEETING: "make safe meetings",
    UPDATE_MEETING: "mend a meeting's settings",
    END_MEETING: "end a meeting for everyone when no worker is left",
    CONTROL_MEETING: "remove a person, speak to the waiting room, stop a recording",
    ADD_REGISTRANT: "give each client a link of their own",
    LIST_REGISTRANTS: "find links that exist already",
    CHANGE_REGISTRANT: "suspend and restore links",
    READ_SETTINGS: "check the host's settings",
}
OPTIONAL: Mapping[str, str] = {
    UPDATE_SETTINGS: "mend the host's settings",
    READ_USER: "check the host's licence",
    STOP_STREAM: "stop a live stream",
    LIVE_LIST: "see who is in the room (Business plan, Dashboard switched on)",
    REPORT: "complete attendance from Zoom's report",
    PAST_LIST: "complete attendance where there is no report",
    PAST_MEETING: "tell a meeting that is over from the one opened after it",
}

FIX = (
    "At marketplace.zoom.us open Manage > your Server-to-Server OAuth app > Scopes, add"
    " {names}, then press Continue and activate the app again."
)
_NAME = re.compile(r"[a-z_]+:[a-z]+:[a-z_]+(?::[a-z]+)?")


def compare(granted: Iterable[str], *, room_chat: bool = False) -> Scopes:
    """What we were granted against what we need."""
    have = tuple(sorted(set(granted)))
    optional = [*OPTIONAL, POST_CHAT] if room_chat else [*OPTIONAL]
    return Scopes(
        granted=have,
        missing=tuple(name for name in NEEDED if name not in have),
        optional_missing=tuple(name for name in optional if name not in have),
    )


def problems(scopes: Scopes) -> tuple[str, ...]:
    """A sentence for each needed permission that is missing."""
    return tuple(
        f"Zoom has not given Chaperone the permission {name}, so it cannot"
        f" {NEEDED[name]}. {FIX.format(names=name)}"
        for name in scopes.missing
    )


def named_in(message: str) -> str:
    """The scopes Zoom's own words name, as a list to read."""
    return ", ".join(dict.fromkeys(_NAME.findall(message[:2000])))
