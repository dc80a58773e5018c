"""Everybody in a room or at a door now, with what entry rules need to know."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from app.core.actions import AlertStaff, AskWorker, Audience, Expect, Level
from app.core.connections import Connection
from app.core.identity import Standing, Who
from app.core.rooms import who_is_who
from app.core.rules.aim import Aim, aim
from app.core.session import GroupSession, Instance
from app.core.spans import here_since

ASKED_AT_ONCE = 5
"""So many questions of one kind are shown at once; a storm is one alarm (I10)."""


@dataclass(frozen=True, slots=True)
class Here:
    """One connection in a room, or at the door (``inside`` False), since ``since``."""

    instance: Instance
    connection: Connection
    standing: Standing
    since: datetime
    inside: bool

    @property
    def episode(self) -> str:
        """This stay of this connection: a return is another episode."""
        return f"{self.instance.ref.instance}:{self.connection.key}:{self.since.isoformat()}"

    @property
    def has_host_rights(self) -> bool:
        """Whether the platform lets it admit, remove and end."""
        return self.connection.role in ("host", "co-host")

    def aim(self) -> Aim:
        """Aim an action at it."""
        return aim(self.instance, self.connection, self.standing.person_id)


def everybody(session: GroupSession) -> tuple[Here, ...]:
    """Who is in the rooms and at the doors of the live instances, the oldest first.

    Without a plan there is no list, so nobody can be missing from it: nothing is said.
    """
    if session.plan is None:
        return ()
    return session.remember_room("entry.everybody", lambda: tuple(_everybody(session)))


def _everybody(session: GroupSession) -> list[Here]:
    found: list[Here] = []
    for instance in session.live():
        known, closed_at = who_is_who(session, instance), instance.closed_at
        for connection in instance.connections.values():
            where = connection.whereabouts(closed_at)
            since = here_since(where) or where.since
            if since is not None:
                standing = known[connection.key]
                inside = bool(where.room)
                found.append(Here(instance, connection, standing, since, inside))
    return sorted(found, key=lambda h: (h.since, h.connection.key))


def inside(session: GroupSession, *who: Who) -> Iterator[Here]:
    """Those of these standings who are in a room, the oldest first."""
    return _of(session, True, who)


def at_the_door(session: GroupSession, *who: Who) -> Iterator[Here]:
    """Those of these standings who wait at a door, the oldest first."""
    return _of(session, False, who)


def _of(session: GroupSession, inside: bool, who: tuple[Who, ...]) -> Iterator[Here]:
    places = session.remember_room("entry.places", lambda: _places(session))
    groups = [found for one in who if (found := places.get((inside, one)))]
    if len(groups) == 1:
        return iter(groups[0])
    return (
        h
        for h in (everybody(session) if groups else ())
        if h.inside is inside and h.standing.who in who
    )


def _places(session: GroupSession) -> dict[tuple[bool, Who], list[Here]]:
    found: dict[tuple[bool, Who], list[Here]] = {}
    for person in everybody(session):
        found.setdefault((person.inside, person.standing.who), []).append(person)
    return found


def first_few(people: Iterable[Here]) -> list[Here]:
    """As many of each instance as staff can be asked about at once."""
    found: list[Here] = []
    count: dict[str, int] = {}
    for person in people:
        name = person.instance.ref.instance
        count[name] = count.get(name, 0) + 1
        if count[name] <= ASKED_AT_ONCE:
            found.append(person)
    return found


def one_a_minute(
    people: Iterable[Here], about: Callable[[Here], str] = lambda _: ""
) -> Iterator[tuple[str, Here]]:
    """(episode, first of it): people who came in the same minute are one alarm (I10).

    ``about`` keeps apart what has to be told apart.
    """
    told: set[tuple[str, str, datetime]] = set()
    for person in people:
        minute = person.since.replace(second=0, microsecond=0)
        episode = (person.instance.ref.instance, about(person), minute)
        if episode not in told:
            told.add(episode)
            yield f"{episode[0]}:{episode[1]}:{minute.isoformat()}", person


def ask(
    person: Here,
    press: str,
    *,
    rule: str,
    clause: str,
    reason: str,
    until: Expect = Expect.TICK,
    episode: str = "",
) -> AskWorker:
    """Ask a worker to press something about this connection."""
    return AskWorker(
        key=f"{rule}.{press}:{episode or person.episode}",
        reason=reason,
        clause=clause,
        rule=rule,
        meeting=person.instance.ref,
        press=press,
        connection=person.connection.key,
        person_id=person.standing.person_id,
        until=until,
    )


def alert(
    person: Here,
    level: Level,
    *,
    rule: str,
    clause: str,
    reason: str,
    what_to_do: str,
    episode: str = "",
) -> AlertStaff:
    """Tell the workers about this connection."""
    return AlertStaff(
        key=f"{rule}.alert:{episode or person.episode}",
        reason=reason,
        clause=clause,
        rule=rule,
        level=level,
        audience=Audience.WORKERS,
        what_to_do=what_to_do,
        connection=person.connection.key,
        person_id=person.standing.person_id,
    )
