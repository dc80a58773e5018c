"""The guard with a wrong idea of when: deadlines, graces, clocks, and the order of news."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from app.core import rooms as core_rooms
from app.core.actions import EndMeeting, Wish
from app.core.connections import Connection, Mark
from app.core.policy import Policy
from app.core.rules import RULES, never_alone
from app.core.session import GroupSession
from app.engine import alarms, outcomes
from app.engine.sessions import OpenAction
from app.simulate.life import Parts
from tests.simulation import evenings as on
from tests.simulation.mutants import Mutant, finished, platform_with

ALONE = "I1 never alone"


def _since_heard(session: GroupSession, room: Any) -> datetime:
    since: datetime = max(room.unsafe_since, room.news_at or room.unsafe_since)
    return since + session.policy.grace


def _since_anything(session: GroupSession, room: Any) -> datetime:
    last: datetime = max(room.unsafe_since, room.instance.heard_at)
    return last + session.policy.grace


def _only_with_a_worker_before(session: GroupSession, now: datetime) -> Iterator[Wish]:
    if any(room.worker_ever for room in core_rooms.rooms(session)):
        yield from _guard(session, now)


_guard = never_alone.guard


def never_cancelled(parts: Parts) -> Parts:
    """What became due once is done, whoever comes back."""
    armed: dict[str, tuple[datetime, Any]] = {}

    def guard(session: GroupSession, now: datetime) -> Iterator[Wish]:
        for room in core_rooms.rooms(session):
            if room.unsafe_since is not None:
                due = never_alone.deadline(session, room)
                armed.setdefault(room.instance.ref.instance, (due, room))
        for due, room in armed.values():
            if now >= due:
                yield from never_alone._clear(
                    session, replace(room, unsafe_since=due), due, now
                )
        yield from _guard(session, now)

    rules = [(n, guard if n == "never_alone.guard" else r) for n, r in RULES]
    return replace(parts, rules=rules)


def _without_rest(
    one: OpenAction, asked: timedelta | None, policy: Policy
) -> timedelta:
    """Twice as long each time, without a cap."""
    return timedelta(seconds=2.0 ** max(one.tries, 1))


def _as_local_time(platform: Any) -> Any:
    """The platform's UTC is read as British summer time."""
    return _at_of(platform, lambda at: at - timedelta(hours=1))


def _in_minutes(platform: Any) -> Any:
    return _at_of(platform, lambda at: at.replace(second=0, microsecond=0))


def _at_of(platform: Any, moved: Any) -> Any:
    def parse(body: bytes, now: datetime, *, late: bool = False) -> Any:
        found = platform.parse(body, now, late=late)
        events = tuple(replace(one, at=moved(one.at)) for one in found.events)
        return replace(found, events=events)

    return parse


def _offset_unknown(engine: Any) -> None:
    engine.intake._ahead = lambda _platform: timedelta()


def _in_memory(engine: Any) -> None:
    settle = engine._settle
    shipped = settle._writing

    def writing(*given: Any) -> Any:
        whole = shipped(*given)
        steps = tuple(step for step in whole.steps if step[0] != "deadline")
        return replace(whole, steps=steps)

    settle._writing = writing


def _as_it_came(connection: Connection, mark: Mark) -> None:
    """Marks in the order of hearing."""
    connection.marks.append(mark)
    connection._where = None


def _end_at_once(session: GroupSession, now: datetime) -> Iterator[Wish]:
    for wish in list(_guard(session, now)):
        yield wish
    for room in core_rooms.rooms(session):
        if room.unsafe_since is not None:
            due = never_alone.deadline(session, room)
            for wish in never_alone._clear(session, room, due, now):
                if isinstance(wish, EndMeeting) and now >= due - timedelta(seconds=5):
                    yield wish


MUTANTS = (
    Mutant(
        "grace from the hearing",
        ALONE,
        (on.LATE_NEWS,),
        replaces=((never_alone, "deadline", _since_heard),),
    ),
    Mutant(
        "any event begins the grace anew",
        ALONE,
        (on.RESTLESS,),
        replaces=((never_alone, "deadline", _since_anything),),
    ),
    Mutant("never cancelled", "I3 no early clear", (on.BACK_IN_TIME,), never_cancelled),
    Mutant(
        "nobody waits for the first worker",
        ALONE,
        (on.NOBODY_CAME,),
        lambda parts: replace(
            parts,
            rules=[
                (n, _only_with_a_worker_before if n == "never_alone.guard" else r)
                for n, r in RULES
            ],
        ),
    ),
    Mutant(
        "retry without a cap",
        ALONE,
        (on.LONG_OUTAGE,),
        replaces=((outcomes, "back_off", _without_rest),),
    ),
    Mutant(
        "UTC read as local time",
        "I3 no early clear",
        (on.ALONE_WEBHOOKS_ONLY,),
        platform_with(parse=_as_local_time),
    ),
    Mutant(
        "times in whole minutes",
        "I13 attendance is true",
        (on.BACK_IN_TIME,),
        platform_with(parse=_in_minutes),
    ),
    Mutant(
        "the platform's clock is believed",
        "I3 no early clear",
        (on.CLOCK_AHEAD,),
        finished(_offset_unknown),
    ),
    Mutant(
        "deadline in memory",
        "I1 deadline is stored",
        (on.KILLED,),
        finished(_in_memory),
    ),
    Mutant(
        "no ordering",
        ALONE,
        on.REORDERED,
        replaces=((Connection, "add", _as_it_came),),
    ),
    Mutant(
        "five seconds early",
        "I19 no clock moves a deadline",
        (on.SET_BACK_LATE,),
        lambda parts: replace(
            parts,
            rules=[
                (n, _end_at_once if n == "never_alone.guard" else r) for n, r in RULES
            ],
        ),
    ),
    Mutant(
        "alarms ring once",
        "I9 alarms go on",
        (on.OUTAGE,),
        replaces=((alarms, "REPEAT", timedelta(minutes=10)),),
    ),
)
