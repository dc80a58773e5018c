"""Marks of one connection in time order, and the stays they add up to.

The order of *arrival* never matters: marks are kept sorted by event time within one
connection (DESIGN §5, line 2), so a late, doubled or re-ordered webhook ends in the
same state.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntEnum

from app.core.events import MAIN_ROOM, Source

STALE_ROSTER = timedelta(seconds=60)
"""A roster may be this old, so a younger one cannot gainsay an event (F10, P08)."""

LOOK_LASTS = timedelta(seconds=10)
"""The longest between the beginning of a look and its answer."""


class MarkKind(IntEnum):
    """What a mark says; the number settles marks of the same instant (W24).

    At one instant waiting comes first and leaving last: a leave wins only within the
    same connection.
    """

    WAITING = 0
    ADMITTED = 1
    JOINED = 2
    BREAKOUT_LEFT = 3
    BREAKOUT_JOINED = 4
    NOTICED = 5
    SEEN_WAITING = 6
    SEEN = 7
    STOPPED_WAITING = 8
    HELD = 9
    MISSED = 10
    LEFT = 11
    ENDED = 12


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """One dated observation. ``proof_at``: of what a look shows, the last proof before it.

    Two marks of one moment, kind and room are one observation, however it was heard.
    """

    at: datetime
    kind: MarkKind
    room: str = MAIN_ROOM
    source: Source = field(default=Source.WEBHOOK, compare=False)
    proof_at: datetime | None = field(default=None, compare=False)
    heard_at: datetime | None = field(default=None, compare=False)
    cause: str = field(default="", compare=False)

    def joined_with(self, other: "Mark") -> "Mark":
        """One mark for the same observation heard twice, in whichever order."""
        return replace(
            self,
            source=min(self.source, other.source, key=_TRUST.index),
            proof_at=max(_known(self.proof_at, other.proof_at), default=None),
            heard_at=min(_known(self.heard_at, other.heard_at), default=None),
            cause=min(self.cause, other.cause, key=lambda c: (c in _VAGUE, c)),
        )


_TRUST = (Source.WEBHOOK, Source.CATCH_UP, Source.REPORT, Source.POLL)
_VAGUE = ("", "unknown")


def _known(*moments: datetime | None) -> list[datetime]:
    return [moment for moment in moments if moment is not None]


@dataclass(frozen=True, slots=True)
class Stay:
    """An interval in one room. ``start`` None: joined unseen; ``end`` None: still there.

    ``start_heard_at``, ``end_heard_at``: when the news of the start and of the end
    reached us, None where a look at the room told. Then it may have begun any time
    after ``unseen_since``, and ended any time after ``seen_until``: the last looks that
    proved the contrary.
    """

    room: str
    start: datetime | None
    end: datetime | None
    by_poll: bool = False
    cause: str = ""
    end_heard_at: datetime | None = None
    start_heard_at: datetime | None = field(default=None, compare=False)
    unseen_since: datetime | None = field(default=None, compare=False)
    seen_until: datetime | None = field(default=None, compare=False)

    @property
    def begins(self) -> datetime:
        """The start, or the end when the start is unknown (a stay of no known length)."""
        begins = self.start or self.end
        if begins is None:
            raise ValueError("a stay has a start, or an end, or both")
        return begins


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a connection is after all its marks: ``room`` "" when not in any room.

    ``doubt_at``: the last moment at which the news does not fit together, so that the
    room should be looked at (W22, W24); None when all fits.
    """

    room: str
    waiting: bool
    since: datetime | None
    stays: tuple[Stay, ...]
    doubt_at: datetime | None = None


def walk(marks: Iterable[Mark]) -> Whereabouts:
    """Go through sorted marks once."""
    steps = _Walk()
    for mark in marks:
        steps.step(mark)
    return steps.result()


