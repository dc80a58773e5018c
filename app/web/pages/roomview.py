"""What the live page shows of the room: who is in, at the door, gone, and on what footing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2s

from app.core.admission import admit_problem
from app.core.connections import Connection
from app.core.events import MAIN_ROOM
from app.core.identity import Standing, Who
from app.core.ladder import (
    Target,
    next_step,
    standing_removal,
    steps_of,
    take_back_problem,
    target_of,
)
from app.core.names import display
from app.core.presses import AdmitPressed, Step, StepTakenBack
from app.core.rooms import Room, rooms, waiting, who_is_who
from app.core.rules.never_alone import deadline
from app.core.session import GroupSession, Instance
from app.web.words import LEFT, ROLES, STEPS, WHO, Tag, name_of

WORKER_FIRST = {Who.WORKER: 0, Who.CHALLENGED: 1, Who.CLIENT: 3, Who.DOUBTFUL: 3}
NOT_SURE = frozenset({Who.STRANGER, Who.PHONE, Who.DOUBTFUL, Who.CHALLENGED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One connection. ``slug`` names it in ids of the page; ``key`` in forms.

    ``shown``: the name the platform shows, where it differs. ``mine``: the visitor may
    press "I am in" on it. ``undo``: the step that may be taken back, and what it is
    called. ``no_entry``: why it may not be let in, "" when it may.
    """

    key: str
    slug: str
    name: str
    shown: str
    tag: Tag
    why: str
    since: datetime | None
    part: str = ""
    host: str = ""
    copies: str = ""
    person_id: str = ""
    is_worker: bool = False
    is_leader: bool = False
    can_ladder: bool = False
    can_vouch: bool = False
    vouched: bool = False
    mine: bool = False
    next_step: Step = Step.REMIND
    steps: tuple[tuple[datetime, str, str], ...] = ()
    undo: tuple[str, str] | None = None
    removed: bool = False
    removal_press: str = ""
    no_entry: str = ""
    left_how: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A room now; ``deadline`` when it has to be cleared, None while it is safe."""

    name: str
    people: tuple[Seen, ...]
    since: datetime | None
    deadline: datetime | None


@dataclass(frozen=True, slots=True)
class RoomView:
    """Everybody of a session, in three lists; ``workers``: different verified ones in."""

    places: tuple[Place, ...]
    at_door: tuple[Seen, ...]
    gone: tuple[Seen, ...]
    workers: int
    others: int
    lead_is_in: bool


def room_view(session: GroupSession, me: str, now: datetime) -> RoomView:
    """The room as it is now, for this visitor."""
    places = tuple(_place(session, room, me, now) for room in rooms(session))
    people = [one for place in places for one in place.people]
    workers = {one.person_id for one in people if one.is_worker}
    at_door = [
        _seen(session, instance, p.connection, p.standing, p.since, me, now)
        for instance in session.live()
        for p in waiting(session, instance)
    ]
    return RoomView(
        places=places,
        at_door=tuple(at_door),
        gone=tuple(_gone(session, me, now)),
        workers=len(workers),
        others=sum(not one.is_worker for one in people),
        lead_is_in=session.lead_id in workers,
    )


def _place(session: GroupSession, room: Room, me: str, now: datetime) -> Place:
    people = sorted(
        room.people,
        key=lambda p: (
            WORKER_FIRST.get(p.standing.who, 2),
            p.since or now,
            p.connection.key,
        ),
    )
    return Place(
        name="The room" if room.name == MAIN_ROOM else f"Breakout room {room.name}",
        people=tuple(
            _seen(session, room.instance, p.connection, p.standing, p.since, me, now)
            for p in people
        ),
        since=room.unsafe_since,
        deadline=deadline(session, room) if room.unsafe_since is not None else None,
    )


def _gone(session: GroupSession, me: str, now: datetime) -> Iterator[Seen]:
    """Who was there and is not: the latest of each person, newest first."""
    here: set[str] = set()
    last: dict[str, tuple[datetime, str, Instance, Connection, Standing]] = {}
    for instance in session.instances.values():
        known = who_is_who(session, instance)
        for connection in instance.connections.values():
            who = known[connection.key]
            where = connection.whereabouts(instance.closed_at)
            person = who.person_id or connection.key
            if where.room or where.waiting:
                here.add(person)
            ended = [stay for stay in where.stays if stay.end is not None]
            if not ended or ended[-1].end is None:
                continue
            how = LEFT.get(ended[-1].cause, "left")
            if person not in last or last[person][0] < ended[-1].end:
                last[person] = (ended[-1].end, how, instance, connection, who)
    for person, row in sorted(last.items(), key=lambda pair: pair[1][0], reverse=True):
        if person not in here:
            at, how, instance, connection, who = row
            yield _seen(session, instance, connection, who, at, me, now, how)


def _seen(
    session: GroupSession,
    instance: Instance,
    connection: Connection,
    who: Standing,
    since: datetime | None,
    me: str,
    now: datetime,
    left_how: str = "",
) -> Seen:
    shown = display(connection.name)
    name = name_of(session, who.person_id) if who.person_id else shown
    target = target_of(session, connection.key) or Target(connection=connection.key)
    removal = standing_removal(session, target)
    slot = session.worker_slot(who.person_id)
    return Seen(
        key=connection.key,
        slug=blake2s(connection.key.encode(), digest_size=6).hexdigest(),
        name=name,
        shown="" if shown.casefold() == name.casefold() else shown,
        tag=WHO[who.who],
        why=who.why,
        since=since,
        part=ROLES[slot.role] if slot is not None else "",
        host=connection.role if connection.role in ("host", "co-host") else "",
        copies=name_of(session, who.looks_like) if who.looks_like else "",
        person_id=who.person_id,
        is_worker=who.is_worker,
        is_leader=who.is_worker and who.person_id == session.lead_id,
        can_ladder=not who.is_worker and session.closed is None,
        can_vouch=who.who in NOT_SURE,
        vouched=not who.is_worker and _vouched(session, instance, connection),
        mine=_may_be_mine(session, who, me),
        next_step=next_step(session, connection.key),
        steps=_steps(session, connection.key),
        undo=_undo(session, connection.key, me, now),
        removed=removal is not None,
        removal_press=removal.press.press_id if removal is not None else "",
        no_entry=_no_entry(session, connection, me, now),
        left_how=left_how,
    )


def _vouched(session: GroupSession, instance: Instance, connection: Connection) -> bool:
    return any(
        press.person_id and instance.resolve(key) is connection
        for key, press in session.vouched.items()
    )


def _may_be_mine(session: GroupSession, who: Standing, me: str) -> bool:
    """ "I am in" is offered to the worker it may be, and to no other."""
    if who.who is not Who.CHALLENGED or session.worker_slot(me) is None:
        return False
    return who.person_id in ("", me)


def _steps(
    session: GroupSession, connection: str
) -> tuple[tuple[datetime, str, str], ...]:
    return tuple(
        (press.at, STEPS[press.step], name_of(session, press.by))
        for press in steps_of(session, connection)
    )


def _undo(
    session: GroupSession, connection: str, me: str, now: datetime
) -> tuple[str, str] | None:
    """The last reminder or warning, when this worker may take it back."""
    taken = steps_of(session, connection)
    if not taken:
        return None
    last = taken[-1]
    back = StepTakenBack(at=now, by=me, press_id="", step_id=last.press_id)
    if take_back_problem(session, back):
        return None
    return last.press_id, "reminder" if last.step is Step.REMIND else "warning"


def _no_entry(
    session: GroupSession, connection: Connection, me: str, now: datetime
) -> str:
    asked = AdmitPressed(at=now, by=me, press_id="", connection=connection.key)
    return admit_problem(session, asked)
