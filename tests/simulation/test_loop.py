"""Virtual time: fifteen minutes at once, always in the same order, never a hang."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.simulate.clocks import TrueClock, WallClock
from app.simulate.loop import OWNER, Stuck, Tasks, run_virtual

BEGINS = datetime(2026, 11, 17, 19, 0, tzinfo=UTC)


def test_time_jumps_to_the_next_timer() -> None:
    async def wait() -> datetime:
        clock = TrueClock(BEGINS)
        await clock.sleep(900)
        return clock.now()

    assert run_virtual(wait()) == BEGINS + timedelta(minutes=15)


def test_timers_ring_in_their_order() -> None:
    async def ring() -> list[int]:
        clock, rang = TrueClock(BEGINS), list[int]()

        async def after(seconds: int) -> None:
            await clock.sleep(seconds)
            rang.append(seconds)

        await asyncio.gather(*(after(seconds) for seconds in (3, 1, 2)))
        return rang

    assert run_virtual(ring()) == [1, 2, 3]


def test_a_deadline_is_kept_in_virtual_time() -> None:
    async def late() -> bool:
        try:
            async with asyncio.timeout(5):
                await TrueClock(BEGINS).sleep(6)
        except TimeoutError:
            return True
        return False

    assert run_virtual(late())


def test_waiting_for_nothing_is_an_error_and_no_hang() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Stuck, match="no timer runs"):
        run_virtual(wait())


def test_tasks_belong_to_whoever_began_them() -> None:
    async def begin() -> tuple[int, int]:
        mine: Tasks = {}
        mark = OWNER.set(mine)
        task = asyncio.get_running_loop().create_task(TrueClock(BEGINS).sleep(1))
        OWNER.reset(mark)
        during = len(mine)
        await task
        return during, len(mine)

    assert run_virtual(begin()) == (1, 0)


def test_the_walls_clock_can_be_wrong_while_true_time_goes_on() -> None:
    async def look() -> tuple[datetime, float]:
        clock = WallClock(BEGINS)
        clock.offset = timedelta(hours=-1)
        await clock.sleep(60)
        return clock.now(), clock.monotonic()

    assert run_virtual(look()) == (BEGINS - timedelta(minutes=59), 60.0)
