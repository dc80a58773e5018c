"""What has to be done: imperative, each with the key of its episode and a reason.

An action is data. The engine chooses hands for it, sends it, and believes it only when
the room shows it (DESIGN §1, sentence 4).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import ClassVar

from app.core.codec import personal
from app.core.events import MeetingRef


class Rank(IntEnum):
    """Sternness: for one person the sterner action withdraws the milder one waiting."""

    TELL = 0
    REMIND = 10
    WARN = 20
    HOLD = 30
    REMOVE = 40
    END = 50


class Level(IntEnum):
    """How loud an alert is. RED goes to the alarm contacts as well."""

    INFO = 0
    AMBER = 1
    RED = 2


class Audience(StrEnum):
    """Who is told."""

    WORKERS = "workers"
    STANDBY = "workers and standby"
    SAFEGUARDING = "safeguarding lead"
    OPERATOR = "administrator"


class Expect(StrEnum):
    """What has to be seen before an action counts as done."""

    NOTHING = "nothing"
    INSTANCE_ENDED = "instance ended"
    CONNECTION_OUT = "connection out of the room"
    CONNECTION_WAITING = "connection in the waiting room"
    CONNECTION_IN = "connection in the room"
    ROLE_BACK = "host rights back with a worker"
    RECORDING_STOPPED = "recording stopped"
    STREAM_STOPPED = "live stream stopped"
    ROOM_SUPERVISED = "a worker in the room, or nobody at risk"
    TICK = "a worker's tick"
    ACKNOWLEDGED = "a named person's acknowledgement"
    ANSWER = "the platform's answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """``key`` names the episode: the same episode is wanted once, whatever is asked.

    ``reason`` is a sentence staff can read, without names; ``clause`` the guidance or
    invariant id; ``rule`` the rule's name. ``by`` is the person whose press ordered it,
    "" for the bot's own. ``not_after``: pointless or wrong from then on.
    """

    kind: ClassVar[str] = ""
    rank: ClassVar[Rank] = Rank.TELL
    harmful: ClassVar[bool] = False
    expect: ClassVar[Expect] = Expect.NOTHING

    key: str
    reason: str
    clause: str
    rule: str = ""
    by: str = ""
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingAction(Action):
    """An action on one instance of a meeting."""

    meeting: MeetingRef


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionAction(MeetingAction):
    """An action on one connection; ``person_id`` "" when nobody knows who it is.

    ``uuid``, ``user_id`` and ``registrant_id`` are the platform's names for it.
    """

    connection: str
    person_id: str = ""
    uuid: str = ""
    user_id: str = ""
    registrant_id: str = ""


class EndCause(StrEnum):
    """Why a meeting is ended for everyone."""

    NEVER_ALONE = "never_alone"
    CLOSING = "closing"
    ORDER = "order"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndMeeting(MeetingAction):
    """End the meeting for everyone. First in every queue."""

    kind: ClassVar[str] = "end_meeting"
    rank: ClassVar[Rank] = Rank.END
    harmful: ClassVar[bool] = True
    expect: ClassVar[Expect] = Expect.INSTANCE_ENDED

    cause: EndCause


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveParticipant(ConnectionAction):
    """Put one connection out of the room."""

    kind: ClassVar[str] = "remove_participant"
    rank: ClassVar[Rank] = Rank.REMOVE
    harmful: ClassVar[bool] = True
    expect: ClassVar[Expect] = Expect.CONNECTION_OUT


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldParticipant(ConnectionAction):
    """Take one connection to the waiting room."""

    kind: ClassVar[str] = "hold_participant"
    rank: ClassVar[Rank] = Rank.HOLD
    harmful: ClassVar[bool] = True
    expect: ClassVar[Expect] = Expect.CONNECTION_WAITING


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmitParticipant(ConnectionAction):
    """Let one waiting connection in."""

    kind: ClassVar[str] = "admit_participant"
    expect: ClassVar[Expect] = Expect.CONNECTION_IN


@dataclass(frozen=True, slots=True, kw_only=True)
class PostGroundRules(MeetingAction):
    """Give the group's own rules to these connections (guidance T3)."""

    kind: ClassVar[str] = "post_ground_rules"
    expect: ClassVar[Expect] = Expect.TICK

    connections: tuple[str, ...]
    version: int
    text: str = personal()


