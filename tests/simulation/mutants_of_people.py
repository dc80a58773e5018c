"""The guard with a wrong idea of who somebody is, or of what a press about them means."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from app.core import identity
from app.core import rooms as core_rooms
from app.core.attendance import attendance
from app.core.connections import Connection
from app.core.events import MAIN_ROOM
from app.core.identity import Who
from app.core.ladder import removals
from app.core.rules import closing, never_alone
from app.core.session import GroupSession
from app.simulate import record_checks
from tests.simulation import evenings as on
from tests.simulation.mutants import Mutant, _standings_where, without_rule

ALONE = "I1 never alone"
_whereabouts = Connection.whereabouts


def _the_door_is_the_room(
    connection: Connection, ended_at: datetime | None = None
) -> Any:
    where = _whereabouts(connection, ended_at)
    return replace(where, room=MAIN_ROOM) if where.waiting else where


def _sam_is_a_stranger(session: GroupSession, instance: Any) -> Any:
    found = _standings(session, instance)
    for key, who in found.items():
        if instance.connections[key].name == "Sam Okoro":
            found[key] = replace(who, who=Who.STRANGER, person_id="")
    return found


_standings = identity.standings


def _a_worker_next_door_counts(session: GroupSession) -> Any:
    found = core_rooms.rooms(session)
    some = any(room.workers for room in found)
    return tuple(replace(r, unsafe_since=None) if some else r for r in found)


def _removed_for_good(session: GroupSession, person_id: str) -> bool:
    return any(one.target.person_id == person_id for one in removals(session))


def _only_the_last_stay(*given: Any) -> Any:
    lines = _attendance(*given)
    return tuple(replace(line, stays=line.stays[-1:]) for line in lines)


_attendance = attendance


def _counts(name: str, evening: Any, seat: Callable[[Any], bool]) -> Mutant:
    swap = (core_rooms, "standings", _standings_where(seat))
    return Mutant(name, ALONE, (evening,), replaces=(swap,))


def _named_alarm(session: GroupSession, room: Any) -> Any:
    names = ", ".join(one.connection.name for one in room.people)
    return replace(_alert(session, room), what_to_do=f"Call {names}: Anna Price left.")


_alert = never_alone._alert


MUTANTS = (
    Mutant(
        "a worker at the door counts",
        ALONE,
        (on.AT_THE_DOOR,),
        replaces=((Connection, "whereabouts", _the_door_is_the_room),),
    ),
    _counts("host rights count as worker", on.HOST_GONE, lambda s: s.role == "host"),
    _counts("a recorder counts as worker", on.NOTETAKER, lambda s: "notes" in s.name),
    Mutant(
        "a worker next door counts",
        ALONE,
        (on.BREAKOUT,),
        replaces=((never_alone, "rooms", _a_worker_next_door_counts),),
    ),
    Mutant(
        "strangers may stay",
        "I2 strangers out",
        (on.STRANGER,),
        without_rule("entry.stranger_in_room"),
    ),
    Mutant(
        "who was removed may stay",
        "I2 removed stay out",
        (on.REMOVED,),
        without_rule("ladder.removed_stay_out"),
    ),
    Mutant(
        "a removal leaves the link",
        "I7 links are as pressed",
        (on.REMOVED,),
        replaces=((closing, "is_removed", lambda *_: False),),
    ),
    Mutant(
        "undo does not unblock",
        "I7 links are as pressed",
        (on.READMITTED,),
        replaces=((closing, "is_removed", _removed_for_good),),
    ),
    Mutant(
        "a worker is taken for a stranger",
        "I4 never the wrong person",
        (on.EVERYBODY_STAYS,),
        replaces=((core_rooms, "standings", _sam_is_a_stranger),),
    ),
    Mutant(
        "a rejoin replaces the line",
        "I13 attendance is true",
        (on.BACK_IN_TIME,),
        replaces=((record_checks, "attendance", _only_the_last_stay),),
    ),
    Mutant(
        "names in the alarm",
        "I23 no leak",
        (on.ALONE,),
        replaces=((never_alone, "_alert", _named_alarm),),
    ),
)
