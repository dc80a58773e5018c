"""Who exists in the rehearsal: people, and the organisation's platform account."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

# Granular scopes of a server-to-server app, one per call the platform offers here
# (Zoom's scope list, "admin" forms).
ALL_SCOPES = frozenset(
    {
        "meeting:read:meeting:admin",
        "meeting:update:meeting:admin",
        "meeting:write:meeting:admin",
        "meeting:delete:meeting:admin",
        "meeting:read:list_meetings:admin",
        "meeting:update:status:admin",
        "meeting:update:in_meeting_controls:admin",
        "meeting:update:livestream_status:admin",
        "meeting:write:registrant:admin",
        "meeting:read:list_registrants:admin",
        "meeting:update:registrant_status:admin",
        "meeting:delete:registrant:admin",
        "meeting:read:past_meeting:admin",
        "meeting:read:list_past_instances:admin",
        "meeting:read:list_past_participants:admin",
        "user:read:settings:admin",
        "user:update:settings:admin",
        "user:read:user:admin",
        "user:read:list_users:admin",
        "dashboard:read:list_meeting_participants:admin",
        "report:read:list_meeting_participants:admin",
        "team_chat:write:user_message:admin",
        "marketplace:read:webhook_logs:admin",
    }
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can come to a meeting. `key` is the scene's name for them.

    `in_account` means signed in to the organisation's own platform account; only
    then does the platform show `zoom_user_id` and the e-mail address. `recorder`
    marks a note-taking program: it is in the room, and nobody is at risk with it.
    """

    key: str
    name: str
    email: str = ""
    zoom_user_id: str = ""
    in_account: bool = False
    recorder: bool = False
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """One organisation's account: its plan, its app, and what support switched on.

    The secrets are part of the rehearsal and guard nothing.
    """

    account_id: str = "_rehearsal0-0accountxw"
    client_id: str = "rehearsal-client"
    client_secret: str = "rehearsal-client-secret"  # noqa: S105
    webhook_secret: str = "rehearsal-webhook-secret"  # noqa: S105
    app_id: str = "rehearsal-app"
    plan: Literal["free", "pro", "business"] = "business"
    dashboard: bool = True
    remove_enabled: bool = True
    scopes: frozenset[str] = ALL_SCOPES
    locked: frozenset[str] = field(default_factory=frozenset)
    """Dotted setting names a PATCH drops without a word, such as
    `settings.waiting_room` (meeting) or `in_meeting.private_chat` (user)."""
    removed_may_rejoin: bool = True
    members_must_register: bool = False
    anyone_may_be_crowned: bool = True
    """Host left, no co-host and no colleague in the room: does a guest get the host?"""
    people_leave_one_by_one: bool = True
    """After an end for all: does each person yield a leave event?"""
    end_when_over: Literal["204", "404"] = "204"
    awkward_uuids: bool = False
    """Give every instance an id that starts with a slash and holds two in a row."""
    control_delay: timedelta = timedelta(milliseconds=800)
    """From a 202 to the effect in the room."""
    report_delay: timedelta = timedelta(minutes=3)
    silence_noticed: tuple[float, float] = (60.0, 90.0)
    """Seconds until the platform notices a dead client, drawn evenly."""

    @property
    def is_paid(self) -> bool:
        return self.plan != "free"

    @property
    def shows_live_list(self) -> bool:
        return self.plan == "business" and self.dashboard