@dataclass(frozen=True, slots=True, kw_only=True)
class SendReminder(ConnectionAction):
    """First step of the ladder: a private, kind word."""

    kind: ClassVar[str] = "send_reminder"
    rank: ClassVar[Rank] = Rank.REMIND
    expect: ClassVar[Expect] = Expect.TICK

    text: str = personal()


@dataclass(frozen=True, slots=True, kw_only=True)
class SendWarning(ConnectionAction):
    """Second step of the ladder."""

    kind: ClassVar[str] = "send_warning"
    rank: ClassVar[Rank] = Rank.WARN
    expect: ClassVar[Expect] = Expect.TICK

    text: str = personal()


@dataclass(frozen=True, slots=True, kw_only=True)
class TellWaitingRoom(MeetingAction):
    """Change the words everybody at the door reads; never more than "sent"."""

    kind: ClassVar[str] = "tell_waiting_room"
    expect: ClassVar[Expect] = Expect.ANSWER

    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLink(MeetingAction):
    """Suspend, restore or cancel a personal link.

    Nothing in a room can show it: the platform's answer is the only proof there is.
    """

    kind: ClassVar[str] = "change_link"
    expect: ClassVar[Expect] = Expect.ANSWER

    registrant_id: str
    person_id: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRecording(MeetingAction):
    """Stop a cloud recording that has no reason and consent on file."""

    kind: ClassVar[str] = "stop_recording"
    expect: ClassVar[Expect] = Expect.RECORDING_STOPPED


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLiveStream(MeetingAction):
    """Stop the room going out in public."""

    kind: ClassVar[str] = "stop_live_stream"
    expect: ClassVar[Expect] = Expect.STREAM_STOPPED


@dataclass(frozen=True, slots=True, kw_only=True)
class AskWorker(MeetingAction):
    """Ask a worker to press something. ``press`` names the button in the platform's words.

    ``press`` is one of: ``reclaim_host``, ``close_breakout``, ``confirm_identity``,
    ``who_are_you``, ``accept_lead``, ``check_room``, ``identify_phone``, ``rename``,
    ``switch_waiting_room_on``, ``end_meeting``, ``admit``, ``i_am_in``.
    """

    kind: ClassVar[str] = "ask_worker"
    expect: ClassVar[Expect] = Expect.TICK

    press: str
    connection: str = ""
    person_id: str = ""
    until: Expect = Expect.TICK
    room: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertStaff(Action):
    """Tell people. RED repeats on two channels until a named person acknowledges (I9)."""

    kind: ClassVar[str] = "alert_staff"
    expect: ClassVar[Expect] = Expect.ACKNOWLEDGED

    level: Level
    audience: Audience
    what_to_do: str = ""
    connection: str = ""
    person_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartFollowUp(Action):
    """Open a task for a person: welfare call, reason due, notes due."""

    kind: ClassVar[str] = "start_follow_up"

    what: str
    due_at: datetime
    person_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRoom(MeetingAction):
    """Look at the room now, ahead of the polling pace."""

    kind: ClassVar[str] = "read_room"


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Not an action: ask ``decide`` again at this moment."""

    at: datetime
    why: str


Wish = Action | WakeAt

ACTIONS: dict[str, type[Action]] = {
    cls.kind: cls
    for cls in (
        EndMeeting,
        RemoveParticipant,
        HoldParticipant,
        AdmitParticipant,
        PostGroundRules,
        SendReminder,
        SendWarning,
        TellWaitingRoom,
        ChangeLink,
        StopRecording,
        StopLiveStream,
        AskWorker,
        AlertStaff,
        StartFollowUp,
        ReadRoom,
    )
}
