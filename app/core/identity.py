"""Who a connection is. Never by its display name.

In this order: a worker's word about this very connection, the personal link, the account
the platform vouches for. An e-mail address proves nothing: the platform also shows what
somebody typed at registration (N22).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from app.core.connections import Connection
from app.core.evidence import Evidence, gather, is_later_use, link_problem
from app.core.names import looks_like, looks_like_recorder, resembles, same_name
from app.core.plan import WorkerSlot
from app.core.session import GroupSession, Instance, Link


class Who(StrEnum):
    """What a connection counts as."""

    WORKER = "verified worker"
    CHALLENGED = "says worker, not proven"
    CLIENT = "invited client"
    DOUBTFUL = "invited client's link, person not sure"
    STRANGER = "stranger"
    PHONE = "phone caller"
    RECORDER = "recorder or note-taker"


@dataclass(frozen=True, slots=True)
class Standing:
    """Who a connection is and why we think so.

    ``person_id`` "" when nobody on the list. ``why`` is a short sentence for the page.
    ``looks_like``: person id of somebody whose name it copies (N01-N03), "" for none.
    ``verified_from``: from when a worker counts, None for from the start.
    """

    who: Who
    person_id: str = ""
    why: str = ""
    looks_like: str = ""
    verified_from: datetime | None = None

    @property
    def is_worker(self) -> bool:
        """Only a verified worker counts as a worker."""
        return self.who is Who.WORKER

    @property
    def at_risk(self) -> bool:
        """Whether a room holding this connection and no worker is unsafe.

        Somebody who says to be a worker never counts as one; but alone, or with
        recorders, they put nobody at risk.
        """
        return self.who not in (Who.WORKER, Who.RECORDER, Who.CHALLENGED)


def standing(
    session: GroupSession, instance: Instance, connection: Connection
) -> Standing:
    """Say who a connection is, from link, account or a worker's word; never its name."""
    return _standing(gather(session, instance), connection)


def standings(session: GroupSession, instance: Instance) -> dict[str, Standing]:
    """The standing of every connection of an instance, past ones too, by its key."""
    evidence = gather(session, instance)
    return {c.key: _standing(evidence, c) for c in instance.connections.values()}


def _standing(evidence: Evidence, connection: Connection) -> Standing:
    found = _who(evidence, connection)
    if found.who in (Who.WORKER, Who.PHONE) or found.looks_like:
        return found
    copied = _copied(evidence, connection, found, _names(connection))
    return replace(found, looks_like=copied) if copied else found


def _who(evidence: Evidence, connection: Connection) -> Standing:
    link = evidence.link(connection)
    if connection.by_phone:
        return _caller(evidence, connection, link)
    slots = evidence.accounts.get(connection.platform_user_id, [])
    own = bool(slots) and not evidence.is_shared(connection.platform_user_id)
    vouched_as = evidence.vouched_as(connection)
    if vouched_as and not own:
        return Standing(Who.CLIENT, vouched_as, "A worker says who this is.")
    if link is not None and link.person_id in evidence.workers:
        return _on_workers_link(evidence, connection, link)
    if link is not None and link.person_id in evidence.clients and not slots:
        return _on_clients_link(evidence, connection, link)
    if slots:
        return _on_workers_account(evidence, connection, slots, link)
    return _unlisted(evidence, connection, link)


# --- workers ----------------------------------------------------------------------


def _on_workers_link(
    evidence: Evidence, connection: Connection, link: Link
) -> Standing:
    slot = evidence.workers[link.person_id]
    account = connection.platform_user_id
    if account and account == slot.platform_user_id and not evidence.is_shared(account):
        return Standing(Who.WORKER, slot.person_id, "Signed in with their own account.")
    problem = link_problem(evidence, connection, link)
    if not problem:
        return Standing(Who.WORKER, slot.person_id, "Came in by their own link.")
    press = evidence.confirmed_by(connection)
    if press is not None and press.by == slot.person_id:
        why = 'Came in by their own link and pressed "I am in".'
        return Standing(Who.WORKER, slot.person_id, why, verified_from=press.at)
    return Standing(Who.CHALLENGED, slot.person_id, problem)


