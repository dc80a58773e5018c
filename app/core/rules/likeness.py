"""Who seems to be more than they are: copied names, host rights, nicknames (A2, A4, T2)."""

from collections.abc import Iterator
from datetime import datetime
from itertools import takewhile

from app.core.actions import Expect, Level, Wish
from app.core.connections import Connection
from app.core.identity import Who
from app.core.names import claims_role, resembles
from app.core.rules.here import Here, alert, ask, everybody, inside, one_a_minute
from app.core.session import GroupSession


def copied_name(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """A name like a worker's is a red alarm, like another client's an amber one (A2).

    It changes nothing about who they are (N01-N07). Copied workers are told apart; of
    clients many come at once where nobody could prove anything yet (I10).
    """
    copies = session.remember_room("entry.copied_name", lambda: _copies(session))

    def about(person: Here) -> str:
        copied = person.standing.looks_like
        return copied if session.worker_slot(copied) is not None else ""

    for episode, person in one_a_minute(copies, about):
        worker = session.worker_slot(person.standing.looks_like) is not None
        yield alert(
            person,
            Level.RED if worker else Level.AMBER,
            rule="entry.copied_name",
            clause="A2",
            reason=(
                "Somebody looks like a worker by name, and is not one."
                if worker
                else "Somebody shows a name like that of another client on the list."
            ),
            what_to_do=(
                "Do not follow what they say as a worker, and do not give them host "
                "rights. Ask who they are."
                if worker
                else "Ask who they are. Their own link says who they are, not the name."
            ),
            episode=episode,
        )


def _copies(session: GroupSession) -> list[Here]:
    return [
        person
        for person in everybody(session)
        if person.standing.looks_like and not person.standing.is_worker
    ]


def claimed_role(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Somebody wrote *Host*, *Staff* or *Lead* behind their name, and is no worker (N05)."""
    claims = session.remember_room("entry.claimed_role", lambda: _claims(session))
    for episode, person in one_a_minute(claims):
        yield alert(
            person,
            Level.AMBER,
            rule="entry.claimed_role",
            clause="N05",
            reason="Somebody calls themselves host or staff in their name, and is not.",
            what_to_do="Ask them to change the name, and do not give them host rights.",
            episode=episode,
        )


def _claims(session: GroupSession) -> list[Here]:
    return [
        person
        for person in everybody(session)
        if not person.standing.is_worker
        and not person.standing.looks_like
        and _claims_more(session, person)
    ]


def _claims_more(session: GroupSession, person: Here) -> bool:
    own = session.names.get(person.standing.person_id, "")
    return not claims_role(own) and any(
        claims_role(name) for name in {*person.connection.names.values()}
    )


def host_rights(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Somebody who is no verified worker can admit, remove and end: red at once (A4).

    A shared work account that waits for its "I am in" is host by right, and is asked
    about by ``entry.challenged_worker``.
    """
    accounts = {
        slot.platform_user_id
        for slot in (session.plan.workers if session.plan is not None else ())
        if slot.platform_user_id
    }
    for person in everybody(session):
        if not person.inside or person.standing.is_worker or not person.has_host_rights:
            continue
        by_right = person.connection.platform_user_id in accounts
        if by_right and person.standing.who is Who.CHALLENGED:
            continue
        episode = _rights_episode(session, person)
        yield alert(
            person,
            Level.RED,
            rule="entry.host_rights",
            clause="A4",
            reason="Somebody who is not a worker has host rights.",
            what_to_do=(
                "Take the host rights back now: they can let people in, put people out "
                "and end the call."
            ),
            episode=episode,
        )
        yield ask(
            person,
            "reclaim_host",
            rule="entry.host_rights",
            clause="A4",
            reason="Somebody who is not a worker has host rights. Take them back.",
            until=Expect.ROLE_BACK,
            episode=episode,
        )


def _rights_episode(session: GroupSession, person: Here) -> str:
    """One name for the host rights it has now, however often and by whom they were seen.

    A look may see them before the webhook says since when. The moment they were first
    told of stays their name, or the earlier one that is heard later would ring again.
    """
    began = _rights_seen_at(person.connection)
    names = [
        f"{person.instance.ref.instance}:{person.connection.key}:{at.isoformat()}"
        for at in began
    ]
    told = (n for n in names if f"entry.host_rights.alert:{n}" in session.actions)
    return next(told, names[0])


def _rights_seen_at(connection: Connection) -> list[datetime]:
    """When the host rights it has now were heard of or seen, the oldest first."""
    seen = takewhile(
        lambda at: connection.roles[at] in ("host", "co-host"),
        sorted(connection.roles, reverse=True),
    )
    return sorted(seen)


def nickname(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """A client on their own link shows another name: ask for the real one (T2).

    Chosen names on record count as real. Never a step of the ladder.
    """
    yield from session.remember_room(
        "entry.nickname", lambda: tuple(_nicknames(session))
    )


def _nicknames(session: GroupSession) -> Iterator[Wish]:
    for person in inside(session, Who.CLIENT):
        connection, standing = person.connection, person.standing
        registered = session.names.get(standing.person_id, "")
        link = session.links.get(connection.registrant_id)
        if (
            not registered
            or not connection.name.strip()
            or connection.by_phone
            or standing.looks_like
            or link is None
            or link.person_id != standing.person_id
            or connection.key in session.vouched
            or resembles(connection.name, registered)
        ):
            continue
        yield ask(
            person,
            "rename",
            rule="entry.nickname",
            clause="T2",
            reason="The name shown is not the one on the list. Ask for the real name.",
            episode=f"{person.instance.ref.instance}:{connection.key}",
        )


RULES = (
    ("entry.host_rights", host_rights),
    ("entry.copied_name", copied_name),
    ("entry.claimed_role", claimed_role),
    ("entry.nickname", nickname),
)
"""The rules about names and rights, in the order they are asked."""
