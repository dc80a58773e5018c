"""How long a sender may take over a body: one watch for all, by the given clock.

A timer per request would cost as much as the rest of the intake; here a request costs
one entry in a dictionary, and one task sleeps until the oldest entry is due.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from app.clock import Clock

T = TypeVar("T")


class TooSlow(Exception):
    """The time was up."""


@dataclass(slots=True)
class _Waiter:
    task: "asyncio.Task[Any]"
    until: float
    up: bool = False


class Patience:
    """Runs work of the current task and gives up on it after ``seconds``."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._waiters: dict[int, _Waiter] = {}
        self._next = 0
        self._watching: asyncio.Task[None] | None = None

    async def within(self, work: Coroutine[Any, Any, T]) -> T:
        """The outcome of the work; raises TooSlow."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - we run in a coroutine
        waiter = _Waiter(task, self._clock.monotonic() + self._seconds)
        self._next += 1
        number = self._next
        self._waiters[number] = waiter
        if self._watching is None or self._watching.done():
            self._watching = asyncio.get_running_loop().create_task(self._watch())
        try:
            return await work
        except asyncio.CancelledError:
            if waiter.up and task.uncancel() == 0:
                raise TooSlow from None
            raise
        finally:
            self._waiters.pop(number, None)

    async def _watch(self) -> None:
        while self._waiters:
            number, oldest = next(iter(self._waiters.items()))
            left = oldest.until - self._clock.monotonic()
            if left > 0:
                await self._clock.sleep(left)
                continue
            del self._waiters[number]
            oldest.up = True
            oldest.task.cancel()