def _on_workers_account(
    evidence: Evidence,
    connection: Connection,
    slots: list[WorkerSlot],
    link: Link | None,
) -> Standing:
    press = evidence.confirmed_by(connection)
    theirs = {slot.person_id for slot in slots}
    if press is not None and press.by in theirs:
        why = 'Signed in with a worker\'s account and pressed "I am in".'
        return Standing(Who.WORKER, press.by, why, verified_from=press.at)
    if link is not None and link.person_id in evidence.clients:
        why = "A client's link, opened with a worker's account."
        return Standing(Who.DOUBTFUL, link.person_id, why)
    if not evidence.is_shared(connection.platform_user_id):
        return Standing(
            Who.WORKER, slots[0].person_id, "Signed in with their own account."
        )
    one = slots[0].person_id if len(slots) == 1 else ""
    why = 'A shared account: not proven until its user presses "I am in".'
    return Standing(Who.CHALLENGED, one, why)


# --- clients ----------------------------------------------------------------------


def _on_clients_link(
    evidence: Evidence, connection: Connection, link: Link
) -> Standing:
    person_id = link.person_id
    if is_later_use(evidence, connection, link):
        why = "This personal link is open more than once."
        return Standing(Who.DOUBTFUL, person_id, why)
    found = Standing(Who.CLIENT, person_id, "Came in by their own link.")
    # Only the name they came with: a name changed in the call changes nobody (N07).
    other = _copied(evidence, connection, found, _names(connection)[:1])
    if other:
        why = "The name shown is that of somebody else on the list."
        return Standing(Who.DOUBTFUL, person_id, why, looks_like=other)
    return found


# --- everybody else ---------------------------------------------------------------


def _caller(evidence: Evidence, connection: Connection, link: Link | None) -> Standing:
    """A phone caller: a listed client at most, never a worker (N20)."""
    vouched_as = evidence.vouched_as(connection)
    if vouched_as:
        return Standing(Who.CLIENT, vouched_as, "A worker says who this caller is.")
    if connection.bound_to:
        bound = evidence.instance.resolve(connection.bound_to)
        if bound is not None and not bound.by_phone:
            whose = _who(evidence, bound)
            if whose.who is Who.CLIENT:
                why = "A telephone tied to this client's own connection."
                return Standing(Who.CLIENT, whose.person_id, why)
            if whose.who is Who.WORKER:
                why = "A telephone tied to a worker; it never counts as one."
                return Standing(Who.PHONE, whose.person_id, why)
            return Standing(Who.PHONE, why="A phone caller nobody has identified.")
    if link is not None and link.person_id in evidence.clients:
        why = "Called in with this client's own number code."
        return Standing(Who.CLIENT, link.person_id, why)
    return Standing(Who.PHONE, why="A phone caller nobody has identified.")


def _unlisted(
    evidence: Evidence, connection: Connection, link: Link | None
) -> Standing:
    press = evidence.confirmed_by(connection)
    if press is not None:
        why = (
            'A worker pressed "I am in", but this connection has neither their link nor '
            "their account."
        )
        return Standing(Who.CHALLENGED, press.by, why)
    if link is None and any(looks_like_recorder(name) for name in _names(connection)):
        why = "Named like a recorder or note-taker."
        return Standing(Who.RECORDER, why=why)
    if link is not None:
        return Standing(
            Who.STRANGER, why="The link of somebody who is no longer on the list."
        )
    return Standing(Who.STRANGER, why="No personal link and no worker's account.")


# --- names: only ever a question --------------------------------------------------


def _names(connection: Connection) -> list[str]:
    """Every name it showed, oldest first; none where names were erased."""
    if len(connection.names) > 1:
        return [connection.names[at] for at in sorted(connection.names)]
    if connection.names:
        return [*connection.names.values()]
    return [connection.name] if connection.name else []


def _copied(
    evidence: Evidence, connection: Connection, found: Standing, names: Iterable[str]
) -> str:
    """Whose name these names copy: a worker's before a client's; "" for nobody's."""
    # Who comes and goes is many connections of one person under one name.
    asked = (found.person_id, connection.platform_user_id, tuple(names))
    known = evidence.copied.get(asked)
    if known is None:
        known = evidence.copied[asked] = _look_for_copy(evidence, *asked)
    return known


def _look_for_copy(
    evidence: Evidence, person_id: str, account: str, names: tuple[str, ...]
) -> str:
    users = evidence.accounts.get(account, ())
    themselves = {person_id, *(slot.person_id for slot in users)}
    others = {p: n for p, n in evidence.names.items() if p not in themselves}
    own = evidence.names.get(person_id, "")
    for name in names:
        if own and same_name(name, own):
            continue
        hit = looks_like(name, others)
        # Ann Price may share a word with Anna Price; a whole copy is still a copy.
        if hit and (not resembles(name, own) or same_name(name, others[hit])):
            return hit
    return ""
