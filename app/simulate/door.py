"""The store's door in simulation: commits take a moment, may fail, or be the last."""

import asyncio
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine as Database
from sqlalchemy.exc import OperationalError

from app.clock import SystemClock
from app.store.database import InlineDoor, Work

Passed = Callable[[str], None]
"""Told each point of the process; raises `Killed` when it is the last one."""


class Killed(BaseException):
    """The process is gone. Nothing catches this."""


class FaultyDoor(InlineDoor):
    """`trouble` says what is wrong with this commit: "", "full", "error"; `pause` how
    long it takes; `passed` is told before and after each commit."""

    def __init__(
        self,
        database: Database,
        passed: Passed,
        trouble: Callable[[], str],
        pause: Callable[[], float],
    ) -> None:
        super().__init__(database)
        self._passed = passed
        self._trouble = trouble
        self._pause = pause
        self._clock = SystemClock()
        self._turn = asyncio.Lock()

    async def write(self, work: Work) -> Any:
        async with self._turn:
            await self._clock.sleep(self._pause())
            self._passed("before commit")
            trouble = self._trouble()
            if trouble:
                raise OperationalError("", {}, Exception(trouble))
            done = await super().write(work)
            self._passed("after commit")
        return done

    async def read(self, work: Work) -> Any:
        await self._clock.sleep(0)
        self._passed("read")
        return await super().read(work)
