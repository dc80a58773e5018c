"""Which connection a fact is about, whatever order the facts came in.

A fact that names a connection by its uuid belongs to that one. A fact with a seat number
alone (*loose*) belongs to whichever uuid is known to hold that seat; while nobody does,
the seat stands for itself. So the state depends on the facts, never on their order.
"""

from datetime import datetime

from app.core import events as e
from app.core.connections import Connection, Mark, MarkKind
from app.core.session import Instance


def take(instance: Instance, fact: e.SeatEvent) -> bool:
    """Bring the fact to its connection; False when nobody can be told from it (W21)."""
    if fact.uuid:
        _take_named(instance, fact)
        return True
    if not (fact.user_id or fact.parent_user_id):
        return False
    if fact in instance.loose:
        return True
    instance.loose[fact] = None
    if _link_seats(instance, fact):
        _sort_out(instance)
    else:
        _tell(_mixed(instance, _key_of(instance, fact)), fact)
    return True


def _take_named(instance: Instance, fact: e.SeatEvent) -> None:
    changed = _claim(instance, fact)
    own = instance.named.get(fact.uuid)
    if own is None:
        own = instance.named[fact.uuid] = Connection(key=fact.uuid)
        instance.connections[fact.uuid] = own
    _tell(own, fact)
    if changed and not instance.loose:
        for seat in filter(None, (fact.user_id, fact.parent_user_id)):
            _call(instance, seat, seat, instance.holders[seat])
    elif changed:
        _sort_out(instance)
    elif (shown := instance.connections[fact.uuid]) is not own:
        _tell(shown, fact)


# --- who holds which seat ---------------------------------------------------------


def _claim(instance: Instance, fact: e.SeatEvent) -> bool:
    """Note which seats this uuid holds; True when that may move loose facts."""
    changed = False
    for seat in (fact.user_id, fact.parent_user_id):
        if not seat:
            continue
        holders = instance.holders.setdefault(seat, {})
        since = holders.get(fact.uuid)
        if since is None or fact.at < since:
            holders[fact.uuid] = fact.at
            changed = changed or since is None or len(holders) > 1
    return changed


def _link_seats(instance: Instance, fact: e.SeatEvent) -> bool:
    """A breakout may show another seat number; the main room's one is its parent."""
    seat, parent = fact.user_id, fact.parent_user_id
    if not seat or not parent or seat == parent:
        return False
    known = instance.parents.get(seat, parent)
    changed = instance.parents.get(seat) != min(known, parent)
    instance.parents[seat] = min(known, parent)
    return changed


def _root(instance: Instance, seat: str) -> str:
    passed: list[str] = []
    while seat not in passed:
        passed.append(seat)
        if seat not in instance.parents:
            return seat
        seat = instance.parents[seat]
    return min(passed[passed.index(seat) :])


def _key_of(instance: Instance, fact: e.SeatEvent) -> str:
    root = _root(instance, fact.user_id or fact.parent_user_id)
    holders = instance.holders_of_root.get(root) or instance.holders.get(root)
    if not holders:
        return f"seat:{root}"
    # Should one seat have had two holders: whoever took it last before the fact.
    before = [(at, uuid) for uuid, at in holders.items() if at <= fact.at]
    if before:
        return max(before)[1]
    return min((at, uuid) for uuid, at in holders.items())[1]


def _sort_out(instance: Instance) -> None:
    """Seats changed hands: say anew what each is called, and give out loose facts anew."""
    _gather_holders(instance)
    proved = {k: c.proved_at for k, c in instance.connections.items()}
    instance.connections = dict(instance.named)
    for fact in instance.loose:
        _tell(_mixed(instance, _key_of(instance, fact)), fact)
    for key, at in proved.items():
        connection = instance.resolve(key)
        if connection is not None and at is not None:
            connection.proved_at = max(connection.proved_at or at, at)


