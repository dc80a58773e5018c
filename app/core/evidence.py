"""What each connection brings with it: personal link, account, and workers' words.

Gathered once for an instance, and read by :mod:`app.core.identity` for each connection.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from app.core.connections import Connection, Stay
from app.core.events import LeaveCause
from app.core.plan import WorkerSlot
from app.core.presses import (
    ConnectionVouched,
    LinkState,
    SessionEvent,
    WorkerConfirmed,
)
from app.core.session import GroupSession, Instance, Link
from app.core.spans import here_since

Press = TypeVar("Press", bound=SessionEvent)

GHOST_LASTS = timedelta(seconds=60)
"""How long a platform may show a connection whose network has gone."""

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class Evidence:
    """What is looked up for each connection, gathered once.

    ``workers``, ``names``: by person id. ``accounts``: the roster slots of a platform
    account. ``registrants``: the registrant id of each connection. ``on_link``: the
    connections of a registrant id, without telephone legs.
    ``confirmed``, ``vouched``: by connection key. ``later``: per registrant id the
    connections that came when the link was already live, once somebody asked.
    ``copied``: whose name was found copied, by all that the answer depends on.
    """

    session: GroupSession
    instance: Instance
    workers: dict[str, WorkerSlot] = field(default_factory=dict)
    clients: frozenset[str] = frozenset()
    accounts: dict[str, list[WorkerSlot]] = field(default_factory=dict)
    registrants: dict[str, str] = field(default_factory=dict)
    on_link: dict[str, list[Connection]] = field(default_factory=dict)
    confirmed: Mapping[str, WorkerConfirmed] = field(default_factory=dict)
    vouched: Mapping[str, ConnectionVouched] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    later: dict[str, frozenset[str]] = field(default_factory=dict)
    copied: dict[tuple[str, str, tuple[str, ...]], str] = field(default_factory=dict)

    def link(self, connection: Connection) -> Link | None:
        """The personal link it came by, in whatever state that link is now."""
        registrant = self.registrants.get(connection.key)
        return self.session.links.get(registrant) if registrant else None

    def confirmed_by(self, connection: Connection) -> WorkerConfirmed | None:
        """The "I am in" press on this connection by a worker of this session."""
        press = self.confirmed.get(connection.key)
        return press if press is not None and press.by in self.workers else None

    def vouched_as(self, connection: Connection) -> str:
        """The listed client a worker says this connection is, "" for nobody."""
        press = self.vouched.get(connection.key)
        if press is None or press.person_id not in self.clients:
            return ""
        return press.person_id

    def is_shared(self, account: str) -> bool:
        """Whether this account alone proves nobody (DESIGN §5, line 17)."""
        slots = self.accounts[account]
        return len(slots) > 1 or slots[0].shared_login


def gather(session: GroupSession, instance: Instance) -> Evidence:
    """Look up everything that says who the connections of this instance are."""
    evidence = Evidence(session, instance)
    plan = session.plan
    if plan is not None:
        evidence.workers = {slot.person_id: slot for slot in plan.workers}
        evidence.clients = frozenset(c.person_id for c in plan.clients) - set(
            evidence.workers
        )
        for slot in plan.workers:
            if slot.platform_user_id:
                evidence.accounts.setdefault(slot.platform_user_id, []).append(slot)
    for person_id in (*evidence.workers, *sorted(evidence.clients)):
        if name := session.names.get(person_id):
            evidence.names[person_id] = name
    for connection in instance.connections.values():
        registrant = _registrant(session, instance, connection)
        if not registrant:
            continue
        evidence.registrants[connection.key] = registrant
        # A telephone leg takes over the link of the device it belongs to: not a second.
        if not connection.by_phone:
            evidence.on_link.setdefault(registrant, []).append(connection)
    evidence.confirmed = _of_instance(instance, session.confirmed)
    evidence.vouched = _of_instance(instance, session.vouched)
    return evidence


def _registrant(
    session: GroupSession, instance: Instance, connection: Connection
) -> str:
    """The registrant id, if need be from the same connection under another name of the
    occurrence: what a live list showed before any webhook came has none."""
    if connection.registrant_id or not connection.uuid:
        return connection.registrant_id
    for other in session.instances.values():
        twin = other.connections.get(connection.key)
        same_room = other.ref.meeting_id == instance.ref.meeting_id
        if same_room and twin is not None and twin.registrant_id:
            return twin.registrant_id
    return ""


def _of_instance(instance: Instance, presses: Mapping[str, Press]) -> dict[str, Press]:
    """The latest press about each connection, under the key it has now.

    Seat numbers come round again in the next instance, so what was pressed before this
    one began is not about it (I5).
    """
    found: dict[str, Press] = {}
    for key, press in presses.items():
        if instance.started_at is not None and press.at < instance.started_at:
            continue
        connection = instance.resolve(key)
        if connection is None:
            continue
        known = found.get(connection.key)
        if known is None or known.at <= press.at:
            found[connection.key] = press
    return found


# --- one link, more than one connection ---


def link_problem(evidence: Evidence, connection: Connection, link: Link) -> str:
    """Why a worker's own link alone proves nothing here; "" when it does (N19)."""
    begun = _begins(evidence, connection)
    if (
        link.state is LinkState.CANCELLED
        and link.changed_at is not None
        and begun > link.changed_at
    ):
        return "This worker's link was cancelled before it was used here."
    if any(
        (_begins(evidence, other), other.key) < (begun, connection.key)
        or evidence.confirmed_by(other) is not None
        for other in evidence.on_link[link.registrant_id]
        if other is not connection and _met(evidence, other, connection)
    ):
        return "This worker's link is open more than once."
    return ""


