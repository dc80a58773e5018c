"""Fill gaps from the platform's own report after the meeting (invariant I13).

It never takes anything away: every mark it proposes is tried on a copy of the connection
first, and dropped when a moment of *proved* presence would be lost. What it may shorten
is an assumption: a stay whose end nobody reported.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from app.core.connections import Connection, Mark, MarkKind, Stay
from app.core.events import (
    MAIN_ROOM,
    MeetingEvent,
    MeetingRef,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantStoppedWaiting,
    ParticipantWaiting,
    Seat,
    SeatEvent,
    Source,
)
from app.core.session import GroupSession, Instance
from app.core.spans import Span, common, minus, total, union

TOLERANCE = timedelta(seconds=2)
"""Reports round to whole seconds and stamp by their own clock."""

_TICK = timedelta(microseconds=1)
_PROOFS = (MarkKind.JOINED, MarkKind.SEEN, MarkKind.BREAKOUT_JOINED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """One row of the platform's attendance report: a connection, in and out."""

    meeting: MeetingRef
    seat: Seat = field(default_factory=Seat)
    joined_at: datetime
    left_at: datetime
    waiting: bool = False
    room: str = MAIN_ROOM


def reconcile(session: GroupSession, lines: Sequence[ReportRow]) -> list[MeetingEvent]:
    """Facts with ``source=REPORT`` that close the gaps; [] when the report adds nothing.

    Rows of unbound meetings and rows that end before they begin are left out. Applying
    the result and asking again gives [].
    """
    desks: dict[MeetingRef, _Desk] = {}
    found: list[MeetingEvent] = []
    for row in sorted(lines, key=lambda r: (r.joined_at, r.left_at, r.seat.uuid)):
        if row.left_at < row.joined_at or session.binding_of(row.meeting) is None:
            continue
        if row.meeting not in desks:
            desks[row.meeting] = _Desk(session.instances.get(row.meeting))
        found += desks[row.meeting].fill(row)
    return found


class _Desk:
    """Working copies of one instance's connections, with what was filled in so far."""

    def __init__(self, instance: Instance | None) -> None:
        self.ended_at = instance.closed_at if instance is not None else None
        self.aliases = dict(instance.aliases) if instance is not None else {}
        self.copies: dict[str, Connection] = {}
        if instance is not None:
            self.copies = {k: _copy(c) for k, c in instance.connections.items()}

    def fill(self, row: ReportRow) -> Iterator[MeetingEvent]:
        """The facts this row adds, oldest first."""
        row = _named(row)
        ended = self.ended_at
        shown = Span(row.joined_at, min(row.left_at, ended) if ended else row.left_at)
        theirs = list(self._theirs(row.seat))
        if row.waiting:
            if not theirs:
                yield from _door(row, shown)
            return
        if not theirs:
            key = row.seat.uuid or f"seat:{row.seat.user_id}"
            theirs = [self.copies.setdefault(key, _new(key, row.seat))]
        target = max(theirs, key=lambda c: total(common(self._in(c, shown), [shown])))
        seen = [span for c in theirs for span in self._in(c, shown)]
        for gap in minus([shown], seen):
            if gap.length > TOLERANCE:
                yield from self._add(row, target, _marks(target, self.ended_at, gap))
        yield from self._add(row, target, self._end_unheard(target, shown))
        if _knows_more(row.seat, target):
            told = (_mark(shown.start, MarkKind.JOINED),)
            yield from self._add(row, target, told)

    def _theirs(self, seat: Seat) -> Iterator[Connection]:
        """The connections a row is about: its own, else all of its link or account."""
        for name in (seat.uuid, f"seat:{seat.user_id}" if seat.user_id else ""):
            own = self.copies.get(self.aliases.get(name, name)) if name else None
            if own is not None:
                yield own
                return
        if not seat.uuid.startswith(_REPORT):
            # It names a connection we never heard of, perhaps a second one of its link.
            return
        for connection in self.copies.values():
            for mine, known in (
                (seat.registrant_id, connection.registrant_id),
                (seat.platform_user_id, connection.platform_user_id),
            ):
                if mine and mine == known:
                    yield connection
                    break

    def _in(self, connection: Connection, shown: Span) -> tuple[Span, ...]:
        return union(
            Span(stay.start, stay.end or max(shown.end, stay.start))
            for stay in connection.whereabouts(self.ended_at).stays
            if stay.start is not None
        )

    def _end_unheard(self, connection: Connection, shown: Span) -> tuple[Mark, ...]:
        """The leave nobody told us of: the stay is open, or only the meeting ended it."""
        stays = connection.whereabouts(self.ended_at).stays
        if not stays or not _assumed_end(stays[-1]) or stays[-1].start is None:
            return ()
        end, last = stays[-1].end, stays[-1].start
        covered = last <= shown.end and (end is None or shown.end < end - TOLERANCE)
        return (_mark(shown.end, MarkKind.LEFT),) if covered else ()

    def _add(
        self, row: ReportRow, target: Connection, marks: tuple[Mark, ...]
    ) -> Iterator[MeetingEvent]:
        if not marks:
            return
        after = _copy(target)
        for mark in marks:
            after.add(mark)
        lost = minus(self._proved(target), self._proved_or_assumed(after))
        if total(lost) > 2 * _TICK * len(marks):
            return
        for mark in marks:
            target.add(mark)
            yield _event(row, target, mark)
            target.tell(mark.at, "registrant_id", row.seat.registrant_id)
            target.tell(mark.at, "platform_user_id", row.seat.platform_user_id)

    def _proved(self, connection: Connection) -> tuple[Span, ...]:
        return union(
            Span(stay.start, _proved_end(connection, stay))
            for stay in connection.whereabouts(self.ended_at).stays
            if stay.start is not None
        )

    def _proved_or_assumed(self, connection: Connection) -> tuple[Span, ...]:
        stays = connection.whereabouts(self.ended_at).stays
        return union(
            Span(stay.start, stay.end or _proved_end(connection, stay))
            for stay in stays
            if stay.start is not None
        )


