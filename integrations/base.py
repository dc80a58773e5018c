"""What every meeting platform offers, and the two ways a call can fail.

    PlatformFailure
    +-- TemporaryFailure     try again: timeout, 429, 5xx, an answer we cannot use
    +-- PermanentFailure     trying again will not help; ``fix`` says what will
    BadWebhook               the sender is refused (401 / 400 / 413 / 415)

Foreign exceptions are translated where they arise, ``raise ... from error``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from app.core.actions import Action
from app.core.events import MeetingEvent, MeetingRef, Seat
from app.core.facts import Hands, MeetingFacts
from app.core.plan import Plan


class PlatformFailure(Exception):
    """A call to a platform had no usable outcome. The message is a plain sentence."""


class TemporaryFailure(PlatformFailure):
    """Try again. ``retry_after`` is what the platform asked for, if anything."""

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PermanentFailure(PlatformFailure):
    """Trying again will not help. ``fix`` says who has to do what, in plain words."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


class BadWebhook(Exception):
    """A webhook that cannot have come from the platform; ``status`` is the answer.

    ``counter`` is the metric to raise (``sig_missing``, ``sig_wrong``, ``too_old``, ...).
    """

    def __init__(self, status: int, counter: str) -> None:
        super().__init__(counter)
        self.status = status
        self.counter = counter


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One webhook, understood.

    ``dedupe_key``: SHA-256 of canonical JSON of {event, event_ts, payload} (DESIGN §5,
    line 11). ``meeting`` None: about no meeting. ``answer``: body to send back (the URL
    validation), which is then not stored. ``quarantine``: signed, but of another account
    (W28): kept as a hash, alarmed, never acted on. ``late``: older than 5 minutes.
    ``look``: the roster should be read at once (W21, W22, unreadable).
    """

    dedupe_key: str
    event_type: str
    meeting: MeetingRef | None = None
    events: tuple[MeetingEvent, ...] = ()
    answer: Mapping[str, Any] | None = None
    quarantine: str = ""
    late: bool = False
    look: bool = False
    unknown: bool = False
    unreadable: bool = False
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterEntry:
    """One person in a roster read; ``waiting`` = at the door. ``role`` as in RoleChanged."""

    seat: Seat
    room: str = "main"
    waiting: bool = False
    role: str = ""
    joined_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterRead:
    """Who is there. ``started_at``: when the read began (our clock, aware UTC).

    Not ``complete``: it may prove presence, never absence (P07).
    ``instance``: the occurrence the platform answered for, "" when it does not say.
    ``offset``: platform clock minus ours, from the answer's Date header.
    """

    started_at: datetime
    entries: tuple[RosterEntry, ...]
    complete: bool = True
    instance: str = ""
    offset: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRead:
    """Whether the meeting runs, and as which instance ("" when not said).

    ``another``: surely another occurrence than the one that was asked about, which
    is over; ``instance`` may be the plan's own name all the same.
    """

    read_at: datetime
    started: bool
    instance: str = ""
    another: bool = False
    offset: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedMeeting:
    """A meeting made (or adopted by its marker)."""

    meeting_id: str
    join_url: str
    adopted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedLink:
    """A personal link. ``join_url`` is a secret; "" while approval is pending."""

    registrant_id: str
    join_url: str
    pin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """Outcome of mending: which wishes hold after reading back, which do not and why."""

    done: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    facts: MeetingFacts = field(default_factory=MeetingFacts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLine:
    """One row of the platform's own attendance report after the meeting."""

    seat: Seat
    joined_at: datetime
    left_at: datetime
    waiting: bool = False
    room: str = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scopes:
    """What the platform granted our credentials, against what we need."""

    granted: tuple[str, ...]
    missing: tuple[str, ...]
    optional_missing: tuple[str, ...] = ()


