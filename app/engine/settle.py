"""Bring a session to rest: fold, decide, and store what follows, until nothing follows.

Fold first, decide last. The fold and the decision happen outside the transaction; the
transaction checks that the log has not moved on, or everything starts again. When news
comes faster than that, a copy of the state is brought up to date and decided on inside
the transaction, where nothing can come in between.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from app.core.actions import (
    AlertStaff,
    Level,
)
from app.core.decide import Decision, decide
from app.core.presses import ActionState
from app.core.session import GroupSession
from app.engine.change import Change, Follow
from app.engine.footing import Footing
from app.engine.moved import alarm_of
from app.engine.sessions import Held, Sessions
from app.engine.spool import FAILING, Spool, StoreFails
from app.engine.writing import Writing, move, want

ROUNDS = 20
MISSES = 3  # news that came in between; then it is decided inside the transaction


class LogMovedOn(Exception):
    """New facts came in between; decide again."""


class Settle:
    """Fold -> decide -> want, for one session at a time."""

    def __init__(
        self, footing: Footing, sessions: Sessions, spool: Spool | None = None
    ) -> None:
        self._footing = footing
        self._sessions = sessions
        self._follow = Follow(footing, sessions)
        self._spool = spool or Spool(footing, sessions)
        self._new_alarms = False
        self.on_unstored_alarm: Callable[[GroupSession, AlertStaff], None] = (
            lambda _session, _alert: None
        )

    def took_alarms(self) -> bool:
        """Whether an alarm was stored since this was last asked."""
        found, self._new_alarms = self._new_alarms, False
        return found

    async def settle(self, held: Held) -> Decision:
        """Go on until a decision adds nothing. The caller holds ``held.lock``.

        What the store refuses takes effect in memory and is written later (I20).
        """
        await self._spool.pay(held.session.session_id)
        misses, held.unsettled = 0, False
        for _ in range(ROUNDS):
            await self._spool.newest(held)
            now = self._footing.clock.now()
            decision, change = self._decide(held, now)
            if not change:
                return decision
            try:
                if misses < MISSES:
                    await self._store(held, change, now)
                else:
                    decision, change = await self._store_inside(held)
                    if not change:
                        return decision
            except LogMovedOn:
                misses += 1
            except FAILING:
                await self._go_on_without(held, change, now)
        held.unsettled = bool(misses)  # It is the news that does not end.
        if not misses:
            session_id = held.session.session_id
            self._footing.log.error("a session does not settle", session=session_id)
        return decision

    def _decide(self, held: Held, now: datetime) -> tuple[Decision, Change]:
        decision = decide(held.session, now, self._footing.rules)
        for name, problem in decision.broken.items():
            self._footing.log.error("rule broken", rule=name, problem=problem)
        return decision, self._follow.follow(held, decision, now)

    async def _store(self, held: Held, change: Change, now: datetime) -> None:
        writing = self._writing(held, change, now)

        def work(db: Connection) -> None:
            if self._sessions.moved_on(db, held):
                raise LogMovedOn
            writing.write(db, self._footing.store)

        await self._write(held, work)
        self._footing.store.recent.keep_all(writing.refs, change.facts)
        self._remember(held, change)

    async def _store_inside(self, held: Held) -> tuple[Decision, Change]:
        """Catch up, decide and store in one transaction, on a copy of the state.

        The state itself is only touched in the event loop: it takes the same news from
        the log right afterwards.
        """
        twin = self._sessions.twin(held)

        def work(db: Connection) -> tuple[Decision, Change]:
            self._sessions.catch_up_in(db, twin)
            now = self._footing.clock.now()
            decision, change = self._decide(twin, now)
            self._writing(twin, change, now).write(db, self._footing.store)
            return decision, change

        decided: tuple[Decision, Change] = await self._write(held, work)
        held.stale_actions = held.stale_actions or twin.stale_actions
        self._remember(held, decided[1])
        return decided

    async def _write(self, held: Held, work: Callable[[Connection], Any]) -> Any:
        if not await self._spool.pay(held.session.session_id):
            raise StoreFails("Earlier changes of this session are not written yet.")
        return await self._spool.write(work, held)

    def _writing(self, held: Held, change: Change, now: datetime) -> Writing:
        """The change as data that may be written more than once."""
        session = held.session
        session_id = session.session_id
        steps = [want(one, session_id, now) for one, _ in change.new]
        steps += [move(one.id, values) for one, values in change.moves]
        for action, mode, state in change.revived:
            given = {"session_id": session_id, "key": action.key, "mode": str(mode)}
            steps.append(("revive", {**given, "at": now, "state": str(state)}))
        new_id = self._footing.new_id
        steps += [
            ("alarm", alarm_of(new_id(), session, alert, now))
            for alert in change.alarms
        ]
        if change.deadline is not None:
            at, why = change.deadline
            steps.append(("deadline", {"session_id": session_id, "at": at, "why": why}))
        return Writing(
            session_id=session_id,
            entries=self._spool.entries(change.facts, session_id),
            steps=tuple(steps),
        )

    async def _go_on_without(self, held: Held, change: Change, now: datetime) -> None:
        writing = self._writing(held, change, now)
        self._remember(held, change)
        for alert in change.alarms:
            if alert.level is Level.RED:
                self.on_unstored_alarm(held.session, alert)
        await self._spool.keep(held, writing, change.facts)

    def _remember(self, held: Held, change: Change) -> None:
        self._new_alarms = self._new_alarms or bool(change.alarms)
        for one, state in change.new:
            if state in (ActionState.WANTED, ActionState.SENT):
                held.actions[one.action.key] = one
        for one, values in change.moves:
            held.actions.pop(one.action.key, None)
            one.state = values["state"]
        if change.deadline is not None:
            held.deadline = change.deadline[0]
        if change.revived:
            # Their rows carry ids we no longer hold: read them again.
            self._sessions.forget_actions(held)
