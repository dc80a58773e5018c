"""The organisation's Microsoft 365 tenant in the rehearsal: switches, ids, meetings.

Ids are derived from the World's own, so that the same seed gives the same evening.
"""

from __future__ import annotations

import base64
import copy
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from integrations.rehearsal.people import Person
from integrations.rehearsal.rooms import Connection, Json, Meeting
from integrations.rehearsal.settings import merged

APP_HOLDS = frozenset(
    {
        "OnlineMeetings.ReadWrite.All",
        "OnlineMeetings.Read.All",
        "OnlineMeetingArtifact.Read.All",
        "Calls.JoinGroupCall.All",
        "Calls.Initiate.All",
        "TeamsAppInstallation.ReadWriteAndConsentSelfForChat.All",
        "Chat.ReadBasic.All",
        "ChatMember.Read.All",
    }
)


@dataclass(frozen=True, slots=True)
class Tenant:
    """One tenant: its app, and what its administrator has ticked.

    The secret is part of the rehearsal and guards nothing.
    """

    tenant_id: str = "7e57ab1e-77c6-4ca6-bea1-0c21c188543a"
    app_id: str = "7e57f714-ff17-4c26-8bbe-1ee9074d1da0"
    client_secret: str = "rehearsal-client-secret"  # noqa: S105
    bot_name: str = "Chaperone"
    permissions: frozenset[str] = APP_HOLDS
    has_access_policy: bool = True
    calling_enabled: bool = True
    may_remove: bool = True
    """Did the administrator run Set-CsApplicationMeetingConfiguration?"""
    bot_waits: bool = False
    """Is the calling bot itself parked in the lobby until a worker admits it?"""
    keeps_reports: bool = True
    hears_joins: bool = True
    """Are join and leave activities of the chat bot switched on?"""
    service_url: str = "https://smba.trafficmanager.net/teams/"
    keep_alive_within: timedelta = timedelta(minutes=45)
    lobby_patience: timedelta = timedelta(minutes=30)
    report_delay: timedelta = timedelta(minutes=5)
    alone_after: timedelta = timedelta(minutes=5)
    """How long the bot's leg outlives the last person (no figure is published)."""


def new_id(*parts: object) -> str:
    """A GUID that depends on `parts` alone."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(map(str, parts))))


def object_id(person: Person) -> str:
    return new_id("person", person.key)


def stamp(at: datetime) -> str:
    """Graph's seven fractional digits."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def safe_settings() -> Json:
    """Every wanted value of a meeting a charity would hold."""
    return {
        "isBroadcast": False,
        "isEntryExitAnnounced": False,
        "allowedPresenters": "roleIsPresenter",
        "allowedLobbyAdmitters": "organizerAndCoOrganizers",
        "allowAttendeeToEnableCamera": True,
        "allowAttendeeToEnableMic": True,
        "allowMeetingChat": "enabled",
        "shareMeetingChatHistoryDefault": "none",
        "allowTeamworkReactions": True,
        "allowRecording": False,
        "allowTranscription": False,
        "recordAutomatically": False,
        "allowParticipantsToChangeName": False,
        "allowBreakoutRooms": False,
        "allowCopyingAndSharingMeetingContent": False,
        "allowLiveShare": "disabled",
        "allowPowerPointSharing": False,
        "allowWhiteboard": False,
        "isEndToEndEncryptionEnabled": False,
        "lobbyBypassSettings": {"scope": "organizer", "isDialInBypassEnabled": False},
        "watermarkProtection": {
            "isEnabledForContentSharing": False,
            "isEnabledForVideo": False,
        },
        "chatRestrictions": {"allowTextOnly": True},
    }


def fresh_settings() -> Json:
    """What a meeting made without settings of its own is like: open, recordable."""
    return merged(
        safe_settings(),
        {
            "allowedPresenters": "everyone",
            "allowedLobbyAdmitters": "organizerAndCoOrganizersAndPresenters",
            "allowRecording": True,
            "allowTranscription": True,
            "allowBreakoutRooms": True,
            "allowParticipantsToChangeName": True,
            "allowCopyingAndSharingMeetingContent": True,
            "allowLiveShare": "enabled",
            "allowPowerPointSharing": True,
            "allowWhiteboard": True,
            "lobbyBypassSettings": {"scope": "organization"},
            "chatRestrictions": {"allowTextOnly": False},
        },
    )


# How a lobby scope reads in the World's own settings: who waits at the door.
_WAITS = {
    "organizer": (True, "everyone"),
    "invited": (True, "users_not_on_invite"),
    "organization": (True, "users_not_in_account"),
    "organizationExcludingGuests": (True, "users_not_in_account"),
    "organizationAndFederated": (True, "users_not_in_account"),
    "everyone": (False, "everyone"),
}


