"""Bring a session to rest: fold, decide, and store what follows, until nothing follows.

Fold first, decide last. The fold and the decision happen outside the transaction; the
transaction checks that the log has not moved on, or everything starts again. When news
comes faster than that, a copy of the state is brought up to date and decided on inside
the transaction, where nothing can come in between.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from app.core import confirm, sight
from app.core.actions import (
    Action,
    AlertStaff,
    AskWorker,
    Audience,
    ChangeLink,
    ConnectionAction,
    EndCause,
    EndMeeting,
    Level,
    MeetingAction,
    PostGroundRules,
    StartFollowUp,
)
from app.core.decide import Decision, decide
from app.core.fold import Fact
from app.core.policy import Mode
from app.core.presses import ActionMoved, ActionState
from app.core.rooms import stays_of, who_is_who
from app.core.session import GroupSession
from app.engine.footing import Footing
from app.engine.sessions import Held, OpenAction, Sessions
from app.engine.spool import FAILING, Spool, StoreFails
from app.engine.writing import Writing, move, want
from app.store import log, queue

ROUNDS = 20
MISSES = 3  # news that came in between; then it is decided inside the transaction
AT_ONCE = (AlertStaff, AskWorker, StartFollowUp)


class LogMovedOn(Exception):
    """New facts came in between; decide again."""


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


def moved(
    action: Action,
    state: ActionState,
    now: datetime,
    **more: Any,
) -> ActionMoved:
    """The fact that an action changed its state."""
    connection = person = ""
    if isinstance(action, (ConnectionAction, AskWorker, AlertStaff)):
        connection, person = action.connection, action.person_id
    elif isinstance(action, (StartFollowUp, ChangeLink)):
        person = action.person_id
    return ActionMoved(
        at=now,
        by=action.by,
        key=action.key,
        kind=action.kind,
        state=state,
        connection=connection,
        person_id=person,
        meeting=action.meeting if isinstance(action, MeetingAction) else None,
        cause=_cause(action),
        reason=action.reason,
        details=_details(action),
        **more,
    )


def _only_watched(session: GroupSession, action: Action) -> bool:
    """A recurring or personal meeting, adopted by named exception (DESIGN §5, line 16)."""
    if not isinstance(action, MeetingAction) or isinstance(action, AskWorker):
        return False
    bound = session.binding_of(action.meeting)
    return bound is not None and bound.watch_only


def _cause(action: Action) -> str:
    if isinstance(action, EndMeeting):
        return str(action.cause)
    if isinstance(action, AlertStaff):
        return action.level.name.lower()
    if isinstance(action, AskWorker):
        return action.press
    return action.what if isinstance(action, StartFollowUp) else ""


def _details(action: Action) -> tuple[str, ...]:
    if isinstance(action, PostGroundRules):
        return action.connections
    if isinstance(action, StartFollowUp):
        return (action.due_at.isoformat(),)
    if isinstance(action, AlertStaff) and action.what_to_do:
        return (action.what_to_do,)
    return ()


class Settle:
    """Fold -> decide -> want, for one session at a time."""

    def __init__(
        self, footing: Footing, sessions: Sessions, spool: Spool | None = None
    ) -> None:
        self._footing = footing
        self._sessions = sessions
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
        return decision, self.follow(held, decision, now)

    def follow(self, held: Held, decision: Decision, now: datetime) -> Change:
        """What the store still lacks of this decision."""
        change = Change()
        session = held.session
        change.facts.extend(self._sight(session, now))
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
                race=self._raced(session, action),
            )
            return
        if one.was_heard:
            return  # Sent, and nothing in the room can prove or undo it.
        if action.not_after is not None and now >= action.not_after:
            self._close(one, ActionState.EXPIRED, now, change)
            return
        if wanted is not None or lost or action.key in held.busy:
            return  # A rule that breaks takes nothing back.
        if isinstance(action, AlertStaff) and action.level is Level.RED:
            return  # It goes on until a named person takes it (I9).
        if isinstance(action, StartFollowUp) and one.state == ActionState.SENT:
            self._close(
                one, ActionState.CONFIRMED, now, change, proof="No longer needed."
            )
            return
        flight = session.policy.call_deadline + session.policy.verify_after
        if (
            isinstance(action, EndMeeting)
            and one.sent_at is not None
            and now < one.sent_at + flight
        ):
            return  # It may still take effect: then it has to be called a race (I8).
        self._close(one, ActionState.WITHDRAWN, now, change)

    def _proof(self, session: GroupSession, one: OpenAction) -> str:
        if one.sent_at is None:
            return ""
        try:
            return confirm.proof(session, one.action, one.sent_at)
        except Exception as problem:  # noqa: BLE001 - not proved, so it goes on
            self._footing.log.error("proof not known", why=repr(problem)[:200])
            return ""

    @staticmethod
    def _raced(session: GroupSession, action: Action) -> bool:
        """Whether a worker had just come back when the clear took effect (I8)."""
        if not isinstance(action, EndMeeting) or action.cause is not (
            EndCause.NEVER_ALONE
        ):
            return False
        instance = session.instances.get(action.meeting)
        if instance is None or instance.ended_at is None:
            return False
        known = who_is_who(session, instance)
        before = instance.ended_at - session.policy.call_deadline
        return any(
            stay.start is not None and before <= stay.start <= instance.ended_at
            for _, stay in stays_of(instance, known, workers=True)
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

    async def _store(self, held: Held, change: Change, now: datetime) -> None:
        writing = self._writing(held, change, now)

        def work(db: Connection) -> None:
            session = held.session
            if log.position(db, session.session_id, held.bound) > session.position:
                raise LogMovedOn
            writing.write(db, self._footing.store)

        await self._write(held, work)
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
        return await self._spool.write(work)

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


def alarm_of(
    alarm_id: str, session: GroupSession, alert: AlertStaff, at: datetime
) -> dict[str, Any]:
    """What to store of an alarm; it leaves the page when it is red or calls the standby."""
    persons: list[str] = []
    if alert.audience is Audience.STANDBY and session.plan is not None:
        persons = [worker.person_id for worker in session.plan.workers]
    return {
        "alarm_id": alarm_id,
        "session_id": session.session_id,
        "key": f"{session.session_id}:{alert.key}",
        "level": alert.level.name.lower(),
        "audience": str(alert.audience),
        "text": alert.reason,
        "what_to_do": alert.what_to_do,
        "at": at,
        "send": alert.level is Level.RED or alert.audience is Audience.OPERATOR,
        "persons": persons,
    }
