"""The store's door in simulation: commits take a moment, may fail, or be the last."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import Engine as Database
from sqlalchemy.exc import OperationalError

from app.clock import SystemClock
from app.store.database import InlineDoor, Work
from app.store.entries import make_ready

Passed = Callable[[str], None]
"""Told each point of the process; raises `Killed` when it is the last one."""


class Killed(BaseException):
    """The process is gone. Nothing catches this."""


@dataclass(frozen=True, slots=True)
class Connections:
    """Kept from evening to evening: opening one costs as much as what is asked."""

    reading: Connection
    writing: Connection

    @classmethod
    def of(cls, database: Database) -> "Connections":
        """Open both."""
        writing = database.connect().execution_options(writing=True)
        make_ready(writing)
        return cls(database.connect(), writing)


class FaultyDoor(InlineDoor):
    """`trouble` says what is wrong with this commit: "", "full", "error"; `pause` how
    long it takes; `passed` is told before and after each commit."""

    def __init__(
        self,
        database: Database,
        connections: "Connections",
        passed: Passed,
        trouble: Callable[[], str],
        pause: Callable[[], float],
    ) -> None:
        super().__init__(database)
        self._connections = connections
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
            done = self._run(self._connections.writing, work)
            self._passed("after commit")
        return done

    async def read(self, work: Work) -> Any:
        await self._clock.sleep(0)
        self._passed("read")
        return self._run(self._connections.reading, work)

    @staticmethod
    def _run(db: Connection, work: Work) -> Any:
        with db.begin():
            return work(db)
