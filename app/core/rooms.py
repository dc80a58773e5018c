"""The rooms of a session as they are now: who is in them, and since when unsafe.

A room is the main room or one breakout room of one instance. The waiting room is not a
room (assurance, the safety-time budget).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.core.alone import alone_through_rooms
from app.core.connections import Connection, Stay
from app.core.identity import Standing, standings
from app.core.session import GroupSession, Instance


@dataclass(frozen=True, slots=True)
class Present:
    """One connection that is in a room (or at the door) now."""

    connection: Connection
    standing: Standing
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Room:
    """One room now.

    ``unsafe_since``: the last proof that it was safe, None while it is. ``worker_ever``:
    a verified worker was in this instance before. ``news_at``: when we had heard all
    that makes it unsafe, None when nobody told us but a look at the room.
    """

    instance: Instance
    name: str
    people: tuple[Present, ...]
    unsafe_since: datetime | None
    worker_ever: bool
    news_at: datetime | None

    @property
    def workers(self) -> tuple[Present, ...]:
        """The verified workers in it."""
        return tuple(p for p in self.people if p.standing.is_worker)

    @property
    def at_risk(self) -> tuple[Present, ...]:
        """Everybody in it who must not be without a worker."""
        return tuple(p for p in self.people if p.standing.at_risk)


def who_is_who(session: GroupSession, instance: Instance) -> dict[str, Standing]:
    """The standing of every connection of an instance, computed once per version."""
    return session.remember_room(
        f"standings:{instance.ref.instance}",
        lambda: standings(session, instance),
    )


def rooms(session: GroupSession) -> tuple[Room, ...]:
    """Every room of every live instance that holds or held somebody."""
    return session.remember_room("rooms", lambda: tuple(_all_rooms(session)))


def waiting(session: GroupSession, instance: Instance) -> tuple[Present, ...]:
    """Who stands at the door of this instance."""
    known = who_is_who(session, instance)
    found = []
    for connection in instance.connections.values():
        where = connection.whereabouts(instance.closed_at)
        if where.waiting:
            found.append(Present(connection, known[connection.key], where.since))
    return tuple(found)


def _all_rooms(session: GroupSession) -> Iterable[Room]:
    for instance in session.live():
        known = who_is_who(session, instance)
        places: dict[str, list[Present]] = {}
        for connection in instance.connections.values():
            where = connection.whereabouts(instance.closed_at)
            if where.room:
                present = Present(connection, known[connection.key], where.since)
                places.setdefault(where.room, []).append(present)
        for name in sorted(places):
            people = sorted(places[name], key=_arrival)
            yield _room(session, instance, known, name, tuple(people))


def _arrival(person: Present) -> tuple[datetime | None, str]:
    return (person.since, person.connection.key)


def _room(
    session: GroupSession,
    instance: Instance,
    known: dict[str, Standing],
    name: str,
    people: tuple[Present, ...],
) -> Room:
    safe = any(p.standing.is_worker for p in people) or not any(
        p.standing.at_risk for p in people
    )
    workers = worker_stays(session, instance)
    if safe:
        return Room(instance, name, people, None, bool(workers), None)
    workers = workers + _former(session, instance, known)
    since, news = _unsafe(session, instance, known, name, workers)
    return Room(instance, name, people, since, bool(workers), news)


def worker_stays(session: GroupSession, instance: Instance) -> list[tuple[str, Stay]]:
    """(person id, stay) of the verified workers, computed once per version; to be read."""
    return session.remember_room(
        f"worker stays:{instance.ref.instance}",
        lambda: stays_of(instance, who_is_who(session, instance), workers=True),
    )


def stays_of(
    instance: Instance,
    known: dict[str, Standing],
    *,
    workers: bool,
    room: str | None = None,
) -> list[tuple[str, Stay]]:
    """(person id or connection key, stay) of verified workers, or of those at risk."""
    found: list[tuple[str, Stay]] = []
    closed_at = instance.closed_at
    for key, connection in instance.connections.items():
        who = known[key]
        if not (who.is_worker if workers else who.at_risk):
            continue
        for stay in connection.whereabouts(closed_at).stays:
            if room is None or stay.room == room:
                found.append((who.person_id or key, stay))
    return found


def _former(
    session: GroupSession, instance: Instance, known: dict[str, Standing]
) -> list[tuple[str, Stay]]:
    """The stays of workers taken off the list meanwhile, up to that moment (S13)."""
    found: list[tuple[str, Stay]] = []
    for person_id, (until, slot) in session.former_workers.items():
        for key, connection in instance.connections.items():
            link = session.links.get(connection.registrant_id)
            theirs = (link is not None and link.person_id == person_id) or (
                bool(slot.platform_user_id)
                and slot.platform_user_id == connection.platform_user_id
            )
            if not theirs or known[key].is_worker:
                continue
            for stay in connection.whereabouts(instance.closed_at).stays:
                if stay.begins >= until:
                    continue
                if stay.end is None or stay.end > until:
                    stay = replace(stay, end=until, end_heard_at=until)
                found.append((person_id, stay))
    return found


def _unsafe(
    session: GroupSession,
    instance: Instance,
    known: dict[str, Standing],
    name: str,
    workers: Iterable[tuple[str, Stay]],
) -> tuple[datetime | None, datetime | None]:
    """Since when this room is unsafe, and when we had heard all that makes it so.

    Where only a look showed that people moved, it counts from the look before: the last
    proof that a worker was with them. Before the first worker there is no such proof.
    """
    workers = list(workers)
    risk = [s for _, s in stays_of(instance, known, workers=False, room=name)]
    if workers:
        risk = [replace(s, start=s.unseen_since or s.start) for s in risk]
    begun = covered_since(risk, session.policy.grace)
    if begun is None:
        return None, None
    came = [s.start_heard_at for s in risk if s.begins >= begun]
    since, news = begun, [min(filter(None, came), default=None)]
    for _, stay in workers:
        # Until such a leave was heard, that worker was thought to be there.
        if stay.room == name and stay.end is not None and stay.end >= begun:
            since = max(since, stay.seen_until or stay.end)
            news.append(stay.end_heard_at)
    moved = _since_moved(session, instance, known, name, [s for _, s in workers])
    return min(since, moved or since), max(filter(None, news), default=None)


def _since_moved(
    session: GroupSession,
    instance: Instance,
    known: dict[str, Standing],
    name: str,
    workers: list[Stay],
) -> datetime | None:
    """The longest that anybody here has gone from room to room without a worker, but not
    from before a worker was last in this one."""
    alone = [
        alone_through_rooms(where.stays, workers, session.policy.grace)
        for key, connection in instance.connections.items()
        if known[key].at_risk
        and (where := connection.whereabouts(instance.closed_at)).room == name
    ]
    since = min(filter(None, alone), default=None)
    last = [s.seen_until or s.end for s in workers if s.room == name]
    return since and max([since, *filter(None, last)])


def covered_since(stays: Iterable[Stay], bridge: timedelta) -> datetime | None:
    """Since when somebody is here without a break longer than ``bridge``.

    A client who leaves and returns does not start the countdown again (guidance §8, 3).
    """
    ordered = sorted(stays, key=lambda s: s.begins)
    start: datetime | None = None
    end: datetime | None = None
    for stay in ordered:
        if start is None or (end is not None and stay.begins > end + bridge):
            start, end = stay.begins, stay.end
        elif end is not None:
            end = None if stay.end is None else max(end, stay.end)
    return start
