"""Many webhooks share one commit: whatever comes while one is under way goes into the next.

While it is busy two groups of senders take turns: one waits for the disk while the other
is read and checked.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.core.events import MeetingEvent
from app.engine.footing import Footing
from app.store import log
from app.store.database import Appending, StoreClosed

BUSY_FROM = 4  # webhooks that wait for one commit
COMPANY = 1.0  # of the time of a commit
LONGEST_COMPANY = 0.003
BUSY_FOR = 0.05  # seconds after such a commit began
MOST_WAITING = 1000
MOST_BYTES = 16 * 1024 * 1024
STORE_HAS = 10.0  # seconds for one commit; the platform waits 3 and comes again
OF_THE_STORE = (
    OperationalError,
    InterfaceError,
    PoolTimeout,
    TimeoutError,
    StoreClosed,
)

Kept = Callable[[BaseException | None], None]
Work = Callable[[Connection], None]


class Overloaded(TimeoutError):
    """More webhooks wait than may be kept in memory; this one was not taken (W34)."""


@dataclass(slots=True)
class Batch:
    """What is stored together. ``facts``: by reference, for who folds them next."""

    entries: list[log.Entry] = field(default_factory=list)
    facts: list[tuple[str, MeetingEvent]] = field(default_factory=list)
    extra: list[Work] = field(default_factory=list)

    def write(self, db: Connection) -> None:
        """All of it, in the transaction of the caller."""
        log.add(db, self.entries)
        for work in self.extra:
            work(db)


@dataclass(slots=True)
class Waiting:
    """One webhook that waits for its commit; ``size`` in bytes as it came."""

    part: Batch
    size: int
    kept: Kept


class Commits:
    """Puts what waits into commits, and tells each what became of it."""

    def __init__(self, footing: Footing) -> None:
        self._footing = footing
        self._next: list[Waiting] = []
        self._bytes = 0
        self._start: asyncio.Handle | None = None
        self._under_way = False
        self._begun = self._took = self._busy_until = 0.0
        self._hoped = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._alone: asyncio.Task[None] | None = None
        self.on_trouble: Callable[[BaseException], None] = lambda _problem: None

    @property
    def is_busy(self) -> bool:
        """Whether webhooks queue up, now or a moment ago."""
        now = self._footing.clock.monotonic()
        return now < self._busy_until or len(self._next) >= BUSY_FROM

    def check_room(self, size: int) -> None:
        """Raises Overloaded when this many bytes more may not wait."""
        if len(self._next) >= MOST_WAITING or self._bytes + size > MOST_BYTES:
            raise Overloaded("Too many webhooks wait to be stored.")

    async def drained(self) -> None:
        """Wait until nobody waits for a commit."""
        await self._idle.wait()

    def add(self, waiting: Waiting) -> None:
        """``waiting.kept`` is called when it is durable, or is not."""
        self._next.append(waiting)
        self._bytes += waiting.size
        if self._under_way:
            return
        if self._start is None:
            self._start_soon()
        elif self.is_busy and len(self._next) == self._hoped:
            self._start.cancel()
            self._begin()

    def _start_soon(self) -> None:
        """A commit for what waits and what else comes in this turn of the loop.

        While it is busy: a moment for those just answered to come along again. Or the
        senders fall into many small groups, each waiting for the others' commits.
        """
        self._idle.clear()
        loop = asyncio.get_running_loop()
        if self.is_busy and len(self._next) < self._hoped:
            patience = min(self._took * COMPANY, LONGEST_COMPANY)
            self._start = loop.call_later(patience, self._begin)
        else:
            self._start = loop.call_soon(self._begin)

    def _begin(self) -> None:
        """One commit for all."""
        self._start, self._under_way = None, True
        waiting, self._next = self._next, []
        self._begun = self._footing.clock.monotonic()
        if len(waiting) >= BUSY_FROM:
            self._busy_until = self._begun + BUSY_FOR
        self._footing.store.begin(
            _together(waiting), partial(self._committed, waiting), STORE_HAS
        )

    def _committed(
        self, waiting: Sequence[Waiting], problem: BaseException | None
    ) -> None:
        if isinstance(problem, OF_THE_STORE):
            self.on_trouble(problem)
        elif problem is not None and len(waiting) > 1:
            self._alone = asyncio.create_task(self._each_alone(waiting))
            return
        self._took = self._footing.clock.monotonic() - self._begun
        self._hoped = (len(waiting) + len(self._next)) // 2
        # The disk first: it works while the answers are written.
        self._go_on()
        self._told(waiting, problem)

    def _go_on(self) -> None:
        self._under_way = False
        if not self._next:
            self._idle.set()
        elif len(self._next) >= self._hoped:
            self._begin()
        else:
            self._start_soon()

    async def _each_alone(self, waiting: Sequence[Waiting]) -> None:
        """One of them cannot be stored; which one, each finds out alone."""
        for one in waiting:
            problem: Exception | None = None
            try:
                async with asyncio.timeout(STORE_HAS):
                    await self._footing.store.write(_together([one]))
            except Exception as error:  # noqa: BLE001 - each waiter gets its own
                problem = error
            if isinstance(problem, OF_THE_STORE):
                self.on_trouble(problem)
            self._told([one], problem)
        self._go_on()

    def _told(self, waiting: Sequence[Waiting], problem: BaseException | None) -> None:
        """What went wrong is for the 503 (I11)."""
        for one in waiting:
            self._bytes -= one.size
            try:
                one.kept(problem)
            except Exception as mistake:  # noqa: BLE001 - the others must be told
                self._footing.log.error("after a commit", why=repr(mistake)[:300])


def _together(waiting: Sequence[Waiting]) -> Work:
    if len(waiting) == 1:
        whole = waiting[0].part
    else:
        whole = Batch()
        for one in waiting:
            whole.entries += one.part.entries
            whole.extra += one.part.extra
    return whole.write if whole.extra else Appending(whole.entries)


def settle(done: "asyncio.Future[None]") -> Kept:
    """For whoever waits by a future; who stopped waiting is not told."""

    def kept(problem: BaseException | None) -> None:
        if done.done():
            return
        if problem is None:
            done.set_result(None)
        else:
            done.set_exception(problem)

    return kept
