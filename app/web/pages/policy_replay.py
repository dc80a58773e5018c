"""What another policy would have wanted in a session that is over.

The facts stay as they were: who came and left, what people pressed, what was done. Only
the rules are asked again, under both policies, at each fact and at each moment a rule
asked to be woken. What is compared is what they wanted first, by the key of its episode.
Looks into the room are taken to have succeeded, except where the log says that sight was
lost: the store keeps no look that found nothing new.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from app.core import fold, sight
from app.core.actions import Action, AlertStaff, EndCause, EndMeeting, Level, ReadRoom
from app.core.checklist import Pack
from app.core.decide import decide
from app.core.policy import Mode, Policy
from app.core.presses import MeetingBound
from app.core.readiness import readiness
from app.core.session import GroupSession
from app.store.log import Logged
from app.store.policies import KINDS

ASKS = 5_000
GOES_ON = timedelta(hours=25)
NOTICED = timedelta(seconds=1)
CHECKLIST = "checklist"


class How(StrEnum):
    """What another policy changes about one thing."""

    NEW = "new"
    GONE = "gone"
    OTHERWISE = "otherwise"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Something that was wanted, when first, and how far the bot would have gone.

    ``kind``: of the action, or CHECKLIST for a line that stops the session. ``red``:
    an alarm that goes to the alarm contacts. ``firm``: nobody may let the session go on
    without that line, by name and reason.
    """

    key: str
    kind: str
    rule: str
    reason: str
    at: datetime
    mode: Mode = Mode.ACT
    red: bool = False
    firm: bool = False


@dataclass(frozen=True, slots=True)
class Changed:
    """One difference. ``later``: how much later it would come; negative is earlier."""

    how: How
    wanted: Wanted
    before: Mode | None = None
    later: timedelta = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One session that is over, as it is stored. ``session``: its own policy and names."""

    session_id: str
    starts_at: datetime
    ends_at: datetime
    facts: Sequence[Logged]
    names: dict[str, str] = field(default_factory=dict)


def compare(past: Past, before: Policy, after: Policy, pack: Pack) -> list[Changed]:
    """Every difference, in order of time."""
    was, would = wanted(past, before, pack), wanted(past, after, pack)
    return sorted(_differences(was, would), key=lambda one: one.wanted.at)


def _differences(was: dict[str, Wanted], would: dict[str, Wanted]) -> Iterator[Changed]:
    for key in was.keys() - would.keys():
        yield Changed(How.GONE, was[key])
    for key in would.keys() - was.keys():
        yield Changed(How.NEW, would[key])
    for key in was.keys() & would.keys():
        old, new = was[key], would[key]
        later = new.at - old.at
        other = old.mode if old.mode is not new.mode else None
        if other is not None or abs(later) >= NOTICED or old.firm is not new.firm:
            yield Changed(How.OTHERWISE, new, other, later)


def wanted(past: Past, policy: Policy, pack: Pack) -> dict[str, Wanted]:
    """Key -> what the rules wanted under this policy; never more than ASKS questions."""
    play = _Play(past, policy, pack)
    for row in past.facts:
        if isinstance(row.fact, MeetingBound):
            play.apply(row)
    rows = sorted(past.facts, key=lambda row: row.heard_at)
    for at, row in enumerate(rows):
        play.until(row.heard_at)
        if not isinstance(row.fact, MeetingBound):
            play.apply(row)
        last = at + 1 == len(rows) or rows[at + 1].heard_at > row.heard_at
        if last:
            play.ask(row.heard_at)
    play.until(past.ends_at + GOES_ON)
    return play.found


@dataclass
class _Play:
    past: Past
    policy: Policy
    pack: Pack
    found: dict[str, Wanted] = field(default_factory=dict)
    asked: int = 0
    wake_at: datetime | None = None
    checked: bool = False

    def __post_init__(self) -> None:
        self.session = GroupSession(self.past.session_id)
        self.session.policy, self.session.names = self.policy, dict(self.past.names)

    def apply(self, row: Logged) -> None:
        fold.apply(self.session, row.fact)
        self.session.position = max(self.session.position, row.seq)

    def until(self, moment: datetime) -> None:
        """Wake where a rule asked for it, up to that moment."""
        if moment >= self.past.starts_at and not self.checked:
            self._wake(self.past.starts_at)
            self._check()
        self._wake(moment)

    def _wake(self, moment: datetime) -> None:
        while self.wake_at is not None and self.wake_at <= moment:
            self.ask(self.wake_at)

    def ask(self, now: datetime) -> None:
        if self.asked >= ASKS:
            self.wake_at = None
            return
        self.asked += 1
        self._see(now)
        decision = decide(self.session, now)
        later = decision.wake_at is not None and decision.wake_at > now
        self.wake_at = decision.wake_at if later else None
        for action in decision.actions:
            if not isinstance(action, ReadRoom):
                self.found.setdefault(action.key, _wanted(action, self.policy, now))

    def _see(self, now: datetime) -> None:
        for instance in self.session.live():
            if sight.is_lost(instance):
                continue
            instance.proof_at = instance.checked_at = now
            for connection in instance.connections.values():
                if connection.whereabouts(instance.closed_at).room:
                    connection.proved_at = now

    def _check(self) -> None:
        self.checked = True
        at = self.past.starts_at
        for item in readiness(self.session, self.pack, at).items:
            if item.stops:
                key = f"{CHECKLIST}:{item.id}"
                self.found[key] = Wanted(
                    key,
                    CHECKLIST,
                    item.id,
                    item.text,
                    at,
                    firm=not item.may_except,
                )


def _wanted(action: Action, policy: Policy, now: datetime) -> Wanted:
    return Wanted(
        key=action.key,
        kind=action.kind,
        rule=action.rule,
        reason=action.reason,
        at=now,
        mode=_mode(action, policy),
        red=isinstance(action, AlertStaff) and action.level is Level.RED,
    )


def _mode(action: Action, policy: Policy) -> Mode:
    """As the engine does it: the clear of E1 and what a person pressed always act."""
    clear = isinstance(action, EndMeeting) and action.cause is EndCause.NEVER_ALONE
    if clear or action.by or action.kind not in KINDS:
        return Mode.ACT
    return policy.mode(action.kind)
