"""What became of an action that was sent: heard, to be tried again, refused, done."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from app.core.actions import ChangeLink, EndMeeting, Expect
from app.core.confirm import expectation
from app.core.fold import Fact
from app.core.presses import ActionState, LinkChanged, LinkState
from app.core.session import GroupSession
from app.engine.footing import Footing
from app.engine.moved import moved
from app.engine.routes import Routes, back_off, tries_before_next_hand
from app.engine.sessions import Held, OpenAction
from app.engine.spool import Spool
from app.engine.writing import Writing, move
from app.store import queue
from integrations.base import PermanentFailure, Platform


class Outcomes:
    """Writes down how sending went, and when to look at the action again."""

    def __init__(self, footing: Footing, spool: Spool, routes: Routes) -> None:
        self._footing = footing
        self._spool = spool
        self._routes = routes
        self.on_link_cancelled: Callable[[str], None] = lambda _session_id: None

    async def heard(self, held: Held, one: OpenAction, answer: str) -> None:
        action, now = one.action, self._footing.clock.now()
        if isinstance(action, ChangeLink):
            changed = LinkChanged(
                at=now,
                registrant_id=action.registrant_id,
                state=LinkState(action.state),
            )
            await self.finish(held, one, answer, [changed])
            if action.key.startswith("entry.cancel_link:"):
                self.on_link_cancelled(held.session.session_id)
            return
        one.next_at = now + held.session.policy.verify_after
        if is_said(one):
            # Said once. No look at the room can show that it was read: it stays "sent".
            one.next_at = None
        await self._save(held, one, "", {"next_at": one.next_at, "problem": ""})

    async def again(
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

    async def other_hand(
        self,
        held: Held,
        one: OpenAction,
        platform: Platform,
        problem: PermanentFailure,
    ) -> None:
        """This pair of hands will not do: take the next one at once, a person at last."""
        said = f"{problem} {problem.fix}".strip()
        if isinstance(one.action, EndMeeting):
            await self.again(held, one, said, None)
            return
        one.tries = tries_before_next_hand(one.action)
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
        writing = written(self._spool, held.session, one, values, facts)
        await self._spool.write_or_keep(held, writing, facts)

    async def finish(
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

    async def nobody_pressed(self, held: Held, one: OpenAction) -> None:
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


def is_said(one: OpenAction) -> bool:
    """Whether it is words, which no look at the room can show to have been read."""
    return expectation(one.action) in (Expect.TICK, Expect.ANSWER)


def written(
    spool: Spool,
    session: GroupSession,
    one: OpenAction,
    values: dict[str, Any],
    facts: list[Fact],
) -> Writing:
    """The move of one action's row, and its facts, as data."""
    session_id = session.session_id
    steps = [move(one.id, values)]
    for fact in facts:
        if isinstance(fact, LinkChanged):
            link = {"session_id": session_id, "state": str(fact.state)}
            steps.append(("link", {**link, "registrant_ids": [fact.registrant_id]}))
    return Writing(
        session_id=session_id,
        entries=spool.entries(facts, session_id),
        steps=tuple(steps),
        if_moved=True,
    )
