"""Decide once more and mark an action "sent", in one transaction."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from app.core.actions import Action
from app.core.decide import decide
from app.core.fold import Fact
from app.core.presses import ActionState
from app.engine.footing import Footing
from app.engine.moved import moved
from app.engine.outcomes import written
from app.engine.sessions import Held, OpenAction, Sessions
from app.engine.settle import MISSES
from app.engine.spool import FAILING, Spool

PERSON_HAS = timedelta(seconds=60)


class Marking:
    """ "Sent" is committed before the request leaves."""

    def __init__(self, footing: Footing, sessions: Sessions, spool: Spool) -> None:
        self._footing = footing
        self._sessions = sessions
        self._spool = spool

    async def mark(self, held: Held, one: OpenAction, route: str) -> bool:
        """Decide once more and mark "sent" in one transaction; False: do not send."""
        for missed in range(MISSES + 1):
            async with held.lock:
                await self._spool.newest(held)
                now = self._footing.clock.now()
                one.decided_at = self._footing.clock.monotonic()
                current = self._still_wanted(held, one, now)
                if current is None:
                    return False
                one.action = current
                try:
                    return await self._mark_in(
                        held, one, route, now, inside=missed == MISSES
                    )
                except _Moved:
                    continue
                except _NotWanted:
                    return False
        return False

    def _still_wanted(
        self, held: Held, one: OpenAction, now: datetime
    ) -> Action | None:
        """The action as the rules want it now; itself when its rule is broken."""
        if held.actions.get(one.action.key) is not one:
            return None
        if one.action.not_after is not None and now >= one.action.not_after:
            return None
        decision = decide(held.session, now, self._footing.rules)
        for action in decision.actions:
            if action.key == one.action.key:
                return action
        return one.action if one.action.rule in decision.broken else None

    async def _mark_in(
        self, held: Held, one: OpenAction, route: str, now: datetime, *, inside: bool
    ) -> bool:
        session = held.session
        first = one.sent_at is None or route != one.route
        tries = 1 if route != one.route else one.tries + 1
        check = session.policy.call_deadline + session.policy.verify_after
        next_at = now + (PERSON_HAS if route == "person" else check)
        values: dict[str, Any] = {
            "state": str(ActionState.SENT),
            "route": route,
            "tries": tries,
            "last_sent_at": now,
            "next_at": next_at,
        }
        if one.sent_at is None:
            values["sent_at"] = now
        facts: list[Fact] = []
        if first:
            facts.append(
                moved(one.action, ActionState.SENT, now, route=route, tries=tries)
            )
        if not await self.write(held, one, values, facts, inside=inside):
            held.actions.pop(one.action.key, None)  # Its row was closed meanwhile.
            return False
        one.state, one.route, one.tries = str(ActionState.SENT), route, tries
        one.next_at, one.sent_at = next_at, one.sent_at or now
        one.last_sent_at = now
        return True

    async def write(
        self,
        held: Held,
        one: OpenAction,
        values: dict[str, Any],
        facts: list[Fact],
        *,
        inside: bool,
    ) -> bool:
        """Write unless the log moved on; ``inside`` the transaction it is looked at then."""
        session = held.session
        twin = self._sessions.twin(held) if inside else None
        writing = written(self._spool, session, one, values, facts)

        def work(db: Connection) -> bool:
            if twin is not None:
                self._sessions.catch_up_in(db, twin)
                if self._still_wanted(twin, one, self._footing.clock.now()) is None:
                    raise _NotWanted
            elif self._sessions.moved_on(db, held):
                raise _Moved
            return writing.write(db, self._footing.store)

        if await self._spool.pay(session.session_id):
            try:
                done: bool = await self._spool.write(work, held)
            except FAILING:
                pass  # told already; kept below
            else:
                if done:
                    self._footing.store.recent.keep_all(writing.refs, facts)
                return done
        # It must not fail to protect because it cannot write (I20).
        self._footing.log.error("acting without a record", action=one.id)
        await self._spool.keep(held, writing, facts)
        return True


class _Moved(Exception):
    """The log has new facts for this session."""


class _NotWanted(Exception):
    """And by those it is not to be done any more."""
