"""The evening in plain sentences: what the room showed, what people pressed, what the
bot did. The same list serves the page, the rehearsal and the record.

Texts hold names; they are not escaped (that is the template's work) and hold no free
text except reasons written for the record.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import pairwise, zip_longest

from app.core.actions import Level
from app.core.callings import called, first_up
from app.core.connections import Connection, Stay
from app.core.door import at_door
from app.core.events import MAIN_ROOM
from app.core.identity import Standing, Who
from app.core.names import plain
from app.core.rooms import who_is_who
from app.core.session import GroupSession, Instance
from app.core.timeline_acts import acted
from app.core.timeline_entry import BOT, ROOM, WORKER, Entry
from app.core.timeline_presses import pressed

__all__ = ["BOT", "ROOM", "WORKER", "Entry", "timeline"]

_FAR = datetime.max.replace(tzinfo=UTC)


def timeline(
    session: GroupSession, names: Mapping[str, str] | None = None
) -> tuple[Entry, ...]:
    """Everything that happened, oldest first; what happened at once, in a fixed order.

    ``names`` as the reader may see them (ids otherwise); the session's own by default.
    """
    seen = session.names if names is None else names
    found = [*_rooms(session, seen), *pressed(session, seen), *acted(session, seen)]
    order = (ROOM, WORKER, BOT)
    return tuple(
        sorted(found, key=lambda e: (e.at, order.index(e.who_kind), e.key, e.text))
    )


# --- what the room showed ---------------------------------------------------------


def _rooms(session: GroupSession, names: Mapping[str, str]) -> Iterator[Entry]:
    for instance in session.instances.values():
        yield from _instance(instance)
        known = who_is_who(session, instance)
        for key, connection in instance.connections.items():
            yield from _connection(names, instance, connection, known[key])


def _instance(instance: Instance) -> Iterator[Entry]:
    if instance.started_at is not None:
        yield Entry(instance.started_at, ROOM, "The meeting opened.")
    if instance.closed_at is not None:
        yield Entry(instance.closed_at, ROOM, "The meeting is over for everyone.")
    for at, what in instance.sight.items():
        if what == "lost":
            yield Entry(at, BOT, "The bot cannot see the room.", Level.RED)
        else:
            yield Entry(at, BOT, "The bot sees the room again.")
    if instance.recording is not None:
        at, state = instance.recording
        yield Entry(at, ROOM, f"Recording {plain(state)}.", Level.AMBER)
    if instance.streaming is not None:
        at, started = instance.streaming
        word, level = ("started", Level.RED) if started else ("stopped", Level.INFO)
        yield Entry(at, ROOM, f"Live stream {word}.", level)
    if instance.leaked_at is not None:
        text = "The platform found the join link in public."
        yield Entry(instance.leaked_at, ROOM, text, Level.RED)


def _connection(
    names: Mapping[str, str], instance: Instance, connection: Connection, who: Standing
) -> Iterator[Entry]:
    who_it_is = first_up(called(names, connection, who))
    level = Level.AMBER if who.who not in (Who.WORKER, Who.CLIENT) else Level.INFO
    for wait in at_door(connection, instance.closed_at, _FAR):
        yield Entry(wait.start, ROOM, f"{who_it_is} is at the door.", level)
    yield from _comings(
        who_it_is, level, connection.whereabouts(instance.closed_at).stays
    )
    for at, role in connection.roles.items():
        if role in ("host", "co-host"):
            loud = Level.INFO if who.is_worker else Level.RED
            yield Entry(at, ROOM, f"{who_it_is} became {role}.", loud)
    shown = sorted(connection.names.items())
    for (_, old), (at, new) in pairwise(shown):
        if old != new:
            text = f"{who_it_is} changed the name shown to \u201c{plain(new)}\u201d."
            yield Entry(at, ROOM, text, level)


def _comings(called: str, level: Level, stays: tuple[Stay, ...]) -> Iterator[Entry]:
    before: datetime | None = None
    for stay, then in zip_longest(stays, stays[1:]):
        seen = " (seen by the bot looking)" if stay.by_poll else ""
        moved = stay.start is not None and stay.start == before
        if stay.start is not None:
            verb = _MOVED[stay.room == MAIN_ROOM] if moved else "came in"
            yield Entry(stay.start, ROOM, f"{called} {verb}{seen}.", level)
        goes_on = then is not None and then.start == stay.end
        if stay.end is not None and stay.cause != "ended" and not goes_on:
            verb = _LEFT.get(stay.cause, "left the room")
            yield Entry(stay.end, ROOM, f"{called} {verb}.")
        before = stay.end


_MOVED = {True: "came back to the main room", False: "moved to a breakout room"}
_LEFT = {"dropped": "lost the connection", "removed": "was put out of the room"}