class Platform(Protocol):
    """A meeting platform. All calls obey a total deadline and raise PlatformFailure."""

    name: str
    title: str

    def verify(
        self, headers: Sequence[tuple[bytes, bytes]], body: bytes, now: datetime
    ) -> bool:
        """Check headers and signature over the raw bytes; raises BadWebhook.

        Returns True when the delivery is late (5 min to 2 h old, W05).
        """

    def parse(self, body: bytes, now: datetime, *, late: bool = False) -> Delivery:
        """Understand a verified body; raises BadWebhook for what cannot be the platform's."""

    def routes(self, action: Action, hands: Hands) -> tuple[str, ...]:
        """The pairs of hands to try in order: ``api`` first where it exists, ``person`` last."""

    def press_hint(self, press: str) -> str:
        """Where exactly a worker has to press, in the platform's own words."""

    async def perform(self, action: Action) -> str:
        """Carry an action out by the API; returns what the platform answered, in words.

        The answer means "heard", never "done".
        """

    async def read_status(self, meeting: MeetingRef) -> StatusRead:
        """Whether the meeting runs now."""

    async def read_roster(self, meeting: MeetingRef) -> RosterRead:
        """Who is in the room and at the door now: of this occurrence, where its name
        is known (`MeetingRef.is_named`), and of no other."""

    async def read_facts(self, meeting_id: str) -> MeetingFacts:
        """The effective safety settings."""

    async def mend(self, meeting_id: str, wishes: Sequence[str]) -> Mended:
        """Make these MeetingFacts fields safe, then read back and compare."""

    async def probe(self, meeting_id: str) -> Hands:
        """Which hands and eyes this account gives now."""

    async def create_meeting(self, plan: Plan, marker: str) -> CreatedMeeting:
        """Make a safe meeting carrying our marker, or adopt the one that carries it."""

    async def issue_link(self, meeting_id: str, alias: str, label: str) -> IssuedLink:
        """One personal link. ``alias``: pseudonymous address; ``label``: name shown."""

    async def change_link(
        self, meeting_id: str, registrant_id: str, alias: str, state: str
    ) -> None:
        """``active``, ``suspended`` or ``cancelled``."""

    async def attendance_report(self, meeting: MeetingRef) -> tuple[ReportLine, ...]:
        """The platform's report of an ended instance; TemporaryFailure until computed.

        ``instance`` "": of the latest one.
        """

    async def missed_webhooks(self, since: datetime) -> tuple[bytes, ...]:
        """Bodies of webhooks the platform tried to deliver since then."""

    async def live_meetings(self) -> tuple[MeetingRef, ...]:
        """Meetings of this account that run now, as far as the platform lists them."""

    async def check_scopes(self) -> Scopes:
        """Compare a fresh token's scopes with what we need."""

    async def close(self) -> None:
        """Close connections."""


# --- connecting it, step by step ------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Something to tick at the platform, in its own words, and what it is for."""

    name: str
    purpose: str
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideStep:
    """One step. ``words``: paragraphs. ``copy``: values to paste at the platform.

    ``settings``: fields of our Settings that this step gives.
    """

    title: str
    words: tuple[str, ...]
    ticks: tuple[Tick, ...] = ()
    copy: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


class ProofState(StrEnum):
    """How sure we are of one permission."""

    TRIED = "tried out"
    GIVEN = "given"
    MISSING = "not given"
    FAILED = "tried, and refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What the test found of one permission; ``fix`` where something is to be done."""

    name: str
    purpose: str
    state: ProofState
    optional: bool = False
    sentence: str = ""
    fix: str = ""

    @property
    def holds(self) -> bool:
        """Whether we may count on it."""
        return self.state in (ProofState.TRIED, ProofState.GIVEN)


class Guide(Protocol):
    """A platform's own page for the administrator; a platform may have none."""

    def steps(self, base_url: str) -> Sequence[GuideStep]:
        """What to do, in order. ``base_url``: where this service is reached from outside."""

    def silent(self) -> str:
        """What to look at when no webhook comes."""

    def unbelieved(self) -> str:
        """What to look at when webhooks come and are not believed."""

    async def prove(self) -> Sequence[Proof]:
        """Every permission, the needed ones first. Changes nothing at the platform.

        Raises PlatformFailure when the account itself does not let us in, and ValueError
        for settings that cannot be used.
        """
