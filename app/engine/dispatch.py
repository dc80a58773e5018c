"""Carry wanted actions out: choose hands, re-check, mark, send, look, and try again.

"Sent" is committed before the request leaves, so a crash in between repeats the act and
never loses it; acts are harmless when repeated. An act is done when the room shows it.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from app.core.actions import (
    MeetingAction,
    ReadRoom,
)
from app.core.presses import ActionState
from app.engine.footing import Footing
from app.engine.marking import Marking
from app.engine.outcomes import Outcomes, is_said
from app.engine.routes import Routes, back_off
from app.engine.sessions import Held, OpenAction, Sessions
from app.engine.spool import Spool
from app.engine.watch import Watch
from app.store.leases import LeaseLost
from integrations.base import PermanentFailure, Platform, TemporaryFailure

AGAIN = timedelta(seconds=1)
DECISION_HOLDS = timedelta(seconds=10)
"""Between deciding and the request; after that it is decided again."""


class Dispatch:
    """Sends one action at a time per key; many keys at once."""

    def __init__(
        self,
        footing: Footing,
        sessions: Sessions,
        watch: Watch,
        wake: Callable[[str], None],
        spool: Spool,
    ) -> None:
        self._footing = footing
        self._watch = watch
        self._routes = Routes(footing)
        self._marking = Marking(footing, sessions, spool)
        self.outcomes = Outcomes(footing, spool, self._routes)
        self._wake = wake
        self.on_lease_lost: Callable[[LeaseLost], None] = lambda _lost: None

    def due(self, held: Held, now: datetime) -> list[str]:
        """Keys of actions to work on now, sternest first."""
        ready = [
            one
            for key, one in held.actions.items()
            if one.next_at is not None and one.next_at <= now and key not in held.busy
        ]
        ready.sort(key=lambda one: -one.action.rank)
        return [one.action.key for one in ready]

    async def dispatch(self, held: Held, key: str) -> None:
        """Work on one action that the caller marked busy. Always wakes the session."""
        one = held.actions.get(key)
        try:
            if one is not None:
                self._demand(held, one)
                await self._work(held, one)
        except LeaseLost as lost:
            self._footing.log.warning("action left to another process", key=key)
            self.on_lease_lost(lost)
            if one is not None:
                self._later(one)
        except Exception as problem:  # noqa: BLE001 - told, and tried again later
            self._footing.log.error("action failed", key=key, why=repr(problem)[:200])
            if one is not None and one.next_at is not None:
                now = self._footing.clock.now()
                one.next_at = now + back_off(one, None, held.session.policy)
        finally:
            held.busy.discard(key)
            self._wake(held.session.session_id)

    def _demand(self, held: Held, one: OpenAction) -> None:
        """Raises LeaseLost where another process may be in charge by now (I18)."""
        session_id = held.session.session_id
        self._footing.leases.demand(session_id, held.fence, words=is_said(one))

    async def _work(self, held: Held, one: OpenAction) -> None:
        session, action = held.session, one.action
        platform = self._routes.platform(session)
        if isinstance(action, ReadRoom):
            await self._watch.look(held, action.meeting.instance)
            await self.outcomes.finish(held, one, "The room was read.")
            return
        if one.route == "person" and one.state == ActionState.SENT:
            await self.outcomes.nobody_pressed(held, one)
            return
        route = self._routes.choose(session, one, platform)
        if action.harmful and route == "api" and isinstance(action, MeetingAction):
            limit = session.policy.call_deadline
            await self._watch.look(held, action.meeting.instance, limit)
        if not await self._marking.mark(held, one, route):
            self._later(one)
            return
        if route == "person" or platform is None:
            return
        await self._send(held, one, platform)

    def _later(self, one: OpenAction) -> None:
        """Not sent now: look again in a second, in case it stays open (in memory only)."""
        now = self._footing.clock.now()
        if one.next_at is not None and one.next_at <= now:
            one.next_at = now + AGAIN

    async def _send(self, held: Held, one: OpenAction, platform: Platform) -> None:
        policy = held.session.policy
        age = self._footing.clock.monotonic() - one.decided_at
        if age > DECISION_HOLDS.total_seconds():
            # Writing it down took too long: who is there now? (DESIGN §5, line 4)
            await self.outcomes.again(
                held, one, "The decision was too old to act on.", None
            )
            return
        limit = policy.call_deadline.total_seconds() + 1.0
        self._demand(held, one)
        try:
            async with asyncio.timeout(limit):
                answer = await platform.perform(one.action)
        except TimeoutError:
            await self.outcomes.again(
                held, one, "The platform did not answer in time.", None
            )
        except TemporaryFailure as problem:
            await self.outcomes.again(held, one, str(problem), problem.retry_after)
        except PermanentFailure as problem:
            await self.outcomes.other_hand(held, one, platform, problem)
        except Exception as problem:  # noqa: BLE001 - as good as no answer
            self._footing.log.error("act not usable", why=repr(problem)[:200])
            await self.outcomes.again(
                held, one, "The platform's answer was no use.", None
            )
        else:
            await self.outcomes.heard(held, one, answer)
