"""Who may be let in, and who may be sent to the waiting room (guidance T9, S8, E1)."""

from app.core.gates import has_one_to_one
from app.core.identity import Who
from app.core.ladder import (
    IS_WORKER,
    NOBODY_THERE,
    NOT_ROSTERED,
    SESSION_OVER,
    Target,
    over,
    standing_removal,
    target_of,
)
from app.core.presses import AdmitPressed, HoldPressed
from app.core.readiness import one_to_one_excepted
from app.core.rooms import who_is_who
from app.core.session import GroupSession, Instance


def hold_problem(session: GroupSession, press: HoldPressed) -> str:
    """Why this connection may not be taken to the waiting room; "" when it may."""
    if session.worker_slot(press.by) is None:
        return NOT_ROSTERED
    if over(session, press.at):
        return SESSION_OVER
    target = target_of(session, press.connection)
    if target is None:
        return NOBODY_THERE
    return IS_WORKER if target.who is Who.WORKER else ""


_STAY_OUT = {
    Who.STRANGER: "That person is not on this session's list. Say who it is first.",
    Who.PHONE: "That is a phone caller nobody has identified. Say who it is first.",
    Who.RECORDER: "That is a recorder or note-taker; it stays outside.",
    Who.CHALLENGED: "That person has not proved to be a worker yet.",
    Who.DOUBTFUL: "It is not sure who uses that personal link. Say who it is first.",
}


def admit_problem(session: GroupSession, press: AdmitPressed) -> str:
    """Why this connection may not be let in; "" when it may (guidance T9, S8, E1)."""
    if session.worker_slot(press.by) is None:
        return NOT_ROSTERED
    if over(session, press.at):
        return SESSION_OVER
    found = session.find(press.connection)
    target = target_of(session, press.connection)
    if found is None or target is None:
        return NOBODY_THERE
    return may_enter_problem(session, found[0], target)


def may_enter_problem(session: GroupSession, instance: Instance, target: Target) -> str:
    """Why this person may not be in that room now; "" when they may."""
    if target.who is Who.WORKER:
        return ""
    if target.who in _STAY_OUT:
        return _STAY_OUT[target.who]
    if standing_removal(session, target) is not None:
        return "A worker removed this client. Let them back in with “Readmit” first."
    client = session.plan.client(target.person_id) if session.plan is not None else None
    if client is None:
        return _STAY_OUT[Who.STRANGER]
    talked = has_one_to_one(session.policy, client)
    if not talked and not one_to_one_excepted(session, target.person_id):
        return "No one-to-one with a lead worker is on file yet (guidance T9)."
    if not _worker_inside(session, instance):
        return "No verified worker is in the room, so nobody is let in (guidance E1)."
    return ""


def _worker_inside(session: GroupSession, instance: Instance) -> bool:
    known = who_is_who(session, instance)
    return any(
        known[connection.key].is_worker
        for connection in instance.connections.values()
        if connection.whereabouts(instance.closed_at).room
    )
