"""The record's lines about presses and the bot's own doing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from app.core.actions import (
    AdmitParticipant,
    AlertStaff,
    HoldParticipant,
    ReadRoom,
    StartFollowUp,
)
from app.core.ladder import ladder_problem, removals, step_key, taken_back, target_of
from app.core.names import NO_NAME, plain
from app.core.presses import LadderPressed
from app.core.record_parts import (
    ActionEntry,
    AlarmEntry,
    FollowUpFact,
    HoldEntry,
    LadderEntry,
    Named,
)
from app.core.rules.follow_ups import AGREED, WELFARE, agreed_key, done_at
from app.core.rules.follow_ups import follow_ups as wanted_follow_ups
from app.core.session import ActionFact, GroupSession
from app.core.timeline_acts import level_of


@dataclass(frozen=True, slots=True)
class Names:
    """Turns ids into :class:`Named`, with the names this reader may see."""

    session: GroupSession
    names: Mapping[str, str]

    def person(self, person_id: str, otherwise: str = "") -> Named:
        """A person by id; ``otherwise`` is printed for nobody on the list."""
        if not person_id:
            return Named("", otherwise)
        return Named(person_id, plain(self.names.get(person_id, person_id)))

    def connection(self, key: str, person_id: str = "") -> Named:
        """Whoever that connection is; a typed name for those nobody knows."""
        if person_id:
            return self.person(person_id)
        target, found = target_of(self.session, key), self.session.find(key)
        if target is None or found is None:
            return Named("", NO_NAME)
        return self.person(target.person_id, otherwise=plain(found[1].name))


def ladder(session: GroupSession, called: Names) -> Iterator[LadderEntry]:
    """Every step pressed, in time order; a refused one with its problem."""
    presses = {press.press_id: press for press in reversed(session.ladder)}
    readmitted = {one.press.press_id: one.undone for one in removals(session)}
    for press in sorted(presses.values(), key=lambda p: (p.at, p.press_id)):
        fact = session.actions.get(step_key(press))
        back = readmitted.get(press.press_id) or taken_back(session, press)
        given = session.reasons.get(press.press_id)
        yield LadderEntry(
            press_id=press.press_id,
            step=press.step.value,
            at=press.at,
            by=called.person(press.by),
            person=called.connection(press.connection),
            rule=press.rule,
            rule_text=_rule_text(session, press),
            immediate=press.immediate,
            reason=press.reason or (given.reason if given is not None else ""),
            reason_at=press.at if press.reason else (given.at if given else None),
            sent_at=fact.sent_at if fact is not None else None,
            confirmed_at=fact.confirmed_at if fact is not None else None,
            route=fact.route if fact is not None else "",
            proof=fact.proof if fact is not None else "",
            problem=fact.problem
            if fact is not None
            else ladder_problem(session, press),
            undone_at=back.at if back is not None else None,
            undone_by=called.person(back.by) if back is not None else None,
        )


def _rule_text(session: GroupSession, press: LadderPressed) -> str:
    rules = session.plan.ground_rules.rules if session.plan is not None else ()
    return rules[press.rule - 1].text if 0 < press.rule <= len(rules) else ""


def holds(session: GroupSession, called: Names) -> Iterator[HoldEntry]:
    """Everybody taken to the waiting room or let in through Chaperone."""
    pressed = {
        **{f"admission.hold:{p.press_id}": p.by for p in session.holds},
        **{f"admission.admit:{p.press_id}": p.by for p in session.admits},
        **{f"admission.admit:{p.press_id}": p.by for p in session.readmitted},
    }
    for fact in _in_order(session):
        if fact.kind not in (HoldParticipant.kind, AdmitParticipant.kind):
            continue
        by = next((who for key, who in pressed.items() if fact.key.startswith(key)), "")
        yield HoldEntry(
            kind="hold" if fact.kind == HoldParticipant.kind else "admit",
            at=fact.wanted_at,
            by=called.person(by) if by else None,
            person=called.connection(fact.connection, fact.person_id),
            reason=fact.reason,
            sent_at=fact.sent_at,
            confirmed_at=fact.confirmed_at,
            proof=fact.proof,
        )


def alarms(session: GroupSession, called: Names) -> Iterator[AlarmEntry]:
    """Every alert, and who took it after how long (I9)."""
    for fact in _in_order(session):
        if fact.kind != AlertStaff.kind:
            continue
        at, by = session.acknowledged.get(fact.key, (None, ""))
        yield AlarmEntry(
            key=fact.key,
            level=level_of(fact).name.lower(),
            at=fact.wanted_at,
            reason=fact.reason,
            acknowledged_at=at,
            acknowledged_by=called.person(by) if by else None,
            waited=at - fact.wanted_at if at is not None else None,
        )


def follow_ups(session: GroupSession, called: Names) -> Iterator[FollowUpFact]:
    """Every task this session opened, done or not."""
    tasks = {task.key: task for task in wanted_follow_ups(session)}
    facts = {f.key: f for f in _in_order(session) if f.kind == StartFollowUp.kind}
    for key in sorted(
        {*tasks, *facts}, key=lambda k: (_opened(tasks, facts, k, session), k)
    ):
        task, fact = tasks.get(key), facts.get(key)
        done = (
            done_at(session, task) if task is not None else session.followed_up.get(key)
        )
        person_id = task.person_id if task is not None else ""
        what = task.what if task is not None else ""
        if task is not None and what == AGREED:
            what = task.reason
        yield FollowUpFact(
            key=key,
            what=what or (fact.cause if fact is not None else ""),
            person=called.person(person_id or (fact.person_id if fact else "")),
            opened_at=_opened(tasks, facts, key, session),
            due_at=task.due_at if task is not None else _due(fact),
            done_at=done[0] if done is not None else None,
            done_by=called.person(done[1]) if done is not None else None,
        )


def _opened(
    tasks: Mapping[str, StartFollowUp],
    facts: Mapping[str, ActionFact],
    key: str,
    session: GroupSession,
) -> datetime:
    if key in facts:
        return facts[key].wanted_at
    for agreed in session.agreed.values():
        if agreed_key(agreed.task_id) == key:
            return agreed.at
    task, policy = tasks[key], session.policy
    return task.due_at - (
        policy.welfare_due if task.what == WELFARE else policy.reason_due
    )


def _due(fact: ActionFact | None) -> datetime | None:
    """The engine writes the due time of a follow-up as its first detail."""
    if fact is None or not fact.details:
        return None
    try:
        return datetime.fromisoformat(fact.details[0])
    except ValueError:
        return None


def actions(session: GroupSession, called: Names) -> Iterator[ActionEntry]:
    """Everything wanted, oldest first; mere looking is left out."""
    for fact in _in_order(session):
        if fact.kind == ReadRoom.kind:
            continue
        someone = fact.person_id or fact.connection
        yield ActionEntry(
            key=fact.key,
            kind=fact.kind,
            state=fact.state.value,
            reason=fact.reason,
            person=(
                called.connection(fact.connection, fact.person_id) if someone else None
            ),
            wanted_at=fact.wanted_at,
            sent_at=fact.sent_at,
            confirmed_at=fact.confirmed_at,
            route=fact.route,
            proof=fact.proof,
            problem=fact.problem,
            race=fact.race,
            tries=fact.tries,
        )


def _in_order(session: GroupSession) -> list[ActionFact]:
    return sorted(session.actions.values(), key=lambda fact: (fact.wanted_at, fact.key))
