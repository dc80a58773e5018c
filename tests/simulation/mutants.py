"""The guard with one part broken on purpose. Each must be killed by a named invariant.

A mutant changes what a life is built from (`Parts`), or one part of the engine after it
was built; the shipped code has no switch for it. `replaces` swaps a function of the core
for as long as an evening is played.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from app.core import identity
from app.core import rooms as core_rooms
from app.core.actions import EndMeeting, RemoveParticipant, Wish
from app.core.identity import Who
from app.core.rules import RULES, never_alone
from app.core.session import GroupSession
from app.engine import alarms
from app.simulate.life import Parts
from app.simulate.stage import Change
from tests.simulation import evenings as on

Replaced = tuple[Any, str, Any]


@dataclass(frozen=True)
class Mutant:
    """`killed_by`: the clause that must break, on one of `evenings`."""

    name: str
    killed_by: str
    evenings: tuple[Any, ...]
    change: Change = lambda parts: parts
    replaces: Sequence[Replaced] = ()


@contextmanager
def replaced(swaps: Sequence[Replaced]) -> Iterator[None]:
    """Swap functions, and put them back."""
    before = [(module, name, getattr(module, name)) for module, name, _ in swaps]
    for module, name, new in swaps:
        setattr(module, name, new)
    try:
        yield
    finally:
        for module, name, old in before:
            setattr(module, name, old)


# --- rules --------------------------------------------------------------------------------


def without_rule(name: str) -> Change:
    """A rule that is not asked."""

    def change(parts: Parts) -> Parts:
        rules = [(known, rule) for known, rule in parts.rules if known != name]
        return replace(parts, rules=rules)

    return change


def with_guard(guard: Callable[[GroupSession, datetime], Iterator[Wish]]) -> Change:
    """Another guard in the place of `never_alone.guard`."""

    def change(parts: Parts) -> Parts:
        rules = [(n, guard if n == "never_alone.guard" else r) for n, r in RULES]
        return replace(parts, rules=rules)

    return change


def _grace(times: float) -> Callable[[GroupSession, datetime], Iterator[Wish]]:
    def guard(session: GroupSession, now: datetime) -> Iterator[Wish]:
        usual = session.policy
        session.policy = replace(usual, grace=usual.grace * times)
        try:
            yield from list(never_alone.guard(session, now))
        finally:
            session.policy = usual

    return guard


def reset_on_restart(parts: Parts) -> Parts:
    """A new process begins the grace anew."""
    began = parts.clock.now()

    def guard(session: GroupSession, now: datetime) -> Iterator[Wish]:
        if now < began + session.policy.grace:
            return
        yield from never_alone.guard(session, now)

    rules = [(n, guard if n == "never_alone.guard" else r) for n, r in RULES]
    return replace(parts, rules=rules)


def removes_a_client(parts: Parts) -> Parts:
    """A rule that throws the first client out, unasked."""

    def rule(session: GroupSession, now: datetime) -> Iterator[Wish]:
        for room in core_rooms.rooms(session):
            for one in room.at_risk:
                seat = one.connection
                yield RemoveParticipant(
                    key=f"mutant:{seat.key}",
                    reason="None.",
                    clause="I4",
                    meeting=room.instance.ref,
                    connection=seat.key,
                    uuid=seat.uuid,
                )
                return

    return replace(parts, rules=[*RULES, ("mutant", rule)])


def _main_room_only(session: GroupSession) -> Any:
    found = core_rooms.rooms(session)
    return tuple(room for room in found if room.name == "main")


def _standings_where(counts: Callable[[Any], bool]) -> Callable[..., Any]:
    """Whoever `counts` is taken for Anna."""
    shipped = identity.standings

    def standings(session: GroupSession, instance: Any) -> Any:
        found = shipped(session, instance)
        lead = session.lead_id
        return {
            key: replace(who, who=Who.WORKER, person_id=lead)
            if counts(instance.connections[key])
            else who
            for key, who in found.items()
        }

    return standings


# --- platform -----------------------------------------------------------------------------


class _Wrapped:
    """A platform with some calls of its own."""

    def __init__(self, platform: Any, **calls: Any) -> None:
        self._platform = platform
        self._calls = {name: call(platform) for name, call in calls.items()}

    def __getattr__(self, name: str) -> Any:
        return self._calls.get(name) or getattr(self._platform, name)


def platform_with(**calls: Any) -> Change:
    """`calls`: name -> function of the shipped platform that gives the new call."""

    def change(parts: Parts) -> Parts:
        wrap: Any = lambda platform: _Wrapped(platform, **calls)  # noqa: E731
        return replace(parts, platform=wrap)

    return change


def _believes_everything(_platform: Any) -> Any:
    return lambda headers, body, now: False


def _any_time(platform: Any) -> Any:
    """The time in the header is not compared with ours."""

    def verify(headers: Any, body: bytes, now: datetime) -> bool:
        stamp = dict(headers).get(b"x-zm-request-timestamp", b"0")
        at = datetime.fromtimestamp(int(stamp), tz=now.tzinfo)
        late: bool = platform.verify(headers, body, at)
        return late

    return verify


def _by_arrival(platform: Any) -> Any:
    """Events are dated when they come."""

    def parse(body: bytes, now: datetime, *, late: bool = False) -> Any:
        found = platform.parse(body, now, late=late)
        return replace(found, events=tuple(replace(e, at=now) for e in found.events))

    return parse


# --- the engine ---------------------------------------------------------------------------


def finished(finish: Callable[[Any], None]) -> Change:
    """Break a part of the engine once it is built."""
    return lambda parts: replace(parts, finish=finish)


def _no_polls(engine: Any) -> None:
    engine.watch.due = lambda held: {}


def _no_retry(engine: Any) -> None:
    async def again(held: Any, one: Any, problem: str, asked: Any) -> None:
        one.next_at = None

    engine._dispatch.outcomes.again = again


def _trusts_the_answer(engine: Any) -> None:
    outcomes = engine._dispatch.outcomes
    shipped = outcomes.heard

    async def heard(held: Any, one: Any, answer: str) -> None:
        if isinstance(one.action, EndMeeting):
            await outcomes.finish(held, one, answer)
            return
        await shipped(held, one, answer)

    outcomes.heard = heard


def _no_look_before(engine: Any) -> None:
    dispatch = engine._dispatch
    look = dispatch._watch.look

    async def short(held: Any, name: str, limit: Any = None) -> bool:
        return True if limit is not None else bool(await look(held, name))

    class Blind:
        def __getattr__(self, name: str) -> Any:
            return short if name == "look" else getattr(engine.watch, name)

    dispatch._watch = Blind()
    engine.watch.due = lambda held: {}


def _acknowledges_first(engine: Any) -> None:
    shipped = engine.intake._take

    def take(platform: str, delivery: Any, body: bytes, now: Any, kept: Any) -> None:
        kept(None)
        shipped(platform, delivery, body, now, lambda problem: None)

    engine.intake._take = take


def _stops_without_store(engine: Any) -> None:
    marking = engine._dispatch._marking
    shipped = marking.write

    async def tried(*given: Any, **more: Any) -> bool:
        await engine.spool.write(lambda db: None)
        return bool(await shipped(*given, **more))

    marking.write = tried


def _logs_bodies(engine: Any) -> None:
    shipped = engine.intake._take

    def take(platform: str, delivery: Any, body: bytes, now: Any, kept: Any) -> None:
        engine._footing.log.info("webhook", body=body.decode())
        shipped(platform, delivery, body, now, kept)

    engine.intake._take = take


def one_channel(parts: Parts) -> Parts:
    """Only mail."""
    return replace(parts, ways={"mail": parts.ways["mail"]})


def by_the_wall(parts: Parts) -> Parts:
    """Deadlines go by the machine's wall clock."""
    return replace(parts, steady=lambda clock: clock)