class _Walk:
    """``last_out``: out of every room by an event. ``gave_up_at``: no longer at the door
    and not let in. ``passing``: in the main room only on the way out of a breakout.
    ``missed``: the last stay ended because a look did not show the connection.
    """

    def __init__(self) -> None:
        self.stays: list[Stay] = []
        self.room = ""
        self.waiting = False
        self.since: datetime | None = None
        self.since_heard: datetime | None = None
        self.unseen_since: datetime | None = None
        self.by_poll = False
        self.passing = False
        self.missed = False
        self.last_out: datetime | None = None
        self.last_in: datetime | None = None
        self.gave_up_at: datetime | None = None
        self.doubt_at: datetime | None = None

    def enter(self, mark: Mark, room: str, *, by_poll: bool = False) -> None:
        if self.room == room:
            return
        self.leave(mark, mark.at, seen_until=mark.proof_at)
        self.room, self.waiting, self.missed = room, False, False
        self.since, self.since_heard, self.by_poll = mark.at, mark.heard_at, by_poll
        self.unseen_since = mark.proof_at

    def leave(
        self,
        mark: Mark,
        end: datetime,
        *,
        by_poll: bool = False,
        seen_until: datetime | None = None,
    ) -> None:
        if not self.room or self.since is None:
            return
        passed, self.passing = self.passing and end <= self.since, False
        if passed:
            # The main room was only on the way: the leave belongs to the breakout.
            self.stays[-1] = replace(
                self.stays[-1], cause=mark.cause, end_heard_at=mark.heard_at
            )
        else:
            stay = Stay(
                room=self.room,
                start=self.since,
                end=max(end, self.since),
                by_poll=by_poll or self.by_poll,
                cause=mark.cause,
                end_heard_at=mark.heard_at,
                start_heard_at=self.since_heard,
                unseen_since=self.unseen_since,
                seen_until=seen_until,
            )
            self.stays.append(stay)
        self.room, self.since = "", None

    def step(self, mark: Mark) -> None:
        match mark.kind:
            case MarkKind.JOINED:
                self.last_in = mark.at
                if not self.room:
                    self.enter(mark, mark.room)
                elif self._came_during_a_look(mark):
                    self.since, self.since_heard = mark.at, mark.heard_at
                    self.unseen_since, self.by_poll = None, False
            case MarkKind.BREAKOUT_JOINED:
                self.last_in = mark.at
                self.enter(mark, mark.room)
            case MarkKind.BREAKOUT_LEFT:
                if self.room:
                    self.last_in = mark.at
                if self.room == mark.room:
                    self.enter(mark, MAIN_ROOM)
                    self.passing = True
            case MarkKind.NOTICED:
                if not self.room and not self._stale(self.last_out, mark.at):
                    self.enter(mark, mark.room, by_poll=True)
            case MarkKind.SEEN:
                self._seen(mark)
            case MarkKind.MISSED:
                self._missed(mark)
            case MarkKind.LEFT | MarkKind.ENDED:
                self._left(mark)
            case _:
                self._door(mark)

    def _door(self, mark: Mark) -> None:
        match mark.kind:
            case MarkKind.SEEN_WAITING:
                if not self._stale(self.last_in, mark.at):
                    self._to_waiting(mark, by_poll=True)
            case MarkKind.ADMITTED:
                # A join follows, and if it is lost a look at the room shows them.
                self.waiting, self.last_out = False, None
            case MarkKind.STOPPED_WAITING:
                if self.waiting:
                    self.gave_up_at = mark.at
                self.waiting = False
            case _:
                self.last_out = mark.at
                self._to_waiting(mark, by_poll=False)

    def _to_waiting(self, mark: Mark, *, by_poll: bool) -> None:
        self.leave(mark, mark.at, by_poll=by_poll, seen_until=mark.proof_at)
        self.missed = False
        if not self.waiting:
            self.waiting, self.since = True, mark.at

    def _seen(self, mark: Mark) -> None:
        # A roster may be up to a minute old: it never revives who just left (P08).
        if not self.room and self._stale(self.last_out, mark.at):
            return
        # Nor does it undo a move between rooms that it cannot know of yet.
        if self.room and self.room != mark.room and self._stale(self.last_in, mark.at):
            return
        self.enter(mark, mark.room, by_poll=True)

    def _missed(self, mark: Mark) -> None:
        proof = mark.proof_at or mark.at
        fresh = self.last_in is not None and proof < self.last_in
        if fresh and self._stale(self.last_in, mark.at):
            # Whoever read that list did not know of this join yet, nor did the list.
            return
        self.waiting = False
        if self.room:
            self.leave(mark, proof, by_poll=True)
            self.missed = True

    def _came_during_a_look(self, mark: Mark) -> bool:
        """A look is dated by its beginning, and shows who came until it was answered:
        the platform's own time of coming is better."""
        return (
            self.by_poll
            and self.room == mark.room
            and self.since is not None
            and mark.at - self.since <= LOOK_LASTS
        )

    def _left(self, mark: Mark) -> None:
        if mark.kind is MarkKind.LEFT and not self.room and not self.waiting:
            self._left_unseen(mark)
        elif self.room:
            if self.since == mark.at and not self.passing:
                self.doubt_at = mark.at
            self.leave(mark, mark.at)
        self.waiting, self.missed = False, False
        self.last_out = mark.at

    def _left_unseen(self, mark: Mark) -> None:
        """A leave of somebody we did not think to be there (W22)."""
        if self.missed:
            last = self.stays[-1]
            if last.end is not None and mark.at - last.end <= 2 * STALE_ROSTER:
                # The platform's own time of leaving is better than our last look.
                self.stays[-1] = replace(last, end=mark.at, cause=mark.cause)
                return
        for out in (self.last_out, self.gave_up_at):
            if out is not None and mark.at - out <= STALE_ROSTER:
                return
        self.doubt_at = mark.at
        self.stays.append(
            Stay(MAIN_ROOM, None, mark.at, cause=mark.cause, end_heard_at=mark.heard_at)
        )

    @staticmethod
    def _stale(event: datetime | None, read_at: datetime) -> bool:
        return event is not None and read_at - event < STALE_ROSTER

    def result(self) -> Whereabouts:
        stays = list(self.stays)
        if self.room:
            stays.append(
                Stay(
                    self.room,
                    self.since,
                    None,
                    by_poll=self.by_poll,
                    start_heard_at=self.since_heard,
                    unseen_since=self.unseen_since,
                )
            )
        where = self.since if self.room or self.waiting else None
        return Whereabouts(self.room, self.waiting, where, tuple(stays), self.doubt_at)
