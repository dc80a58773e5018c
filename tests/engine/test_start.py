"""The service takes no webhook before it knows whose meetings there are."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from anyio.lowlevel import checkpoint
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.bench.processes import settings
from app.bench.seed import Room, plant
from app.clock import ManualClock, SteadyClock
from app.config import load_settings
from app.main import Service, build
from tests.engine.room import evening
from tests.engine.test_guard_goes_on import restart

pytestmark = pytest.mark.anyio


def service(folder: Path) -> Service:
    return build(load_settings(settings(folder, 1, "http://127.0.0.1:1")))


async def test_its_meetings_are_known_at_the_first_webhook(tmp_path: Path) -> None:
    made = service(tmp_path)
    rooms = [Room("82000000001", [f"reg-{number}" for number in range(10)])]
    [session_id] = plant(
        made.store, rooms, made.clock.now(), policy={}, live_roster=False
    )
    async with made.app.router.lifespan_context(made.app):
        assert made.engine.intake.bound == {("zoom", "82000000001"): {session_id}}
        assert (await made.engine.status()).awake
    assert not made.engine._tasks


async def test_a_store_that_cannot_be_read_is_said_at_once(tmp_path: Path) -> None:
    made = service(tmp_path)
    with made.store.unit() as db:
        db.execute(text("DROP TABLE meetings"))

    with pytest.raises(SQLAlchemyError):
        async with made.app.router.lifespan_context(made.app):
            pass
    for platform in made.platforms.values():
        await platform.close()
    made.store.close()


async def test_its_deadlines_are_kept_by_a_clock_that_nobody_sets(
    tmp_path: Path,
) -> None:
    made = service(tmp_path)
    assert isinstance(made.clock, SteadyClock)
    for platform in made.platforms.values():
        await platform.close()
    made.store.close()


async def test_an_open_room_is_looked_at_at_once_after_a_restart(
    clock: ManualClock,
) -> None:
    """Whoever left while nobody listened is not told a second time (I1)."""
    async with evening(clock) as tonight:
        await tonight.join("anna", "sam", "ben", "chloe")
        await tonight.wait(2)
        looked = tonight.count("roster")

        restart(tonight)
        await tonight.engine.step()

        assert tonight.count("roster") == looked + 1
        await tonight.wait(2)
        assert tonight.count("roster") == looked + 1


async def test_pages_that_follow_a_session_are_let_go_before_the_end(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        following = aiter(tonight.engine.changes(tonight.session_id))
        await anext(following)
        waiting = asyncio.ensure_future(anext(following))
        await checkpoint()

        tonight.engine.let_pages_go()

        with pytest.raises(StopAsyncIteration):
            await waiting
        with pytest.raises(StopAsyncIteration):
            await anext(aiter(tonight.engine.changes(tonight.session_id)))


async def test_a_clock_put_back_after_a_restart_keeps_nobody_from_looking(
    clock: ManualClock,
) -> None:
    """What counts from the restart must not wait until the old time comes again."""
    async with evening(clock) as tonight:
        await tonight.join("anna", "sam", "ben", "chloe")
        restart(tonight)
        await tonight.engine.step()
        [held] = dict(tonight.engine.sessions.all()).values()
        [name] = [one.ref.instance for one in held.session.live()]

        clock.step_wall_clock(timedelta(minutes=-20))
        held.looked_at[name] = clock.now()

        due = tonight.engine.watch.due(held)[name]
        assert timedelta(0) < due - clock.now() <= timedelta(minutes=1)
