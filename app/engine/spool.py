"""What could not be written down yet. Enforcement goes on without the store (I20).

A change that the store refuses takes effect in memory at once, is put into a second file
(:mod:`app.engine.spool_file`), and is written as soon as the store takes it again, in
the order in which it happened. People are told meanwhile. What a process owes when it
dies is in the file: the next one writes it before it takes the first webhook.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError, SQLAlchemyError

from app.core.events import MeetingEvent
from app.core.fold import Fact, apply
from app.core.session import GroupSession
from app.engine.footing import Footing
from app.engine.sessions import Held, Sessions
from app.engine.spool_file import MOST, Found
from app.engine.writing import Unusable, Writing
from app.store import log, remembered

FAILING = (SQLAlchemyError, TimeoutError)
NEVER_GOOD = (DataError, IntegrityError, ProgrammingError)
STORE_HAS = 3.0  # seconds a write may take before we go on without it
FILE_HAS = 1.0  # and the same for the second file
FAILS_FOR = 1.0  # seconds until it is asked again
WRITTEN = "spool:"

Work = Callable[[Connection], Any]


class StoreFails(TimeoutError):
    """It did not take the last write, and that was just now."""


@dataclass(frozen=True, slots=True)
class _Record:
    """One change that waits: its own name, what to write, the facts in it."""

    ref: str
    writing: Writing
    facts: Sequence[Fact]


@dataclass(slots=True)
class _Owed:
    records: list[_Record] = field(default_factory=list)


class Spool:
    """Writes that wait for the store, by session. Each must be safe to repeat.

    ``on_trouble`` hears of every failed write, with the exception; ``on_lost`` of every
    change that is in memory only, with the reason.
    """

    def __init__(self, footing: Footing, sessions: Sessions) -> None:
        self._footing = footing
        self._sessions = sessions
        sessions.on_loaded = self._take_up
        self._file = footing.spool_file
        self._file_in_use = asyncio.Lock()
        self._file_holds = False
        self._put_aside = False
        self._owed: dict[str, _Owed] = {}
        self._kept = 0
        self._failed_at: float | None = None
        self.on_trouble: Callable[[BaseException], None] = lambda _problem: None
        self.on_lost: Callable[[str], None] = lambda _why: None

    def owes(self, session_id: str) -> bool:
        """Whether something of this session is not written yet."""
        return session_id in self._owed

    def owing(self) -> Iterable[str]:
        """Sessions of which something is not written yet."""
        return tuple(self._owed)

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
            self._fold(held)
        return session

    def entries(self, facts: Sequence[Fact], session_id: str) -> tuple[log.Entry, ...]:
        """Facts of our own, ready to be stored."""
        now, new_id = self._footing.clock.now(), self._footing.new_id
        return tuple(
            log.entry(
                self._footing.store,
                fact,
                new_id(),
                now,
                session_id=None if isinstance(fact, MeetingEvent) else session_id,
            )
            for fact in facts
        )

    async def write(self, work: Work, held: Held | None = None) -> Any:
        """Write now or raise one of ``FAILING``; never wait long.

        Who comes right after a failure need not find out once more. What is written for
        ``held`` raises LeaseLost where another process may be in charge of it (I18).
        """
        leases = self._footing.leases
        session_id = held.session.session_id if held is not None else ""
        if held is not None:
            leases.demand(session_id, held.fence)
            work = leases.fenced(work, session_id, held.fence)
        now = self._footing.clock.monotonic()
        if self._failed_at is not None and now < self._failed_at + FAILS_FOR:
            raise StoreFails("The store failed a moment ago.")
        try:
            async with asyncio.timeout(STORE_HAS):
                done = await self._footing.store.write(work)
        except FAILING as problem:
            if held is not None:
                # Frozen while it was written, it is not the store that fails.
                leases.demand(session_id, held.fence)
            if not isinstance(problem, NEVER_GOOD):
                self._failed_at = self._footing.clock.monotonic()
                self.on_trouble(problem)
            raise
        self._failed_at = None
        return done

    async def write_or_keep(
        self, held: Held, writing: Writing, facts: Sequence[Fact] = ()
    ) -> None:
        """Write after what is owed; else keep it, and let its facts count from now on."""
        store = self._footing.store
        if await self.pay(held.session.session_id):
            try:
                await self.write(lambda db: writing.write(db, store), held)
            except FAILING:
                pass  # told already; kept below
            else:
                return
        await self.keep(held, writing, facts)

    async def keep(
        self, held: Held, writing: Writing, facts: Sequence[Fact] = ()
    ) -> None:
        """Remember a failed write. Its facts are folded at once, and again from the log.

        Raises LeaseLost where another process may be in charge (I18).
        """
        self._footing.leases.demand(held.session.session_id, held.fence)
        for fact in facts:
            apply(held.session, fact)
        if self._kept >= MOST:
            self._footing.log.error("spool full", session=held.session.session_id)
            self.on_lost("Too much waits for the store.")
            return
        record = _Record(self._footing.new_id(), writing, facts)
        owed = self._owed.setdefault(held.session.session_id, _Owed())
        owed.records.append(record)
        self._kept += 1
        await self._put_down(record)

    async def _put_down(self, record: _Record) -> None:
        if self._file is None:
            return
        data = record.writing.dump()
        try:
            async with self._file_in_use, asyncio.timeout(FILE_HAS):
                self._file_holds = True
                await asyncio.to_thread(self._file.append, record.ref, data)
        except (OSError, TimeoutError) as problem:
            self._footing.log.error("second file fails", why=repr(problem)[:200])
            self.on_lost(type(problem).__name__)

    # --- making good ----------------------------------------------------------------

    async def pay(self, session_id: str) -> bool:
        """Write what is owed, in order; whether nothing is owed any more."""
        owed = self._owed.get(session_id)
        while owed is not None and owed.records:
            records = list(owed.records)
            try:
                await self.write(partial(self._write_all, records))
            except NEVER_GOOD:
                if not await self._write_each(records):
                    return False
            except FAILING:
                return False
            written = {record.ref for record in records}
            left = [one for one in owed.records if one.ref not in written]
            self._kept -= len(owed.records) - len(left)
            owed.records = left
        self._owed.pop(session_id, None)
        if self._file_holds and self._kept == 0:
            await self._empty_file()
        return True

    def _write_all(self, records: Sequence[_Record], db: Connection) -> None:
        now = self._footing.clock.now()
        for record in records:
            # Written before, by a process that was killed before it could empty the file?
            if self._file is None or remembered.first_time(
                db, f"{WRITTEN}{record.ref}", now
            ):
                self._payable(record.writing).write(db, self._footing.store)

    def _payable(self, writing: Writing) -> Writing:
        """What happened is told, whoever is in charge by now; when to decide next is not."""
        if self._footing.leases.holds(writing.session_id):
            return writing
        steps = tuple(step for step in writing.steps if step[0] != "deadline")
        return replace(writing, steps=steps)

    async def _write_each(self, records: Sequence[_Record]) -> bool:
        """One of them can never be written; which one, each finds out alone."""
        for record in records:
            try:
                await self.write(partial(self._write_all, [record]))
            except NEVER_GOOD as problem:
                self._footing.log.error("not recorded", why=str(problem)[:200])
            except FAILING:
                return False
        return True

    async def _empty_file(self) -> None:
        if self._file is None:
            return
        try:
            async with self._file_in_use, asyncio.timeout(FILE_HAS):
                if self._kept:
                    return  # Somebody came in between.
                await asyncio.to_thread(self._file.clear, aside=self._put_aside)
                self._file_holds = self._put_aside = False
            await self.write(lambda db: remembered.forget(db, WRITTEN))
        except (OSError, *FAILING) as problem:  # Tried again with the next change.
            self._footing.log.error("second file not emptied", why=repr(problem)[:200])

    # --- after a restart --------------------------------------------------------------

    async def recover(self) -> None:
        """Write what an earlier process owed. What the store still refuses is owed on."""
        if self._file is None:
            return
        try:
            found = await asyncio.to_thread(self._file.read)
        except OSError as problem:
            self._footing.log.error("second file not read", why=repr(problem)[:200])
            self.on_lost(type(problem).__name__)
            return
        unusable = sum(not self._owe(ref, data) for ref, data in found.records)
        self._file_holds = bool(found.records or found.damaged)
        self._put_aside = bool(found.damaged or unusable)
        for session_id in self.owing():
            await self.pay(session_id)
        if self._file_holds and self._kept == 0:
            await self._empty_file()
        await self._count(found, unusable)

    def _owe(self, ref: str, data: bytes) -> bool:
        try:
            writing = Writing.load(data)
        except Unusable as problem:
            self._footing.log.error("spooled record not usable", why=str(problem))
            return False
        facts = tuple(writing.facts(self._footing.store))
        owed = self._owed.setdefault(writing.session_id, _Owed())
        owed.records.append(_Record(ref, writing, facts))
        self._kept += 1
        return True

    async def _count(self, found: Found, unusable: int) -> None:
        """For the administrator: what the second file could not give back."""
        now = self._footing.clock.now()
        seen = {"torn": found.torn, "damaged": found.damaged + unusable}
        lost = {name: number for name, number in seen.items() if number}

        def work(db: Connection) -> None:
            for name, number in lost.items():
                log.count(db, f"spool:{name}", now, number)

        if not lost:
            return
        self._footing.log.error("second file was damaged", **lost)
        try:
            await self.write(work)
        except FAILING:
            pass  # told already, and in the log

    def _take_up(self, held: Held) -> None:
        """A session was read from a store that lacks what is owed: it counts here too."""
        self._fold(held)
        owed = self._owed.get(held.session.session_id)
        for record in owed.records if owed is not None else ():
            record.writing.take_up(held.actions)

    def _fold(self, held: Held) -> None:
        owed = self._owed.get(held.session.session_id)
        for record in owed.records if owed is not None else ():
            for fact in record.facts:
                apply(held.session, fact)
