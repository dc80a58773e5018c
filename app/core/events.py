"""What a platform reports: facts in the past tense, at the platform's own time.

Stored under their :class:`MeetingRef`, never under a session (DESIGN §5, line 1). What
workers press and what the bot did are in :mod:`app.core.presses`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.core.codec import personal

MAIN_ROOM = "main"


UNSEEN = "unseen:"
"""Begins the name we give an occurrence that runs and that no webhook told us of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingRef:
    """One occurrence of a platform's room; ``instance`` is "" while it is not known.

    Zoom: the uuid; Teams: the call id; Jitsi: the room's creation.
    """

    platform: str
    meeting_id: str
    instance: str = ""

    @property
    def is_named(self) -> bool:
        """Whether ``instance`` is a name the platform gave, none that we made up."""
        return bool(self.instance) and not self.instance.startswith(UNSEEN)


class Source(StrEnum):
    """Who told us."""

    WEBHOOK = "webhook"
    POLL = "poll"
    REPORT = "report"
    CATCH_UP = "catch_up"


class LeaveCause(StrEnum):
    """Why a connection ended, as far as the platform says."""

    LEFT = "left"
    DROPPED = "dropped"
    REMOVED = "removed"
    ENDED = "ended"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One connection as the platform names it; "" where it says nothing.

    ``uuid`` and ``user_id`` change on every re-join; ``registrant_id`` (own link) and
    ``platform_user_id`` (signed in to the organisation's account) say who somebody is.
    ``name``, ``email`` and ``phone`` are what was typed or shown: never identity.
    """

    uuid: str = ""
    user_id: str = ""
    parent_user_id: str = ""
    registrant_id: str = ""
    platform_user_id: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingEvent:
    """A fact about one meeting. ``at`` is event time, ``heard_at`` when we received it."""

    meeting: MeetingRef
    at: datetime
    heard_at: datetime | None = None
    source: Source = Source.WEBHOOK


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingStarted(MeetingEvent):
    """The instance opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingEnded(MeetingEvent):
    """The instance closed; ``at`` is its end time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingChanged(MeetingEvent):
    """Somebody changed the meeting; the settings have to be read again."""

    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingCreated(MeetingEvent):
    """A meeting appeared in the organisation's account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingDeleted(MeetingEvent):
    """The meeting (or an occurrence of it) was deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatEvent(MeetingEvent):
    """A fact about one connection. Seat fields are flat so that they can be erased."""

    uuid: str = ""
    user_id: str = ""
    parent_user_id: str = ""
    registrant_id: str = ""
    platform_user_id: str = ""
    name: str = personal()
    email: str = personal()
    phone: str = personal()
    by_phone: bool = False

    @property
    def seat(self) -> Seat:
        """The connection this fact is about."""
        return Seat(
            uuid=self.uuid,
            user_id=self.user_id,
            parent_user_id=self.parent_user_id,
            registrant_id=self.registrant_id,
            platform_user_id=self.platform_user_id,
            name=self.name,
            email=self.email,
            phone=self.phone,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantWaiting(SeatEvent):
    """At the door. The waiting room is not the room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantStoppedWaiting(SeatEvent):
    """No longer at the door: gave up, or was let in (a join follows)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantAdmitted(SeatEvent):
    """Let in from the waiting room; a join follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantHeld(SeatEvent):
    """Taken out of the room and put in the waiting room; ends presence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantJoined(SeatEvent):
    """A connection is in the room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantLeft(SeatEvent):
    """A connection is out of the room."""

    cause: LeaveCause = LeaveCause.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedBeforeHost(SeatEvent):
    """Inside before any host; carries no seat number, so it only alarms and makes us look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitedForHost(SeatEvent):
    """Waiting for the host, or gave up waiting (``gone``)."""

    gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleChanged(SeatEvent):
    """Became ``host``, ``co-host`` or ``attendee``."""

    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneBound(SeatEvent):
    """A telephone leg was tied to another connection (``bound_uuid`` / ``bound_user_id``)."""

    bound_uuid: str = ""
    bound_user_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakoutJoined(SeatEvent):
    """Moved into a breakout room."""

    room: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakoutLeft(SeatEvent):
    """Moved out of a breakout room, back to the main room unless a leave says otherwise."""

    room: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSeen(SeatEvent):
    """A roster read that began at ``at`` showed this connection where we did not expect it.

    ``last_proof_at`` is the last time we had proof of another place (or of its absence):
    it may have come here any time since. None when nothing is known.
    """

    room: str = MAIN_ROOM
    waiting: bool = False
    role: str = ""
    last_proof_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionMissed(SeatEvent):
    """A complete roster read that began at ``at`` no longer showed this connection.

    ``last_proof_at`` is the last time we had proof of it: presence ends there.
    """

    last_proof_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingChanged(MeetingEvent):
    """Cloud recording: ``started``, ``stopped``, ``paused`` or ``resumed``."""

    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStreamChanged(MeetingEvent):
    """The room goes out in public (``started``) or no longer does."""

    started: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingChanged(SeatEvent):
    """Somebody shares a screen, or stopped."""

    started: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLeaked(MeetingEvent):
    """The platform found the join link in public."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionQualityWarned(MeetingEvent):
    """Bad connection; not a safety fact, but it explains a drop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationChanged(MeetingEvent):
    """A link was asked for or changed: ``pending``, ``approved``, ``cancelled``, ``denied``."""

    registrant_id: str = ""
    status: str = ""
    name: str = personal()
    email: str = personal()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessageSent(MeetingEvent):
    """Somebody wrote in the chat. The words are never kept (guidance 001.6, minimisation)."""

    message_id: str = ""
    recipient: str = ""
    sender_seat: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SightLost(MeetingEvent):
    """We could not see the room from ``at`` on (DESIGN §5, line 8)."""

    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SightRegained(MeetingEvent):
    """We see the room again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppRemoved(MeetingEvent):
    """The administrator's app was removed from the platform account: we will go blind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableReceived(MeetingEvent):
    """Signed by the platform but not understood: a safety fact may be missing.

    Stored raw, answered 204, told to the operator, and the roster is read
    (DESIGN §5, line 10).
    """

    event_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownReceived(MeetingEvent):
    """An event newer than our list: kept, counted, no action."""

    event_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRead(MeetingEvent):
    """The meeting's own status, appended only when it differs from what we thought."""

    started: bool = False
