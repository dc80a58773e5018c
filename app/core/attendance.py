"""Who was there, drafted from events (guidance E3; invariant I13).

One line for each person on the list, and one for every connection nobody knows: equal
names are never merged (N06). A correction is laid on top; the original stays.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from app.core.attendance_flags import judged
from app.core.attendance_line import Flag, Line, Original, Part
from app.core.connections import Connection, Stay
from app.core.door import at_door
from app.core.events import Source
from app.core.identity import Standing, Who
from app.core.plan import Role
from app.core.presses import AttendanceAmended
from app.core.rooms import who_is_who
from app.core.session import GroupSession, Instance
from app.core.spans import Span, total, union

__all__ = ["Flag", "Line", "Original", "Part", "attendance"]


Seat = tuple[Instance, Connection]


@dataclass(slots=True)
class _Found:
    """Everything that belongs to one line; ``own`` is what needed no correction."""

    line: str
    person_id: str
    part: Part
    matched_by: str = ""
    seats: list[Seat] = field(default_factory=list)
    own: list[Seat] = field(default_factory=list)


def attendance(session: GroupSession, now: datetime) -> tuple[Line, ...]:
    """The whole table as of ``now``: workers, clients, then those nobody knows."""
    return tuple(
        _finished(session, now, found)
        for found in (*_listed(session), *_unknown(session))
    )


# --- whose line -------------------------------------------------------------------


def _listed(session: GroupSession) -> Iterator[_Found]:
    plan = session.plan
    if plan is None:
        return
    found = {
        person_id: _Found(line=f"person:{person_id}", person_id=person_id, part=part)
        for person_id, part in (
            *((w.person_id, Part.WORKER) for w in plan.workers),
            *((c.person_id, Part.CLIENT) for c in plan.clients),
        )
    }
    for instance, connection, who in _everybody(session):
        own = found.get(_own(who))
        if own is not None:
            own.own.append((instance, connection))
        theirs = found.get(_person(session, connection, who))
        if theirs is not None:
            theirs.seats.append((instance, connection))
            theirs.matched_by = theirs.matched_by or who.why
    yield from found.values()


def _unknown(session: GroupSession) -> Iterator[_Found]:
    for instance, connection, who in _everybody(session):
        if _person(session, connection, who):
            continue
        yield _Found(
            line=f"connection:{connection.key}",
            person_id="",
            part=Part.BOT if who.who is Who.RECORDER else Part.UNKNOWN,
            matched_by=who.why,
            seats=[(instance, connection)],
            own=[(instance, connection)],
        )


def _everybody(
    session: GroupSession,
) -> list[tuple[Instance, Connection, Standing]]:
    """Everybody by the time of their first mark: the order of arrival does not matter."""
    found = [
        (instance, connection, who_is_who(session, instance)[connection.key])
        for instance in session.instances.values()
        for connection in instance.connections.values()
        if connection.marks
    ]
    return sorted(found, key=lambda row: (row[1].marks[0].at, row[1].key))


def _own(who: Standing) -> str:
    """Whose line events alone put a connection in; "" for a line of its own.

    A link whose user is not sure, and a worker not proven, never write into the line of
    the person they may be; a worker's correction does.
    """
    return who.person_id if who.who in (Who.WORKER, Who.CLIENT) else ""


def _person(session: GroupSession, connection: Connection, who: Standing) -> str:
    person_id, plan = _own(who), session.plan
    for amended in _by_time(session.amendments):
        about = (f"connection:{connection.key}", f"person:{person_id}")
        if amended.person_id and amended.line in about:
            person_id = amended.person_id
    if plan is None or not (plan.worker(person_id) or plan.client(person_id)):
        return ""
    return person_id


def _by_time(amendments: Iterable[AttendanceAmended]) -> list[AttendanceAmended]:
    return sorted(amendments, key=lambda a: a.at)


# --- one line ---------------------------------------------------------------------


def _finished(session: GroupSession, now: datetime, found: _Found) -> Line:
    line = _corrected(session, now, found, _line(session, now, found, found.seats))
    return replace(line, flags=line.flags | set(judged(session, line, now)))


def _line(
    session: GroupSession, now: datetime, found: _Found, seats: list[Seat]
) -> Line:
    stays: list[Stay] = []
    flags: set[Flag] = set()
    for instance, connection in seats:
        window = _window(session, instance, now)
        for stay in connection.whereabouts(instance.closed_at).stays:
            cut = _clip(stay, window)
            if cut != stay:
                flags.add(Flag.CLIPPED)
            if cut is not None:
                stays.append(cut)
                flags |= set(_observed(cut))
        if any(m.source is Source.REPORT for m in connection.marks):
            flags.add(Flag.FROM_REPORT)
    waits = union(w for i, c in seats for w in at_door(c, i.closed_at, now))
    slot = session.worker_slot(found.person_id)
    spans = _spans(stays, now)
    known = [stay.start for stay in stays if stay.start is not None]
    still = any(stay.end is None for stay in stays)
    return Line(
        line=found.line,
        person_id=found.person_id,
        part=found.part,
        role=slot.role if slot is not None else None,
        expected=_expected(session, found),
        matched_by=found.matched_by,
        connections=tuple(c.key for _, c in seats),
        shown=_shown(c for _, c in seats),
        stays=tuple(sorted(stays, key=lambda s: (s.begins, s.end or now))),
        spans=spans,
        waits=waits,
        joined_at=min(known, default=None),
        left_at=None if still else max((s.end for s in stays if s.end), default=None),
        present=total(spans),
        waited=total(waits),
        flags=frozenset(flags),
    )


def _observed(stay: Stay) -> Iterator[Flag]:
    if stay.start is None:
        yield Flag.UNKNOWN_START
    if stay.by_poll:
        yield Flag.OBSERVED_BY_POLL


def _expected(session: GroupSession, found: _Found) -> bool:
    slot = session.worker_slot(found.person_id)
    if slot is not None:
        return slot.role is not Role.STANDBY
    return found.part is Part.CLIENT


def _shown(connections: Iterable[Connection]) -> tuple[str, ...]:
    named = [(at, name) for c in connections for at, name in c.names.items()]
    return tuple(dict.fromkeys(name for _, name in sorted(named)))


def _window(session: GroupSession, instance: Instance, now: datetime) -> Span:
    """Between the opening of the bound window and now: a sender's clock may be wrong."""
    bound = session.binding_of(instance.ref)
    starts = [instance.started_at] if instance.started_at is not None else []
    if bound is not None:
        starts.append(bound.opens_at)
    return Span(min(starts, default=now), now)


