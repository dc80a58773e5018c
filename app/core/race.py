"""Whether a clear met a worker who was just coming back (I8)."""

from datetime import datetime

from app.core.connections import MarkKind
from app.core.events import MeetingRef
from app.core.rooms import stays_of, who_is_who
from app.core.session import GroupSession


def met_a_worker(
    session: GroupSession, meeting: MeetingRef, sent_at: datetime | None
) -> bool:
    """Whether a worker had come in less than a call's deadline before the end.

    The way back out of a breakout room counts when we had heard of it before the end was
    sent: later, it may as well be the end's own doing, for times are whole seconds.
    """
    instance = session.instances.get(meeting)
    if instance is None or instance.closed_at is None:
        return False
    known, end = who_is_who(session, instance), instance.closed_at
    begin = end - session.policy.call_deadline
    came = (stay.start for _, stay in stays_of(instance, known, workers=True))
    if any(at is not None and begin <= at <= end for at in came):
        return True
    return sent_at is not None and any(
        mark.kind is MarkKind.BREAKOUT_LEFT
        and begin <= mark.at <= end
        and mark.heard_at is not None
        and mark.heard_at <= sent_at
        for key, connection in instance.connections.items()
        if known[key].is_worker
        for mark in connection.marks
    )
