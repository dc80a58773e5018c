"""Tasks that outlive the moment: call the client, write the reason (guidance T5, I7)."""

from collections.abc import Iterator
from datetime import datetime

from app.core.actions import (
    EndCause,
    EndMeeting,
    HoldParticipant,
    RemoveParticipant,
    StartFollowUp,
    Wish,
)
from app.core.ladder import removals, target_of
from app.core.rooms import who_is_who
from app.core.session import ActionFact, GroupSession

WELFARE = "welfare call"
REASON = "reason due"
AGREED = "agreed"


def open_follow_ups(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Want every follow-up that nobody has done yet."""
    for task in follow_ups(session):
        if done_at(session, task) is None:
            yield task


def follow_ups(session: GroupSession) -> tuple[StartFollowUp, ...]:
    """Every follow-up removals ask for or staff agreed on, done or not."""
    return (*_welfare(session), *_reasons(session), *_agreed(session))


def done_at(session: GroupSession, task: StartFollowUp) -> tuple[datetime, str] | None:
    """When a follow-up was done and by whom, or None while it is open."""
    if task.what == REASON:
        given = session.reasons.get(task.key.removeprefix("follow_ups.reason:"))
        if given is not None:
            return given.at, given.by
    return session.followed_up.get(task.key)


def _welfare(session: GroupSession) -> Iterator[StartFollowUp]:
    """One call for each client put out of the room, whoever or whatever put them out.

    Another removal before the call is due belongs to the same call, unless that call
    was made before it.
    """
    latest: dict[str, StartFollowUp] = {}
    for at, person_id, fact in sorted(
        _put_out(session), key=lambda row: (row[0], row[1], row[2].key)
    ):
        before = latest.get(person_id)
        if before is not None and at < before.due_at:
            done = done_at(session, before)
            if done is None or done[0] >= at:
                continue
        task = StartFollowUp(
            key=f"follow_ups.welfare:{fact.key}:{person_id}",
            reason="A client was put out of the room; find out how they are.",
            clause="I7",
            rule="follow_ups.open",
            what=WELFARE,
            due_at=at + session.policy.welfare_due,
            person_id=person_id,
        )
        latest[person_id] = task
        yield task


def _put_out(session: GroupSession) -> Iterator[tuple[datetime, str, ActionFact]]:
    for fact in session.actions.values():
        if fact.confirmed_at is None or not is_forced_out(fact):
            continue
        if fact.kind == EndMeeting.kind:
            people = _inside(session, fact)
        else:
            people = {fact.person_id or _person(session, fact.connection)}
        for person_id in people:
            if session.plan is not None and session.plan.client(person_id) is not None:
                yield fact.confirmed_at, person_id, fact


def is_forced_out(fact: ActionFact) -> bool:
    """Whether this action put people out against their will; a goodbye does not."""
    if fact.kind == RemoveParticipant.kind:
        return not fact.key.startswith("closing.")
    if fact.kind == HoldParticipant.kind:
        return fact.key.startswith("never_alone.")
    return fact.kind == EndMeeting.kind and fact.cause == EndCause.NEVER_ALONE.value


def _person(session: GroupSession, connection: str) -> str:
    target = target_of(session, connection)
    return target.person_id if target is not None else ""


def _inside(session: GroupSession, fact: ActionFact) -> set[str]:
    """Who was in the room between the decision to clear it and the proof."""
    instance = session.instances.get(fact.meeting) if fact.meeting is not None else None
    if instance is None or fact.confirmed_at is None:
        return set()
    known = who_is_who(session, instance)
    return {
        known[connection.key].person_id
        for connection in instance.connections.values()
        for stay in connection.whereabouts(instance.closed_at).stays
        if (stay.start is None or stay.start <= fact.confirmed_at)
        and (stay.end is None or stay.end >= fact.wanted_at)
    }


def _reasons(session: GroupSession) -> Iterator[StartFollowUp]:
    for removal in removals(session):
        press = removal.press
        if press.immediate and not press.reason.strip():
            yield StartFollowUp(
                key=f"follow_ups.reason:{press.press_id}",
                reason="A worker removed somebody at once; the reason is to be written down.",
                clause="T5",
                rule="follow_ups.open",
                by=press.by,
                what=REASON,
                due_at=press.at + session.policy.reason_due,
                person_id=press.by,
            )


def agreed_key(task_id: str) -> str:
    """The key of what staff agreed on."""
    return f"follow_ups.agreed:{task_id}"


def _agreed(session: GroupSession) -> Iterator[StartFollowUp]:
    for task in session.agreed.values():
        if not task.dropped:
            yield StartFollowUp(
                key=agreed_key(task.task_id),
                reason=task.what,
                clause="E2",
                rule="follow_ups.open",
                by=task.by,
                what=AGREED,
                due_at=task.due_at,
                person_id=task.owner,
            )


RULES = (("follow_ups.open", open_follow_ups),)
