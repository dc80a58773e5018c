"""Compare a look at the room with what we thought; only differences become facts."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from app.core.connections import Connection, MarkKind
from app.core.events import (
    MAIN_ROOM,
    ConnectionMissed,
    ConnectionSeen,
    Seat,
    Source,
)
from app.core.session import GroupSession, Instance

_NEWS = frozenset(
    {
        MarkKind.WAITING,
        MarkKind.ADMITTED,
        MarkKind.JOINED,
        MarkKind.BREAKOUT_JOINED,
        MarkKind.BREAKOUT_LEFT,
        MarkKind.NOTICED,
        MarkKind.HELD,
    }
)
"""What an event said of a connection, which a list may not know of yet."""


class Seen(Protocol):
    """One row of a roster read."""

    @property
    def seat(self) -> Seat: ...
    @property
    def room(self) -> str: ...
    @property
    def waiting(self) -> bool: ...
    @property
    def role(self) -> str: ...


def match(instance: Instance, seat: Seat) -> Connection | None:
    """The connection a roster row is about: by uuid, then by seat number; never by name."""
    found = instance.resolve(seat.uuid) if seat.uuid else None
    if found is None and seat.user_id:
        found = instance.resolve(f"seat:{seat.user_id}")
        if found is not None and seat.uuid and found.uuid:
            return None  # That seat is somebody else's now.
    return found


def _rows(instance: Instance, entries: Iterable[Seen]) -> tuple[list[Seen], bool]:
    """One row for each connection, and whether every row says whose it is (P09, F10).

    Listed both in the room and at the door, somebody is in the room.
    """
    rows: dict[str, Seen] = {}
    named = True
    for entry in entries:
        seat = entry.seat
        connection = match(instance, seat)
        key = connection.key if connection is not None else seat.uuid or seat.user_id
        named = named and bool(key)
        known = rows.get(key)
        if known is None or (known.waiting and not entry.waiting):
            rows[key] = entry
    rows.pop("", None)
    return list(rows.values()), named


def differences(
    session: GroupSession,
    instance: Instance,
    entries: Iterable[Seen],
    *,
    started_at: datetime,
    complete: bool,
) -> list[ConnectionSeen | ConnectionMissed]:
    """Facts to append. A read that is not complete never proves absence (P07).

    Nor does one with a row that does not say whose it is: it may be anybody's (P09).
    """
    found: list[ConnectionSeen | ConnectionMissed] = []
    shown: set[str] = set()
    rows, named = _rows(instance, entries)
    for entry in rows:
        connection, back = match(instance, entry.seat), False
        role = entry.role
        if connection is not None:
            shown.add(connection.key)
            role = _role(session, connection, entry, started_at)
            back = _is_back(session, instance, connection, entry, rows, started_at)
            if not back and _as_thought(instance, connection, entry, role):
                continue
        found.append(_seen(instance, connection, entry, role, started_at, in_main=back))
    if complete and named:
        for connection in instance.connections.values():
            if connection.key not in shown:
                missed = _missed(session, instance, connection, started_at)
                if missed is not None:
                    found.append(missed)
    return found


def _is_back(
    session: GroupSession,
    instance: Instance,
    connection: Connection,
    entry: Seen,
    rows: Iterable[Seen],
    started_at: datetime,
) -> bool:
    """Whether they left a breakout room for the main one, and nobody told us.

    Only a list that tells breakout rooms apart can say so, and not before it must know
    of the last move we heard of (F10).
    """
    where = connection.whereabouts(instance.closed_at)
    if entry.waiting or entry.room != MAIN_ROOM or where.room in ("", MAIN_ROOM):
        return False
    told = max((m.at for m in connection.marks if m.kind in _NEWS), default=None)
    if told is not None and started_at - told < session.policy.roster_staleness:
        return False
    return instance.lists_rooms or _tells_rooms(rows)


def _tells_rooms(rows: Iterable[Seen]) -> bool:
    return any(row.room != MAIN_ROOM and not row.waiting for row in rows)


def _as_thought(
    instance: Instance, connection: Connection, entry: Seen, role: str
) -> bool:
    where = connection.whereabouts(instance.closed_at)
    if role and _loud(role) != _loud(connection.role):
        return False
    if entry.waiting:
        return where.waiting
    if entry.room != MAIN_ROOM and where.room != entry.room:
        return False
    return bool(where.room)


def _role(
    session: GroupSession, connection: Connection, entry: Seen, started_at: datetime
) -> str:
    """What the list says of host rights, "" where it may be too old to know (F10)."""
    if entry.role == "host":
        return entry.role
    crowned = [at for at, role in connection.roles.items() if role == "host"]
    fresh = crowned and started_at - max(crowned) < session.policy.roster_staleness
    return "" if fresh else entry.role


def _loud(role: str) -> str:
    # A live list that says "attendee" also for co-hosts must not take the role away.
    return role if role == "host" else ""


def _seen(
    instance: Instance,
    connection: Connection | None,
    entry: Seen,
    role: str,
    started_at: datetime,
    *,
    in_main: bool,
) -> ConnectionSeen:
    seat, room = entry.seat, entry.room
    proof = instance.proof_at
    if connection is not None:
        where = connection.whereabouts(instance.closed_at)
        if room == MAIN_ROOM and not entry.waiting and not in_main:
            # A list that does not know of breakout rooms moves nobody out of one.
            room = where.room or room
        if where.room or where.waiting:
            moved = entry.waiting or where.room != room
            proof = _last_proof(connection, instance) if moved else None
    return ConnectionSeen(
        meeting=instance.ref,
        at=started_at,
        source=Source.POLL,
        uuid=seat.uuid,
        user_id=seat.user_id,
        registrant_id=seat.registrant_id,
        platform_user_id=seat.platform_user_id,
        name=seat.name,
        by_phone=bool(seat.phone),
        room=room,
        waiting=entry.waiting,
        role=role,
        last_proof_at=None if proof is None else min(proof, started_at),
    )


def _missed(
    session: GroupSession,
    instance: Instance,
    connection: Connection,
    started_at: datetime,
) -> ConnectionMissed | None:
    where = connection.whereabouts(instance.closed_at)
    if not where.room and not where.waiting:
        return None
    proofs = [m.at for m in connection.marks if m.kind in _NEWS]
    told = max(proofs, default=None)
    seen = connection.proved_at
    fresh = told is not None and started_at - told < session.policy.roster_staleness
    if fresh and (seen is None or (told is not None and seen < told)):
        # The list may be a minute old and not know of this join yet (F10, I3).
        return None
    last = _last_proof(connection, instance) or started_at
    return ConnectionMissed(
        meeting=instance.ref,
        at=started_at,
        source=Source.POLL,
        uuid=connection.uuid,
        user_id=connection.user_id,
        last_proof_at=min(last, started_at),
    )


def settled_at(session: GroupSession, instance: Instance) -> datetime | None:
    """When a look can settle a doubt: whoever joined and left at once, and of whose leave
    we did not hear, is missing from the list, which may be too old to know of the join
    (F10). None when every look showed whom we thought to be there.
    """
    looked, staleness = instance.proof_at, session.policy.roster_staleness
    found: list[datetime] = []
    for connection in instance.connections.values():
        told = max((m.at for m in connection.marks if m.kind in _NEWS), default=None)
        if told is None or looked is None or not told <= looked < told + staleness:
            continue
        shown = connection.proved_at is not None and connection.proved_at >= told
        if not shown and connection.whereabouts(instance.closed_at).room:
            found.append(told + staleness)
    return min(found, default=None)


def _last_proof(connection: Connection, instance: Instance) -> datetime | None:
    """When we last had proof that it is where we think it is."""
    told = [m.at for m in connection.marks if m.kind in _NEWS]
    since = connection.whereabouts(instance.closed_at).since
    known = (*told, connection.proved_at, since)
    return max((at for at in known if at is not None), default=None)


def prove(
    instance: Instance,
    entries: Iterable[Seen],
    *,
    started_at: datetime,
    complete: bool,
) -> tuple[str, ...]:
    """Note which connections this look proved; returns their keys for ``last_seen``."""
    keys: list[str] = []
    rows, named = _rows(instance, entries)
    instance.lists_rooms = instance.lists_rooms or _tells_rooms(rows)
    for entry in rows:
        connection = match(instance, entry.seat)
        if connection is None:
            continue
        where = connection.whereabouts(instance.closed_at)
        if instance.lists_rooms and entry.room != where.room and not entry.waiting:
            continue  # It does not show them where we think they are.
        if bool(where.room) == (not entry.waiting):
            connection.proved_at = max(connection.proved_at or started_at, started_at)
            keys.append(connection.key)
    if complete and named:
        instance.proof_at = max(instance.proof_at or started_at, started_at)
        instance.failing_since = None
    return tuple(keys)
