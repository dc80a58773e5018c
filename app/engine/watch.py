"""Look at the rooms: roster reads where the platform lists who is there, else its status."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from app.core.actions import EndMeeting
from app.core.events import MeetingRef
from app.core.presses import ActionState, HandsProbed
from app.core.roster import settled_at
from app.core.session import GroupSession, Instance
from app.core.sight import interval, opened_at
from app.engine.footing import Footing
from app.engine.seen import Seen, is_another
from app.engine.sessions import Held
from app.engine.spool import Spool
from app.engine.unseen import Unseen, has_real_name
from app.store.leases import LeaseLost
from integrations.base import (
    PermanentFailure,
    Platform,
    TemporaryFailure,
)
from integrations.base import (
    StatusRead as PlatformStatus,
)

DOOR = ""

WATCH_FROM = timedelta(minutes=30)
LIST_AGAIN = timedelta(minutes=1)
"""A list that failed may have failed for the moment only (F7), and then the weaker promise
would hold for the whole evening: it is asked for again, and sight comes back by itself."""


class Watch:
    """Reads, compares, and keeps only differences."""

    def __init__(
        self, footing: Footing, spool: Spool, wake: Callable[[str], None]
    ) -> None:
        self._footing = footing
        self._seen = Seen(footing, spool, wake)
        self._unseen = Unseen(footing, self._seen, self._status, wake)
        self.measured: Callable[[str, timedelta], None] = lambda _platform, _gap: None
        self._taken_up: dict[str, datetime] = {}

    # --- when -------------------------------------------------------------------

    def taken_up(self, session_id: str) -> None:
        """From now on this process guards it: what was told meanwhile nobody heard, so
        each open room is looked at before its usual turn."""
        self._taken_up[session_id] = self._footing.clock.now()

    def due(self, held: Held) -> dict[str, datetime]:
        """Instance -> when to look next; ``DOOR`` for "has it started unseen?"."""
        session, plan = held.session, held.session.plan
        found: dict[str, datetime] = {}
        live = list(session.live())
        for instance in live:
            name = instance.ref.instance
            last = held.looked_at.get(name, opened_at(instance))
            found[name] = last + self._gap(session, instance)
            taken_up = self._taken_up.get(session.session_id)
            if taken_up is not None and last < taken_up:
                # The clock may have been put back since: then its usual turn is sooner.
                found[name] = min(found[name], taken_up)
            settled = settled_at(session, instance)
            if settled is not None and settled > last:
                found[name] = min(found[name], settled)
        if not live and plan is not None and held.bound and session.closed is None:
            opens = plan.starts_at - WATCH_FROM
            closes = plan.ends_at + session.policy.links_die_after_end
            last_look = held.looked_at.get(DOOR)
            next_look = last_look + session.policy.poll_calm if last_look else opens
            if next_look <= closes:
                found[DOOR] = max(next_look, opens)
        return found

    @staticmethod
    def _gap(session: GroupSession, instance: Instance) -> timedelta:
        ending = any(
            fact.kind == EndMeeting.kind
            and fact.state is ActionState.SENT
            and fact.meeting == instance.ref
            for fact in session.actions.values()
        )
        if ending:
            return session.policy.poll_unsafe
        return interval(session, instance)

    # --- looking ----------------------------------------------------------------

    async def look(self, held: Held, name: str, limit: timedelta | None = None) -> bool:
        """Look once, for so long at the most; True when the platform answered.

        Whatever the platform does or answers, nothing is raised: somebody who cannot
        look acts on what is known.
        """
        session = held.session
        held.looked_at[name] = self._footing.clock.now()
        longest = limit or 2 * session.policy.call_deadline
        if name == DOOR:
            return await self._within(longest, self._unseen.look(held)) == ""
        instance = next(
            (i for i in session.instances.values() if i.ref.instance == name), None
        )
        plan = session.plan
        if instance is None or plan is None:
            return True
        platform = self._footing.platforms.get(plan.platform)
        if platform is None:
            return False
        if instance.heard_at is None and has_real_name(session, instance):
            await self._seen.give_up_made_up(held, instance)
            return True
        read = self._read_roster
        if session.hands.live_roster is False:
            read = self._read_status
            if self._may_list_again(held, name):
                read = self._try_the_list
        problem = await self._within(longest, read(held, instance, platform))
        if problem:
            await self._seen.failed(held, instance, problem)
        return not problem

    async def _within(
        self, longest: timedelta, looking: Coroutine[Any, Any, None]
    ) -> str:
        """Do it; returns why it failed, in words, "" when it did not."""
        try:
            async with asyncio.timeout(longest.total_seconds()):
                await looking
        except TimeoutError:
            return "The platform did not answer in time."
        except TemporaryFailure as problem:
            return str(problem)
        except LeaseLost:
            raise  # Whoever is in charge by now looks for itself.
        except Exception as problem:  # noqa: BLE001 - as good as no answer (I20)
            self._footing.log.error("look not usable", why=repr(problem)[:200])
            return "The platform's answer could not be used."
        return ""

    async def _read_roster(
        self, held: Held, instance: Instance, platform: Platform
    ) -> None:
        try:
            read = await platform.read_roster(instance.ref)
        except PermanentFailure as problem:
            await self._no_roster(held, instance, platform, problem)
            return
        except TemporaryFailure as problem:
            # The list of a meeting that is over answers nothing: is it over? (P04)
            status = await self._status(platform, instance.ref)
            if not status.started or is_another(held.session, status, instance):
                await self._seen.keep_status(held, instance, status)
                return
            if held.session.hands.live_roster is None and instance.failing_since:
                # It runs, and the list never worked: an account without one.
                await self._without_roster(held, instance, status, str(problem))
                return
            raise
        if read.offset is not None:
            self.measured(platform.name, read.offset)
        if not read.entries and read.complete:
            # An empty list is what a meeting that is over looks like: ask (P04).
            await self._read_status(held, instance, platform)
        await self._seen.keep_roster(held, instance, read)

    def _may_list_again(self, held: Held, name: str) -> bool:
        now = self._footing.clock.now()
        last = held.listed_at.setdefault(name, now)
        if now - last < LIST_AGAIN:
            return False
        held.listed_at[name] = now
        return True

    async def _try_the_list(
        self, held: Held, instance: Instance, platform: Platform
    ) -> None:
        """Webhooks only so far: does the list work by now? Else the status has to do."""
        try:
            read = await platform.read_roster(instance.ref)
        except (PermanentFailure, TemporaryFailure):
            await self._read_status(held, instance, platform)
            return
        if not read.entries:
            await self._read_status(held, instance, platform)
            return
        hands = replace(held.session.hands, live_roster=True)
        fact = HandsProbed(at=self._footing.clock.now(), hands=hands)
        await self._seen.record(held, [fact])
        await self._seen.keep_roster(held, instance, read)

    async def _no_roster(
        self,
        held: Held,
        instance: Instance,
        platform: Platform,
        problem: PermanentFailure,
    ) -> None:
        session = held.session
        status = await self._status(platform, instance.ref)
        if not status.started or is_another(session, status, instance):
            await self._seen.keep_status(held, instance, status)
            return
        if session.hands.live_roster is None:
            await self._without_roster(held, instance, status, str(problem))
            return
        # It could list the room before, so this is a loss of sight, not a small plan.
        raise TemporaryFailure(str(problem))

    async def _without_roster(
        self, held: Held, instance: Instance, status: PlatformStatus, why: str
    ) -> None:
        """From now on "webhooks only", with the meeting's status as heartbeat."""
        session = held.session
        held.listed_at[instance.ref.instance] = self._footing.clock.now()
        hands = replace(
            session.hands, live_roster=False, problems=(*session.hands.problems, why)
        )
        fact = HandsProbed(at=self._footing.clock.now(), hands=hands)
        await self._seen.record(held, [fact])
        await self._seen.keep_status(held, instance, status)

    async def _read_status(
        self, held: Held, instance: Instance, platform: Platform
    ) -> None:
        status = await self._status(platform, instance.ref)
        await self._seen.keep_status(held, instance, status)

    async def _status(self, platform: Platform, ref: MeetingRef) -> PlatformStatus:
        try:
            status = await platform.read_status(ref)
        except PermanentFailure as problem:
            raise TemporaryFailure(str(problem)) from problem
        if status.offset is not None:
            self.measured(platform.name, status.offset)
        return status
