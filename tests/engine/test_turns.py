"""How many sessions settle at a time, and that a deadline waits behind none of them.

The door of the store lets in whom the test names; each turn has one thing at the door.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, text

from app.clock import ManualClock
from app.core.actions import EndMeeting
from app.core.events import ParticipantJoined
from app.engine.loop import Engine
from app.engine.turns import TURN_EVERY_WHILE_BUSY, TURNS
from app.store import queue
from app.store.database import InlineDoor, Store, Work
from integrations.base import Delivery
from tests.engine.room import Evening, evening

pytestmark = pytest.mark.anyio
OTHERS = 1000
MOMENT = timedelta(seconds=TURN_EVERY_WHILE_BUSY)


class Turnstile(InlineDoor):
    """Holds everybody until the test lets them in."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.engine)
        self.waiting: list[asyncio.Future[None]] = []
        self.shut = True

    async def _queue(self) -> None:
        if self.shut:
            one = asyncio.get_running_loop().create_future()
            self.waiting.append(one)
            await one

    def let_in(self, at: int) -> None:
        """Let one of them in, counted as they came."""
        self.waiting.pop(at).set_result(None)

    def open(self) -> None:
        self.shut = False
        while self.waiting:
            self.let_in(0)

    async def read(self, work: Work) -> Any:
        await self._queue()
        return await super().read(work)

    async def write(self, work: Work) -> Any:
        await self._queue()
        return await super().write(work)


def plan_others(tonight: Evening) -> list[str]:
    """As many more sessions, each of its own."""
    names = [f"other-{number:04}" for number in range(OTHERS)]

    def work(db: Connection) -> None:
        columns = [row.name for row in db.execute(text("PRAGMA table_info(sessions)"))]
        copied = ", ".join(f'"{name}"' for name in columns if name != "id")
        for name in names:
            db.execute(
                text(
                    f'INSERT INTO sessions ("id", {copied}) '
                    f"SELECT :name, {copied} FROM sessions LIMIT 1"
                ),
                {"name": name},
            )

    with tonight.store.unit() as db:
        work(db)
    return names


@asynccontextmanager
async def running(tonight: Evening) -> AsyncIterator[Turnstile]:
    """The engine at work, its store behind the turnstile."""
    door = tonight.store.door = Turnstile(tonight.store)
    work = asyncio.create_task(tonight.engine.run())
    await tonight.clock.elapse(timedelta(0))
    while door.waiting:  # whatever was due at the beginning
        door.let_in(0)
        await tonight.clock.elapse(timedelta(0))
    try:
        yield door
    finally:
        door.open()
        await tonight.engine.stop()
        await work


async def settled(engine: Engine, names: list[str], clock: ManualClock) -> int:
    for _ in range(200):
        await clock.elapse(timedelta(0))
    return sum(engine.sessions.known(name) is not None for name in names)


async def test_so_many_sessions_settle_at_a_time_and_all_in_the_end(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        names = plan_others(tonight)
        async with running(tonight) as door:
            for name in names:
                tonight.engine.wake(name)
            await clock.elapse(timedelta(0))
            assert len(door.waiting) == TURNS

            for _ in range(5):  # whoever is done makes room for one more
                door.let_in(0)
                await clock.elapse(timedelta(0))
                assert len(door.waiting) == TURNS

            door.open()
            assert await settled(tonight.engine, names, clock) == OTHERS


async def test_a_deadline_waits_behind_nobody(clock: ManualClock) -> None:
    """1 000 sessions are to be settled, the first of them stand at a slow store (I1)."""
    async with evening(clock) as tonight:
        names = plan_others(tonight)
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        await tonight.wait(59)
        async with running(tonight) as door:
            for name in names:
                tonight.engine.wake(name)
            await clock.elapse(timedelta(0))
            assert len(door.waiting) == TURNS
            others = list(door.waiting)

            await clock.elapse(timedelta(seconds=1))  # the minute is over
            for _ in range(60):
                mine = [one for one in door.waiting if one not in others]
                for one in mine:
                    door.let_in(door.waiting.index(one))
                await clock.elapse(timedelta(0))

            assert [one for one in others if not one.done()] == others
            assert any(isinstance(a, EndMeeting) for a in tonight.platform.performed)
            assert not tonight.room.started


async def test_while_webhooks_wait_a_turn_begins_now_and_then_and_a_deadline_at_once(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        names = plan_others(tonight)
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        await tonight.wait(59)
        async with running(tonight) as door:
            intake = tonight.engine.intake
            tasks = []
            for one in map(partial(webhook, tonight), range(12)):
                taking = intake.accept_delivery("zoom", one, b"{}", clock.now())
                tasks.append(asyncio.ensure_future(taking))
                await clock.elapse(timedelta(0))  # the first stands at the door alone
            assert intake.is_busy
            before = len(door.waiting)  # the webhooks' one commit
            for name in names:
                tonight.engine.wake(name)
            await clock.elapse(timedelta(0))
            begun = len(door.waiting)
            assert begun == before + 1
            for number in range(1, 4):
                await clock.elapse(MOMENT)
                assert len(door.waiting) == begun + number

            left = timedelta(seconds=1) - 3 * MOMENT
            clock.advance(left)  # the minute is over; no 25 ms in between
            await clock.elapse(timedelta(0))
            assert len(door.waiting) >= begun + 4
            assert tonight.session_id in tonight.engine.turns._running

            door.open()
            await asyncio.gather(*tasks)


def webhook(tonight: Evening, number: int) -> Delivery:
    event = ParticipantJoined(
        meeting=tonight.ref, at=tonight.clock.now(), uuid=f"U-{number}", name="Ben"
    )
    return Delivery(
        dedupe_key=f"crowd-{number}",
        event_type="joined",
        meeting=tonight.ref,
        events=(event,),
    )


async def test_after_a_restart_the_oldest_deadline_comes_first(
    clock: ManualClock,
) -> None:
    """1 000 sessions have work left; the one whose deadline passed does not queue."""
    async with evening(clock) as tonight:
        names = plan_others(tonight)
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        with tonight.store.unit() as db:
            for name in names:
                db.execute(
                    text(
                        "INSERT INTO meetings SELECT platform, meeting_id || :name, "
                        ":name, instance, join_url_sealed, watch_only, opens_at, "
                        "closes_at, bound_at FROM meetings LIMIT 1"
                    ),
                    {"name": name},
                )
            for name in names[:3]:
                queue.set_deadline(db, name, clock.now() + timedelta(seconds=90), "")
        clock.advance(timedelta(seconds=100))
        again = Engine(tonight.footing, tonight.engine.alarms)
        await again.start()
        # As after a turn of its own: it learned its moment later than the others did.
        timers = again.turns._timers
        timers[tonight.session_id] = timers.pop(tonight.session_id)
        begun = list(again.turns.due())

        assert begun[:4] == [tonight.session_id, *names[:3]]
        assert len(begun) == TURNS
        await again.stop()