def _begins(evidence: Evidence, connection: Connection) -> datetime:
    where = connection.whereabouts(evidence.instance.closed_at)
    if where.stays:
        return where.stays[0].begins
    return where.since or connection.first_at or _NEVER


def _met(evidence: Evidence, other: Connection, connection: Connection) -> bool:
    """Whether ``other`` was in a room while this connection was in one, or at its door.

    A connection the network dropped (or nobody saw leaving) stays visible for a while;
    who comes back through their own link meanwhile did not open it twice.
    """
    ended_at = evidence.instance.closed_at
    where = connection.whereabouts(ended_at)
    mine = [(stay.begins, stay.end) for stay in where.stays]
    if where.waiting and where.since is not None:
        mine.append((where.since, None))
    for stay in other.whereabouts(ended_at).stays:
        for start, end in mine:
            if (stay.end is not None and stay.end <= start) or (
                end is not None and end <= stay.begins
            ):
                continue
            if not _is_ghost(stay, start):
                return True
    return False


def _is_ghost(stay: Stay, start: datetime) -> bool:
    """Whether this stay was over before ``start``, though the platform still showed it."""
    if stay.end is None or stay.begins >= start or stay.end - start > GHOST_LASTS:
        return False
    return stay.cause == LeaveCause.DROPPED or (stay.by_poll and not stay.cause)


def is_later_use(evidence: Evidence, connection: Connection, link: Link) -> bool:
    """Whether the same link was already live when this connection came (K01, K06)."""
    registrant = link.registrant_id
    if len(evidence.on_link[registrant]) < 2:
        return False
    if registrant not in evidence.later:
        evidence.later[registrant] = _later_uses(evidence, link)
    return connection.key in evidence.later[registrant]


def _later_uses(evidence: Evidence, link: Link) -> frozenset[str]:
    live: list[tuple[bool, datetime, str]] = []
    for one in evidence.on_link[link.registrant_id]:
        where = one.whereabouts(evidence.instance.closed_at)
        since = here_since(where) or where.since
        if since is not None and evidence.vouched_as(one) in ("", link.person_id):
            live.append((not where.room, since, one.key))
    return frozenset(key for _, _, key in sorted(live)[1:])
