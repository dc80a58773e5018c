"""One connection in one meeting: marks in time order, and the stays they add up to.

The order of *arrival* never matters: marks are kept sorted by event time within one
connection (DESIGN §5, line 2), so a late, doubled or re-ordered webhook ends in the
same state.
"""

from bisect import insort
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum

from app.core.events import MAIN_ROOM, Source

STALE_ROSTER = timedelta(seconds=60)


class MarkKind(IntEnum):
    """What a mark says; the number settles marks of the same instant (W24).

    At one instant waiting comes first and leaving last: a leave wins only within the
    same connection.
    """

    WAITING = 0
    JOINED = 1
    BREAKOUT_LEFT = 2
    BREAKOUT_JOINED = 3
    SEEN_WAITING = 4
    SEEN = 5
    STOPPED_WAITING = 6
    HELD = 7
    MISSED = 8
    LEFT = 9
    ENDED = 10


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """One dated observation. ``proof_at`` is set for MISSED only."""

    at: datetime
    kind: MarkKind
    room: str = MAIN_ROOM
    source: Source = Source.WEBHOOK
    proof_at: datetime | None = field(default=None, compare=False)
    heard_at: datetime | None = field(default=None, compare=False)
    cause: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Stay:
    """An interval in one room. ``start`` None: joined unseen; ``end`` None: still there.

    ``end_heard_at``: when the news of the end reached us.
    """

    room: str
    start: datetime | None
    end: datetime | None
    by_poll: bool = False
    cause: str = ""
    end_heard_at: datetime | None = None

    @property
    def begins(self) -> datetime:
        """The start, or the end when the start is unknown (a stay of no known length)."""
        if self.start is not None:
            return self.start
        assert self.end is not None
        return self.end


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a connection is after all its marks: ``room`` "" when not in any room."""

    room: str
    waiting: bool
    since: datetime | None
    stays: tuple[Stay, ...]


class _Walk:
    """Goes through the marks once and collects the stays."""

    def __init__(self) -> None:
        self.stays: list[Stay] = []
        self.room = ""
        self.waiting = False
        self.since: datetime | None = None
        self.by_poll = False
        self.last_out: datetime | None = None
        self.last_in: datetime | None = None

    def enter(self, mark: Mark, *, by_poll: bool = False) -> None:
        if self.room == mark.room:
            return
        if self.room:
            self.leave(mark, mark.at)
        self.room, self.waiting = mark.room, False
        self.since, self.by_poll = mark.at, by_poll

    def leave(self, mark: Mark, end: datetime, *, by_poll: bool = False) -> None:
        if not self.room:
            return
        assert self.since is not None
        self.stays.append(
            Stay(
                room=self.room,
                start=self.since,
                end=max(end, self.since),
                by_poll=by_poll or self.by_poll,
                cause=mark.cause,
                end_heard_at=mark.heard_at,
            )
        )
        self.room, self.since = "", None

    def step(self, mark: Mark) -> None:
        match mark.kind:
            case MarkKind.JOINED:
                self.last_in = mark.at
                if not self.room:
                    self.enter(mark)
            case MarkKind.BREAKOUT_JOINED:
                self.last_in = mark.at
                self.enter(mark)
            case MarkKind.BREAKOUT_LEFT:
                if self.room == mark.room:
                    self.leave(mark, mark.at)
                    self.enter(Mark(mark.at, mark.kind, MAIN_ROOM))
            case MarkKind.SEEN:
                self._seen(mark)
            case MarkKind.SEEN_WAITING:
                if not self._stale(self.last_in, mark.at):
                    self._to_waiting(mark, by_poll=True)
            case MarkKind.WAITING | MarkKind.HELD:
                self.last_out = mark.at
                self._to_waiting(mark, by_poll=False)
            case MarkKind.STOPPED_WAITING:
                self.waiting = False
            case MarkKind.MISSED:
                self.waiting = False
                end = mark.proof_at or mark.at
                self.leave(mark, end, by_poll=True)
            case MarkKind.LEFT | MarkKind.ENDED:
                self._left(mark)

    def _to_waiting(self, mark: Mark, *, by_poll: bool) -> None:
        self.leave(mark, mark.at, by_poll=by_poll)
        if not self.waiting:
            self.waiting, self.since = True, mark.at

    def _seen(self, mark: Mark) -> None:
        # A roster may be up to a minute old: it never revives who just left (P08).
        if not self.room and self._stale(self.last_out, mark.at):
            return
        # Nor does it undo a move between rooms that it cannot know of yet.
        if self.room and self.room != mark.room and self._stale(self.last_in, mark.at):
            return
        self.enter(mark, by_poll=True)

    def _left(self, mark: Mark) -> None:
        unseen = (
            not self.room
            and mark.kind is MarkKind.LEFT
            and not self.waiting
            and (self.last_out is None or mark.at - self.last_out > STALE_ROSTER)
        )
        if unseen:
            self.stays.append(
                Stay(MAIN_ROOM, None, mark.at, cause=mark.cause),
            )
        self.leave(mark, mark.at)
        self.waiting = False
        self.last_out = mark.at

    @staticmethod
    def _stale(event: datetime | None, read_at: datetime) -> bool:
        return event is not None and read_at - event < STALE_ROSTER

    def result(self) -> Whereabouts:
        stays = list(self.stays)
        if self.room:
            stays.append(Stay(self.room, self.since, None, by_poll=self.by_poll))
        where = self.since if self.room or self.waiting else None
        return Whereabouts(self.room, self.waiting, where, tuple(stays))


@dataclass(slots=True)
class Connection:
    """One connection: what the platform calls it, and its marks.

    ``proved_at`` is the last roster read that showed it; kept outside the log (one
    ``last_seen`` row), so it only ever sharpens what the marks say.
    """

    key: str
    uuid: str = ""
    user_ids: set[str] = field(default_factory=set)
    registrant_id: str = ""
    platform_user_id: str = ""
    name: str = ""
    names: dict[datetime, str] = field(default_factory=dict)
    email: str = ""
    phone: str = ""
    by_phone: bool = False
    roles: dict[datetime, str] = field(default_factory=dict)
    bound_to: str = ""
    proved_at: datetime | None = None
    marks: list[Mark] = field(default_factory=list)
    _where: Whereabouts | None = field(default=None, repr=False)
    _ended_at: datetime | None = field(default=None, repr=False)

    def add(self, mark: Mark) -> None:
        """Insert a mark in time order; the same mark twice changes nothing."""
        if mark in self.marks:
            return
        insort(self.marks, mark)
        self._where = None

    def whereabouts(self, ended_at: datetime | None = None) -> Whereabouts:
        """Where the connection is now, given the end of its instance if there is one."""
        if self._where is None or self._ended_at != ended_at:
            self._ended_at = ended_at
            walk = _Walk()
            marks = self.marks
            if ended_at is not None:
                marks = sorted([*marks, Mark(ended_at, MarkKind.ENDED, cause="ended")])
            for mark in marks:
                walk.step(mark)
            self._where = walk.result()
        return self._where

    @property
    def role(self) -> str:
        """The latest role the platform gave: ``host``, ``co-host``, ``attendee`` or ""."""
        return self.roles[max(self.roles)] if self.roles else ""

    @property
    def user_id(self) -> str:
        """One of its seat numbers, the same one each time."""
        return max(self.user_ids, default="")

    @property
    def first_at(self) -> datetime | None:
        """The time of its first mark."""
        return self.marks[0].at if self.marks else None

    def last_proof(self) -> datetime | None:
        """The last moment for which there is evidence that it was in a room."""
        where = self.whereabouts(self._ended_at)
        if not where.stays:
            return None
        last = where.stays[-1]
        if last.end is not None:
            return last.end
        proofs = [m.at for m in self.marks if m.kind in _PROOFS]
        if self.proved_at is not None:
            proofs.append(self.proved_at)
        return max(proofs, default=last.start)

    def absorb(self, other: "Connection") -> None:
        """Take over everything of another connection that turned out to be this one."""
        self.uuid = self.uuid or other.uuid
        self.user_ids |= other.user_ids
        self.registrant_id = self.registrant_id or other.registrant_id
        self.platform_user_id = self.platform_user_id or other.platform_user_id
        self.names.update(other.names)
        self.name = self.names[max(self.names)] if self.names else ""
        self.email = self.email or other.email
        self.phone = self.phone or other.phone
        self.by_phone = self.by_phone or other.by_phone
        self.roles.update(other.roles)
        self.bound_to = self.bound_to or other.bound_to
        for mark in other.marks:
            self.add(mark)


_PROOFS = frozenset(
    {
        MarkKind.JOINED,
        MarkKind.SEEN,
        MarkKind.BREAKOUT_JOINED,
        MarkKind.BREAKOUT_LEFT,
    }
)
