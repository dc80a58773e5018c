"""What the platform knows of one meeting: plain records, no rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

from integrations.rehearsal.people import Person

Json: TypeAlias = dict[str, Any]

WAITING_ROOM = "waiting room"
MAIN = "main"


class Role(StrEnum):
    ATTENDEE = "attendee"
    CO_HOST = "co-host"
    HOST = "host"


class Stay(NamedTuple):
    """One unbroken time in one place. `end` is None while it lasts."""

    room: str
    start: datetime
    end: datetime | None = None


@dataclass(slots=True, eq=False)
class Connection:
    """One device of one person in one instance; a re-join is a new one."""

    person: Person
    user_id: str
    participant_uuid: str
    name: str
    registrant_id: str = ""
    email: str = ""
    phone: str = ""
    signed_in: bool = False
    role: Role = Role.ATTENDEE
    stays: list[Stay] = field(default_factory=list)
    leave_reason: str = ""
    bound_to: Connection | None = None
    breakout_user_id: str = ""
    silent_since: datetime | None = None

    @property
    def zoom_user_id(self) -> str:
        """Empty unless signed in to the organisation's own account."""
        return self.person.zoom_user_id if self.signed_in else ""

    @property
    def where(self) -> str:
        """The room this connection is in, or "" when it is gone."""
        if not self.stays or self.stays[-1].end is not None:
            return ""
        return self.stays[-1].room

    @property
    def is_in_room(self) -> bool:
        return self.where not in ("", WAITING_ROOM)

    @property
    def identity(self) -> str:
        """What the platform can bar: sign-in, else personal link, else nothing."""
        return self.zoom_user_id or self.registrant_id

    def move(self, room: str, at: datetime) -> None:
        """Close the present stay and open one in `room` ("" = outside)."""
        if self.where:
            self.stays[-1] = self.stays[-1]._replace(end=at)
        if room:
            self.stays.append(Stay(room, at))


@dataclass(slots=True)
class Registrant:
    id: str
    first_name: str
    last_name: str
    email: str
    status: str
    token: str
    pin: int
    created_at: datetime
    status_changes: list[datetime] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Instance:
    """One occurrence that really ran."""

    uuid: str
    started_at: datetime
    ended_at: datetime | None = None
    connections: list[Connection] = field(default_factory=list)
    breakouts: dict[str, str] = field(default_factory=dict)
    barred: set[str] = field(default_factory=set)
    recording_since: datetime | None = None
    streaming_since: datetime | None = None
    waiting_text: tuple[str, str] = ("", "")

    def inside(self) -> list[Connection]:
        """Connections in the main room or a breakout room; waiting is not inside."""
        return [each for each in self.connections if each.is_in_room]

    def waiting(self) -> list[Connection]:
        return [each for each in self.connections if each.where == WAITING_ROOM]

    def host(self) -> Connection | None:
        return next((each for each in self.inside() if each.role is Role.HOST), None)


class AtTheDoor(NamedTuple):
    """Somebody who came before any host; the platform gives them no seat yet."""

    person: Person
    via: str
    link: str
    name: str


@dataclass(slots=True, eq=False)
class Meeting:
    id: int
    uuid: str
    host: Person
    topic: str
    type: int
    start_at: datetime
    duration: timedelta
    timezone: str
    created_at: datetime
    settings: Json
    password: str = ""
    agenda: str = ""
    creation_source: str = "web_portal"
    join_host: str = "https://zoom.example"
    registrants: dict[str, Registrant] = field(default_factory=dict)
    instances: list[Instance] = field(default_factory=list)
    at_the_door: list[AtTheDoor] = field(default_factory=list)
    deleted: bool = False

    @property
    def live(self) -> Instance | None:
        if self.instances and self.instances[-1].ended_at is None:
            return self.instances[-1]
        return None

    @property
    def status(self) -> str:
        """`waiting` or `started`; the platform has no word for "ended"."""
        return "started" if self.live else "waiting"

    @property
    def needs_registration(self) -> bool:
        return self.settings.get("approval_type") in (0, 1)

    @property
    def join_url(self) -> str:
        return f"{self.join_host}/j/{self.id}?pwd={self.password}"

    def link_of(self, registrant: Registrant) -> str:
        return f"{self.join_host}/w/{self.id}?tk={registrant.token}"

    def registrant_of(self, link: str) -> Registrant | None:
        """The registrant whose id or personal link this is."""
        for registrant in self.registrants.values():
            if link in (registrant.id, self.link_of(registrant)):
                return registrant
        return None

    def alternative_hosts(self) -> set[str]:
        """E-mails or user ids, as they were written."""
        written = str(self.settings.get("alternative_hosts") or "")
        return {part.strip() for part in written.split(";") if part.strip()}

    def may_host(self, person: Person) -> bool:
        if not person.in_account:
            return False
        if person.key == self.host.key:
            return True
        return bool({person.email, person.zoom_user_id} & self.alternative_hosts())


class Kind(StrEnum):
    """What can happen, in words no platform owns."""

    MEETING_CREATED = "meeting created"
    MEETING_UPDATED = "meeting updated"
    MEETING_DELETED = "meeting deleted"
    STARTED = "started"
    ENDED = "ended"
    CAME_BEFORE_HOST = "came before the host"
    GAVE_UP_WAITING_FOR_HOST = "gave up waiting for the host"
    JOINED_BEFORE_HOST = "joined before the host"
    ENTERED_WAITING_ROOM = "entered the waiting room"
    LEFT_WAITING_ROOM = "left the waiting room"
    ADMITTED = "admitted"
    PUT_IN_WAITING_ROOM = "put in the waiting room"
    JOINED = "joined"
    LEFT = "left"
    ROLE_CHANGED = "role changed"
    PHONE_BOUND = "phone bound"
    ENTERED_BREAKOUT = "entered a breakout room"
    LEFT_BREAKOUT = "left a breakout room"
    REGISTERED = "registered"
    REGISTRATION_APPROVED = "registration approved"
    REGISTRATION_CANCELLED = "registration cancelled"
    REGISTRATION_DENIED = "registration denied"
    RECORDING_STARTED = "recording started"
    RECORDING_STOPPED = "recording stopped"
    STREAMING_STARTED = "streaming started"
    STREAMING_STOPPED = "streaming stopped"
    SHARING_STARTED = "sharing started"
    SHARING_ENDED = "sharing ended"


@dataclass(frozen=True, slots=True)
class Happening:
    """One change of the World, handed to every listener at the moment it happens."""

    kind: Kind
    at: datetime
    meeting: Meeting
    instance: Instance | None = None
    connection: Connection | None = None
    detail: Json = field(default_factory=dict)


class Told(NamedTuple):
    """One line of the truth timeline, in a newcomer's words."""

    at: datetime
    sentence: str
    meeting_id: int | None = None
    person: str = ""


class Refused(Exception):
    """The platform did not let it happen; the message says why."""
