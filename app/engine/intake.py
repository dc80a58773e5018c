"""Take facts in durably. The answer goes out only after the commit (I11).

Many requests share one commit: whatever arrives while a commit is under way goes into
the next one.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from app.core.events import MeetingEvent, MeetingRef, UnreadableReceived
from app.core.presses import SessionEvent
from app.engine.commits import Batch, Commits, Kept, Waiting, settle
from app.engine.contract import WebhookAnswer
from app.engine.footing import Footing
from app.store import log
from integrations.base import BadWebhook, Delivery

NO_CONTENT = WebhookAnswer(status=204)
OFFSET_MATTERS = timedelta(seconds=2)
_NONE = timedelta()


class Intake:
    """The one way into the log."""

    def __init__(self, footing: Footing, wake: Callable[[str], None]) -> None:
        self._footing = footing
        self._wake = wake
        self._commits = Commits(footing)
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
        return self._commits.is_busy

    @property
    def on_trouble(self) -> Callable[[BaseException], None]:
        """Who is told when the store fails."""
        return self._commits.on_trouble

    @on_trouble.setter
    def on_trouble(self, tell: Callable[[BaseException], None]) -> None:
        self._commits.on_trouble = tell

    def load(self, db: Connection) -> None:
        """Read which meetings are bound to which sessions."""
        self.bound.clear()
        self.know(log.bound_meetings(db))

    def know(self, bound: Iterable[tuple[str, str, str]]) -> None:
        """Take note of bound meetings: (platform, meeting id, session id)."""
        for platform, meeting_id, session_id in bound:
            self.bound.setdefault((platform, meeting_id), set()).add(session_id)

    def take(
        self,
        platform: str,
        headers: Sequence[tuple[bytes, bytes]],
        body: bytes,
        kept: Kept,
    ) -> WebhookAnswer | None:
        """Verify, parse, store, wake; ``kept`` is called when it is durable, or is not.

        Returns the answer when there is nothing to store; ``kept`` is not called then,
        nor when this raises: BadWebhook, KeyError, Overloaded.
        """
        module = self._footing.platforms[platform]
        now = self._footing.clock.now()
        # How old it is can only be said by the clock that stamped it (D08).
        ahead = self._ahead(platform)
        late = module.verify(headers, body, now + ahead if ahead else now)
        delivery = module.parse(body, now, late=late)
        if delivery.answer is not None:
            return WebhookAnswer(status=200, body=dict(delivery.answer))
        self._take(platform, delivery, body, now, kept)
        return None

    async def accept_delivery(
        self, platform: str, delivery: Delivery, body: bytes, now: datetime
    ) -> None:
        """Store one understood webhook; durable when this returns.

        Raises Overloaded, TimeoutError and SQLAlchemy errors; nothing is stored then.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._take(platform, delivery, body, now, settle(done))
        await done

    def _take(
        self,
        platform: str,
        delivery: Delivery,
        body: bytes,
        now: datetime,
        kept: Kept,
    ) -> None:
        self._commits.check_room(len(body))
        self.last_at[platform] = now
        part = Batch()
        if delivery.quarantine:
            self._quarantine(part, platform, delivery, now)
            self._commits.add(Waiting(part, len(body), kept))
            return
        meeting = delivery.meeting
        sessions: Iterable[str] = ()
        if meeting is not None:
            sessions = self.bound.get((platform, meeting.meeting_id), ())
        # What nobody understood may be about any room: its bytes are evidence (line 10).
        lost = delivery.unreadable and meeting is None
        known = bool(sessions)
        self._put(part, platform, delivery, body, now, keep=known or lost, known=known)

        def told(problem: BaseException | None) -> None:
            if problem is None:
                for ref, fact in part.facts:
                    self._footing.store.recent.keep(ref, fact)
                self._spread(platform, delivery, sessions)
            kept(problem)

        self._commits.add(Waiting(part, len(body), told))

    def _spread(
        self, platform: str, delivery: Delivery, sessions: Iterable[str]
    ) -> None:
        for session_id in sessions:
            self._wake(session_id)
        if delivery.look:
            self.on_look(platform, delivery)
        if not sessions:
            for event in delivery.events:
                self.on_unbound(event)

    def _put(
        self,
        batch: Batch,
        platform: str,
        delivery: Delivery,
        body: bytes,
        now: datetime,
        *,
        keep: bool,
        known: bool,
    ) -> None:
        ref = _reference(delivery)
        store = self._footing.store
        ahead = self._ahead(platform)
        events = delivery.events or (_unread(platform, delivery, now),)
        for number, event in enumerate(events):
            # A sender's clock only orders: its times are corrected, all by the same
            # measure, and never lie after receipt.
            at = event.at - ahead if ahead else event.at
            at, heard = min(at, now), event
            if at != event.at or event.heard_at != now:
                heard = replace(event, at=at, heard_at=now)
            entry = log.entry(store, heard, f"{ref}.{number}", now, keep_personal=keep)
            if number == 0:
                sealed = store.seal(body, f"deliveries:body:{ref}") if keep else None
                entry = log.delivered(
                    entry, ref, delivery.event_type, sealed, late=delivery.late
                )
            batch.entries.append(entry)
            if known:
                batch.facts.append((entry.ref, heard))
        if delivery.unknown:
            self._count(batch, f"unknown:{platform}:{delivery.event_type[:80]}", now)
        if delivery.unreadable:
            self._count(batch, f"unreadable:{platform}:{delivery.event_type[:80]}", now)

    def _count(self, batch: Batch, name: str, now: datetime) -> None:
        batch.extra.append(lambda db: log.count(db, name, now))

    def _ahead(self, platform: str) -> timedelta:
        """How far the platform's clock is ahead of ours, where that matters."""
        offset = self.offsets.get(platform, _NONE)
        return offset if offset and abs(offset) > OFFSET_MATTERS else _NONE

    def _quarantine(
        self, batch: Batch, platform: str, delivery: Delivery, now: datetime
    ) -> None:
        def work(db: Connection) -> None:
            log.refuse(db, delivery.dedupe_key, platform, delivery.quarantine, now)
            log.count(db, f"quarantine:{platform}", now)

        batch.extra.append(work)

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
        batch = Batch()
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
        await self._footing.store.write(batch.write)

    async def drained(self) -> None:
        """Wait until nobody waits for a commit."""
        await self._commits.drained()


def _unread(platform: str, delivery: Delivery, now: datetime) -> MeetingEvent:
    """A webhook is kept with the facts it brought, or with the fact that it brought none."""
    return UnreadableReceived(
        meeting=delivery.meeting or MeetingRef(platform=platform, meeting_id=""),
        at=now,
        heard_at=now,
        event_type=delivery.event_type,
    )


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
