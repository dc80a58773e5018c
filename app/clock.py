"""Time. The only file of the project that reads a clock or waits.

Everything else takes a `Clock` (shell) or a `now` (core), so that a test owns the
time and a rehearsal can run an evening in a minute.
"""

import asyncio
import heapq
import itertools
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

# Turns of the event loop a woken task gets before ManualClock moves on. A task that
# needs more turns (or a thread) to reach its next sleep must be awaited by the test.
_TURNS = 25


class Clock(Protocol):
    """Where the shell learns the time and how it waits."""

    def now(self) -> datetime:
        """The wall clock, aware and in UTC. It may jump; deadlines must not use it."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed instant; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait. Zero or less gives way to the other tasks once."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


class SteadyClock:
    """The wall clock, read once and counted on: no step of it moves a deadline (I19).

    A machine's wall clock jumps when somebody or a time server sets it. What was measured
    by it stays comparable here, because only the monotonic clock makes `now` go on. Who
    owns the deadlines calls `follow` when none of them counts.
    """

    def __init__(self, wall: Clock) -> None:
        self._wall = wall
        self.follow()

    def now(self) -> datetime:
        return self._at + timedelta(seconds=self._wall.monotonic() - self._since)

    def monotonic(self) -> float:
        return self._wall.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._wall.sleep(seconds)

    def step(self) -> timedelta:
        """How far the wall clock has run away from this one."""
        return self._wall.now() - self.now()

    def follow(self) -> None:
        """Take the wall clock's word again."""
        self._at, self._since = self._wall.now(), self._wall.monotonic()

    def not_before(self, moment: datetime) -> None:
        """Go on from `moment` if the wall clock lies before it."""
        if moment > self.now():
            self._at, self._since = moment, self._wall.monotonic()


class FastClock:
    """Real time from `start`, multiplied by `speed`: the clock of the rehearsal.

    `speed` may be changed at any moment from the event loop's thread; neither `now`
    nor `monotonic` jumps, and whoever sleeps wakes at the right new moment.

    On a leash it runs at most `leash` real seconds past the last `tick`: a machine that
    stands still for a moment then costs the people in the rehearsal no time.
    """

    def __init__(self, start: datetime, speed: float) -> None:
        if start.tzinfo is None:
            raise ValueError("start must be an aware datetime")
        self._start = start.astimezone(UTC)
        self._passed = 0.0  # seconds of this clock up to the last change of speed
        self._since = time.monotonic()
        self._speed = _positive(speed)
        self._changed = asyncio.Event()
        self._leash: float | None = None
        self._ticked = 0.0
        self._lost = 0.0  # real seconds for which it was held back

    @property
    def leash(self) -> float | None:
        return self._leash

    @leash.setter
    def leash(self, seconds: float | None) -> None:
        self.tick()
        self._leash = seconds

    def tick(self) -> None:
        """Somebody watches: go on for another `leash` seconds of real time."""
        real = time.monotonic()
        if self._leash is not None:
            self._lost += max(0.0, real - self._ticked - self._leash)
        self._ticked = real

    def _real(self) -> float:
        real = time.monotonic()
        if self._leash is not None:
            real = min(real, self._ticked + self._leash)
        return real - self._lost

    @property
    def speed(self) -> float:
        return self._speed

    @speed.setter
    def speed(self, value: float) -> None:
        speed = _positive(value)
        real = self._real()
        self._passed += (real - self._since) * self._speed
        self._since = real
        self._speed = speed
        self._changed.set()
        self._changed = asyncio.Event()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return self._passed + (self._real() - self._since) * self._speed

    async def sleep(self, seconds: float) -> None:
        until = self.monotonic() + seconds
        await asyncio.sleep(0)
        while (left := until - self.monotonic()) > 0:
            try:
                async with asyncio.timeout(left / self._speed):
                    await self._changed.wait()
            except TimeoutError:
                continue  # look again: a timer may fire a hair too early


class ManualClock:
    """Time that stands still until a test moves it."""

    def __init__(self, now: datetime) -> None:
        if now.tzinfo is None:
            raise ValueError("now must be an aware datetime")
        self._now = now.astimezone(UTC)
        self._passed = timedelta()
        self._order = itertools.count()
        self._sleepers: list[tuple[timedelta, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._passed.total_seconds()

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        until = self._passed + timedelta(seconds=seconds)
        heapq.heappush(self._sleepers, (until, next(self._order), woken))
        await woken

    def advance(self, delta: timedelta) -> None:
        """Move on in one step and wake who is due, earliest first.

        The woken tasks run at the next turn of the loop and see the final time; use
        `elapse` where they must see each moment in between.
        """
        self._move(self._passed + _forwards(delta))

    async def elapse(self, delta: timedelta) -> None:
        """Move on from sleeper to sleeper, letting each one work at its own moment."""
        until = self._passed + _forwards(delta)
        await _let_tasks_run()
        while (due := self._next_due()) is not None and due <= until:
            self._move(due)
            await _let_tasks_run()
        self._move(until)
        await _let_tasks_run()

    def step_wall_clock(self, delta: timedelta) -> None:
        """Shift only the wall clock, as a bad time server does; nobody wakes."""
        self._now += delta

    def _next_due(self) -> timedelta | None:
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def _move(self, until: timedelta) -> None:
        self._now += until - self._passed
        self._passed = until
        while (due := self._next_due()) is not None and due <= until:
            heapq.heappop(self._sleepers)[2].set_result(None)


async def _let_tasks_run() -> None:
    for _ in range(_TURNS):
        await asyncio.sleep(0)


def _positive(speed: float) -> float:
    if not 0 < speed < float("inf"):
        raise ValueError("speed must be a number above zero")
    return speed


def _forwards(delta: timedelta) -> timedelta:
    if delta < timedelta():
        raise ValueError("time moves on, not back; see step_wall_clock")
    return delta
