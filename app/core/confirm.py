"""When an action counts as done: what in the room proves it (DESIGN §1, sentence 4; I6)."""

from collections.abc import Callable
from datetime import datetime

from app.core.actions import (
    Action,
    AskWorker,
    ConnectionAction,
    Expect,
    MeetingAction,
    PostGroundRules,
)
from app.core.connections import Connection, MarkKind
from app.core.rooms import rooms, who_is_who
from app.core.session import GroupSession, Instance

STOPPED = ("stopped", "paused")


def expectation(action: Action) -> Expect:
    """What has to be seen for this action."""
    return action.until if isinstance(action, AskWorker) else action.expect


def proof(session: GroupSession, action: Action, sent_at: datetime) -> str:
    """A sentence saying what proves the effect; "" while nothing does."""
    ticked = session.action_ticks.get(action.key)
    if ticked is not None and ticked[2] and not action.harmful:
        return "A worker says it is done."
    check = _CHECKS.get(expectation(action))
    return check(session, action, sent_at) if check is not None else ""


def _instance(session: GroupSession, action: Action) -> Instance | None:
    if not isinstance(action, MeetingAction):
        return None
    return session.instances.get(action.meeting)


def _connection(
    session: GroupSession, action: Action
) -> tuple[Instance, Connection] | None:
    instance = _instance(session, action)
    key = action.connection if isinstance(action, (ConnectionAction, AskWorker)) else ""
    if instance is None or not key:
        return None
    found = instance.resolve(key)
    return None if found is None else (instance, found)


def _ended(session: GroupSession, action: Action, sent_at: datetime) -> str:
    instance = _instance(session, action)
    if instance is None or instance.closed_at is None:
        return ""
    return "The platform reports that this meeting is over."


def _out(session: GroupSession, action: Action, sent_at: datetime) -> str:
    found = _connection(session, action)
    how = _gone(*found, sent_at) if found is not None else ""
    return f"The connection is out of the room: {how}." if how else ""


def _gone(instance: Instance, connection: Connection, sent_at: datetime) -> str:
    """What shows that it is out: an event, or a look that began after the act (I6)."""
    if connection.whereabouts(instance.closed_at).room:
        return ""
    if instance.closed_at is not None:
        return "the meeting is over"
    last = connection.marks[-1] if connection.marks else None
    missed = last is not None and last.kind is MarkKind.MISSED
    if last is not None and not missed:
        return "the platform reports it"
    looks = (instance.proof_at, last.at if last is not None else None)
    if any(at is not None and at >= sent_at for at in looks):
        return "a look at the room that began afterwards"
    return ""


def _waiting(session: GroupSession, action: Action, sent_at: datetime) -> str:
    found = _connection(session, action)
    if found is None:
        return ""
    if found[1].whereabouts(found[0].closed_at).waiting:
        return "The connection is in the waiting room."
    how = _gone(*found, sent_at)
    return f"It left the room: {how}." if how else ""


def _in(session: GroupSession, action: Action, sent_at: datetime) -> str:
    found = _connection(session, action)
    if found is None or not found[1].whereabouts(found[0].closed_at).room:
        return ""
    return "The connection is in the room."


def _role_back(session: GroupSession, action: Action, sent_at: datetime) -> str:
    found = _connection(session, action)
    if found is None:
        return ""
    gone = _gone(*found, sent_at)
    if gone or found[1].role not in ("host", "co-host"):
        return "That connection has no host rights any more."
    return ""


def _recording(session: GroupSession, action: Action, sent_at: datetime) -> str:
    instance = _instance(session, action)
    if instance is None or instance.recording is None:
        return ""
    return "The recording stopped." if instance.recording[1] in STOPPED else ""


def _stream(session: GroupSession, action: Action, sent_at: datetime) -> str:
    instance = _instance(session, action)
    if instance is None or instance.streaming is None or instance.streaming[1]:
        return ""
    return "The live stream stopped."


def _supervised(session: GroupSession, action: Action, sent_at: datetime) -> str:
    name = action.room if isinstance(action, AskWorker) else ""
    instance = _instance(session, action)
    here = [r for r in rooms(session) if r.instance is instance and r.name == name]
    if any(room.unsafe_since is not None for room in here):
        return ""
    return "A worker is in that room, or nobody is left in it."


def _told(session: GroupSession, action: Action, sent_at: datetime) -> str:
    if isinstance(action, PostGroundRules) and set(action.connections) <= set(
        session.rules_spoken
    ):
        return "A worker talked the ground rules through."
    if isinstance(action, AskWorker) and action.press == "accept_lead":
        lead = session.lead_accepted
        if lead is not None and lead[0] >= sent_at:
            return "A worker accepted the lead."
    if isinstance(action, AskWorker) and action.press == "i_am_in":
        instance = _instance(session, action)
        known = who_is_who(session, instance) if instance is not None else {}
        who = known.get(action.connection)
        if who is not None and who.is_worker:
            return "The worker confirmed."
    return ""


def _acknowledged(session: GroupSession, action: Action, sent_at: datetime) -> str:
    return "A named person took it." if action.key in session.acknowledged else ""


_CHECKS: dict[Expect, Callable[[GroupSession, Action, datetime], str]] = {
    Expect.INSTANCE_ENDED: _ended,
    Expect.CONNECTION_OUT: _out,
    Expect.CONNECTION_WAITING: _waiting,
    Expect.CONNECTION_IN: _in,
    Expect.ROLE_BACK: _role_back,
    Expect.RECORDING_STOPPED: _recording,
    Expect.STREAM_STOPPED: _stream,
    Expect.ROOM_SUPERVISED: _supervised,
    Expect.TICK: _told,
    Expect.ACKNOWLEDGED: _acknowledged,
}
