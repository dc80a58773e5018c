"""Carry wanted actions out: choose hands, re-check, mark, send, look, and try again.

"Sent" is committed before the request leaves, so a crash in between repeats the act and
never loses it; acts are harmless when repeated. An act is done when the room shows it.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from app.core.actions import (
    Action,
    ChangeLink,
    EndMeeting,
    Expect,
    MeetingAction,
    ReadRoom,
)
from app.core.confirm import expectation
from app.core.decide import decide
from app.core.fold import Fact
from app.core.presses import ActionState, LinkChanged, LinkState
from app.core.session import GroupSession
from app.engine.footing import Footing
from app.engine.moved import moved
from app.engine.routes import TRIES_BEFORE_NEXT_HAND, Routes, back_off
from app.engine.sessions import Held, OpenAction, Sessions
from app.engine.settle import MISSES
from app.engine.spool import FAILING, Spool
from app.engine.watch import Watch
from app.engine.writing import Writing, move
from app.store import log, queue
from app.store.leases import LeaseLost
from integrations.base import PermanentFailure, Platform, TemporaryFailure

PERSON_HAS = timedelta(seconds=60)
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
        self._sessions = sessions
        self._spool = spool
        self._watch = watch
        self._routes = Routes(footing)
        self._wake = wake
        self.on_link_cancelled: Callable[[str], None] = lambda _session_id: None
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
        self._footing.leases.demand(session_id, held.fence, words=_is_said(one))

    async def _work(self, held: Held, one: OpenAction) -> None:
        session, action = held.session, one.action
        platform = self._routes.platform(session)
        if isinstance(action, ReadRoom):
            await self._watch.look(held, action.meeting.instance)
            await self._finish(held, one, "The room was read.")
            return
        if one.route == "person" and one.state == ActionState.SENT:
            await self._nobody_pressed(held, one)
            return
        route = self._routes.choose(session, one, platform)
        if action.harmful and route == "api" and isinstance(action, MeetingAction):
            limit = session.policy.call_deadline
            await self._watch.look(held, action.meeting.instance, limit)
        if not await self._mark(held, one, route):
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

    async def _mark(self, held: Held, one: OpenAction, route: str) -> bool:
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
        if not await self._write(held, one, values, facts, inside=inside):
            held.actions.pop(one.action.key, None)  # Its row was closed meanwhile.
            return False
        one.state, one.route, one.tries = str(ActionState.SENT), route, tries
        one.next_at, one.sent_at = next_at, one.sent_at or now
        return True

    async def _write(
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
        writing = self._writing(session, one, values, facts)

        def work(db: Connection) -> bool:
            if twin is not None:
                self._sessions.catch_up_in(db, twin)
                if self._still_wanted(twin, one, self._footing.clock.now()) is None:
                    raise _NotWanted
            elif log.position(db, session.session_id, held.bound) > session.position:
                raise _Moved
            return writing.write(db, self._footing.store)

        if await self._spool.pay(session.session_id):
            try:
                done: bool = await self._spool.write(work, held)
            except FAILING:
                pass  # told already; kept below
            else:
                return done
        # It must not fail to protect because it cannot write (I20).
        self._footing.log.error("acting without a record", action=one.id)
        await self._spool.keep(held, writing, facts)
        return True

    def _writing(
        self,
        session: GroupSession,
        one: OpenAction,
        values: dict[str, Any],
        facts: list[Fact],
    ) -> Writing:
        session_id = session.session_id
        steps = [move(one.id, values)]
        for fact in facts:
            if isinstance(fact, LinkChanged):
                link = {"session_id": session_id, "state": str(fact.state)}
                steps.append(("link", {**link, "registrant_ids": [fact.registrant_id]}))
        return Writing(
            session_id=session_id,
            entries=self._spool.entries(facts, session_id),
            steps=tuple(steps),
            if_moved=True,
        )

    # --- sending ------------------------------------------------------------------

    async def _send(self, held: Held, one: OpenAction, platform: Platform) -> None:
        policy = held.session.policy
        age = self._footing.clock.monotonic() - one.decided_at
        if age > DECISION_HOLDS.total_seconds():
            # Writing it down took too long: who is there now? (DESIGN §5, line 4)
            await self._again(held, one, "The decision was too old to act on.", None)
            return
        limit = policy.call_deadline.total_seconds() + 1.0
        self._demand(held, one)
        try:
            async with asyncio.timeout(limit):
                answer = await platform.perform(one.action)
        except TimeoutError:
            await self._again(held, one, "The platform did not answer in time.", None)
        except TemporaryFailure as problem:
            await self._again(held, one, str(problem), problem.retry_after)
        except PermanentFailure as problem:
            await self._other_hand(held, one, platform, problem)
        except Exception as problem:  # noqa: BLE001 - as good as no answer
            self._footing.log.error("act not usable", why=repr(problem)[:200])
            await self._again(held, one, "The platform's answer was no use.", None)
        else:
            await self._heard(held, one, answer)

    async def _heard(self, held: Held, one: OpenAction, answer: str) -> None:
        action, now = one.action, self._footing.clock.now()
        if isinstance(action, ChangeLink):
            changed = LinkChanged(
                at=now,
                registrant_id=action.registrant_id,
                state=LinkState(action.state),
            )
            await self._finish(held, one, answer, [changed])
            if action.key.startswith("entry.cancel_link:"):
                self.on_link_cancelled(held.session.session_id)
            return
        one.next_at = now + held.session.policy.verify_after
        if _is_said(one):
            # Said once. No look at the room can show that it was read: it stays "sent".
            one.next_at = None
        await self._save(held, one, "", {"next_at": one.next_at, "problem": ""})

    async def _again(
        self,
        held: Held,
        one: OpenAction,
        problem: str,
        asked: timedelta | None,
    ) -> None:
        now = self._footing.clock.now()
        one.next_at = now + back_off(one, asked, held.session.policy)
        values = {"next_at": one.next_at, "problem": problem[:500]}
        await self._save(held, one, problem, values)

    async def _other_hand(
        self,
        held: Held,
        one: OpenAction,
        platform: Platform,
        problem: PermanentFailure,
    ) -> None:
        """This pair of hands will not do: take the next one at once, a person at last."""
        said = f"{problem} {problem.fix}".strip()
        if isinstance(one.action, EndMeeting):
            await self._again(held, one, said, None)
            return
        one.tries = TRIES_BEFORE_NEXT_HAND
        one.next_at = self._footing.clock.now()
        values = {"next_at": one.next_at, "problem": said[:500], "tries": one.tries}
        routes = self._routes.all(held.session, one, platform)
        if routes == (one.route,):
            values |= {"state": str(ActionState.REFUSED), "next_at": None}
            one.state, one.next_at = str(ActionState.REFUSED), None
        await self._save(held, one, said, values)

    async def _save(
        self, held: Held, one: OpenAction, problem: str, values: dict[str, Any]
    ) -> None:
        """Write how sending went; a change of the problem becomes a fact of the log."""
        now = self._footing.clock.now()
        facts: list[Fact] = []
        if problem != one.problem or one.state != ActionState.SENT:
            facts.append(
                moved(
                    one.action,
                    ActionState(one.state),
                    now,
                    route=one.route,
                    tries=one.tries,
                    problem=problem[:500],
                )
            )
        one.problem = problem
        if one.state not in queue.OPEN:
            held.actions.pop(one.action.key, None)
        await self._append(held, one, values, facts)

    async def _append(
        self, held: Held, one: OpenAction, values: dict[str, Any], facts: list[Fact]
    ) -> None:
        writing = self._writing(held.session, one, values, facts)
        await self._spool.write_or_keep(held, writing, facts)

    async def _finish(
        self,
        held: Held,
        one: OpenAction,
        proof: str,
        more: list[Fact] | None = None,
    ) -> None:
        now = self._footing.clock.now()
        state = ActionState.CONFIRMED
        one.state, one.next_at = str(state), None
        held.actions.pop(one.action.key, None)
        values = {
            "state": str(state),
            "next_at": None,
            "confirmed_at": now,
            "proof": proof,
            "problem": "",
        }
        fact = moved(
            one.action, state, now, route=one.route, proof=proof, tries=one.tries
        )
        await self._append(held, one, values, [fact, *(more or [])])

    async def _nobody_pressed(self, held: Held, one: OpenAction) -> None:
        """A person was asked and the room does not show it: say so louder."""
        one.next_at = None
        one.state = str(ActionState.ESCALATED)
        values = {"state": one.state, "next_at": None}
        fact = moved(
            one.action,
            ActionState.ESCALATED,
            self._footing.clock.now(),
            route=one.route,
            problem="Nobody has done it yet.",
        )
        await self._append(held, one, values, [fact])


def _is_said(one: OpenAction) -> bool:
    return expectation(one.action) in (Expect.TICK, Expect.ANSWER)


class _Moved(Exception):
    """The log has new facts for this session."""


class _NotWanted(Exception):
    """And by those it is not to be done any more."""
