"""The engine as the rest of the house knows it: what it may be asked, over the heart."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from app.core.events import MeetingEvent
from app.core.presses import AlarmAcknowledged, SessionClosed, SessionEvent
from app.core.session import GroupSession
from app.engine.alarms import Alarms
from app.engine.commits import settle
from app.engine.contract import EngineStatus, WebhookAnswer
from app.engine.footing import Footing
from app.engine.heart import Heart
from app.engine.intake import NO_CONTENT
from app.engine.prepare import Prepare
from app.engine.report import status_of
from app.engine.sessions import Held
from app.engine.spool import FAILING
from app.engine.unplanned import Unplanned
from app.engine.unreadable import Unreadable
from app.store import queue
from app.store import sessions as session_rows
from integrations.base import BadWebhook, Delivery, Mended


class Engine(Heart):
    """Implements app.engine.contract.EngineDoor."""

    def __init__(self, footing: Footing, alarms: Alarms) -> None:
        super().__init__(footing, alarms)
        self.prepare_work = Prepare(footing, self.sessions, self.intake, self.wake)
        self._dispatch.outcomes.on_link_cancelled = self._renew_links
        self._dispatch.on_lease_lost = self._lease_lost
        self.unplanned = Unplanned(footing)
        self.unreadable = Unreadable(footing, self.sessions, self.intake, self.wake)
        self.intake.on_look = self._look_soon
        self.intake.on_unbound = self._heard_of_stranger_meeting
        self.watch.measured = self._measured

    async def accept_webhook(
        self, platform: str, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> WebhookAnswer:
        """See EngineDoor."""
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        answer = self.take_webhook(platform, headers, body, settle(kept))
        if answer is not None:
            return answer
        await kept
        return NO_CONTENT

    def take_webhook(
        self,
        platform: str,
        headers: Sequence[tuple[bytes, bytes]],
        body: bytes,
        kept: Callable[[BaseException | None], None],
    ) -> WebhookAnswer | None:
        """See EngineDoor."""
        try:
            return self.intake.take(platform, headers, body, kept)
        except BadWebhook as problem:
            self.intake.refuse(platform, problem)
            raise

    async def accept_press(self, session_id: str, *facts: SessionEvent) -> None:
        """See EngineDoor."""
        held = await self.sessions.held(session_id)

        def also(db: Connection) -> None:
            for fact in facts:
                if isinstance(fact, AlarmAcknowledged):
                    key = f"{held.session.session_id}:{fact.key}"
                    queue.acknowledge(db, key, fact.by, fact.at)
                elif isinstance(fact, SessionClosed):
                    session_rows.close(db, session_id, fact.at)

        await self.intake.accept_facts(facts, session_id, also)
        self.wake(session_id)

    async def alarms_stored(self) -> None:
        """See EngineDoor."""
        self._letterbox.soon()
        self._tasks.bell.set()

    async def state(self, session_id: str) -> GroupSession:
        """See EngineDoor."""
        held = await self.sessions.held(session_id)
        async with held.lock:
            return await self.sessions.catch_up(held)

    async def state_at(self, session_id: str, when: datetime) -> GroupSession:
        """See EngineDoor."""
        return await self.sessions.as_of(session_id, when)

    async def plan_changed(self, session_id: str, by: str = "") -> None:
        """See EngineDoor."""
        await self.prepare_work.plan_changed(session_id, by)

    async def person_changed(self, person_id: str, by: str = "") -> None:
        """See EngineDoor."""
        await self.prepare_work.person_changed(person_id, by)

    async def forget(self, session_ids: Collection[str]) -> None:
        """See EngineDoor."""
        await self.forget_here(session_ids)
        for session_id in session_ids:
            self._footing.leases.tell("forget", session_id)
            if self.sessions.known(session_id) is not None:
                self.wake(session_id)

    async def forget_here(self, session_ids: Collection[str]) -> None:
        """As :meth:`forget`, in the memory of this process."""
        await self.sessions.forget(session_ids)

    def heard_forget(self, session_id: str) -> None:
        """Another process erased somebody who was part of this session."""
        self._tasks.start(self.forget_here([session_id]))

    async def prepare(self, session_id: str, by: str = "") -> Sequence[str]:
        """See EngineDoor."""
        return await self.prepare_work.prepare(session_id, by)

    async def bind(
        self,
        session_id: str,
        meeting_id: str,
        by: str,
        *,
        instance: str = "",
        watch_only: bool = False,
    ) -> None:
        """See EngineDoor."""
        await self.prepare_work.bind(
            session_id, meeting_id, by, instance=instance, watch_only=watch_only
        )

    async def check_now(self, session_id: str) -> Sequence[str]:
        """See EngineDoor."""
        return await self.prepare_work.checks.check_now(session_id)

    async def mend(self, session_id: str, wish: str, by: str) -> Mended:
        """See EngineDoor."""
        return await self.prepare_work.checks.mend(session_id, wish, by)

    async def rotate_link(self, session_id: str, person_id: str, by: str) -> None:
        """See EngineDoor."""
        await self.prepare_work.links.rotate(session_id, person_id, by)

    async def changes(self, session_id: str) -> AsyncIterator[int]:
        """See EngineDoor."""
        await self.sessions.held(session_id)
        while not self._goodbye:
            event = self._changed.setdefault(session_id, asyncio.Event())
            session = await self.state(session_id)
            yield session.version
            if not self._goodbye:
                await event.wait()

    def press_hint(self, session_id: str, press: str) -> str:
        """See EngineDoor."""
        held = self.sessions.known(session_id)
        plan = held.session.plan if held is not None else None
        platform = self._footing.platforms.get(plan.platform) if plan else None
        return platform.press_hint(press) if platform is not None else ""

    def _is_ours(self, held: Held) -> bool:
        return self._footing.leases.holds(held.session.session_id)

    async def status(self) -> EngineStatus:
        """See EngineDoor."""
        return await status_of(
            self._footing.store,
            self._footing.platforms,
            [one for one in self.sessions.all().values() if self._is_ours(one)],
            self._footing.leases,
            awake=self._awake,
            problems=self.clocks.problems(),
        )

    # --- what the platform says besides ------------------------------------------------

    def _look_soon(self, platform: str, delivery: Delivery) -> None:
        self.unreadable.look_soon(platform, delivery)
        if delivery.meeting is None:
            self._tasks.start(self._tell_unreadable(platform))

    async def _tell_unreadable(self, platform: str) -> None:
        await self.unreadable.tell(platform)
        self._letterbox.soon()

    def _renew_links(self, session_id: str) -> None:
        self._tasks.start(self._renew(session_id))

    async def _renew(self, session_id: str) -> None:
        for problem in await self.prepare_work.links.renew(session_id):
            self._footing.log.warning("link not renewed", why=problem)

    def _heard_of_stranger_meeting(self, event: MeetingEvent) -> None:
        self._tasks.start(self._ask_about(event))

    async def _ask_about(self, event: MeetingEvent) -> None:
        if await self.unplanned.heard(event):
            self._letterbox.soon()

    def _measured(self, platform: str, offset: timedelta) -> None:
        if self.clocks.measured(platform, offset):
            self._tasks.start(self._tell_clock(platform))

    async def _tell_clock(self, platform: str) -> None:
        try:
            await self.clocks.tell(platform)
        except FAILING as problem:  # The next answer tries again.
            self._troubles.store_failed(problem)
        else:
            self._letterbox.soon()