@dataclass(slots=True)
class TeamsMeeting:
    """What Teams adds to a meeting of the World. The World keeps who is where."""

    meeting: Meeting
    tenant: Tenant
    settings: Json = field(default_factory=safe_settings)
    attendees: list[Json] = field(default_factory=list)
    installed: bool = False
    chat: list[tuple[str, str]] = field(default_factory=list)
    """(activity id, text) of every message the bot posted."""

    @property
    def organiser_id(self) -> str:
        return object_id(self.meeting.host)

    @property
    def thread_id(self) -> str:
        token = base64.b64encode(new_id("thread", self.meeting.uuid).encode()).decode()
        return f"19:meeting_{token}@thread.v2"

    @property
    def id(self) -> str:
        return _64(f"1*{self.organiser_id}*0**{self.thread_id}")

    @property
    def chat_meeting_id(self) -> str:
        """The connector's name of the meeting, unlike Graph's."""
        return _64(f"0#{self.thread_id}#0")

    @property
    def digits(self) -> str:
        return str(3_000_000_000_000 + self.meeting.id)

    @property
    def join_url(self) -> str:
        thread = self.thread_id.replace(":", "%3a").replace("@", "%40")
        context = (
            f"%7b%22Tid%22%3a%22{self.tenant.tenant_id}%22%2c"
            f"%22Oid%22%3a%22{self.organiser_id}%22%7d"
        )
        return f"https://teams.microsoft.com/l/meetup-join/{thread}/0?context={context}"

    def world_settings(self) -> Json:
        """The World's settings that mean what Teams' settings say."""
        lobby = self.settings["lobbyBypassSettings"]["scope"]
        waits, who = _WAITS.get(lobby, (True, "everyone"))
        second = [
            str(each.get("upn") or "")
            for each in self.attendees
            if each.get("role") == "coorganizer"
        ]
        return {
            "waiting_room": waits,
            "waiting_room_options": {
                "mode": "custom",
                "who_goes_to_waiting_room": who,
            },
            "approval_type": 2,
            "allow_multiple_devices": True,
            "alternative_hosts": ";".join(filter(None, second)),
        }

    def body(self, *, shows_unknown: bool) -> Json:
        """GET onlineMeeting. Without the Prefer header two scopes read as unknown."""
        meeting, settings = self.meeting, copy.deepcopy(self.settings)
        lobby = settings["lobbyBypassSettings"]
        late = ("invited", "organizationExcludingGuests")
        if lobby["scope"] in late and not shows_unknown:
            lobby["scope"] = "unknownFutureValue"
        end = meeting.start_at + meeting.duration
        return {
            "id": self.id,
            "creationDateTime": stamp(meeting.created_at),
            "startDateTime": stamp(meeting.start_at),
            "endDateTime": stamp(end),
            "expiryDateTime": stamp(end + timedelta(days=60)),
            "joinWebUrl": self.join_url,
            "meetingOptionsWebUrl": (
                "https://teams.microsoft.com/meetingOptions/"
                f"?organizerId={self.organiser_id}&tenantId={self.tenant.tenant_id}"
                f"&threadId={self.thread_id.translate({58: 95, 64: 95})}"
                "&messageId=0&language=en-GB"
            ),
            "subject": meeting.topic,
            **settings,
            "videoTeleconferenceId": None,
            "audioConferencing": None,
            "broadcastSettings": None,
            "externalId": None,
            "joinMeetingIdSettings": {
                "isPasscodeRequired": True,
                "joinMeetingId": self.digits,
                "passcode": meeting.password,
            },
            "chatInfo": {
                "threadId": self.thread_id,
                "messageId": "0",
                "replyChainMessageId": None,
            },
            "participants": {
                "organizer": self.invited(meeting.host, "presenter"),
                "attendees": copy.deepcopy(self.attendees),
            },
        }

    def invited(self, person: Person, role: str) -> Json:
        """One line of the attendee list."""
        return {
            "upn": person.email,
            "role": role,
            "identity": {
                "user": {
                    "id": object_id(person),
                    "displayName": None,
                    "tenantId": self.tenant.tenant_id,
                    "identityProvider": "AAD",
                }
            },
        }


def participant_id(connection: Connection) -> str:
    """New at every join."""
    return new_id("participant", connection.participant_uuid)


def identity_of(connection: Connection, tenant: Tenant) -> tuple[str, Json]:
    """(key, identity): `user` when signed in, `phone`, else a guest nobody knows."""
    name = connection.name
    if connection.signed_in:
        ids = {"id": object_id(connection.person), "tenantId": tenant.tenant_id}
        return "user", {"displayName": name, **ids}
    if connection.phone:
        return "phone", {"displayName": name, "id": f"+{connection.phone}"}
    guest = new_id("guest", connection.participant_uuid)
    return "guest", {"displayName": name, "id": guest}


def _64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