def _clip(stay: Stay, window: Span) -> Stay | None:
    """A stay cut to the window, or None when nothing of it is inside (D07)."""
    start, end = stay.start, stay.end
    if (start is not None and start > window.end) or (
        end is not None and end < window.start
    ):
        return None
    if start is not None:
        start = max(start, window.start)
    if end is not None:
        end = min(end, window.end)
    return replace(stay, start=start, end=end)


def _spans(stays: Iterable[Stay], now: datetime) -> tuple[Span, ...]:
    return union(
        Span(stay.start, stay.end if stay.end is not None else now)
        for stay in stays
        if stay.start is not None
    )


# --- corrections ------------------------------------------------------------------


def _corrected(session: GroupSession, now: datetime, found: _Found, line: Line) -> Line:
    """Lay every correction of this line on top; what events said stays beside it."""
    moved = {f"connection:{key}" for key in line.connections}
    ours = [
        amended
        for amended in _by_time(session.amendments)
        if amended.line == line.line
        or amended.line in moved
        or (amended.person_id and amended.person_id == line.person_id)
    ]
    if not ours:
        return line
    before = _line(session, now, found, found.own)
    spans, joined, left = line.spans, line.joined_at, line.left_at
    for amended in ours:
        if amended.line != line.line and len(line.connections) > 1:
            continue
        joined, left = amended.joined_at or joined, amended.left_at or left
        spans = _redated(spans, joined, left)
    return replace(
        line,
        spans=spans,
        joined_at=joined,
        left_at=left,
        present=total(spans),
        amendments=tuple(ours),
        original=Original(before.joined_at, before.left_at, before.present),
    )


def _redated(
    spans: tuple[Span, ...], joined: datetime | None, left: datetime | None
) -> tuple[Span, ...]:
    """The same presence, made to begin and end at these moments."""
    if joined is None:
        return spans
    if not spans:
        return union([Span(joined, left)]) if left is not None else ()
    end = left if left is not None else spans[-1].end
    inside = [Span(max(s.start, joined), min(s.end, end)) for s in spans]
    kept = union(inside)
    if not kept:
        return union([Span(joined, end)])
    first, last = kept[0], kept[-1]
    return union([*kept, Span(joined, first.end), Span(last.start, end)])