def _knows_more(seat: Seat, connection: Connection) -> bool:
    """Whether the row says who a connection is that only a live list showed."""
    link = bool(seat.registrant_id) and not connection.registrant_id
    account = bool(seat.platform_user_id) and not connection.platform_user_id
    return link or account


_REPORT = "report:"


def _named(row: ReportRow) -> ReportRow:
    """A row that names no connection gets a name of its own, never one by display name."""
    seat = row.seat
    if seat.uuid or seat.user_id:
        return row
    who = seat.registrant_id or seat.platform_user_id or "unnamed"
    name = f"{_REPORT}{who}:{row.joined_at.isoformat()}"
    return replace(row, seat=replace(seat, uuid=name))


def _copy(connection: Connection) -> Connection:
    copy = Connection(key=connection.key, proved_at=connection.proved_at)
    copy.absorb(connection)
    return copy


def _new(key: str, seat: Seat) -> Connection:
    return Connection(
        key=key,
        uuid=seat.uuid,
        user_ids={seat.user_id} if seat.user_id else set(),
        registrant_id=seat.registrant_id,
        platform_user_id=seat.platform_user_id,
    )


def _mark(at: datetime, kind: MarkKind) -> Mark:
    return Mark(at, kind, source=Source.REPORT)


def _marks(
    connection: Connection, ended_at: datetime | None, gap: Span
) -> tuple[Mark, ...]:
    """The marks that put this connection in the room for the gap."""
    stays = connection.whereabouts(ended_at).stays
    missed = next(
        (
            mark
            for mark in connection.marks
            if mark.kind is MarkKind.MISSED
            and (mark.proof_at or mark.at) == gap.start < mark.at
        ),
        None,
    )
    ends = {stay.end for stay in stays}
    # At one instant a leave comes last, so a return has to be a moment later.
    begin = gap.start + _TICK if gap.start in ends else gap.start
    marks = [_mark(begin, MarkKind.JOINED)]
    if missed is not None:
        # A read that no longer showed them ended the stay at its last proof.
        marks = [_mark(min(gap.end, missed.at - _TICK), MarkKind.LEFT)]
        if gap.end > missed.at:
            marks.append(_mark(missed.at + _TICK, MarkKind.JOINED))
    goes_on = any(stay.start == gap.end or _ends_with(stay, gap) for stay in stays)
    if not goes_on and gap.end != ended_at and marks[-1].kind is MarkKind.JOINED:
        marks.append(_mark(gap.end, MarkKind.LEFT))
    return tuple(marks)


def _ends_with(stay: Stay, gap: Span) -> bool:
    """A stay of unknown start that ends with the gap: its own leave closes it."""
    if stay.start is not None or stay.end is None:
        return False
    return abs(stay.end - gap.end) <= TOLERANCE


def _assumed_end(stay: Stay) -> bool:
    return stay.end is None or stay.cause == "ended"


def _proved_end(connection: Connection, stay: Stay) -> datetime:
    """The end of a stay, or the last proof of it when its end is only assumed."""
    if stay.end is not None and not _assumed_end(stay):
        return stay.end
    proofs = [mark.at for mark in connection.marks if mark.kind in _PROOFS]
    if connection.proved_at is not None:
        proofs.append(connection.proved_at)
    last = max([stay.begins, *proofs])
    return last if stay.end is None else min(last, stay.end)


def _event(row: ReportRow, target: Connection, mark: Mark) -> MeetingEvent:
    seat = Seat(
        uuid=target.uuid or row.seat.uuid,
        user_id=target.user_id or row.seat.user_id,
        registrant_id=target.registrant_id or row.seat.registrant_id,
        platform_user_id=target.platform_user_id or row.seat.platform_user_id,
        # What they were seen to be called stays; a name only for those never seen.
        name="" if target.names else row.seat.name,
    )
    cls = ParticipantJoined if mark.kind is MarkKind.JOINED else ParticipantLeft
    return _told(cls, row.meeting, mark.at, seat)


def _door(row: ReportRow, shown: Span) -> Iterator[MeetingEvent]:
    """Somebody who only ever waited, and of whom we had heard nothing."""
    if shown.length > timedelta(0):
        yield _told(ParticipantWaiting, row.meeting, shown.start, row.seat)
        yield _told(ParticipantStoppedWaiting, row.meeting, shown.end, row.seat)


def _told(
    cls: type[SeatEvent], meeting: MeetingRef, at: datetime, seat: Seat
) -> SeatEvent:
    return cls(
        meeting=meeting,
        at=at,
        source=Source.REPORT,
        uuid=seat.uuid,
        user_id=seat.user_id,
        registrant_id=seat.registrant_id,
        platform_user_id=seat.platform_user_id,
        name=seat.name,
    )
