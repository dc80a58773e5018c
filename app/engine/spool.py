"""What could not be written down yet. Enforcement goes on without the store (I20).

A change that the store refuses takes effect in memory at once, is written as soon as the
store takes it again, in the order in which it happened, and people are told meanwhile.
Kept in memory only: what a process owes when it dies is decided anew by the next one.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError, SQLAlchemyError

from app.core.events import MeetingEvent
from app.core.fold import Fact, apply
from app.core.session import GroupSession
from app.engine.footing import Footing
from app.engine.sessions import Held, Sessions
from app.store import log

FAILING = (SQLAlchemyError, TimeoutError)
NEVER_GOOD = (DataError, IntegrityError, ProgrammingError)
MOST = 10_000
STORE_HAS = 3.0  # seconds a write may take before we go on without it
FAILS_FOR = 1.0  # seconds until it is asked again

Work = Callable[[Connection], Any]


class StoreFails(TimeoutError):
    """It did not take the last write, and that was just now."""


@dataclass(slots=True)
class _Owed:
    works: list[Work] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)


class Spool:
    """Writes that wait for the store, by session. Each must be safe to repeat.

    ``on_trouble`` hears of every failed write, with the exception.
    """

    def __init__(self, footing: Footing, sessions: Sessions) -> None:
        self._footing = footing
        self._sessions = sessions
        self._owed: dict[str, _Owed] = {}
        self._kept = 0
        self._failed_at: float | None = None
        self.on_trouble: Callable[[BaseException], None] = lambda _problem: None

    def owes(self, session_id: str) -> bool:
        """Whether something of this session is not written yet."""
        return session_id in self._owed

    async def newest(self, held: Held) -> GroupSession:
        """The fold up to the end of the log, or the last good state while it fails.

        The caller holds ``held.lock``.
        """
        before = held.session
        try:
            async with asyncio.timeout(STORE_HAS):
                session = await self._sessions.catch_up(held)
        except FAILING as problem:
            self.on_trouble(problem)
            return held.session
        if session is not before:
            self._fold_again(held)
        return session

    def entries(self, facts: Sequence[Fact], session_id: str) -> list[log.Entry]:
        """Facts of our own, ready to be stored."""
        now, new_id = self._footing.clock.now(), self._footing.new_id
        return [
            log.entry(
                self._footing.store,
                fact,
                new_id(),
                now,
                session_id=None if isinstance(fact, MeetingEvent) else session_id,
            )
            for fact in facts
        ]

    async def write(self, work: Work) -> Any:
        """Write now or raise one of ``FAILING``; never wait long.

        Who comes right after a failure need not find out once more.
        """
        now = self._footing.clock.monotonic()
        if self._failed_at is not None and now < self._failed_at + FAILS_FOR:
            raise StoreFails("The store failed a moment ago.")
        try:
            async with asyncio.timeout(STORE_HAS):
                done = await self._footing.store.write(work)
        except FAILING as problem:
            if not isinstance(problem, NEVER_GOOD):
                self._failed_at = self._footing.clock.monotonic()
                self.on_trouble(problem)
            raise
        self._failed_at = None
        return done

    async def write_or_keep(
        self, held: Held, work: Work, facts: Sequence[Fact] = ()
    ) -> None:
        """Write after what is owed; else keep it, and let its facts count from now on."""
        if await self.pay(held.session.session_id):
            try:
                await self.write(work)
            except FAILING:
                pass  # told already; kept below
            else:
                return
        self.keep(held, work, facts)

    def keep(self, held: Held, work: Work, facts: Sequence[Fact] = ()) -> None:
        """Remember a failed write. Its facts are folded at once, and again from the log."""
        if self._kept >= MOST:
            self._footing.log.error("spool full", session=held.session.session_id)
        else:
            owed = self._owed.setdefault(held.session.session_id, _Owed())
            owed.works.append(work)
            owed.facts.extend(facts)
            self._kept += 1
        for fact in facts:
            apply(held.session, fact)

    def _fold_again(self, held: Held) -> None:
        """After a refold from the log: what is owed counts here too."""
        owed = self._owed.get(held.session.session_id)
        for fact in owed.facts if owed is not None else ():
            apply(held.session, fact)

    async def pay(self, session_id: str) -> bool:
        """Write what is owed, in order; whether nothing is owed any more."""
        owed = self._owed.get(session_id)
        while owed is not None and owed.works:
            works = list(owed.works)
            try:
                await self.write(partial(_all, works))
            except NEVER_GOOD as problem:
                self._footing.log.error("not recorded", why=str(problem)[:200])
            except FAILING:
                return False
            del owed.works[: len(works)]
            self._kept -= len(works)
        self._owed.pop(session_id, None)
        return True


def _all(works: Sequence[Work], db: Connection) -> None:
    for work in works:
        work(db)
