"""Take facts in durably. The answer goes out only after the commit (I11).

Many requests share one commit: whatever arrives while a commit is under way goes into
the next one.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.core.events import MeetingEvent
from app.core.presses import SessionEvent
from app.engine.contract import WebhookAnswer
from app.engine.footing import Footing
from app.store import log
from app.store.database import StoreClosed
from integrations.base import BadWebhook, Delivery

NO_CONTENT = WebhookAnswer(status=204)
OFFSET_MATTERS = timedelta(seconds=2)
BUSY_FROM = 4  # webhooks that wait for one commit
COMPANY = 0.5  # of the time of a commit
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


@dataclass(slots=True)
class _Batch:
    entries: list[log.Entry] = field(default_factory=list)
    deliveries: list[Mapping[str, Any]] = field(default_factory=list)
    extra: list[Callable[[Connection], None]] = field(default_factory=list)


@dataclass(slots=True)
class _Waiting:
    """One webhook that waits for its commit."""

    part: _Batch
    size: int
    done: asyncio.Future[None]


class Overloaded(TimeoutError):
    """More webhooks wait than may be kept in memory; this one was not taken (W34)."""


class Intake:
    """The one way into the log."""

    def __init__(self, footing: Footing, wake: Callable[[str], None]) -> None:
        self._footing = footing
        self._wake = wake
        self._next: list[_Waiting] = []
        self._flushing: asyncio.Task[None] | None = None
        self._busy_until = 0.0
        self._bytes = 0
        self._took = 0.0
        self._hoped = 0
        self._enough: asyncio.Future[None] | None = None
        self.on_trouble: Callable[[BaseException], None] = lambda _problem: None
        self._refusals: Counter[str] = Counter()
        self.bound: dict[tuple[str, str], set[str]] = {}
        self.offsets: dict[str, timedelta] = {}
        self.last_at: dict[str, datetime] = {}
        self.on_unbound: Callable[[MeetingEvent], None] = lambda _event: None
        self.on_look: Callable[[str, Delivery], None] = lambda _platform, _delivery: (
            None
        )

    @property
    def is_busy(self) -> bool:
        """Whether webhooks queue up, now or a moment ago."""
        now = self._footing.clock.monotonic()
        return now < self._busy_until or len(self._next) >= BUSY_FROM

    def load(self, db: Connection) -> None:
        """Read which meetings are bound to which sessions."""
        self.bound.clear()
        for platform, meeting_id, session_id in log.bound_meetings(db):
            self.bound.setdefault((platform, meeting_id), set()).add(session_id)

    async def accept_webhook(
        self, platform: str, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> WebhookAnswer:
        """Verify, parse, store, wake.

        Raises BadWebhook, KeyError, Overloaded, TimeoutError and SQLAlchemy errors;
        nothing that raised was promised to the platform.
        """
        module = self._footing.platforms[platform]
        now = self._footing.clock.now()
        # How old it is can only be said by the clock that stamped it (D08).
        late = module.verify(headers, body, now + self._ahead(platform))
        delivery = module.parse(body, now, late=late)
        if delivery.answer is not None:
            return WebhookAnswer(status=200, body=dict(delivery.answer))
        await self.accept_delivery(platform, delivery, body, now)
        return NO_CONTENT

    async def accept_delivery(
        self, platform: str, delivery: Delivery, body: bytes, now: datetime
    ) -> None:
        """Store one understood webhook; durable when this returns."""
        self.last_at[platform] = now
        if delivery.quarantine:
            await self._quarantine(platform, delivery, now)
            return
        meeting = delivery.meeting
        sessions: Iterable[str] = ()
        if meeting is not None:
            sessions = self.bound.get((platform, meeting.meeting_id), ())
        if len(self._next) >= MOST_WAITING or self._bytes + len(body) > MOST_BYTES:
            raise Overloaded("Too many webhooks wait to be stored.")
        part = _Batch()
        # What nobody understood may be about any room: its bytes are evidence (line 10).
        lost = delivery.unreadable and meeting is None
        self._put(part, platform, delivery, body, now, keep=bool(sessions) or lost)
        await self._flushed(part, len(body))
        for session_id in sessions:
            self._wake(session_id)
        if delivery.look:
            self.on_look(platform, delivery)
        if not sessions:
            for event in delivery.events:
                self.on_unbound(event)

    def _put(
        self,
        batch: _Batch,
        platform: str,
        delivery: Delivery,
        body: bytes,
        now: datetime,
        *,
        keep: bool,
    ) -> None:
        ref = _reference(delivery)
        store = self._footing.store
        for number, event in enumerate(delivery.events):
            at = self._event_time(platform, event, now)
            heard = event
            if at != event.at or event.heard_at != now:
                heard = replace(event, at=at, heard_at=now)
            batch.entries.append(
                log.entry(store, heard, f"{ref}.{number}", now, keep_personal=keep)
            )
        sealed = store.seal(body, f"deliveries:body:{ref}") if keep else None
        batch.deliveries.append(
            {
                "ref": ref,
                "platform": platform,
                "event_type": delivery.event_type,
                "meeting_id": delivery.meeting.meeting_id if delivery.meeting else "",
                "received_at": now,
                "body_sealed": sealed,
                "late": delivery.late,
            }
        )
        if delivery.unknown:
            self._count(batch, f"unknown:{platform}:{delivery.event_type[:80]}", now)
        if delivery.unreadable:
            self._count(batch, f"unreadable:{platform}:{delivery.event_type[:80]}", now)

    def _count(self, batch: _Batch, name: str, now: datetime) -> None:
        batch.extra.append(lambda db: log.count(db, name, now))

    def _event_time(
        self, platform: str, event: MeetingEvent, now: datetime
    ) -> datetime:
        """A sender's clock only orders: its times are corrected, all by the same
        measure, and never lie after receipt."""
        return min(event.at - self._ahead(platform), now)

    def _ahead(self, platform: str) -> timedelta:
        """How far the platform's clock is ahead of ours, where that matters."""
        offset = self.offsets.get(platform, timedelta())
        return offset if abs(offset) > OFFSET_MATTERS else timedelta()

    async def _quarantine(
        self, platform: str, delivery: Delivery, now: datetime
    ) -> None:
        def work(db: Connection) -> None:
            log.refuse(db, delivery.dedupe_key, platform, delivery.quarantine, now)
            log.count(db, f"quarantine:{platform}", now)

        await self._footing.store.write(work)

    def refuse(self, platform: str, problem: BadWebhook) -> None:
        """Count a refused webhook; in memory, so that a flood costs no writes (W35)."""
        self._refusals[f"refused:{platform}:{problem.counter}"] += 1

    async def write_refusals(self) -> None:
        """Write down what was counted since last time."""
        counted, self._refusals = self._refusals, Counter()
        now = self._footing.clock.now()

        def work(db: Connection) -> None:
            for name, number in counted.items():
                log.count(db, name, now, number)

        if counted:
            await self._footing.store.write(work)

    async def accept_facts(
        self,
        facts: Sequence[SessionEvent | MeetingEvent],
        session_id: str | None = None,
        also: Callable[[Connection], None] | None = None,
    ) -> None:
        """Store facts of our own (presses, plans, links); durable when this returns.

        In a transaction of their own: what goes wrong in ``also`` is nobody else's fault.
        """
        now = self._footing.clock.now()
        batch = _Batch()
        for fact in facts:
            owner = session_id if isinstance(fact, SessionEvent) else None
            if isinstance(fact, MeetingEvent) and fact.heard_at is None:
                fact = replace(fact, heard_at=now)
            batch.entries.append(
                log.entry(
                    self._footing.store,
                    fact,
                    self._footing.new_id(),
                    now,
                    session_id=owner,
                )
            )
        if also is not None:
            batch.extra.append(also)
        await self._footing.store.write(partial(_write, batch))

    async def drained(self) -> None:
        """Wait until nobody waits for a commit."""
        if self._flushing is not None:
            await asyncio.wait({self._flushing})

    async def _flushed(self, part: _Batch, size: int) -> None:
        done = asyncio.get_running_loop().create_future()
        self._next.append(_Waiting(part, size, done))
        self._bytes += size
        if self._enough is not None and len(self._next) >= self._hoped:
            _set(self._enough)
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        await done

    async def _flush(self) -> None:
        while self._next:
            await self._company()
            waiting, self._next = self._next, []
            if len(waiting) >= BUSY_FROM:
                self._busy_until = self._footing.clock.monotonic() + BUSY_FOR
            begun = self._footing.clock.monotonic()
            problem = await self._commit(waiting)
            self._took = self._footing.clock.monotonic() - begun
            self._hoped = len(waiting) + len(self._next)
            alone = problem is not None and not isinstance(problem, OF_THE_STORE)
            for one in waiting:
                if alone and len(waiting) > 1:
                    # One of them cannot be stored; which one, each finds out alone.
                    problem = await self._commit([one])
                self._bytes -= one.size
                # Whoever hung up meanwhile is gone; their fact is kept all the same.
                if one.done.cancelled():
                    continue
                if problem is None:
                    one.done.set_result(None)
                else:
                    one.done.set_exception(problem)

    async def _company(self) -> None:
        """While it is busy: a moment for those just answered to come along again.

        Or the senders fall into two halves, each waiting for the other's commit.
        """
        if not self.is_busy or len(self._next) >= self._hoped:
            return
        loop = asyncio.get_running_loop()
        self._enough = loop.create_future()
        patience = loop.call_later(
            min(self._took * COMPANY, LONGEST_COMPANY), _set, self._enough
        )
        await self._enough
        patience.cancel()
        self._enough = None

    async def _commit(self, waiting: Sequence[_Waiting]) -> Exception | None:
        """One commit for all; returns what went wrong, for the 503 (I11)."""
        whole = _Batch()
        for one in waiting:
            whole.entries += one.part.entries
            whole.deliveries += one.part.deliveries
            whole.extra += one.part.extra
        try:
            async with asyncio.timeout(STORE_HAS):
                await self._footing.store.write(partial(_write, whole))
        except OF_THE_STORE as error:
            self.on_trouble(error)
            return error
        except Exception as error:  # noqa: BLE001 - each waiter gets it
            return error
        return None


def _reference(delivery: Delivery) -> str:
    """The dedupe key, with the time the platform gave the event in front.

    The time is part of what is hashed, so it tells no two deliveries apart. It keeps
    neighbours in time neighbours in the index: hashes alone make each event write pages
    of its own, five times as many (`chaperone bench --only intake`).
    """
    if delivery.sent_at is None:
        return delivery.dedupe_key
    stamp = int(delivery.sent_at.timestamp() * 1000)
    return f"{stamp:013d}-{delivery.dedupe_key}"


def _set(done: "asyncio.Future[None]") -> None:
    if not done.done():
        done.set_result(None)


def _write(batch: _Batch, db: Connection) -> None:
    log.add(db, batch.entries)
    log.add_deliveries(db, batch.deliveries)
    for work in batch.extra:
        work(db)
