"""What people press in Chaperone and what the bot did: facts of one group session.

``by`` is the person id of who pressed. Free text is personal and kept apart.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.core.codec import personal
from app.core.events import MeetingRef
from app.core.facts import Hands, MeetingFacts
from app.core.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEvent:
    """A fact about one group session, stamped by our own clock."""

    at: datetime
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPlanned(SessionEvent):
    """The plan as it now is; the latest counts."""

    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingBound(SessionEvent):
    """This meeting belongs to this session between two times.

    ``instance`` narrows it to one occurrence (an adopted unplanned meeting);
    ``watch_only`` is the named exception for recurring or personal meetings.
    """

    platform: str
    meeting_id: str
    instance: str = ""
    opens_at: datetime
    closes_at: datetime
    watch_only: bool = False
    adopted: bool = False


class LinkState(StrEnum):
    """What the platform will do with a personal link."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkIssued(SessionEvent):
    """A personal link now exists (the address itself is in the store, encrypted)."""

    person_id: str
    registrant_id: str
    meeting_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChanged(SessionEvent):
    """A personal link was suspended, restored or cancelled for good."""

    registrant_id: str
    state: LinkState


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsRead(SessionEvent):
    """The platform's settings for this session's meeting, as read at ``at``."""

    facts: MeetingFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class HandsProbed(SessionEvent):
    """Which hands and eyes this platform account gives this session now."""

    hands: Hands


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemTicked(SessionEvent):
    """A worker attests a checklist item (``ticked`` False takes it back)."""

    item: str
    ticked: bool = True
    note: str = personal()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionGiven(SessionEvent):
    """A named exception from a checklist item (``withdrawn`` takes it back)."""

    item: str
    withdrawn: bool = False
    reason: str = personal()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfirmed(SessionEvent):
    """A worker pressed "I am in" in Chaperone: ``by`` uses this connection now."""

    connection: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionVouched(SessionEvent):
    """A worker says who a connection is and how they know (guidance T4).

    ``person_id`` "" takes the vouching back. Never makes anybody a worker.
    """

    connection: str
    person_id: str
    how: str = personal()


class Step(StrEnum):
    """The ladder of guidance T5."""

    REMIND = "remind"
    WARN = "warn"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderPressed(SessionEvent):
    """A worker takes a step of the ladder against one connection.

    ``immediate``: removal for serious harm, the reason may follow (guidance T5).
    ``rule`` is the number of the group's agreed rule, 0 for none.
    """

    press_id: str
    step: Step
    connection: str
    rule: int = 0
    immediate: bool = False
    reason: str = personal()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTakenBack(SessionEvent):
    """A reminder or a warning was pressed in error (guidance T5).

    ``step_id``: the ``press_id`` of that step. Both stay on record; a removal is undone
    by :class:`Readmitted`.
    """

    press_id: str
    step_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonGiven(SessionEvent):
    """The reason of an immediate removal or of an override, given afterwards."""

    press_id: str
    reason: str = personal()


@dataclass(frozen=True, slots=True, kw_only=True)
class Readmitted(SessionEvent):
    """A named person undoes a removal: the own link works again (invariant I7)."""

    press_id: str
    connection: str
    person_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPressed(SessionEvent):
    """A worker wants a connection taken to the waiting room."""

    press_id: str
    connection: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmitPressed(SessionEvent):
    """A worker wants a waiting connection let in."""

    press_id: str
    connection: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadAccepted(SessionEvent):
    """``by`` took over the lead in one press (guidance S3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesSpoken(SessionEvent):
    """``by`` talked the ground rules through (guidance T3); ``heard`` lists connections."""

    heard: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesRequested(SessionEvent):
    """``by`` asks to send the ground rules again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionResumed(SessionEvent):
    """A returning verified worker goes on after a safety clear (DESIGN §5, line 6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingPressed(SessionEvent):
    """The lead says goodbye: clients out first, staff stay to debrief (guidance E1, E2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPressed(SessionEvent):
    """A worker ends the meeting for everyone."""

    press_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DebriefEnded(SessionEvent):
    """Staff finished (or skipped, with a reason) the debrief (guidance E2).

    ``went_well``, ``change`` and ``staff`` (how the workers are) are the evaluation.
    A second one adds to the first.
    """

    skipped: bool = False
    reason: str = personal()
    went_well: str = personal()
    change: str = personal()
    staff: str = personal()


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpAgreed(SessionEvent):
    """Staff agreed that ``owner`` (a person id) does something by ``due_at``.

    The latest of a ``task_id`` counts; ``dropped`` takes it back.
    """

    task_id: str
    owner: str
    due_at: datetime
    what: str = personal()
    dropped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClosed(SessionEvent):
    """A worker closed the session: links are dead from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionTicked(SessionEvent):
    """A worker says an asked action is done, or cannot be done (``done`` False)."""

    key: str
    done: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmAcknowledged(SessionEvent):
    """A named person has taken an alarm."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpDone(SessionEvent):
    """A welfare follow-up or other task was done."""

    key: str
    outcome: str = personal()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotesSaved(SessionEvent):
    """Session notes were saved as ``version``; the text is in the store."""

    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendanceConfirmed(SessionEvent):
    """A worker confirmed the attendance; the frozen record is ``version``."""

    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendanceAmended(SessionEvent):
    """A line was corrected with a reason; nothing is deleted (invariant I13)."""

    line: str
    joined_at: datetime | None = None
    left_at: datetime | None = None
    person_id: str = ""
    reason: str = personal()


class ActionState(StrEnum):
    """The life of an action (DESIGN §5, line 4)."""

    WANTED = "wanted"
    SENT = "sent"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    EXPIRED = "expired"
    ESCALATED = "escalated"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionMoved(SessionEvent):
    """The bot's own doing: an action changed its state.

    ``route`` is the pair of hands used (``api``, ``panel``, ``person``); ``proof`` says
    what in the room confirmed it; ``problem`` what went wrong, in plain words. ``race``:
    the effect met a worker who had just come back (invariant I8).
    """

    key: str
    kind: str
    state: ActionState
    route: str = ""
    proof: str = ""
    problem: str = ""
    connection: str = ""
    person_id: str = ""
    meeting: MeetingRef | None = None
    cause: str = ""
    reason: str = personal()
    race: bool = False
    tries: int = 0
    details: tuple[str, ...] = field(default=())
