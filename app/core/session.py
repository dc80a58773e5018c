"""What is so: the state of one group session, as the fold of its log."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from app.core.connections import STALE_ROSTER, Connection
from app.core.events import MeetingEvent, MeetingRef, SeatEvent
from app.core.facts import Hands, MeetingFacts
from app.core.plan import Plan, WorkerSlot
from app.core.policy import Policy
from app.core.presses import (
    ActionState,
    AdmitPressed,
    AttendanceAmended,
    ConnectionVouched,
    DebriefEnded,
    EndPressed,
    ExceptionGiven,
    FollowUpAgreed,
    HoldPressed,
    ItemTicked,
    LadderPressed,
    LinkState,
    MeetingBound,
    Readmitted,
    ReasonGiven,
    StepTakenBack,
    WorkerConfirmed,
)

T = TypeVar("T")

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Instance:
    """One occurrence of a bound meeting.

    ``connections`` by key; ``named``, ``loose``, ``holders`` and ``parents`` are what
    :mod:`app.core.seats` needs to say which connection a fact is about.
    ``ends``: every report of the end -> by how much news of life may be older than it and
    still gainsay it. ``alive_at``, ``seen_at``: the last event, and the last roster read,
    that shows it running. ``proof_at``: when the last complete roster read began.
    ``checked_at``: when the meeting's status was last read, where the platform shows no
    roster. ``failing_since``: the first failed read of the current run of failures.
    ``heard_at``: the last webhook about it. ``lists_rooms``: a look since this process
    began told breakout rooms apart, so "main room" in the list means the main room.
    """

    ref: MeetingRef
    started_at: datetime | None = None
    first_seat_at: datetime | None = None
    ends: dict[datetime, timedelta] = field(default_factory=dict)
    alive_at: datetime | None = None
    seen_at: datetime | None = None
    connections: dict[str, Connection] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    named: dict[str, Connection] = field(default_factory=dict, repr=False)
    loose: dict[SeatEvent, None] = field(default_factory=dict, repr=False)
    holders: dict[str, dict[str, datetime]] = field(default_factory=dict, repr=False)
    holders_of_root: dict[str, dict[str, datetime]] = field(
        default_factory=dict, repr=False
    )
    parents: dict[str, str] = field(default_factory=dict, repr=False)
    recording: tuple[datetime, str] | None = None
    streaming: tuple[datetime, bool] | None = None
    leaked_at: datetime | None = None
    before_host_at: datetime | None = None
    unreadable_at: datetime | None = None
    changed_at: datetime | None = None
    registrations: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    sight: dict[datetime, str] = field(default_factory=dict)
    status: tuple[datetime, bool] | None = None
    proof_at: datetime | None = None
    checked_at: datetime | None = None
    failing_since: datetime | None = None
    heard_at: datetime | None = None
    lists_rooms: bool = field(default=False, compare=False, repr=False)

    @property
    def closed_at(self) -> datetime | None:
        """Its end, unless something later shows that it still runs (DESIGN §5, line 9).

        A roster read soon after the end may be a minute old and gainsays nothing.
        """
        if not self.ends:
            return None
        for end in sorted(self.ends):
            if self.alive_at is not None and self.alive_at + self.ends[end] > end:
                continue
            if self.seen_at is not None and self.seen_at - end >= STALE_ROSTER:
                continue
            return end
        return None

    @property
    def ended_at(self) -> datetime | None:
        """The same as ``closed_at``."""
        return self.closed_at

    @property
    def opened_at(self) -> datetime | None:
        """When we first knew that it runs, None when we do not."""
        if self.started_at is None or self.first_seat_at is None:
            return self.started_at or self.first_seat_at
        return min(self.started_at, self.first_seat_at)

    def resolve(self, key: str) -> Connection | None:
        """The connection of that key, also under a name it had before it was merged."""
        return self.connections.get(self.aliases.get(key, key))


@dataclass(slots=True)
class Link:
    """A personal link: who it belongs to and what the platform will do with it."""

    person_id: str
    registrant_id: str
    meeting_id: str
    issued_at: datetime
    state: LinkState = LinkState.ACTIVE
    changed_at: datetime | None = None


@dataclass(slots=True)
class ActionFact:
    """What the log says of one action."""

    key: str
    kind: str
    state: ActionState
    wanted_at: datetime
    moved_at: datetime
    sent_at: datetime | None = None
    confirmed_at: datetime | None = None
    route: str = ""
    connection: str = ""
    person_id: str = ""
    meeting: MeetingRef | None = None
    cause: str = ""
    reason: str = ""
    proof: str = ""
    problem: str = ""
    race: bool = False
    tries: int = 0
    details: tuple[str, ...] = ()


@dataclass(slots=True)
class GroupSession:
    """One group session: its plan and everything that happened.

    ``names`` maps person ids to work or preferred names (the erasable directory); it is
    given with the state because a look-alike can only be told from the real names.
    ``former_workers``: who was taken off the list, or given another account: when, and
    the slot until then.
    ``outside``: facts of occurrences that are not (yet) known to be ours.
    """

    session_id: str
    policy: Policy = field(default_factory=Policy)
    names: Mapping[str, str] = field(default_factory=dict)
    plan: Plan | None = None
    planned_at: datetime | None = None
    former_workers: dict[str, tuple[datetime, WorkerSlot]] = field(default_factory=dict)
    meeting_changed_at: datetime | None = None
    bindings: list[MeetingBound] = field(default_factory=list)
    instances: dict[MeetingRef, Instance] = field(default_factory=dict)
    outside: dict[MeetingRef, list[MeetingEvent]] = field(
        default_factory=dict, repr=False
    )
    links: dict[str, Link] = field(default_factory=dict)
    facts: MeetingFacts | None = None
    facts_at: datetime | None = None
    hands: Hands = field(default_factory=Hands)
    hands_at: datetime | None = None
    ticks: dict[str, ItemTicked] = field(default_factory=dict)
    exceptions: dict[str, ExceptionGiven] = field(default_factory=dict)
    confirmed: dict[str, WorkerConfirmed] = field(default_factory=dict)
    vouched: dict[str, ConnectionVouched] = field(default_factory=dict)
    ladder: list[LadderPressed] = field(default_factory=list)
    reasons: dict[str, ReasonGiven] = field(default_factory=dict)
    readmitted: list[Readmitted] = field(default_factory=list)
    taken_back: list[StepTakenBack] = field(default_factory=list)
    holds: list[HoldPressed] = field(default_factory=list)
    admits: list[AdmitPressed] = field(default_factory=list)
    lead_accepted: tuple[datetime, str] | None = None
    rules_spoken: dict[str, datetime] = field(default_factory=dict)
    rules_requested: list[datetime] = field(default_factory=list)
    resumed: list[tuple[datetime, str]] = field(default_factory=list)
    closing: tuple[datetime, str] | None = None
    ends: list[EndPressed] = field(default_factory=list)
    debrief: DebriefEnded | None = None
    closed: tuple[datetime, str] | None = None
    actions: dict[str, ActionFact] = field(default_factory=dict)
    action_ticks: dict[str, tuple[datetime, str, bool]] = field(default_factory=dict)
    acknowledged: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    followed_up: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    agreed: dict[str, FollowUpAgreed] = field(default_factory=dict)
    notes_version: int = 0
    notes_at: datetime | None = None
    attendance_confirmed: tuple[datetime, str, int] | None = None
    amendments: list[AttendanceAmended] = field(default_factory=list)
    position: int = 0
    version: int = 0
    own_moves: int = field(default=0, compare=False, repr=False)
    _memo: dict[str, tuple[int, Any]] = field(default_factory=dict, repr=False)

    def remember(self, what: str, compute: Callable[[], T]) -> T:
        """``compute()``, once per version of the state: the same answer for less work."""
        return self._recall(what, self.version, compute)

    def remember_room(self, what: str, compute: Callable[[], T]) -> T:
        """The same for what depends on people and plan only, not on our own actions.

        How far an action has come changes nothing about who is in the room, nor does a
        look that found what was known; most decisions are asked again just because
        something is now wanted or sent, or was looked at.
        """
        return self._recall(what, self.version - self.own_moves, compute)

    def look_noted(self) -> None:
        """A look proved what was known, or told nothing: another version of the state,
        in which everybody is where they were."""
        self.version += 1
        self.own_moves += 1

    def _recall(self, what: str, version: int, compute: Callable[[], T]) -> T:
        known = self._memo.get(what)
        if known is None or known[0] != version:
            known = self._memo[what] = (version, compute())
        value: T = known[1]
        return value

    def put_in_order(self) -> None:
        """Keep ``instances`` in the order in which they opened, not in which we heard."""
        if len(self.instances) > 1:
            ordered = sorted(self.instances.values(), key=_opening)
            self.instances = {instance.ref: instance for instance in ordered}

    def live(self) -> Iterator[Instance]:
        """The instances that opened and have not closed, oldest first."""
        for instance in self.instances.values():
            if instance.opened_at is not None and instance.closed_at is None:
                yield instance

    def binding_of(self, ref: MeetingRef) -> MeetingBound | None:
        """The latest binding that covers this meeting, or None."""
        for bound in reversed(self.bindings):
            if (bound.platform, bound.meeting_id) == (ref.platform, ref.meeting_id):
                return bound
        return None

    def find(self, key: str) -> tuple[Instance, Connection] | None:
        """The connection of that key in whichever instance holds it."""
        for instance in reversed(self.instances.values()):
            connection = instance.resolve(key)
            if connection is not None:
                return instance, connection
        return None

    def worker_slot(self, person_id: str) -> WorkerSlot | None:
        """The roster slot of that worker, or None."""
        return self.plan.worker(person_id) if self.plan is not None else None

    @property
    def lead_id(self) -> str:
        """Who leads now: whoever accepted the lead last, else the planned lead."""
        if self.lead_accepted is not None:
            return self.lead_accepted[1]
        if self.plan is not None and self.plan.lead is not None:
            return self.plan.lead.person_id
        return ""

    def since_resume(self, at: datetime) -> bool:
        """Whether a worker pressed *Resume* after this moment."""
        return any(when > at for when, _ in self.resumed)


def _opening(instance: Instance) -> tuple[bool, datetime, str, str]:
    """Those never opened come last."""
    at, ref = instance.opened_at, instance.ref
    return (at is None, at or _NEVER, ref.meeting_id, ref.instance)
