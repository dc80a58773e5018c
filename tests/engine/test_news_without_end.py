"""News that comes faster than it can be decided on: decided all the same, and in time.

The log moves on before every single write (I1, I2, I17). What is decided then is decided
inside the writing transaction, on a copy, while the state stays with the event loop.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from app.clock import ManualClock
from app.core.actions import Action, AlertStaff, Audience, EndMeeting, Level, Wish
from app.core.events import MeetingEvent, ParticipantJoined
from app.core.presses import ActionState
from app.core.rules import RULES
from app.core.session import GroupSession
from app.crypto import Keyring
from app.engine.loop import Engine
from app.engine.turns import TURN_PAUSE
from app.store import log, queue
from app.store.database import Door, InlineDoor, Store, ThreadDoor, Work, open_engine
from app.store.migrate import migrate
from tests.engine.room import Evening, evening, seat

pytestmark = pytest.mark.anyio


class Restless:
    """A door before which something happens in the room each time it is written to."""

    def __init__(self, store: Store) -> None:
        self._store, self._door = store, store.door
        self.next: Callable[[], MeetingEvent | None] = lambda: None
        self.news = self.writes = 0
        self.reads_fail = self.at_reads = False

    async def write(self, work: Work) -> Any:
        self.writes += 1
        await self._happen()
        return await self._door.write(work)

    async def _happen(self) -> None:
        event = self.next()
        if event is not None:
            self.news += 1
            entry = log.entry(self._store, event, f"news-{self.news}", event.at)
            await self._door.write(lambda db: log.add(db, [entry]))

    async def read(self, work: Work) -> Any:
        if self.reads_fail:
            raise OperationalError("", {}, Exception("disk I/O error"))
        if self.at_reads:
            await self._happen()
        return await self._door.read(work)

    def close(self) -> None:
        self._door.close()


@asynccontextmanager
async def restless(
    clock: ManualClock, folder: Path, make: Callable[[Any], Door]
) -> AsyncIterator[tuple[Evening, Restless]]:
    """An evening on a store in a file, with that door."""
    database = open_engine(f"sqlite:///{folder}/a.sqlite3")
    migrate(database)
    store = Store(database, Keyring([b"k" * 32]), make(database))
    try:
        async with evening(clock, store=store) as tonight:
            door = Restless(store)
            store.door = door
            yield tonight, door
    finally:
        store.close()


def still_here(tonight: Evening) -> Callable[[], MeetingEvent]:
    """Ben's own join, told again and again."""
    joined, clock = seat("ben"), tonight.clock
    at = clock.now()
    return lambda: ParticipantJoined(
        meeting=tonight.ref,
        at=at,
        heard_at=clock.now(),
        uuid=joined.uuid,
        user_id=joined.user_id,
        registrant_id=joined.registrant_id,
    )


def ends(tonight: Evening) -> list[EndMeeting]:
    return [a for a in tonight.platform.performed if isinstance(a, EndMeeting)]


def complaints(logged: list[MutableMapping[str, Any]]) -> list[str]:
    return [
        str(one["event"])
        for one in logged
        if one["log_level"] in ("warning", "error") and one["event"] != "alarm"
    ]


@pytest.mark.parametrize("make", [InlineDoor, ThreadDoor])
async def test_nobody_stays_alone_because_the_log_never_stands_still(
    clock: ManualClock, tmp_path: Path, make: Callable[[Any], Door]
) -> None:
    with structlog.testing.capture_logs() as logged:
        async with restless(clock, tmp_path, make) as (tonight, door):
            await tonight.join("anna", "ben")
            door.next = still_here(tonight)
            await tonight.leave("anna")
            left_at = clock.now()
            [at] = [
                at
                for _, at in await tonight.store.read(queue.all_deadlines)
                if at > left_at
            ]
            assert (at - left_at).total_seconds() <= 60
            open_now = await tonight.store.read(
                lambda db: queue.open_actions(db, tonight.session_id)
            )
            assert "alert_staff" in {row.kind for row in open_now}

            await tonight.wait(60)
            [act] = ends(tonight)
            assert (clock.now() - left_at).total_seconds() == 60
            door.next = lambda: None
            await tonight.ended()

            state = await tonight.state()
            assert state.actions[act.key].state is ActionState.CONFIRMED
            assert door.news > 10
    assert complaints(logged) == []


def count_heads(session: GroupSession, _now: datetime) -> Iterator[Wish]:
    """A rule that has something new to say about everybody who comes."""
    for instance in session.live():
        yield AlertStaff(
            key=f"heads:{len(instance.connections)}",
            reason="One more.",
            clause="I17",
            rule="heads",
            level=Level.INFO,
            audience=Audience.WORKERS,
        )