MUTANTS = (
    Mutant(
        "no guard", "I1 never alone", (on.ALONE,), without_rule("never_alone.guard")
    ),
    Mutant("grace doubled", "I1 never alone", (on.ALONE,), with_guard(_grace(2))),
    Mutant("grace halved", "I3 no early clear", (on.ALONE,), with_guard(_grace(0.5))),
    Mutant("poll off", "I1 never alone", (on.ALONE_POLLS_ONLY,), finished(_no_polls)),
    Mutant("no retry", "I1 never alone", (on.OUTAGE,), finished(_no_retry)),
    Mutant(
        "ghost ack trusted",
        "I6 confirmed is so",
        (on.GHOST,),
        finished(_trusts_the_answer),
    ),
    Mutant("reset on restart", "I1 never alone", (on.KILLED,), reset_on_restart),
    Mutant("wall clock for deadlines", "I1 never alone", (on.SET_BACK,), by_the_wall),
    Mutant(
        "no signature",
        "A7 lies are refused",
        (on.LIES,),
        platform_with(verify=_believes_everything),
    ),
    Mutant(
        "any timestamp",
        "A7 lies are refused",
        (on.LIES,),
        platform_with(verify=_any_time),
    ),
    Mutant(
        "arrival-time ordering",
        "I1 never alone",
        on.REORDERED,
        platform_with(parse=_by_arrival),
    ),
    Mutant(
        "breakout ignored",
        "I1 never alone",
        (on.BREAKOUT,),
        replaces=((never_alone, "rooms", _main_room_only),),
    ),
    Mutant(
        "name counts as worker",
        "I1 never alone",
        (on.IMPOSTOR,),
        replaces=(
            (
                core_rooms,
                "standings",
                _standings_where(lambda seat: seat.name == "Anna Price"),
            ),
        ),
    ),
    Mutant(
        "phone counts as worker",
        "I1 never alone",
        (on.CALLER,),
        replaces=(
            (core_rooms, "standings", _standings_where(lambda seat: seat.by_phone)),
        ),
    ),
    Mutant(
        "no look before a clear",
        "I3 no early clear",
        (on.BACK_UNHEARD,),
        finished(_no_look_before),
    ),
    Mutant(
        "acknowledge before commit",
        "I11 nothing acknowledged is lost",
        (on.NO_STORE,),
        finished(_acknowledges_first),
    ),
    Mutant(
        "stops without a store",
        "I1 never alone",
        (on.FULL,),
        finished(_stops_without_store),
    ),
    Mutant("one channel", "I9 alarms go out", (on.ALONE,), one_channel),
    Mutant(
        "alarms every second",
        "I10 no flood",
        (on.ALONE,),
        replaces=((alarms, "REPEAT", timedelta(seconds=5)),),
    ),
    Mutant("body in the log", "I23 no leak", (on.ALONE,), finished(_logs_bodies)),
    Mutant(
        "a client removed unasked",
        "I4 never the wrong person",
        (on.EVERYBODY_STAYS,),
        removes_a_client,
    ),
)