def _gather_holders(instance: Instance) -> None:
    if not instance.parents:
        for seat, holders in instance.holders.items():
            _call(instance, seat, seat, holders)
        return
    by_root: dict[str, dict[str, datetime]] = {}
    seats = {*instance.holders, *instance.parents, *instance.parents.values()}
    for seat in seats:
        together = by_root.setdefault(_root(instance, seat), {})
        for uuid, at in instance.holders.get(seat, {}).items():
            together[uuid] = min(together.get(uuid, at), at)
    instance.holders_of_root = by_root
    for seat in seats:
        root = _root(instance, seat)
        _call(instance, seat, root, by_root[root])


def _call(
    instance: Instance, seat: str, root: str, holders: dict[str, datetime]
) -> None:
    last = max(((at, uuid) for uuid, at in holders.items()), default=None)
    instance.aliases[f"seat:{seat}"] = last[1] if last is not None else f"seat:{root}"


def _mixed(instance: Instance, key: str) -> Connection:
    """The connection as shown, which may know more than its uuid's own facts."""
    shown = instance.connections.get(key)
    if shown is None:
        shown = instance.connections[key] = Connection(key=key)
    elif shown is instance.named.get(key):
        shown = instance.connections[key] = Connection(key=key)
        shown.absorb(instance.named[key])
    return shown


# --- what a fact says of its connection -------------------------------------------

_MARKS: dict[type[e.SeatEvent], MarkKind] = {
    e.ParticipantWaiting: MarkKind.WAITING,
    e.ParticipantStoppedWaiting: MarkKind.STOPPED_WAITING,
    e.ParticipantAdmitted: MarkKind.ADMITTED,
    e.ParticipantHeld: MarkKind.HELD,
    e.ParticipantJoined: MarkKind.JOINED,
    e.ParticipantLeft: MarkKind.LEFT,
    e.BreakoutJoined: MarkKind.BREAKOUT_JOINED,
    e.BreakoutLeft: MarkKind.BREAKOUT_LEFT,
    e.ConnectionMissed: MarkKind.MISSED,
    e.PhoneBound: MarkKind.NOTICED,
}
_BY_LOOK = (e.ConnectionMissed, e.ConnectionSeen)
"""``NOTICED``: whoever this happens to is in the room, even if the join was lost."""


def _tell(connection: Connection, fact: e.SeatEvent) -> None:
    connection.uuid = connection.uuid or fact.uuid
    if seat := fact.user_id or fact.parent_user_id:
        connection.user_ids.add(seat)
    connection.tell(fact.at, "registrant_id", fact.registrant_id)
    connection.tell(fact.at, "platform_user_id", fact.platform_user_id)
    connection.tell(fact.at, "email", fact.email)
    connection.tell(fact.at, "phone", fact.phone)
    connection.rename(fact.at, fact.name)
    connection.by_phone = connection.by_phone or fact.by_phone
    kind = _MARKS.get(type(fact))
    if isinstance(fact, e.RoleChanged):
        connection.give_role(fact.at, fact.role)
        if fact.role in ("host", "co-host"):
            kind = MarkKind.NOTICED
    elif isinstance(fact, e.PhoneBound):
        bound = fact.bound_uuid or f"seat:{fact.bound_user_id}"
        connection.bind(fact.at, bound)
    elif isinstance(fact, e.ConnectionSeen):
        connection.give_role(fact.at, fact.role, seen=True)
        kind = MarkKind.SEEN_WAITING if fact.waiting else MarkKind.SEEN
    elif isinstance(fact, e.SharingChanged) and fact.started:
        kind = MarkKind.NOTICED
    if kind is not None:
        connection.add(_mark(kind, fact))


def _mark(kind: MarkKind, fact: e.SeatEvent) -> Mark:
    room = ""
    if isinstance(fact, (e.BreakoutJoined, e.BreakoutLeft, e.ConnectionSeen)):
        room = fact.room
    return Mark(
        fact.at,
        kind,
        room or e.MAIN_ROOM,
        fact.source,
        proof_at=fact.last_proof_at if isinstance(fact, _BY_LOOK) else None,
        heard_at=fact.heard_at,
        cause=str(fact.cause) if isinstance(fact, e.ParticipantLeft) else "",
    )