async def test_a_crowd_that_never_pauses_is_decided_on_turn_after_turn(
    clock: ManualClock, tmp_path: Path
) -> None:
    """Each write and each read finds one more person in the room: there is always more to decide.

    No turn comes to an end by itself. It stops, lets the others go on, and comes back.
    """
    async with restless(clock, tmp_path, InlineDoor) as (tonight, door):
        rules = [*RULES, ("heads", count_heads)]
        footing = replace(tonight.footing, rules=rules)
        tonight.engine = Engine(footing, tonight.engine.alarms)
        await tonight.join("anna", "sam", "ben")
        held = tonight.engine.sessions.all()[tonight.session_id]
        crowd = iter(range(100))

        def one_more() -> MeetingEvent | None:
            number = next(crowd, None)
            if number is None:
                return None
            come = replace(seat("eve"), uuid=f"U-{number}", user_id=f"{number}")
            tonight.room.inside[come.uuid] = come
            return ParticipantJoined(
                meeting=tonight.ref,
                at=clock.now(),
                heard_at=clock.now(),
                uuid=come.uuid,
                user_id=come.user_id,
                name="=1+1",
            )

        with structlog.testing.capture_logs() as logged:
            door.next, door.at_reads = one_more, True
            await tonight.tell(ParticipantJoined, "chloe")
            async with held.lock:
                await tonight.engine._settle.settle(held)
            assert 20 < door.news < 100
            told_so = held.unsettled
            assert told_so
            tonight.engine._start_work(tonight.session_id, held)
            assert tonight.engine.next_at() == clock.now() + TURN_PAUSE

            await tonight.wait(5)
            told = {key for key in (await tonight.state()).actions if "heads" in key}
        assert f"heads:{len(held.session.instances[tonight.ref].connections)}" in told
        assert next(crowd, None) is None
        assert not held.unsettled
        assert complaints(logged) == []


async def test_who_can_write_and_not_read_ends_the_room_and_comes_to_rest(
    clock: ManualClock, tmp_path: Path
) -> None:
    """The state stays behind the log, even behind our own facts; decisions do not (I20)."""
    async with restless(clock, tmp_path, InlineDoor) as (tonight, door):
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        await tonight.wait(59)
        door.reads_fail, door.writes = True, 0
        with structlog.testing.capture_logs() as logged:
            await tonight.wait(2)
        assert len(ends(tonight)) == 1
        assert not tonight.room.started
        assert "a session does not settle" not in complaints(logged)
        assert door.writes < 70  # not a whole turn of rounds for each


@pytest.mark.parametrize("writes", range(1, 9))
async def test_a_worker_who_comes_back_in_that_moment_keeps_the_room_open(
    clock: ManualClock, tmp_path: Path, writes: int
) -> None:
    """Anna is back before the n-th write after the end was wanted; none is sent then (I3).

    The fifth marks the end as sent: only its own transaction can see her.
    """
    async with restless(clock, tmp_path, InlineDoor) as (tonight, door):
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        await tonight.wait(59)
        held = tonight.engine.sessions.all()[tonight.session_id]
        again, ben = seat("anna"), still_here(tonight)
        left, sent_after = writes, []

        def news() -> MeetingEvent | None:
            nonlocal left
            wanted = [one.action for one in held.actions.values()]
            if not any(isinstance(action, EndMeeting) for action in wanted):
                return None
            left -= 1
            if left > 0:
                return ben()
            return ParticipantJoined(
                meeting=tonight.ref,
                at=clock.now(),
                heard_at=clock.now(),
                uuid="U-anna-2",
                user_id="77",
                platform_user_id=again.platform_user_id,
            )

        def performed(action: Action) -> None:
            if isinstance(action, EndMeeting) and left <= 0:
                sent_after.append(action)

        tonight.platform.on_perform = performed
        door.next = news
        clock.advance(timedelta(seconds=1))
        await tonight.engine.step()

        assert sent_after == []
        assert bool(ends(tonight)) == (writes > 5)  # the fifth marks it as sent


async def test_the_state_is_touched_in_the_event_loop_only(
    clock: ManualClock, tmp_path: Path
) -> None:
    """What the writing thread brings up to date is a copy."""
    here = threading.get_ident()
    async with restless(clock, tmp_path, ThreadDoor) as (tonight, _door):
        await tonight.join("anna", "ben")
        engine: Engine = tonight.engine
        held = engine.sessions.all()[tonight.session_id]
        twin = engine.sessions.twin(held)
        before = held.session.position, held.session.version

        def elsewhere(db: Connection) -> int:
            assert threading.get_ident() != here
            entry = log.entry(
                tonight.store, still_here(tonight)(), "elsewhere", clock.now()
            )
            log.add(db, [entry])
            return engine.sessions.catch_up_in(db, twin).position

        reached = await asyncio.wait_for(tonight.store.write(elsewhere), 5)

        assert (held.session.position, held.session.version) == before
        assert reached > before[0]
        assert (
            twin.session.instances[tonight.ref]
            is not (held.session.instances[tonight.ref])
        )
        assert (await tonight.state()).position == reached
