"""What a decision changes: what the store lacks of it, and what is over by now.

Everything here looks at levels. An action that is wanted and not known is new; one that is
known is looked at again: proved, expired, withdrawn, or still to be done.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.core import confirm, sight
from app.core.actions import (
    Action,
    AlertStaff,
    AskWorker,
    EndCause,
    EndMeeting,
    Level,
    MeetingAction,
    StartFollowUp,
)
from app.core.decide import Decision
from app.core.fold import Fact
from app.core.policy import Mode
from app.core.presses import ActionMoved, ActionState
from app.core.race import met_a_worker
from app.core.session import GroupSession
from app.engine.footing import Footing
from app.engine.moved import moved
from app.engine.sessions import Held, OpenAction, Sessions
from app.store import queue

AT_ONCE = (AlertStaff, AskWorker, StartFollowUp)


@dataclass(slots=True)
class Change:
    """What one decision adds to the store."""

    facts: list[Fact] = field(default_factory=list)
    new: list[tuple[OpenAction, ActionState]] = field(default_factory=list)
    moves: list[tuple[OpenAction, dict[str, Any]]] = field(default_factory=list)
    alarms: list[AlertStaff] = field(default_factory=list)
    revived: list[tuple[Action, Mode, ActionState]] = field(default_factory=list)
    deadline: tuple[datetime | None, str] | None = None

    def __bool__(self) -> bool:
        return bool(
            self.facts or self.new or self.moves or self.revived or self.deadline
        )


class Follow:
    """Compares a decision with what is known of the session's actions."""

    def __init__(self, footing: Footing, sessions: Sessions) -> None:
        self._footing = footing
        self._sessions = sessions

    def follow(self, held: Held, decision: Decision, now: datetime) -> Change:
        """What the store still lacks of this decision."""
        change = Change()
        session = held.session
        change.facts.extend(self._sight(session, now))
        change.facts.extend(self._late_races(session, now))
        wanted = {action.key: action for action in decision.actions}
        for action in decision.actions:
            self._want(held, action, now, change)
        for key, one in held.actions.items():
            lost = one.action.rule in decision.broken
            self._review(held, one, wanted.get(key), now, change, lost=lost)
        self._set_deadline(held, decision, now, change)
        return change

    def _sight(self, session: GroupSession, now: datetime) -> Sequence[Fact]:
        try:
            return sight.changes(session, now)
        except Exception as problem:  # noqa: BLE001 - told; the guard goes on
            self._footing.log.error("sight not known", why=repr(problem)[:200])
            return ()

    def _want(self, held: Held, action: Action, now: datetime, change: Change) -> None:
        session = held.session
        known = session.actions.get(action.key)
        mode = self._mode(session, action)
        state = ActionState.WANTED
        if mode is Mode.WATCH:
            state = ActionState.REFUSED
        elif isinstance(action, AT_ONCE):
            state = ActionState.SENT
        if known is not None:
            # Sent or not: what is wanted again has not been done for good (I1).
            if known.state is ActionState.WITHDRAWN and mode is not Mode.WATCH:
                change.revived.append((action, mode, state))
                change.facts.append(moved(action, state, now))
            elif str(known.state) in queue.OPEN and action.key not in held.actions:
                self._sessions.forget_actions(held)  # its row is to be read again
            return
        one = OpenAction(
            id=self._footing.new_id(),
            action=action,
            mode=str(mode),
            state=str(state),
            route="person" if state is ActionState.SENT else "",
            tries=0,
            next_at=now if state is ActionState.WANTED else None,
            sent_at=now if state is ActionState.SENT else None,
        )
        change.new.append((one, state))
        problem = "The policy says: write down only." if mode is Mode.WATCH else ""
        change.facts.append(moved(action, state, now, route=one.route, problem=problem))
        if isinstance(action, AlertStaff) and state is ActionState.SENT:
            change.alarms.append(action)

    @staticmethod
    def _mode(session: GroupSession, action: Action) -> Mode:
        if isinstance(action, EndMeeting) and action.cause is EndCause.NEVER_ALONE:
            return Mode.ACT  # E1 has times, but no off switch.
        if action.by:
            return Mode.ACT
        if _only_watched(session, action):
            return Mode.ASK if action.harmful else Mode.WATCH
        return session.policy.mode(action.kind)

    def _review(
        self,
        held: Held,
        one: OpenAction,
        wanted: Action | None,
        now: datetime,
        change: Change,
        *,
        lost: bool,
    ) -> None:
        session, action = held.session, one.action
        proof = self._proof(session, one)
        if isinstance(action, StartFollowUp) and action.key in session.followed_up:
            proof = "A named person says it is done."
        if proof:
            self._close(
                one,
                ActionState.CONFIRMED,
                now,
                change,
                proof=proof,
                race=isinstance(action, EndMeeting)
                and action.cause is EndCause.NEVER_ALONE
                and met_a_worker(session, action.meeting, one.sent_at),
            )
            return
        if one.was_heard:
            return  # Sent, and nothing in the room can prove or undo it.
        if action.not_after is not None and now >= action.not_after:
            self._close(one, ActionState.EXPIRED, now, change)
            return
        if wanted is not None or lost or action.key in held.busy:
            return  # A rule that breaks takes nothing back.
        if isinstance(action, StartFollowUp) and one.state == ActionState.SENT:
            self._close(
                one, ActionState.CONFIRMED, now, change, proof="No longer needed."
            )
        elif not self._goes_on(session, one, now):
            self._close(one, ActionState.WITHDRAWN, now, change)

    @staticmethod
    def _goes_on(session: GroupSession, one: OpenAction, now: datetime) -> bool:
        """Whether it may not be taken back, though nothing wants it any more."""
        action = one.action
        if isinstance(action, AlertStaff) and action.level is Level.RED:
            return True  # Until a named person takes it (I9).
        if not isinstance(action, EndMeeting) or one.sent_at is None:
            return False
        # It may still take effect: then it has to be called a race (I8).
        flight = session.policy.call_deadline + session.policy.verify_after
        sent_at = one.last_sent_at or one.sent_at
        if now < sent_at + flight:
            return True
        # Nor before a look: it may have taken effect while we were down (I6).
        instance = session.instances.get(action.meeting)
        looks = () if instance is None else (instance.proof_at, instance.checked_at)
        return instance is not None and not any(
            at is not None and at >= sent_at for at in looks
        )

    def _proof(self, session: GroupSession, one: OpenAction) -> str:
        if one.sent_at is None:
            return ""
        try:
            return confirm.proof(session, one.action, one.sent_at)
        except Exception as problem:  # noqa: BLE001 - not proved, so it goes on
            self._footing.log.error("proof not known", why=repr(problem)[:200])
            return ""

    def _late_races(self, session: GroupSession, now: datetime) -> Iterator[Fact]:
        """Clears of which it is heard only now that a worker had just come back (I8)."""
        for fact in session.actions.values():
            if fact.kind != EndMeeting.kind or fact.cause != EndCause.NEVER_ALONE:
                continue
            if fact.state is not ActionState.CONFIRMED or fact.race:
                continue
            if fact.meeting is not None and met_a_worker(
                session, fact.meeting, fact.sent_at
            ):
                yield ActionMoved(
                    at=now,
                    key=fact.key,
                    kind=fact.kind,
                    state=ActionState.CONFIRMED,
                    meeting=fact.meeting,
                    route=fact.route,
                    proof=fact.proof,
                    race=True,
                    tries=fact.tries,
                )

    @staticmethod
    def _close(
        one: OpenAction,
        state: ActionState,
        now: datetime,
        change: Change,
        **more: Any,
    ) -> None:
        values: dict[str, Any] = {"state": str(state), "next_at": None}
        if state is ActionState.CONFIRMED:
            values |= {"confirmed_at": now, "proof": more.get("proof", "")}
        change.moves.append((one, values))
        change.facts.append(moved(one.action, state, now, route=one.route, **more))

    @staticmethod
    def _set_deadline(
        held: Held, decision: Decision, now: datetime, change: Change
    ) -> None:
        # An earlier deadline than needed only wakes once for nothing; a later one than
        # needed would be a missed grace. So only the stricter one is written.
        stored, wish = held.deadline, decision.wake_at
        if wish is None:
            if stored is not None and stored <= now:
                change.deadline = (None, "")
        elif stored is None or wish < stored or stored <= now:
            change.deadline = (wish, decision.wake_why)


def _only_watched(session: GroupSession, action: Action) -> bool:
    """A recurring or personal meeting, adopted by named exception (DESIGN §5, line 16)."""
    if not isinstance(action, MeetingAction) or isinstance(action, AskWorker):
        return False
    bound = session.binding_of(action.meeting)
    return bound is not None and bound.watch_only
