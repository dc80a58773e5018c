"""A person was asked to act, nobody did, and the room still shows it (I6, I9)."""

from collections.abc import Iterator
from datetime import datetime

from app.core.actions import (
    AlertStaff,
    Audience,
    HoldParticipant,
    Level,
    RemoveParticipant,
    StopLiveStream,
    StopRecording,
    Wish,
)
from app.core.confirm import STOPPED
from app.core.presses import ActionState
from app.core.session import ActionFact, GroupSession

_WHAT = {
    RemoveParticipant.kind: (
        "Somebody who has to leave is still in the call.",
        "Telephone a worker in the call: they remove this person from the list of "
        "participants. If that does not work, end the call for everyone.",
    ),
    HoldParticipant.kind: (
        "Somebody who has to wait at the door is still in the call.",
        "Telephone a worker in the call: they put this person in the waiting room, or "
        "remove them.",
    ),
    StopRecording.kind: (
        "The call is still being recorded without a reason and consent on file.",
        "Telephone a worker in the call: they stop the recording, or end the call.",
    ),
    StopLiveStream.kind: (
        "The call still goes out in public.",
        "Telephone a worker in the call: they stop the live stream, or end the call "
        "for everyone at once.",
    ),
}


def nobody_did_it(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """The safeguarding lead hears of every asked act that has not happened."""
    for fact in session.actions.values():
        if fact.state is not ActionState.ESCALATED or fact.kind not in _WHAT:
            continue
        if not _still_so(session, fact):
            continue
        reason, what_to_do = _WHAT[fact.kind]
        yield AlertStaff(
            key=f"escalation.nobody_did_it:{fact.key}",
            reason=f"{reason} A worker was asked and nobody has done it yet.",
            clause="I6",
            rule="escalation.nobody_did_it",
            level=Level.RED,
            audience=Audience.SAFEGUARDING,
            what_to_do=what_to_do,
            connection=fact.connection,
            person_id=fact.person_id,
        )


def _still_so(session: GroupSession, fact: ActionFact) -> bool:
    instance = session.instances.get(fact.meeting) if fact.meeting else None
    if instance is None or instance.closed_at is not None:
        return False
    if fact.kind == StopRecording.kind:
        return instance.recording is None or instance.recording[1] not in STOPPED
    if fact.kind == StopLiveStream.kind:
        return instance.streaming is None or instance.streaming[1]
    connection = instance.resolve(fact.connection)
    return connection is not None and bool(connection.whereabouts().room)


RULES = (("escalation.nobody_did_it", nobody_did_it),)
