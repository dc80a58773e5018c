"""The clocks: real, fast for rehearsals, and the one a test moves by hand."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.clock import FastClock, ManualClock, SteadyClock, SystemClock

EVENING = datetime(2026, 11, 17, 19, 0, tzinfo=UTC)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


class Bell:
    """Remembers when each of its sleepers woke."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.rung: list[tuple[str, float]] = []

    async def after(self, delay: float, name: str, *, again: int = 0) -> None:
        for _ in range(again + 1):
            await self.clock.sleep(delay)
            self.rung.append((name, self.clock.monotonic()))


def test_the_system_clock_is_aware_and_in_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


def test_the_system_clock_never_goes_back() -> None:
    clock = SystemClock()
    assert clock.monotonic() <= clock.monotonic()


@pytest.mark.anyio
async def test_the_system_clock_takes_a_negative_wait_for_none() -> None:
    await SystemClock().sleep(-5)


@pytest.mark.anyio
async def test_a_fast_clock_sleeps_an_hour_in_a_blink() -> None:
    clock = FastClock(EVENING, speed=1_000_000)
    real = SystemClock()
    began = real.monotonic()
    await clock.sleep(3600)
    assert real.monotonic() - began < 2
    assert clock.monotonic() >= 3600
    assert clock.now() >= EVENING + timedelta(hours=1)


def test_a_change_of_speed_does_not_make_a_fast_clock_jump() -> None:
    clock = FastClock(EVENING, speed=1000)
    before = clock.now()
    clock.speed = 0.001
    after = clock.now()
    # Counted anew at the old or the new speed the two would lie far apart.
    assert timedelta() <= after - before < timedelta(minutes=5)
    assert clock.now() - after < seconds(1)


@pytest.mark.anyio
async def test_who_sleeps_when_the_speed_rises_wakes_at_the_new_pace() -> None:
    clock = FastClock(EVENING, speed=0.001)
    sleeper = asyncio.create_task(clock.sleep(60))
    await asyncio.wait([sleeper], timeout=0.01)
    assert not sleeper.done()
    clock.speed = 1_000_000
    await asyncio.wait_for(sleeper, timeout=2)


@pytest.mark.parametrize("speed", [0, -1, float("inf"), float("nan")])
def test_a_fast_clock_refuses_a_speed_that_stands_or_runs_back(speed: float) -> None:
    with pytest.raises(ValueError, match="above zero"):
        FastClock(EVENING, speed=speed)
    clock = FastClock(EVENING, speed=1)
    with pytest.raises(ValueError, match="above zero"):
        clock.speed = speed


def test_clocks_refuse_a_start_without_a_zone() -> None:
    naive = EVENING.replace(tzinfo=None)
    with pytest.raises(ValueError, match="aware"):
        ManualClock(naive)
    with pytest.raises(ValueError, match="aware"):
        FastClock(naive, speed=1)


def test_a_manual_clock_turns_its_start_into_utc() -> None:
    summer = datetime(2026, 7, 1, 20, 0, tzinfo=timezone(timedelta(hours=1)))
    clock = ManualClock(summer)
    assert clock.now().isoformat() == "2026-07-01T19:00:00+00:00"


@pytest.mark.anyio
async def test_a_sleeper_wakes_at_its_second_and_not_before(clock: ManualClock) -> None:
    bell = Bell(clock)
    task = asyncio.create_task(bell.after(60, "grace is over"))
    await clock.elapse(seconds(59.999))
    assert bell.rung == []
    await clock.elapse(seconds(0.001))
    assert bell.rung == [("grace is over", 60.0)]
    await task


@pytest.mark.anyio
async def test_sleepers_wake_in_order_of_time_then_of_arrival(
    clock: ManualClock,
) -> None:
    bell = Bell(clock)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bell.after(30, "later"))
        tasks.create_task(bell.after(10, "poll", again=2))
        tasks.create_task(bell.after(30, "last"))
        await clock.elapse(seconds(30))
    assert bell.rung == [
        ("poll", 10.0),
        ("poll", 20.0),
        ("later", 30.0),
        ("last", 30.0),
        ("poll", 30.0),
    ]


@pytest.mark.anyio
async def test_one_leap_shows_every_sleeper_the_final_time(clock: ManualClock) -> None:
    bell = Bell(clock)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bell.after(20, "second"))
        tasks.create_task(bell.after(10, "first"))
        await clock.sleep(0)
        await clock.sleep(0)
        clock.advance(seconds(60))
    assert bell.rung == [("first", 60.0), ("second", 60.0)]


@pytest.mark.anyio
async def test_a_cancelled_sleeper_is_forgotten(clock: ManualClock) -> None:
    bell = Bell(clock)
    task = asyncio.create_task(bell.after(10, "never"))
    await clock.elapse(seconds(1))
    task.cancel()
    await clock.elapse(seconds(60))
    assert bell.rung == []
    assert task.cancelled()


def test_a_wall_clock_step_moves_no_deadline(clock: ManualClock) -> None:
    before = clock.now()
    clock.step_wall_clock(timedelta(hours=-1))
    assert clock.now() == before - timedelta(hours=1)
    assert clock.monotonic() == 0.0


def test_a_manual_clock_does_not_run_back(clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="not back"):
        clock.advance(seconds(-1))


def test_a_steady_clock_counts_on_when_the_wall_is_set(clock: ManualClock) -> None:
    steady, began = SteadyClock(clock), clock.now()
    clock.step_wall_clock(timedelta(hours=-1))
    clock.advance(timedelta(seconds=5))

    assert steady.now() == began + timedelta(seconds=5)
    assert steady.step() == timedelta(hours=-1)

    steady.follow()
    assert steady.now() == clock.now()
    assert steady.step() == timedelta(0)


def test_a_steady_clock_goes_on_from_what_is_stored(clock: ManualClock) -> None:
    steady, began = SteadyClock(clock), clock.now()
    steady.not_before(began - timedelta(seconds=1))
    assert steady.now() == began

    steady.not_before(began + timedelta(minutes=1))
    clock.advance(timedelta(seconds=2))
    assert steady.now() == began + timedelta(seconds=62)


@pytest.mark.anyio
async def test_a_fast_clock_on_a_leash_stands_still_until_somebody_looks() -> None:
    clock, real = (
        FastClock(datetime(2026, 11, 17, tzinfo=UTC), speed=1000),
        SystemClock(),
    )
    clock.leash = 0.02
    began = clock.monotonic()
    await real.sleep(0.06)
    held = clock.monotonic()
    assert held - began == pytest.approx(0.02 * 1000, abs=0.1)

    clock.tick()
    assert clock.monotonic() - held < 10  # nothing of the pause is made up for
    await real.sleep(0.005)
    assert clock.monotonic() - held >= 5

    clock.leash = None
    free = clock.monotonic()
    await real.sleep(0.03)
    assert clock.monotonic() - free >= 30
